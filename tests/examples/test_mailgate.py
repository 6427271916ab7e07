"""The example: what is promised in examples/mailgate/README.md is true.

The suite with mocks passes in spite of three bugs, the suite with our fixture finds each, and is
content with the gateway when they are mended.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

EXAMPLE = Path(__file__).parents[2] / "examples" / "mailgate"

#: What mends a bug, the test that finds the bug, and what the test's failure says.
FINDS = {
    "dots": ("test_lines_that_begin_with_a_dot", r"At index 1 diff: '\.\.profile' != '\.profile'"),
    "lost-mail": ("test_lost_connection", r"\['One', 'Three'\] == \['One', 'Two', 'Three'\]"),
    "stls-refused": (
        "test_stls_refused",
        r"PASS \*\*\*\*: the scenario forbids it outside TLS \(never-in-clear\)",
    ),
}
TESTS = {test for test, _ in FINDS.values()}

#: Of the plugins that happen to be here only ours, as in an environment with nothing else.
ALONE = ("-p", "no:asyncio", "-p", "no:xdist", "-p", "no:timeout", "-p", "no:hypothesispytest")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example that may be changed."""
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    return shutil.copytree(EXAMPLE, tmp_path / "mailgate", ignore=caches)


def mend(project: Path, *bugs: str) -> None:
    """Mend bugs."""
    patches = [project / "fixes" / f"{bug}.patch" for bug in bugs]
    subprocess.run(["git", "apply", *patches], cwd=project, check=True, timeout=30)


def run(project: Path, *arguments: str, python: Path | str = sys.executable) -> str:
    """Run tests of the example; gives what pytest prints."""
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=project, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def failed(output: str) -> set[str]:
    """The names of the tests that failed, by pytest's summary."""
    return set(re.findall(r"^FAILED \S+::(\w+)", output, re.MULTILINE))


def test_installed(python: Path, project: Path) -> None:
    """With the wheel, its extra ``pytest`` and nothing else: mocks find no bug, our suite three."""
    mocked = run(project, "tests/mocked", python=python)
    served = run(project, "tests/served", python=python)
    mend(project, *FINDS)
    mended = run(project, python=python)

    assert failed(mocked) == set()
    assert re.search(r"=+ \d+ passed in", mocked)
    assert failed(served) == TESTS
    assert re.search(r"=+ 3 failed, \d+ passed in", served)
    for _, words in FINDS.values():
        assert re.search(words, served)
    assert re.search(r"=+ \d+ passed in", mended)


@pytest.mark.parametrize("bug", FINDS)
def test_each_bug_has_its_test(bug: str, project: Path) -> None:
    """What mends one bug contents the test of that bug and no other, and the suite with mocks."""
    mend(project, bug)

    output = run(project, *ALONE)

    assert failed(output) == TESTS - {FINDS[bug][0]}
