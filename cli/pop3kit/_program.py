"""A program run to its end, or to the end of one's patience, with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Names the run in the environment of all that the program starts, whatever becomes of its parents.
_MARK = "POP3KIT_EXERCISE"

#: Seconds between two looks at what goes on in the background.
_LOOK = 0.1

#: Seconds without an open connection after which what runs in the background has no more to do.
_QUIET = 1.0

#: Seconds in which the system takes away what was killed.
_BURIAL = 5.0

#: A shell says with 128 and the signal that a signal ended what it ran; these are no one's wish.
_CRASHES = ("SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGPIPE", "SIGSYS")
_SHELL = 128


class End(NamedTuple):
    """How a program ended.

    Attributes:
        status: Its exit status; None if a signal ended it, or it was killed.
        signal: The name of the signal that it, or what its shell ran, died of; empty if none.
        hung: It was killed since its time was over.
        stayed: It ended, and left something running that was killed.
        seconds: How long it took.
    """

    status: int | None
    signal: str
    hung: bool
    stayed: bool
    seconds: float


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    out: Path,
    errors: Path,
    limit: float,
    busy: Callable[[], bool],
) -> End:
    """Run a program; what it has started is over when this returns.

    A program that goes on in the background is waited for: until it ends, until it has had no
    connection for a while, or until the time is over.

    Args:
        command: The program and its arguments.
        environment: Its environment.
        out: The file for its standard output.
        errors: The file for its standard error.
        limit: Seconds that it may take.
        busy: Says whether it has a connection, or has not had one yet.

    Raises:
        OSError: It cannot be started.
    """
    mark = uuid.uuid4().hex
    began = time.monotonic()
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - it is what the user asks for
            command,
            env={**environment, _MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        hung = not _ends(process, limit)
        stayed = False
        if not hung:
            hung, stayed = _background(process.pid, mark, began + limit, busy)
        seconds = time.monotonic() - began
    finally:
        _kill(process, mark)
    # Its own status tells more than that something of it had to be killed.
    killed = hung and not stayed
    return End(
        status=None if killed or process.returncode < 0 else process.returncode,
        signal="" if killed else _signal(process.returncode),
        hung=hung,
        stayed=stayed,
        seconds=seconds,
    )


def _ends(process: subprocess.Popen[bytes], limit: float) -> bool:
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        return False
    return True


def _background(
    leader: int, mark: str, deadline: float, busy: Callable[[], bool]
) -> tuple[bool, bool]:
    """Wait for what runs on; whether it hung, and whether there is something to be killed."""
    quiet_since = time.monotonic()
    while family := _family(leader, mark):
        now = time.monotonic()
        if busy():
            quiet_since = now
        if now >= deadline:
            return busy(), True
        if now - quiet_since >= _QUIET:
            return False, True
        psutil.wait_procs(family, timeout=min(_LOOK, deadline - now))
    return False, False


def _family(leader: int, mark: str) -> list[psutil.Process]:
    """What runs of a program's group, and what of it has left the group but kept the mark."""
    return [process for process in psutil.process_iter() if _belongs(process, leader, mark)]


def _belongs(process: psutil.Process, leader: int, mark: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if hasattr(os, "getpgid") and os.getpgid(process.pid) == leader:
            return True
        return process.environ().get(_MARK) == mark
    except (psutil.Error, OSError):
        return False  # it is gone, or somebody else's


def _kill(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill a program and all of its family; who forks meanwhile is found the next time."""
    # By its own object, and first: who else waits for it takes its status away.
    process.kill()
    process.wait(_BURIAL)
    deadline = time.monotonic() + _BURIAL
    while (family := _family(process.pid, mark)) and time.monotonic() < deadline:
        for each in family:
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(family, timeout=_LOOK)


def _signal(status: int) -> str:
    """The name of the signal that an exit status tells of."""
    if status < 0:
        return _name(-status)
    name = _name(status - _SHELL) if status > _SHELL else ""
    return name if name in _CRASHES else ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
