"""For all tests: a test leaves no thread, no socket and no task behind."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock.plugin import WATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

#: Where Linux lists what a process has open; elsewhere sockets go unchecked.
_OPEN = Path("/proc/self/fd")

#: An event loop wakes itself through a pair of sockets.
_SOCKETS_OF_A_LOOP = 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of ``-n auto``: one and a half for each processor, since many tests wait."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


class Belongings(NamedTuple):
    """What a test must leave as it found it."""

    threads: frozenset[threading.Thread]
    sockets: frozenset[str]

    @classmethod
    def now(cls) -> Belongings:
        """What there is at present; takes microseconds, since it runs twice for each test."""
        return cls(frozenset(threading.enumerate()), frozenset(_sockets()))


def _sockets() -> Iterator[str]:
    for entry in _OPEN.iterdir() if _OPEN.is_dir() else ():
        try:
            target = str(entry.readlink())
        except OSError:  # the descriptor by which the folder itself was read
            continue
        if target.startswith("socket:"):
            yield target


def _tasks_of_servers() -> set[asyncio.Task[object]]:
    from pop3mock import Engine  # only where it is running already

    async def others() -> set[asyncio.Task[object]]:
        await asyncio.sleep(0)  # a task that was cancelled ends in its next turn
        return asyncio.all_tasks() - {asyncio.current_task()}

    with Engine() as engine:
        return engine.run(others())


def _ends(thread: threading.Thread) -> bool:
    """Whether a thread that was told to end does so: rich does not wait for its own."""
    thread.join(1.0)
    return not thread.is_alive()


@pytest.fixture(autouse=True)
def _nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind.

    The plugin keeps the event loop of the mock servers from its first use to the end of the
    session; its thread and its two sockets are no leak, tasks on it are.
    """
    before = Belongings.now()
    yield
    after = Belongings.now()
    threads = after.threads - before.threads
    sockets = after.sockets - before.sockets
    allowed = 0
    watch = request.config.stash.get(WATCH, None)
    if watch is not None:
        engines = {thread for thread in threads if thread.name == "pop3mock"}
        threads -= engines
        allowed = _SOCKETS_OF_A_LOOP * len(engines)
        assert not _tasks_of_servers(), "tasks stay on the servers' event loop"
    threads = {thread for thread in threads if not _ends(thread)}
    assert not threads, f"threads stay: {threads}"
    assert len(sockets) <= allowed, f"{len(sockets) - allowed} socket(s) stay open"
