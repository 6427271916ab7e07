"""Large: many messages, huge messages, many sessions. No test here looks at a clock."""

from __future__ import annotations

import asyncio
import gc
import resource
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send
from pop3mock._flow import held
from pop3scenarios import Copy, loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pop3mock._session import Session

pytestmark = pytest.mark.once

MIB = 1 << 20


def serve(maildrop: str, server: str = "{}") -> MockServer:
    """A server with this mail."""
    return MockServer(
        loads(f"pop3: 1\nname: t\nsummary: t\nserver: {server}\nmaildrop: [{maildrop}]\n")
    )


def logged_in(server: MockServer) -> Session:
    """A session that has seen all there is to see once."""
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\nLIST\r\nUIDL\r\n")
    return session


def steps(session: Session, command: bytes) -> int:
    """How many functions are called for one command: what it costs, whatever the machine does."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        session.receive(command)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("command", [b"LIST\r\n", b"UIDL\r\n", b"STAT\r\n", b"RSET\r\n"])
def test_whole_maildrop_is_linear(command: bytes) -> None:
    """What goes over the whole maildrop costs four times as much for four times as many."""
    small = steps(logged_in(serve("{octets: 4096, count: 500}")), command)
    large = steps(logged_in(serve("{octets: 4096, count: 2000}")), command)

    assert large <= 4.1 * small


@pytest.mark.parametrize(
    "command",
    [b"LIST 400\r\n", b"UIDL 400\r\n", b"RETR 400\r\n", b"TOP 400 0\r\n", b"DELE 400\r\n"],
)
def test_one_message_costs_the_same_in_any_maildrop(command: bytes) -> None:
    """What is about one message does not look at the others."""
    small = steps(logged_in(serve("{octets: 4096, count: 500}")), command)
    large = steps(logged_in(serve("{octets: 4096, count: 2000}")), command)

    assert small == large


def test_second_login_is_linear_in_few_steps() -> None:
    """A login does not find out anew what an earlier one has found out."""
    server = serve("{octets: 4096, count: 2000}")
    logged_in(server).receive(b"QUIT\r\n")
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\n")

    assert steps(session, b"PASS secret\r\n") < 5 * 2000


def test_maildrop_of_200_000_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Login, STAT, LIST and UIDL of 800 MB of mail make but a message of each length of number."""
    made: list[int] = []
    chunks = Copy.chunks

    def noted(copy: Copy) -> Iterator[bytes]:
        made.append(copy.number)
        return chunks(copy)

    monkeypatch.setattr(Copy, "chunks", noted)
    session = serve("{octets: 4321, count: 200000}").session()
    session.connected()

    actions = session.receive(b"USER alice\r\nPASS secret\r\nSTAT\r\nLIST\r\nUIDL\r\n")

    answers = [held([action.data]) for action in actions if isinstance(action, Send)]
    stat, scan, unique = answers[-3:]
    assert stat == b"+OK 200000 864200000\r\n"
    assert scan.count(b"\r\n") == unique.count(b"\r\n") == 200_002
    assert b"\r\n200000 4321\r\n" in scan
    assert len({line.split(b" ")[1] for line in unique.split(b"\r\n")[1:-2]}) == 200_000
    assert len(made) <= 6


@pytest.mark.parametrize("command", [b"LIST\r\n", b"UIDL\r\n"])
def test_listing_holds_little_more_than_its_octets(command: bytes) -> None:
    """The lines of a listing are never there all at once, but as the octets of the answer."""
    session = logged_in(serve("{octets: 4096, count: 20000}"))
    tracemalloc.start()
    try:
        (answer,) = session.receive(command)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(answer, Send)
    assert most < 4 * len(answer.data)


def test_message_that_nobody_retrieves_is_small() -> None:
    """A message of a large maildrop, listed once, holds less than 600 octets, whatever its size."""
    server = serve("{octets: 1000000, count: 5000}")
    gc.collect()
    tracemalloc.start()
    try:
        session = logged_in(server)
        held_in_all = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    session.lost()
    assert held_in_all / 5000 < 600


