"""What makes files and their names last: a power failure must not take back what was said."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def check_folder(path: Path) -> None:
    """See that a folder can be written to, or be made if it is missing; nothing is made.

    Args:
        path: The folder.

    Raises:
        NotADirectoryError: It, or what it would be in, is something else.
        PermissionError: It, or what it would be in, may not be written to.
    """
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def make_folder(path: Path) -> None:
    """Make a folder, and those that it is in, if they are missing; their names last.

    Args:
        path: The folder.

    Raises:
        OSError: It cannot be made.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def sync_file(file: IO[bytes]) -> None:
    """Have what was written to a file on the disk.

    Args:
        file: Open for writing.

    Raises:
        OSError: It is not there, as when the disk is full.
    """
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make names in a folder last; where it cannot be opened, the system sees to that.

    Args:
        path: The folder.

    Raises:
        OSError: They may not last.
    """
    with suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def move_new(source: Path, target: Path) -> None:
    """Rename a file, and never overwrite another.

    Args:
        source: The file.
        target: Its new name, in the same file system.

    Raises:
        FileExistsError: The name is taken.
        OSError: It cannot be renamed.
    """
    try:
        # Unlike a rename, a link fails if the name is taken, also if it was taken just now.
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:  # the file system has no links
        if target.exists():
            raise FileExistsError(target) from None
        source.rename(target)
    else:
        source.unlink()
