"""The mock server in a process of its own, so that it and its client do not share an interpreter.

Run as a program: ``served.py`` reads a scenario from standard input, prints its port, and serves
until it is killed.
"""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Process(NamedTuple):
    """A server in another process.

    Attributes:
        port: Where it listens.
        pid: Its process.
    """

    port: int
    pid: int

    def memory(self) -> int | None:
        """Octets that it holds in memory now; None where that cannot be told."""
        return self._status("VmRSS")

    def most_memory(self) -> int | None:
        """The most octets that it has ever held."""
        return self._status("VmHWM")

    def forget_most_memory(self) -> None:
        """From here on :meth:`most_memory` is the most since now."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, key: str) -> int | None:
        try:
            text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        found = (line.split() for line in text.splitlines())
        return next((int(words[1]) * 1024 for words in found if words[0] == f"{key}:"), None)


@contextlib.contextmanager
def served(scenario: str) -> Iterator[Process]:
    """The mock server, playing a scenario, in another process.

    Args:
        scenario: The text of its file.
    """
    with started([__file__], scenario) as process:
        yield process


@contextlib.contextmanager
def started(program: list[str], text: str = "") -> Iterator[Process]:
    """A Python program that prints its port and serves until it is killed.

    Args:
        program: The file and its arguments.
        text: What it reads from standard input.
    """
    command = [sys.executable, *program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(text)
            server.stdin.close()
            yield Process(int(server.stdout.readline()), server.pid)
        finally:
            server.terminate()


if __name__ == "__main__":
    from pop3mock import MockServer
    from pop3scenarios import loads

    with MockServer(loads(sys.stdin.read())) as mock:
        # What is loaded by now stays: nobody has to look through it for garbage again.
        gc.collect()
        gc.freeze()
        print(mock.port, flush=True)
        threading.Event().wait()
