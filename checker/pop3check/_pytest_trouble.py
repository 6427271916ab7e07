"""What keeps a session of pytest from asking the server: one error, however many cases it meets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ._gates import forbidden
from ._plan import is_asked_first
from ._verdict import Outcome

if TYPE_CHECKING:
    from ._cases import Case
    from ._facts import Facts
    from ._limits import Limits
    from ._target import Target
    from ._verdict import Verdict


class Trouble:
    """Has the first case that cannot be asked tell why as an error; the others are skipped.

    Skipped alone would be green: nobody sees then that nothing was asked.

    Args:
        target: The server and the account.
        limits: How far the run may go; what it may not do is no trouble.
    """

    def __init__(self, target: Target, limits: Limits) -> None:
        self._target = target
        self._limits = limits
        self._reason = ""
        self._met: set[str] = set()
        self._teller = ""

    def see(self, case: Case, verdict: Verdict, facts: Facts | None) -> None:
        """Learn from what came of a case.

        Args:
            case: The case.
            verdict: The verdict upon it.
            facts: What is known of the server; None if it cannot be asked.
        """
        judged = verdict.outcome not in (Outcome.SKIP, Outcome.ERROR)
        if judged or forbidden(case, self._limits):
            return
        reason = self._keeps_from(case, verdict, facts)
        if reason or not self._met.isdisjoint(is_asked_first(case)):
            self._reason = self._reason or reason
            self._met.add(case.id)

    def instead_of(self, verdict: Verdict) -> Verdict:
        """The verdict that is told; for the same case always the same, however often it is asked.

        Args:
            verdict: The verdict that was reached.
        """
        if verdict.case not in self._met:
            return verdict
        self._teller = self._teller or verdict.case
        outcome = Outcome.ERROR if verdict.case == self._teller else Outcome.SKIP
        return replace(verdict, outcome=outcome, reason=self._reason)

    def _keeps_from(self, case: Case, verdict: Verdict, facts: Facts | None) -> str:
        if facts is None:
            return f"the server cannot be asked: {verdict.reason}"
        if verdict.outcome is Outcome.ERROR:
            return ""  # this case's own
        if case.logs_in and self._target.user and not facts.logged_in:
            return facts.no_login if facts.login_refused else f"no login: {facts.no_login}"
        if case.about.fixtures and facts.undelivered and not facts.fixtures:
            why = next(iter(facts.undelivered.values()))
            return f"no message of the run's own has arrived: the first {why}"
        return ""
