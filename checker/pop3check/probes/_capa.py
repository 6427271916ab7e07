"""CAPA: its form, and whether what is announced is there (RFC 2449)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Skipped
from pop3check._login import log_in
from pop3check._talk import negative

from ._registry import probe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pop3check._talk import Talk
    from pop3check._wants import Wants

_LINE = re.compile(r"[\x21-\x2d\x2f-\x7e]+( [\x21-\x7e]+)*")

#: Octets that a line may have, CRLF included.
_LONGEST = 512

#: What IANA lists (RFC 2449, section 9, and what came later).
_REGISTERED = frozenset(
    [
        "TOP",
        "USER",
        "SASL",
        "RESP-CODES",
        "LOGIN-DELAY",
        "PIPELINING",
        "EXPIRE",
        "UIDL",
        "IMPLEMENTATION",
        "STLS",
        "AUTH-RESP-CODE",
        "UTF8",
        "LANG",
    ]
)

#: An EXPIRE of NEVER, in days.
_NEVER = 1 << 62


def _both(talk: Talk) -> Wants[tuple[list[str], list[str]]]:
    """What CAPA says before login, and after it where there is one."""
    yield from talk.connect()
    before = yield from talk.lines("CAPA")
    if not talk.facts.logged_in:
        return before, []
    yield from talk.log_in()
    return before, (yield from talk.lines("CAPA"))


def _tags(lines: Iterable[str]) -> list[str]:
    return [line.upper().split(" ")[0] for line in lines]


def _arguments(lines: Iterable[str], tag: str) -> str | None:
    found = [line for line in lines if line.upper().split(" ")[0] == tag]
    return found[0].partition(" ")[2] if found else None


@probe("RFC2449-5-01")
def capa_before_login(talk: Talk) -> Wants[None]:
    """CAPA before login."""
    yield from talk.lines("CAPA")


@probe("RFC2449-5-03", logs_in=True)
def nothing_goes(talk: Talk) -> Wants[None]:
    """The tags before login, and after it."""
    before, after = yield from _both(talk)
    if not after:
        raise Skipped(f"login: {talk.facts.no_login}")
    gone = [tag for tag in _tags(before) if tag not in {*_tags(after), "STLS"}]
    talk.require(not gone, "after login what was announced before", f"{', '.join(gone)} is gone")


@probe("RFC2449-5-05")
def form_of_lines(talk: Talk) -> Wants[None]:
    """Every line, before login and after it."""
    for lines in (yield from _both(talk)):
        for line in lines:
            whole = _LINE.fullmatch(line) is not None
            talk.require(whole, "a tag and its parameters, each behind one space", repr(line))


@probe("RFC2449-5-06")
def length_of_lines(talk: Talk) -> Wants[None]:
    """The longest line."""
    for lines in (yield from _both(talk)):
        length = max(
            (len(line.encode("utf-8", "surrogateescape")) + 2 for line in lines), default=0
        )
        talk.require(length <= _LONGEST, f"at most {_LONGEST} octets", f"a line of {length}")


@probe("RFC2449-5-07")
def once(talk: Talk) -> Wants[None]:
    """Tags that come twice."""
    for lines in (yield from _both(talk)):
        tags = _tags(lines)
        twice = sorted({tag for tag in tags if tags.count(tag) > 1})
        talk.require(not twice, "each tag once", f"{', '.join(twice)} twice")


@probe("RFC2449-9-01")
def unregistered(talk: Talk) -> Wants[None]:
    """Tags that are neither registered nor begin with X."""
    before, after = yield from _both(talk)
    found = {tag for tag in (*_tags(before), *_tags(after)) if not tag.startswith("X")}
    odd = sorted(found - _REGISTERED)
    talk.note(f"not registered: {', '.join(odd)}" if odd else "all tags are registered")


# What is announced, and what is there


@probe("RFC2449-6.1-01")
def top_works(talk: Talk) -> Wants[None]:
    """TOP where it is announced."""
    yield from talk.message(f"TOP {max(talk.facts.sizes)} 0")


@probe("RFC2449-6.1-02")
def top_is_announced(talk: Talk) -> Wants[None]:
    """CAPA where TOP works."""
    answer = yield from talk.ask(f"TOP {max(talk.facts.sizes)} 0")
    if not positive(answer):
        return
    yield from talk.rest_of_message()
    tags = _tags((yield from talk.lines("CAPA")))
    talk.require("TOP" in tags, "TOP in CAPA", "TOP works and is not announced")


@probe("RFC2449-6.8-01")
def uidl_works(talk: Talk) -> Wants[None]:
    """UIDL where it is announced."""
    yield from talk.lines("UIDL")


@probe("RFC2449-6.8-02")
def uidl_is_announced(talk: Talk) -> Wants[None]:
    """CAPA, before login and after it, where UIDL works."""
    answer = yield from talk.ask("UIDL")
    if not positive(answer):
        return
    yield from talk.listing()
    stages = talk.facts.stages
    first = stages.get("secured") or stages.get("first", ())
    now = yield from talk.lines("CAPA")
    for when, lines in (("before login", first), ("after login", now)):
        talk.require("UIDL" in _tags(lines), f"UIDL in CAPA {when}", "it works and is not there")


@probe("RFC2449-6.2-01")
def user_is_known(talk: Talk) -> Wants[None]:
    """USER where it is announced: refused it may be, but not as a command that is unknown."""
    strange = yield from talk.ask("XYZZ nobody")
    answer = yield from talk.ask(f"USER {talk.target.user or 'nobody'}")
    known = positive(answer) or answer != strange
    talk.require(known, "another answer than to an unknown command", answer)


@probe("RFC2449-6.2-02", logs_in=True)
def user_does_not_log_in(talk: Talk) -> Wants[None]:
    """USER and PASS where they are not announced."""
    answer = yield from log_in(talk.dialogue, talk.target, "USER")
    talk.require(not positive(answer), "-ERR to USER or PASS", answer)


@probe("RFC2449-6.3-01")
def mechanisms_are_named(talk: Talk) -> Wants[None]:
    """The parameters of SASL."""
    lines = yield from talk.lines("CAPA")
    named = (_arguments(lines, "SASL") or "").split()
    talk.require(bool(named), "SASL and a mechanism", "SASL alone")


@probe("RFC2449-6.3-02")
def mechanisms_can_be_begun(talk: Talk) -> Wants[None]:
    """AUTH with each, and an asterisk."""
    lines = yield from talk.lines("CAPA")
    for name in (_arguments(lines, "SASL") or "").split():
        answer = yield from talk.ask(f"AUTH {name}")
        begun = answer.startswith("+ ") or answer == "+"
        talk.require(begun, f"a challenge of {name}", answer)
        answer = yield from talk.ask("*")
        talk.require(negative(answer), "-ERR to an asterisk", answer)
        # Some servers count refusals in a row.
        yield from talk.lines("CAPA")


@probe("RFC2449-6.3-03", logs_in=True)
def initial_response(talk: Talk) -> Wants[None]:
    """AUTH PLAIN with an initial response."""
    answer = yield from log_in(talk.dialogue, talk.target, "PLAIN")
    talk.require(positive(answer), "+OK to AUTH PLAIN with an initial response", answer)


@probe("RFC2449-6.9-01")
def implementation(talk: Talk) -> Wants[None]:
    """The parameters of IMPLEMENTATION."""
    said = _arguments((yield from talk.lines("CAPA")), "IMPLEMENTATION")
    talk.require(bool(said), "IMPLEMENTATION and a word", "IMPLEMENTATION alone")


# LOGIN-DELAY and EXPIRE


@probe("RFC2449-6.5-01")
def form_of_delay(talk: Talk) -> Wants[None]:
    """LOGIN-DELAY before login and after it."""
    yield from _form(talk, "LOGIN-DELAY", r"\d+( USER)?", "seconds, and at most USER")


@probe("RFC2449-6.7-01")
def form_of_expire(talk: Talk) -> Wants[None]:
    """EXPIRE before login and after it."""
    yield from _form(talk, "EXPIRE", r"(\d+|NEVER)( USER)?", "days or NEVER, and at most USER")


def _form(talk: Talk, tag: str, form: str, meaning: str) -> Wants[None]:
    for lines in (yield from _both(talk)):
        said = _arguments(lines, tag)
        if said is not None:
            whole = re.fullmatch(form, said, re.IGNORECASE) is not None
            talk.require(whole, f"{tag} and {meaning}", f"{tag} {said}")


@probe("RFC2449-6.5-02")
def own_delay(talk: Talk) -> Wants[None]:
    """LOGIN-DELAY after login."""
    yield from _own_value(talk, "LOGIN-DELAY")


@probe("RFC2449-6.7-03")
def own_expire(talk: Talk) -> Wants[None]:
    """EXPIRE after login."""
    yield from _own_value(talk, "EXPIRE")


def _own_value(talk: Talk, tag: str) -> Wants[None]:
    said = _arguments((yield from talk.lines("CAPA")), tag) or ""
    talk.require("USER" not in said.upper().split(), f"{tag} without USER", f"{tag} {said}")


@probe("RFC2449-6.5-03", logs_in=True)
def largest_delay(talk: Talk) -> Wants[None]:
    """LOGIN-DELAY before login and after it."""
    before, after = yield from _values(talk, "LOGIN-DELAY")
    talk.require(before >= after, f"at least {after} before login", before)


@probe("RFC2449-6.7-02", logs_in=True)
def smallest_expire(talk: Talk) -> Wants[None]:
    """EXPIRE before login and after it."""
    before, after = yield from _values(talk, "EXPIRE")
    talk.require(before <= after, f"at most {after} before login", before)


def _values(talk: Talk, tag: str) -> Wants[tuple[int, int]]:
    """The value of a capability before login and after it."""
    found = []
    for lines in (yield from _both(talk)):
        word = (_arguments(lines, tag) or "").split(" ")[0]
        if word.upper() == "NEVER":
            found.append(_NEVER)
        elif word.isdecimal():
            found.append(int(word))
        else:
            raise Skipped(f"{tag} has no value both before login and after it")
    return found[0], found[1]


@probe("RFC2449-6.5-04", logs_in=True)
def delay_is_enforced(talk: Talk) -> Wants[None]:
    """Two logins without a pause."""
    yield from talk.enter("first")
    yield from talk.quit()
    yield from talk.connect("second")
    early = yield from talk.logs_in()
    talk.require(not early, "-ERR to a login that comes at once", talk.answer)


@probe("RFC2449-6.5-05", logs_in=True)
def delay_ends(talk: Talk) -> Wants[None]:
    """Two logins with the pause that was told."""
    yield from talk.enter("first")
    yield from talk.quit()
    word = (talk.facts.argument("LOGIN-DELAY") or "").split(" ")[0]
    yield from talk.pause(float(word) + 1 if word.isdecimal() else 1.0)
    yield from talk.connect("second")
    talk.require((yield from talk.logs_in()), "a login that works", talk.answer)


@probe("RFC2449-6.7-04")
def fetched_may_go(talk: Talk) -> Wants[None]:
    """What EXPIRE 0 means for this run."""
    yield from talk.accepted("NOOP")
    said = talk.facts.argument("EXPIRE", "first")
    talk.note(f"EXPIRE {said}: what is fetched may be removed at QUIT, so nothing was fetched")


@probe("RFC2449-6.7-05")
def fetched_stays(talk: Talk) -> Wants[None]:
    """RETR, QUIT, and a look."""
    number = talk.fixture("plain")
    uid = (yield from talk.uids())[number]
    yield from talk.message(f"RETR {number}")
    yield from talk.quit()
    after = yield from talk.uids_again()
    talk.require(uid in after.values(), f"{uid} still in the maildrop", "it is gone")
