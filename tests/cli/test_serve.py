"""``pop3kit serve``, as a process of its own: what a client in another language meets."""

from __future__ import annotations

import json
import poplib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Run

#: Seconds after which a server that does not do its part is ended.
PATIENCE = 30.0


class Served:
    """A running ``pop3kit serve``.

    Attributes:
        facts: What its ready line says.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        self.facts: dict[str, Any] = json.loads(line)

    def pop(self) -> poplib.POP3:
        """A client that is connected."""
        return poplib.POP3(self.facts["host"], self.facts["port"], timeout=5)

    def log_in(self, pop: poplib.POP3) -> None:
        """Log in as the first user."""
        pop.user(self.facts["user"])
        pop.pass_(self.facts["password"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End it; the exit status, and what else it said on standard output and error."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out, err


@contextmanager
def served(*arguments: object) -> Iterator[Served]:
    """Run ``pop3kit serve``, and see to it that it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pop3kit", "serve", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    with process:
        try:
            yield Served(process)
        finally:
            process.kill()
            guard.cancel()
            guard.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve(number: signal.Signals) -> None:
    """It tells where it is in one line, serves, ends on a signal, and is content."""
    with served("default") as server:
        pop = server.pop()
        server.log_in(pop)
        count, _ = pop.stat()
        pop.quit()
        ending = server.stop(number)

    assert count == 4
    assert ending == (0, "", "")
    assert server.facts == {
        "scenario": "default",
        "host": "127.0.0.1",
        "port": server.facts["port"],
        "tls": "stls",
        "users": {"alice": "secret", "bob": "hunter2"},
        "user": "alice",
        "password": "secret",
        "ca_file": None,
    }


def test_expectation_broken() -> None:
    """If clients do what the scenario forbids, it ends with 1 and says what they did."""
    with served("stls-broken", "--variant", "refused") as server:
        pop = server.pop()
        server.log_in(pop)
        pop.quit()
        status, out, err = server.stop()

    assert (status, out) == (1, "")
    assert "USER alice: the scenario forbids it outside TLS" in err
    assert "PASS ****: the scenario forbids it outside TLS" in err
    assert "secret" not in err


def test_expectation_broken_at_the_last_moment() -> None:
    """What a client sent before it hung up counts, though the signal comes at once."""
    with served("default") as server:
        with socket.create_connection((server.facts["host"], server.facts["port"]), 5) as sock:
            sock.recv(100)
            sock.sendall(b"NONSENSE\r\n")
        status, _, err = server.stop()

    assert status == 1
    assert "NONSENSE" in err


def test_client_still_there() -> None:
    """A client that does not go, also one that hangs, does not keep it from ending."""
    with served("hang-after-retr") as server:
        pop = server.pop()
        ending = server.stop()
        pop.close()

    assert ending == (0, "", "")


def test_tls(tmp_path: Path) -> None:
    """--tls overrides the scenario, and --ca-file gives what a client has to trust."""
    file = tmp_path / "ca.pem"

    with served("default", "--tls", "implicit", "--ca-file", file) as server:
        pop = poplib.POP3_SSL(
            "localhost",
            server.facts["port"],
            timeout=5,
            context=ssl.create_default_context(cafile=file),
        )
        server.log_in(pop)
        pop.quit()
        status, _, _ = server.stop()

    assert status == 0
    assert (server.facts["tls"], server.facts["ca_file"]) == ("implicit", str(file))
    assert list(tmp_path.iterdir()) == [file]


def test_port() -> None:
    """--port takes that port; one that is taken ends with 74 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pop3kit", "serve", "default", "--port", str(port)],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (74, "", 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr

    with served("default", "--port", port) as server:
        assert server.facts["port"] == port


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["stls-broken"], ["gmail", "--variant", "x"], ["gmail", "--tls=x"]]
)
def test_usage(run: Run, arguments: list[str]) -> None:
    """A scenario that is none, or a variant that is none, is wrong usage; nothing starts."""
    result = run("serve", *arguments)

    assert (result.exit_code, result.stdout) == (64, "")


def test_all_problems_of_a_file(run: Run, tmp_path: Path) -> None:
    """A wrong file gives all its problems, and nothing starts."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text("pop3: 1\nname: odd\nsummary: x\nrulse: []\nwyh: x\n", encoding="utf-8")

    result = run("serve", file)

    assert (result.exit_code, result.stdout) == (64, "")
    assert "odd.pop3.yaml:4:1: " in result.stderr
    assert "odd.pop3.yaml:5:1: " in result.stderr


def test_ca_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """A file that cannot be written ends with 74 and one line; nothing stays running."""
    result = run("serve", "default", "--ca-file", tmp_path / "none" / "ca.pem")

    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (74, "", 1)
