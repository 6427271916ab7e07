"""What the client costs, against Python's own poplib and against a loop that only receives.

All get the same octets from the same server, which runs in another process and answers from
ready-made buffers. Where the row says processor time, only what this process did is counted, and
not how long it waited for its turn on a busy machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import poplib
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from served import Process, started
from timing import Row, milliseconds, paired

import pop3client
from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CANNED = str(Path(__file__).with_name("canned.py"))
_MIB = 1 << 20


def rows(*, quick: bool) -> Iterator[Row]:
    """All of them."""
    rounds = 2 if quick else 7
    yield writes()
    yield from small_messages(200 if quick else 2000, rounds)
    big, octets = (2, _MIB) if quick else (20, 10 * _MIB)
    for kind in (["base64"], ["text"], ["base64", "unsized"]):
        yield from big_messages(big, octets, kind, rounds)
    yield on_asyncio(big, octets, rounds)
    yield huge_message((1 << 26) if quick else (1 << 30))
    yield from listings(20_000 if quick else 200_000, rounds)


# The three who fetch


def connect(port: int, **settings: Any) -> pop3client.POP3Client:  # noqa: ANN401 - of any kind
    """Log in with pop3client."""
    return pop3client.connect("127.0.0.1", "a", "b", port=port, **settings)


def at_once(port: int, **settings: Any) -> Callable[[], object]:  # noqa: ANN401 - of any kind
    """Fetch all with pop3client, and hold them together, as ``poplib_at_once`` does."""

    def run() -> None:
        with connect(port, **settings) as client:
            assert client.retrieve("start", "end")

    return run


def in_turn(port: int, count: int) -> Callable[[], object]:
    """Fetch messages by ``retr``, as ``poplib_one_by_one`` does, each after the one before."""

    def run() -> None:
        with connect(port, pipelining=False) as client:
            for number in range(1, count + 1):
                assert client.retr(number).raw

    return run


def one_by_one(port: int, **settings: Any) -> Callable[[], object]:  # noqa: ANN401 - of any kind
    """Fetch all with pop3client, and hold one at a time."""

    def run() -> None:
        with connect(port, **settings) as client:
            for message in client.iter_retrieve("start", "end"):
                assert message.raw

    return run


def log_in(port: int) -> poplib.POP3:
    """Log in with poplib."""
    pop = poplib.POP3("127.0.0.1", port, timeout=60)
    pop.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pop.user("a")
    pop.pass_("b")
    return pop


def poplib_at_once(port: int) -> Callable[[], object]:
    """Fetch all with poplib, and hold them together."""

    def run() -> None:
        pop = log_in(port)
        messages = [pop.retr(number) for number in range(1, pop.stat()[0] + 1)]
        assert all(messages)
        pop.quit()

    return run


def poplib_one_by_one(port: int) -> Callable[[], object]:
    """Fetch all with poplib, and hold one at a time."""

    def run() -> None:
        pop = log_in(port)
        for number in range(1, pop.stat()[0] + 1):
            assert pop.retr(number)
        pop.quit()

    return run


def bare(port: int, count: int) -> Callable[[], object]:
    """Fetch as many messages and throw them away as they come: the least that can be done."""

    def run(rounds: int = count, octets: int = answer_octets(port)) -> None:
        room = memoryview(bytearray(256 * 1024))
        with greeted(port) as sock:
            for _ in range(rounds):
                sock.sendall(b"RETR 1\r\n")
                left = octets
                while left:
                    left -= sock.recv_into(room)

    return run


def least_in_turn(port: int, count: int) -> Callable[[], object]:
    """Fetch messages with nothing but a write, a read and a copy for each, and no care at all."""

    def run() -> None:
        room = bytearray(256 * 1024)
        view = memoryview(room)
        with greeted(port) as sock:
            for number in range(1, count + 1):
                sock.sendall(b"RETR %d\r\n" % number)
                end = 0
                while not room.endswith(b"\r\n.\r\n", 0, end):
                    end += sock.recv_into(view[end:])
                assert bytes(view[room.find(b"\n", 0, end) + 1 : end - 3])

    return run


def greeted(port: int) -> socket.socket:
    """Connect, and take the greeting."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.recv(4096)
    return sock


