"""The commands of RFC 1939 that a server may do without: TOP, UIDL, USER, APOP."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Skipped, Unmet
from pop3check._fixtures import on_wire, stored
from pop3check._login import apop_digest, log_in
from pop3check._talk import WRONG, has_ended, negative
from pop3check._verdict import Outcome
from pop3check._wants import Lost

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: More lines than any body has; and more than integers of four and of eight octets hold.
_ALL, _HUGE = 99_999, (1 << 31, 1 << 64)

_END_OF_HEADER = b"\r\n\r\n"

#: How the field of the message with dots begins that begins with one.
_DOT_IN_HEADER = b"\r\n.X-Dot: "

#: Octets that a unique-id may have (RFC 1939, section 7).
_LONGEST = 70

#: Greetings that are compared.
_GREETINGS = 5

# TOP


@probe("RFC1939-7-01")
def top_is_there(talk: Talk) -> Wants[None]:
    """TOP of a message."""
    number = max(talk.facts.sizes)
    yield from talk.accepted(f"TOP {number} 0")
    yield from talk.rest_of_message()


@probe("RFC1939-7-03")
def header_alone(talk: Talk) -> Wants[None]:
    """TOP with no lines, and the header of RETR."""
    number = max(talk.facts.sizes)
    top = yield from talk.message(f"TOP {number} 0")
    header, body = _split((yield from talk.message(f"RETR {number}")))
    talk.require(
        _split(top)[1] == b"" and top.startswith(header),
        "the header, an empty line, and nothing more",
        _tail(top) if body else f"{len(top)} octets",
    )


@probe("RFC1939-7-04")
def lines_asked_for(talk: Talk) -> Wants[None]:
    """TOP with 1, 2 and 5 lines."""
    number = talk.fixture("plain")
    _, body = _split((yield from talk.message(f"RETR {number}")))
    for count in (1, 2, 5):
        top = yield from talk.message(f"TOP {number} {count}")
        right = b"".join(body.splitlines(keepends=True)[:count])
        talk.require(_split(top)[1] == right, f"{count} lines of the body", _tail(top))


@probe("RFC1939-7-05")
def all_lines(talk: Talk) -> Wants[None]:
    """TOP with more lines than there are, and RETR."""
    number = talk.fixture("plain")
    whole = yield from talk.message(f"RETR {number}")
    top = yield from talk.message(f"TOP {number} {_ALL}")
    talk.require(top == whole, f"the {len(whole)} octets of RETR", _tail(top))


@probe("RFC1939-7-08")
def top_is_stuffed(talk: Talk) -> Wants[None]:
    """TOP of a message whose lines begin with dots."""
    top = yield from talk.message(f"TOP {talk.fixture('dots')} {_ALL}")
    _, body = _split(on_wire("dots", talk.facts.run))
    whole = top.endswith(body) and _DOT_IN_HEADER in top
    talk.require(whole, "the lines as they were stored", _tail(top))


@probe("RFC1939-7-09")
def the_same_header(talk: Talk) -> Wants[None]:
    """The header of TOP and of RETR."""
    number = max(talk.facts.sizes)
    top = yield from talk.message(f"TOP {number} 0")
    header, _ = _split((yield from talk.message(f"RETR {number}")))
    came = _split(top)[0]
    talk.require(came == header, f"the header of RETR, {len(header)} octets", _tail(came))


@probe("RFC1939-7-10")
def empty_line_behind_header(talk: Talk) -> Wants[None]:
    """TOP of messages without a body."""
    for name in ("emptybody", "nobody"):
        top = yield from talk.message(f"TOP {talk.fixture(name)} 0")
        talk.require(top.endswith(_END_OF_HEADER), f"an empty line behind {name!r}", _tail(top))


@probe("RFC1939-7-11")
def top_and_last(talk: Talk) -> Wants[None]:
    """LAST before TOP and after it, where there is a LAST."""
    before = yield from talk.ask("LAST")
    yield from talk.message(f"TOP {max(talk.facts.sizes)} 0")
    after = yield from talk.ask("LAST")
    if not positive(before):
        talk.note("there is no LAST by which it could be told")
    else:
        talk.note("TOP " + ("does not count" if after == before else "counts") + " as reading")


@probe("RFC1939-7-12")
def very_many_lines(talk: Talk) -> Wants[None]:
    """TOP with numbers that do not fit."""
    number = talk.fixture("plain")
    whole = yield from talk.message(f"RETR {number}")
    for count in _HUGE:
        answer = yield from talk.ask(f"TOP {number} {count}")
        if positive(answer):
            top = yield from talk.rest_of_message()
            talk.require(top == whole, "the whole message, or -ERR", _tail(top))
        else:
            talk.require(negative(answer), "the whole message, or -ERR", answer)


def _split(message: bytes) -> tuple[bytes, bytes]:
    """The header with the line end of its last line, and the body."""
    header, _, body = message.partition(_END_OF_HEADER)
    return header.removesuffix(b"\r\n") + b"\r\n", body


def _tail(data: bytes) -> str:
    return f"{len(data)} octets that end in {data[-60:]!r}"


# UIDL


@probe("RFC1939-7-13")
def uidl_and_list(talk: Talk) -> Wants[None]:
    """The numbers of UIDL and of LIST."""
    listed = list((yield from talk.sizes()))
    unique = list((yield from talk.uids()))
    talk.require(unique == listed, f"the {len(listed)} numbers of LIST", str(unique[:50]))


@probe("RFC1939-7-15")
def uidl_of_one(talk: Talk) -> Wants[None]:
    """UIDL with a number, and the line of the whole list."""
    number, uid = list((yield from talk.uids()).items())[-1]
    answer = yield from talk.accepted(f"UIDL {number}")
    talk.require(answer == f"+OK {number} {uid}", f"+OK {number} {uid}", answer)
    yield from talk.refused("XYZZ")


@probe("RFC1939-7-16")
def length_of_uids(talk: Talk) -> Wants[None]:
    """The longest unique-id."""
    for line in (yield from talk.lines("UIDL")):
        uid = line.partition(" ")[2]
        length = len(uid.encode("utf-8", "surrogateescape"))
        talk.require(0 < length <= _LONGEST, f"1 to {_LONGEST} octets", f"{length} octets: {uid}")


@probe("RFC1939-7-17")
def octets_of_uids(talk: Talk) -> Wants[None]:
    """Every octet of every unique-id."""
    for line in (yield from talk.lines("UIDL")):
        uid = line.partition(" ")[2]
        talk.require(re.search(r"[^\x21-\x7e]", uid) is None, "octets from 0x21 to 0x7E", uid)


@probe("RFC1939-7-18")
def uids_are_unique(talk: Talk) -> Wants[None]:
    """Unique-ids that come twice, and whether their messages are alike."""
    seen: dict[str, int] = {}
    for number, uid in (yield from talk.uids()).items():
        first = seen.setdefault(uid, number)
        if first == number:
            continue
        alike = (yield from talk.message(f"RETR {first}")) == (
            yield from talk.message(f"RETR {number}")
        )
        grade = Outcome.NON_STRICT if alike else None
        which = f"messages {first} and {number}, which {'are' if alike else 'are not'} alike"
        talk.require(False, "unique-ids of their own", f"{uid} for {which}", grade=grade)


@probe("RFC1939-7-19")
def uids_last(talk: Talk) -> Wants[None]:
    """UIDL of two sessions."""
    before = yield from talk.uids()
    yield from talk.quit()
    _same(talk, before, (yield from talk.uids_again()))


@probe("RFC1939-7-20")
def uids_last_without_quit(talk: Talk) -> Wants[None]:
    """The same where the first was dropped."""
    before = yield from talk.uids()
    yield from talk.drop()
    _same(talk, before, (yield from talk.uids_again()))


def _same(talk: Talk, before: dict[int, str], after: dict[int, str]) -> None:
    gone = sorted(set(before.values()) - set(after.values()))
    shown = f"{len(gone)} of them are gone: {gone[0]}" if gone else f"{len(after)} unique-ids"
    talk.require(not gone, f"the {len(before)} unique-ids of the session before", shown)


@probe("RFC1939-7-21")
def uids_do_not_move(talk: Talk) -> Wants[None]:
    """UIDL before and after a deletion."""
    before, after = yield from _after_deletion(talk)
    _same(talk, before, after)


@probe("RFC1939-7-22")
def uids_are_not_used_again(talk: Talk) -> Wants[None]:
    """A deletion, a delivery, and the unique-id of what came."""
    (number,) = talk.own()
    gone = (yield from talk.uids())[number]
    _, before = yield from _after_deletion(talk)
    yield from talk.quit()
    talk.deliver(stored("trail", talk.facts.run))
    after = yield from talk.uids_again("later")
    new = set(after.values()) - set(before.values())
    talk.require(gone not in new, "a unique-id that was not there before", gone)


def _after_deletion(talk: Talk) -> Wants[tuple[dict[int, str], dict[int, str]]]:
    """Delete a message; gives the unique-ids of the others, before and after."""
    (number,) = talk.own()
    before = yield from talk.uids()
    yield from talk.accepted(f"DELE {number}")
    talk.deleted.add(before[number])
    del before[number]
    yield from talk.quit()
    return before, (yield from talk.uids_again())


@probe("RFC1939-7-23")
def marked_have_no_uid(talk: Talk) -> Wants[None]:
    """UIDL after a mark."""
    (number,) = talk.own()
    yield from talk.accepted(f"DELE {number}")
    listed = yield from talk.uids()
    talk.require(number not in listed, f"UIDL without message {number}", f"{number} is listed")
    yield from talk.refused(f"UIDL {number}")
    yield from talk.accepted("RSET")


@probe("RFC1939-7-26")
def copies(talk: Talk) -> Wants[None]:
    """Two messages that are alike in every octet."""
    first, second = talk.fixture("dup"), talk.fixture("dup-again")
    uids = yield from talk.uids()
    share = uids[first] == uids[second]
    talk.note("copies share a unique-id" if share else "copies have unique-ids of their own")


# USER and PASS


@probe("RFC1939-7-28")
def user_of_nobody(talk: Talk) -> Wants[None]:
    """USER with a name that nobody has."""
    answer = yield from talk.ask("USER nobody-has-this-name")
    talk.note(f"USER of nobody is {'taken' if positive(answer) else 'refused'}: {answer}")


@probe("RFC1939-7-35", logs_in=True)
def spaces_in_password(talk: Talk) -> Wants[None]:
    """The account's password, if it has spaces."""
    if " " not in talk.target.password:
        raise Skipped("the password of the account has no spaces")
    works = yield from log_in(talk.dialogue, talk.target, "USER")
    talk.note(f"a password with spaces is {'taken' if positive(works) else 'refused'}")


