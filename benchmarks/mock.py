"""What the mock costs: to start, to serve, to hold sessions and mail, and to load scenarios."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from served import Process, served, started
from timing import Row, milliseconds, paired

from pop3mock import Engine, MockServer
from pop3scenarios import _loader, expand, load, shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Where a real server is started from, if there is one.
_PEERS = Path(__file__).parents[1] / "tests"

#: Who the default server knows.
_USER, _PASSWORD = "alice", "secret"

_LOGIN = (f"USER {_USER}\r\n".encode(), f"PASS {_PASSWORD}\r\n".encode())


def rows(*, quick: bool) -> Iterator[Row]:
    """All of them; a peer that is not there is told in its row."""
    yield start_and_stop(20 if quick else 300)
    yield small_messages(200 if quick else 2000, 3 if quick else 15)
    yield big_messages(4 if quick else 20)
    yield from many_sessions(200 if quick else 2000)
    yield from big_maildrop(20_000 if quick else 200_000)
    yield huge_message((1 << 26) if quick else (1 << 30))
    yield from loading(2 if quick else 9)


def scenario(maildrop: str, server: str = "{}") -> str:
    """The text of a scenario with this mail."""
    return f"pop3: 1\nname: bench\nsummary: s\nserver: {server}\nmaildrop: [{maildrop}]\n"


# Start, session, stop


class Bare(asyncio.Protocol):
    """A listener that says +OK to everything: the least that any server does."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"+OK ready\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(b"+OK\r\n")
        if data.startswith(b"QUIT"):
            self.transport.close()


def start_and_stop(rounds: int) -> Row:
    """Start a server, talk to it, stop it."""
    with Engine() as engine:
        mine, theirs, _ = paired(mock_session, bare_session(engine), rounds)
    return Row(
        "start + session + stop, against a bare asyncio listener",
        milliseconds(mine),
        milliseconds(theirs),
        f"+{(mine - theirs) * 1000:.2f} ms",
        "more than the bare listener (bound: 1 ms)",
    )


def mock_session() -> None:
    """Start a mock server, talk to it, stop it."""
    with MockServer() as server:
        talk(server.host, server.port)


def bare_session(engine: Engine) -> Callable[[], None]:
    """Start a bare listener, talk to it, stop it."""

    async def start() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()

    def run() -> None:
        server = engine.run(start())
        talk("127.0.0.1", server.sockets[0].getsockname()[1])
        engine.run(stop(server))

    return run


def talk(host: str, port: int) -> None:
    """One short session."""
    with socket.create_connection((host, port), 5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(4096)
        for command in (*_LOGIN, b"STAT\r\n", b"QUIT\r\n"):
            sock.sendall(command)
            sock.recv(4096)


# Throughput


class Reader:
    """A client that sends commands ahead, and throws away what comes."""

    def __init__(self, port: int, user: str = _USER, password: str = _PASSWORD) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(1 << 18))
        self.lines(1)
        for command in (f"USER {user}\r\n", f"PASS {password}\r\n"):
            self.socket.sendall(command.encode())
            self.lines(1)

    def lines(self, count: int) -> None:
        """Read so many lines, and nothing behind them: the server waits for us."""
        while count > 0:
            got = self.socket.recv_into(self._buffer)
            assert got, "the server has closed the connection"
            count -= bytes(self._buffer[:got]).count(b"\n")

    def octets(self, count: int) -> None:
        """Read so many octets."""
        while count > 0:
            got = self.socket.recv_into(self._buffer)
            assert got, "the server has closed the connection"
            count -= got

    def ask(self, command: bytes) -> int:
        """Send a command with an answer of many lines; gives how long the answer is."""
        self.socket.sendall(command)
        octets, end = 0, b""
        while not end.endswith(b"\r\n.\r\n"):
            got = self.socket.recv_into(self._buffer)
            assert got, "the server has closed the connection"
            octets += got
            end = (end + bytes(self._buffer[max(0, got - 5) : got]))[-5:]
        return octets

    def close(self) -> None:
        """Close without QUIT."""
        self.socket.close()


def retrieve_all(reader: Reader, count: int, octets: int) -> Callable[[], None]:
    """Ask for all messages at once, and read all answers."""
    commands = b"".join(b"RETR %d\r\n" % number for number in range(1, count + 1))

    def run() -> None:
        reader.socket.sendall(commands)
        reader.octets(octets)

    return run


def answers(reader: Reader, count: int) -> int:
    """Octets of the answers to RETR for so many messages."""
    return sum(reader.ask(b"RETR %d\r\n" % number) for number in range(1, count + 1))


