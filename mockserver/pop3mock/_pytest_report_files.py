"""The files under ``--pop3-report-dir``: one for each test that fails."""

from __future__ import annotations

import re
import shlex
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")

#: File systems take 255 octets in a name.
_LENGTH = 120

_BEGUN: pytest.StashKey[bool] = pytest.StashKey()


def file_name(nodeid: str) -> str:
    """A file name for a test: readable, safe on every file system, and no other test's.

    Args:
        nodeid: The test.
    """
    readable = _UNSAFE.sub("-", nodeid).strip("-.")[-_LENGTH:].lstrip("-.")
    # Names that differ in what is unsafe, too long, or in case alone are still two.
    mark = blake2b(nodeid.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{readable}-{mark}.txt"


class ReportFiles:
    """Writes what reports say of the servers, so that it outlives the terminal.

    A test runs in one process, whichever it is, and has a file of its own: processes of
    pytest-xdist do not meet.

    Args:
        folder: The folder; it is made when the first test fails.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, config: pytest.Config) -> Self | None:
        """What the run writes; None if it writes nothing.

        Args:
            config: The run.
        """
        folder = config.getoption("pop3_report_dir", None)
        return cls(Path(folder)) if folder else None

    def write(self, item: pytest.Item, phase: str, texts: Iterable[str]) -> None:
        """Write, or add, what a report says.

        Args:
            item: The test.
            phase: ``setup``, ``call`` or ``teardown``.
            texts: What is said of each server.

        Raises:
            OSError: The file cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / file_name(item.nodeid)
        lines = [f"{item.nodeid} ({phase})\n", *(f"\n{text}" for text in texts), "\n"]
        if not item.stash.get(_BEGUN, False):
            item.stash[_BEGUN] = True
            path.unlink(missing_ok=True)  # of a run before
            lines.insert(0, f"reproduce: pytest {shlex.quote(item.nodeid)}\n")
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(lines)
