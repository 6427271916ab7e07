"""How the blocking client waits on real sockets: never longer than it may, and losing nothing."""

from __future__ import annotations

import select
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pop3client._links import Link, link

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 0.05


@pytest.fixture(params=[link, Link], ids=["polled", "any"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Link, socket.socket]]:
    """A link, and the socket at the other end."""
    here, there = socket.socketpair()
    with here, there:
        yield request.param(here), there


def test_nothing_is_there(pair: tuple[Link, socket.socket]) -> None:
    """Taking does not wait; receiving waits as long as it may."""
    near, _ = pair
    room = memoryview(bytearray(10))

    assert near.take(room) is None
    with pytest.raises(TimeoutError):
        near.receive(room, SECONDS)


def test_something_is_there(pair: tuple[Link, socket.socket]) -> None:
    """What has arrived is given, and the end of the stream is no octets."""
    near, far = pair
    room = memoryview(bytearray(3))

    far.sendall(b"abcde")
    assert near.take(room) == 3
    assert near.receive(room, SECONDS) == 2
    assert bytes(room) == b"dec"
    far.close()
    assert near.take(room) == 0
    assert near.receive(room, SECONDS) == 0


def test_more_than_fits(pair: tuple[Link, socket.socket]) -> None:
    """What does not go out at one go is sent as the other side makes room."""
    near, far = pair
    data = bytes(range(256)) * 20_000
    came = bytearray()

    def read() -> None:
        while len(came) < len(data):
            came.extend(far.recv(100_000))

    reader = threading.Thread(target=read)
    reader.start()
    near.send(data, 10)
    reader.join(10)

    assert came == data
    assert near.take(memoryview(bytearray(1))) is None


def test_nobody_reads(pair: tuple[Link, socket.socket]) -> None:
    """Sending to somebody who does not read comes to an end as well."""
    near, _ = pair

    with pytest.raises(TimeoutError):
        near.send(bytes(10_000_000), SECONDS)
    with pytest.raises(TimeoutError):
        near.send(b"x" * 10_000_000, SECONDS)


def test_who_is_polled() -> None:
    """A plain socket is polled where the system can; of another kind nothing is assumed."""

    class Other(socket.socket):
        pass

    with socket.socket() as plain, Other() as other:
        assert (type(link(plain)) is not Link) == hasattr(select, "poll")
        assert type(link(other)) is Link


def test_ready_without_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that says there is something where nothing is does not make a wait longer."""
    here, there = socket.socketpair()
    with here, there:
        near = link(here)
        monkeypatch.setattr(near, "_poll", lambda _: [(here.fileno(), 1)], raising=False)

        assert near.take(memoryview(bytearray(1))) is None
        with pytest.raises(TimeoutError):
            near.receive(memoryview(bytearray(1)), SECONDS)
