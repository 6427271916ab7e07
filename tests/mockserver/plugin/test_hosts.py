"""The pytest plugin under all kinds of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


UNEXPECTED = """
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "QUIT")
"""


def test_help(run: Run) -> None:
    """--fixtures, --markers and --help describe the plugin."""
    fixtures = run("", "--fixtures")
    markers = run("", "--markers")
    options = run("", "--help")

    fixtures.stdout.fnmatch_lines_random(
        [
            "pop3_server -- *",
            "    A fresh POP3 mock server on a port of its own; it plays what *",
            "pop3_server_factory [[]session scope[]] -- *",
            "    Starts POP3 mock servers; *",
            "pop3_ca [[]session scope[]] -- *",
            "pop3_client_context -- *",
            "pop3_listen_address [[]session scope[]] -- *",
            "pop3_scenario_paths [[]session scope[]] -- *",
            "pop3_default_scenario [[]session scope[]] -- *",
        ]
    )
    markers.stdout.fnmatch_lines(
        ["@pytest.mark.pop3(scenario, [*], variant=None, tls=None, users=None, strict=None): *"]
    )
    options.stdout.fnmatch_lines(["  pop3_strict (bool): *", "  pop3_scenario_paths (paths):"])


def test_strict_markers_and_warnings(run: Run) -> None:
    """The plugin needs no setting where markers are strict and warnings are errors."""
    result = run(
        """
@pytest.mark.pop3("gmail", tls="none")
def test(pop3_server, talk):
    talk(pop3_server, "QUIT")
""",
        "--strict-markers",
        "--strict-config",
        "-W",
        "error",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("plugin", ["terminal", "capture", "logging", "unittest", "skipping"])
def test_without_a_plugin_of_pytest(run: Run, pytester: pytest.Pytester, plugin: str) -> None:
    """The plugin asks for none of pytest's own plugins."""
    run(UNEXPECTED, "--collect-only")

    result = pytester.inline_run("-p", "no:cacheprovider", "-p", f"no:{plugin}")

    assert list(result.countoutcomes()) == [0, 0, 1]


def test_under_xdist(run: Run, pytester: pytest.Pytester, scenario: Path) -> None:
    """Worker processes report transcripts too, and no two share a server."""
    run(
        """
@pytest.mark.pop3("./*d.pop3.yaml", tls="none")
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "QUIT")

def test_good(pop3_server, talk):
    talk(pop3_server, "QUIT")
""",
        "--collect-only",
    )

    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines_random(["*- pop3 transcript -*", "* C: XYZZY"])
