"""Pull out one safety check at a time: some test must notice.

Each case takes a check out of one of the client's modules, and runs one test on that client. That
test must fail; a test that still passes does not test what it says.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING

import pytest

import pop3client

from ._checks import CHECKS
from ._mutant import UNUSED, Job

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.context import ForkServerContext

PACKAGE = Path(pop3client.__file__).parent
HERE = Path(__file__).parent
PROGRAM = str(HERE / "_mutant.py")

#: Seconds after which a run is ended.
PATIENCE = 60.0

#: What takes long to import and is not tested here.
PRELOADED = [
    *("asyncio", "pdb", "sqlite3", "ssl", "unittest", "xml.etree.ElementTree"),
    *("pytest", "_pytest.pytester", "_pytest.unittest", "pop3mock.plugin"),
]

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Makes processes that have imported all that they need but the client and its tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pytest's settings for the runs inside, in a folder in which they may write."""
    path = tmp_path_factory.mktemp("inside") / "pytest.ini"
    path.write_text("[pytest]\nmarkers = once\n", encoding="utf-8")
    return path


class Runs:
    """Runs tests on the client with a module changed."""

    def __init__(self, context: ForkServerContext, settings: Path, output: Path) -> None:
        self._context = context
        self._settings = settings
        self._output = output

    @property
    def output(self) -> str:
        """What the last run has printed."""
        return self._output.read_text(encoding="utf-8")

    def run(
        self, module: Path, code: str, tests: Iterable[str], *, one_of_each: bool = False
    ) -> int | None:
        """Run tests; gives pytest's status, which is negative if they had to be ended."""
        named = [str(HERE / test) for test in tests]
        job = Job(module, code, named, one_of_each, self._settings, self._output)
        given = {"init_globals": {"JOB": job._asdict()}, "run_name": "__main__"}
        process = self._context.Process(target=run_path, args=[PROGRAM], kwargs=given)
        process.start()
        process.join(PATIENCE)
        process.kill()
        process.join()
        status = process.exitcode
        process.close()
        return status


@pytest.fixture
def runs(processes: ForkServerContext, settings: Path, tmp_path: Path) -> Runs:
    """Runs tests in a process of their own."""
    return Runs(processes, settings, tmp_path / "output")


def test_with_all_checks_the_tests_pass(runs: Runs) -> None:
    """With a module that is given its own code all the tests of the table pass.

    So it is the missing check that makes them fail. With all their parameters they run by
    themselves; here it is about what surrounds them.
    """
    module = PACKAGE / "_session.py"
    tests = sorted({check.test for check in CHECKS.values()})

    status = runs.run(module, module.read_text(encoding="utf-8"), tests, one_of_each=True)

    assert status == 0, runs.output


def test_a_module_that_no_test_uses(runs: Runs) -> None:
    """A run in which the changed code was not there is told from one that fails."""
    test = "test_sizes.py::test_right_size_keeps_the_mode"

    status = runs.run(PACKAGE / "_no_such_module.py", "", [test])

    assert status == UNUSED, runs.output


@pytest.mark.parametrize("name", CHECKS)
def test_a_test_notices(name: str, runs: Runs) -> None:
    """Without the check, the test that is named for it fails."""
    check = CHECKS[name]
    module = PACKAGE / check.module
    code = module.read_text(encoding="utf-8")
    assert code.count(check.source) == 1, "the check has moved; this table must follow"

    status = runs.run(module, code.replace(check.source, check.without), [check.test])

    assert status == 1, runs.output
    assert "1 failed" in runs.output, runs.output
