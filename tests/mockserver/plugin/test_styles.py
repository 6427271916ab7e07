"""One fixture for every style of test: classes, asyncio, trio, threads and other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

    Suite = Callable[[str], pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester, settings: Path) -> Suite:
    """Run a test file in a process of its own: old plugins leave event loops behind."""

    def suite(source: str) -> pytest.RunResult:
        pytester.makepyfile("import pytest\n" + source)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")

    return suite


UNITTEST = """
import poplib
import unittest

def first_line(server, command="QUIT"):
    pop = poplib.POP3(server.host, server.port, timeout=5)
    try:
        return pop._shortcmd(command)
    except poplib.error_proto as error:
        return error.args[0]
    finally:
        pop.close()

@pytest.mark.pop3("gmail", tls="none")
class TestPlain(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _server(self, pop3_server):
        self.server = pop3_server

    def test_class(self):
        self.assertEqual("gmail", self.server.scenario.name)

    @pytest.mark.pop3("dovecot")
    def test_closest(self):
        other = self.server.run("./odd.pop3.yaml", variant="second")
        self.assertEqual("dovecot", self.server.scenario.name)
        self.assertEqual("odd[second]", other.scenario.name)
        self.assertTrue(first_line(other).startswith(b"+OK"))

    @pytest.mark.pop3(strict=False)
    def test_forgiven(self):
        first_line(self.server, "XYZZY")

class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _server(self, pop3_server):
        self.server = pop3_server

    async def test_good(self):
        import asyncio
        answer = await asyncio.to_thread(first_line, self.server)
        self.assertTrue(answer.startswith(b"+OK"))

    async def test_bad(self):
        import asyncio
        await asyncio.to_thread(first_line, self.server, "XYZZY")
"""


def test_unittest(run: Run, scenario: Path) -> None:
    """Classes of unittest take the server by a fixture of theirs, blocking and on asyncio."""
    result = run(UNITTEST)

    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["POP3 client: default: #1 unexpected XYZZY: *"])


@pytest.mark.once
def test_asyncio(suite: Suite) -> None:
    """Tests and fixtures of pytest-asyncio use the same server, and are judged."""
    result = suite("""
import asyncio
import pytest_asyncio

@pytest_asyncio.fixture
async def ask(pop3_server):
    reader, writer = await asyncio.open_connection(pop3_server.host, pop3_server.port)
    await reader.readline()

    async def ask(command):
        writer.write(command + b"\\r\\n")
        return await reader.readline()

    yield ask
    writer.close()
    await writer.wait_closed()

@pytest.mark.asyncio
@pytest.mark.pop3("servers/dovecot*", tls="none")
async def test_good(ask, pop3_server):
    assert (await ask(b"QUIT")).startswith(b"+OK")
    assert pop3_server.scenario.name.startswith("dovecot")

@pytest.mark.asyncio
async def test_several(pop3_server):
    async def visit(server):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"QUIT\\r\\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    servers = [pop3_server, pop3_server.run(), pop3_server.run("gmail", tls="none")]
    assert all(await asyncio.gather(*map(visit, servers)))

@pytest.mark.asyncio
async def test_bad(ask):
    await ask(b"XYZZY")
""")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["POP3 client: default: #1 unexpected XYZZY: *"])


@pytest.mark.once
def test_anyio(suite: Suite) -> None:
    """So do tests of anyio's plugin, on both of its back ends, and one that runs trio itself."""
    pytest.importorskip("trio")

    result = suite("""
import anyio
import trio

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param

@pytest.fixture
async def ask(pop3_server):
    async with await anyio.connect_tcp(pop3_server.host, pop3_server.port) as stream:
        await stream.receive()

        async def ask(command):
            await stream.send(command + b"\\r\\n")
            return await stream.receive()

        yield ask

@pytest.mark.anyio
@pytest.mark.pop3("stls-broken", variant="refused", strict=False)
async def test_good(ask, pop3_server):
    assert (await ask(b"STLS")).startswith(b"-ERR")
    await anyio.to_thread.run_sync(lambda: pop3_server.wait_for("STLS"))

@pytest.mark.anyio
async def test_bad(ask):
    await ask(b"XYZZY")

@pytest.mark.pop3(tls="implicit")
def test_trio(pop3_server, pop3_client_context):
    async def visit():
        stream = await trio.open_ssl_over_tcp_stream(
            pop3_server.host, pop3_server.port, ssl_context=pop3_client_context,
            https_compatible=True,
        )
        async with stream:
            await stream.receive_some(1024)
            await stream.send_all(b"QUIT\\r\\n")
            return await stream.receive_some(1024)

    assert trio.run(visit).startswith(b"+OK")
    assert pop3_server.journal == ["QUIT"]
""")

    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["POP3 client: default: #1 unexpected XYZZY: *"] * 2)


def test_threads(run: Run) -> None:
    """Clients in threads of the code under test are served at once, and judged."""
    result = run("""
import poplib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

def visits(server, command, count=8):
    together = Barrier(count)

    def visit(_):
        pop = poplib.POP3(server.host, server.port, timeout=5)
        together.wait(5)
        try:
            return pop._shortcmd(command)
        except poplib.error_proto as error:
            return error.args[0]
        finally:
            pop.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(visit, range(count)))

def test_good(pop3_server):
    assert all(answer.startswith(b"+OK") for answer in visits(pop3_server, "QUIT"))
    assert pop3_server.journal.count("QUIT") == 8

def test_bad(pop3_server):
    visits(pop3_server, "XYZZY")
""")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["POP3 client: 8 things that no scenario expects"])


def test_processes(run: Run) -> None:
    """A program under test is told address, user and authority; what it does is judged."""
    result = run("""
import subprocess, sys

PROGRAM = '''
import poplib, ssl, sys
host, port, ca, user, password, last = sys.argv[1:]
pop = poplib.POP3(host, int(port), timeout=5)
pop.stls(ssl.create_default_context(cafile=ca))
pop.user(user)
pop.pass_(password)
print(pop.stat()[0])
pop._putcmd(last)
pop._getline()
'''

@pytest.fixture
def program(pop3_server, pop3_ca):
    def program(last):
        command = [sys.executable, "-c", PROGRAM, pop3_server.host, str(pop3_server.port),
                   str(pop3_ca), *pop3_server.credentials, last]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return program

def test_good(program, pop3_server):
    pop3_server.deliver(subject="One more")
    assert int(program("QUIT").stdout) == len(pop3_server.maildrop)

def test_bad(program):
    program("XYZZY")
""")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["POP3 client: default: #1 unexpected XYZZY: *"])
