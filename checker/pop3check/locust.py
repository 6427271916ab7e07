"""The sessions of an exercise of load as a Locust user, for as many machines as Locust has.

A locustfile derives from :class:`MaildropUser` and names the accounts; everything else, workers
too, is Locust's own. Needs ``pop3kit[load]``. Importing it patches the standard library for gevent,
as Locust does: import it in locustfiles only.
"""

from __future__ import annotations

import itertools
import logging
import threading
from typing import TYPE_CHECKING, ClassVar

try:
    from locust import User, task
    from locust.exception import StopUser
    from locust.runners import STATE_CLEANUP, STATE_STOPPED, STATE_STOPPING, WorkerRunner
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{__name__} needs {error.name}: pip install 'pop3kit[load]'", name=error.name
    ) from None

from ._findings import Finding
from ._limits import Limits
from ._load_exercise import Exercise
from ._load_plan import LoadPlan
from ._wants import Breakdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from locust.env import Environment

    from ._load_report import Violation
    from ._target import Target

__all__ = ["MaildropUser", "RuleBroken"]

_LOG = logging.getLogger(__name__)

#: What Locust groups requests by.
_TYPE = "POP3"


class RuleBroken(Exception):
    """A session saw what it must not see; Locust counts it as a failure of the last command.

    Attributes:
        violation: The rule, what was expected, what came, and the session's last lines.
    """

    def __init__(self, violation: Violation) -> None:
        # Locust counts alike failures together: which session it was must not tell them apart.
        super().__init__(f"{violation.rule}: {violation.requirement} ({violation.section})")
        self.violation = violation


class Unjudged(Exception):
    """A session broke off for a reason that breaks no rule: the network, a refusal."""


class MaildropUser(User):
    """A user who plays one session after another, each of which knows what it must see.

    Sessions of one process share what they know of an account. A worker knows nothing of what the
    others do: there a message that is missing, or a login that is refused, may be their doing.

    Attributes:
        accounts: The accounts, all on one server.
        limits: How far it may go; nothing is marked or deleted without.
        seed: Makes the random choices, together with the number of the worker.
        exclusive: Whether the server has to have a lock; see :class:`pop3check.LoadPlan`.
        settle: Seconds after which a dropped connection must have let go of the maildrop.
    """

    abstract = True
    accounts: ClassVar[Sequence[Target]] = ()
    limits: ClassVar[Limits] = Limits()
    seed: ClassVar[int] = 0
    exclusive: ClassVar[bool] = False
    settle: ClassVar[float] = 60.0

    def on_start(self) -> None:
        """Look at the accounts, once in each process and run.

        Raises:
            StopUser: The server does not serve us; Locust is told why.
        """
        with _MUTEX:
            if type(self) not in _SHARED:
                _SHARED[type(self)] = _Shared(self)
                self.environment.events.test_stop.add_listener(_forget)
        self._shared = _SHARED[type(self)]
        if self._shared.trouble:
            raise StopUser

    @task
    def session(self) -> None:
        """One session on a connection of its own."""
        shared = self._shared
        shared.exercise.play(shared.number(), _Requests(self.environment), self._is_over)

    def _is_over(self) -> bool:
        runner = self.environment.runner
        return runner is None or runner.state in (STATE_STOPPING, STATE_STOPPED, STATE_CLEANUP)


class _Shared:
    """What the users of one class share in a process.

    Attributes:
        exercise: The accounts, and what is known of them.
        trouble: Whether the server does not serve us.
    """

    def __init__(self, user: MaildropUser) -> None:
        runner = user.environment.runner
        self._worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        self._numbers = itertools.count()
        plan = LoadPlan(
            seed=user.seed,
            exclusive=user.exclusive,
            alone=not isinstance(runner, WorkerRunner),
            settle=user.settle,
        )
        self.exercise = Exercise(user.accounts, user.limits, plan)
        self.trouble = False
        try:
            self.exercise.survey()
        except (Finding, Breakdown) as error:
            self.trouble = True
            _Requests(user.environment).failed("SURVEY", str(error))

    def number(self) -> str:
        """The number of the next session; no worker has the same."""
        return f"{self._worker}-{next(self._numbers)}"


#: By the class of the users; forgotten when the test ends, for mail may change before the next.
_SHARED: dict[type[MaildropUser], _Shared] = {}
_MUTEX = threading.Lock()


def _forget(**_: object) -> None:
    _SHARED.clear()


class _Requests:
    """Tells Locust what comes of a session: each command is a request."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def answered(self, command: str, seconds: float, octets: int) -> None:
        """A command was answered in full."""
        self._fire(command, seconds, octets, None)

    def refused(self, answer: str) -> None:
        """Counted with the answers: it is one."""

    def noted(self, what: str) -> None:
        """Not counted: the text allows it."""

    def ended(self, *, admitted: bool) -> None:
        """A session has come to its end: the rate of QUIT, DROP and LOGIN tells how many."""

    def failed(self, command: str, why: str) -> None:
        """A session could not be judged any further."""
        self._fire(command, 0.0, 0, Unjudged(why))

    def violated(self, violation: Violation) -> None:
        """A session has met what breaks a rule; the log has all of it."""
        wire = "\n".join(map(str, violation.wire))
        _LOG.error("%s\n%s", violation, wire)
        self._fire(violation.command, 0.0, 0, RuleBroken(violation))

    def _fire(self, name: str, seconds: float, octets: int, error: Exception | None) -> None:
        self._environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type=_TYPE,
            name=name,
            response_time=1000 * seconds,
            response_length=octets,
            exception=error,
            context={},
        )
