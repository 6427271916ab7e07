"""What a suite sets by overriding fixtures: address, default scenario, folders of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

    Ids = Callable[[pytest.RunResult], list[str]]


def override(name: str, value: str, *, given: str = "") -> str:
    """The source of a fixture that gives a value."""
    return f"""
@pytest.fixture(scope="session")
def {name}({given}):
    return {value}
"""


@pytest.fixture
def own(scenario: Path) -> Path:
    """A folder of the suite's own with two scenarios, in which no test stands."""
    folder = scenario / "scenarios"
    folder.mkdir()
    for name in ("odd", "plain"):
        (scenario / f"{name}.pop3.yaml").rename(folder / f"{name}.pop3.yaml")
    return folder


NAMED = """
@pytest.mark.pop3("plain")
def test_name(pop3_server, talk):
    assert talk(pop3_server)[0] == b"+OK plain\\r\\n"

def test_run(pop3_server, talk):
    assert talk(pop3_server.run("odd", variant="second"))[0] == b"+OK odder\\r\\n"

def test_factory(pop3_server_factory, talk):
    with pop3_server_factory("odd[first]") as server:
        assert talk(server)[0] == b"+OK odd\\r\\n"

def test_play(pop3_server, talk):
    pop3_server.play("plain")
    assert talk(pop3_server)[0] == b"+OK plain\\r\\n"
"""

PATHS = {
    "fixture": (override("pop3_scenario_paths", '["scenarios"]'), ()),
    "ini": ("", ("-o", "pop3_scenario_paths=scenarios")),
    "extended fixture": (
        override(
            "pop3_scenario_paths",
            '[*pop3_scenario_paths, pytestconfig.rootpath / "scenarios"]',
            given="pop3_scenario_paths, pytestconfig",
        ),
        (),
    ),
}


@pytest.mark.parametrize(("source", "options"), PATHS.values(), ids=PATHS)
def test_scenario_paths(run: Run, own: Path, source: str, options: tuple[str, ...]) -> None:
    """In folders of the suite's own scenarios are found by name, wherever one is named."""
    result = run(source + NAMED, *options)

    result.assert_outcomes(passed=4)


@pytest.mark.parametrize(("source", "options"), PATHS.values(), ids=PATHS)
def test_cases_from_scenario_paths(
    run: Run, own: Path, ids: Ids, source: str, options: tuple[str, ...]
) -> None:
    """Globs and variants in these folders run a test once for each, beside what is shipped."""
    result = run(
        source
        + """
@pytest.mark.pop3("odd")
def test_variants(pop3_server): ...

@pytest.mark.pop3("[gp][ml]ai[ln]*")
def test_glob(pop3_server): ...

@pytest.mark.pop3("./*d.pop3.yaml")
def test_paths(pop3_server): ...
""",
        "--collect-only",
        "-q",
        *options,
    )

    assert ids(result) == [
        "test_variants[odd-first]",
        "test_variants[odd-second]",
        "test_glob[gmail]",
        "test_glob[plain]",
        "test_paths[scripted]",
        "test_paths[odd-first]",
        "test_paths[odd-second]",
    ]


LATE = {
    "other fixture": override("pop3_scenario_paths", '["scenarios"]', given="tmp_path_factory"),
    "generator": """
@pytest.fixture(scope="session")
def pop3_scenario_paths():
    yield ["scenarios"]
""",
}


@pytest.mark.parametrize("source", LATE.values(), ids=LATE)
def test_paths_known_only_when_tests_run(run: Run, own: Path, source: str) -> None:
    """Where paths are known only then, names are found; of cases the error says what to do."""
    result = run(source + NAMED + '@pytest.mark.pop3("odd")\ndef test_cases(pop3_server): ...\n')

    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(
        ["pop3_server: 'odd' stands for 2 cases (odd-first, odd-second …), *need no other fixtures"]
    )


