"""What a conversation holds that no client and server would say to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._actions import Default, End, Octets, StartTLS
from ._holes import type_by_name
from ._lines import Template
from ._occasions import COMMANDS, TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._script import Script, Step

_STATUS = frozenset({"+OK", "-ERR", "+"})
_LOGIN = frozenset({"PASS", "APOP", "AUTH"})

#: Commands of which the answer has a terminator, and with how many arguments.
_MULTI_LINE = {"CAPA": 0, "LIST": 0, "UIDL": 0, "RETR": 1, "TOP": 2}


def oddities(script: Script, *, logged_in: bool = False) -> Iterator[tuple[int, str, str]]:
    """What is odd in a conversation.

    Args:
        script: The conversation.
        logged_in: Whether it begins after the login.

    Yields:
        The line of the script, from 0, what it is, and what to write instead.
    """
    yield from _types(script)
    for name in script.connections:
        steps = [step for step in script.steps if step.connection == name]
        if name and steps[0].expect is not None:
            yield steps[0].row, f"[{name}] begins without a greeting", f"begin with [{name}] S: +OK"
        yield from _connection(steps, logged_in=logged_in)


def _connection(steps: list[Step], *, logged_in: bool) -> Iterator[tuple[int, str, str]]:
    for step in steps:
        first = _first(step)
        keyword = "" if step.expect is None else step.expect.keyword
        if isinstance(first, Template) and not _has_status(first):
            yield (
                step.rows[0],
                "the answer begins without +OK, -ERR or +",
                "put the status in front",
            )
            continue
        accepted = isinstance(first, Template) and first.keyword == "+OK"
        if not accepted and not isinstance(first, Default):
            continue
        row = COMMANDS.get(keyword)
        # What is no command is a SASL response, or private, and may log in.
        if keyword in _LOGIN or (step.expect is not None and row is None):
            logged_in = True
        elif accepted and row is not None and row.states == {TRANSACTION} and not logged_in:
            yield (
                step.row,
                f"{keyword} is answered +OK before anybody has logged in",
                "log in first",
            )
        if accepted and _lacks_end(step):
            yield step.rows[-1], f"the answer to {keyword} has no end", "end it with S: ."


def _first(step: Step) -> object:
    spoken = (item for item in step.reply.items if isinstance(item, Template | Octets | Default))
    return next(spoken, None)


def _has_status(line: Template) -> bool:
    # A line that begins with a hole may begin with anything.
    return line.keyword in _STATUS or not line.keyword or line.source == "..."


def _lacks_end(step: Step) -> bool:
    """Whether a multi-line answer that is all written out has no terminator."""
    expect = step.expect
    if expect is None or expect.open_ended or expect.keyword not in _MULTI_LINE:
        return False
    if expect.fill(lambda _: "x").count(" ") != _MULTI_LINE[expect.keyword]:
        return False
    items = step.reply.items
    if any(isinstance(item, Default | Octets | End | StartTLS) for item in items):
        return False
    return not any(isinstance(item, Template) and item.source in (".", "...") for item in items)


def _types(script: Script) -> Iterator[tuple[int, str, str]]:
    """Holes that have another type where they come again."""
    known: dict[str, str] = {}
    for step in script.steps:
        lines = [(step.row, step.expect), *zip(step.rows, step.reply.items, strict=True)]
        for row, line in lines:
            for hole in line.holes if isinstance(line, Template) else ():
                if hole.type == "word" == type_by_name(hole.name):
                    continue  # it may say no type at all
                first = known.setdefault(hole.name, hole.type)
                if first != hole.type:
                    message = f"{{{hole.name}}} is {hole.type} here, and was {first} before"
                    yield row, message, "a hole has one type all through: write it once"
