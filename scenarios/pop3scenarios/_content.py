"""What a message consists of: octets in memory, in a file, or made whenever they are asked for.

A maildrop may hold hundreds of thousands of messages, and one of them may be larger than memory, so
nothing here holds octets that nobody has asked for.
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from io import FileIO
    from pathlib import Path

#: Octets that are read, or made, at once.
CHUNK = 1 << 17

_FILLER = b"The quick brown fox jumps over the lazy dog; the maildrop holds one line more.\r\n"
#: Whole lines, so that what follows begins at the begin of a line.
_BLOCK = _FILLER * (CHUNK // len(_FILLER))


class Content(Protocol):
    """The octets of a message as they are stored."""

    @property
    def octets(self) -> int:
        """How many there are."""
        ...

    @property
    def identity(self) -> str:
        """Printable characters that are the same in every run, for a unique-id."""
        ...

    @property
    def alike(self) -> Hashable:
        """Equal for contents that have line ends and dots in the same places; None if unknown."""
        ...

    def check(self) -> None:
        """Make sure that the octets can be read, and are what they were.

        Raises:
            OSError: They cannot be read, or are others than they were.
        """
        ...

    def chunks(self) -> Iterator[bytes]:
        """All octets, in order.

        Raises:
            OSError: They cannot be read, or are others than they were.
        """
        ...


def digest(chunks: Iterable[bytes]) -> str:
    """Sixteen characters that stand for octets.

    Args:
        chunks: The octets.
    """
    state = hashlib.blake2b(digest_size=8)
    for chunk in chunks:
        state.update(chunk)
    return state.hexdigest()


@dataclass(frozen=True, slots=True)
class InMemory:
    """Octets that are there anyway."""

    data: bytes

    @property
    def octets(self) -> int:
        """How many there are."""
        return len(self.data)

    @property
    def identity(self) -> str:
        """A digest of the octets."""
        return digest((self.data,))

    @property
    def alike(self) -> Hashable:
        """None: nothing is known of others."""
        return None

    def check(self) -> None:
        """They are there."""

    def chunks(self) -> Iterator[bytes]:
        """All octets: small ones at once, others in pieces."""
        if len(self.data) <= CHUNK:
            return iter((self.data,))
        return (self.data[at : at + CHUNK] for at in range(0, len(self.data), CHUNK))


@dataclass(frozen=True, slots=True)
class Signature:
    """By what a file is known to be the one that it was, and as it was."""

    inode: int
    octets: int
    changed: int

    @classmethod
    def of(cls, file: Path | int) -> Signature:
        """That of a file, or of a file descriptor."""
        found = os.stat(file)  # noqa: PTH116 - Path has nothing for descriptors
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class InFile:
    """Octets of a file, or a part of it.

    Attributes:
        path: The file.
        signature: What the file was when it was found.
        start: Where they begin.
        stop: Where they end; None if that is the end of the file.
    """

    path: Path
    signature: Signature
    start: int = 0
    stop: int | None = None

    @property
    def octets(self) -> int:
        """How many there are."""
        return (self.signature.octets if self.stop is None else self.stop) - self.start

    @property
    def identity(self) -> str:
        """A digest of the octets."""
        return _file_digest(self)

    @property
    def alike(self) -> Hashable:
        """The file as it was: whoever serves it again has the same octets."""
        return self

    def opened(self) -> FileIO:
        """The file, open; whoever asks for it closes it.

        Raises:
            OSError: It is gone, or cannot be read.
        """
        return self.path.open("rb", buffering=0)

    def check(self) -> None:
        """Make sure that the file is there, and is what it was.

        Raises:
            OSError: It is not.
        """
        with self.opened() as file:
            self._compare(file.fileno())

    def chunks(self) -> Iterator[bytes]:
        """All octets, read while they are taken."""
        left = self.octets
        with self.opened() as file:
            self._compare(file.fileno())
            file.seek(self.start)
            while left > 0:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise _changed(self.path)
                left -= len(chunk)
                yield chunk

    def _compare(self, descriptor: int) -> None:
        now = Signature.of(descriptor)
        # Mail may have been added to a file of which this is a part.
        grown = self.stop is not None and now.octets > self.signature.octets
        if now != self.signature and not (grown and now.inode == self.signature.inode):
            raise _changed(self.path)


def whole(path: Path) -> InFile | None:
    """A file as it is now; None if it is gone.

    Args:
        path: The file.
    """
    try:
        return InFile(path, Signature.of(path))
    except FileNotFoundError:
        return None


def _changed(path: Path) -> OSError:
    return OSError(errno.ESTALE, "the file has changed since it was found", str(path))


@lru_cache(maxsize=4096)
def _file_digest(content: InFile) -> str:
    return digest(content.chunks())


@dataclass(frozen=True)
class Recipe:
    """How the copies of an inline message are made; they differ only in their number.

    Attributes:
        head: The header with its empty line, around the number.
        short: The same, with only what the author asked for, where there is no room for more.
        body: The body; None if it is made.
        octets: Size of the whole message, if its body is made.
    """

    head: tuple[bytes, ...]
    short: tuple[bytes, ...] = ()
    body: bytes | None = None
    octets: int = 0

    def header(self, number: int) -> bytes:
        """The header of one copy, with its empty line."""
        text = b"%d" % number
        head = text.join(self.head)
        return text.join(self.short) if self.body is None and len(head) > self.octets else head

    @cached_property
    def identity(self) -> str:
        """A digest of all that the copies have in common."""
        body = b"%d octets" % self.octets if self.body is None else self.body
        return digest(b"%d " % len(part) + part for part in (*self.head, body))


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of an inline message."""

    recipe: Recipe
    number: int

    @property
    def octets(self) -> int:
        """How many there are."""
        if self.recipe.body is None:
            return self.recipe.octets
        return len(self.recipe.header(self.number)) + len(self.recipe.body)

    @property
    def identity(self) -> str:
        """The recipe's, and the number."""
        return f"{self.recipe.identity}-{self.number}"

    @property
    def alike(self) -> Hashable:
        """Copies whose numbers have as many digits differ in nothing else."""
        return self.recipe.identity, len(str(self.number))

    def check(self) -> None:
        """They can be made at any time."""

    def chunks(self) -> Iterator[bytes]:
        """All octets, made while they are taken."""
        recipe = self.recipe
        head = recipe.header(self.number)
        if recipe.body is not None:
            return iter((head + recipe.body,))
        left = recipe.octets - len(head)
        return iter((head + _filler(left),)) if left <= len(_BLOCK) else _blocks(head, left)


def _blocks(head: bytes, left: int) -> Iterator[bytes]:
    """A header, and so many octets of text."""
    yield head
    while left >= len(_BLOCK) + 2:
        yield _BLOCK
        left -= len(_BLOCK)
    yield _filler(left)


@lru_cache(maxsize=64)
def _filler(octets: int) -> bytes:
    """Exactly so many octets of text in lines that end in CRLF."""
    if octets < 2:
        return b"x" * octets
    text = (_FILLER * (octets // len(_FILLER) + 1))[: octets - 2]
    # A cut inside the last CRLF must not leave a bare CR.
    return text.rstrip(b"\r\n").ljust(octets - 2, b".") + b"\r\n"
