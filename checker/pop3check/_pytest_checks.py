"""The run that the items of a session of pytest share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import load

from ._cases import Case
from ._checker import begin
from ._plan import is_asked_first
from ._pytest_trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._limits import Limits
    from ._run import Run
    from ._target import Target
    from ._verdict import Verdict


class Checks:
    """Asks cases in whichever order, each after those that have to be passed first.

    Args:
        target: The server and the account.
        limits: How far the run may go.
        seed: Puts messages into the maildrop; None: those that are there have to do.

    Attributes:
        cases: The cases that were collected, by their ids.
    """

    def __init__(
        self, target: Target, limits: Limits, seed: Callable[[list[bytes]], None] | None = None
    ) -> None:
        self._target = target
        self._limits = limits
        self._seed = seed
        self._trouble = Trouble(target, limits)
        self._run: Run | None = None
        self._asked: set[str] = set()
        self._ahead: dict[str, Verdict] = {}
        self.cases: dict[str, Case] = {}

    def judge(self, case: Case) -> Verdict:
        """The verdict upon a case. It is asked now, unless another has needed it before.

        What keeps the whole run from asking is an error once, and from then on a skip.

        Args:
            case: The case.
        """
        verdict = self._ahead.pop(case.id, None) or self._ask(case)
        return self._trouble.instead_of(verdict)

    def close(self) -> None:
        """Leave the server."""
        if self._run is not None:
            self._run.close()

    def lost(self) -> tuple[str, ...]:
        """Leave the server, and tell which messages are gone that nobody meant to delete."""
        return () if self._run is None else self._run.lost()

    def _ask(self, case: Case) -> Verdict:
        self._asked.add(case.id)  # before its own are asked first: a circle ends here
        for name in is_asked_first(case):
            if name not in self._asked:
                self._ahead[name] = self._ask(self.cases.get(name) or Case.of(load(name.lower())))
        if self._run is None:  # a run has its time from here on
            self._run = begin(self._target, self._limits, seed=self._seed)
        run = self._run
        verdict = run.judge_all_octets(case) if case.passive else run.judge(case)
        self._trouble.see(case, verdict, run.facts)
        return verdict
