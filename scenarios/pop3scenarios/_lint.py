"""What is wrong with rules and scripts although each of their fields is right by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._actions import MessageData
from ._errors import did_you_mean
from ._lines import Hole, Template
from ._script import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._errors import Problem
    from ._rule import Rule
    from ._script import Item, Script
    from ._yaml import Document, Path

#: What the mock server knows at any time, so that a reply may name it without an example.
STATE_HOLES = {
    "user": "the user name that was given",
    "password": "the password of that user",
    "count": "how many messages there are, those marked as deleted left out",
    "marked": "how many messages are marked as deleted",
    "octets": "the size that is meant: of a message that was named, else of all",
    "number": "the message number that was named",
    "n": "the same",
    "uid": "the unique-id of that message",
    "last": "the highest message number that was fetched",
    "stamp": "APOP's timestamp of this connection",
    "host": "the address of the server",
    "argument": "all that stands behind the command",
    "text": "the text of the right answer",
    "command": "the command",
    "line": "the whole line of the client",
    "mechanism": "the SASL mechanism under way",
}

#: Those of them that hold a number.
NUMBER_HOLES = frozenset({"count", "marked", "number", "n", "last"})


def check_rules(
    rules: Sequence[Rule | None], prefix: Path, document: Document
) -> Iterator[Problem]:
    """Unreachable rules, and holes in answers that nothing fills.

    Args:
        rules: The rules of one fragment; None for one that is wrong by itself.
        prefix: Where the fragment stands in the document.
        document: The file.
    """
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        path = (*prefix, "rules", i)
        for j, earlier in enumerate(rules[:i]):
            if earlier is not None and earlier.covers(rule):
                line = document.line((*prefix, "rules", j))
                yield document.problem(
                    path,
                    f"unreachable rule: the rule on line {line} always answers first",
                    "put the narrower rule first, or give the wider one nth, state or arguments",
                )
                break
        yield from _check_holes(rule, path, document)


def check_script(script: Script, path: Path, document: Document) -> Iterator[Problem]:
    """Holes in what the server says that nothing fills.

    Args:
        script: The conversation.
        path: Where it stands in the document.
        document: The file.
    """
    lines = script.source.split("\n")
    bound = [Hole(name, "int") for name in NUMBER_HOLES]
    bound += [Hole(name, "word") for name in STATE_HOLES.keys() - NUMBER_HOLES]
    for step in script.steps:
        bound += step.expect.holes if step.expect is not None else ()
        for item, row in zip(step.reply.items, step.rows, strict=True):
            for hole in _unfilled(item, bound):
                offset = (row, max(_column(hole, lines[row]), 0))
                yield _unbound(hole, bound, document, path, offset)
            bound += item.holes if isinstance(item, Template) else ()


def _check_holes(rule: Rule, path: Path, document: Document) -> Iterator[Problem]:
    bound = [Hole(name, "int") for name in NUMBER_HOLES]
    bound += [Hole(name, "word") for name in STATE_HOLES.keys() - NUMBER_HOLES]
    bound += [hole for pattern in rule.when for hole in pattern.holes]
    for key in ("text", "error", "entry", "reply"):
        value = getattr(rule, key)
        items = value.items if isinstance(value, Reply) else [value]
        source = value.source if value is not None else ""
        for row, (item, line) in enumerate(zip(items, source.split("\n"), strict=False)):
            for hole in _unfilled(item, bound):
                offset = (row, max(_column(hole, line), 0))
                yield _unbound(hole, bound, document, (*path, key), offset)
            bound += item.holes if isinstance(item, Template) else ()


def _unfilled(item: Item | None, bound: Iterable[Hole]) -> list[Hole]:
    """The holes of an item that have neither an example nor a value from elsewhere."""
    if isinstance(item, MessageData) and isinstance(item.number, str):
        numbers = {hole.name for hole in bound if hole.type == "int"}
        return [] if item.number in numbers else [Hole(item.number, "int")]
    names = {hole.name for hole in bound}
    holes = item.holes if isinstance(item, Template) else ()
    return [hole for hole in holes if hole.example is None and hole.name not in names]


def _column(hole: Hole, line: str) -> int:
    """Where a hole stands in a line; -1 if it does not."""
    found = re.search(rf"(?<!\{{)(?:\{{\{{)*(\{{{hole.name}[:=}}])", line)
    return found.start(1) if found else -1


def _unbound(
    hole: Hole, bound: Iterable[Hole], document: Document, path: Path, offset: tuple[int, int]
) -> Problem:
    names = {other.name for other in bound}
    if hole.name in names:
        return document.problem(
            path,
            f"bad hole {{{hole.name}}}: a number is needed, and it may hold anything",
            f"bind it as {{{hole.name}:int}}",
            offset=offset,
        )
    return document.problem(
        path,
        f"bad hole {{{hole.name}}}: nothing binds it and it has no example",
        did_you_mean(hole.name, names) or f"write {{{hole.name}:{hole.type}=…}}",
        offset=offset,
    )
