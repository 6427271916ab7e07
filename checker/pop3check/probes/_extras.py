"""What no RFC in force asks for: withdrawn commands, good practice, what clients count on."""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Unmet
from pop3check._talk import negative
from pop3check._verdict import Ending

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

_NOBODY = "nobody-has-this-name"

#: Seconds that a first answer may take, and messages for which it may take one more.
_SOON, _MORE = 10.0, 1000

#: Logins that fail on purpose to see how long that takes.
_SAMPLES = 5

#: Sessions that are opened at most to find out how many a user may have.
_CROWD = 64

_OLD = ("XTND XMIT", "XSENDER 1", "XOIP 192.0.2.1", "XCLIENT ADDR=192.0.2.1")
_FORWARDED = ("XOIP 192.0.2.1", "XCLIENT ADDR=192.0.2.1")

_VERSION = re.compile(r"\d+\.\d+(\.\d+)*")
_STAMP = re.compile(r"<[^<>]*>")


@probe("HIST-01")
def last(talk: Talk) -> Wants[None]:
    """LAST, and what it says."""
    answer = yield from talk.ask("LAST")
    if not positive(answer):
        talk.note("there is no LAST")
        return
    count, _ = yield from talk.stat()
    found = re.match(r"\+OK (\d{1,9})\b", answer)
    right = found is not None and int(found[1]) <= count
    talk.require(right, f"+OK and a number from 0 to {count}", answer)
    talk.note(f"there is a LAST: {answer}")


@probe("HIST-03")
def old_commands(talk: Talk) -> Wants[None]:
    """Commands of no RFC in force."""
    for line in _OLD:
        answer = yield from talk.ask(line)
        taken = "taken" if positive(answer) else "refused"
        talk.note(f"{line.split(' ')[0]} is {taken}")
        yield from talk.accepted("NOOP")


@probe("SEC-01", logs_in=True)
def user_says_nothing(talk: Talk) -> Wants[None]:
    """USER with a name that there is, and with one that there is not."""
    known = yield from talk.ask(f"USER {talk.target.user}")
    yield from talk.quit()
    yield from talk.connect("again")
    unknown = yield from talk.ask(f"USER {_NOBODY}")
    talk.require(
        unknown.replace(_NOBODY, "") == known.replace(talk.target.user, ""),
        f"what {talk.target.user} is answered: {known}",
        unknown,
    )


@probe("SEC-02")
def time_of_refusals(talk: Talk) -> Wants[None]:
    """Failed logins of somebody and of nobody, in turn."""
    took: dict[str, list[float]] = {talk.target.user: [], _NOBODY: []}
    for number in range(_SAMPLES):
        for name, seconds in took.items():
            yield from talk.connect(f"{name}-{number}")
            began = yield from talk.now()
            yield from _fails(talk, name)
            seconds.append((yield from talk.now()) - began)
            yield from talk.drop()
    somebody, nobody = map(median, took.values())
    talk.note(f"a refusal takes {somebody:.3f} s for somebody, {nobody:.3f} s for nobody")


@probe("SEC-03")
def brake(talk: Talk) -> Wants[None]:
    """Failed logins one after the other, on one connection."""
    yield from talk.connect()
    for number in range(1, _SAMPLES + 1):
        began = yield from talk.now()
        try:
            yield from _fails(talk, talk.target.user)
        except Unmet as ended:
            if not ended.closed:
                raise
            talk.note(f"the server closes after {number - 1} failed logins")
            talk.over.add(talk.on)
            return
        talk.note(f"failed login {number} takes {(yield from talk.now()) - began:.1f} s")


def _fails(talk: Talk, name: str) -> Wants[None]:
    answer = yield from talk.ask(f"USER {name}")
    if positive(answer):
        answer = yield from talk.ask("PASS wrong-on-purpose")
    talk.require(negative(answer), "-ERR to a wrong password", answer)


@probe("SEC-05")
def replies_are_not_split(talk: Talk) -> Wants[None]:
    """A word with a CR in it."""
    yield from talk.send_octets(b"XY\rZ\r\n", "one line of -ERR")
    answer = yield from talk.line()
    talk.require("\r" not in answer, "a reply without a CR of ours", answer)
    yield from talk.silent()


@probe("SEC-06")
def word_of_a_stranger(talk: Talk) -> Wants[None]:
    """Commands by which a proxy says whom it speaks for."""
    for line in _FORWARDED:
        answer = yield from talk.ask(line)
        talk.note(f"{line.split(' ')[0]} of a stranger is answered {answer}")


@probe("SEC-07")
def version_is_told(talk: Talk) -> Wants[None]:
    """Greeting and IMPLEMENTATION."""
    yield from talk.refused("XYZZ")
    greeting = _STAMP.sub("", talk.dialogue.greeting)
    implementation = talk.facts.argument("IMPLEMENTATION") or ""
    found = _VERSION.search(f"{greeting} {implementation}")
    talk.note(f"it names the version {found[0]}" if found else "it names no version")


@probe("IOP-01")
def octets_of_retr(talk: Talk) -> Wants[None]:
    """The number in the +OK of RETR."""
    number, size = list((yield from talk.sizes()).items())[-1]
    answer = yield from talk.accepted(f"RETR {number}")
    yield from talk.rest_of_message()
    found = re.match(r"\+OK (\d{1,18})\b", answer)
    talk.require(found is None or int(found[1]) == size, f"+OK {size}, as LIST says", answer)


@probe("IOP-02")
def told_before_login(talk: Talk) -> Wants[None]:
    """What CAPA said before login, and what works."""
    yield from talk.accepted("NOOP")
    stages = talk.facts.stages
    lines = stages.get("secured") or stages.get("first") or ()
    told = {line.split(" ")[0].upper() for line in lines}
    works = [name for name, there in (("TOP", talk.facts.top), ("UIDL", talk.facts.uidl)) if there]
    hidden = [name for name in works if name not in told]
    talk.require(not hidden, f"{' and '.join(works)} in CAPA before login", f"no {hidden}")


@probe("IOP-03")
def end_by_fin(talk: Talk) -> Wants[None]:
    """QUIT, and how the connection ends."""
    yield from talk.quit()
    talk.require(talk.ending is Ending.CLOSED, "FIN behind the answer", "RST")


@probe("IOP-04")
def first_answers(talk: Talk) -> Wants[None]:
    """STAT, LIST and UIDL, and how long they take."""
    allowed = _SOON + (talk.facts.count or 0) / _MORE
    for command in ("STAT", "LIST", *(["UIDL"] if talk.facts.uidl else [])):
        began = yield from talk.now()
        if command == "STAT":
            yield from talk.stat()
        else:
            yield from talk.lines(command)
        took = (yield from talk.now()) - began
        talk.require(took <= allowed, f"{command} within {allowed:g} s", f"{took:.1f} s")


@probe("IOP-05", logs_in=True)
def sessions_of_one_user(talk: Talk) -> Wants[None]:
    """Sessions are opened until a login is refused."""
    for number in range(min(_CROWD, talk.limits.connections)):
        yield from talk.connect(f"{number}")
        if not (yield from talk.logs_in()):
            talk.note(f"{number} sessions at a time; then: {talk.answer}")
            return
    talk.note(f"{talk.limits.connections} sessions at a time, and perhaps more")
