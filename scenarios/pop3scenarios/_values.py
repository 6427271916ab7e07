"""Small values of the scenario language that have a notation of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

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


def parse_nth(value: object) -> Nth:
    """An :class:`Nth` from its notation.

    Raises:
        ValueError: The notation is wrong.
    """
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ValueError("an empty list counts nothing: write 2, 2.., 2..4 or [1, 3]")
    return Nth(tuple(_parse_range(item) for item in items))


def _parse_range(value: object) -> tuple[int, int | None]:
    if not isinstance(value, str | int):
        raise ValueError("expected occurrences: write 2, 2.., 2..4 or [1, 3]")
    text = str(value)
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[3]):
        raise ValueError(f"{text!r} counts nothing: write 2, 2.., 2..4 or [1, 3]")
    low = int(found[1] or 1)
    high = (int(found[3]) if found[3] else None) if found[2] else low
    if low < 1 or (high is not None and high < low):
        raise ValueError(f"{text!r} counts nothing: occurrences count from 1 upwards")
    return low, high


@dataclass(frozen=True, slots=True)
class Announced:
    """What the server says instead of the true number of octets.

    ``omitted``; ``+37`` or ``-5`` more or fewer; ``200%`` of it; ``=…`` or any other text: that
    text itself.
    """

    kind: Literal["omitted", "add", "percent", "text"]
    amount: int = 0
    text: str = ""

    def of(self, octets: int) -> str:
        """The text to announce for a true number of octets; empty if none is announced."""
        match self.kind:
            case "omitted":
                return ""
            case "add":
                return str(octets + self.amount)
            case "percent":
                return str(octets * self.amount // 100)
            case "text":
                return self.text


def parse_announced(text: str) -> Announced:
    """An :class:`Announced` from its notation."""
    if text == "omitted":
        return Announced("omitted")
    if re.fullmatch(r"[+-][0-9]{1,18}", text):
        return Announced("add", int(text))
    if re.fullmatch(r"[0-9]{1,18}%", text):
        return Announced("percent", int(text[:-1]))
    return Announced("text", text=text.removeprefix("="))
