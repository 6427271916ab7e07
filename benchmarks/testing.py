"""What the pytest plugin costs: the fixture per test, and its presence in a run that has none."""

from __future__ import annotations

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
    trivial = FIXTURE.format(count=1, fixture="")
    present, absent, _ = paired(run(trivial), run(trivial, "-p", "no:pop3kit"), 3 if quick else 25)
    return [
        Row(
            f"{count} tests with a server each, against {count} without",
            milliseconds(mine),
            milliseconds(theirs),
            f"+{(mine - theirs) / count * 1000:.2f} ms",
            "more per test (the imports of the first one shared out)",
        ),
        Row(
            "a pytest run that does not use the plugin, with it and without it",
            milliseconds(present),
            milliseconds(absent),
            f"+{(present - absent) * 1000:.1f} ms",
            "more per run",
        ),
    ]
