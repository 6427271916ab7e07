"""A suite of a user's, with our plugin in it, that runs inside a test."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

# Runs in this process drop what they import; what is imported here they find, and need not load
# again. Some of it (trustme's cryptography) can be loaded only once per process.
import hypothesis  # noqa: F401
import pytest
import trustme  # noqa: F401

import pop3mock._pytest_params
import pop3mock._pytest_report
import pop3mock._pytest_servers
import pop3mock._pytest_watch  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Protocol

    class Run(Protocol):
        def __call__(self, source: str, *args: str) -> pytest.RunResult: ...


#: pytest-asyncio before 0.24, which is the newest for pytest 8.0, does not know the option that
#: later ones ask for. With it pluggy warns of each error of collection, whoever raised it, and
#: event loops are left open.
_OLD_ASYNCIO = tuple(map(int, version("pytest-asyncio").split(".")[:2])) < (0, 24)

INI = f"""
[pytest]
asyncio_mode = strict
{"" if _OLD_ASYNCIO else "asyncio_default_fixture_loop_scope = function"}
filterwarnings =
    error
    {"ignore::pluggy.PluggyTeardownRaisedWarning" if _OLD_ASYNCIO else ""}
    {"ignore:unclosed:ResourceWarning" if _OLD_ASYNCIO else ""}
"""

CONFTEST = """
import socket
import pytest

@pytest.fixture
def talk():
    def talk(server, *commands):
        address = server.host, server.port
        with socket.create_connection(address, 5) as sock, sock.makefile("rb") as file:
            answers = [file.readline()]
            for command in commands:
                sock.sendall(command.encode() + b"\\r\\n")
                answers.append(file.readline())
        return answers
    return talk
"""

ODD = """\
pop3: 1
name: odd
summary: greets oddly
server: {greeting: odd}
variants:
  first: {}
  second: {server: {greeting: odder}}
"""

PLAIN = """\
pop3: 1
name: plain
summary: greets plainly
server: {greeting: plain}
"""

SCRIPT = """\
pop3: 1
name: scripted
summary: an exact conversation
script: |
  S: +OK ready
  C: USER alice
  S: +OK
  C: QUIT
  S: +OK
"""


@pytest.fixture
def settings(pytester: pytest.Pytester) -> Path:
    """The settings of the suite."""
    return pytester.makeini(INI)


@pytest.fixture
def run(pytester: pytest.Pytester, settings: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file in a suite of its own, in this process."""
    pytester.makeconftest(CONFTEST)
    # Python takes a file that is rewritten at once, at the same size, for the one that it compiled.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(source: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(test_it="import pytest\n" + source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", *args)

    return run


@pytest.fixture
def scenario(pytester: pytest.Pytester) -> Path:
    """Scenario files in the suite's folder; gives the folder."""
    for name, text in {"odd": ODD, "plain": PLAIN, "scripted": SCRIPT}.items():
        (pytester.path / f"{name}.pop3.yaml").write_text(text, encoding="utf-8")
    return pytester.path


@pytest.fixture
def expecting() -> Callable[[str], str]:
    """Makes a scenario with an expectation."""
    return "pop3: 1\nname: picky\nsummary: picky\nexpect: {{{}}}\n".format


@pytest.fixture
def ids() -> Callable[[pytest.RunResult], list[str]]:
    """Tells the ids of the tests that ``--collect-only -q`` printed."""

    def ids(result: pytest.RunResult) -> list[str]:
        return [line.partition("::")[2] for line in result.outlines if "::" in line]

    return ids
