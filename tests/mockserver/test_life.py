"""The life of a server: it starts, serves many clients side by side, and stops."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import ScenarioError, UnknownScenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]


def test_start_and_stop(raw: Raw) -> None:
    """A started server answers; a stopped one refuses connections and may start again."""
    server = MockServer()

    server.start()
    assert raw(server).line().startswith(b"+OK ")
    server.stop()

    with pytest.raises(ConnectionRefusedError):
        raw(server)
    with server:
        assert raw(server).line().startswith(b"+OK ")


def test_stop_twice() -> None:
    """Stopping a server that is not running does nothing."""
    server = MockServer().start()

    server.stop()
    server.stop()

    assert "stopped" in repr(server)


def test_start_twice() -> None:
    """Starting a server that is running is an error that says so."""
    with MockServer() as server, pytest.raises(RuntimeError, match="running already"):
        server.start()


def test_port_taken() -> None:
    """An address that cannot be had is the caller's error, and leaves nothing running."""
    with MockServer() as server:
        other = MockServer(port=server.port)
        with pytest.raises(OSError, match="in use"):
            other.start()

    assert not any(thread.name == "pop3mock" for thread in threading.enumerate())


def test_no_thread_to_be_had(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no thread, nothing is left open, and a later start works."""
    server = MockServer()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            server.start()

    with server:
        assert raw(server).line().startswith(b"+OK ")


def test_wrong_scenario_starts_nothing() -> None:
    """A scenario that is wrong is an error before anything is started."""
    with pytest.raises(ScenarioError, match="did you mean 'gmail'"):
        MockServer("gmial")


def test_two_variants() -> None:
    """A variant in brackets and another one beside them are a contradiction, told at once."""
    server = MockServer("stls-broken[expired]", variant="expired")

    with pytest.raises(UnknownScenario, match=r"names the variant 'expired', and variant='ref.*"):
        MockServer("stls-broken[expired]", variant="refused")
    with pytest.raises(UnknownScenario, match=r"names the variant 'expired', and variant='ref.*"):
        server.play("stls-broken[expired]", variant="refused")

    assert server.scenario.name == "stls-broken[expired]"


def test_stop_ends_hangs(playing: Playing, raw: Raw) -> None:
    """A connection that hangs ends when the server stops, and not before."""
    with playing("rules: [{when: NOOP, then: hang}]") as server:
        client = raw(server)
        client.login()
        client.ask(b"NOOP")
        client.send(b"NOOP\r\n")
        assert client.silent()

    assert client.rest() == b""


def test_no_thread_is_left() -> None:
    """The loop's thread ends with the last server."""
    with MockServer(), MockServer():
        names = [thread.name for thread in threading.enumerate()]

    assert names.count("pop3mock") == 1
    assert not any(thread.name == "pop3mock" for thread in threading.enumerate())


def test_side_by_side(raw: Raw) -> None:
    """Connections are served side by side, each in its own state."""
    with MockServer() as server:
        clients = [raw(server) for _ in range(50)]
        answers = [client.line()[:4] for client in reversed(clients)]
        logins = [clients[7].ask(b"USER alice")[:4], clients[3].ask(b"PASS secret")[:4]]

    assert answers == [b"+OK "] * 50
    assert logins == [b"+OK ", b"-ERR"]


def test_from_async_code() -> None:
    """The server serves clients on an event loop of the test's own."""

    async def fetch(server: MockServer) -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"QUIT\r\n")
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        return data

    with MockServer() as server:
        said = asyncio.run(fetch(server))

    assert said.startswith(b"+OK ")
    assert said.endswith(b"+OK bye\r\n")


def test_ipv6() -> None:
    """The server can listen on an IPv6 address."""
    with (
        MockServer(host="::1") as server,
        socket.create_connection((server.host, server.port), 5) as sock,
    ):
        assert sock.recv(3) == b"+OK"