def small_messages(count: int, rounds: int) -> Row:
    """RETR of many messages of 4 KiB, pipelined, against a real Dovecot."""
    what = f"RETR of {count} messages of 4 KiB, pipelined, against Dovecot"
    with contextlib.ExitStack() as stack:
        mock = stack.enter_context(served(scenario(f"{{octets: 4096, count: {count}}}")))
        mine = Reader(mock.port)
        stack.callback(mine.close)
        run = retrieve_all(mine, count, answers(mine, count))
        peer = dovecot(stack, count)
        if peer is None:
            seconds = statistics.median(timed(run) for _ in range(rounds))
            return Row(what, f"{count / seconds:.0f}/s", "not here", "", "times Dovecot's rate")
        stack.callback(peer.close)
        ours, theirs, ratio = paired(run, retrieve_all(peer, count, answers(peer, count)), rounds)
    return Row(
        what,
        f"{count / ours:.0f}/s",
        f"{count / theirs:.0f}/s",
        f"{ratio:.2f}",
        "times Dovecot's rate (bound: 1)",
    )


def dovecot(stack: contextlib.ExitStack, count: int) -> Reader | None:
    """A session with a real Dovecot that has the same mail; None if there is none here."""
    sys.path.insert(0, str(_PEERS))
    try:
        from peers._dovecot import Dovecot, program, speaks_our_language
    finally:
        sys.path.remove(str(_PEERS))
    if program() is None or not speaks_our_language():
        return None
    messages = load_text(scenario(f"{{octets: 4096, count: {count}}}"))
    account = stack.enter_context(Dovecot()).account(messages)
    return Reader(account.port, account.user, account.password)


def load_text(text: str) -> list[bytes]:
    """The mail of a scenario, as octets."""
    return [mail.data for mail in _loader.loads(text).mail("alice")]


def big_messages(rounds: int) -> Row:
    """RETR of 10 MiB against a loop that only sends, each in a process of its own."""
    size = 10 << 20
    canned = str(Path(__file__).with_name("canned.py"))
    with (
        served(scenario(f"{{octets: {size}}}")) as mock,
        started([canned, "1", str(size), "text"]) as bare,
    ):
        readers = Reader(mock.port), Reader(bare.port)
        runs = [retrieve_all(reader, 1, answers(reader, 1)) for reader in readers]
        mine, theirs, ratio = paired(runs[0], runs[1], rounds)
        for reader in readers:
            reader.close()
    return Row(
        "RETR of 10 MiB, against a bare sendall loop",
        f"{size / mine / 1e6:.0f} MB/s",
        f"{size / theirs / 1e6:.0f} MB/s",
        f"{ratio:.2f}",
        "of the bare loop's rate (bound: 0.5)",
    )


# Many sessions


def many_sessions(count: int) -> Iterator[Row]:
    """Sessions that are open at once: what each holds, and whether each gets its mail."""
    text = scenario("{octets: 2048, count: 10}", "{lock: none}")
    with served(text) as mock, open_files(count + 100):
        held, seconds, lost = asyncio.run(crowd(mock, count))
    yield Row(
        f"memory of each of {count} idle sessions",
        "not told here" if held is None else f"{held / 1024:.1f} KiB",
        "20 KiB",
        "" if held is None else f"{held / 20480:.2f}",
        "of the bound",
    )
    yield Row(
        f"{count} sessions at once, each fetches 10 messages",
        f"{count * 10 / seconds:.0f}/s",
        f"{count * 10} messages",
        f"{lost}",
        "messages lost (bound: 0)",
    )


@contextlib.contextmanager
def open_files(count: int) -> Iterator[None]:
    """Allow so many open files, in the servers that are started too."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def crowd(mock: Process, count: int) -> tuple[float | None, float, int]:
    """Octets held by each session, seconds that all took, and how many messages did not come."""
    await one_of_many(mock.port, asyncio.Event(), None, 1)
    before = mock.memory()
    ready = asyncio.Semaphore(0)
    go = asyncio.Event()
    clients = [asyncio.create_task(one_of_many(mock.port, go, ready, 10)) for _ in range(count)]
    for _ in range(count):
        await ready.acquire()
    after = mock.memory()
    begin = time.perf_counter()
    go.set()
    fetched = sum(await asyncio.gather(*clients))
    seconds = time.perf_counter() - begin
    held = None if before is None or after is None else (after - before) / count
    return held, seconds, count * 10 - fetched


async def one_of_many(
    port: int, go: asyncio.Event, ready: asyncio.Semaphore | None, messages: int
) -> int:
    """Log in, wait for the others, fetch; gives how many messages came whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    for command in _LOGIN:
        writer.write(command)
        await reader.readline()
    if ready is not None:
        ready.release()
        await go.wait()
    whole = 0
    for number in range(1, messages + 1):
        writer.write(b"RETR %d\r\n" % number)
        octets = int((await reader.readline()).split(b" ")[1])
        message = await reader.readexactly(octets)
        whole += message.endswith(b"\r\n") and await reader.readline() == b".\r\n"
    writer.close()
    await writer.wait_closed()
    return whole


