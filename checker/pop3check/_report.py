"""All verdicts of one run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._verdict import Outcome

if TYPE_CHECKING:
    from ._facts import Facts
    from ._verdict import Verdict

_JUDGED = (Outcome.PASS, Outcome.NON_STRICT, Outcome.INFO, Outcome.FAIL)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found out.

    Attributes:
        server: The server, as ``host:port``.
        facts: What the server said about itself; None if it could not be asked.
        verdicts: One for each case, in the order in which they were asked for.
        lost: Unique-ids that were in the maildrop before the run, that nobody meant to delete, and
            that are not there after it.
    """

    server: str
    facts: Facts | None
    verdicts: tuple[Verdict, ...]
    lost: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[Outcome]:
        """How many cases came out in each way."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    @property
    def exit_status(self) -> int:
        """0 nothing worse than NON-STRICT; 1 something failed; 2 inconclusive; 3 mail was lost.

        Inconclusive is a run with an ERROR, or one that came to nothing as a whole.
        """
        if self.lost:
            return 3
        if self.counts[Outcome.FAIL]:
            return 1
        return 2 if self.counts[Outcome.ERROR] or self.could_not_be_asked else 0

    @property
    def could_not_be_asked(self) -> bool:
        """Whether the run as a whole came to nothing.

        The server or its login refused it, none of its own messages arrived, or every case was
        skipped.
        """
        if self.facts is None or self.facts.login_refused:
            return True
        unseeded = self.facts.undelivered and not self.facts.fixtures
        return bool(unseeded) or not any(self.counts[outcome] for outcome in _JUDGED)
