"""What ``pop3kit check`` shows while it runs, and at its end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pop3check import (
    Case,
    Groups,
    Outcome,
    Standing,
    describe,
    described_facts,
    described_loss,
    section_of,
    summary,
)

from ._failures import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3check import Profile, Record, Report, Verdict
    from pop3scenarios import Scenario

_COLOURS = {
    Outcome.PASS: "green",
    Outcome.NON_STRICT: "yellow",
    Outcome.FAIL: "red",
    Outcome.ERROR: "magenta",
}

#: What a baseline says, in the order in which it is told.
_NEWS = {
    Standing.WORSE: "worse than the baseline",
    Standing.UNJUDGED: "judged before, and not any more",
    Standing.PENDING: "failing, and not in the baseline yet (--write-baseline)",
    Standing.FIXED: "fixed: write the baseline anew (--write-baseline)",
    Standing.KNOWN: "known",
}


class Console:
    """Shows a run.

    Args:
        scenarios: The cases.
        profile: What outcomes count for.
        verbose: Whether to tell of every case.
    """

    def __init__(self, scenarios: Sequence[Scenario], profile: Profile, *, verbose: bool) -> None:
        ids = [Case.of(each).id for each in scenarios]
        self._groups = Groups(ids)
        self._total = len(ids)
        self._done = 0
        self._profile = profile
        self._verbose = verbose
        self._live = sys.stderr.isatty()
        self._told: set[str] = set()
        self._judged: set[str] = set()

    def add(self, asked: Verdict) -> None:
        """Take a verdict, as the case itself grades it.

        Args:
            asked: The verdict.
        """
        verdict = self._profile.graded(asked)
        self._done += 1
        self._wipe()
        if self._verbose:
            _show(verdict)
        elif verdict.outcome in (Outcome.FAIL, Outcome.ERROR):
            self._tell(verdict)
        if verdict.outcome not in (Outcome.SKIP, Outcome.ERROR):
            self._judged.add(section_of(verdict.case))
        line = self._groups.add(verdict)
        if line and (not self._told or section_of(verdict.case) in self._judged):
            _paint(line)
        if self._live:
            click.echo(f"{self._done}/{self._total} {verdict.case}", nl=False, err=True)

    def _tell(self, verdict: Verdict) -> None:
        """Say that a case failed; why nothing could even be asked is said once for all cases."""
        unasked = verdict.outcome is Outcome.ERROR and not verdict.wire
        if unasked and verdict.reason not in self._told:
            self._told.add(verdict.reason)
            _paint(f"! ERROR      {verdict.reason}", verdict.outcome)
        elif verdict.reason not in self._told:
            _paint(describe(verdict).partition("\n")[0], verdict.outcome)

    def finish(self, report: Report, record: Record, errors: Sequence[str]) -> None:
        """Show what came of it: lost mail first, failures once more, last the summary.

        Args:
            report: The run.
            record: The same, with what the baseline says.
            errors: The cases that came to an ERROR that is not known.
        """
        self._wipe()
        if report.lost:
            _paint(described_loss(report), Outcome.FAIL)
        if report.facts is not None:
            _paint(f"\n{described_facts(report.facts)}")
        for verdict in _shown_again(report, record):
            if report.facts is not None or verdict.reason not in self._told:
                _paint("")
                _show(verdict)
        _paint("")
        _paint_news(record, errors, asked=report.facts is not None)
        _paint(summary(report))

    def _wipe(self) -> None:
        if self._live:
            click.echo("\r\x1b[K", nl=False, err=True)


def _shown_again(report: Report, record: Record) -> list[Verdict]:
    """What failed, and was not known to."""
    known = {case.id for case in record.cases if case.standing is Standing.KNOWN}
    bad = (Outcome.FAIL, Outcome.ERROR)
    return [each for each in report.verdicts if each.outcome in bad and each.case not in known]


def _paint_news(record: Record, errors: Sequence[str], *, asked: bool) -> None:
    """What the baseline says, and what makes the run inconclusive, if it is not the whole."""
    for standing, heading in _NEWS.items():
        found = [case.id for case in record.cases if case.standing is standing]
        if found and (asked or standing is not Standing.UNJUDGED):
            _paint(f"{heading}: {', '.join(found)}")
    if errors and asked:
        _paint(f"inconclusive: {', '.join(errors)}")


def _show(verdict: Verdict) -> None:
    _paint(describe(verdict), verdict.outcome)


def _paint(text: str, outcome: Outcome | None = None) -> None:
    """Print; colour repeats what a sign says, on a terminal only, unless NO_COLOR is set."""
    colour = False if os.environ.get("NO_COLOR") else None
    fg = _COLOURS.get(outcome) if outcome is not None else None
    click.secho(printable(text), fg=fg, color=colour)
