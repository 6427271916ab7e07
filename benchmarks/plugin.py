"""What the pytest plugin costs, beside two others that give tests a server.

Each figure is the time of a whole run of pytest over tests that do nothing but ask for fixtures,
less that of the same run without them. All take turns, so that a machine whose speed drifts is fair
to each.
"""

from __future__ import annotations

import atexit
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Row, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds that a thousand tests with the fixture may take longer than a thousand without.
_BOUND = 1.0

#: The fixtures that each test asks for; a run without any is what they are measured against.
_OURS = "pop3_server"
_TLS = "pop3_server, pop3_ca, pop3_client_context"
#: Peers, and the modules that must be there (dependency group ``bench``).
_PEERS = {"smtpd": "smtpdfix", "httpserver": "pytest_httpserver"}

#: As everywhere else, what pytest and Python compile is kept for the next run.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

_TESTS = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_it(n, {fixtures}):
    pass
"""


def rows(*, quick: bool) -> Iterator[Row]:
    """The fixture, alone and beside its peers, and what a run pays that does not use the plugin."""
    count, rounds = (100, 1) if quick else (1000, 5)
    there = [name for name, module in _PEERS.items() if find_spec(module)]
    costs([_OURS, _TLS, *there], 1, 1)  # what is compiled is compiled now
    cost = costs([_OURS, _TLS, *there], count, rounds)
    ours = cost[_OURS]
    bound = _BOUND * count / 1000
    yield _row(f"{count} tests with {_OURS}, against {count} without", ours, bound, "of the bound")
    yield _row(f"{count} tests with {_TLS}, against {_OURS} alone", cost[_TLS], ours, "times it")
    for name, module in _PEERS.items():
        what = f"{count} tests with {_OURS}, against {name} of {module}"
        if name in cost:
            yield _row(what, ours, cost[name], "of what the peer costs")
        else:
            yield Row(what, milliseconds(ours), "-", "-", f"{module} is not installed")
    yield presence(3 if quick else 30)


def _row(what: str, ours: float, theirs: float, meaning: str) -> Row:
    return Row(what, milliseconds(ours), milliseconds(theirs), f"{ours / theirs:.2f}", meaning)


def costs(kinds: list[str], count: int, rounds: int) -> dict[str, float]:
    """Median seconds that a run takes longer by its fixtures.

    Args:
        kinds: The fixtures of each kind of run.
        count: Tests in a run.
        rounds: How often each is run.
    """
    runs = {fixtures: suite(count, fixtures) for fixtures in ["", *kinds]}
    times = [{name: _seconds(work) for name, work in runs.items()} for _ in range(rounds)]
    return {name: statistics.median(each[name] - each[""] for each in times) for name in kinds}


def suite(count: int, fixtures: str) -> Callable[[], object]:
    """A run of pytest, in a process of its own.

    Args:
        count: How many tests there are.
        fixtures: What each asks for.
    """
    folder = Path(tempfile.mkdtemp(prefix="pop3kit-bench-"))
    atexit.register(shutil.rmtree, folder)
    text = _TESTS.format(count=count, fixtures=fixtures)
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]

    def work() -> None:
        done = subprocess.run(
            command, cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return work


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


#: Prints how long pytest itself takes to import, and then our entry point.
_IMPORTS = """
import time
begin = time.perf_counter()
import pytest
middle = time.perf_counter()
import pop3mock.plugin
print(middle - begin, time.perf_counter() - middle)
"""


def presence(rounds: int) -> Row:
    """What a run pays that does not use the plugin: the import of its entry point.

    Two whole runs, with and without it, differ by less than a machine's noise.

    Args:
        rounds: How often it is measured.
    """
    command = [sys.executable, "-c", _IMPORTS]
    times = []
    for _ in range(rounds):
        done = subprocess.run(command, env=_ENVIRONMENT, check=True, capture_output=True, text=True)
        times.append([float(word) for word in done.stdout.split()])
    theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
    return Row(
        "import of the plugin in a run that does not use it, against import of pytest",
        milliseconds(ours),
        milliseconds(theirs),
        f"+{ours / theirs:.1%}",
        "more per run",
    )
