"""Fake servers for the client's tests, and one face for both clients.

A fake server is a plain object that acts as the other end of a socket. Every test that asks for
``fake`` or ``facade`` runs twice: on the blocking client, and on the asyncio client, which is
driven here so that it looks like the other.
"""

from __future__ import annotations

import asyncio
import inspect
import selectors
import socket
from typing import TYPE_CHECKING, Any, Self

import pytest

import pop3client

from ._ahead import TAKES
from ._maildrop import Clock as StoppedClock
from ._maildrop import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

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


class Facade:
    """The blocking client."""

    kind = "blocking"

    def client(self, host: str, **options: Any) -> Any:
        """Connect, without logging in."""
        return pop3client.POP3Client(host, **options)

    def connect(self, host: str, user: str, password: str, **options: Any) -> Any:
        """Connect and log in."""
        return pop3client.connect(host, user, password, **options)

    def from_url(self, url: str, *arguments: Any, **options: Any) -> Any:
        """Connect to what a URL names."""
        return pop3client.POP3Client.from_url(url, *arguments, **options)

    def close(self) -> None:
        """End what the tests have left."""


class AsyncFacade(Facade):
    """The asyncio client, on an event loop that runs while one of its methods does."""

    kind = "asyncio"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def client(self, host: str, **options: Any) -> Any:
        """Connect, without logging in."""
        return self._opened(lambda: pop3client.AsyncPOP3Client(host, **options), options)

    def connect(self, host: str, user: str, password: str, **options: Any) -> Any:
        """Connect and log in."""
        return self._opened(
            lambda: pop3client.connect_async(host, user, password, **options), options
        )

    def from_url(self, url: str, *arguments: Any, **options: Any) -> Any:
        """Connect to what a URL names."""
        return self._opened(
            lambda: pop3client.AsyncPOP3Client.from_url(url, *arguments, **options), options
        )

    def _opened(
        self, make: Callable[[], pop3client.AsyncPOP3Client], options: dict[str, Any]
    ) -> Any:
        if isinstance(self.loop, VirtualLoop):
            self.loop.clock = options.get("clock", self.loop.clock)
        return Driven(self.run(make()), self)

    def run(self, waiting: Awaitable[Any]) -> Any:
        """Run the loop until something is done."""

        async def wait() -> Any:
            return await waiting

        return self.loop.run_until_complete(wait())

    def close(self) -> None:
        """Close the loop."""
        self.run(self.loop.shutdown_asyncgens())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()


class Driven:
    """An asyncio client that looks like a blocking one."""

    def __init__(self, client: pop3client.AsyncPOP3Client, facade: AsyncFacade) -> None:
        self.driven = client
        self._facade = facade
        self._clock = client.config.clock

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.driven, name)
        if not inspect.ismethod(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            if isinstance(self._facade.loop, VirtualLoop):
                self._facade.loop.clock = self._clock
            answer = value(*arguments, **options)
            if hasattr(answer, "__aiter__"):
                return self._items(answer)
            return self._facade.run(answer) if inspect.isawaitable(answer) else answer

        return call

    def _items(self, items: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._facade.run(anext(items))
                except StopAsyncIteration:
                    return
        finally:
            self._facade.run(items.aclose())

    def __repr__(self) -> str:
        return repr(self.driven)

    def __enter__(self) -> Self:
        self._facade.run(self.driven.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self.__getattr__("__aexit__")(*error)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that knows fake sockets, and whose time passes only when somebody waits."""

    def __init__(self) -> None:
        self.clock: Any = Clock()
        super().__init__(_Selector(self))

    def time(self) -> float:
        return float(self.clock())

    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        count: int = await sock.receive(buf)
        return count

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        sock.sendall(data)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it goes to whoever awaits
            future.set_exception(error)
        return future


class _Selector(selectors.DefaultSelector):
    """Does not wait but turns the clock on."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events:
            assert timeout is not None, "every wait must be bounded"
            self._loop.clock.now += timeout
        return events


@pytest.fixture(params=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients."""
    value: str = request.param
    return value


@pytest.fixture
def facade(kind: str) -> Iterator[Facade]:
    """Either client, for servers on real sockets."""
    one = Facade() if kind == "blocking" else AsyncFacade(asyncio.new_event_loop())
    yield one
    one.close()


@pytest.fixture
def facades() -> Iterator[list[Facade]]:
    """Both clients, for tests that compare them."""
    both = [Facade(), AsyncFacade(asyncio.new_event_loop())]
    yield both
    for one in both:
        one.close()


@pytest.fixture
def fake(kind: str) -> Iterator[type[FakeServer]]:
    """The class of fake servers, for either client.

    A fixture because test files cannot import one another.
    """
    one = Facade() if kind == "blocking" else AsyncFacade(VirtualLoop())
    yield type("FakeServer", (FakeServer,), {"facade": one})
    one.close()


@pytest.fixture(params=[None, 1], ids=["whole", "octet-by-octet"])
def cut(request: pytest.FixtureRequest) -> int | None:
    """How TCP cuts what the server sends. No result may depend on it."""
    value: int | None = request.param
    return value


@pytest.fixture
def store() -> Iterator[pop3client.SeenStore]:
    """A store whose time is set by hand: ``store.now.now``."""
    with pop3client.SeenStore(":memory:", clock=StoppedClock()) as one:
        yield one


@pytest.fixture(params=[False, True], ids=["one by one", "ahead"])
def run(fake: Any, store: pop3client.SeenStore, request: pytest.FixtureRequest) -> Run:
    """Runs ``sync`` with either client, by either way to fetch."""
    return Run(fake.facade, store, pipelining=request.param)


@pytest.fixture(params=TAKES)
def take(request: pytest.FixtureRequest) -> Any:
    """Either way to take messages one by one."""
    return TAKES[request.param]
