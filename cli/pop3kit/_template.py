"""The command line of a program, with places for what differs from scenario to scenario."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pop3scenarios import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TLSMode = Literal["none", "stls", "implicit"]

#: What ``{name}`` can stand for.
NAMES = frozenset(
    {"host", "port", "user", "password", "tls", "scheme", "ca", "out", "home", "scenario"}
)

#: In which modes the text of ``{name:text}`` is there.
_CONDITIONS: dict[str, frozenset[TLSMode]] = {
    "none": frozenset({"none"}),
    "stls": frozenset({"stls"}),
    "implicit": frozenset({"implicit"}),
    "tls": frozenset({"stls", "implicit"}),
}

#: Braces that are meant, a place, or a text under a condition, in which there may be places.
_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)(?::((?:[^{}]|\{\w+\})*))?\}")


class TemplateError(ValueError):
    """A command line has a place for something that there is not."""


class Template:
    """A command line with places.

    ``{host}`` and the other :data:`NAMES` stand for their values; ``{stls:TEXT}`` for its text
    where STLS is used, and likewise ``{none:…}``, ``{implicit:…}``, and ``{tls:…}`` for either way
    to use TLS. A word that comes to nothing is left out. ``{{`` and ``}}`` are braces.

    Args:
        words: The program and its arguments.

    Attributes:
        words: The same.
        modes: The ways to connect that the command tells apart; without any hint in it, none but
            a connection in the clear.

    Raises:
        TemplateError: There is no such place; says which was meant.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._names: set[str] = set()
        modes: set[TLSMode] = {"none"}
        for match in (m for word in self.words for m in _PLACE.finditer(word) if m[1]):
            modes |= self._learn(match[0], match[1], match[2])
        self.modes = frozenset(modes)

    def _learn(self, place: str, name: str, text: str | None) -> frozenset[TLSMode]:
        """Check a place, and tell the ways to connect that it is a hint at."""
        if text is not None:
            if name not in _CONDITIONS:
                raise TemplateError(f"{place}: expected one of {_listed(_CONDITIONS)} before ':'")
            for inner in re.findall(r"\{(\w+)\}", text):
                self._learn(f"{{{inner}}}", inner, None)
            return _CONDITIONS[name]
        if name not in NAMES:
            hint = did_you_mean(name, NAMES) or f"there are {_listed(NAMES)}"
            raise TemplateError(f"{place}: {hint}; for braces write {{{{ and }}}}")
        self._names.add(name)
        hints: dict[str, frozenset[TLSMode]] = {
            "tls": _CONDITIONS["tls"],
            "scheme": _CONDITIONS["implicit"],
        }
        return hints.get(name, frozenset())

    def uses(self, name: str) -> bool:
        """Whether the command has a place for this.

        Args:
            name: One of :data:`NAMES`.
        """
        return name in self._names

    def fill(self, mode: TLSMode, values: Mapping[str, str]) -> list[str]:
        """The command for one scenario.

        Args:
            mode: How it is to connect.
            values: What stands in each place but ``tls`` and ``scheme``, which follow from it.
        """
        scheme = "pop3s" if mode == "implicit" else "pop3"
        known = {**values, "tls": mode, "scheme": scheme}
        filled = [(word, _filled(word, mode, known)) for word in self.words]
        return [text for word, text in filled if text or not word]


def _filled(word: str, mode: TLSMode, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, text = match[1], match[2]
        if name is None:
            return match[0][0]
        if text is None:
            return values[name]
        return _filled(text, mode, values) if mode in _CONDITIONS[name] else ""

    return _PLACE.sub(value, word)


def _listed(names: Sequence[str] | frozenset[str] | Mapping[str, object]) -> str:
    return ", ".join(sorted(names))
