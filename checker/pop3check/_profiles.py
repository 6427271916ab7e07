"""Profiles: which outcomes count for how much, where the texts leave room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._report import Report
    from ._verdict import Verdict


@dataclass(frozen=True, slots=True)
class Grade:
    """What it comes to if a case is not met.

    Attributes:
        outcome: The outcome instead of FAIL.
        why: Why.
    """

    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Which outcomes count for how much.

    Attributes:
        name: Its name.
        about: What it is for, in one line.
        grades: What a FAIL of these cases comes to instead.
        no_leniency: The levels at which NON-STRICT is a FAIL.
    """

    name: str
    about: str
    grades: Mapping[str, Grade] = field(default_factory=dict)
    no_leniency: frozenset[str] = frozenset()

    def graded(self, verdict: Verdict) -> Verdict:
        """The verdict as this profile grades it.

        Args:
            verdict: The verdict as the case itself grades it.
        """
        grade = self.grades.get(verdict.case)
        if verdict.outcome is Outcome.FAIL and grade is not None:
            note = f"{grade.outcome.value} by the profile {self.name}: {grade.why}"
            return replace(verdict, outcome=grade.outcome, notes=(*verdict.notes, note))
        if verdict.outcome is Outcome.NON_STRICT and verdict.level in self.no_leniency:
            note = f"FAIL by the profile {self.name}: the text asks for it ({verdict.level})"
            return replace(verdict, outcome=Outcome.FAIL, notes=(*verdict.notes, note))
        return verdict

    def graded_report(self, report: Report) -> Report:
        """All verdicts of a run as this profile grades them.

        Args:
            report: The run.
        """
        return replace(report, verdicts=tuple(map(self.graded, report.verdicts)))


_ESTIMATES = Grade(
    Outcome.NON_STRICT,
    "EnableExactRFC822Size is off unless somebody turns it on, and sizes are estimates",
)
_REWRITES = Grade(
    Outcome.INFO, "MessageRetrievalMimeFormat rewrites the MIME form of what is retrieved"
)

_EXCHANGE = {
    "RFC1939-5-07": _ESTIMATES,
    "RFC1939-5-19": _ESTIMATES,
    "IOP-01": _ESTIMATES,
    "RFC1939-5-20": _REWRITES,
    "RFC1939-3-34": Grade(
        Outcome.NON_STRICT, "the idle limit after login may be set to less than ten minutes"
    ),
    "RFC1939-3-35": Grade(Outcome.NON_STRICT, "the idle limit before login is a minute"),
    "RFC1939-4-08": Grade(
        Outcome.NON_STRICT, "sixteen sessions of a user are let in, and none has a lock"
    ),
    "RFC2449-4-03": Grade(
        Outcome.NON_STRICT, "the limit of a command line may be set to 40 octets"
    ),
}

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("default", "each case is graded as it says itself"),
            Profile(
                "strict",
                "what the text asks for by MUST or SHOULD has to be so, however harmless",
                no_leniency=frozenset({"MUST", "SHALL", "SHOULD", "must"}),
            ),
            Profile(
                "exchange",
                "what Microsoft documents about Exchange is no failure",
                grades=MappingProxyType(_EXCHANGE),
            ),
        )
    }
)
