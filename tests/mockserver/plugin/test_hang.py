"""A client that hangs: it is released, and the report says where, and what it waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

HANGS = """\
pop3: 1
name: hangs
summary: hangs in the middle of a message
rules:
  - {when: RETR, cut: 50, then: hang}
"""

FETCH = """
import socket, threading

def fetch(server):
    with socket.create_connection((server.host, server.port)) as sock, sock.makefile("rb") as file:
        file.readline()
        for command in (b"USER alice", b"PASS secret", b"RETR 1"):
            sock.sendall(command + b"\\r\\n")
            file.readline()
        while file.readline() not in (b".\\r\\n", b""):
            pass

@pytest.fixture
def thread(pop3_server):
    thread = threading.Thread(target=fetch, args=(pop3_server,))
    yield thread
    pop3_server.stop()
    thread.join(5)
    assert not thread.is_alive()
"""

STEP = (
    "the server hangs in the answer to RETR 1 (*hangs.pop3.yaml:5), 50 octets into it: "
    "the client waits for more; nothing has happened for *"
)


@pytest.fixture(autouse=True)
def _hangs(pytester: pytest.Pytester) -> None:
    (pytester.path / "hangs.pop3.yaml").write_text(HANGS, encoding="utf-8")


def test_client_in_a_thread(run: Run) -> None:
    """While a test fails, a client that still waits is told of; the end of the test releases it."""
    result = run(FETCH + """
@pytest.mark.pop3("./hangs.pop3.yaml")
def test(pop3_server, thread):
    thread.start()
    pop3_server.wait_for("RETR")
    assert not thread.is_alive()
""")  # fmt: skip

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- pop3 transcript -*", "still connected:", f"  #1 {STEP}"])


def test_client_that_a_teardown_finds(run: Run) -> None:
    """A client that is found hanging only in the teardown is told of by the transcript."""
    result = run(FETCH + """
@pytest.fixture
def found(thread):
    yield
    pytest.fail("the client has not come back")

@pytest.mark.pop3("./hangs.pop3.yaml")
def test(pop3_server, found, thread):
    thread.start()
    pop3_server.wait_for("RETR")
""")  # fmt: skip

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"#1 +* -- released, since the server stops: {STEP}"])


def test_client_that_is_timed_out(run: Run) -> None:
    """pytest-timeout releases a client in the test's own thread; the report is the same."""
    pytest.importorskip("pytest_timeout")

    result = run(FETCH + """
@pytest.mark.timeout(0.5, method="signal")
@pytest.mark.pop3("./hangs.pop3.yaml")
def test(pop3_server):
    fetch(pop3_server)
""")  # fmt: skip

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *Timeout*", f"*{STEP}"])


def test_client_that_gives_up(run: Run) -> None:
    """A client whose own patience ends is told of by the transcript, with what it waited for."""
    result = run(FETCH + """
@pytest.mark.pop3("./hangs.pop3.yaml")
def test(pop3_server):
    socket.setdefaulttimeout(0.2)
    try:
        fetch(pop3_server)
    finally:
        socket.setdefaulttimeout(None)
""")  # fmt: skip

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *TimeoutError*", f"*{STEP}"])


def test_script_that_waits_for_the_client(run: Run, scenario: Path) -> None:
    """Where a script has a next line, it is told."""
    result = run("""
import socket

@pytest.mark.pop3("./scripted.pop3.yaml")
def test(pop3_server, request):
    sock = socket.create_connection((pop3_server.host, pop3_server.port), 5)
    request.addfinalizer(sock.close)
    sock.sendall(b"USER alice\\r\\n")
    pop3_server.wait_for("USER")
    raise RuntimeError
""")

    result.stdout.fnmatch_lines(
        ["  #1 the answer to USER alice (*) was given: *, which the script has as C: QUIT (*:8); *"]
    )
