"""The states of a session: logging in, the lock, the inactivity timer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Inconclusive, Skipped, Unmet
from pop3check._fixtures import stored
from pop3check._talk import has_ended, negative
from pop3check._verdict import Outcome
from pop3check._wants import Lost

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Seconds of the inactivity timer at least (RFC 1939, section 3), less what an answer may take.
_TIMER = 595.0

#: Seconds between two commands of a client that keeps its session alive.
_SIGN_OF_LIFE = 360.0

#: Seconds after which a server that has a timer should have ended a session.
_PATIENCE = 3600.0


@probe("RFC1939-3-33", logs_in=True)
def refusal_changes_nothing(talk: Talk) -> Wants[None]:
    """Commands of the other state, then the login."""
    for line in ("STAT", "RETR 1", "NOOP"):
        yield from talk.ask(line)
        if talk.facts.stages:
            yield from talk.lines("CAPA")  # servers count bad commands in a row
    talk.expected = "a login that works"
    talk.require((yield from talk.logs_in()), talk.expected, talk.answer)
    yield from talk.stat()


@probe("RFC1939-3-34")
def timer_after_login(talk: Talk) -> Wants[None]:
    """Nearly ten minutes of silence, then NOOP."""
    yield from _idle(talk, _TIMER)
    yield from talk.accepted("NOOP")


@probe("RFC1939-3-35")
def timer_before_login(talk: Talk) -> Wants[None]:
    """Nearly ten minutes of silence before the login."""
    yield from _idle(talk, _TIMER)
    yield from talk.refused("XYZZ")


@probe("RFC1939-3-36")
def timer_begins_anew(talk: Talk) -> Wants[None]:
    """NOOP after six minutes, and after six more."""
    for _ in range(2):
        yield from _idle(talk, _SIGN_OF_LIFE)
        yield from talk.accepted("NOOP")


@probe("RFC1939-3-37")
def timer_deletes_nothing(talk: Talk) -> Wants[None]:
    """A mark, silence until the server closes, and a look."""
    (number,) = talk.own()
    uid = (yield from talk.uids())[number]
    yield from talk.accepted(f"DELE {number}")
    yield from _until_closed(talk)
    after = yield from talk.uids_again()
    talk.require(uid in after.values(), f"{uid} still in the maildrop", "the message is gone")


@probe("RFC1939-3-38")
def timer_says_nothing(talk: Talk) -> Wants[None]:
    """Silence until the server closes, and nothing before that."""
    said = yield from _until_closed(talk)
    talk.require(not said, "the end of the connection, without a response", repr(said)[1:])


def _idle(talk: Talk, seconds: float) -> Wants[None]:
    """Say nothing for so long, and hear nothing.

    Raises:
        Unmet: The server does not wait so long.
    """
    talk.expected = f"silence for {seconds:g} s"
    came = yield from talk.dialogue.silent(seconds)
    if came is not None:
        what = repr(came)[1:] if came else "the end of the connection"
        raise Unmet(talk.expected, what, closed=not came)


def _until_closed(talk: Talk) -> Wants[bytes]:
    """Say nothing until the server closes; gives what it said before.

    Raises:
        Skipped: It does not close for an hour.
    """
    said = b""
    talk.over.add(talk.on)
    while came := (yield from talk.dialogue.silent(_PATIENCE)):
        said += came
        talk.dialogue.forget()
    if came is None:
        raise Skipped(f"the server has no inactivity timer below {_PATIENCE:g} s")
    return said


@probe("RFC1939-4-04")
def way_to_log_in(talk: Talk) -> Wants[None]:
    """What is announced, the timestamp, or USER that is taken."""
    facts = talk.facts
    if facts.announces("USER") or facts.announces("SASL") or facts.stamp:
        return
    answer = yield from talk.ask(f"USER {talk.target.user or 'nobody'}")
    talk.require(positive(answer), "USER or SASL announced, a timestamp, or +OK to USER", answer)


@probe("RFC1939-4-06")
def failed_login(talk: Talk) -> Wants[None]:
    """A wrong password, then STAT."""
    try:
        answer = yield from talk.wrong_login()
        talk.require(negative(answer), "-ERR to a wrong password", answer)
        yield from talk.refused("STAT")
    except (Unmet, Lost) as error:
        if not has_ended(error) or not negative(talk.answer):
            raise
        talk.over.add(talk.on)


@probe("RFC1939-4-07", logs_in=True)
def login_after_a_failed_one(talk: Talk) -> Wants[None]:
    """A wrong password, then the right one, on the same connection."""
    answer = yield from talk.wrong_login()
    talk.require(negative(answer), "-ERR to a wrong password", answer)
    try:
        works = yield from talk.logs_in()
    except (Unmet, Lost) as error:
        if not has_ended(error):
            raise
        talk.over.add(talk.on)
        raise Skipped("the server closes after a failed login") from None
    talk.require(works, "a login that works", talk.answer)
    yield from talk.stat()


@probe("RFC1939-4-08", logs_in=True)
def lock(talk: Talk) -> Wants[None]:
    """Two sessions of one user."""
    yield from talk.enter("first")
    yield from talk.connect("second")
    works = yield from talk.logs_in()
    talk.require(not works, "-ERR to a second login", talk.answer)


@probe("RFC1939-4-09", logs_in=True)
def lock_disturbs_nobody(talk: Talk) -> Wants[None]:
    """A login that is refused, and the session that was there before."""
    yield from talk.enter("first")
    before = yield from talk.stat()
    yield from talk.connect("second")
    yield from talk.logs_in()
    yield from talk.turn_to("first")
    yield from talk.accepted("NOOP")
    after = yield from talk.stat()
    talk.require(after == before, f"STAT as before, {before}", str(after))


@probe("RFC1939-4-10", logs_in=True)
def stable_view(talk: Talk) -> Wants[None]:
    """One session removes a message that another has listed."""
    yield from talk.enter("first")
    sizes, uids = (yield from talk.sizes()), (yield from talk.uids())
    (number,) = talk.own()
    yield from talk.enter("second")
    yield from talk.accepted(f"DELE {number}")
    talk.deleted.add(uids[number])
    yield from talk.quit()
    yield from talk.turn_to("first")
    again = yield from talk.uids()
    talk.require(again == uids, f"UIDL as before, {len(uids)} messages", f"{len(again)} messages")
    listed = yield from talk.sizes()
    talk.require(listed == sizes, f"LIST as before, {len(sizes)} messages", f"{len(listed)}")
    answer = yield from talk.ask(f"RETR {number}")
    if positive(answer):
        yield from talk.rest_of_message()
    talk.require(positive(answer), "RETR of what is still listed", answer, grade=Outcome.NON_STRICT)


@probe("RFC1939-4-11", logs_in=True)
def quit_lets_go(talk: Talk) -> Wants[None]:
    """QUIT, and a login at once."""
    yield from talk.enter("first")
    yield from talk.quit()
    yield from talk.connect("second")
    talk.require((yield from talk.logs_in()), "a login that works", talk.answer)


@probe("RFC1939-4-12")
def drop_lets_go(talk: Talk) -> Wants[None]:
    """A connection that ends without QUIT, and logins until one works."""
    yield from talk.drop()
    try:
        yield from talk.reenter()
    except Inconclusive as refused:
        raise Unmet("a login that works soon", str(refused)) from None


@probe("RFC1939-4-13", logs_in=True)
def refused_login_leaves_no_lock(talk: Talk) -> Wants[None]:
    """Three logins that meet the lock, QUIT of the first session, and another login."""
    yield from talk.enter("first")
    for number in range(3):
        yield from talk.connect(f"refused-{number}")
        yield from talk.logs_in()
        yield from talk.drop()
    yield from talk.turn_to("first")
    yield from talk.quit()
    yield from talk.connect("second")
    talk.require((yield from talk.logs_in()), "a login that works", talk.answer)


@probe("RFC1939-4-14")
def numbers_without_gaps(talk: Talk) -> Wants[None]:
    """The numbers of LIST."""
    numbers = list((yield from talk.sizes()))
    right = list(range(1, len(numbers) + 1))
    talk.require(numbers == right, f"numbers from 1 to {len(numbers)}", str(numbers[:50]))


@probe("RFC1939-4-15")
def mail_that_arrives(talk: Talk) -> Wants[None]:
    """A message is delivered between two looks."""
    before = (yield from talk.stat()), (yield from talk.sizes())
    talk.deliver(stored("trail", talk.facts.run))
    after = (yield from talk.stat()), (yield from talk.sizes())
    talk.require(after == before, "STAT and LIST as before", f"STAT {after[0]}")
