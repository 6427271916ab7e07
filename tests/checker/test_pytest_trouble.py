"""What a session of pytest cannot ask a server, and what it brings and may do to be able to."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from socketserver import StreamRequestHandler, TCPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

import pop3check._pytest_items  # noqa: F401 - runs in this process find it, and need not load it
from pop3check import select
from pop3check.probes import load_probes
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.once

load_probes()  # once per process: runs in this process forget what they have loaded themselves

#: Goes away instead of answering PASS.
GOES = """\
pop3: 1
name: goes
summary: goes away at the login
rules: [{when: PASS, cut: 0, then: close}]
"""


def _errors_and_skips(result: pytest.RunResult, reason: str) -> tuple[int, int]:
    """How many errors there are, and how many cases were skipped for a reason."""
    told = [line for line in result.outlines if line.startswith("SKIPPED") and reason in line]
    counts = [int(line.partition("[")[2].partition("]")[0]) for line in told]
    return result.parseoutcomes().get("errors", 0), sum(counts)


def test_refused_login_is_one_error(
    run: Run, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused login is not green: one error says so, and all others that need it skip."""
    monkeypatch.setenv("POP3KIT_PASSWORD", "wrong")
    reason = "the login was refused: -ERR "

    result = run(server, "-k", "RFC1939-5-0 or RFC1939-4-01", "-rsE")

    errors, skipped = _errors_and_skips(result, reason)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert errors == 1
    assert skipped > 3
    assert result.parseoutcomes()["passed"] == 1  # what needs no login is asked
    result.stdout.fnmatch_lines([f"RFC1939-5-0* is inconclusive: {reason}*"])
    assert len(server.journal.connections) < 5  # nothing is gained by asking again


def test_login_that_was_not_reached_is_an_error(run: Run) -> None:
    """A server that goes away at the login is an error, too, for those that need a login."""
    with MockServer(loads(GOES)) as server:
        result = run(server, "-k", "RFC1939-5-35 or RFC1939-5-06", "-rs")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert _errors_and_skips(result, "no login: after PASS: ") == (1, 1)


def test_dead_server_is_one_error(run: Run) -> None:
    """Where nobody listens, one error says so, and all others skip."""
    with MockServer() as server:
        pass

    result = run(server, "-k", "RFC1939-5-0 or RFC1939-4-0", "-rs")

    errors, skipped = _errors_and_skips(result, "the server cannot be asked: cannot connect ")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert errors == 1
    assert skipped > 3
    assert set(result.parseoutcomes()) == {"errors", "skipped", "deselected"}


def test_no_tls_is_one_error(run: Run) -> None:
    """Where TLS is not to be had, one error says so; what only has to connect is asked."""
    with MockServer(tls="none") as server:
        result = run(server, "-k", "RFC1939-5-0 or RFC1939-4-0", "-rs", "-o", "pop3_check_tls=stls")

    errors, skipped = _errors_and_skips(result, "the server cannot be asked: STLS is refused")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert errors == 1
    assert skipped > 3
    assert result.parseoutcomes()["passed"] == 1


class _Postman(StreamRequestHandler):
    """Puts what it is sent into the maildrop of a server."""

    pop3: ClassVar[MockServer]

    def handle(self) -> None:
        """Take one message, and say that it is there."""
        self.pop3.deliver(self.rfile.read(), user="alice")
        self.wfile.write(b"ok")


POST = """\
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(sys.stdin.buffer.read())
    sock.shutdown(socket.SHUT_WR)
    sys.exit(sock.recv(2) != b"ok")
"""


def test_seed_command(run: Run, server: MockServer, pytester: pytest.Pytester) -> None:
    """A command brings messages of the run's own: cases about them are asked, marks set on them."""
    pytester.makepyfile(post=POST)
    _Postman.pop3 = server
    cases = ("-k", "RFC1939-5-20 or RFC1939-5-30", "-o", "pop3_check_allow=mark")

    without = run(server, *cases, "-rs")
    with TCPServer(("127.0.0.1", 0), _Postman) as post, ThreadPoolExecutor(1) as pool:
        pool.submit(post.serve_forever, 0.01)
        command = f"{sys.executable} -IS post.py {post.server_address[1]}"
        result = run(server, *cases, "-o", f"pop3_check_seed_command={command}")
        post.shutdown()

    without.assert_outcomes(skipped=2, deselected=len(select()) - 1)
    without.stdout.fnmatch_lines(["SKIPPED *of the run's own * (pop3_check_seed_command)"])
    result.assert_outcomes(passed=2, deselected=len(select()) - 1)
    assert "DELE" in {command.split(" ")[0] for command in server.journal.commands}


def test_seed_command_that_fails(run: Run, server: MockServer) -> None:
    """If no message can be brought, that is one error, and the cases about them are skipped."""
    result = run(
        server, "-k", "RFC1939-5-20 or RFC1939-5-24 or RFC1939-5-06", "-rs",
        "-o", "pop3_check_seed_command=false",
    )  # fmt: skip

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["passed"] == 1
    assert _errors_and_skips(result, "no message of the run's own has arrived: ") == (1, 1)


def test_login_failures(run: Run, server: MockServer) -> None:
    """As many logins fail on purpose as may; what is skipped then names the ini option."""
    cases = ("-k", "RFC1939-7-30 or RFC1939-3-25", "-rs")

    none = run(server, *cases, "-o", "pop3_check_login_failures=0")
    one = run(server, *cases, "-o", "pop3_check_login_failures=1")

    none.assert_outcomes(skipped=2, deselected=len(select()) - 1)
    one.assert_outcomes(passed=1, skipped=1, deselected=len(select()) - 1)
    for result in (none, one):
        result.stdout.fnmatch_lines(["SKIPPED *on purpose* (pop3_check_login_failures)"])
