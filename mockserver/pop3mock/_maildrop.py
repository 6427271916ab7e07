"""Maildrops: messages that keep their unique-ids, one session at a time."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

from pop3scenarios import InMemory, Mail

from ._message import StoredMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from pop3scenarios import Folder


class Maildrop:
    """The messages of one user.

    Iterating gives the octets of each message, so ``list(server.maildrop)`` is what is left.

    Args:
        user: Whose it is.
        seed: Gives the messages that are there at first.
        on_disk: Gives those of them that come from files, as the files are now; asked whenever a
            session is about to begin, for others may deliver to a folder and take from it.

    Attributes:
        user: Whose it is.
        sessions: How many sessions there have been.
        entered: When a session last began, by that session's clock.
    """

    def __init__(
        self,
        user: str,
        seed: Callable[[], Iterable[Mail]] = tuple,
        on_disk: Callable[[], Iterable[Mail]] = tuple,
    ) -> None:
        self.user = user
        self.sessions = 0
        self.entered: float | None = None
        self._seed: Callable[[], Iterable[Mail]] | None = seed
        self._on_disk = on_disk
        self._messages: list[StoredMessage] = []
        self._view: tuple[StoredMessage, ...] | None = None
        self._files: dict[Hashable, StoredMessage] = {}
        self._gone: set[Hashable] = set()
        self._unnamed: deque[StoredMessage] = deque()
        self._named: Counter[str] = Counter()
        self._comes_and_goes = False
        self._serial = 0
        self._mutex = threading.RLock()
        self._holder: object | None = None

    @property
    def messages(self) -> tuple[StoredMessage, ...]:
        """The messages now in the maildrop, oldest first.

        As the latest session found them, before any session as the first one will, without what
        was removed since and with what was delivered.
        """
        return self._in_session(max(1, self.sessions))

    def upcoming(self) -> tuple[StoredMessage, ...]:
        """The messages that the next session will find.

        Raises:
            OSError: Mail on the disk cannot be read.
        """
        with self._mutex:
            if self._seed is None:
                self._follow_files()
            return self._in_session(self.sessions + 1)

    def enter(self) -> tuple[StoredMessage, ...]:
        """Begin a session; gives the messages that it finds."""
        with self._mutex:
            self.sessions += 1
            return self._in_session(self.sessions)

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
            return self._add(Mail(InMemory(data), uid))

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
        """Remove messages: what the UPDATE state does (RFC 1939, section 6).

        Args:
            messages: The messages; those that are gone already do no harm.

        Raises:
            OSError: A folder that is to be altered cannot be; then nothing is removed from here.
        """
        leaving = tuple(messages)
        gone = {message.serial: message.mail for message in leaving}
        with self._mutex:
            _take_out(gone.values())
            for message in leaving:
                message.removed = True
            self._forget(gone)
            # From a folder that is not to be altered, they must not come back.
            self._gone.update(
                mail.origin
                for mail in gone.values()
                if mail.origin is not None and mail.place is None
            )

    def _in_session(self, number: int) -> tuple[StoredMessage, ...]:
        with self._mutex:
            self._fill()
            if self._comes_and_goes:
                return tuple(m for m in self._messages if _there(m.mail, number))
            if self._view is None:
                self._view = tuple(self._messages)
            return self._view

    def _fill(self) -> None:
        """Find the first messages only when somebody asks: most tests log in as one user."""
        if self._seed is None:
            return
        found = tuple(self._seed())  # all or nothing, for a file may be missing
        self._seed = None
        for mail in found:
            self._add(mail)

    def _add(self, mail: Mail) -> StoredMessage:
        self._serial += 1
        message = StoredMessage(self._serial, mail, self._name)
        self._messages.append(message)
        self._view = None
        self._comes_and_goes |= mail.sessions is not None
        if mail.uid is None:
            self._unnamed.append(message)
        if mail.origin is not None:
            self._files[mail.origin] = message
        return message

    def _follow_files(self) -> None:
        """Take in what has come on the disk, and let go of what is no longer there."""
        found = {mail.origin: mail for mail in self._on_disk()}
        lost = [message for origin, message in self._files.items() if origin not in found]
        self._forget({message.serial for message in lost})
        for origin, mail in found.items():
            message = self._files.get(origin)
            if message is not None:
                message.update(mail)
            elif origin not in self._gone:
                self._add(mail)

    def _forget(self, serials: Iterable[int]) -> None:
        if not serials:
            return
        kept = []
        for message in self._messages:
            if message.serial not in serials:
                kept.append(message)
            elif message.mail.origin is not None:
                self._files.pop(message.mail.origin, None)
        self._messages, self._view = kept, None

    def _name(self, wanted: StoredMessage) -> None:
        """Give a message its unique-id: from its octets, so that it lasts from run to run.

        Messages are named in the order in which they came, for of those that are the same octet for
        octet, the second is another one all the same.
        """
        with self._mutex:
            while self._unnamed:
                message = self._unnamed.popleft()
                name = _identity(message)
                self._named[name] += 1
                times = self._named[name]
                message.name(name if times == 1 else f"{name}.{times}")
                if message is wanted:
                    return

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[bytes]:
        return (message.data for message in self.messages)

    def __getitem__(self, index: int) -> bytes:
        return self.messages[index].data

    def __repr__(self) -> str:
        return f"<Maildrop of {self.user!r}: {len(self)} messages>"


def _there(mail: Mail, session: int) -> bool:
    return mail.sessions is None or session in mail.sessions


def _identity(message: StoredMessage) -> str:
    try:
        return message.mail.content.identity
    except OSError:
        # Its file has gone, and it was never listed: nobody will ever see this name.
        return f"{message.serial:08x}"


def _take_out(mails: Iterable[Mail]) -> None:
    """Remove messages from the folders that are to be altered."""
    keys: defaultdict[Folder, set[str]] = defaultdict(set)
    for mail in mails:
        if mail.place is not None:
            folder, key = mail.place
            keys[folder].add(key)
    for folder, chosen in keys.items():
        folder.remove(chosen)
