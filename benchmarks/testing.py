"""What the pytest plugin costs: the fixture per test, and its presence in a run that has none."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Row, milliseconds, paired

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURE = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_it({fixture}n):
    pass
"""


def run(text: str, *arguments: str) -> Callable[[], None]:
    """A pytest run over one file, in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="pop3kit-bench-"))
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]

    def work() -> None:
        subprocess.run([*command, "test_it.py"], cwd=folder, check=True, capture_output=True)

    return work


def rows(*, quick: bool) -> list[Row]:
    """A server per test against none, and a run that does not use the plugin with and without."""
    count, rounds = (200, 1) if quick else (2000, 5)
    with_server = run(FIXTURE.format(count=count, fixture="pop3_server, "))
    without = run(FIXTURE.format(count=count, fixture="tmp_path_factory, "))
    mine, theirs, _ = paired(with_server, without, rounds)
    return [
        Row(
            f"{count} tests with a server each, against {count} without",
            milliseconds(mine),
            milliseconds(theirs),
            f"+{(mine - theirs) / count * 1000:.2f} ms",
            "more per test (the imports of the first one shared out)",
        ),
        presence(3 if quick else 30),
    ]


#: Prints how long pytest itself takes to import, and then our entry point.
IMPORTS = """
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
    """
    command = [sys.executable, "-c", IMPORTS]
    times = []
    for _ in range(rounds):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        times.append([float(word) for word in done.stdout.split()])
    theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
    return Row(
        "import of the plugin in a run that does not use it, against import of pytest",
        milliseconds(ours),
        milliseconds(theirs),
        f"+{ours / theirs:.1%}",
        "more per run",
    )
