"""What only the asyncio client can do, or suffer: cancellation, tasks, coroutine functions."""

from __future__ import annotations

import asyncio
import inspect
import io
import socket
import threading
from typing import Any

import pytest

import pop3client
from pop3client import AsyncPOP3Client, POP3Client

pytestmark = pytest.mark.parametrize("kind", ["asyncio"])

STEPS: dict[str, Any] = {
    "greeting": None,
    "CAPA": lambda c: c.capa(),
    "USER": lambda c: c.login("alice", "secret", "USER"),
    "PASS": lambda c: c.login("alice", "secret", "USER"),
    "AUTH PLAIN": lambda c: c.login("alice", "secret", "PLAIN"),
    "STAT": lambda c: c.stat(),
    "LIST": lambda c: c.list(),
    "UIDL": lambda c: c.uidl(),
    "RETR 1": lambda c: c.retr(1),
    "TOP 1 0": lambda c: c.top(1, 0),
    "DELE 1": lambda c: c.dele(1),
    "NOOP": lambda c: c.noop(),
    "RSET": lambda c: c.rset(),
    "LAST": lambda c: c.last(),
    "UTF8": lambda c: c.utf8(),
    "LANG": lambda c: c.lang(),
    "QUIT": lambda c: c.quit(),
}
BEFORE_LOGIN = {"CAPA", "USER", "PASS", "AUTH PLAIN", "UTF8", "LANG"}


def in_time_of(server: Any, coroutine: Any) -> Any:
    """Run a coroutine on the loop whose time is the server's."""
    server.facade.loop.clock = server.clock
    return server.facade.run(coroutine)


def opened(server: Any, **options: Any) -> AsyncPOP3Client:
    """An asyncio client of the server that is not connected yet."""
    return AsyncPOP3Client("localhost", socket_factory=server.socket, clock=server.clock, **options)


async def until_waiting(client: AsyncPOP3Client) -> None:
    """Let the client's task run until it waits for its socket."""
    while not client._shell._waiting:  # noqa: ASYNC110 - there is no event, and it takes no time
        await asyncio.sleep(0)


async def cut_off(server: Any, task: asyncio.Task[Any]) -> None:
    """Cancel a task that waits, and see that it ends so."""
    await server.pass_time(1)  # the task has come to where it waits
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("half", [b"", b"+OK 5\r\nab\r\n"], ids=["nothing", "half a reply"])
@pytest.mark.parametrize("step", STEPS)
def test_cancelled(fake: Any, step: str, half: bytes) -> None:
    """A command that is cancelled ends the session: nothing more is sent, the socket is closed."""
    half = half if step in {"CAPA", "LIST", "UIDL", "RETR 1", "TOP 1 0", "LANG"} else half[:3]
    answer = (half, fake.End.HANG)
    server = fake(
        {"CAPA": b"+OK\r\nUTF8\r\nLANG\r\n.\r\n"},
        greeting=answer if step == "greeting" else b"+OK\r\n",
    )

    async def main() -> AsyncPOP3Client:
        client = opened(server)
        if step == "greeting":
            await cut_off(server, asyncio.ensure_future(asyncio.wait_for(client, 99)))
            return client
        await client
        if step not in BEFORE_LOGIN:
            await client.login("alice", "secret", "USER")
        if step in {"UTF8", "LANG"}:
            await client.capa()
        server.answers[step] = server.answers[step.partition(" ")[0]] = answer
        server.exchanges["PLAIN"] = [answer]
        await cut_off(server, asyncio.ensure_future(STEPS[step](client)))
        return client

    client = in_time_of(server, main())

    sent = list(server.sent)
    assert server.connection.closed
    with pytest.raises(pop3client.StateError, match=r"CancelledError|QUIT was sent"):
        in_time_of(server, client.noop())
    in_time_of(server, client.close())
    assert sent == server.sent


def test_cancelled_between_commands(fake: Any) -> None:
    """A task that is cancelled while the client has nothing to do leaves the session as it is."""
    server = fake()

    async def main() -> None:
        async with opened(server) as client:
            await client.login("alice", "secret")
            await cut_off(server, asyncio.ensure_future(server.pass_time(99)))
            await client.noop()

    in_time_of(server, main())
    assert server.sent[-1] == b"QUIT\r\n"


