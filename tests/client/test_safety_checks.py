"""Pull out one safety check at a time: some test must notice.

Each case takes a check out of one of the client's modules, and runs one test on that client. That
test must fail; a test that still passes does not test what it says.
"""

from __future__ import annotations

import multiprocessing
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pop3client

from ._checks import CHECKS
from ._mutant import Job

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

PACKAGE = Path(pop3client.__file__).parent
HERE = Path(__file__).parent

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
    path.write_text("[pytest]\n", encoding="utf-8")
    return path


class Runs:
    """Runs tests on a client one of whose modules has other code."""

    def __init__(self, context: ForkServerContext, settings: Path, output: Path) -> None:
        self._context = context
        self._settings = settings
        self._output = output

    def run(self, module: Path, code: str, tests: list[str]) -> tuple[int | None, str]:
        """Pytest's status, negative if it had to be killed, and what it printed."""
        where = str(self._settings), str(self._output)
        job = Job(str(module), code, "\n".join(str(HERE / test) for test in tests), *where)
        options = {"init_globals": {"JOB": job._asdict()}, "run_name": "__main__"}
        process = self._context.Process(
            target=runpy.run_path, args=(str(HERE / "_mutant.py"),), kwargs=options
        )
        process.start()
        process.join(60)
        process.kill()
        process.join()
        status = process.exitcode
        process.close()
        return status, self._output.read_text(encoding="utf-8")


@pytest.fixture
def runs(processes: ForkServerContext, settings: Path, tmp_path: Path) -> Runs:
    """Runs tests in a process of their own."""
    return Runs(processes, settings, tmp_path / "output")


def test_with_all_checks_the_tests_pass(runs: Runs) -> None:
    """With a module as it is all the tests of the table pass: it is the missing check that fails."""
    module = PACKAGE / "_session.py"
    code = module.read_text(encoding="utf-8")

    status, output = runs.run(module, code, sorted({check.test for check in CHECKS.values()}))

    assert status == 0, output


@pytest.mark.parametrize("name", CHECKS)
def test_a_test_notices(name: str, runs: Runs) -> None:
    """Without the check, the test that is named for it fails."""
    check = CHECKS[name]
    module = PACKAGE / check.module
    code = module.read_text(encoding="utf-8")
    assert code.count(check.source) == 1, "the check has moved; this table must follow"

    status, output = runs.run(module, code.replace(check.source, check.without), [check.test])

    assert status == 1, output
    assert "1 failed" in output, output
