"""The pytest plugin: a POP3 server as a fixture, and what clients did to it as a verdict.

pytest imports this module in every run of an environment that has the kit, so it imports nothing
but pytest; everything else comes with the first fixture or marker that is used.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator
    from pathlib import Path

    from ._pytest_servers import ServerFactory
    from ._pytest_watch import Watch
    from ._server import MockServer

WATCH: pytest.StashKey[Watch] = pytest.StashKey()

_MARKER = (
    "pop3(scenario, *, variant=None, tls=None, users=None, strict=None): "
    "what the fixture pop3_server plays: a scenario's name, a path relative to the test file, or a "
    "glob such as 'faults/*'; a glob, and a scenario with variants, run the test once for each. "
    "tls is 'none', 'stls' or 'implicit', users a mapping of names to passwords; strict=False "
    "forgives commands that the scenario does not expect. Markers of class and module are merged "
    "in, the closest wins."
)


# Options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini(
        "pop3_strict",
        "POP3 mock server: whether a test fails if its client sends an unexpected command, does "
        "not finish a script, or breaks an expect: of the scenario (default: true)",
        type="bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


# Collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Check the marker, and run the test once for each scenario that it stands for."""
    if metafunc.definition.get_closest_marker("pop3") is not None:
        from ._pytest_params import parametrize  # only marked tests pay for it

        parametrize(metafunc)


# Running a test


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Let the watch know which fixture starts a server: it tells how long the server lives."""
    watch = request.config.stash.get(WATCH, None)
    if watch is None:
        return (yield)
    with watch.fixture(fixturedef.scope):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """A test begins."""
    watch = item.config.stash.get(WATCH, None)
    if watch is not None:
        watch.begin()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what clients did when the test's body has passed; its own failure goes first."""
    result = yield
    watch = item.config.stash.get(WATCH, None)
    if watch is not None:
        watch.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what clients did after the body, when fixtures have closed them and the servers."""
    result = yield
    watch = item.config.stash.get(WATCH, None)
    if watch is not None:
        watch.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the transcripts to the report of a failure."""
    report = yield
    watch = item.config.stash.get(WATCH, None)
    if watch is not None and not report.passed:
        from ._pytest_report import add_sections

        add_sections(report, watch, item, call)
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain ``assert server.journal == [...]`` line by line."""
    if op != "==" or "pop3mock._journal" not in sys.modules:
        return None  # without that module nothing that is compared is a journal
    from ._pytest_report import compare_commands

    return compare_commands(left, right)


# Fixtures


@pytest.fixture(scope="session")
def pop3_listen_address() -> tuple[str, int]:
    """Address and port that the mock servers listen on; override it to change them.

    The default is ``("127.0.0.1", 0)``: any port that is free. Override it in a conftest.py::

        @pytest.fixture(scope="session")
        def pop3_listen_address():
            return ("::1", 0)
    """
    return ("127.0.0.1", 0)


@pytest.fixture(scope="session")
def pop3_server_factory(
    request: pytest.FixtureRequest, pop3_listen_address: tuple[str, int]
) -> Generator[ServerFactory, None, None]:
    """Starts POP3 mock servers; call it and use the result in a ``with``, from any scope.

    For example a server that a whole module shares::

        @pytest.fixture(scope="module")
        def gmail(pop3_server_factory):
            with pop3_server_factory("gmail", tls="implicit") as server:
                yield server

    It takes what the marker takes, except that a path is relative to the working directory. A
    server is watched as pop3_server is; with ``strict=None`` the test's marker and the ini option
    pop3_strict decide.
    """
    from ._pytest_needs import needs_mock

    needs_mock("pop3_server_factory")
    from ._pytest_servers import ServerFactory
    from ._pytest_watch import Watch

    watch = Watch()
    request.config.stash[WATCH] = watch
    yield ServerFactory(watch, pop3_listen_address)
    watch.close()


@pytest.fixture
def pop3_server(
    request: pytest.FixtureRequest, pop3_server_factory: ServerFactory
) -> Generator[MockServer, None, None]:
    """A fresh POP3 mock server on a port of its own, playing the marker's scenario, or `default`.

    For example::

        @pytest.mark.pop3("exchange-2003", users={"alice": "secret"})
        def test_fetch(pop3_server):
            client = poplib.POP3(pop3_server.host, pop3_server.port)
            client.user("alice")
            ...
            assert pop3_server.journal == ["USER alice", "PASS ****", "QUIT"]

    The test fails if its client sends a command that the scenario does not expect, leaves a script
    unfinished, or breaks an ``expect:`` of the scenario.
    """
    from ._pytest_params import chosen

    wish, reference = chosen(request)
    with pop3_server_factory(
        reference, tls=wish.tls, users=wish.users, strict=wish.strict
    ) as server:
        yield server


@pytest.fixture(scope="session")
def pop3_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a PEM file with the certificate of the authority that POP3 clients have to trust.

    It goes where a CA file goes: ``ssl.create_default_context(cafile=pop3_ca)``,
    ``curl --cacert``. Its octets are ``pop3_ca.read_bytes()``.
    """
    from ._pytest_needs import needs_mock

    needs_mock("pop3_ca")
    from ._tls import ca_pem

    path = tmp_path_factory.mktemp("pop3") / "ca.pem"
    path.write_bytes(ca_pem())
    return path


@pytest.fixture
def pop3_client_context() -> ssl.SSLContext:
    """A fresh ssl.SSLContext for POP3 clients: trusts the mock servers' authority, checks names."""
    from ._pytest_needs import needs_mock

    needs_mock("pop3_client_context")
    from ._tls import client_context

    return client_context()