def answer_octets(port: int) -> int:
    """How long the answer to RETR is."""
    answer = bytearray()
    with greeted(port) as sock:
        sock.sendall(b"RETR 1\r\n")
        while not answer.endswith(b"\r\n.\r\n"):
            answer += sock.recv(1 << 20)
    return len(answer)


def served_by_canned(count: int, octets: int, *kind: str) -> Any:  # noqa: ANN401 - a manager
    """Start the server."""
    return started([_CANNED, str(count), str(octets), *kind])


# How many writes


class CountingSocket(socket.socket):
    """A socket that counts what is handed to the kernel."""

    writes = 0

    def sendall(self, *arguments: Any) -> None:  # noqa: ANN401 - whatever a socket takes
        """Count, and send."""
        self.writes += 1
        super().sendall(*arguments)


def writes() -> Row:
    """Writes of one session against the commands that it sent."""
    made: list[CountingSocket] = []

    def factory(host: str, port: int, timeout: float | None) -> socket.socket:
        sock = CountingSocket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect((host, port))
        made.append(sock)
        return sock

    with MockServer() as server:
        with pop3client.connect(
            server.host,
            *server.credentials,
            port=server.port,
            socket_factory=factory,
            pipelining=False,
        ) as client:
            client.retrieve("start", "end")
            client.delete(1, 2)
        commands = len(server.journal.commands)
    total = sum(sock.writes for sock in made)
    return Row(
        "writes of a whole session without pipelining",
        f"{total} writes",
        f"{commands} commands",
        f"{total / commands:.2f}",
        "writes per command; 1 is the least there can be",
    )


# Messages


def rates(what: str, peer: str, octets: int, times: tuple[float, float, float]) -> Row:
    """A row about octets per second."""
    mine, theirs, ratio = times
    return Row(
        f"{what}, against {peer}",
        f"{octets / mine / 1e6:.0f} MB/s",
        f"{octets / theirs / 1e6:.0f} MB/s",
        f"{ratio:.2f}",
        f"times {peer}'s rate",
    )


def small_messages(count: int, rounds: int) -> Iterator[Row]:
    """Many messages of 4 KiB, several at once and one by one."""
    what, octets = f"{count} messages of 4 KiB", 4096 * count
    with served_by_canned(count, 4096, "text") as server:
        port, peer = server.port, poplib_one_by_one(server.port)
        ahead = paired(at_once(port), poplib_at_once(port), rounds)
        yield rates(f"{what}, pipelined", "poplib", octets, ahead)
        many = f"{what}, pipelined, iterated"
        yield rates(many, "poplib", octets, paired(one_by_one(port), peer, rounds))
        yield from without_pipelining(f"{what}, not pipelined", count, port, rounds)
    with on_one_processor(), served_by_canned(count, 4096, "text") as server:
        what = f"{what}, not pipelined, on one processor"
        yield from without_pipelining(what, count, server.port, rounds)
        what = f"{what}, in processor time"
        yield from without_pipelining(what, count, server.port, rounds, time.process_time)


