"""A Maildir that messages are delivered into: in ``new`` when they are safe, and not before.

The standard library's ``mailbox.Maildir`` reads a message into memory, changes its line ends, and
does not wait until the name of the new file is on the disk; here it only makes the folders and
clears away what dead deliveries left.
"""

from __future__ import annotations

import errno
import itertools
import mailbox
import os
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ._disk import make_folder, move_new, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = ("tmp", "new", "cur")
_deliveries = itertools.count(1)


class Maildir:
    """A Maildir, as qmail's author laid it down.

    Args:
        path: The folder; it is made if it is missing.

    Raises:
        OSError: It cannot be made, or is a folder of something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if _is_something_else(path):
            what = "expected a Maildir, got a folder of other things"
            raise NotADirectoryError(errno.ENOTDIR, what, str(path))
        make_folder(path)
        for part in _PARTS:
            (path / part).mkdir(mode=0o700, exist_ok=True)
        sync_folder(path)
        # A delivery that was killed leaves its file in tmp, and nobody else removes it.
        mailbox.Maildir(path, create=False).clean()

    @contextmanager
    def incoming(self) -> Iterator[IO[bytes]]:
        """A new file in ``tmp``; it is gone afterwards, come what may."""
        path = self.path / "tmp" / _unique_name()
        path.touch(0o600, exist_ok=False)
        with path.open("wb") as file:
            try:
                yield file
            finally:
                file.close()  # before unlink, for the sake of Windows
                path.unlink(missing_ok=True)

    def keep(self, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:  # noqa: ARG002
        """Deliver a message that has come whole into ``new``, safe from a power failure.

        Args:
            file: From :meth:`incoming`, with the whole message in it.
            number: Of no account here.
            uid: Of no account here.

        Returns:
            Its file, and true.

        Raises:
            OSError: It cannot be delivered.
        """
        sync_file(file)
        file.close()
        came = Path(file.name)
        target = self.path / "new" / came.name
        move_new(came, target)
        sync_folder(target.parent)
        return target, True


def _is_something_else(path: Path) -> bool:
    """Whether there are things in a folder, and none of them is a part of a Maildir."""
    things = {each.name for each in path.iterdir()} if path.is_dir() else set()
    return bool(things) and things.isdisjoint(_PARTS)


def _unique_name() -> str:
    """A name that nobody else gives: time, process, delivery and host."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    host = socket.gethostname().replace("/", r"\057").replace(":", r"\072")
    return f"{seconds}.M{nanoseconds // 1000}P{os.getpid()}Q{next(_deliveries)}.{host}"