def test_one_thing_at_a_time(fake: Any) -> None:
    """A command while another is under way is refused; the other one gets its answer."""
    server = fake(pace=1.0)

    async def main() -> None:
        client = await opened(server)
        await client.login("alice", "secret")
        first = asyncio.ensure_future(client.retr(1))
        await server.pass_time(0.5)

        with pytest.raises(pop3client.StateError, match="under way"):
            await client.dele(2)

        assert (await first).raw == b"one\r\n"
        await client.dele(2)
        await client.close()

    in_time_of(server, main())
    assert server.sent[-3:] == [b"RETR 1\r\n", b"DELE 2\r\n", b"QUIT\r\n"]


def test_closed_while_a_command_is_under_way(fake: Any) -> None:
    """Method close cannot say QUIT then; it says so, and closes the connection without it."""
    server = fake({"NOOP": fake.End.HANG})

    async def main() -> None:
        client = await opened(server)
        await client.login("alice", "secret")
        parts = client.iter_retr(1)
        await anext(parts)

        with pytest.raises(pop3client.StateError, match="under way"):
            await client.close()

    in_time_of(server, main())
    assert server.connection.closed
    assert b"QUIT\r\n" not in server.sent


def test_before_it_is_awaited(fake: Any) -> None:
    """A client that nobody awaited says so; one that was awaited does not connect again."""
    server = fake()

    async def main() -> None:
        client = opened(server)
        with pytest.raises(pop3client.StateError, match="await it"):
            await client.capa()
        await client
        async with client:
            assert (await client) is client

    in_time_of(server, main())
    assert len(server.connections) == 1
    assert server.sent == [b"QUIT\r\n"]


def test_strictness_comes_before_the_password(fake: Any) -> None:
    """What is wrong in the greeting is an error before anything else is said."""
    server = fake(greeting=b"+OK\n")

    async def main() -> None:
        options: Any = {"socket_factory": server.socket, "clock": server.clock, "strict": True}
        with pytest.raises(pop3client.DeviationError, match="lf-only"):
            await pop3client.connect_async("localhost", "alice", "secret", **options)

    in_time_of(server, main())
    assert server.sent == []
    assert server.connection.closed


def test_a_sink_that_is_awaited(fake: Any) -> None:
    """A file whose write is a coroutine function is awaited; what it raises ends the session."""
    server = fake()
    parts: list[bytes] = []

    class Slow:
        async def write(self, data: bytes) -> None:
            await server.pass_time(1)
            parts.append(data)

    class Full:
        async def write(self, _data: bytes) -> None:
            raise OSError("disk full")

    async def main() -> None:
        client = await opened(server)
        await client.login("alice", "secret")
        assert await client.retr_to(2, Slow()) == 5
        with pytest.raises(OSError, match="disk full"):
            await client.retr_to(2, Full())

    in_time_of(server, main())
    assert parts == [b"two\r\n"]
    assert server.connection.closed


def test_others_get_their_turn(fake: Any) -> None:
    """A server that is always ahead does not keep the event loop to itself."""
    server = fake(mail=(b"x" * 4_000_000 + b"\r\n",), cut=65536)
    turns: list[int] = []

    async def others() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def main() -> None:
        client = await opened(server)
        await client.login("alice", "secret")
        task = asyncio.ensure_future(others())
        await asyncio.sleep(0)
        before = len(turns)
        await client.retr_to(1, io.BytesIO())
        assert len(turns) - before >= 3
        task.cancel()
        client.abort()

    in_time_of(server, main())


