"""An exercise of load: many sessions at once, each of which knows what it must see."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._findings import Finding
from ._limits import Limits
from ._load_exercise import Exercise
from ._load_plan import LoadPlan
from ._load_report import LoadReport, latencies_of
from ._load_rules import Rule
from ._load_tally import Tally
from ._wants import Breakdown
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._target import Target


def load(
    targets: Sequence[Target],
    *,
    limits: Limits | None = None,
    plan: LoadPlan | None = None,
) -> LoadReport:
    """Have many sessions at once on a server, and hold each to what it must see.

    Args:
        targets: The accounts, all on one server; the more there are, the less sessions meet.
        limits: How far it may go; nothing is marked or deleted without.
        plan: How much is asked of the server.

    Raises:
        ValueError: There is no account.
    """
    limits, plan = limits or Limits(), plan or LoadPlan()
    fatal = (Rule.KEPT,) if limits.may_mark else ()
    exercise, tally = Exercise(targets, limits, plan), Tally(fatal=fatal)
    seconds = 0.0
    lost: tuple[str, ...] = ()
    with _failing(tally, "SURVEY", targets):
        exercise.survey()
        began = time.monotonic()
        _Threads(exercise, plan, tally).run()
        seconds = time.monotonic() - began
    with _failing(tally, "UIDL", targets):
        lost = exercise.lost()
    return LoadReport(
        server=str(targets[0]),
        mode=limits.mode,
        seed=plan.seed,
        concurrency=plan.concurrency,
        seconds=seconds,
        sessions=tally.sessions,
        octets=tally.octets,
        latencies=latencies_of(tally),
        violations=tuple(tally.violations),
        errors=dict(tally.errors),
        refusals=dict(tally.refusals),
        notes=dict(tally.notes),
        overlaps=exercise.overlaps,
        queued=exercise.queued,
        lost=lost,
    )


@contextmanager
def _failing(tally: Tally, command: str, targets: Sequence[Target]) -> Iterator[None]:
    """Count what breaks off before or after all sessions."""
    try:
        yield
    except (Finding, Breakdown) as error:
        log = WireLog(*(target.password for target in targets))
        tally.failed(command, log.masked(str(error)))


class _Threads:
    """Plays sessions in threads, each one session after another."""

    def __init__(self, exercise: Exercise, plan: LoadPlan, tally: Tally) -> None:
        self._exercise = exercise
        self._plan = plan
        self._tally = tally
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._end = time.monotonic() + plan.duration
        self._began = time.monotonic()
        self._trouble: list[BaseException] = []

    def run(self) -> None:
        """Play until the time is over, the sessions are, or enough is known."""
        threads = [
            threading.Thread(target=self._work, name=f"load-{n}")
            for n in range(self._plan.concurrency)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._tally.failed("run", "interrupted")
        finally:
            # Every session ends before the maildrops are looked at again.
            self._stopped.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._trouble:
            raise self._trouble[0]

    def _work(self) -> None:
        try:
            while (number := next(self._numbers)) < (self._plan.sessions or number + 1):
                self._await_turn(number)
                if self._is_over():
                    return
                self._exercise.play(str(number), self._tally, self._is_over)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is seen
            self._trouble.append(error)
            self._stopped.set()

    def _await_turn(self, number: int) -> None:
        if self._plan.rate is not None:
            due = min(self._began + number / self._plan.rate, self._end)
            self._stopped.wait(max(0.0, due - time.monotonic()))

    def _is_over(self) -> bool:
        return self._stopped.is_set() or time.monotonic() >= self._end or self._tally.is_enough
