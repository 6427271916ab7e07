"""What is known of a server, so that only what is new counts: the baseline of a run."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ._select import natural
from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ._report import Report
    from ._verdict import Verdict

#: The judged outcomes by how bad they are.
_RANKS = {Outcome.PASS: 0, Outcome.INFO: 0, Outcome.NON_STRICT: 1, Outcome.FAIL: 2}


class Standing(enum.Enum):
    """How an outcome stands to what was known."""

    NONE = ""
    """There is no baseline, or nothing to say."""
    KNOWN = "known"
    """As bad as it was."""
    FIXED = "fixed"
    """Better than it was."""
    WORSE = "worse"
    """Worse than it was, or as bad for another reason."""
    PENDING = "pending"
    """Fails, and the baseline does not know the case: it has never passed."""
    UNJUDGED = "unjudged"
    """Was judged before, and cannot be judged any more."""


class BaselineError(ValueError):
    """A file is no baseline; says where it is wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Model):
    """What is known of one case."""

    outcome: Outcome
    reason: str = Field(default="", description="Why that is so; for people.")
    text: str = Field(
        default="", description="What has to be in 'actual': another failure is a new one."
    )


class Baseline(_Model):
    """What is known of a server."""

    baseline: Literal[1] = 1
    unknown: Literal["pending", "fail"] = Field(
        default="pending",
        description=(
            "Whether a failure of a case that is not listed is only announced, or counts. "
            "'fail' is for lists, written by hand, of what is known to fail."
        ),
    )
    cases: dict[str, Entry] = Field(default_factory=dict)

    def standing(self, verdict: Verdict) -> Standing:
        """How a verdict stands to what is known.

        Args:
            verdict: The verdict.
        """
        known = self.cases.get(verdict.case)
        if known is None:
            pending = self.unknown == "pending" and verdict.outcome is Outcome.FAIL
            return Standing.PENDING if pending else Standing.NONE
        now, then = _RANKS.get(verdict.outcome), _RANKS.get(known.outcome)
        if now is None:
            return Standing.NONE if then is None else Standing.UNJUDGED
        if then is None:
            return Standing.WORSE if verdict.outcome is Outcome.FAIL else Standing.NONE
        if now > then or (now == then and now and known.text not in verdict.actual):
            return Standing.WORSE
        if now < then:
            return Standing.FIXED
        return Standing.KNOWN if now else Standing.NONE

    def standings(self, verdicts: Iterable[Verdict]) -> dict[str, tuple[Standing, str]]:
        """How each verdict stands, and the reason that is known for it.

        Args:
            verdicts: The verdicts.
        """
        return {
            verdict.case: (self.standing(verdict), self._reason(verdict)) for verdict in verdicts
        }

    def _reason(self, verdict: Verdict) -> str:
        known = self.cases.get(verdict.case)
        return known.reason if known is not None else ""

    def exit_status(self, report: Report) -> int:
        """As :attr:`Report.exit_status`, but what is known does not count.

        0 nothing is worse; 1 something is, or fails and counts; 2 inconclusive: a login that was
        refused, something that was judged before and could not be judged now, an ERROR that is not
        known, or nothing judged at all; 3 mail was lost.

        Args:
            report: The run.
        """
        if report.lost:
            return 3
        standings = {verdict.case: self.standing(verdict) for verdict in report.verdicts}
        if any(_counts(verdict, standings[verdict.case]) for verdict in report.verdicts):
            return 1
        unjudged = Standing.UNJUDGED in standings.values()
        inconclusive = unjudged or self.unknown_errors(report.verdicts)
        return 2 if inconclusive or report.could_not_be_asked else 0

    def unknown_errors(self, verdicts: Iterable[Verdict]) -> list[str]:
        """The cases that came to an ERROR, and of which that is not known.

        Args:
            verdicts: The verdicts of a run.
        """
        return [
            verdict.case
            for verdict in verdicts
            if verdict.outcome is Outcome.ERROR and not self._knows_error(verdict.case)
        ]

    def _knows_error(self, case: str) -> bool:
        return case in self.cases and self.cases[case].outcome is Outcome.ERROR

    def updated(self, verdicts: Iterable[Verdict]) -> Baseline:
        """The same with what is known now: reasons stay where the outcome stays.

        What the run did not ask stays as it is, and so does what came to an ERROR: nothing was
        learnt of it, and what breaks the network once is not to be expected for ever.

        Args:
            verdicts: The verdicts of a run.
        """
        learnt = (verdict for verdict in verdicts if verdict.outcome is not Outcome.ERROR)
        new = {verdict.case: self._entry(verdict) for verdict in learnt}
        return self.model_copy(update={"cases": {**self.cases, **new}})

    def _entry(self, verdict: Verdict) -> Entry:
        known = self.cases.get(verdict.case)
        if known is None or known.outcome is not verdict.outcome:
            return Entry(outcome=verdict.outcome)
        return known if known.text in verdict.actual else known.model_copy(update={"text": ""})


def _counts(verdict: Verdict, standing: Standing) -> bool:
    unexcused = verdict.outcome is Outcome.FAIL and standing is Standing.NONE
    return unexcused or standing is Standing.WORSE


def read_baseline(path: Path) -> Baseline:
    """A baseline from its file.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        BaselineError: It is no baseline.
    """
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BaselineError(
            f"{path}: expected what --write-baseline writes; {where}: {first['msg']}"
        ) from None


def written_baseline(baseline: Baseline) -> bytes:
    """The file for a baseline: a case a line, in the order of their ids.

    Args:
        baseline: The baseline.
    """
    head = {"baseline": baseline.baseline, "unknown": baseline.unknown}
    lines = [f"  {json.dumps(name)}: {_shown(entry)}" for name, entry in _ordered(baseline.cases)]
    start = json.dumps(head)[:-1]
    return (f'{start}, "cases": {{\n' + ",\n".join(lines) + "\n}}\n").encode()


def _ordered(cases: Mapping[str, Entry]) -> list[tuple[str, Entry]]:
    return sorted(cases.items(), key=lambda each: natural(each[0]))


def _shown(entry: Entry) -> str:
    return entry.model_dump_json(exclude_defaults=True)
