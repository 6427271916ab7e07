"""What a run found out, as text for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ._factsheet import fact_sheet
from ._record import FactsRecord, section_of
from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._facts import Facts
    from ._report import Report
    from ._verdict import Verdict

#: Lines of the conversation that stand below a finding.
_LAST_LINES = 6

#: So much is shown of each: a message is a single one.
_WIDTH = 160

#: A sign for each outcome, so that nobody needs to see colours.
SIGNS = {
    Outcome.PASS: "✓",
    Outcome.NON_STRICT: "~",
    Outcome.INFO: "i",
    Outcome.FAIL: "✗",
    Outcome.SKIP: "-",
    Outcome.ERROR: "!",
}


def describe(verdict: Verdict) -> str:
    """One verdict: a line, and below it what somebody needs who has to mend the server.

    Args:
        verdict: The verdict.
    """
    return "\n".join(_described(verdict))


def _described(verdict: Verdict) -> Iterator[str]:
    sign = SIGNS[verdict.outcome]
    security = " [security]" if verdict.security and verdict.outcome is Outcome.FAIL else ""
    yield f"{sign} {verdict.outcome.value:<10} {verdict.case}  {verdict.title}{security}"
    indent = " " * 11
    if verdict.reason:
        yield f"{indent}{verdict.reason}"
    yield from (f"{indent}{note}" for note in verdict.notes)
    if verdict.expected:
        yield f"{indent}requirement: {verdict.requirement} ({'; '.join(verdict.references)})"
        yield f"{indent}expected:    {verdict.expected}"
        yield f"{indent}actual:      {verdict.actual}"
    if verdict.outcome not in (Outcome.PASS, Outcome.SKIP) and verdict.wire:
        place = f"at {verdict.step}; " if verdict.step else ""
        yield f"{indent}{place}connection: {verdict.ending.value}"
        yield from (f"{indent}  {_cut(str(line))}" for line in verdict.wire[-_LAST_LINES:])


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"


def described_group(section: str, verdicts: Iterable[Verdict]) -> str:
    """One line for a section: how many of its cases came out in each way.

    Args:
        section: Its name.
        verdicts: The verdicts upon its cases.
    """
    return f"{section:<26} {_counted(Counter(verdict.outcome for verdict in verdicts))}"


def _counted(counts: Counter[Outcome]) -> str:
    shown = (f"{SIGNS[each]} {counts[each]:<3}" for each in Outcome if counts[each])
    return "  ".join(shown).rstrip()


class Groups:
    """Tells a section as soon as the last of its cases is judged.

    Args:
        cases: The ids of all cases that are to be judged.
    """

    def __init__(self, cases: Iterable[str]) -> None:
        self._left = Counter(map(section_of, cases))
        self._found: dict[str, list[Verdict]] = {}

    def add(self, verdict: Verdict) -> str:
        """Take a verdict; the line of its section if that is complete now, else nothing.

        Args:
            verdict: The verdict.
        """
        section = section_of(verdict.case)
        found = self._found.setdefault(section, [])
        found.append(verdict)
        return described_group(section, found) if len(found) == self._left[section] else ""


def described_facts(facts: Facts | None) -> str:
    """The fact sheet, a line for each fact.

    Args:
        facts: What is known of the server; None if it could not be asked.
    """
    sheet = fact_sheet(FactsRecord.of(facts) if facts is not None else None)
    if facts is not None and facts.undelivered:
        missing = ", ".join(f"{name} {why}" for name, why in facts.undelivered.items())
        sheet.append(("own messages missing", missing))
    return "\n".join(f"  {name}: {text}" for name, text in sheet)


def summary(report: Report) -> str:
    """The last line of a run: how many cases came out in each way.

    Args:
        report: The run.
    """
    counts = report.counts
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    return f"{report.server}: {len(report.verdicts)} cases, {', '.join(parts) or 'none judged'}"


def described_loss(report: Report) -> str:
    """What has to be said before anything else: mail that is gone; empty if none is.

    Args:
        report: The run.
    """
    if not report.lost:
        return ""
    return (
        f"MAIL LOST: {len(report.lost)} messages that were there before the run are gone, and "
        f"nobody meant them to be: {', '.join(report.lost)}"
    )
