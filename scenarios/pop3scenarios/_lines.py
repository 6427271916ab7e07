"""The line language: one line of conversation, with typed holes, as a template.

A template is written as the line goes over the wire. ``{name:type=example}`` is a hole, ``{{`` and
``}}`` are braces, a trailing `` ...`` stands for any text. The same template is filled in (to send)
and matched (to recognise), and a hole once bound must agree ever after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING

from ._errors import did_you_mean
from ._fit import fit
from ._holes import HOLE_TYPES, Hole, type_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOLE = re.compile(r"([a-z][a-z0-9_]*)(?::([a-z0-9]+))?(?:=(.*))?\Z", re.DOTALL)


class LineError(ValueError):
    """A line of the language is wrong.

    Attributes:
        row: Line inside the text, from 0.
        column: Column inside the line, from 0.
        suggestion: What to write instead.
    """

    def __init__(self, message: str, column: int = 0, suggestion: str = "", row: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column
        self.suggestion = suggestion


@dataclass(frozen=True)
class Template:
    """One line with holes.

    Attributes:
        source: The line as it was written.
        parts: Literal text and holes, in order.
        open_ended: The line ends in `` ...``: any text may follow.
    """

    source: str
    parts: tuple[str | Hole, ...]
    open_ended: bool = False

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        """The holes of the line, in order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @cached_property
    def keyword(self) -> str:
        """The first word, in upper case; empty if the line begins with a hole."""
        first = self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""
        return first.split(" ", 1)[0].upper()

    @cached_property
    def literal(self) -> bool:
        """Whether the line has neither holes nor an open end."""
        return not self.open_ended and not self.holes

    def fill(self, value_of: Callable[[Hole], str]) -> str:
        """The line with each hole replaced by ``value_of(hole)``; an open end adds nothing."""
        return "".join([value_of(part) if isinstance(part, Hole) else part for part in self.parts])

    def match(self, line: str, bindings: Mapping[str, str]) -> dict[str, str] | None:
        """What the holes hold if ``line`` has this form.

        Args:
            line: The line without its line end; its first word may be in any case.
            bindings: Holes that are bound already: they must hold the same again.

        Returns:
            The holes newly bound, or None if the line is another one.
        """
        if self.open_ended and not self.parts:
            return {}
        begins = self._beginning.match(line)
        if begins is None:
            return None
        rest = self.parts[1:] if begins.end() else self.parts
        return fit(rest, line, begins.end(), bindings, open_ended=self.open_ended)

    @cached_property
    def _beginning(self) -> re.Pattern[str]:
        """The text in front of the first hole."""
        text = self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""
        head, space, tail = text.partition(" ")
        # RFC 1939, section 3: keywords are case-insensitive, arguments are not.
        return re.compile(f"(?i:{re.escape(head)}){re.escape(space + tail)}")


def parse_line(text: str) -> Template:
    """Parse one line of the language.

    Args:
        text: The line without a ``C:`` or ``S:`` in front.

    Raises:
        LineError: A brace is not closed, a hole has a wrong name or an unknown type, or there is
            more than one line.
    """
    if "\n" in text:
        raise LineError(f"expected one line, got {text.count(chr(10)) + 1}")
    body, open_ended = text, False
    if text == "..." or text.endswith(" ..."):
        body, open_ended = text[:-4], True
    parts: list[str | Hole] = []
    literal = ""
    i = 0
    while i < len(body):
        two = body[i : i + 2]
        if two in ("{{", "}}"):
            literal += two[0]
            i += 2
        elif body[i] == "{":
            if literal:
                parts.append(literal)
                literal = ""
            hole, i = _parse_hole(body, i)
            parts.append(hole)
        elif body[i] == "}":
            raise LineError("'}' without '{'", i, "write '}}' for a brace")
        else:
            literal += body[i]
            i += 1
    if literal:
        parts.append(literal)
    return Template(text, tuple(parts), open_ended)


