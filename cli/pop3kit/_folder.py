"""A folder that keeps messages, one file each: whole or not there, and never overwritten."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from ._disk import check_folder, make_folder, move_new, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: Characters of a unique-id that a file name has; RFC 1939 allows 70, of which each may need three.
_LONGEST = 210

_BLOCK = 1 << 16


class Folder:
    """A folder of ``.eml`` files.

    Args:
        path: The folder; if it is missing, the first message makes it.

    Raises:
        OSError: It is no folder, or cannot be made or written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_folder(path)  # what cannot be written to is told before mail is fetched

    @contextmanager
    def incoming(self) -> Iterator[IO[bytes]]:
        """A new file for a message that is on its way; it is gone afterwards, come what may.

        Only the user can read it, and no mail program takes it for a message.
        """
        make_folder(self.path)
        with tempfile.NamedTemporaryFile(
            dir=self.path, prefix=".pop3kit-", suffix=".part", delete=False
        ) as file:
            try:
                yield file
            finally:
                file.close()  # before unlink, for the sake of Windows
                with suppress(FileNotFoundError):
                    Path(file.name).unlink()

    def keep(self, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        """Make a message that has come whole a file of the folder, safe from a power failure.

        Args:
            file: From :meth:`incoming`, with the whole message in it.
            number: The number of the message.
            uid: Its unique-id; empty if the server has none.

        Returns:
            The file that holds the message, and whether it is new: if the same message has been
            kept under this name before, that file stays.

        Raises:
            OSError: It cannot be kept.
        """
        sync_file(file)
        file.close()
        came = Path(file.name)
        stem = file_stem(number, uid)
        for target in self._candidates(stem):
            try:
                move_new(came, target)
            except FileExistsError:
                if not _same(came, target):
                    continue
                new = False
            else:
                new = True
            sync_folder(self.path)
            return target, new
        raise AssertionError("there is always another name")

    def _candidates(self, stem: str) -> Iterator[Path]:
        yield self.path / f"{stem}.eml"
        count = 2
        while True:
            yield self.path / f"{stem}-{count}.eml"
            count += 1


def file_stem(number: int, uid: bytes) -> str:
    """A file name, without its suffix, that no unique-id can turn into anything else.

    Args:
        number: The number of the message.
        uid: Its unique-id as the server gave it; may be empty.
    """
    if not uid:
        return f"{number:05d}"
    safe = quote_from_bytes(uid, safe="@+=,")
    if len(safe) > _LONGEST:
        safe = f"{safe[: _LONGEST - 33]}-{hashlib.sha256(uid).hexdigest()[:32]}"
    return f"{number:05d}-{safe}"


def _same(first: Path, second: Path) -> bool:
    if first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as one, second.open("rb") as other:
        while block := one.read(_BLOCK):
            if block != other.read(_BLOCK):
                return False
    return True
