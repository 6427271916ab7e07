"""The pytest plugin: a POP3 server as a fixture, and what clients did to it as a verdict.

pytest imports this module in every run of an environment that has the kit, so it imports nothing
but pytest; everything else comes with the first fixture or marker that is used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from ._pytest_servers import ServerFactory, WatchedServer
    from ._pytest_watch import Watch

WATCH: pytest.StashKey[Watch] = pytest.StashKey()

_MARKER = (
    "pop3(scenario, *, variant=None, tls=None, users=None, strict=None): "
    "what the fixture pop3_server plays: the name of a scenario, the path of a *.pop3.yaml file, "
    "relative to the test file, or a glob such as 'faults/*'. A glob, and a scenario with "
    "variants, run the test once for each; variant='expired' chooses one, and so does "
    "'stls-broken[expired]'. tls is 'none', 'stls' or 'implicit'; users is a mapping of names to "
    "passwords; strict=False forgives what the scenario does not expect of a client. Markers of "
    "test, class and module are merged, the closest wins. "
    "Example: @pytest.mark.pop3('exchange-2003', tls='stls')"
)

_CHECK_INI: tuple[tuple[str, Literal["string", "args"], str | list[str], str], ...] = (
    ("pop3_check_password_file", "string", "", "a file whose first line is the password"),
    ("pop3_check_password_command", "string", "", "a command that prints the password"),
    ("pop3_check_tls", "string", "", "none, stls or implicit (default: by the URL)"),
    ("pop3_check_cafile", "string", "", "certificates of the authorities to trust"),
    ("pop3_check_timeout", "string", "10", "seconds to wait for an answer (default: 10)"),
    (
        "pop3_check_seed_command",
        "string",
        "",
        "a command, run in rootdir, that puts the message on its standard input into the maildrop",
    ),
    (
        "pop3_check_login_failures",
        "string",
        "3",
        "how many logins may fail on purpose: servers lock accounts (default: 3)",
    ),
    (
        "pop3_check_allow",
        "args",
        [],
        "what is allowed: mark, destructive, any-message, slow, opt-in, insecure-auth",
    ),
)


# Options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini options, and those of the command line."""
    group = parser.getgroup("pop3", "POP3 mock server")
    group.addoption(
        "--pop3-report-dir",
        metavar="DIR",
        help="write what each failing test did to its POP3 servers to a file of its own in DIR: "
        "transcripts, near misses, and where clients hung",
    )
    group.addoption(
        "--pop3-show-secrets",
        action="store_true",
        default=None,
        help="show passwords and SASL responses in the transcripts of failing tests",
    )
    group.addoption(
        "--pop3-check",
        metavar="URL",
        help="hold the POP3 server at URL (pop3://user@host:port, pop3s://...) to the conformance "
        "cases, each a test beside the others: choose by -k and by the markers pop3_check, "
        "pop3_must, pop3_should ...; the password is that in the variable POP3KIT_PASSWORD",
    )
    for name, kind, default, text in _CHECK_INI:
        parser.addini(name, f"--pop3-check: {text}", type=kind, default=default)
    parser.addini(
        "pop3_show_secrets",
        "POP3 mock server: whether transcripts of failing tests show passwords and SASL responses "
        "(default: false)",
        type="bool",
        default=False,
    )
    parser.addini(
        "pop3_strict",
        "POP3 mock server: whether a test fails if its client sends an unexpected command, does "
        "not finish a script, or breaks an expect: of the scenario (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "pop3_scenario_paths",
        "POP3 mock server: folders, relative to this file, with scenario files of your own, to be "
        "found by name (default: none)",
        type="paths",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and settle where reports go, also for the processes of pytest-xdist."""
    config.addinivalue_line("markers", _MARKER)
    folder = config.option.pop3_report_dir
    if folder:
        path = config.invocation_params.dir / folder
        if path.exists() and not path.is_dir():
            raise pytest.UsageError(f"--pop3-report-dir: {path} is no folder")
        config.option.pop3_report_dir = str(path)
    if config.option.pop3_check:
        _load_checker(config)


def _load_checker(config: pytest.Config) -> None:
    """Have pytest load what collects conformance cases: only runs that check a server need it."""
    from ._pytest_needs import missing

    if names := missing():
        raise pytest.UsageError(
            f"--pop3-check needs {', '.join(names)}, not installed here: "
            "pip install 'pop3kit[pytest]'"
        )
    config.pluginmanager.register(import_module("pop3check._pytest_items"), "pop3check")


def _shows_secrets(config: pytest.Config) -> bool:
    asked: bool | None = config.getoption("pop3_show_secrets")
    return bool(config.getini("pop3_show_secrets")) if asked is None else asked


# Collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Check the marker, and run the test once for each scenario that it stands for."""
    marked = metafunc.definition.get_closest_marker("pop3") is not None
    if not marked and "pop3_server" not in metafunc.fixturenames:
        return
    from ._pytest_needs import missing  # only tests that use the plugin pay for it
    from ._pytest_settings import overrides_default

    if not missing() and (marked or overrides_default(metafunc)):
        from ._pytest_params import parametrize

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
    """Explain ``assert server.journal == [...]`` as two conversations side by side."""
    if op != "==" or "pop3mock._journal" not in sys.modules:
        return None  # without that module nothing that is compared comes from a journal
    from ._pytest_compare import explain

    return explain(left, right)


# Fixtures


@pytest.fixture(scope="session")
def pop3_listen_address() -> tuple[str, int]:
    """Address and port that the mock servers listen on; override it to change them.

    The default is ``("127.0.0.1", 0)``: any port that is free. Override it in a conftest.py:

        @pytest.fixture(scope="session")
        def pop3_listen_address():
            return ("::1", 0)
    """
    return ("127.0.0.1", 0)


@pytest.fixture(scope="session")
def pop3_scenario_paths(pytestconfig: pytest.Config) -> Sequence[str | Path]:
    """Folders with scenario files of your own, to be found by name; override it to name them.

    The default is the ini option of the same name. Override it in a conftest.py:

        @pytest.fixture(scope="session")
        def pop3_scenario_paths():
            return [Path(__file__).parent / "scenarios"]

    Then ``pop3("odd")`` is ``scenarios/odd.pop3.yaml``, in whichever test. Names that are shipped
    go first, then files beside the test, then these folders. An override that takes no fixture but
    pytestconfig and itself is known when tests are collected; only then do globs, and scenarios
    with variants, run a test once for each.
    """
    paths: Sequence[Path] = pytestconfig.getini("pop3_scenario_paths")
    return paths


@pytest.fixture(scope="session")
def pop3_default_scenario() -> str | Path:
    """The scenario that a POP3 mock server plays if no marker names one; override it to change it.

    It may be all that a marker may name, a glob too. Override it for a suite or a module:

        @pytest.fixture(scope="session")
        def pop3_default_scenario():
            return "exchange-2003"
    """
    return "default"


@pytest.fixture(scope="session")
def pop3_server_factory(
    request: pytest.FixtureRequest,
    pop3_listen_address: tuple[str, int],
    pop3_scenario_paths: Sequence[str | Path],
    pop3_default_scenario: str | Path,
) -> Generator[ServerFactory, None, None]:
    """Starts POP3 mock servers; call it and use the result in a ``with``, from any scope.

    For example a server that a whole module shares:

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
    from ._pytest_settings import settled
    from ._pytest_watch import Watch

    settings = settled(request.config, pop3_default_scenario, pop3_scenario_paths)
    watch = Watch(reveals=_shows_secrets(request.config))
    request.config.stash[WATCH] = watch
    yield ServerFactory(watch, pop3_listen_address, settings)
    watch.close()


@pytest.fixture
def pop3_server(
    request: pytest.FixtureRequest,
    pop3_server_factory: ServerFactory,
    pop3_listen_address: tuple[str, int],
    pop3_scenario_paths: Sequence[str | Path],
    pop3_default_scenario: str | Path,
) -> Generator[WatchedServer, None, None]:
    """A fresh POP3 mock server on a port of its own; it plays what the marker ``pop3`` names.

    For example:

        @pytest.mark.pop3("exchange-2003", users={"alice": "secret"})
        def test_fetch(pop3_server):
            pop3_server.deliver(subject="Hello", body="World")
            client = poplib.POP3(pop3_server.host, pop3_server.port)
            client.user("alice")
            ...
            assert pop3_server.journal == ["USER alice", "PASS ****", "QUIT"]

    Without a marker it plays pop3_default_scenario. ``pop3_server.run("gmail")`` starts another
    server beside it. The test fails if its client sends a command that the scenario does not
    expect, leaves a script unfinished, or breaks an ``expect:`` of the scenario.
    """
    from ._pytest_params import chosen
    from ._pytest_settings import settled

    settings = settled(request.config, pop3_default_scenario, pop3_scenario_paths)
    factory = pop3_server_factory.at(pop3_listen_address, settings, request.path.parent)
    wish, scenario = chosen(request, settings)
    with factory(scenario, tls=wish.tls, users=wish.users) as server:
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
