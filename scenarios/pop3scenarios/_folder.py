"""Maildir and mbox folders: what lies in them, and how a message is taken out."""

from __future__ import annotations

import contextlib
import errno
import mailbox
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ._content import CHUNK, InFile, Signature, digest, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from io import FileIO
    from typing import BinaryIO

_UID = re.compile(r"[\x21-\x7e]{1,70}")
_FROM = b"\nFrom "

#: How often a file is looked for that others move all the time.
_MOVES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A message in a folder.

    Attributes:
        content: Its octets.
        key: By what it is known again, in this folder.
        uid: Its unique-id, where the folder gives one.
    """

    content: InFile
    key: str
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir, one file a message; what comes before ``:`` in a file's name never changes."""

    path: Path

    def messages(self) -> Iterator[Found]:
        """New and seen messages together, in the order of their names.

        Raises:
            OSError: The folder cannot be read.
        """
        # A file that moves from new to cur meanwhile may be listed twice: the later place counts.
        listed = {_stable(entry.name): Path(entry.path) for entry in self._entries()}
        for name, path in sorted(listed.items()):
            uid = name if _UID.fullmatch(name) else digest((os.fsencode(name),))
            contents = map(whole, chain((path,), self.whereabouts(name)))
            content = next(filter(None, contents), None)
            if content is not None:  # else somebody has just taken it out
                yield Found(InMaildir(content.path, content.signature), name, uid)

    def remove(self, keys: Collection[str]) -> None:
        """Take messages out, whatever their flags are by now.

        Args:
            keys: By what they are known.

        Raises:
            OSError: A file cannot be removed.
        """
        for entry in self._entries():
            name = _stable(entry.name)
            if name in keys:
                self._unlink(name, Path(entry.path))

    def _unlink(self, name: str, path: Path) -> None:
        for each in chain((path,), self.whereabouts(name)):
            with contextlib.suppress(FileNotFoundError):
                each.unlink()
                return

    def whereabouts(self, name: str) -> Iterator[Path]:
        """Where a message may be by now; looked for again, since others may move it meanwhile.

        Args:
            name: What comes before ``:`` in the name of its file.
        """
        for _ in range(_MOVES):
            entries = (entry for entry in self._entries() if _stable(entry.name) == name)
            yield from (Path(entry.path) for entry in entries)

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        for folder in ("new", "cur"):
            with contextlib.suppress(FileNotFoundError), os.scandir(self.path / folder) as entries:
                yield from (e for e in entries if not e.name.startswith(".") and e.is_file())


def _stable(name: str) -> str:
    return name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class InMaildir(InFile):
    """A message of a Maildir, whose file gets another name when its flags change."""

    def opened(self) -> FileIO:
        """The file, open, under whatever name it has by now.

        Raises:
            OSError: It is gone, or cannot be read.
        """
        maildir = Maildir(self.path.parent.parent)
        for path in chain((self.path,), maildir.whereabouts(_stable(self.path.name))):
            with contextlib.suppress(FileNotFoundError):
                return path.open("rb", buffering=0)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))


@dataclass(frozen=True, slots=True)
class Mbox:
    """A file in mbox format; its messages are known by their octets."""

    path: Path

    def messages(self) -> Iterator[Found]:
        """The messages in their order, without the lines that separate them.

        Raises:
            OSError: The file cannot be read.
        """
        found = whole(self.path)
        return iter(() if found is None else _read_mbox(self.path, found.signature))

    def remove(self, keys: Collection[str]) -> None:
        """Take messages out: under a lock, into a new file that then takes the old one's place.

        What has been added in the meantime stays.

        Args:
            keys: By what they are known.

        Raises:
            OSError: The file cannot be written, or others hold its lock.
        """
        owner = self.path.stat()
        try:
            with contextlib.closing(mailbox.mbox(self.path, create=False)) as box:
                box.lock()
                numbers = list(box.keys())
                # Through the box's own file: to close another one would give the lock away.
                known = _keys(digest(_pieces(box.get_file(number).read)) for number in numbers)
                for number, key in zip(numbers, known, strict=True):
                    if key in keys:
                        box.remove(number)
        except mailbox.Error as error:
            raise OSError(f"{self.path}: {error}") from error
        with contextlib.suppress(PermissionError):
            os.chown(self.path, owner.st_uid, owner.st_gid)


#: Where mail lies that others may deliver and take.
Folder = Maildir | Mbox


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while piece := read(CHUNK):
        yield piece


def _keys(digests: Iterable[str]) -> Iterator[str]:
    """Of messages that are the same octet for octet, the second is another one all the same."""
    seen: Counter[str] = Counter()
    for text in digests:
        seen[text] += 1
        yield text if seen[text] == 1 else f"{text}.{seen[text]}"


@lru_cache(maxsize=64)
def _read_mbox(path: Path, signature: Signature) -> tuple[Found, ...]:
    with path.open("rb") as file:
        contents = [InFile(path, signature, *bounds) for bounds in _bounds(file)]
    keys = _keys(content.identity for content in contents)
    return tuple(Found(each, key, key) for each, key in zip(contents, keys, strict=True))


def _bounds(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Begin and end of each message, the empty line before the next one left out."""
    separators = list(_separators(file))
    for separator, end in pairwise([*separators, file.seek(0, os.SEEK_END)]):
        file.seek(separator)
        file.readline()
        start = file.tell()
        file.seek(max(separator, end - 2))
        empty = end > start and file.read(2) == b"\n\n"
        yield start, end - empty


def _separators(file: BinaryIO) -> Iterator[int]:
    """Where the lines begin that begin with ``From``."""
    window, base = b"\n", -1
    while chunk := file.read(CHUNK):
        window += chunk
        at = window.find(_FROM)
        while at >= 0:
            yield base + at + 1
            at = window.find(_FROM, at + 1)
        done = max(0, len(window) - len(_FROM) + 1)
        window, base = window[done:], base + done
