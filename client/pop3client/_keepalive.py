"""NOOP while the caller is at work, so that the server does not hang up meanwhile.

Servers end a session in which nothing is said (RFC 1939 section 3 allows it after ten minutes, many
do it sooner). A ``Keeper`` says NOOP when the session has been idle for some time: in a thread for
the blocking client, in a task for asyncio. It exists only as long as a block for which it was asked
for, and stands back from each operation: that waits for a NOOP under way to be answered.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from ._commands import noop
from ._exceptions import CommandError, InvalidArgument, POP3Error
from ._states import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from ._session import Session
    from ._wants import Steps

__all__ = ["AsyncKeeper", "Keeper", "beat", "pause_of"]

T = TypeVar("T")
_SECONDS = 60.0


def pause_of(session: Session, seconds: float | None) -> float:
    """Say after how many seconds of silence NOOP is due.

    Args:
        session: the session, whose settings count if nothing is said.
        seconds: what the caller says.

    Raises:
        InvalidArgument: not a number of seconds that is finite and above 0.
    """
    if seconds is None:
        return session.config.keepalive or _SECONDS
    if not 0 < seconds < float("inf"):
        raise InvalidArgument("seconds: expected a time that is finite and above 0")
    return seconds


def beat(session: Session) -> Steps[None]:
    """Say NOOP, if it can be said now: before login, or in the middle of an answer, it cannot.

    Messages that are under way are read first. There is nobody to raise an error to: it is kept
    for the next command. A server that refuses NOOP has heard it all the same.
    """
    if session.state is not State.TRANSACTION or (session.busy and not session.lent):
        return
    busy, session.busy = session.busy, True
    try:
        if session.ahead is not None:
            yield from session.ahead.drain()
        yield from noop(session)
        session.deviations.settle()
    except CommandError:
        session.deviations.excuse()
    except Exception as error:  # noqa: BLE001 - it is raised where the caller can see it
        _keep_for_later(session, error)
    except BaseException as error:
        session.end(f"interrupted by {type(error).__name__}")
        raise
    finally:
        session.busy = busy


def _keep_for_later(session: Session, error: Exception) -> None:
    if session.state is State.CLOSED:
        return  # aborted by the caller, who need not be told
    session.failure = error
    session.deviations.excuse()
    if isinstance(error, POP3Error):
        error.deviations = session.deviations.entries
        if not error.ends_session:
            return
    session.end(str(error))


class Keeper:
    """Says NOOP from a thread.

    Args:
        beat: says it once; its errors are its own affair.
    """

    def __init__(self, beat: Callable[[], object]) -> None:
        self._beat = beat
        self._changed = threading.Condition()
        self._blocks = 0
        self._operations = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def on(self, seconds: float) -> Iterator[None]:
        """Say NOOP after each so many seconds without an operation, to the end of the block."""
        self._blocks += 1
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, args=(seconds,), name="pop3client keep-alive", daemon=True
            )
            self._thread.start()
        try:
            yield
        finally:
            self._blocks -= 1
            if not self._blocks:
                self.stop()

    def stop(self) -> None:
        """End the thread; a NOOP under way is waited for."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def begin(self) -> None:
        """Stand back: an operation begins. A NOOP under way is waited for."""
        self._count(1)

    def end(self) -> None:
        """The operation has ended."""
        self._count(-1)

    def around(self, function: Callable[[T], object]) -> Callable[[T], object]:
        """Make a function during which the operation that calls it is not under way."""

        def call(argument: T) -> object:
            self.end()
            try:
                return function(argument)
            finally:
                self.begin()

        return call

    def _count(self, operations: int) -> None:
        if self._thread is None:
            # On every command's way, so without the lock: whoever could read it in between is yet
            # to be started, or has been told to stop and reads it no more.
            self._operations += operations
            return
        with self._changed:
            self._operations += operations
            self._changed.notify()

    def _work(self, seconds: float) -> None:
        with self._changed:
            while self._thread is threading.current_thread():
                told = self._changed.wait(None if self._operations else seconds)
                if not told and not self._operations:
                    self._beat()


class AsyncKeeper:
    """Says NOOP from a task; see ``Keeper``."""

    def __init__(self, beat: Callable[[], Awaitable[object]]) -> None:
        self._beat = beat
        self._blocks = 0
        self._operations = 0
        self._since = 0.0
        self._stopping = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def on(self, seconds: float) -> AsyncIterator[None]:
        """Say NOOP after each so many seconds without an operation, to the end of the block."""
        self._blocks += 1
        if self._task is None:
            self._stopping = False
            self._task = asyncio.create_task(self._work(seconds), name="pop3client keep-alive")
            self._rest()
        try:
            yield
        finally:
            self._blocks -= 1
            if not self._blocks:
                await self._stopped()

    def stop(self) -> None:
        """Have the task end: at once, or when its NOOP has been answered."""
        self._stopping = True
        if self._task is not None and self._quiet.is_set():
            self._task.cancel()

    async def _stopped(self) -> None:
        self.stop()
        task, self._task = self._task, None
        if task is not None:
            try:
                await asyncio.wait([task])
            except BaseException:
                task.cancel()
                raise

    async def begin(self) -> None:
        """Stand back: an operation begins. A NOOP under way is waited for."""
        self._operations += 1
        try:
            await self._quiet.wait()
        except BaseException:
            self._operations -= 1
            raise

    def end(self) -> None:
        """The operation has ended."""
        self._operations -= 1
        self._rest()

    def around(self, function: Callable[[T], object]) -> Callable[[T], Awaitable[object]]:
        """Make a function during which the operation that calls it is not under way."""

        async def call(argument: T) -> object:
            self.end()
            try:
                answer = function(argument)
                return await answer if inspect.isawaitable(answer) else answer
            finally:
                await self.begin()

        return call

    def _rest(self) -> None:
        """Begin to count the seconds."""
        if self._task is not None:
            self._since = self._task.get_loop().time()

    async def _work(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            due = self._since + seconds
            if self._operations or loop.time() < due:
                await asyncio.sleep(seconds if self._operations else due - loop.time())
                continue
            self._quiet.clear()
            try:
                await self._beat()
            finally:
                self._quiet.set()
            self._rest()
