"""What a session knows: who is there, which messages he sees, what he has marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._maildrop import Maildrop, StoredMessage


class State(Enum):
    """The states of a session (RFC 1939, section 3)."""

    AUTHORIZATION = "authorization"
    TRANSACTION = "transaction"
    UPDATE = "update"


@dataclass(slots=True)
class SessionState:
    """All that one session knows.

    Attributes:
        users: User names and passwords.
        maildrops: The maildrop of each user.
        capabilities: What CAPA would list outside TLS, keyword and parameters.
        offered: Keywords of the capabilities that are there, listed or hidden.
        exclusive: Whether a maildrop serves one session at a time.
        stamp: APOP's timestamp, new for each connection; empty if the greeting has none.
        tls: Whether the connection is inside TLS.
        state: The state of RFC 1939.
        user: The name that USER gave, or that logged in.
        view: The messages as they were at login.
        deleted: Numbers of the messages marked as deleted.
        last: The highest message number accessed, for LAST (RFC 1460).
        removed: Unique-ids of the messages that UPDATE removed.
    """

    users: Mapping[str, str]
    maildrops: Mapping[str, Maildrop]
    capabilities: tuple[str, ...]
    offered: frozenset[str]
    exclusive: bool
    stamp: str = ""
    tls: bool = False
    state: State = State.AUTHORIZATION
    user: str = ""
    view: tuple[StoredMessage, ...] = ()
    deleted: set[int] = field(default_factory=set)
    last: int = 0
    removed: tuple[str, ...] = ()

    @property
    def maildrop(self) -> Maildrop:
        """The maildrop of the user who is logged in."""
        return self.maildrops[self.user]

    def present(self) -> list[tuple[int, StoredMessage]]:
        """The messages that are not marked as deleted, with their numbers."""
        deleted = self.deleted
        return [(n, m) for n, m in enumerate(self.view, 1) if n not in deleted]

    def totals(self) -> tuple[int, int]:
        """Count and octets of the messages not marked as deleted (RFC 1939, section 5, STAT)."""
        present = self.present()
        return len(present), sum(message.octets for _, message in present)

    def enter(self, user: str) -> bool:
        """Go from AUTHORIZATION to TRANSACTION; False if the maildrop is locked."""
        maildrop = self.maildrops[user]
        if self.exclusive and not maildrop.lock(self):
            return False
        self.user = user
        self.view = maildrop.messages
        self.state = State.TRANSACTION
        return True

    def update(self) -> None:
        """Remove the marked messages and release the lock (RFC 1939, section 6)."""
        marked = [self.view[n - 1] for n in sorted(self.deleted)]
        if marked:
            self.maildrop.remove(marked)
            self.removed = tuple(message.uid for message in marked)
        self.leave()

    def leave(self) -> None:
        """End the session without removing anything: what a dropped connection does."""
        if self.state is State.TRANSACTION:
            self.maildrop.unlock(self)
        self.state = State.UPDATE
