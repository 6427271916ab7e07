"""Fake servers for the client's tests: plain objects that act as the other end of a socket."""

from __future__ import annotations

import socket
from typing import Any

import pytest

import pop3client

CRLF = b"\r\n"
USER, PASSWORD = "alice", "secret"
CAPABILITIES = b"+OK\r\nTOP\r\nUIDL\r\nUSER\r\n.\r\n"


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class End:
    """What the server does after its last octet; part of an answer."""

    CLOSE = "<close>"
    HANG = "<hang>"
    RESET = "<reset>"


class Connection:
    """Stands where the client expects a socket."""

    family = getattr(socket, "AF_UNIX", socket.AF_INET)

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._inbox = bytearray()
        self._end = End.HANG
        self._timeout: float | None = None
        self._asked: dict[str, int] = {}
        self.closed = False
        self.sent: list[bytes] = []
        self.waits: list[float] = []
        self._take(server.greeting)

    def _take(self, answer: Any) -> None:
        for part in answer if isinstance(answer, tuple) else (answer,):
            if isinstance(part, bytes):
                self._inbox += part
            else:
                self._end = part

    def getpeername(self) -> tuple[str, int]:
        return (self._server.address, 110)

    def setsockopt(self, *_: int) -> None:
        pass

    def settimeout(self, seconds: float | None) -> None:
        assert seconds is not None, "every wait must be bounded"
        assert seconds >= 0
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        assert not self.closed
        if self._end == End.RESET:
            raise ConnectionResetError
        self.sent.append(data)
        line = data.rstrip(b"\r\n").decode("utf-8")
        keyword = line.partition(" ")[0]
        key = line if line in self._server.answers else keyword
        answer = self._server.answers[key]
        if isinstance(answer, list):
            turn = self._asked[key] = self._asked.get(key, -1) + 1
            answer = answer[min(turn, len(answer) - 1)]
        self._take(answer)

    def recv_into(self, view: memoryview) -> int:
        assert not self.closed
        assert len(view) > 0
        wait = self._server.pace if self._inbox else 0.0
        if self._inbox and (self._timeout == 0 or wait < (self._timeout or 0)):
            self._server.clock.now += wait if self._timeout else 0.0
            count = min(self._server.cut or len(view), len(view), len(self._inbox))
            view[:count] = self._inbox[:count]
            del self._inbox[:count]
            return count
        if not self._inbox and self._end == End.CLOSE:
            return 0
        if not self._inbox and self._end == End.RESET:
            raise ConnectionResetError
        if self._timeout == 0:
            raise BlockingIOError
        self.waits.append(self._timeout or 0.0)
        self._server.clock.now += self._timeout or 0.0
        raise TimeoutError

    def close(self) -> None:
        self.closed = True


class FakeServer:
    """Answers commands from a table.

    Args:
        answers: by whole command line or by keyword: octets, an ``End``, a tuple of these, or a
            list of them for the first time, the second, …; the last one stays.
        mail: raw messages for STAT, LIST and RETR.
        greeting: the greeting.
        cut: octets a read gives at most.
        pace: seconds between two reads.
        address: the peer's address, when the family is one that has addresses.
    """

    End = End

    def __init__(
        self,
        answers: dict[str, Any] | None = None,
        *,
        mail: tuple[bytes, ...] = (b"one\r\n", b"two\r\n", b"three\r\n"),
        greeting: Any = b"+OK ready\r\n",
        cut: int | None = None,
        pace: float = 0.0,
        address: str = "",
    ) -> None:
        self.greeting = greeting
        self.cut = cut
        self.pace = pace
        self.address = address
        self.clock = Clock()
        self.connections: list[Connection] = []
        total = sum(map(len, mail))
        self.answers: dict[str, Any] = {
            **dict.fromkeys(("USER", "PASS", "APOP", "DELE", "NOOP", "RSET", "QUIT"), b"+OK\r\n"),
            **dict.fromkeys(("LAST", "RETR", "LIST", "TOP", "UIDL"), b"-ERR no\r\n"),
            "STLS": b"-ERR no\r\n",
            "CAPA": CAPABILITIES,
            "STAT": b"+OK %d %d\r\n" % (len(mail), total),
        }
        for number, raw in enumerate(mail, 1):
            self.answers[f"LIST {number}"] = b"+OK %d %d\r\n" % (number, len(raw))
            self.answers[f"RETR {number}"] = self.message(raw, b"%d octets" % len(raw))
        self.answers |= answers or {}

    @staticmethod
    def message(raw: bytes, text: bytes = b"") -> bytes:
        """The answer to RETR, as RFC 1939 has it."""
        stuffed = (CRLF + raw).replace(b"\r\n.", b"\r\n..")[2:]
        return (b"+OK " + text).rstrip() + CRLF + stuffed + b".\r\n"

    def socket(self, _host: str, _port: int, _timeout: float) -> Any:
        """The client's socket_factory."""
        connection = Connection(self)
        if self.address:
            connection.family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self.connections.append(connection)
        return connection

    @property
    def connection(self) -> Connection:
        """The newest connection."""
        return self.connections[-1]

    @property
    def sent(self) -> list[bytes]:
        """What the client sent on all connections, one item for each write."""
        return [data for connection in self.connections for data in connection.sent]

    def client(self, **options: Any) -> pop3client.POP3Client:
        """Connect, without logging in."""
        options = {"socket_factory": self.socket, "clock": self.clock} | options
        return pop3client.POP3Client("localhost", **options)

    def connect(
        self, user: str = USER, password: str = PASSWORD, **options: Any
    ) -> pop3client.POP3Client:
        """Connect and log in."""
        options = {"socket_factory": self.socket, "clock": self.clock} | options
        return pop3client.connect("localhost", user, password, **options)


@pytest.fixture
def fake() -> type[FakeServer]:
    """The class of fake servers; a fixture because test files cannot import one another."""
    return FakeServer


@pytest.fixture(params=[None, 1], ids=["whole", "octet-by-octet"])
def cut(request: pytest.FixtureRequest) -> int | None:
    """How TCP cuts what the server sends. No result may depend on it."""
    value: int | None = request.param
    return value