def without_pipelining(
    what: str,
    count: int,
    port: int,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Row]:
    """One message after the other: the client, and the least that Python has to do for it."""
    octets, peer = 4096 * count, poplib_one_by_one(port)
    yield rates(what, "poplib", octets, paired(in_turn(port, count), peer, rounds, clock))
    least = paired(least_in_turn(port, count), peer, rounds, clock)
    yield rates(f"the least for {what}", "poplib", octets, least)


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """Keep this process and those that it starts on one processor, where that can be done.

    Client and server wait for each other anyway. On two processors most of the time goes by until
    the one that has slept is awake, which is the machine's affair and the same for every client.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def big_messages(count: int, octets: int, kind: list[str], rounds: int) -> Iterator[Row]:
    """A few big messages, against poplib and against what a loop can do that only receives."""
    what = f"{count} messages of {octets // _MIB} MiB of {', '.join(kind)}"
    with served_by_canned(count, octets, *kind) as server:
        mine = one_by_one(server.port)
        total = count * octets
        peer = poplib_one_by_one(server.port)
        yield rates(what, "poplib", total, paired(mine, peer, max(2, rounds // 2)))
        loop = bare(server.port, count)
        yield rates(what, "a bare loop", total, paired(mine, loop, rounds))
        forget = thrown_away(server.port, count)
        yield rates(f"{what}, thrown away", "a bare loop", total, paired(forget, loop, rounds))


def thrown_away(port: int, count: int) -> Callable[[], object]:
    """Fetch messages by ``retr_to`` and keep nothing, as the bare loop does."""

    def run() -> None:
        with connect(port) as client:
            for number in range(1, count + 1):
                client.retr_to(number, Nowhere())

    return run


def on_asyncio(count: int, octets: int, rounds: int) -> Row:
    """The same, by the asyncio client against the blocking one."""

    async def fetch(port: int) -> None:
        async with pop3client.connect_async("127.0.0.1", "a", "b", port=port) as client:
            async for message in client.iter_retrieve("start", "end"):
                assert message.raw

    with served_by_canned(count, octets, "base64") as server:
        times = paired(lambda: asyncio.run(fetch(server.port)), one_by_one(server.port), rounds)
    what = f"{count} messages of {octets // _MIB} MiB on asyncio"
    return rates(what, "the blocking client", count * octets, times)


class Nowhere:
    """A file that forgets what is written."""

    def write(self, data: bytes) -> None:
        """Forget."""


def huge_message(octets: int) -> Row:
    """Memory that grows while one message goes to a file."""
    myself = Process(0, os.getpid())
    with (
        served_by_canned(1, octets, "text") as server,
        connect(server.port) as client,
    ):
        client.noop()
        myself.forget_most_memory()
        before = myself.memory()
        client.retr_to(1, Nowhere())
        after = myself.most_memory()
    grown = None if before is None or after is None else (after - before) / _MIB
    return Row(
        f"memory that grows while retr_to writes {octets // _MIB} MiB",
        "not told here" if grown is None else f"{grown:.2f} MiB",
        "4 MiB",
        "" if grown is None else f"{grown / 4:.2f}",
        "of the bound",
    )


# Listings


def listings(count: int, rounds: int) -> Iterator[Row]:
    """LIST and UIDL, with what they say as typed values, against lines of octets."""
    for command, order in (("list", ""), ("uidl", ""), ("uidl", "shuffled")):
        (_, (small, _, _)), *_ = listing(command, count // 10, rounds, order)
        what = f"{command.upper()} of {count} entries{order and ' in no order'}"
        for how, (mine, theirs, ratio) in listing(command, count, rounds, order):
            yield Row(
                f"{what}, {how}",
                milliseconds(mine),
                milliseconds(theirs),
                f"{ratio:.2f}",
                "times poplib's rate, in processor time",
            )
            if how == UNTOUCHED:
                yield Row(
                    f"{what}, against {count // 10}",
                    milliseconds(mine),
                    milliseconds(small),
                    f"{mine / small / 10:.2f}",
                    "of ten times as long (linear is 1)",
                )


UNTOUCHED = "typed, against poplib's octets"


def listing(
    command: str, count: int, rounds: int, order: str
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Seconds for both, and their ratio: as it comes, with each entry looked at, and so in both."""
    clock = time.process_time
    with served_by_canned(count, 100, "text", order) as server:
        pop = log_in(server.port)
        with connect(server.port) as client:
            mine, theirs = getattr(client, command), getattr(pop, command)
            yield UNTOUCHED, paired(mine, theirs, rounds, clock)

            def touch() -> None:
                for _ in mine():
                    pass

            def parse() -> None:
                kind = int if command == "list" else bytes
                for line in theirs()[1]:
                    number, value = line.split()
                    _ = int(number), kind(value)

            touched = paired(touch, theirs, rounds, clock)
            yield "each entry made, against poplib's octets", touched
            parsed = paired(touch, parse, rounds, clock)
            yield "each entry made, against poplib's, parsed", parsed
        pop.quit()
