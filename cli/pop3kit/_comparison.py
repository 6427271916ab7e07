"""The mail that a program has handed over, held against the mail that the server has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Octets that are shown of a place where messages differ.
_SHOWN = 24

_LINE_END = re.compile(rb"\r*\n")

#: Header fields as a client may put in front: names, and lines that go on.
_FIELDS = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+")

_FROM_LINE = re.compile(rb"From [^\n]*\n")


class Liberty(StrEnum):
    """What a program may do to messages without altering them."""

    LINE_ENDS = "line-ends"
    FIELDS = "fields"
    FROM_LINE = "from-line"
    BLANK_END = "blank-end"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the messages that the server has.

    Attributes:
        intact: Numbers of the messages that came as they are.
        altered: Numbers of those that came otherwise.
        missing: Numbers of those that did not come.
        duplicated: Numbers of those that came once more, each as often as it did.
        surplus: How many came that are none of them, beyond those altered.
        differences: What is wrong with each that is altered or surplus, a sentence each.
    """

    intact: tuple[int, ...]
    altered: tuple[int, ...]
    missing: tuple[int, ...]
    duplicated: tuple[int, ...]
    surplus: int
    differences: tuple[str, ...]


def compare(
    wanted: Mapping[int, bytes], came: Sequence[bytes], liberties: Collection[Liberty] = ()
) -> Comparison:
    """Hold the messages that came against those that are there, in whatever order they came.

    Args:
        wanted: The messages that the server has, by their numbers.
        came: The messages that the program has handed over.
        liberties: What it may do to them.
    """
    there = {number: _plain(data, liberties) for number, data in wanted.items()}
    open_ = dict(there)
    intact: list[int] = []
    odd: list[bytes] = []
    for data in (_plain(each, liberties) for each in came):
        number = next((n for n, one in open_.items() if _same(one, data, liberties)), None)
        if number is None:
            odd.append(data)
        else:
            intact.append(number)
            del open_[number]
    return _explain(there, sorted(intact), open_, odd, liberties)


def _explain(
    there: Mapping[int, bytes],
    intact: Sequence[int],
    open_: dict[int, bytes],
    odd: Sequence[bytes],
    liberties: Collection[Liberty],
) -> Comparison:
    """Say of what came besides which message it was meant to be."""
    duplicated: list[int] = []
    altered: list[int] = []
    surplus = 0
    differences: list[str] = []
    for data in odd:
        again = next((n for n in intact if _same(there[n], data, liberties)), None)
        if again is not None:
            duplicated.append(again)
        elif open_:
            number = _most_alike(open_, data)
            altered.append(number)
            differences.append(f"message {number} {_difference(open_.pop(number), data)}")
        else:
            surplus += 1
            differences.append(f"something came that is no message: {_shown(data, 0)}")
    return Comparison(
        intact=tuple(intact),
        altered=tuple(sorted(altered)),
        missing=tuple(open_),
        duplicated=tuple(sorted(duplicated)),
        surplus=surplus,
        differences=tuple(differences),
    )


def _plain(data: bytes, liberties: Collection[Liberty]) -> bytes:
    if Liberty.LINE_ENDS in liberties:
        data = _LINE_END.sub(b"\n", data)
    if Liberty.FROM_LINE in liberties and (match := _FROM_LINE.match(data)):
        data = data[match.end() :]
    if Liberty.BLANK_END in liberties:
        data = data.rstrip(b"\r\n")
    return data


def _same(wanted: bytes, came: bytes, liberties: Collection[Liberty]) -> bool:
    if came == wanted:
        return True
    if Liberty.FIELDS not in liberties or not came.endswith(wanted):
        return False
    return _FIELDS.fullmatch(came[: len(came) - len(wanted)]) is not None


def _most_alike(wanted: Mapping[int, bytes], came: bytes) -> int:
    return max(wanted, key=lambda number: _likeness(wanted[number], came))


def _likeness(one: bytes, other: bytes) -> int:
    """Octets that both have at their beginning and at their end."""
    return _shared(one, other) + _shared(one[::-1], other[::-1])


def _shared(one: bytes, other: bytes) -> int:
    """Octets that both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _difference(wanted: bytes, came: bytes) -> str:
    at = _shared(wanted, came)
    if at == len(came):
        return f"is cut short: {at} of {len(wanted)} octets"
    if at == len(wanted):
        return f"has {len(came) - at} octets too many at its end: {_shown(came, at)}"
    return f"differs from octet {at + 1} on: expected {_shown(wanted, at)}, got {_shown(came, at)}"


def _shown(data: bytes, at: int) -> str:
    more = "…" if len(data) > at + _SHOWN else ""
    return f"{data[at : at + _SHOWN]!r}{more}"
