"""Pull out one safety check at a time: some test must notice.

Each case copies the package, takes a check out of the copy, and runs one test on the copy. That
test must fail; a test that still passes does not test what it says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pop3client

from ._checks import CHECKS

PACKAGE = Path(pop3client.__file__).parent
HERE = Path(__file__).parent

pytestmark = pytest.mark.once


def run_on_copy(folder: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run tests on the package that is in ``folder``."""
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    # A test file that first makes sure whose package is tested, so that a failure to import the
    # copy cannot pass for a test that fails.
    guard = folder / "test_guard.py"
    guard.write_text(
        "import pop3client, pathlib\n"
        "def test_guard():\n"
        f"    here = pathlib.Path({str(folder)!r})\n"
        "    assert pathlib.Path(pop3client.__file__).parent == here / 'pop3client'\n",
        encoding="utf-8",
    )
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", str(settings), f"--rootdir={folder}"),
            *("-x", "-q", "--no-header", "-p", "no:cacheprovider", "--import-mode=importlib"),
            *(str(guard), *(str(HERE / test) for test in tests)),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def copy_of_the_package(folder: Path) -> Path:
    """Copy the package, so that the copy may be changed."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PACKAGE, folder / "pop3client", ignore=ignored)


def test_with_all_checks_the_tests_pass(tmp_path: Path) -> None:
    """On an unchanged copy all the tests of the table pass: it is the missing check that fails."""
    copy_of_the_package(tmp_path)

    done = run_on_copy(tmp_path, sorted({check.test for check in CHECKS.values()}))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CHECKS)
def test_a_test_notices(name: str, tmp_path: Path) -> None:
    """Without the check, the test that is named for it fails."""
    check = CHECKS[name]
    module = copy_of_the_package(tmp_path) / check.module
    source = module.read_text(encoding="utf-8")
    assert source.count(check.source) == 1, "the check has moved; this table must follow"
    module.write_text(source.replace(check.source, check.without), encoding="utf-8")

    done = run_on_copy(tmp_path, [check.test])

    assert "test_guard" not in done.stdout, done.stdout
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout, done.stdout
