"""A server that plays what its scenario's files say now, not what they said when it started."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pop3mock import MockServer

    #: What of a file changes when it is written: its time, its size, and which file it is.
    Stamp = tuple[int, int, int] | None


class Reloading:
    """Looks at the files that a scenario is made of, and plays it anew when one has changed.

    Looking costs one call of the operating system for each file; a library that waits for changes
    would be one more dependency for a handful of files.

    Args:
        reference: The scenario, as it was asked for.
        server: Plays it.
    """

    def __init__(self, reference: str, server: MockServer) -> None:
        self._reference = reference
        self._server = server
        self._played = self._seen = _stamps(self._files(()))

    def look(self) -> str:
        """Look once.

        Returns:
            What was done, to be told; empty if nothing has changed, or is changing still: a file
            that is being written is left alone until it is the same for two looks.
        """
        from pop3scenarios import ScenarioError, load

        before, self._seen = self._seen, _stamps(self._seen)
        if self._seen != before or self._seen == self._played:
            return ""
        # Before the files are read: what changes in between is seen the next time.
        self._played = self._seen = _stamps(self._files(self._seen))
        try:
            self._server.play(load(self._reference))
        except ScenarioError as error:
            return f"{self._reference}: goes on as before\n{error}"
        return f"{self._reference}: reloaded"

    def _files(self, known: Iterable[Path]) -> Iterable[Path]:
        from pop3scenarios import UnknownScenario, files

        try:
            return files(self._reference)
        except UnknownScenario:  # it has been taken away; it may come back
            return known


def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
