"""Paired timings: two things measured in turn, in one run, and compared as a ratio."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report.

    Attributes:
        what: What was measured, and against what.
        ours: The figure for the kit, with its unit.
        theirs: The figure for the peer, with its unit.
        ratio: Their time divided by ours, or whatever ``meaning`` says.
        meaning: How to read the ratio.
    """

    what: str
    ours: str
    theirs: str
    ratio: str
    meaning: str


def paired(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float, float]:
    """Run two things in turn, so that a machine whose speed drifts is fair to both.

    Args:
        ours: The one.
        theirs: The other.
        rounds: How often each is run.
        clock: Gives seconds; ``time.process_time`` counts this process's own alone.

    Returns:
        Median seconds of ours, median seconds of theirs, and the median of theirs divided by ours,
        pair by pair.
    """
    ours()
    theirs()
    times = [(_seconds(ours, clock), _seconds(theirs, clock)) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(b / a for a, b in times),
    )


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    work()
    return clock() - begin


def milliseconds(seconds: float) -> str:
    """A time for people."""
    return f"{seconds * 1000:.2f} ms"
