"""Maildrops: messages that keep their unique-ids, one session at a time."""

from __future__ import annotations

import re
import threading
import zlib
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pop3scenarios import Mail

_BARE_LF = re.compile(rb"(?<!\r)\n")


class StoredMessage:
    """One message of a maildrop.

    Attributes:
        serial: Its number in the life of the maildrop, from 1; never used again.
        data: Its octets as RETR sends them: every line ends in CRLF, nothing is stuffed.
    """

    def __init__(self, serial: int, data: bytes, uid: str | None = None) -> None:
        self.serial = serial
        self.data = canonical(data)
        self._uid = uid

    @property
    def octets(self) -> int:
        """Its exact size in octets (RFC 1939, section 11: CRLF counts as two, no stuffing)."""
        return len(self.data)

    @cached_property
    def uid(self) -> str:
        """Its unique-id: 1 to 70 characters that last as long as the maildrop (RFC 1939, 7)."""
        return self._uid or f"{self.serial:08x}.{zlib.crc32(self.data):08x}"

    @cached_property
    def stuffed(self) -> bytes:
        """The octets with lines that begin with a dot given one more (RFC 1939, section 3)."""
        return stuff(self.data)

    def top(self, lines: int) -> bytes:
        """Header, blank line, and the first so many lines of the body (RFC 1939, section 7)."""
        if self.data.startswith(b"\r\n"):
            position = 2  # no header at all
        else:
            end = self.data.find(b"\r\n\r\n")
            if end < 0:
                return self.data + b"\r\n"
            position = end + 4
        for _ in range(lines):
            after = self.data.find(b"\n", position)
            if after < 0:
                return self.data
            position = after + 1
        return self.data[:position]


def canonical(data: bytes) -> bytes:
    """The octets with bare LF made CRLF and a line end at the very end; a bare CR stays."""
    if b"\n" in data:
        data = _BARE_LF.sub(b"\r\n", data)
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


def stuff(data: bytes) -> bytes:
    """The octets dot-stuffed."""
    if b"\n." in data:
        data = data.replace(b"\n.", b"\n..")
    return b"." + data if data.startswith(b".") else data


class Maildrop:
    """The messages of one user.

    Iterating gives the octets of each message, so ``list(server.maildrop)`` is what is left.
    """

    def __init__(self, user: str, seed: Callable[[], Iterable[Mail]] = tuple) -> None:
        self.user = user
        self._seed: Callable[[], Iterable[Mail]] | None = seed
        self._messages: list[StoredMessage] = []
        self._serial = 0
        self._mutex = threading.RLock()
        self._holder: object | None = None

    @property
    def messages(self) -> tuple[StoredMessage, ...]:
        """The messages now in the maildrop, oldest first."""
        with self._mutex:
            self._fill()
            return tuple(self._messages)

    @property
    def locked(self) -> bool:
        """Whether a session holds the exclusive-access lock (RFC 1939, section 4)."""
        return self._holder is not None

    def deliver(self, data: bytes, uid: str | None = None) -> StoredMessage:
        """Add a message at the end; sessions that are open do not see it.

        Args:
            data: The octets of the message.
            uid: Its unique-id, or None to make one.
        """
        with self._mutex:
            self._fill()
            self._serial += 1
            message = StoredMessage(self._serial, data, uid)
            self._messages.append(message)
            return message

    def lock(self, holder: object) -> bool:
        """Take the exclusive-access lock; False if another session has it."""
        with self._mutex:
            if self._holder is not None and self._holder is not holder:
                return False
            self._holder = holder
            return True

    def unlock(self, holder: object) -> None:
        """Give the lock back, if ``holder`` has it."""
        with self._mutex:
            if self._holder is holder:
                self._holder = None

    def remove(self, messages: Iterable[StoredMessage]) -> None:
        """Remove messages: what the UPDATE state does (RFC 1939, section 6)."""
        gone = {message.serial for message in messages}
        with self._mutex:
            self._messages = [m for m in self._messages if m.serial not in gone]

    def _fill(self) -> None:
        """Build the first messages only when somebody asks: most tests log in as one user."""
        if self._seed is None:
            return
        seed, self._seed = self._seed, None
        for mail in seed():
            self.deliver(mail.data, mail.uid)

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[bytes]:
        return (message.data for message in self.messages)

    def __getitem__(self, index: int) -> bytes:
        return self.messages[index].data

    def __repr__(self) -> str:
        return f"<Maildrop of {self.user!r}: {len(self)} messages>"
