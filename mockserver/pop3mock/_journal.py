"""What happened: every connection, every exchange, and what a client should not have done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ._connection_log import ConnectionLog
from ._jsonlines import json_line
from ._transcript import Transcript
from ._verification import Verification

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import ExpectSection

    from ._events import Exchange, Fault


class Journal(Verification):
    """What happened on all connections of a server.

    Args:
        server: The name of the server, as lines of JSON give it.

    Attributes:
        connections: The connections, in the order in which they came.
        owed: Gives what connections had to do that have never come.
        reveals: Whether secrets are kept, for transcripts that are asked for them, of connections
            that come from now on; nothing else ever shows one.
        settle: Lets the server hear what clients have sent already.
    """

    def __init__(self, server: str = "") -> None:
        self.connections: list[ConnectionLog] = []
        self._server = server
        self._changed = threading.Condition()
        self._waiting = 0
        self._writers: tuple[Callable[[str], object], ...] = ()
        self.owed: Callable[[], list[Fault]] = list
        self.reveals = False
        self.settle: Callable[[], object] = list

    def open(self, scenario: str = "", expect: ExpectSection | None = None) -> ConnectionLog:
        """Begin the log of a new connection.

        Args:
            scenario: What the server plays on it.
            expect: What that scenario expects of clients.
        """
        with self._changed:
            number = len(self.connections) + 1
            log = ConnectionLog(
                number,
                scenario,
                expect,
                tell=self._happened,
                settle=self.hear_all,
                reveals=self.reveals,
            )
            self.connections.append(log)
        return log

    def connection(self, number: int) -> ConnectionLog:
        """A connection by its number.

        Args:
            number: From 1.

        Raises:
            LookupError: So many connections have not come.
        """
        if not 1 <= number <= len(self.connections):
            raise LookupError(f"expected connection {number}, {len(self.connections)} came")
        return self.connections[number - 1]

    @property
    def last(self) -> ConnectionLog:
        """The connection that came last.

        Raises:
            LookupError: None has come.
        """
        return self.connection(len(self.connections) or 1)

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges that clients began, connection by connection: no greetings."""
        return [exchange for log in self.connections for exchange in log.asked()]

    def asked(self) -> list[Exchange]:
        return self.exchanges

    def logs(self) -> list[ConnectionLog]:
        return self.connections

    def hear_all(self) -> None:
        self.settle()

    @property
    def users(self) -> list[str]:
        """Who logged in, connection by connection."""
        return [log.user for log in self.connections if log.user]

    @property
    def removed(self) -> list[str]:
        """Unique-ids of the messages that UPDATE removed, connection by connection."""
        return [uid for log in self.connections for uid in log.removed]

    @property
    def faults(self) -> list[Fault]:
        """Everything that clients should not have done."""
        return [fault for log in self.connections for fault in log.faults]

    def transcript(self, *, secrets: bool = False) -> Transcript:
        """All connections as conversations.

        Args:
            secrets: Whether to show secrets, if they were kept.
        """
        return Transcript("".join(log.transcript(secrets=secrets) for log in self.connections))

    def to_json_lines(self) -> str:
        """All events as lines of JSON, connection by connection."""
        return "".join(
            json_line(self._server, log.number, timed)
            for log in self.connections
            for timed in log.events
        )

    def follow(self, write: Callable[[str], object]) -> None:
        """Hand over each event from now on, as it happens, as a line of JSON.

        Args:
            write: Takes the line, with its line end; is called in the thread of the servers, and
                must neither raise nor wait.
        """
        self._writers += (write,)

    def wait_until(self, happened: Callable[[], bool], timeout: float) -> bool:
        """Wait until something has happened.

        Args:
            happened: Says whether it has.
            timeout: Seconds to wait at most.

        Returns:
            Whether it has happened.
        """
        with self._changed:
            self._waiting += 1
            try:
                return self._changed.wait_for(happened, timeout)
            finally:
                self._waiting -= 1

    def _happened(self, log: ConnectionLog) -> None:
        for write in self._writers:
            write(json_line(self._server, log.number, log.latest))
        # Whoever comes to wait now finds what has happened; the lock would cost each exchange.
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def __repr__(self) -> str:
        return f"<Journal {self.commands!r}>"
