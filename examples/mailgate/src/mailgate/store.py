"""The database of tickets."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from mailgate.ticket import Ticket

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS claimed (uid TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY, sender TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL
);
"""


class Store:
    """Tickets in SQLite, and which messages were claimed for one.

    Args:
        path: The file of the database.
    """

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(_SCHEMA)

    def claim(self, uid: str) -> bool:
        """Claim a message, so that of two gateways only one makes a ticket of it.

        Args:
            uid: The message's unique-id.

        Returns:
            Whether nobody had claimed it before.
        """
        done = self._database.execute("INSERT OR IGNORE INTO claimed VALUES (?)", (uid,))
        return done.rowcount == 1

    def add(self, ticket: Ticket) -> None:
        """Add a ticket."""
        self._database.execute(
            "INSERT INTO tickets (sender, subject, text) VALUES (?, ?, ?)", ticket
        )

    def commit(self) -> None:
        """Make what was done last."""
        self._database.commit()

    def tickets(self) -> list[Ticket]:
        """All tickets, the oldest first."""
        rows = self._database.execute("SELECT sender, subject, text FROM tickets ORDER BY id")
        return [Ticket(*row) for row in rows]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
