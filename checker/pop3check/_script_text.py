"""Octets of a conversation as lines of the scenario language, with the holes that they get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3scenarios import Hole

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAMP = re.compile(r"<[^<>@ ]+@[^<>@ ]+>")
_NUMBER = re.compile(r"(?<![\w.])[0-9]{1,15}(?![\w.])")

#: A hole cannot hold these, as its example would end with them.
_ENDS_HOLE = frozenset("{}")


class Holes:
    """The holes of a conversation: the same for the same, whenever it comes again.

    A value that turns up under a name which holds another one gets a name of its own, since a hole
    once bound holds the same ever after.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def knows(self, what: str, value: str) -> bool:
        """Whether something already holds a value."""
        return (what, value) in self._names

    def hole(self, what: str, kind: str, value: str) -> str:
        """The hole for a value, which is its example where it comes first.

        Args:
            what: What it is: its name, unless that holds something else.
            kind: Its type.
            value: What came.
        """
        if _ENDS_HOLE & set(value) or not Hole("x", kind).holds(value):
            return escaped(value)
        known = self._names.get((what, value))
        if known is not None:
            return f"{{{known}}}"
        name = what
        again = 2
        while name in self._taken:
            name, again = f"{what}_{again}", again + 1
        self._names[what, value] = name
        self._taken.add(name)
        return f"{{{name}:{kind}={value}}}"

    def numbers(self, text: str, *named: str) -> str:
        """A text in which numbers are holes that are known already under one of some names."""

        def one(found: re.Match[str]) -> str:
            what = next((each for each in named if self.knows(each, found[0])), None)
            return found[0] if what is None else self.hole(what, "int", found[0])

        return _NUMBER.sub(one, escaped(text))

    def stamped(self, text: str, what: str) -> str:
        """A greeting in which the timestamp is a hole, of a name."""
        found = _STAMP.search(text)
        if found is None or _ENDS_HOLE & set(found[0]):
            return escaped(text)
        before, after = text[: found.start()], text[found.end() :]
        return escaped(before) + self.hole(what, "msgid", found[0]) + escaped(after)


def escaped(text: str) -> str:
    """Text as the language writes it literally."""
    return text.replace("{", "{{").replace("}", "}}")


def text_of(line: bytes) -> str | None:
    """A line, without its line end, as text that a file can hold; None if it cannot be one."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = text.isprintable() and not text.endswith(" ...") and text != "..."
    return text if plain and not re.fullmatch(r"<.*>", text) else None


def octets_line(octets: bytes) -> str:
    """Octets as the action that sends them."""
    shown = "".join(_shown(octet) for octet in octets)
    return f'<bytes "{shown}">'


def _shown(octet: int) -> str:
    if octet in b'"\\' or not 32 <= octet < 127:
        return {13: r"\r", 10: r"\n"}.get(octet, f"\\x{octet:02x}")
    return chr(octet)


def server_lines(octets: bytes) -> Iterator[str]:
    """What a server said, line by line, exactly.

    Args:
        octets: Whole lines, whatever their ends; and perhaps a part of one.
    """
    for line in re.split(rb"(?<=\n)", octets):
        if not line:
            continue
        text = text_of(line[:-2]) if line.endswith(b"\r\n") else None
        yield octets_line(line) if text is None else f"S: {escaped(text)}"
