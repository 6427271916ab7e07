"""Every example of the documentation runs: README.md and all of docs/.

A fence says by its language what is done with it:

- ``python``: run as a program; ``python title="test_x.py"``: run by pytest, beside the files that
  the same page gave titles to before it;
- ``yaml``: loaded as a scenario, and kept as a file if it has a title; with the title of
  another kind of file it is only YAML;
- ``console``: each ``$ `` line is run; the lines below it are what it must print, ``…`` stands for
  anything.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from pop3scenarios import expand, load

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
FENCE = re.compile(r"^```(\w+)?(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A reader's pytest has no plugin but ours.
QUIETLY = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist")
#: Languages that are shown and not run.
SHOWN = {"text", "sh", "ini", "toml", "json", "diff"}


@dataclass(frozen=True)
class Example:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def examples() -> list[Example]:
    """All fenced blocks of all pages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Example(page, line, match[1] or "", match[2], match[3]))
    return found


EXAMPLES = examples()


def of(language: str) -> list[Example]:
    """The blocks in a language."""
    return [example for example in EXAMPLES if example.language == language]


def files_before(example: Example, folder: Path) -> None:
    """Write the titled files that stand on the same page up to an example."""
    for other in EXAMPLES:
        if other.page == example.page and other.line <= example.line and other.title:
            path = folder / other.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(other.text, encoding="utf-8")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, bounded in time."""
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=100, check=False
    )


def test_every_language_is_known() -> None:
    """No block is passed over because its language was mistyped."""
    known = {"python", "yaml", "console"} | SHOWN

    assert [str(example) for example in EXAMPLES if example.language not in known] == []


def test_there_are_examples() -> None:
    """The README has programs, tests, scenarios and commands."""
    languages = {example.language for example in EXAMPLES if example.page.name == "README.md"}

    assert {"python", "yaml", "console", "sh"} <= languages


def test_quick_start_is_two_commands() -> None:
    """The quick start gives exactly two commands, and CI runs the second one as it stands."""
    readme = PAGES[0].read_text(encoding="utf-8")
    quick_start = readme.partition("## Quick start")[2].partition("\n## ")[0]

    commands = [match[3].strip() for match in FENCE.finditer(quick_start) if match[1] == "sh"]

    assert len(commands) == 2
    assert commands[0].endswith("pop3kit demo")
    assert not any("\n" in command for command in commands)


@pytest.mark.parametrize("example", of("python"), ids=str)
def test_python(example: Example, tmp_path: Path) -> None:
    """A program runs without an error or a warning, a test module passes."""
    files_before(example, tmp_path)
    if example.title and example.title.startswith("test_"):
        # poplib drops the socket of a handshake that fails.
        warnings = ["-W", "error", "-W", "ignore:unclosed <ssl.SSLSocket:ResourceWarning"]
        command = ["-m", "pytest", "-q", *QUIETLY, *warnings, example.title]
    else:
        (tmp_path / "example.py").write_text(example.text, encoding="utf-8")
        command = ["-W", "error", "example.py"]

    done = run([sys.executable, *command], tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_suite_of_the_tutorial(tmp_path: Path) -> None:
    """Whoever follows the tutorial to its end has tests that pass, all of them."""
    last = [example for example in EXAMPLES if example.page.name == "tutorial.md"][-1]
    files_before(last, tmp_path)
    titles = {path.name for path in tmp_path.iterdir()}

    # Not with -W error: poplib drops the socket of a handshake that fails.
    done = run([sys.executable, "-m", "pytest", "-q", *QUIETLY], tmp_path)

    assert {"test_inbox.py", "test_journal.py", "daily_test.py", "attack_test.py"} <= titles
    assert done.returncode == 0, done.stdout + done.stderr


SCENARIOS = [each for each in of("yaml") if not each.title or each.title.endswith(".pop3.yaml")]
OTHER_YAML = [each for each in of("yaml") if each not in SCENARIOS]


@pytest.mark.parametrize("example", OTHER_YAML, ids=str)
def test_other_yaml(example: Example) -> None:
    """A configuration of somebody else's tool is YAML, and runs pytest."""
    assert isinstance(yaml.safe_load(example.text), dict)
    assert "pytest" in example.text


@pytest.mark.parametrize("example", SCENARIOS, ids=str)
def test_scenario(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario loads, in every variant."""
    files_before(example, tmp_path)
    (tmp_path / "example.pop3.yaml").write_text(example.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    summaries = [load(reference).summary for reference in expand("./example.pop3.yaml")]

    assert all(summaries)


@pytest.mark.parametrize("example", of("console"), ids=str)
def test_console(example: Example, tmp_path: Path) -> None:
    """A command ends as it should and prints what the page says."""
    files_before(example, tmp_path)
    for block in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
        line, _, expected = block.partition("\n")
        command = shlex.split(line)
        if "curl" in command and shutil.which("curl") is None:
            pytest.skip("needs the Debian package curl")
        if command[0] == "pop3kit":
            command[:1] = [sys.executable, "-m", "pop3kit"]
        elif command[0] == "pytest":
            command[:1] = [sys.executable, "-m", "pytest", *QUIETLY]

        done = run(command, tmp_path)

        pattern = re.sub(r"([\[\]?*])", r"[\1]", expected.strip()).replace("…", "*")
        assert fnmatchcase(done.stdout.strip(), pattern), done.stdout + done.stderr
