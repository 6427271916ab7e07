"""An mbox that messages are appended to, each of them whole or not at all.

Of the dialects this is mboxrd: a line of a message that begins with ``From ``, after any number of
``>``, gets one more ``>``, which a reader can take away again. The octets are otherwise those that
came, so lines of messages end in CRLF and those that separate them in LF.

The standard library's ``mailbox.mbox`` leaves a half message behind if it is killed, and a lock
file that keeps out everybody who comes later. Here the lock is the system's, which ends with the
process, and an undo file beside the mbox says what a dead process was about to append.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import re
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from ._disk import make_folder, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SEPARATOR = b"From "
_QUOTED = re.compile(rb">*From ")
_BLOCK = 1 << 16

#: Seconds for which others may hold the lock, and between two looks at it.
_PATIENCE = 10.0
_PAUSE = 0.05


class MboxInUse(BlockingIOError):
    """Another program holds the lock of the mbox."""


class Mbox:
    """An mbox.

    Args:
        path: The file; it is made if it is missing.
        clock: Gives seconds that only ever grow; for tests.
        sleep: Waits for some seconds; for tests.

    Raises:
        MboxInUse: Others hold its lock for more than ten seconds.
        OSError: It cannot be written to, or is a file of something else.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.path = path
        self._undo = path.with_name(f".{path.name}.pop3kit-undo")
        self._clock = clock
        self._sleep = sleep
        make_folder(path.parent)
        with self._locked():
            pass  # what cannot be written to is told before mail is fetched

    @contextmanager
    def incoming(self) -> Iterator[IO[bytes]]:
        """A file without a name, which is gone afterwards, come what may."""
        with tempfile.TemporaryFile(dir=self.path.parent) as file:
            yield file

    def keep(self, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:  # noqa: ARG002
        """Append a message that has come whole, safe from a power failure.

        Args:
            file: From :meth:`incoming`, with the whole message in it.
            number: Of no account here.
            uid: Of no account here.

        Returns:
            The mbox, and true.

        Raises:
            MboxInUse: Others hold the lock for more than ten seconds.
            OSError: It cannot be appended, and the mbox is as it was.
        """
        file.seek(0)
        with self._locked() as box:
            start = box.seek(0, os.SEEK_END)
            try:
                self._announce(start, _entry(_gap(box, start), file))
                self._append(box)
            except BaseException:
                box.truncate(start)
                self._undo.unlink(missing_ok=True)
                raise
            self._undo.unlink()
        return self.path, True

    def _announce(self, start: int, entry: Iterator[bytes]) -> None:
        """Write down what is about to be appended, and where."""
        self._undo.touch(0o600)
        with self._undo.open("wb") as undo:
            undo.write(b"%d\n" % start)
            undo.writelines(entry)
            sync_file(undo)
        sync_folder(self.path.parent)

    def _append(self, box: io.FileIO) -> None:
        with self._undo.open("rb") as undo:
            undo.readline()
            while block := undo.read(_BLOCK):
                _write_all(box, block)
        sync_file(box)

    # The lock.

    @contextmanager
    def _locked(self) -> Iterator[io.FileIO]:
        """The mbox, open and ours alone, and mended if somebody died over it."""
        latest = self._clock() + _PATIENCE
        while True:
            # A second open file of ours would take the lock with it when it is closed.
            with self._path_open() as box:
                self._lock(box, latest)
                if self._is_current(box):
                    _check(box, self.path)
                    self._mend(box)
                    yield box
                    return

    def _path_open(self) -> io.FileIO:
        # Unbuffered: what could not be written must not be tried again when the file is closed.
        return io.FileIO(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+")

    def _lock(self, box: io.FileIO, latest: float) -> None:
        while True:
            try:
                fcntl.lockf(box, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # systems differ
                if self._clock() >= latest:
                    held = "another program holds its lock"
                    raise MboxInUse(errno.EAGAIN, held, str(self.path)) from None
                self._sleep(_PAUSE)
            else:
                return

    def _is_current(self, box: io.FileIO) -> bool:
        """Whether the file has not been replaced by another while the lock was waited for."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(box.fileno()), self.path.stat())
        return False

    # Half a message that a dead process has left.

    def _mend(self, box: io.FileIO) -> None:
        """Take away what stops in the middle of the message that was about to be appended.

        If anything else stands there, others have written since: their mail is left alone.
        """
        try:
            undo = self._undo.open("rb")
        except FileNotFoundError:
            return
        with undo:
            line = undo.readline()
            start = int(line) if re.fullmatch(rb"\d+\n", line) else None
            if start is not None and _stops_in(box, start, undo):
                box.truncate(start)
                sync_file(box)
        self._undo.unlink()


def _entry(gap: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """What is appended for a message: the line before it, its lines, and an empty one."""
    yield gap
    # Who sent it is in its header, if anywhere: POP3 does not show the envelope.
    yield b"%bMAILER-DAEMON %b\n" % (_SEPARATOR, time.asctime(time.gmtime()).encode())
    line = b"\n"
    for line in file:
        yield b">" + line if _QUOTED.match(line) else line
    yield b"\n" if line.endswith(b"\n") else b"\n\n"


def _gap(box: io.FileIO, end: int) -> bytes:
    """What is missing for an empty line at the end of the mbox."""
    box.seek(max(0, end - 2))
    tail = box.read(2)
    if not tail or tail == b"\n\n":
        return b""
    return b"\n" if tail.endswith(b"\n") else b"\n\n"


def _check(box: io.FileIO, path: Path) -> None:
    """See that this is an mbox, or nothing yet."""
    if not stat.S_ISREG(os.fstat(box.fileno()).st_mode):
        raise OSError(errno.EINVAL, "expected an mbox, got no ordinary file", str(path))
    if box.read(len(_SEPARATOR)) not in (b"", _SEPARATOR):
        raise OSError(errno.EINVAL, "expected an mbox, got a file of something else", str(path))


def _stops_in(box: io.FileIO, start: int, undo: IO[bytes]) -> bool:
    """Whether the mbox ends within what the undo file has from here on."""
    end, here = box.seek(0, os.SEEK_END), undo.tell()
    if not start <= end < start + undo.seek(0, os.SEEK_END) - here:
        return False
    undo.seek(here)
    box.seek(start)
    while block := box.read(_BLOCK):
        if undo.read(len(block)) != block:
            return False
    return True


def _write_all(box: io.FileIO, block: bytes) -> None:
    while block:
        block = block[box.write(block) :]
