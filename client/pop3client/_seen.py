"""The memory of messages that were fetched from servers that keep them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from ._exceptions import SeenStoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

__all__ = ["SeenMaildrop", "SeenMessage", "SeenStore"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE maildrops (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    user TEXT NOT NULL,
    listings INTEGER NOT NULL DEFAULT 0,
    UNIQUE (host, port, user)
);
CREATE TABLE messages (
    maildrop INTEGER NOT NULL REFERENCES maildrops (id),
    uid BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    octets INTEGER NOT NULL,
    copies INTEGER NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    deleted REAL,
    listing INTEGER NOT NULL,
    PRIMARY KEY (maildrop, uid, fingerprint)
) WITHOUT ROWID;
"""
_SELECT = """
SELECT uid, fingerprint, octets, copies, first_seen, last_seen, deleted, listing
FROM messages WHERE maildrop = ? ORDER BY uid, first_seen
"""
_DELIVERED = """
INSERT INTO messages
    (maildrop, uid, fingerprint, octets, copies, first_seen, last_seen, deleted, listing)
VALUES (:maildrop, :uid, :fingerprint, :octets, :copies, :now, :now, NULL, :listing)
ON CONFLICT (maildrop, uid, fingerprint) DO UPDATE SET
    octets = excluded.octets,
    copies = max(copies, excluded.copies),
    last_seen = excluded.last_seen,
    deleted = NULL,
    listing = excluded.listing
RETURNING uid, fingerprint, octets, copies, first_seen, last_seen, deleted, listing
"""
_LISTED = """
UPDATE messages SET last_seen = ?, listing = ? WHERE (maildrop, uid, fingerprint) = (?, ?, ?)
"""
_DELETED = "UPDATE messages SET deleted = ? WHERE (maildrop, uid, fingerprint) = (?, ?, ?)"


class SeenMessage(NamedTuple):
    """A message that was delivered once.

    Attributes:
        uid: its unique-id; empty if the server gave none.
        fingerprint: SHA-256 of its octets, without the header fields that servers add.
        octets: its size as LIST announced it, or as it came if LIST said nothing.
        copies: how many messages like that were delivered.
        first_seen: when it was delivered, in seconds since 1970.
        last_seen: when it was last found on the server, in seconds since 1970.
        deleted: when the server confirmed that it deleted it, in seconds since 1970, or None.
        listing: the number of the last listing of its maildrop in which it was found.
    """

    uid: bytes
    fingerprint: bytes
    octets: int
    copies: int
    first_seen: float
    last_seen: float
    deleted: float | None
    listing: int


class SeenStore:
    """A SQLite file that remembers, for any number of maildrops, what was delivered.

    What a method has written is on the disk when it returns. Any number of threads and processes
    may use the same file at once: who comes second waits.

    Args:
        path: the file, which is made if it is missing, or ``":memory:"``.
        timeout: seconds to wait for another process that is writing.
        clock: gives seconds since 1970; for tests.

    Raises:
        SeenStoreError: the file cannot be opened, or is no such store.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Not every Python has it, and who does not leave mail on servers need not wait for it.
        import sqlite3

        self.path = os.fspath(path)
        self.now = clock
        self._failures: type[Exception] = sqlite3.Error
        self._lock = threading.RLock()
        with self._explained():
            self._connection = sqlite3.connect(
                self.path, timeout=timeout, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    def close(self) -> None:
        """Close the file. May be called again."""
        with self._lock:
            self._connection.close()

    def maildrop(self, host: str, port: int, user: str) -> SeenMaildrop:
        """Give the part of the store that is about one maildrop.

        Args:
            host: name or address of the server; the case of letters does not matter.
            port: its TCP port.
            user: the name of the maildrop.
        """
        key = (host.lower(), port, user)
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO maildrops (host, port, user) VALUES (?, ?, ?)", key
            )
            (number,) = connection.execute(
                "SELECT id FROM maildrops WHERE (host, port, user) = (?, ?, ?)", key
            ).fetchone()
        return SeenMaildrop(self, number)

    def forget(self, unseen_for: float) -> int:
        """Remove messages that no listing has had for a long time.

        Args:
            unseen_for: seconds since they were last found on their server. Some servers lose
                sight of messages for a while, so a month is better than a day.

        Returns:
            How many were removed.
        """
        with self._transaction() as connection:
            return connection.execute(
                "DELETE FROM messages WHERE last_seen < ?", (self.now() - unseen_for,)
            ).rowcount

    def _prepare(self) -> None:
        with self._transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == _VERSION:
                return
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version or tables:
                raise SeenStoreError(
                    self.path,
                    f"expected a store of version {_VERSION}, got "
                    + (f"version {version}" if version else "another program's database"),
                )
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")  # takes no parameters

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of the block or nothing of it, and alone."""
        with self._lock, self._explained():
            # A transaction that begins by reading and goes on by writing could not wait for
            # another one that does the same.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise SeenStoreError(self.path, str(error)) from error


class SeenMaildrop:
    """What a store knows of one maildrop; made by ``SeenStore.maildrop``.

    Args:
        store: the store.
        key: the maildrop's key in it.
    """

    def __init__(self, store: SeenStore, key: int) -> None:
        self._store = store
        self._key = key

    def messages(self) -> list[SeenMessage]:
        """All messages that were delivered from it, in the order of their unique-ids."""
        with self._store._transaction() as connection:
            rows = connection.execute(_SELECT, (self._key,)).fetchall()
        return [SeenMessage(*row) for row in rows]

    def listings(self) -> int:
        """How often the maildrop was listed."""
        with self._store._transaction() as connection:
            return self._listings(connection)

    def listed(self, found: Iterable[SeenMessage]) -> None:
        """Begin a listing of the maildrop.

        Args:
            found: the messages that are beyond doubt in it.
        """
        with self._store._transaction() as connection:
            connection.execute(
                "UPDATE maildrops SET listings = listings + 1 WHERE id = ?", (self._key,)
            )
            now, listing = self._store.now(), self._listings(connection)
            connection.executemany(
                _LISTED, [(now, listing, self._key, each.uid, each.fingerprint) for each in found]
            )

    def delivered(
        self, uid: bytes, fingerprint: bytes, octets: int, copies: int = 1
    ) -> SeenMessage:
        """Note that a message was delivered, or was found again.

        Args:
            uid: its unique-id.
            fingerprint: see ``SeenMessage``.
            octets: see ``SeenMessage``.
            copies: how many messages like that were delivered by now, at least.

        Returns:
            What is known of it now.
        """
        with self._store._transaction() as connection:
            values = {
                "maildrop": self._key,
                "uid": uid,
                "fingerprint": fingerprint,
                "octets": octets,
                "copies": copies,
                "now": self._store.now(),
                "listing": self._listings(connection),
            }
            (row,) = connection.execute(_DELIVERED, values).fetchall()
        return SeenMessage(*row)

    def deleted(self, messages: Iterable[SeenMessage]) -> None:
        """Note that the server has deleted messages."""
        now = self._store.now()
        with self._store._transaction() as connection:
            connection.executemany(
                _DELETED, [(now, self._key, each.uid, each.fingerprint) for each in messages]
            )

    def _listings(self, connection: sqlite3.Connection) -> int:
        (listings,) = connection.execute(
            "SELECT listings FROM maildrops WHERE id = ?", (self._key,)
        ).fetchone()
        return int(listings)