def test_abort_wakes_who_waits(facade: Any) -> None:
    """Method abort, called by another task, ends a command that waits for the server."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"+OK\r\n")

    async def main() -> None:
        client = await AsyncPOP3Client("localhost", socket_factory=lambda *_: ours, timeout=60)
        waiting = asyncio.ensure_future(client.capa())
        await until_waiting(client)
        client.abort()
        with pytest.raises(pop3client.ConnectionClosed):
            await asyncio.wait_for(waiting, 5)

    facade.run(main())
    theirs.close()
    assert ours.fileno() == -1


def test_abort_while_connecting(facade: Any) -> None:
    """A client that is aborted before its socket is there closes it when it comes."""
    ours, theirs = socket.socketpair()
    go_on = threading.Event()

    def factory(*_: Any) -> socket.socket:
        go_on.wait(5)
        return ours

    async def main() -> None:
        client = AsyncPOP3Client("localhost", socket_factory=factory, timeout=5)
        opening = asyncio.ensure_future(client._open())
        await asyncio.sleep(0)
        client.abort()
        go_on.set()
        with pytest.raises(pop3client.ConnectionClosed, match="aborted"):
            await opening

    facade.run(main())
    theirs.close()
    assert ours.fileno() == -1


def test_abort_when_the_answer_is_there(fake: Any) -> None:
    """An answer that came in the moment of the abort does not bring the session back to life."""
    server = fake()

    async def main() -> None:
        client = await opened(server)
        await client.login("alice", "secret")
        server.pace = 1.0
        waiting = asyncio.ensure_future(client.noop())
        await server.pass_time(0.5)
        client._session.end("it was aborted")

        with pytest.raises(pop3client.StateError, match="aborted"):
            await waiting
        client.abort()

    in_time_of(server, main())
    assert server.connection.closed


def test_a_socket_that_comes_too_late(facade: Any) -> None:
    """A socket that the factory makes after the client has given up is closed."""
    ours, theirs = socket.socketpair()
    go_on = threading.Event()

    def factory(*_: Any) -> socket.socket:
        go_on.wait(5)
        return ours

    async def main() -> None:
        with pytest.raises(pop3client.POP3TimeoutError, match="connect"):
            await AsyncPOP3Client("localhost", socket_factory=factory, timeout=0.01)
        go_on.set()
        await asyncio.get_running_loop().shutdown_default_executor()
        await asyncio.sleep(0)

    facade.run(main())
    theirs.close()
    assert ours.fileno() == -1


def test_cancelled_in_the_handshake(facade: Any) -> None:
    """A handshake that is cancelled leaves no socket."""
    ours, theirs = socket.socketpair()

    async def main() -> None:
        options: Any = {"socket_factory": lambda *_: ours, "tls": pop3client.TLS.IMPLICIT}
        client = AsyncPOP3Client("localhost", timeout=60, **options)
        opening = asyncio.ensure_future(client._open())
        await until_waiting(client)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    facade.run(main())
    theirs.close()
    assert ours.fileno() == -1


def test_cancelled_while_connecting(facade: Any) -> None:
    """A connection that is cancelled while it is made leaves no socket."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]

        async def main() -> None:
            opening = asyncio.ensure_future(AsyncPOP3Client("127.0.0.1", port=port)._open())
            await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening

        facade.run(main())


def parameters(method: Any) -> dict[str, Any]:
    """Names, kinds, defaults and types of a method's parameters."""
    hints = {name: kind for name, kind in method.__annotations__.items() if name != "return"}
    return {
        name: (each.kind, each.default, hints.get(name))
        for name, each in inspect.signature(method).parameters.items()
    }


def public(client: type) -> dict[str, Any]:
    """The public methods and properties of a client, those of its context manager too."""
    names = [name for name in dir(client) if not name.startswith("_")]
    return {name: inspect.getattr_static(client, name) for name in [*names, "__init__"]}


def test_both_clients_have_the_same_signatures(fake: Any) -> None:
    """Both have the same methods, with the same parameters, and results that differ in async."""
    blocking, asynchronous = public(POP3Client), public(AsyncPOP3Client)

    assert list(blocking) == list(asynchronous)
    for name, method in blocking.items():
        twin = asynchronous[name]
        if isinstance(method, classmethod):  # it makes a client, which can be awaited
            assert parameters(method.__func__) == parameters(twin.__func__), name
            continue
        if not inspect.isfunction(method):
            assert method is twin  # a property that both inherit
            continue
        assert parameters(method) == parameters(twin), name
        result = method.__annotations__["return"]
        is_iterator = result.startswith("Iterator[")
        assert result == twin.__annotations__["return"].removeprefix("Async" * is_iterator), name
        does_io = method is not twin and name != "__init__" and not is_iterator
        assert inspect.iscoroutinefunction(twin) == does_io, name
        if does_io:
            assert twin.__doc__.startswith(f"See ``POP3Client.{method.__name__}``"), name
