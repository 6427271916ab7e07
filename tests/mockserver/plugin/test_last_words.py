"""What clients do last, in the teardown of a test or as it ends, is judged too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

    Expecting = Callable[[str], str]


def test_last_words(run: Run) -> None:
    """What a client sends at the very last, and whose answer it does not await, is judged too."""
    result = run("""
import socket

def test(pop3_server):
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        sock.sendall(b"USER alice\\r\\nPASS secret\\r\\n" + b"NOOP\\r\\n" * 10_000)
        sock.sendall(b"XYZZY\\r\\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
        sock.close()
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unexpected XYZZY*"])


def test_last_words_inside_tls(run: Run) -> None:
    """So is what it sends inside TLS, and then goes away at once."""
    result = run("""
import socket

@pytest.mark.pop3(tls="implicit")
def test(pop3_server, pop3_client_context):
    with (
        socket.create_connection((pop3_server.host, pop3_server.port), 5) as plain,
        pop3_client_context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        sock.recv(1024)
        sock.sendall(b"XYZZY\\r\\n")
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: *unexpected XYZZY*"])


def test_client_that_is_quicker_than_the_server(run: Run) -> None:
    """A client is judged by all that it has sent, however far the server has come."""
    result = run("""
import socket, threading
from pop3mock import Engine

gate = threading.Event()

class Opener:
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self):
        yield
        gate.set()

@pytest.fixture
def opener(pytestconfig):
    pytestconfig.pluginmanager.register(Opener())

def test(pop3_server, opener, request):
    with Engine() as engine:
        engine.loop.call_soon_threadsafe(gate.wait, 5)
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        sock.sendall(b"XYZZY\\r\\n")
        sock.shutdown(socket.SHUT_WR)
        request.addfinalizer(sock.dup().close)
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: *unexpected XYZZY*"])


QUITTER = """
import socket

@pytest.fixture
def client(pop3_server):
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        with sock.makefile("rb") as file:
            file.readline()
            sock.sendall(b"USER alice\\r\\n")
            file.readline()
            yield sock
            sock.sendall({last})
            file.readline()

@pytest.mark.pop3({scenario})
def test(client): ...
"""


def test_client_that_a_fixture_closes(run: Run, scenario: Path) -> None:
    """A client that is still connected after the test may yet finish its script."""
    result = run(QUITTER.format(last=r'b"QUIT\r\n"', scenario='"./scripted.pop3.yaml"'))

    result.assert_outcomes(passed=1)


def test_expectation_of_a_client_that_a_fixture_closes(
    run: Run, scenario: Path, expecting: Expecting
) -> None:
    """It may yet do what the scenario demands; if it does not, its end is an error."""
    (scenario / "picky.pop3.yaml").write_text(expecting("always: [CAPA]"), encoding="utf-8")

    good = run(QUITTER.format(last=r'b"CAPA\r\n"', scenario='"./picky.pop3.yaml", strict=None'))
    bad = run(QUITTER.format(last=r'b"QUIT\r\n"', scenario='"./picky.pop3.yaml"'))

    good.assert_outcomes(passed=1)
    bad.assert_outcomes(passed=1, errors=1)
    bad.stdout.fnmatch_lines(["*picky: CAPA: *(always)*"])


def test_client_that_a_fixture_closes_badly(run: Run, scenario: Path) -> None:
    """What it does wrong after the test is an error of the tear-down, with the transcript."""
    result = run(QUITTER.format(last=r'b"XYZZY\r\n"', scenario='"./scripted.pop3.yaml"'))

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines_random(
        ["*#1 unexpected XYZZY: expected C: QUIT*", "#1 +0.* C: XYZZY"]
    )
