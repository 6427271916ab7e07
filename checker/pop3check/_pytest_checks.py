"""The run that the items of a session of pytest share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import load

from ._cases import Case
from ._plan import is_asked_first
from ._run import Run

if TYPE_CHECKING:
    from ._limits import Limits
    from ._target import Target
    from ._verdict import Verdict


class Checks:
    """Asks cases in whichever order, each after those that have to be passed first.

    Args:
        target: The server and the account.
        limits: How far the run may go.

    Attributes:
        cases: The cases that were collected, by their ids.
    """

    def __init__(self, target: Target, limits: Limits) -> None:
        self._target = target
        self._limits = limits
        self._run: Run | None = None
        self._asked: set[str] = set()
        self._ahead: dict[str, Verdict] = {}
        self.cases: dict[str, Case] = {}

    def judge(self, case: Case) -> Verdict:
        """The verdict upon a case. It is asked now, unless another has needed it before.

        Args:
            case: The case.
        """
        if case.id in self._ahead:
            return self._ahead.pop(case.id)
        return self._ask(case)

    def close(self) -> None:
        """Leave the server."""
        if self._run is not None:
            self._run.close()

    def lost(self) -> tuple[str, ...]:
        """Leave the server, and tell which messages are gone that nobody meant to delete."""
        run = self._run
        if run is None:
            return ()
        run.close()
        after = run.unique_ids() if run.before else None
        return () if after is None else tuple(sorted(run.before - after - run.deleted))

    def _ask(self, case: Case) -> Verdict:
        self._asked.add(case.id)  # before its own are asked first: a circle ends here
        for name in is_asked_first(case):
            if name not in self._asked:
                self._ahead[name] = self._ask(self.cases.get(name) or Case.of(load(name.lower())))
        if self._run is None:  # a run has its time from here on
            self._run = Run(self._target, self._limits)
        return self._run.judge_all_octets(case) if case.passive else self._run.judge(case)