@probe("RFC1939-7-36", logs_in=True)
def no_password(talk: Talk) -> Wants[None]:
    """PASS with nothing behind it."""
    for connection, line in enumerate(("PASS ", "PASS")):
        yield from talk.connect(str(connection))
        yield from talk.accepted(f"USER {talk.target.user}")
        yield from talk.refused(line)


@probe("RFC1939-7-32", logs_in=True)
def failed_pass_voids_user(talk: Talk) -> Wants[None]:
    """A wrong password, and the right one without USER; who closes after the first is safe."""
    yield from talk.accepted(f"USER {talk.target.user}")
    yield from talk.refused(f"PASS {WRONG}")
    try:
        yield from talk.refused(f"PASS {talk.target.password}", secret=True)
    except (Unmet, Lost) as error:
        if not has_ended(error):
            raise
        talk.over.add(talk.on)


# APOP


@probe("RFC1939-7-38")
def form_of_stamp(talk: Talk) -> Wants[None]:
    """The timestamp of the greeting."""
    yield from talk.refused("XYZZ")
    stamp = talk.dialogue.stamp
    form = re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", stamp)
    talk.require(form is not None, "<local@domain>", stamp)


@probe("RFC1939-7-39")
def stamps_differ(talk: Talk) -> Wants[None]:
    """The timestamps of some greetings."""
    stamps: list[str] = []
    for number in range(_GREETINGS):
        yield from talk.connect(f"{number}")
        stamps.append(talk.dialogue.stamp)
        yield from talk.quit()
    again = next((stamp for stamp in stamps if stamps.count(stamp) > 1), "")
    talk.require(not again, f"{_GREETINGS} timestamps, all different", f"{again} again")


