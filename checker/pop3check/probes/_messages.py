"""RETR and DELE: what comes, and what a mark is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._fixtures import on_wire
from pop3check._mail import is_whole
from pop3check._verdict import Outcome

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Seconds that a slow reader rests, and how often.
_REST, _RESTS = 0.1, 2


@probe("RFC1939-3-41")
def dots_everywhere(talk: Talk) -> Wants[None]:
    """Header fields that begin with a dot, one of them at the very first octet."""
    for name in ("dots", "dot1"):
        yield from _as_stored(talk, name)


@probe("RFC1939-5-26")
def eight_bits(talk: Talk) -> Wants[None]:
    """A body in Latin-1."""
    yield from _as_stored(talk, "8bit")


@probe("RFC1939-5-20")
def whole_message(talk: Talk) -> Wants[None]:
    """A message of the run's own; whoever delivered it may have put trace fields in front."""
    right = on_wire("plain", talk.facts.run)
    came = yield from talk.message(f"RETR {talk.fixture('plain')}")
    grade = Outcome.NON_STRICT if is_whole(right, came) else None
    talk.require(came.endswith(right), "the message as it was stored", repr(came)[1:], grade=grade)


def _as_stored(talk: Talk, name: str) -> Wants[None]:
    """A message of the run's own comes as it was stored, but for fields that were added."""
    right = on_wire(name, talk.facts.run)
    came = yield from talk.message(f"RETR {talk.fixture(name)}")
    talk.require(is_whole(right, came), f"the message {name!r} as it was stored", _tail(came))


def _tail(data: bytes) -> str:
    return f"{len(data)} octets that end in {data[-60:]!r}"


@probe("RFC1939-5-23")
def the_same_twice(talk: Talk) -> Wants[None]:
    """RETR, and RETR again."""
    number = max(talk.facts.sizes)
    first = yield from talk.message(f"RETR {number}")
    second = yield from talk.message(f"RETR {number}")
    talk.require(
        first == second, f"the same {len(first)} octets", f"{len(second)} octets, not the same"
    )


@probe("RFC1939-5-24")
def slow_reader(talk: Talk) -> Wants[None]:
    """RETR of a large message; the first octets are left waiting."""
    yield from talk.accepted(f"RETR {talk.fixture('big')}")
    for _ in range(_RESTS):
        yield from talk.pause(_REST)
    came = yield from talk.rest_of_message()
    right = on_wire("big", talk.facts.run)
    talk.require(is_whole(right, came), f"{len(right)} octets as they were stored", _tail(came))


@probe("RFC1939-5-27")
def odd_octets(talk: Talk) -> Wants[None]:
    """NUL and bare CR."""
    for name, odd in (("nul", b"\x00"), ("barecr", b"a\rb")):
        came = yield from talk.message(f"RETR {talk.fixture(name)}")
        right = on_wire(name, talk.facts.run)
        if is_whole(right, came):
            talk.note(f"{name}: comes as it was stored")
        else:
            body = came.rpartition(b"\r\n\r\n")[2]
            talk.note(f"{name}: {odd!r} becomes {body[:20]!r}")


@probe("RFC1939-5-29")
def dele_marks(talk: Talk) -> Wants[None]:
    """STAT before and after DELE."""
    (number,) = talk.own()
    count, _ = yield from talk.stat()
    yield from talk.accepted(f"DELE {number}")
    left, _ = yield from talk.stat()
    talk.require(left == count - 1, f"STAT to count {count - 1} messages", left)
    yield from talk.accepted("RSET")


@probe("RFC1939-5-32")
def marked_is_gone(talk: Talk) -> Wants[None]:
    """Every command that names a message."""
    (number,) = talk.own()
    yield from talk.accepted(f"DELE {number}")
    lines = [f"LIST {number}", f"RETR {number}", f"DELE {number}"]
    lines += [f"TOP {number} 0"] if talk.facts.top else []
    lines += [f"UIDL {number}"] if talk.facts.uidl else []
    for line in lines:
        yield from talk.refused(line)
        yield from talk.accepted("NOOP")
    yield from talk.accepted("RSET")


@probe("RFC1939-5-33")
def numbers_stay(talk: Talk) -> Wants[None]:
    """LIST and UIDL before and after DELE."""
    (number,) = talk.own()
    before = yield from _listings(talk)
    yield from talk.accepted(f"DELE {number}")
    after = yield from _listings(talk)
    for left, there in zip(before, after, strict=True):
        left.pop(number, None)
        talk.require(
            left == there, f"all but message {number} as before", _first_other(left, there)
        )
    yield from talk.accepted("RSET")


@probe("RFC1939-5-40")
def reset_changes_nothing(talk: Talk) -> Wants[None]:
    """UIDL before DELE and after RSET."""
    (number,) = talk.own()
    before = yield from talk.uids()
    yield from talk.accepted(f"DELE {number}")
    yield from talk.accepted("RSET")
    after = yield from talk.uids()
    talk.require(after == before, "UIDL as before", _first_other(before, after))


def _listings(talk: Talk) -> Wants[list[dict[int, object]]]:
    listings: list[dict[int, object]] = [{**(yield from talk.sizes())}]
    if talk.facts.uidl:
        listings.append({**(yield from talk.uids())})
    return listings


def _first_other(before: dict[int, object] | dict[int, str], after: object) -> str:
    assert isinstance(after, dict)
    other = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    return (
        f"message {other[0]} was {before.get(other[0])}, is {after.get(other[0])}" if other else ""
    )
