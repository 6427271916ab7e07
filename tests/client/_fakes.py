"""Fake servers: plain objects that act as the other end of a socket, in a time of their own."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from ._maildrop import Clock

if TYPE_CHECKING:
    from ._facades import Facade

CRLF = b"\r\n"
USER, PASSWORD = "alice", "secret"
CAPABILITIES = b"+OK\r\nTOP\r\nUIDL\r\nUSER\r\n.\r\n"


class End:
    """What the server does after its last octet; part of an answer."""

    CLOSE = "<close>"
    HANG = "<hang>"
    RESET = "<reset>"


async def pass_time(seconds: float) -> None:
    """Let time pass on a virtual loop, which takes none."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


class Connection:
    """Stands where the client expects a socket."""

    family = getattr(socket, "AF_UNIX", socket.AF_INET)

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._inbox = bytearray()
        self._end = End.HANG
        self._timeout: float | None = None
        self._asked: dict[str, int] = {}
        self._exchange: Any = None
        self.closed = False
        self.sent: list[bytes] = []
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
        for line in data.decode("utf-8").splitlines():
            self._hear(line)

    def _hear(self, line: str) -> None:
        if self._end == End.CLOSE:
            return  # nobody hears it any more
        if self._exchange is None and line.startswith("AUTH "):
            self._exchange = self._server.exchange(line)
            self._go_on(None)
        elif self._exchange is not None:
            self._go_on(line)
        else:
            self._answer(line)

    def _go_on(self, line: str | None) -> None:
        try:
            self._take(self._exchange.send(line))
        except StopIteration as last:
            self._exchange = None
            self._take(last.value)

    def _answer(self, line: str) -> None:
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
        if self._inbox and (wait == 0 or wait < (self._timeout or 0)):
            self._server.clock.now += wait
            return self._give(view)
        if not self._inbox and self._end != End.HANG:
            return self._at_end()
        if self._timeout == 0:
            raise BlockingIOError
        self._server.clock.now += self._timeout or 0.0
        raise TimeoutError

    async def receive(self, view: memoryview) -> int:
        """What the event loop does where nothing is there yet."""
        if self._inbox:
            await pass_time(self._server.pace)
            return self._give(view)
        if self._end != End.HANG:
            return self._at_end()
        await asyncio.get_running_loop().create_future()  # the client has to give up
        raise AssertionError

    def _give(self, view: memoryview) -> int:
        count = min(self._server.cut or len(view), len(view), len(self._inbox))
        view[:count] = self._inbox[:count]
        del self._inbox[:count]
        return count

    def _at_end(self) -> int:
        if self._end == End.RESET:
            raise ConnectionResetError
        return 0

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
        exchanges: by mechanism, what is said to AUTH and to each response after it: a list of
            answers, or a generator function that is given the command, is sent the responses,
            and returns the last answer. Others are refused.
        address: the peer's address, when the family is one that has addresses.
    """

    End = End
    pass_time = staticmethod(pass_time)
    facade: Facade

    def __init__(
        self,
        answers: dict[str, Any] | None = None,
        *,
        mail: tuple[bytes, ...] = (b"one\r\n", b"two\r\n", b"three\r\n"),
        greeting: Any = b"+OK ready\r\n",
        cut: int | None = None,
        pace: float = 0.0,
        address: str = "",
        exchanges: dict[str, Any] | None = None,
    ) -> None:
        self.greeting = greeting
        self.exchanges = exchanges or {}
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

    def exchange(self, line: str) -> Any:
        """What is said in an exchange that begins with this command."""
        script: Any = self.exchanges.get(line.split(" ")[1], [b"-ERR unknown mechanism\r\n"])
        return script(line) if callable(script) else iter_answers(script)

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

    def client(self, host: str = "localhost", **options: Any) -> Any:
        """Connect, without logging in."""
        options = {"socket_factory": self.socket, "clock": self.clock} | options
        return self.facade.client(host, **options)

    def connect(
        self, user: str = USER, password: str = PASSWORD, host: str = "localhost", **options: Any
    ) -> Any:
        """Connect and log in."""
        options = {"socket_factory": self.socket, "clock": self.clock} | options
        return self.facade.connect(host, user, password, **options)


def iter_answers(answers: list[Any]) -> Any:
    """Give answers, each to one line, and return the last."""
    for answer in answers[:-1]:  # noqa: UP028 - it is sent the client's lines
        yield answer
    return answers[-1]
