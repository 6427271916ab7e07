"""Results of exercises as a page: a row for each scenario, a column for each client."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ._grid import Cell, Column, Grid, Outcome, Row, grid_page
from ._mark import Mark, word_of
from ._results import Verdict, scenarios_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._results import Exercise, Result

_INTRO = (
    "How clients get through servers as they are, with their quirks and faults. A client survives "
    "if it hands over all mail unaltered and keeps to what the scenario expects. It refuses if it "
    "ends with an error, and has lost nothing and told no secret; rightly, where no client can get "
    "all mail. Anything else is mishandled."
)

_OUTCOMES = {mark: Outcome(mark.name.lower(), mark.sign, mark.word, mark.tone) for mark in Mark}


def matrix_page(exercises: Sequence[Exercise]) -> str:
    """The page.

    Args:
        exercises: One for each client.
    """
    return grid_page(
        Grid(
            title="POP3 clients in all scenarios",
            intro=_INTRO,
            facts=[(each.client, _told(each)) for each in exercises],
            corner="scenario",
            columns=[Column(each.client, each.version) for each in exercises],
            rows=list(_rows(exercises)),
            outcomes=list(_OUTCOMES.values()),
        )
    )


def _told(exercise: Exercise) -> str:
    began = exercise.began.strftime("%Y-%m-%d")
    return f"{exercise.version or 'version unknown'}, {began}: {shlex.join(exercise.command)}"


def _rows(exercises: Sequence[Exercise]) -> Iterator[Row]:
    for name, results in scenarios_of(exercises).items():
        summary = next(result.summary for result in results if result)
        yield Row(name, summary, [_cell(result) if result else None for result in results])


def _cell(result: Result) -> Cell:
    return Cell(
        _OUTCOMES[Mark.of(result)],
        word_of(result),
        [(name, text) for name, text in _facts(result) if text],
        [(name, text) for name, text in _texts(result) if text],
    )


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    yield from (("why", reason) for reason in result.reasons)
    yield "the server", result.summary
    yield "expected", _expected(result)
    yield "connection", {"none": "in the clear"}.get(result.tls, result.tls)
    if result.verdict is not Verdict.SKIPPED:
        yield "ended with", _end(result)
        yield "messages", _messages(result)


def _expected(result: Result) -> str:
    if result.best is Verdict.SURVIVED:
        return "all mail, as far as the server gives it"
    return "an error, since no client can get all mail"


def _end(result: Result) -> str:
    how = result.signal or (f"status {result.status}" if result.status is not None else "killed")
    return how if result.seconds is None else f"{how}, after {result.seconds:.2f} s"


def _messages(result: Result) -> str:
    messages = result.messages
    if messages is None:
        return "what came of them nobody can know"
    counts = messages.model_dump()
    return ", ".join(f"{counts[name]} {name}" for name in counts if counts[name] or name == "total")


def _texts(result: Result) -> Iterator[tuple[str, str]]:
    yield "What the client said", result.words
    yield "The conversation", result.transcript