def _parse_hole(body: str, start: int) -> tuple[Hole, int]:
    end = body.find("}", start)
    if end < 0:
        raise LineError("'{' is never closed", start, "write '{{' for a brace")
    inside = body[start + 1 : end]
    found = _HOLE.match(inside)
    if found is None:
        raise LineError(
            f"bad hole {{{inside}}}: a hole is {{name}}, {{name:type}} or {{name:type=example}}",
            start,
        )
    name, kind, example = found.groups()
    kind = kind or type_by_name(name)
    if kind not in HOLE_TYPES:
        raise LineError(
            f"bad hole {{{inside}}}: there is no type {kind!r}",
            start,
            did_you_mean(kind, HOLE_TYPES) or f"types: {', '.join(HOLE_TYPES)}",
        )
    hole = Hole(name, kind, example)
    if example is not None and not hole.holds(example):
        raise LineError(
            f"bad hole {{{inside}}}: its example {example!r} is no {kind}",
            start,
        )
    return hole, end + 1


def difference(
    template: Template,
    line: str,
    bindings: Mapping[str, str],
    bound_on: Mapping[str, int] | None = None,
) -> str:
    """Say in words how ``line`` differs from what ``template`` expects.

    Args:
        template: The line that was expected.
        line: The line that came.
        bindings: The holes bound so far.
        bound_on: The line of the file on which each of them was bound, where that is known.

    Returns:
        For example ``"argument 1 is '3', not '2'"``; empty if the line matches after all.
    """
    if template.match(line, bindings) is not None:
        return ""
    known = dict(bindings)
    came = line.split(" ")
    words = _words(template)
    for i, (word, got) in enumerate(zip(words, came, strict=False)):
        if any(hole.type == "text" for hole in word.holes):
            return f"{' '.join(came[i:])!r} is not {_shown(word, known)!r}"
        found = word.match(got, known)
        if found is None:
            why = _disagreement(word, bindings, bound_on or {})
            return f"{_place(i, got)} is {got!r}, {_wanted(word, known)}{why}"
        known |= found
    more = " or more" if template.open_ended else ""
    return f"it has {_arguments(len(came) - 1)}, not {len(words) - 1}{more}"


def likeness(template: Template, line: str, bindings: Mapping[str, str]) -> float:
    """How near a line comes to a template, to find the one that was meant.

    Args:
        template: A line that could have come.
        line: The line that came.
        bindings: The holes bound so far.

    Returns:
        From 0 (nothing in common) to 1 (the line matches). The keyword weighs more than all
        arguments together: ``RETR 3`` is nearer to ``RETR 2`` than to ``DELE 3``.
    """
    if template.match(line, bindings) is not None:
        return 1.0
    (keyword, *arguments), (first, *came) = _words(template), line.split(" ")
    same = sum(
        word.match(got, bindings) is not None for word, got in zip(arguments, came, strict=False)
    )
    share = same / max(len(arguments), len(came), 1)
    wanted = keyword.fill(lambda hole: bindings.get(hole.name, ""))
    alike = SequenceMatcher(None, wanted.upper(), first.upper(), autojunk=False).ratio()
    return min(0.6 * alike**2 + 0.4 * share, 0.99)


def _words(template: Template) -> list[Template]:
    """The template cut at its spaces."""
    words: list[list[str | Hole]] = [[]]
    for part in template.parts:
        first, *others = part.split(" ") if isinstance(part, str) else [part]
        words[-1].append(first)
        words += [[other] for other in others]
    # Only the keyword is in any case: an empty first part takes that liberty from the others.
    return [Template("", tuple(["", *word] if i else word)) for i, word in enumerate(words)]


def _place(index: int, word: str) -> str:
    if index:
        return f"argument {index}"
    return "the status" if word[:1] in ("+", "-") else "the command"


def _wanted(word: Template, known: Mapping[str, str]) -> str:
    parts = [part for part in word.parts if part]
    if len(parts) == 1 and isinstance(parts[0], Hole) and parts[0].name not in known:
        return f"which is no {parts[0].type}"
    return f"not {_shown(word, known)!r}"


def _disagreement(word: Template, bindings: Mapping[str, str], bound_on: Mapping[str, int]) -> str:
    """Where the holes of a word got what they hold."""
    notes = (
        f"{{{hole.name}}} was bound to {bindings[hole.name]!r} on line {bound_on[hole.name]}"
        for hole in word.holes
        if hole.name in bindings and hole.name in bound_on
    )
    return "".join(f" ({note})" for note in notes)


def _shown(word: Template, known: Mapping[str, str]) -> str:
    return word.fill(lambda hole: known.get(hole.name, f"{{{hole.name}:{hole.type}}}"))


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"
