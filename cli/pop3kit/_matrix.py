"""Results of exercises on a console: line by line as they come, or clients side by side."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ._failures import printable
from ._mark import Mark, word_of
from ._results import Verdict, scenarios_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._results import Exercise, Result

#: Columns of the longest scenario names.
_NAME = 32

#: Columns of the longest word for a result that is not mishandled in many ways.
_WORD = 17

_STYLES = {"good": "green", "fair": "yellow", "bad": "bold red", "none": "dim"}


def watch(results: Iterable[Result], total: int) -> Iterator[Result]:
    """Print a line for each result as it comes.

    Args:
        results: The results.
        total: How many there will be.

    Yields:
        The same results.
    """
    console = Console(soft_wrap=True)
    width = len(str(total))
    for number, result in enumerate(results, 1):
        text = Text(f"{number:{width}}/{total} ")
        text.append(f"{_sign(result, console)} {word_of(result):{_WORD}}", _style(result))
        text.append(f" {result.scenario:{_NAME}} {_told(result)}")
        console.print(text)
        yield result


def _told(result: Result) -> str:
    seconds = "" if result.seconds is None else f"{result.seconds:5.2f} s  "
    return printable(f"{seconds}{result.reasons[0]}")


def _sign(result: Result, console: Console) -> str:
    mark = Mark.of(result)
    return mark.sign if console.encoding.startswith("utf") else mark.plain


def _style(result: Result) -> str:
    return _STYLES[Mark.of(result).tone]


def show(exercises: Sequence[Exercise]) -> None:
    """Print a table: a row for each scenario, a column for each client.

    Args:
        exercises: One for each client.
    """
    console = Console()
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    grid.add_column("scenario", overflow="fold")
    for each in exercises:
        grid.add_column(Text(printable(each.client)), overflow="fold")
    for name, results in scenarios_of(exercises).items():
        grid.add_row(Text(printable(name)), *(_cell(result, console) for result in results))
    console.print(grid)


def _cell(result: Result | None, console: Console) -> Text:
    if result is None:
        return Text()
    # Colour only repeats what the sign says.
    return Text(f"{_sign(result, console)} {word_of(result)}", _style(result))


def explain(exercise: Exercise) -> None:
    """Print why each result is as it is that could be better.

    Args:
        exercise: The exercise.
    """
    for result in exercise.results:
        if Mark.of(result) in (Mark.REFUSED, Mark.MISHANDLED):
            click.echo(printable("\n".join(_explanation(result))))
    click.echo()


def doubt(client: str, result: Result) -> str:
    """The question whether the command is right, with what the client said.

    Args:
        client: What the client is called.
        result: What came of it where the server is a correct one.
    """
    lines = [
        f"{client}: it fails at `{result.scenario}` as well: is the command right?",
        *(f"  {reason}" for reason in result.reasons),
        *_said(result),
    ]
    return printable("\n".join(lines))


def _explanation(result: Result) -> Iterator[str]:
    """What was wrong, what the program said, and of what was mishandled the conversation."""
    yield f"\n{result.scenario} ({result.summary}): {word_of(result)}"
    yield from (f"  {reason}" for reason in result.reasons)
    yield from _said(result)
    if result.verdict is Verdict.MISHANDLED:
        yield from (f"    {line}" for line in result.transcript.splitlines())


def _said(result: Result) -> Iterator[str]:
    if result.words:
        yield "  it said:"
        yield from (f"    {line}" for line in result.words.splitlines())


def summary(exercise: Exercise) -> str:
    """How often there was which result, in a line.

    Args:
        exercise: The exercise.
    """
    counts = Counter(map(Mark.of, exercise.results))
    parts = [f"{counts[mark]} {mark.word}" for mark in Mark if counts[mark]]
    return printable(f"{exercise.client}: {'; '.join(parts) or 'nothing'}")
