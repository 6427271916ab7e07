"""When the pytest plugin fails a test, and when it forgives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

    Expecting = Callable[[str], str]


UNEXPECTED = """
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "QUIT")
"""


def test_unexpected_command(run: Run) -> None:
    """An unexpected command fails the test in its call phase, with the transcript."""
    result = run(UNEXPECTED)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "POP3 client: default: #1 unexpected XYZZY: *",
            "*that is why the test fails (pop3_strict = true, which is the default).",
            "To allow it in:",
            "  this test * @pytest.mark.pop3(strict=False)",
            "*- pop3 transcript -*",
            "default on 127.0.0.1:*",
            "#1 +0.* S: +OK POP3 server ready *",
            "#1 +0.* C: XYZZY",
            "#1 +0.* S: -ERR *",
            "#1 +0.* C: QUIT",
            "FAILED test_it.py::test - Failed: POP3 client: default: #1 unexpected *",
        ]
    )
    assert str(result.stdout).count("C: XYZZY") == 1
    result.stdout.fnmatch_lines(["near miss:", "  #1 unexpected XYZZY: *"])


def test_several_faults(run: Run) -> None:
    """Everything that was wrong is told, once."""
    result = run("""
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "PLUGH", "QUIT")
""")

    result.stdout.fnmatch_lines(
        [
            "POP3 client: 2 things that no scenario expects",
            "  default: #1 unexpected XYZZY: *",
            "  default: #1 unexpected PLUGH: *",
        ]
    )
    result.assert_outcomes(failed=1)


def test_own_failure_goes_first(run: Run) -> None:
    """A test that fails itself keeps its failure; what its client did stands in sections."""
    result = run(UNEXPECTED + "    assert 1 == 2\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *assert 1 == 2",
            "*- pop3 transcript -*",
            "#1 +0.* C: XYZZY",
            "near miss:",
            "  #1 unexpected XYZZY: *",
            "FAILED test_it.py::test - assert 1 == 2",
        ]
    )
    result.stdout.no_fnmatch_line("*Failed: POP3*")


LENIENT = {
    "marker": ("pytestmark = pytest.mark.pop3(strict=False)\n", "true"),
    "ini": ("", "false"),
    "factory": (
        """
@pytest.fixture
def pop3_server(pop3_server_factory):
    with pop3_server_factory(strict=False) as server:
        yield server
""",
        "true",
    ),
}


@pytest.mark.parametrize(("source", "ini"), LENIENT.values(), ids=LENIENT)
def test_lenient(run: Run, source: str, ini: str) -> None:
    """Marker, ini option and factory forgive."""
    result = run(source + UNEXPECTED, "-o", f"pop3_strict={ini}")

    result.assert_outcomes(passed=1)


SAID_BY = {
    "default": ("", "", "pop3_strict = true, which is the default"),
    "marker": ("@pytest.mark.pop3(strict=True)", "", "@pytest.mark.pop3(strict=True)"),
    "argument": ("", ".run(strict=True)", "strict=True was said where the server was started"),
}


@pytest.mark.parametrize(("source", "server", "by"), SAID_BY.values(), ids=SAID_BY)
def test_reason(run: Run, source: str, server: str, by: str) -> None:
    """The message tells why the test fails, who said that it is to, and how to loosen that."""
    result = run(f"""
{source}
def test(pop3_server, talk):
    talk(pop3_server{server}, "XYZZY", "QUIT")
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"The server answered as real ones do, *that is why the test fails (*{by}*).",
            "To allow it in:",
            "  this scenario          expect: {allow: [[]COMMAND[]]} in its file",
            "  this test              @pytest.mark.pop3(strict=False)",
            "  one server of several  strict=False where it is started",
            "  the whole run          pop3_strict = false in the ini file, or -o pop3_strict=false",
        ],
        consecutive=True,
    )


def test_strict_marker_over_lenient_ini(run: Run) -> None:
    """The marker wins over the ini option."""
    result = run("pytestmark = pytest.mark.pop3(strict=True)\n" + UNEXPECTED, "-o", "pop3_strict=0")

    result.assert_outcomes(failed=1)


def test_strictness_of_each_test(run: Run) -> None:
    """A server that is shared is judged as the test at hand wants it."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

@pytest.mark.pop3(strict=False)
def test_lenient(shared, talk):
    talk(shared, "XYZZY")

def test_strict(shared, talk):
    talk(shared, "QUIT")
""")

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("rule", "commands", "message"),
    [
        ("never: [DELE]", '"USER alice", "PASS secret", "DELE 1", "QUIT"', "DELE 1: *(never)"),
        ("never-in-clear: [USER]", '"USER alice", "QUIT"', "USER alice: *(never-in-clear)"),
        ("always: [UIDL]", '"QUIT"', "UIDL: *(always), and it never came"),
        ("counts: {NOOP: 2}", '"USER alice", "PASS secret", "NOOP", "QUIT"', "NOOP: came 1 *"),
    ],
)
def test_broken_expectation(
    run: Run, scenario: Path, expecting: Expecting, rule: str, commands: str, message: str
) -> None:
    """Each kind of expectation fails the test in its call phase."""
    (scenario / "picky.pop3.yaml").write_text(expecting(rule), encoding="utf-8")

    result = run(f"""
@pytest.mark.pop3("./picky.pop3.yaml")
def test(pop3_server, talk):
    talk(pop3_server, {commands})
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"POP3 client: picky: *{message}", "*- pop3 transcript -*"])


def test_allowed_command(run: Run, scenario: Path, expecting: Expecting) -> None:
    """A command that the scenario allows is no fault."""
    (scenario / "picky.pop3.yaml").write_text(expecting("allow: [XYZZY]"), encoding="utf-8")

    result = run('pytestmark = pytest.mark.pop3("./picky.pop3.yaml")\n' + UNEXPECTED)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("ending", ["", '"USER alice"'], ids=["nothing", "part"])
def test_unfinished_script(run: Run, scenario: Path, ending: str) -> None:
    """A client that goes away in the middle of a script fails the test in its call phase."""
    result = run(f"""
@pytest.mark.pop3("./scripted.pop3.yaml")
def test(pop3_server, talk):
    talk(pop3_server, {ending})
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: scripted: #1 script not finished: *"])
