"""Doing a piece of work with a maildrop although connections get lost on the way."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._arguments import check_number
from ._exceptions import (
    CommandError,
    InvalidArgument,
    LoginDelayError,
    POP3ConnectionError,
    POP3Error,
)

if TYPE_CHECKING:
    from ._async_client import AsyncPOP3Client
    from ._client import POP3Client
    from ._facade import Facade

__all__ = ["Backoff", "Reconnection", "reconnecting", "reconnecting_async"]

T = TypeVar("T")
_Calls: TypeAlias = Generator[Callable[[], object], Any, T]
"""What is to be called, and awaited if need be; the answer is sent back."""

_LOGIN_STEPS = frozenset({"PASS", "AUTH", "APOP"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next attempt.

    Attributes:
        first: seconds before the second attempt.
        factor: by how much each further wait is longer than the one before.
        most: seconds that no wait exceeds, unless the server demands it.
        patience: seconds that a server may demand. If it is more, the error is raised instead.
    """

    first: float = 1.0
    factor: float = 2.0
    most: float = 60.0
    patience: float = 3600.0

    def __post_init__(self) -> None:
        if self.first < 0 or self.factor < 1 or self.most < self.first:
            raise InvalidArgument("Backoff: expected 0 <= first <= most, and factor from 1")

    def seconds(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        # A large number of failures would be more than a float can hold.
        return min(self.first * self.factor ** min(failures - 1, 64), self.most)


@dataclass(frozen=True, slots=True)
class Reconnection:
    """Why the work is going to begin again.

    Attributes:
        attempt: the number of the attempt that failed, from 1.
        error: how it failed.
        seconds: how long it is until the next one.
        marks_lost: numbers of the messages that were marked as deleted in the lost session. The
            server has deleted none of them (RFC 1939 section 6) unless ``quit_sent``.
        quit_sent: QUIT was sent and not answered: perhaps the server has deleted them.
    """

    attempt: int
    error: POP3Error
    seconds: float
    marks_lost: tuple[int, ...]
    quit_sent: bool


def reconnecting(
    connect: Callable[[], POP3Client],
    work: Callable[[POP3Client], T],
    *,
    attempts: int = 5,
    backoff: Backoff | None = None,
    on_lost: Callable[[Reconnection], object] | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Do some work with a maildrop; if the connection is lost, connect anew and begin again.

    A new session has other message numbers, and nothing is marked in it. So the work is begun
    again from its start and has to bear that, as ``sync`` does. It ends with QUIT.

    What makes for another attempt: the connection cannot be made or is lost, or the login is
    refused for now ([IN-USE], [LOGIN-DELAY], [SYS/TEMP]), or pipelining has gone wrong, which
    the next sessions do without. Never a refused password, and neither
    one that got no answer, for that may be how the server refuses. The LOGIN-DELAY that the
    server has announced (RFC 2449 section 6.5) is waited for.

    Args:
        connect: gives a client that is logged in, such as a call of ``pop3client.connect``.
        work: what to do with it.
        attempts: how often to try, at most, the first time included.
        backoff: how long to wait in between.
        on_lost: told, before each further attempt, what was lost.
        sleep: waits for so many seconds; for tests.
        clock: gives seconds that only ever grow; for tests.

    Returns:
        What ``work`` gives.

    Raises:
        POP3Error: the last attempt's, or one that no further attempt would mend.
        InvalidArgument: ``attempts`` is below 1.
    """
    calls: _Calls[T] = _attempts(connect, work, attempts, backoff, on_lost, sleep, clock)
    return _run(calls)


async def reconnecting_async(
    connect: Callable[[], Awaitable[AsyncPOP3Client]],
    work: Callable[[AsyncPOP3Client], Awaitable[T]],
    *,
    attempts: int = 5,
    backoff: Backoff | None = None,
    on_lost: Callable[[Reconnection], object] | None = None,
    sleep: Callable[[float], object] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Do as ``reconnecting``; every function given may be a coroutine function."""
    calls: _Calls[T] = _attempts(connect, work, attempts, backoff, on_lost, sleep, clock)
    return await _carry_out(calls, _awaited)


def _run(calls: _Calls[T]) -> T:
    carrying = _carry_out(calls, _no_coroutine)
    try:
        carrying.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError  # nothing in it waits


async def _carry_out(calls: _Calls[T], settled: Callable[[object], Awaitable[object]]) -> T:
    try:
        call = next(calls)
        while True:
            try:
                answer = await settled(call())
            except BaseException as error:  # noqa: BLE001 - the generator decides
                call = calls.throw(error)
            else:
                call = calls.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _no_coroutine(answer: object) -> object:
    if inspect.iscoroutine(answer):
        answer.close()
        raise InvalidArgument("expected functions; reconnecting_async takes coroutines")
    return answer


async def _awaited(answer: object) -> object:
    return await answer if inspect.isawaitable(answer) else answer


def _attempts(
    connect: Callable[[], object],
    work: Callable[[Any], object],
    attempts: int,
    backoff: Backoff | None,
    on_lost: Callable[[Reconnection], object] | None,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
) -> _Calls[Any]:
    check_number(attempts, "attempts", 1)
    pause = _Pause(backoff or Backoff(), clock)
    raced = False
    for attempt in range(1, attempts + 1):
        client: Any = None  # either of the two
        try:
            client = yield connect
            pause.logged_in(client)
            if raced:
                client._session.stop_pipelining()
            result = yield partial(work, client)
            yield client.close
        except POP3Error as error:
            seconds = pause.seconds(attempt, error)
            if attempt == attempts or not _may_mend(error, client) or pause.is_too_long(seconds):
                raise
            event = _reconnection(attempt, error, client, seconds)
            raced = raced or _raced(client)
        else:
            return result
        finally:
            if client is not None:
                client.abort()
        if on_lost is not None:
            yield partial(on_lost, event)
        yield partial(sleep, event.seconds)
    raise AssertionError  # the last attempt returns or raises


def _raced(client: Facade | None) -> bool:
    """Tell whether pipelining has gone wrong: then a new session does without."""
    return client is not None and any(
        entry.quirk == "pipelined-race" for entry in client.deviations
    )


def _may_mend(error: POP3Error, client: Facade | None) -> bool:
    """Tell whether another attempt may end better."""
    if _raced(client) and error.ends_session:
        return True
    if isinstance(error, POP3ConnectionError):
        # Whoever hangs up at a password may be refusing it.
        return client is not None or error.step.partition(" ")[0] not in _LOGIN_STEPS
    return client is None and isinstance(error, CommandError) and error.retryable


def _reconnection(
    attempt: int, error: POP3Error, client: Facade | None, seconds: float
) -> Reconnection:
    marks = () if client is None else tuple(sorted(client._session.marked))
    quit_sent = isinstance(error, POP3ConnectionError) and error.step == "QUIT"
    return Reconnection(attempt, error, seconds, marks, quit_sent)


class _Pause:
    """How long to wait, by the rules of the caller's and by those of the server."""

    def __init__(self, backoff: Backoff, clock: Callable[[], float]) -> None:
        self._backoff = backoff
        self._clock = clock
        self._login_delay = 0.0
        self._login = clock()

    def logged_in(self, client: Facade) -> None:
        """Take note of a login, and of what the server says about the next."""
        self._login = self._clock()
        announced = client.capabilities.login_delay
        if announced is not None:
            self._login_delay = announced.seconds

    def seconds(self, failures: int, error: POP3Error) -> float:
        """Seconds until the next attempt."""
        passed = self._clock() - self._login
        if isinstance(error, LoginDelayError):
            passed = 0.0  # it counts otherwise than we do
        return max(self._backoff.seconds(failures), self._login_delay - passed)

    def is_too_long(self, seconds: float) -> bool:
        """True if that is more than the caller wants to wait."""
        return seconds > max(self._backoff.patience, self._backoff.most)
