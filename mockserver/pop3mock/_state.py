"""What a session knows: who is there, which messages he sees, what he has marked."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ._channel import IN_THE_CLEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Literal

    from ._channel import Channel
    from ._maildrop import Maildrop
    from ._message import StoredMessage


#: Digits that a message number has at most; there are never so many messages.
_DIGITS = 18


class State(Enum):
    """The states of a session (RFC 1939, section 3).

    Attributes:
        word: The name in the scenario language; as ``value``, but each command asks for it, and an
            attribute takes a tenth of the time.
    """

    AUTHORIZATION = "authorization"
    TRANSACTION = "transaction"
    UPDATE = "update"

    def __init__(self, word: str) -> None:
        self.word = word

    # There is one object for each, and each command looks one up.
    __hash__ = object.__hash__


@dataclass(slots=True)
class SessionState:
    """All that one session knows.

    Attributes:
        users: User names and passwords.
        maildrops: The maildrop of each user.
        capabilities: What CAPA would list outside TLS, keyword and parameters.
        hidden: Capabilities that are there although CAPA does not list them.
        offered: Keywords of the capabilities that are there, listed or hidden.
        exclusive: Whether a maildrop serves one session at a time.
        stamp: APOP's timestamp, new for each connection; empty if the greeting has none.
        delay: Seconds that must lie between two logins of a user (RFC 2449, section 6.5).
        expires: Whether what was retrieved is removed at QUIT: EXPIRE 0 (RFC 2449, section 6.7).
        languages: Language tags for LANG, each with its description (RFC 6856, section 3).
        response_limit: Octets of a SASL response in base64, at most.
        charset: How USER's passwords are written in octets.
        any_case: Whether USER takes a user's name in any case.
        initial_responses: Whether AUTH takes an initial response where the server speaks first.
        now: Gives the time in seconds, from any beginning.
        authzid: What becomes of a SASL PLAIN response that asks to act as somebody else.
        live: Whether a session sees at once what others deliver and remove.
        tls: Whether the connection is inside TLS.
        channel: What may be known of the TLS connection.
        state: The state of RFC 1939.
        user: The name that USER gave, or that logged in.
        view: The messages as they were at login.
        deleted: Numbers of the messages marked as deleted.
        emptied: Numbers of those that are looked at as if they had no octets.
        retrieved: Numbers of the messages that were retrieved.
        last: The highest message number accessed, for LAST (RFC 1460).
        utf8: Whether the client has asked for UTF-8 (RFC 6856, section 2).
        removed: Numbers and unique-ids of the messages that UPDATE removed.
    """

    users: Mapping[str, str]
    maildrops: Mapping[str, Maildrop]
    capabilities: tuple[str, ...]
    offered: frozenset[str]
    exclusive: bool
    hidden: tuple[str, ...] = ()
    stamp: str = ""
    delay: float = 0.0
    expires: bool = False
    languages: Mapping[str, str] = field(default_factory=dict)
    response_limit: int = 1 << 30
    charset: str = "utf-8"
    any_case: bool = False
    initial_responses: bool = False
    now: Callable[[], float] = time.monotonic
    authzid: Literal["refused", "ignored"] = "refused"
    live: bool = False
    tls: bool = False
    channel: Channel = IN_THE_CLEAR
    state: State = State.AUTHORIZATION
    user: str = ""
    view: tuple[StoredMessage, ...] = ()
    deleted: set[int] = field(default_factory=set)
    emptied: set[int] = field(default_factory=set)
    retrieved: set[int] = field(default_factory=set)
    last: int = 0
    utf8: bool = False
    removed: tuple[tuple[int, str], ...] = ()

    @property
    def maildrop(self) -> Maildrop:
        """The maildrop of the user who is logged in."""
        return self.maildrops[self.user]

    def numbered(self, text: str) -> StoredMessage | None:
        """The message that a reply may send by its number; None if there is no such message.

        Before login the messages are those of the first user.

        Args:
            text: The number as it came, or anything else.
        """
        digits = text.lstrip("0")
        if not (text.isascii() and text.isdigit() and 0 < len(digits) <= _DIGITS):
            return None
        before_login = self.state is State.AUTHORIZATION and bool(self.users)
        first = next(iter(self.users), "")
        messages = self.maildrops[first].messages if before_login else self.view
        return messages[int(digits) - 1] if int(digits) <= len(messages) else None

    def named(self, name: str) -> str:
        """The name of the user that a client means; the same if there is none."""
        if not self.any_case:
            return name
        wanted = name.casefold()
        return next((user for user in self.users if user.casefold() == wanted), name)

    def present(self) -> Iterator[tuple[int, StoredMessage]]:
        """The messages that are not marked as deleted, with their numbers."""
        deleted = self.deleted
        return ((n, m) for n, m in enumerate(self.view, 1) if n not in deleted)

    def totals(self) -> tuple[int, int]:
        """Count and octets of the messages not marked as deleted (RFC 1939, section 5, STAT)."""
        octets = sum(m.octets for n, m in self.present() if n not in self.emptied)
        return len(self.view) - len(self.deleted), octets

    @contextmanager
    def as_if_none_deleted(self, *, emptied: bool = False) -> Iterator[None]:
        """Look at the maildrop for a moment as it was before anything was marked.

        Args:
            emptied: Whether what is marked has no octets meanwhile.
        """
        marked, self.deleted = self.deleted, set()
        self.emptied = marked if emptied else set()
        try:
            yield
        finally:
            self.deleted, self.emptied = marked, set()

    def delayed(self, user: str) -> bool:
        """Whether a user has logged in too short a time ago (RFC 2449, section 6.5)."""
        last = self.maildrops[user].entered
        return self.delay > 0 and last is not None and self.now() - last < self.delay

    def enter(self, user: str) -> bool:
        """Go from AUTHORIZATION to TRANSACTION; False if the maildrop is locked."""
        maildrop = self.maildrops[user]
        if self.exclusive and not maildrop.lock(self):
            return False
        self.user = user
        maildrop.entered = self.now()
        self.view = maildrop.enter()
        self.state = State.TRANSACTION
        return True

    def look_again(self) -> None:
        """Take in what has come and gone since: messages move up, what is marked stays marked."""
        before, self.view = self.view, self.maildrop.messages
        if self.view is before:
            return
        now = {message.serial: number for number, message in enumerate(self.view, 1)}
        deleted, retrieved = (
            {now[before[n - 1].serial] for n in numbers if before[n - 1].serial in now}
            for numbers in (self.deleted, self.retrieved)
        )
        self.deleted, self.retrieved = deleted, retrieved

    def update(self) -> None:
        """Remove the marked messages and release the lock (RFC 1939, section 6)."""
        gone = self.deleted | self.retrieved if self.expires else self.deleted
        self.remove(gone)
        self.leave()

    def retrieve(self, number: int) -> None:
        """Take note that a message was retrieved."""
        self.retrieved.add(number)
        self.last = max(self.last, number)

    def mark(self, number: int) -> None:
        """Mark a message as deleted."""
        self.deleted.add(number)
        self.last = max(self.last, number)

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove messages from the maildrop; this session's numbers stay as they are."""
        gone = {n for n, _ in self.removed}
        marked = [(n, self.view[n - 1]) for n in sorted(set(numbers) - gone)]
        if marked:
            self.maildrop.remove([message for _, message in marked])
            self.removed += tuple((n, message.uid) for n, message in marked)

    def empty(self) -> None:
        """Remove every message from the maildrop."""
        self.remove(range(1, len(self.view) + 1))

    def leave(self) -> None:
        """End the session without removing anything: what a dropped connection does."""
        if self.state is State.TRANSACTION:
            self.maildrop.unlock(self)
        self.state = State.UPDATE
