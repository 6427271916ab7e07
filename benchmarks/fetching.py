"""What the client costs, against Python's own poplib, from the same server in another process."""

from __future__ import annotations

import poplib
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Row, paired

import pop3client

if TYPE_CHECKING:
    from collections.abc import Callable


def rows(*, quick: bool) -> list[Row]:
    """Many small messages, and a few big ones, in each retrieval mode."""
    sizes = [(100, 4096), (2, 1 << 20)] if quick else [(2000, 4096), (20, 10 << 20)]
    return [
        measure(count, octets, mode, rounds=2 if quick else 7)
        for count, octets in sizes
        for mode in pop3client.RetrMode
    ]


def measure(count: int, octets: int, mode: pop3client.RetrMode, *, rounds: int) -> Row:
    """Fetch a maildrop with both clients in turn."""
    command = [sys.executable, str(Path(__file__).with_name("canned.py")), str(count), str(octets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            mine, theirs, ratio = paired(ours(port, mode), peer(port), rounds)
        finally:
            server.terminate()
    total = count * octets
    return Row(
        f"{count} messages of {octets // 1024} KiB, mode {mode.value}, against poplib",
        f"{total / mine / 1e6:.0f} MB/s",
        f"{total / theirs / 1e6:.0f} MB/s",
        f"{ratio:.1f}",
        "times poplib's rate",
    )


def ours(port: int, mode: pop3client.RetrMode) -> Callable[[], None]:
    """Fetch all with pop3client."""

    def run() -> None:
        with pop3client.connect("127.0.0.1", "a", "b", port=port, retr_mode=mode) as client:
            for message in client.iter_retrieve("start", "end"):
                assert message.raw

    return run


def peer(port: int) -> Callable[[], None]:
    """Fetch all with poplib."""

    def run() -> None:
        pop = poplib.POP3("127.0.0.1", port, timeout=60)
        pop.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pop.user("a")
        pop.pass_("b")
        for number in range(1, pop.stat()[0] + 1):
            assert pop.retr(number)
        pop.quit()

    return run