GROWTH = """
import socket, sys, tracemalloc
from pop3mock import MockServer
from pop3scenarios import loads

def fetch(command, buffer):
    client.sendall(command)
    octets, end = 0, b""
    while not end.endswith(b"\\r\\n.\\r\\n"):
        got = client.recv_into(buffer)
        assert got
        octets += got
        end = (end + bytes(buffer[max(0, got - 5):got]))[-5:]
    return octets

text = "pop3: 1\\nname: t\\nsummary: t\\nmaildrop: [{octets: 600000}, %s]\\nrules: [%s]\\n"
with MockServer(loads(text % (sys.argv[1], sys.argv[3]))) as server:
    with socket.create_connection((server.host, server.port), 30) as client:
        buffer = memoryview(bytearray(1 << 16))
        client.sendall(b"USER alice\\r\\nPASS secret\\r\\nSTAT\\r\\n")
        said = b""
        while said.count(b"\\n") < 4:
            said += client.recv(4096)
        fetch(b"RETR 1\\r\\n", buffer)
        tracemalloc.start()
        octets = fetch(sys.argv[2].encode() + b"\\r\\n", buffer)
        print(octets, tracemalloc.get_traced_memory()[1])
"""

HUGE = 32 * MIB


@pytest.mark.parametrize(
    ("kind", "command", "rule", "octets"),
    [
        ("made", "RETR 2", "", HUGE + len(f"+OK {HUGE} octets\r\n.\r\n")),
        ("sparse", "RETR 2", "", None),
        ("lines", "RETR 2", "", None),
        ("lines", "TOP 2 100000000", "", None),
        ("made", "RETR 2", "{when: RETR, dribble: 100000}", None),
    ],
)
def test_huge_message_is_streamed(
    tmp_path: Path, kind: str, command: str, rule: str, octets: int | None
) -> None:
    """While a message of eight times that is retrieved, memory grows by less than 4 MiB."""
    path = tmp_path / "huge.eml"
    item = f"{{file: {path}}}"
    if kind == "made":
        item = f"{{octets: {HUGE}}}"
    else:
        with path.open("wb") as file:
            file.write(b"Subject: huge\n\n.\n")
            if kind == "sparse":
                file.truncate(HUGE)
            else:
                for _ in range(32):
                    file.write((b".x" + b"y" * 60 + b"\n") * (MIB // 63))

    done = subprocess.run(
        [sys.executable, "-c", GROWTH, item, command, rule],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    came, grown = map(int, done.stdout.split())
    assert came == octets or octets is None
    assert came > 30 * MIB
    assert grown < 4 * MIB


@pytest.fixture
def many_files() -> Iterator[None]:
    """Open files for both ends of 2,000 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5000:
        pytest.skip(f"no more than {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def fetch(port: int, start: asyncio.Event, ready: asyncio.Semaphore) -> list[bytes]:
    """Log in, wait for the others, and fetch ten messages."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for command in (b"USER alice\r\n", b"PASS secret\r\n"):
        await reader.readline()
        writer.write(command)
    await reader.readline()
    ready.release()
    await start.wait()
    messages = []
    for number in range(1, 11):
        writer.write(b"RETR %d\r\n" % number)
        octets = int((await reader.readline()).split(b" ")[1])
        messages.append(await reader.readexactly(octets))
        assert await reader.readline() == b".\r\n"
    writer.close()
    await writer.wait_closed()
    return messages


async def crowd(port: int, count: int) -> tuple[int, list[list[bytes]]]:
    """Octets in memory while so many sessions idle, both ends together, and what each fetched."""
    start, ready = asyncio.Event(), asyncio.Semaphore(0)
    clients = [asyncio.create_task(fetch(port, start, ready)) for _ in range(count)]
    for _ in clients:
        await ready.acquire()
    gc.collect()
    idle = tracemalloc.get_traced_memory()[0]
    start.set()
    return idle, await asyncio.gather(*clients)


@pytest.mark.usefixtures("many_files")
def test_two_thousand_sessions_at_once() -> None:
    """Of 2,000 sessions in one process each gets its ten messages whole."""
    with serve("{octets: 1000, count: 10}", "{lock: none}") as server:
        expected = list(server.maildrop)

        _, fetched = asyncio.run(crowd(server.port, 2000))

        server.wait_closed()
    assert len(fetched) == 2000
    assert all(messages == expected for messages in fetched)


@pytest.mark.usefixtures("many_files")
def test_idle_session_is_small() -> None:
    """An idle session holds less than 20 KiB, the client's end of it included."""
    with serve("{octets: 1000, count: 10}", "{lock: none}") as server:
        asyncio.run(crowd(server.port, 1))
        gc.collect()
        tracemalloc.start()
        try:
            idle, _ = asyncio.run(crowd(server.port, 200))
        finally:
            tracemalloc.stop()

    assert idle / 200 < 20 * 1024
