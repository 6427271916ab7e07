"""The holes of a line: their types, and how far what begins at a place may reach."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The type of a hole, as the pattern of what may stand in it.
HOLE_TYPES: dict[str, str] = {
    "int": r"[0-9]++",  # all digits that are there, so that another hole can stand behind it
    "word": r"[^ ]+",
    "text": r".*",
    "msgid": r"<[^<>@ ]+@[^<>@ ]+>",
    "uid": r"[\x21-\x7e]{1,70}",
    "base64": r"[A-Za-z0-9+/]*={0,2}",
}

#: The types in words.
HOLE_MEANINGS = {
    "int": "a number",
    "word": "anything without spaces, at least one character",
    "text": "anything to the end of the line, also nothing",
    "msgid": "a timestamp of RFC 1939, section 7: <…@…>",
    "uid": "a unique-id: 1 to 70 characters from ! to ~",
    "base64": "base64, also none",
}

#: Holes that have a type by their name, so that it need not be written.
_TYPE_BY_NAME = {
    "n": "int",
    "number": "int",
    "count": "int",
    "marked": "int",
    "octets": "int",
    "last": "int",
    "lines": "int",
    "password": "text",
    "text": "text",
    "argument": "text",
    "stamp": "msgid",
    "uid": "uid",
}

_PATTERNS = {name: re.compile(pattern, re.DOTALL) for name, pattern in HOLE_TYPES.items()}

#: Characters such that of a run of them all that begins inside ends at the same place.
_RUNS = {
    "int": re.compile(r"[0-9]+"),
    "word": re.compile(r"[^ ]+"),
    "base64": re.compile(r"[A-Za-z0-9+/]+"),
}

#: Characters that a hole holds at least; what is of another type ends at one place only.
_LEAST = {"word": 1, "text": 0, "uid": 1, "base64": 0}


@dataclass(frozen=True, slots=True)
class Hole:
    """A typed hole in a line; ``example`` is what the mock sends if nothing else is known."""

    name: str
    type: str
    example: str | None = None

    @property
    def spaceless(self) -> bool:
        """Whether it holds no space, so that one behind it tells where it ends."""
        return self.type != "text"

    @property
    def certain(self) -> bool:
        """Whether it tells itself where it ends."""
        return self.type not in _LEAST

    def longest(self, line: str, start: int) -> int | None:
        """Where the longest that it may hold ends, of what begins at a place; None if nothing.

        Args:
            line: The line.
            start: The place.
        """
        found = _PATTERNS[self.type].match(line, start)
        return None if found is None else found.end()

    def holds(self, text: str) -> bool:
        """Whether a text is of its type.

        Args:
            text: All that stands in it.
        """
        return _PATTERNS[self.type].fullmatch(text) is not None

    def least(self, start: int, longest: int) -> int:
        """Where the shortest that it may hold ends.

        Args:
            start: Where it begins.
            longest: Where the longest ends.
        """
        return start + _LEAST[self.type] if self.type in _LEAST else longest

    def reaches(self, line: str) -> list[int | None]:
        """For each place of a line what :meth:`longest` gives, in time that grows as the line.

        Args:
            line: The line.
        """
        reaches: list[int | None] = []
        runs = _RUNS.get(self.type)
        while len(reaches) <= len(line):
            start = len(reaches)
            run = runs.match(line, start) if runs is not None else None
            reaches += [self.longest(line, start)] * (1 if run is None else run.end() - start)
        return reaches


def type_by_name(name: str) -> str:
    """The type of a hole that says none."""
    return _TYPE_BY_NAME.get(name, "word")
