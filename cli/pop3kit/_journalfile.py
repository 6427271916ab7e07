"""The file that ``pop3kit serve --journal`` fills, line by line, while clients talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._failures import system_failure

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self


class JournalFile:
    """A file of lines; each is on its way to the disk as soon as it is written.

    Args:
        path: The file; what was in it is lost.

    Raises:
        SystemFailure: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._error: OSError | None = None
        try:
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise system_failure("cannot write", path, error) from None

    def write(self, line: str) -> None:
        """Add a line; a disk that is full is told at the end, for clients are being served.

        Args:
            line: The line, with its line end.
        """
        if self._error is None:
            try:
                self._file.write(line)
            except OSError as error:
                self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failed:
            self._error = self._error or failed
        if self._error is not None and error is None:
            raise system_failure("cannot write", self._path, self._error)
