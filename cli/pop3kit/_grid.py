"""A page that is one table: what was tried down the side, who was tried along the top.

Whoever has results of that shape fills a :class:`Grid`; what they mean is none of its business.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from ._page import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Tone = Literal["good", "fair", "bad", "none"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A kind of result, by which rows can be chosen.

    Attributes:
        key: A word for it that no other has.
        sign: A character that says it without colour.
        word: What it is called.
        tone: Whether it is good news; chooses the colour, which only repeats the sign.
    """

    key: str
    sign: str
    word: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Cell:
    """A result.

    Attributes:
        outcome: Its kind.
        word: What is shown in place of the kind's word, if it is anything else.
        facts: What its detail tells: names and texts, in order.
        texts: What its detail quotes: headings and texts that keep their lines.
    """

    outcome: Outcome
    word: str = ""
    facts: Sequence[tuple[str, str]] = ()
    texts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """Who was tried.

    Attributes:
        name: What it is called.
        note: What is told below the name.
    """

    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What was tried.

    Attributes:
        name: What it is called.
        note: What is told below the name.
        cells: The results, one for each column; None where there is none.
        group: Rows of a group stand together, below its name; empty if there are no groups.
    """

    name: str
    note: str
    cells: Sequence[Cell | None]
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The table, and what stands around it.

    Attributes:
        title: The title of the page.
        intro: A paragraph that says what is seen.
        facts: What is known of the whole: names and texts, in order.
        corner: What the rows are.
        columns: Who was tried.
        rows: What was tried.
        outcomes: The kinds of result, in the order in which they can be chosen.
        alarms: What has to be read before anything else.
    """

    title: str
    intro: str
    facts: Sequence[tuple[str, str]]
    corner: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    outcomes: Sequence[Outcome]
    alarms: Sequence[str] = ()


def grid_page(grid: Grid) -> str:
    """The page: to be filtered, walked through by keys, looked into, and printed.

    Args:
        grid: The table.
    """
    counts = Counter(cell.outcome.key for _, _, cell in _cells(grid))
    return render(
        "grid.html",
        own=["grid.css", "grid.js"],
        data=[_detail(*each) for each in _cells(grid)],
        title=grid.title,
        grid=grid,
        groups=list(_groups(grid)),
        outcomes=[(each, counts[each.key]) for each in grid.outcomes if counts[each.key]],
    )


def _groups(grid: Grid) -> Iterator[tuple[str, list[Row], list[list[tuple[Outcome, int]]]]]:
    """Each group with its rows, and how often each kind of result is in each column."""
    for name, found in groupby(grid.rows, key=lambda row: row.group):
        rows = list(found)
        columns = zip(*(row.cells for row in rows), strict=True)
        yield name, rows, [_counted(grid, cells) for cells in columns]


def _counted(grid: Grid, cells: Sequence[Cell | None]) -> list[tuple[Outcome, int]]:
    counts = Counter(cell.outcome for cell in cells if cell is not None)
    return [(each, counts[each]) for each in grid.outcomes if counts[each]]


def _cells(grid: Grid) -> Iterator[tuple[Row, Column, Cell]]:
    """The cells in which there is something, as the template numbers them."""
    for row in grid.rows:
        for column, cell in zip(grid.columns, row.cells, strict=True):
            if cell is not None:
                yield row, column, cell


def _detail(row: Row, column: Column, cell: Cell) -> dict[str, object]:
    """What the page shows of a cell that is opened."""
    return {
        "row": row.name,
        "title": f"{row.name} – {column.name}",
        "outcome": f"{cell.outcome.sign} {cell.word or cell.outcome.word}",
        "tone": cell.outcome.tone,
        "facts": cell.facts,
        "texts": cell.texts,
    }
