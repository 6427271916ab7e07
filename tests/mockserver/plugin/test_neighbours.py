"""The plugin beside others that such suites have: no name clashes, and all work in one test."""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

#: What tox installs together for this, in the environments newest and oldest.
NEIGHBOURS = (
    "anyio",
    "pytest_asyncio",
    "pytest_httpserver",
    "pytest_localserver",
    "pytest_randomly",
    "pytest_timeout",
    "trio",
    "xdist",
)
MISSING = [name for name in NEIGHBOURS if find_spec(name) is None]

together = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


def fixtures_of(lines: list[str], plugin: str) -> list[str]:
    """The names that ``--fixtures`` tells of a plugin; of all others if it begins with a ``-``."""
    heads = [number for number, line in enumerate(lines) if re.match(r"-+ fixtures defined", line)]
    found = []
    for head in heads:
        section = takewhile(lambda line: not re.match(r"-+ fixtures|=", line), lines[head + 1 :])
        if (plugin.lstrip("-") in lines[head]) != plugin.startswith("-"):
            found += [line.split()[0] for line in section if re.match(r"[a-z_]+.* -- ", line)]
    return found


def test_prefix(run: Run) -> None:
    """Each fixture of the plugin begins with its prefix, and none of anybody else's does."""
    lines = run("", "--fixtures").outlines

    ours = fixtures_of(lines, "pop3mock.plugin")
    theirs = fixtures_of(lines, "-pop3mock.plugin")

    assert len(ours) >= 7
    assert [name for name in ours if not name.startswith("pop3_")] == []
    assert [name for name in theirs if name.startswith("pop3")] == []


def test_options_and_settings_have_the_prefix(run: Run) -> None:
    """So do its marker, its options and its settings."""
    result = run(
        """
def test(pytestconfig):
    plugin = pytestconfig.pluginmanager.get_plugin("pop3kit")
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    options = [
        name
        for group in [parser._anonymous, *parser._groups]
        for option in group.options
        for name in option.names()
    ]
    assert [name for name in options if not name.startswith("--pop3-")] == []
    assert [name for name in parser._inidict if not name.startswith("pop3_")] == []
    assert {"pop3_strict", "pop3_scenario_paths"} <= set(parser._inidict)
""",
        "-W",
        "ignore::pytest.PytestDeprecationWarning",
    )

    result.assert_outcomes(passed=1)


TOGETHER = """
import asyncio
import time
import urllib.request

pytestmark = pytest.mark.timeout(60)

@pytest.mark.asyncio
@pytest.mark.pop3("./odd.pop3.yaml")
async def test_asyncio(pop3_server):
    reader, writer = await asyncio.open_connection(pop3_server.host, pop3_server.port)
    assert (await reader.readline()).startswith(b"+OK odd")
    writer.write(b"QUIT\\r\\n")
    await reader.readline()
    writer.close()
    await writer.wait_closed()

@pytest.mark.anyio
async def test_anyio(pop3_server, anyio_backend_name):
    import anyio
    async with await anyio.connect_tcp(pop3_server.host, pop3_server.port) as stream:
        await stream.send(b"QUIT\\r\\n")
        assert await stream.receive()

@pytest.mark.pop3("gmail", tls="implicit")
def test_http_and_mail(pop3_server, httpserver, talk):
    other = pop3_server.run("dovecot", tls="none")
    assert talk(other, "QUIT")[1].startswith(b"+OK")
    assert httpserver.url_for("/") if hasattr(httpserver, "url_for") else httpserver.url

@pytest.mark.parametrize("turn", range(20))
def test_many(pop3_server, talk, turn):
    talk(pop3_server, "QUIT")
    assert pop3_server.journal == ["QUIT"]

def test_bad(pop3_server, talk):
    talk(pop3_server, "XYZZY")
"""


@together
def test_together(run: Run, pytester: pytest.Pytester, scenario: Path) -> None:
    """In one suite, in random order, over several processes, each test has its own server."""
    run(TOGETHER, "--collect-only")

    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-n", "2", "--strict-markers", "--strict-config"
    )

    result.assert_outcomes(passed=25, failed=1)
    result.stdout.fnmatch_lines(["*POP3 client: default: #1 unexpected XYZZY: *"])
