"""Verdicts as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._verdict import Outcome

if TYPE_CHECKING:
    from ._report import Report
    from ._verdict import Verdict

#: Lines of the conversation that stand below a finding.
_LAST_LINES = 6


def describe(verdict: Verdict) -> str:
    """One verdict: a line, and below it what somebody needs who has to mend the server.

    Args:
        verdict: The verdict.
    """
    lines = [f"{verdict.outcome.value:<10} {verdict.case}  {verdict.title}"]
    if verdict.reason:
        lines.append(f"{'':10} {verdict.reason}")
    if verdict.expected:
        lines += [
            f"{'':10} requirement: {verdict.requirement} ({'; '.join(verdict.references)})",
            f"{'':10} expected:    {verdict.expected}",
            f"{'':10} actual:      {verdict.actual}",
        ]
    if verdict.outcome not in (Outcome.PASS, Outcome.SKIP) and verdict.step:
        lines.append(f"{'':10} at {verdict.step}; connection: {verdict.ending.value}")
        lines += [f"{'':12}{line}" for line in verdict.wire[-_LAST_LINES:]]
    return "\n".join(lines)


def summary(report: Report) -> str:
    """The last line of a run: how many cases came out in each way.

    Args:
        report: The run.
    """
    counts = report.counts
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    return f"{report.server}: {len(report.verdicts)} cases, {', '.join(parts) or 'none judged'}"
