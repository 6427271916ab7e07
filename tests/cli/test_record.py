"""``pop3kit record``: a client through the proxy, and the same client before what was written."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pop3check import Limits, Target, check_all
from pop3kit._linting import findings
from pop3mock import MockServer
from pop3scenarios import load, loads

from ._clientsrun import with_curl, with_poplib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._clientsrun import TLSMode

pytestmark = pytest.mark.once

REAL = "Xq7-real-password"
MAIL = """
maildrop:
  - {subject: One, body: "Hello."}
  - {subject: Two, body: ".\\n..\\nends"}
"""


def server(more: str = "", password: str = REAL) -> MockServer:
    """A server before which the proxy stands; what it has for a password is nobody's."""
    head = "pop3: 1\nname: real\nsummary: s\n"
    return MockServer(loads(f"{head}server: {{users: {{alice: {password}}}}}\n{more or MAIL}"))


@contextmanager
def recording(url: str, path: Path, *options: object) -> Iterator[dict[str, object]]:
    """The command as it runs; its line of JSON. It has to end by itself, with status 0."""
    command = [sys.executable, "-m", "pop3kit", "record", url, "-o", str(path)]
    process = subprocess.Popen(
        [*command, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            facts: dict[str, object] = json.loads(process.stdout.readline())
            facts["process"] = process
            yield facts
            facts["status"] = process.wait(20)
        except BaseException:
            process.kill()
            raise
        facts["stderr"] = process.stderr.read()


def port_of(facts: dict[str, object]) -> int:
    """Where the proxy listens."""
    port = facts["port"]
    assert isinstance(port, int)
    return port


@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
def test_poplib_gets_the_same_mail_again(tls: TLSMode, tmp_path: Path) -> None:
    """Through the proxy, then from the mock that plays the file, with a password that is none."""
    path, ca = tmp_path / "seen.pop3.yaml", tmp_path / "ca.pem"
    with server(MAIL + f"tls: {{mode: {tls}}}\n") as real:
        authority = tmp_path / "real.pem"
        authority.write_bytes(real.ca_pem)
        scheme = "pop3s" if tls == "implicit" else "pop3"
        url = f"{scheme}://localhost:{real.port}"
        more = ("--connections", 1, "--ca-file", ca, "--cafile", authority)
        with recording(url, path, *more) as facts:
            trust = ssl.create_default_context(cafile=ca)
            first = with_poplib(port_of(facts), "alice", REAL, tls=tls, trust=trust)

    with MockServer(path) as mock:
        again = with_poplib(mock.port, "alice", "secret", tls=tls, trust=mock.client_context())
        faults = mock.broken_expectations()

    assert (facts["status"], len(first)) == (0, 2), facts
    assert first == again
    assert faults == []
    assert findings([path]) == []
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert all(REAL.encode() not in file.read_bytes() for file in written)


def test_curl_gets_the_same_mail_again(tmp_path: Path) -> None:
    """On several connections, one behind the other, with SASL."""
    if shutil.which("curl") is None:
        pytest.skip("a peer is missing: install curl")
    path = tmp_path / "seen.pop3.yaml"
    with (
        server() as real,
        recording(f"pop3://localhost:{real.port}", path, "--connections", 2) as facts,
    ):
        first = with_curl(port_of(facts), "alice", REAL, [1, 2])

    with MockServer(path) as mock:
        again = with_curl(mock.port, "alice", "secret", [1, 2])
        faults = mock.broken_expectations()

    assert facts["status"] == 0, facts["stderr"]
    assert first == again
    assert faults == []
    assert findings([path]) == []
    sent = base64.b64encode(f"\0alice\0{REAL}".encode()).decode()
    assert sent not in path.read_text()


def test_checker_holds_the_server_to_the_file(tmp_path: Path) -> None:
    """The server that was recorded passes; another one does not."""
    path = tmp_path / "seen.pop3.yaml"
    with server() as real:
        with recording(f"pop3://localhost:{real.port}", path, "--connections", 1) as facts:
            trust = ssl.create_default_context()
            with_poplib(port_of(facts), "alice", REAL, trust=trust)
        own = verdict(real, path)
    with server(MAIL + 'rules: [{when: PASS, text: "come in"}]\n') as another:
        other = verdict(another, path)

    assert (own, other) == ("PASS", "FAIL")


def test_one_message_of_many_is_checked(tmp_path: Path) -> None:
    """A client that fetched one message of two, uncounted, leaves a file that its server passes."""
    path = tmp_path / "seen.pop3.yaml"
    with server() as real:
        with recording(f"pop3://localhost:{real.port}", path, "--connections", 1) as facts:
            fetched_alone(port_of(facts))
        own = verdict(real, path)

    assert facts["status"] == 0, facts["stderr"]
    assert own == "PASS"


def fetched_alone(port: int) -> None:
    """Fetch the first message without a question how many there are."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain, plain.makefile("rb") as lines:
        lines.readline()
        for line in ("USER alice", f"PASS {REAL}", "RETR 1", "QUIT"):
            plain.sendall(line.encode() + b"\r\n")
            lines.readline()
            while line == "RETR 1" and lines.readline() != b".\r\n":
                pass


def verdict(real: MockServer, path: Path) -> str:
    """How the file, as a case, comes out against a server."""
    target = Target(host=real.host, port=real.port, user="alice", password=REAL)
    return check_all(target, [load(path)], limits=Limits()).verdicts[0].outcome.value


@pytest.mark.parametrize(
    "body",
    [
        f"your password is {REAL}.",
        base64.b64encode(b"x" + REAL.encode() + b"y").decode(),
        REAL.encode().hex(),
        REAL.upper(),
    ],
    ids=["plain", "base64", "hex", "other case"],
)
def test_secret_that_comes_back_is_not_written(body: str, tmp_path: Path) -> None:
    """A secret in a message cannot be taken out: nothing is on the disk, and the error says why."""
    path = tmp_path / "seen.pop3.yaml"
    with (
        server(f"maildrop: [{{subject: One, body: {body!r}}}]\n") as real,
        recording(f"pop3://localhost:{real.port}", path, "--connections", 1) as facts,
    ):
        with_poplib(port_of(facts), "alice", REAL, trust=ssl.create_default_context())

    assert facts["status"] == 1
    assert "nothing was written" in str(facts["stderr"])
    assert REAL not in str(facts["stderr"])
    assert list(tmp_path.iterdir()) == []


def test_ends_on_a_signal(tmp_path: Path) -> None:
    """Ctrl-C ends the recording, and what was heard is written."""
    path = tmp_path / "seen.pop3.yaml"
    with server() as real, recording(f"pop3://localhost:{real.port}", path) as facts:
        with_poplib(port_of(facts), "alice", REAL, trust=ssl.create_default_context())
        process = facts["process"]
        assert isinstance(process, subprocess.Popen)
        process.send_signal(signal.SIGINT)

    assert facts["status"] == 0, facts["stderr"]
    assert "alice" in load(path).users


def test_server_form(tmp_path: Path) -> None:
    """As a server the file answers what was asked as the server did, and has its odd words."""
    path = tmp_path / "seen.pop3.yaml"
    odd = (
        MAIL + 'quirks: [retr-without-size]\nrules: [{when: STAT, text: "{count} {octets} here"}]\n'
    )
    with server(odd) as real:
        more = ("--connections", 1, "--as", "server")
        with recording(f"pop3://localhost:{real.port}", path, *more) as facts:
            first = with_poplib(port_of(facts), "alice", REAL, trust=ssl.create_default_context())

    with MockServer(path) as mock:
        again = with_poplib(mock.port, "alice", "secret", trust=mock.client_context())
        with socket.create_connection(("127.0.0.1", mock.port), 5) as plain:
            plain.sendall(b"USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n")
            said = b"".join(iter(lambda: plain.recv(4096), b""))

    assert facts["status"] == 0, facts["stderr"]
    assert first == again
    assert b" here\r\n" in said
    assert load(path).file.quirks == ("retr-without-size",)
    assert findings([path]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://x",), "expected pop3://"),
        (("pop3://alice:secret@localhost",), "password"),
        (("pop3://localhost", "-o", "x.yaml"), ".pop3.yaml"),
        (("pop3://localhost", "--listen", "here"), "HOST:PORT"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str, run: object) -> None:
    """What cannot be recorded is told before anybody connects, with the status of usage."""
    result = run("record", *arguments)  # type: ignore[operator]  # the fixture's protocol

    assert result.exit_code == 64
    assert said in result.stderr
