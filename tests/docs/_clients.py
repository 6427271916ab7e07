"""The page that shows how real clients get through the scenarios, made of results that are kept.

``python -m tests.peers`` makes the results anew, and the page.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pop3kit._mark import Mark, word_of
from pop3kit._results import Exercise, read, scenarios_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pop3kit._results import Result

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "clients.md"
FOLDER = DOCS / "clients"

_HEAD = Path(__file__).with_name("clients-head.md")

#: Results of which the page tells why they are so.
_TOLD = (Mark.MISHANDLED, Mark.REFUSED)


def published(exercise: Exercise) -> Exercise:
    """What is kept of a result: nothing that differs from run to run.

    Args:
        exercise: The result.
    """
    kept = [
        result.model_copy(update={"transcript": "", "words": "", "seconds": None})
        for result in exercise.results
    ]
    return exercise.model_copy(update={"results": tuple(kept)})


def exercises() -> list[Exercise]:
    """The results that are kept, one for each client."""
    return [read(path) for path in sorted(FOLDER.glob("*.json"))]


def page() -> str:
    """The page, in Markdown."""
    found = exercises()
    lines = [_HEAD.read_text(encoding="utf-8"), *_clients(found), *_matrix(found)]
    for each in found:
        lines += _told(each)
    return "\n".join(lines).rstrip("\n") + "\n"


def _clients(found: Sequence[Exercise]) -> Iterator[str]:
    yield "## The clients\n"
    yield from _table(
        ("client", "version", "run on", *(f"{mark.sign} {mark.word}" for mark in Mark)),
        (
            (f"[{each.client}](clients/{each.client}.json)", each.version, str(each.began.date()),
             *(str(sum(Mark.of(result) is mark for result in each.results)) for mark in Mark))
            for each in found
        ),
    )  # fmt: skip
    yield "Their command lines; what they may do to messages stands in front.\n"
    yield "```text"
    for each in found:
        yield f"{each.client}: {', '.join(each.allowed) or 'nothing'}"
        yield f"    {shlex.join(each.command)}"
    yield "```\n"


def _matrix(found: Sequence[Exercise]) -> Iterator[str]:
    yield "## The matrix\n"
    rows = ((f"`{name}`", *map(_cell, results)) for name, results in scenarios_of(found).items())
    yield from _table(("scenario", *(each.client for each in found)), rows)


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    mark = Mark.of(result)
    if mark is Mark.MISHANDLED:
        return f"**{mark.sign} {word_of(result)}**"
    return mark.sign if mark in (Mark.SURVIVED, Mark.RIGHTLY) else f"{mark.sign} {mark.word}"


def _told(exercise: Exercise) -> Iterator[str]:
    yield f"## What {exercise.client} found hard\n"
    results = [result for result in exercise.results if Mark.of(result) in _TOLD]
    results.sort(key=lambda result: _TOLD.index(Mark.of(result)))
    rows = (
        (f"`{each.scenario}`", word_of(each), _prose("; ".join(each.reasons)), _prose(each.summary))
        for each in results
    )
    yield from _table(("scenario", "result", "why", "what the server does"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _prose(text: str) -> str:
    """Text of which Markdown must not take any for its own."""
    for char in "\\`*_{}[]|":
        text = text.replace(char, f"\\{char}")
    return " ".join(text.replace("<", "&lt;").replace(">", "&gt;").split())
