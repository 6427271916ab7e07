"""``pop3kit`` itself: its subcommands, its start, and what it says where it cannot run."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

SUBCOMMANDS = (
    *("demo", "serve", "exercise", "fetch", "check", "load", "record", "fingerprint"),
    "scenarios",
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_version(run: Run) -> None:
    """--version tells the version of the distribution."""
    result = run("--version")

    assert (0, f"pop3kit, version {version('pop3kit')}\n") == (result.exit_code, result.output)


def test_help(run: Run) -> None:
    """The help lists all subcommands."""
    result = run("--help")

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in SUBCOMMANDS)


@pytest.mark.parametrize("group", [[], ["scenarios"]])
def test_lists_are_whole(run: Run, group: list[str]) -> None:
    """What a subcommand does stands in its line of the list, and is not cut off."""
    result = run(*group, "--help")

    assert "..." not in result.output.partition("Commands:")[2]


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_subcommand(run: Run, name: str) -> None:
    """Each subcommand has help, and those that end in several ways tell their exit statuses."""
    result = run(name, "--help")

    assert result.exit_code == 0
    assert "\\b" not in result.output
    assert name == "scenarios" or "Exit status: 0" in " ".join(result.output.split())


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["serve"], ["demo", "x"]])
def test_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage ends with 64, wherever it is wrong."""
    result = run(*arguments)

    assert result.exit_code == 64
    assert "Usage: " in result.stderr


def test_module() -> None:
    """``python -m pop3kit`` is the command."""
    done = subprocess.run(
        [sys.executable, "-m", "pop3kit", "--version"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (0, f"pop3kit, version {version('pop3kit')}\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("missing", ["click", "yaml"])
def test_base_install(missing: str) -> None:
    """Where the extra is not installed, one line says how to install it, and the status is 2."""
    done = python(
        f"import sys; sys.modules[{missing!r}] = None\n"
        "sys.argv = ['pop3kit', 'scenarios', 'list']\n"
        "from pop3kit.__main__ import main; sys.exit(main())"
    )

    said = f"pop3kit: the command needs {missing}: pip install 'pop3kit[cli]'\n"
    assert (2, "", said) == (done.returncode, done.stdout, done.stderr)


def test_own_mistakes_are_not_hidden() -> None:
    """A module that is missing in the kit itself is a mistake, and is not blamed on the user."""
    done = python(
        "import sys; sys.modules['pop3kit._failures'] = None; sys.argv = ['pop3kit', '--version']\n"
        "from pop3kit.__main__ import main; sys.exit(main())"
    )

    assert done.returncode == 1
    assert "pop3kit[cli]" not in done.stderr


def test_start_is_cheap() -> None:
    """Until a subcommand runs, nothing heavy is imported."""
    done = python(
        "import sys; from pop3kit._group import cli\n"
        "for name in ('demo', 'serve', 'exercise', 'fetch', 'scenarios'):\n"
        "    cli.get_command(None, name)\n"
        "heavy = {'rich', 'pydantic', 'yaml', 'jinja2', 'psutil', 'pop3mock', 'pop3client'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    assert done.stdout == "[]\n"
