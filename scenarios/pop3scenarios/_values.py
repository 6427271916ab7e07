"""Small values of the scenario language that have a notation of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = re.compile(r"([0-9]{1,9})?(?:(\.\.)([0-9]{1,9})?)?")


@dataclass(frozen=True, slots=True)
class Nth:
    """Which occurrences are meant: ``2``, ``2..``, ``..3``, ``2..4``, ``[1, 3]``; from 1.

    Attributes:
        ranges: First and last of each range; a last of None means for ever.
    """

    ranges: tuple[tuple[int, int | None], ...]

    def __contains__(self, count: int) -> bool:
        return any(low <= count and (high is None or count <= high) for low, high in self.ranges)

    def within(self, other: Nth) -> bool:
        """Whether every occurrence meant here is also meant by ``other``."""
        return all(
            any(
                low >= first and (last is None or (high is not None and high <= last))
                for first, last in other.ranges
            )
            for low, high in self.ranges
        )

    def joined(self, other: Nth) -> Nth:
        """The occurrences meant here or by ``other``, in as few ranges as will do."""
        joined: list[tuple[int, int | None]] = []
        for low, high in sorted((*self.ranges, *other.ranges), key=lambda each: each[0]):
            last = joined[-1][1] if joined else 0
            if not joined or (last is not None and low > last + 1):
                joined.append((low, high))
            elif last is not None:
                joined[-1] = (joined[-1][0], None if high is None else max(high, last))
        return Nth(tuple(joined))


def parse_nth(value: object) -> Nth:
    """Which occurrences are meant, from their notation; the first is 1.

    Raises:
        ValueError: The notation is wrong.
    """
    return _parse_ranges(value, 1)


def parse_number(value: object) -> Nth:
    """How many are meant, from the same notation; none at all is 0.

    Raises:
        ValueError: The notation is wrong.
    """
    return _parse_ranges(value, 0)


def _parse_ranges(value: object, first: int) -> Nth:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ValueError("an empty list counts nothing: write 2, 2.., 2..4 or [1, 3]")
    return Nth(tuple(_parse_range(item, first) for item in items))


def _parse_range(value: object, first: int) -> tuple[int, int | None]:
    if not isinstance(value, str | int):
        raise ValueError("expected occurrences: write 2, 2.., 2..4 or [1, 3]")
    text = str(value)
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[3]):
        raise ValueError(f"{text!r} counts nothing: write 2, 2.., 2..4 or [1, 3]")
    low = int(found[1] or first)
    high = (int(found[3]) if found[3] else None) if found[2] else low
    if low < first or (high is not None and high < low):
        raise ValueError(f"{text!r} counts nothing: occurrences count from {first} upwards")
    return low, high


#: What looks as if it were to be calculated.
_MISTAKEN = re.compile(r"rounded\b.*|[^=]*%|%", re.DOTALL)

#: What an announcement can be in one word.
_Word = Literal["omitted", "lf", "crcrlf", "lf-lines", "stored", "unended", "body"]
_WORDS: tuple[_Word, ...] = get_args(_Word)


@dataclass(frozen=True, slots=True)
class Announced:
    """What the server says instead of the true number of octets.

    ``omitted``; ``+37`` or ``-5`` more or fewer; ``200%`` of it; ``rounded 1024`` up to a multiple;
    ``lf``, ``crcrlf``, ``lf-lines``, ``stored``, ``unended`` or ``body`` to count otherwise; ``=…``
    or any other text: that text itself.
    """

    kind: Literal[_Word, "add", "percent", "rounded", "text"]
    amount: int = 0
    text: str = ""

    def of(self, octets: int, counted: Callable[[str], int] | None = None) -> str:
        """The text to announce; empty if nothing is announced.

        Args:
            octets: The true number of octets.
            counted: Gives what is counted otherwise: ``lf``, one octet a line end;
                ``crcrlf``, three; ``lf-lines``, one more for each LF that is stored; ``stored``;
                ``unended``, without a last line end that is not stored; ``body``, -1 if there is
                none.
        """
        match self.kind:
            case "omitted":
                return ""
            case "add":
                return str(octets + self.amount)
            case "percent":
                return str(octets * self.amount // 100)
            case "rounded":
                return str(-(-octets // self.amount) * self.amount)
            case "lf" | "crcrlf" | "lf-lines" | "stored" | "unended" | "body":
                return str(octets if counted is None else counted(self.kind))
            case "text":
                return self.text


def parse_announced(text: str) -> Announced:
    """An :class:`Announced` from its notation.

    Raises:
        ValueError: It looks like a calculation, and is none.
    """
    for word in _WORDS:
        if text == word:
            return Announced(word)
    if re.fullmatch(r"[+-][0-9]{1,18}", text):
        return Announced("add", int(text))
    if re.fullmatch(r"[0-9]{1,18}%", text):
        return Announced("percent", int(text[:-1]))
    if re.fullmatch(r"rounded [1-9][0-9]{0,17}", text):
        return Announced("rounded", int(text.removeprefix("rounded ")))
    if _MISTAKEN.fullmatch(text):
        raise ValueError(f"{text!r} is no size: write +37, 200%, rounded 1024, or ={text} for text")
    return Announced("text", text=text.removeprefix("="))
