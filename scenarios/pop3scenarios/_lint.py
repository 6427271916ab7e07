"""What is wrong with rules and scripts although each of their fields is right by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._actions import MessageData
from ._consequence import idle
from ._errors import did_you_mean
from ._holes import Hole
from ._lines import Template
from ._occasions import AUTHORIZATION, occasion
from ._reach import Reach
from ._rule import NARROWING, includes
from ._script import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._errors import Problem
    from ._model import ExpectSection
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

#: The keys of a rule that may have holes which the server fills.
_LINES = ("text", "error", "entry", "reply")

#: What the server knows at any time, as holes.
_NUMBERS = tuple(Hole(name, "int") for name in sorted(NUMBER_HOLES))
_WORDS = tuple(Hole(name, "word") for name in sorted(STATE_HOLES.keys() - NUMBER_HOLES))
_STATE = (*_NUMBERS, *_WORDS)
#: Those that are known before anybody has logged in: there are no messages.
_EARLY = tuple(hole for hole in _STATE if hole.name != "uid")


def check_rules(
    rules: Sequence[Rule | None], prefix: Path, document: Document
) -> Iterator[Problem]:
    """Rules that never answer, changes without effect, holes in answers that nothing fills.

    Args:
        rules: The rules of one fragment; None for one that is wrong by itself.
        prefix: Where the fragment stands in the document.
        document: The file.
    """
    reach = Reach()
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        path = (*prefix, "rules", i)
        yield from _check_holes(rule, path, document)
        if reach.never(rule):
            yield _impossible(rule, reach, path, document)
            continue
        yield from _check_reach(rule, reach, path, document)
        reach.add(rule, i)
        for key, why in idle(rule):
            yield document.problem((*path, key), f"{key!r} has no effect: {why}", "leave it out")


def _impossible(rule: Rule, reach: Reach, path: Path, document: Document) -> Problem:
    guilty = [key for key in _selected(rule) if not reach.never(_without(rule, key))]
    hint = f"leave out {' or '.join(guilty)}" if guilty else "look at what it selects"
    message = "this can never match: what it selects does not happen together"
    return document.problem(path, message, hint)


def _check_reach(rule: Rule, reach: Reach, path: Path, document: Document) -> Iterator[Problem]:
    places = reach.before(rule)
    if places:
        lines = [str(document.line((*path[:-1], place))) for place in places]
        message = f"the rule on line {lines[0]} always answers first"
        if len(lines) > 1:
            message = f"the rules on lines {', '.join(lines)} together always answer first"
        yield document.problem(
            path,
            f"unreachable rule: {message}",
            "put the narrower rule first, or give the wider one nth, state or arguments",
        )


def _selected(rule: Rule) -> list[str]:
    return sorted(rule.model_fields_set & (NARROWING | {"nth"}))


def _without(rule: Rule, key: str) -> Rule:
    return rule.model_copy(update={key: None})


def check_expect(expect: ExpectSection, prefix: Path, document: Document) -> Iterator[Problem]:
    """What a client must do and must not do at once.

    Args:
        expect: What is expected of it.
        prefix: Where that stands in the document.
        document: The file.
    """
    for i, pattern in enumerate(expect.always):
        for other in expect.never:
            if includes(other, pattern):
                message = f"{pattern.source!r} must come, and {other.source!r} must never come"
                yield document.problem((*prefix, "always", i), message, "leave one of them out")
    for command, count in expect.counts.items():
        keyword = command.upper()
        never = any(each.source.upper() in (keyword, "*") for each in expect.never)
        always = any(each.keyword == keyword for each in expect.always)
        if never and 0 not in count:
            message = f"{command!r} must come, and must never come"
            yield document.problem((*prefix, "counts", command), message, "leave one of them out")
        if always and count.ranges == ((0, 0),):
            message = f"{command!r} must not come, and must come"
            yield document.problem((*prefix, "counts", command), message, "leave one of them out")


def check_greeting(greeting: Template, path: Path, document: Document) -> Iterator[Problem]:
    """Holes of a greeting that nothing fills.

    Args:
        greeting: The text behind ``+OK``.
        path: Where it stands in the document.
        document: The file.
    """
    bound = [Hole("stamp", "msgid")]
    for hole in _unfilled(greeting, bound):
        offset = (0, max(_column(hole, greeting.source), 0))
        yield _unbound(hole, bound, document, path, offset)


def check_script(script: Script, path: Path, document: Document) -> Iterator[Problem]:
    """Holes in what the server says that nothing fills.

    Args:
        script: The conversation.
        path: Where it stands in the document.
        document: The file.
    """
    lines = script.source.split("\n")
    bound = list(_STATE)
    for step in script.steps:
        bound += step.expect.holes if step.expect is not None else ()
        for item, row in zip(step.reply.items, step.rows, strict=True):
            for hole in _unfilled(item, bound):
                offset = (row, max(_column(hole, lines[row]), 0))
                yield _unbound(hole, bound, document, path, offset)
            bound += item.holes if isinstance(item, Template) else ()


def _check_holes(rule: Rule, path: Path, document: Document) -> Iterator[Problem]:
    lines = {key: value for key in _LINES if (value := getattr(rule, key)) is not None}
    if not lines:
        return
    bound = [*_known(rule), *(hole for pattern in rule.when for hole in pattern.holes)]
    for key, value in lines.items():
        items = value.items if isinstance(value, Reply) else [value]
        for row, (item, line) in enumerate(zip(items, value.source.split("\n"), strict=False)):
            for hole in _unfilled(item, bound):
                offset = (row, max(_column(hole, line), 0))
                yield _unbound(hole, bound, document, (*path, key), offset)
            bound += item.holes if isinstance(item, Template) else ()


def _known(rule: Rule) -> tuple[Hole, ...]:
    """What the server knows when it answers a command."""
    rows = (occasion(pattern.keyword) for pattern in rule.when)
    early = rule.state == AUTHORIZATION or all(row.states == {AUTHORIZATION} for row in rows)
    return _EARLY if early else _STATE


def _unfilled(item: Item | None, bound: Iterable[Hole]) -> list[Hole]:
    """The holes of an item that have neither an example nor a value from elsewhere."""
    if isinstance(item, MessageData) and isinstance(item.number, str):
        numbers = {hole.name for hole in bound if hole.type == "int"}
        return [] if item.number in numbers else [Hole(item.number, "int")]
    holes = item.holes if isinstance(item, Template) else ()
    if not holes:
        return []
    names = {hole.name for hole in bound}
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
