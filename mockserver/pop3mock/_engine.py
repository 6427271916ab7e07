"""The event loop on which all servers of the process run, in a thread of its own.

The thread starts with the first server and ends with the last, so that a process that has stopped
its servers has no thread more than before. Whoever runs many servers one after the other (the
pytest plugin does) keeps a lease in between and pays for the thread once.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Any, Self

_T = TypeVar("_T")


class Engine:
    """A lease of the shared event loop; the loop runs while anybody holds one.

    Raises:
        RuntimeError: The loop does not run yet, and the system gives it no thread.
    """

    _mutex = threading.Lock()
    _leases = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    def __init__(self) -> None:
        cls = type(self)
        with cls._mutex:
            if cls._leases == 0:
                cls._start()
            cls._leases += 1
            assert cls._loop is not None
            self.loop = cls._loop
        self._held = True

    @classmethod
    def _start(cls) -> None:
        loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            loop.run_forever()

        thread = threading.Thread(target=run, name="pop3mock", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread to give
            loop.close()
            raise
        ready.wait()
        cls._loop, cls._thread = loop, thread

    def run(self, work: Coroutine[Any, Any, _T], timeout: float = 10.0) -> _T:
        """Run a coroutine on the loop and wait for its result.

        Args:
            work: The coroutine.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: It took longer.
        """
        future = self.begin(work)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def begin(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run a coroutine on the loop, before all that is asked of the loop later.

        Args:
            work: The coroutine.

        Returns:
            What waits for its result.
        """
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def release(self) -> None:
        """Give the lease back; the last one ends the thread."""
        cls = type(self)
        with cls._mutex:
            if not self._held:
                return
            self._held = False
            cls._leases -= 1
            if cls._leases == 0:
                self._stop()

    @classmethod
    def _stop(cls) -> None:
        loop, thread = cls._loop, cls._thread
        cls._loop = cls._thread = None
        assert loop is not None
        assert thread is not None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