@probe("RFC1939-7-40", logs_in=True)
def right_digest(talk: Talk) -> Wants[None]:
    """APOP, then STAT."""
    answer = yield from log_in(talk.dialogue, talk.target, "APOP")
    talk.require(positive(answer), "+OK to APOP", answer)
    yield from talk.stat()


@probe("RFC1939-7-41")
def wrong_digest(talk: Talk) -> Wants[None]:
    """APOP with the digest of another secret, then STAT."""
    stranger = replace(talk.target, password=talk.target.password + "x")
    answer = yield from log_in(talk.dialogue, stranger, "APOP")
    talk.require(negative(answer), "-ERR to APOP", answer)
    yield from talk.refused("STAT")


@probe("RFC1939-7-42", logs_in=True)
def old_digest(talk: Talk) -> Wants[None]:
    """A digest for the timestamp of an earlier connection."""
    yield from talk.connect("first")
    old = apop_digest(talk.dialogue.stamp, talk.target.password)
    yield from talk.quit()
    yield from talk.connect("second")
    yield from talk.refused(f"APOP {talk.target.user} {old}")


@probe("RFC1939-13-01", logs_in=True)
def pass_and_apop(talk: Talk) -> Wants[None]:
    """A login by USER and PASS, and one by APOP."""
    works = []
    for way in ("USER", "APOP"):
        yield from talk.connect(way)
        answer = yield from log_in(talk.dialogue, talk.target, "APOP" if way == "APOP" else "USER")
        works.append(positive(answer))
        yield from talk.quit()
    talk.require(not all(works), "PASS or APOP, and not both", "both log in")
