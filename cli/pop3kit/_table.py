"""How outcomes of trials are shown: as a table on a terminal, line by line in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ._failures import printable
from ._trial import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._trial import Outcome

#: Columns of a terminal from which on everything stands side by side.
_WIDE = 108

#: Columns of the longest scenario names.
_NAME = 24


class _Signs(NamedTuple):
    """The signs that a terminal can show."""

    right: str
    wrong: str
    arrow: str


_UNICODE = _Signs("✓", "✗", "→")
_ASCII = _Signs(" ", "!", "->")


def show_lines(outcomes: Iterable[Outcome], total: int) -> list[Outcome]:
    """Print a line for each outcome, as they come.

    Args:
        outcomes: The outcomes.
        total: How many there will be.

    Returns:
        The outcomes.
    """
    shown = []
    width = len(str(total))
    for number, outcome in enumerate(outcomes, 1):
        click.echo(f"{number:{width}}/{total} {_line(outcome)}")
        shown.append(outcome)
    return shown


def _line(outcome: Outcome) -> str:
    wrong = "WRONG" if differences(outcome) else "ok   "
    noticed = f" [{_noticed(outcome)}]" if outcome.notices or outcome.error else ""
    return printable(
        f"{wrong} {outcome.scenario.name:{_NAME}} {_modes(outcome, '->'):12} {_intact(outcome):>5}"
        f" {outcome.seconds:5.2f} s  {outcome.scenario.summary}{noticed}"
    )


def show_table(outcomes: Iterable[Outcome], total: int) -> list[Outcome]:
    """Show a progress bar while the outcomes come, then a table of all.

    Args:
        outcomes: The outcomes.
        total: How many there will be.

    Returns:
        The outcomes.
    """
    bar = Progress(
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        shown = list(bar.track(outcomes, total=total, description="Scenarios"))
    console = Console()
    console.print(table(shown, console))
    return shown


def table(outcomes: Iterable[Outcome], console: Console) -> Table:
    """The table of outcomes, laid out for the width of a console.

    Args:
        outcomes: The outcomes.
        console: Where it will be printed.
    """
    wide = console.width >= _WIDE
    signs = _UNICODE if console.encoding.startswith("utf") else _ASCII
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    if wide:
        grid.add_column("scenario", no_wrap=True)
        grid.add_column("what the server did", ratio=3)
        grid.add_column("deviations noticed; error", ratio=2)
    else:
        grid.add_column("scenario: what the server did; deviations noticed", ratio=1)
    grid.add_column("mode", no_wrap=True)
    grid.add_column("intact", no_wrap=True, justify="right")
    grid.add_column("time", no_wrap=True, justify="right")
    for outcome in outcomes:
        grid.add_row(
            *(_cells(outcome, signs) if wide else [Group(*_stacked(outcome, signs))]),
            _modes(outcome, signs.arrow),
            _intact(outcome),
            f"{outcome.seconds:.2f} s",
        )
    return grid


def _cells(outcome: Outcome, signs: _Signs) -> tuple[Text, Text, Text]:
    # Colour only repeats what the sign in front says.
    wrong = bool(differences(outcome))
    name = Text(f"{signs.wrong if wrong else signs.right} ", "bold red" if wrong else "green")
    name.append(outcome.scenario.name, "bold red" if wrong else "bold")
    return (
        name,
        Text(printable(outcome.scenario.summary)),
        Text(_noticed(outcome), "yellow"),
    )


def _stacked(outcome: Outcome, signs: _Signs) -> Iterator[RenderableType]:
    """The cells of a wide table one below the other."""
    name, summary, noticed = _cells(outcome, signs)
    yield name
    yield Padding(summary, (0, 0, 0, 4))
    if noticed:
        yield Padding(Text("noticed: ").append_text(noticed), (0, 0, 0, 4))


def _noticed(outcome: Outcome) -> str:
    """The deviations, and the type of the error that the session ended with."""
    noticed = ", ".join(outcome.notices)
    if outcome.error is None:
        return noticed
    return f"{noticed}; {type(outcome.error).__name__}".removeprefix("; ")


def _modes(outcome: Outcome, arrow: str) -> str:
    return f"{outcome.start} {arrow} {outcome.mode or '-'}"


def _intact(outcome: Outcome) -> str:
    return f"{outcome.intact}/{outcome.total}"


def explain(outcomes: Iterable[Outcome]) -> int:
    """Print for each outcome that is not as its scenario says what differs, and the transcript.

    Args:
        outcomes: The outcomes.

    Returns:
        How many are not as they should be.
    """
    count = 0
    for outcome in outcomes:
        wrong = differences(outcome)
        if wrong:
            count += 1
            click.echo(_explanation(outcome, wrong))
    click.echo()
    return count


def _explanation(outcome: Outcome, wrong: list[str]) -> str:
    error = outcome.error
    lines = [f"\n{outcome.scenario.name} ({outcome.scenario.shown}):"]
    lines += [f"  {difference}" for difference in wrong]
    if error is not None:
        lines.append(f"  the client ended with {type(error).__name__}: {error}")
    lines += [f"    {line}" for line in outcome.transcript.splitlines()]
    return printable("\n".join(lines))