# Much mail


def big_maildrop(count: int) -> Iterator[Row]:
    """The commands that go over the whole maildrop, for it and for one of a tenth."""
    times = [listing_times(size) for size in (count // 10, count)]
    for command, small in times[0].items():
        big = times[1][command]
        yield Row(
            f"{command} in a maildrop of {count}, against one of {count // 10}",
            milliseconds(big),
            milliseconds(small),
            f"{big / small / 10:.2f}",
            "of ten times as long (linear is 1)",
        )


def listing_times(count: int) -> dict[str, float]:
    """Seconds that each command takes once the maildrop is known."""
    with served(scenario(f"{{octets: 4096, count: {count}}}")) as mock:
        begin = time.perf_counter()
        reader = Reader(mock.port)
        times = {"login": time.perf_counter() - begin}
        for command in ("LIST", "UIDL"):
            line = f"{command}\r\n".encode()
            reader.ask(line)
            times[command] = min(timed(lambda: reader.ask(line)) for _ in range(3))  # noqa: B023 - called at once
        times["STAT"] = min(timed(lambda: stat(reader)) for _ in range(3))
        reader.close()
    return times


def stat(reader: Reader) -> None:
    """One STAT."""
    reader.socket.sendall(b"STAT\r\n")
    reader.lines(1)


def huge_message(octets: int) -> Row:
    """Memory that grows while a message from a file is retrieved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "huge.eml"
        with path.open("wb") as file:
            file.write(b"Subject: huge\n\n.\n")
            file.truncate(octets)  # a file with a hole: it takes no room on the disk
        with served(scenario(f"{{octets: 100}}, {{file: '{path}'}}")) as mock:
            reader = Reader(mock.port)
            reader.ask(b"RETR 1\r\n")
            mock.forget_most_memory()
            before = mock.memory()
            begin = time.perf_counter()
            reader.ask(b"RETR 2\r\n")
            seconds = time.perf_counter() - begin
            after = mock.most_memory()
            reader.close()
    grown = None if before is None or after is None else (after - before) / (1 << 20)
    return Row(
        f"memory that grows while {octets >> 20} MiB come at {octets / seconds / 1e6:.0f} MB/s",
        "not told here" if grown is None else f"{grown:.2f} MiB",
        "4 MiB",
        "" if grown is None else f"{grown / 4:.2f}",
        "of the bound",
    )


# Scenarios


def loading(rounds: int) -> Iterator[Row]:
    """The library, against what the YAML library alone takes for it, and one scenario of it."""
    names = [reference for name in shipped() for reference in expand(name)]
    mine, theirs, ratio = paired(lambda: load_all(names), parse_all, rounds)
    yield Row(
        f"loading all {len(names)} scenarios in {len(shipped())} files, against YAML alone",
        milliseconds(mine),
        milliseconds(theirs),
        f"{1 / ratio:.1f}",
        "times as long (bound: 300 ms)",
    )
    longest = max((first_time(name, rounds), name) for name in names)
    yield Row(
        f"loading the scenario that takes longest, {longest[1]}",
        milliseconds(longest[0]),
        "10 ms",
        f"{longest[0] / 0.01:.2f}",
        "of the bound",
    )


def load_all(names: list[str]) -> None:
    """Load all, and remember nothing of an earlier time."""
    _loader._parse.cache_clear()
    for name in names:
        load(name)


def first_time(name: str, rounds: int) -> float:
    """Seconds to load one scenario when others have been, but nothing that it is made of."""
    times = []
    for _ in range(rounds):
        _loader._parse.cache_clear()
        load("default")
        times.append(timed(lambda: load(name)))
    return statistics.median(times)


def parse_all() -> None:
    """Read the same files with the YAML library, into plain values."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in shipped().values():
        yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both loaders are safe ones


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