def test_default_scenario(run: Run) -> None:
    """The default scenario of a suite is played where no marker names one."""
    result = run(
        override("pop3_default_scenario", '"gmail"')
        + """
def test_server(pop3_server):
    assert pop3_server.scenario.name == "gmail"
    assert pop3_server.run().scenario.name == "gmail"

@pytest.mark.pop3(users={"u": "p"})
def test_marker_without_scenario(pop3_server):
    assert (pop3_server.scenario.name, *pop3_server.users) == ("gmail", "u")

@pytest.mark.pop3("dovecot")
def test_marker(pop3_server):
    assert pop3_server.scenario.name == "dovecot"
"""
    )

    result.assert_outcomes(passed=3)


def test_cases_of_the_default(run: Run, scenario: Path, ids: Ids) -> None:
    """A default with variants, or a glob, runs each unmarked test once for each."""
    result = run(
        override("pop3_default_scenario", '"./odd.pop3.yaml"')
        + "def test(pop3_server): ...\ndef test_without(): ...\n",
        "--collect-only",
        "-q",
    )

    assert ids(result) == ["test[odd-first]", "test[odd-second]", "test_without"]


def test_parameters_of_the_default(run: Run) -> None:
    """The default can itself be a fixture with parameters."""
    result = run("""
@pytest.fixture(scope="session", params=["gmail", "dovecot"])
def pop3_default_scenario(request):
    return request.param

def test(pop3_server, pop3_default_scenario):
    assert pop3_server.scenario.name == pop3_default_scenario
""")

    result.assert_outcomes(passed=2)


def test_listen_address_of_a_module(run: Run, pytester: pytest.Pytester) -> None:
    """Each module's own address holds for its tests, whichever module runs first."""
    body = "def test(pop3_server):\n    assert pop3_server.host == {0}[0]\n"
    for number in (2, 3):
        address = f'("127.0.0.{number}", 0)'
        pytester.makepyfile(
            **{
                f"test_{number}": "import pytest\n"
                + override("pop3_listen_address", address)
                + body.format(address)
            }
        )

    result = run("def test(pop3_server):\n    assert pop3_server.host == '127.0.0.1'\n")

    result.assert_outcomes(passed=3)


WRONG = {
    "unknown default": (
        override("pop3_default_scenario", '"gmial"'),
        "test_it.py::test: pop3_default_scenario: unknown scenario 'gmial' (did you mean 'gmail'?)",
    ),
    "type of default": (
        override("pop3_default_scenario", "None"),
        "test_it.py::test: pop3_default_scenario has to be a name, a path or a glob, got NoneType",
    ),
    "no list": (
        override("pop3_scenario_paths", '"scenarios"'),
        "test_it.py::test: pop3_scenario_paths has to be a list of folders, got str",
    ),
    "type of folder": (
        override("pop3_scenario_paths", "[3]"),
        "test_it.py::test: pop3_scenario_paths has to list folders, got int",
    ),
    "no folder": (
        override("pop3_scenario_paths", '["scenraios"]'),
        "test_it.py::test: pop3_scenario_paths: there is no folder *scenraios",
    ),
}


@pytest.mark.parametrize(("source", "message"), WRONG.values(), ids=WRONG)
def test_wrong_setting(run: Run, source: str, message: str) -> None:
    """What a setting cannot be is an error of collection that names it."""
    result = run(source + "@pytest.mark.pop3(tls=None)\ndef test(pop3_server): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_wrong_setting_told_late(run: Run) -> None:
    """Where it is known only when tests run, it is an error of set-up, without a traceback."""
    source = override("pop3_scenario_paths", '["scenraios"]', given="tmp_path_factory")

    result = run(source + "def test(pop3_server): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["pop3_scenario_paths: there is no folder *scenraios"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_suggestion_of_an_own_name(run: Run, own: Path) -> None:
    """A misspelt name of the suite's own scenarios is suggested too."""
    result = run(
        PATHS["fixture"][0] + '@pytest.mark.pop3("plian")\ndef test(pop3_server): ...\n',
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*unknown scenario 'plian' (did you mean 'plain'?)"])
