"""A name with several addresses: they are raced (RFC 8305)."""

from __future__ import annotations

import asyncio
import selectors
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

from pop3client import _race

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 60.0
"""Seconds that no test waits for."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who answers."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that does not answer: its queue of connections is full."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(one.getsockname())
        yield one.getsockname()
        for filler in fillers:
            filler.close()


@pytest.fixture
def refusing() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        address: tuple[str, int] = one.getsockname()
    return address


@pytest.fixture(params=["blocking", "asyncio"])
def race(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Race addresses, by either function."""

    def run(*addresses: Any, timeout: float = LONG, head_start: float = LONG) -> socket.socket:
        found = [
            (kind if isinstance(kind, int) else socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for kind, address in (
                each if isinstance(each[0], int) else (None, each) for each in addresses
            )
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        if request.param == "blocking":
            return _race.race("h", 1, timeout, clock=time.monotonic, head_start=head_start)

        async def within() -> socket.socket:
            async with asyncio.timeout(timeout):
                return await _race.race_async("h", 1, head_start=head_start)

        return asyncio.run(within())

    return run


def test_the_first_answers(race: Any, listener: socket.socket) -> None:
    """If the first address answers, no other is tried."""
    with race(listener.getsockname(), ("192.0.2.1", 1)) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_a_refusal_does_not_wait(race: Any, refusing: Any, listener: socket.socket) -> None:
    """After a refusal the next address is tried at once, not after the head start."""
    with race(refusing, listener.getsockname()) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_a_family_that_is_not_there(race: Any, listener: socket.socket) -> None:
    """An address of a family that this machine cannot do is passed by."""
    with race((9999, ("x", 1)), listener.getsockname()) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_silence_costs_the_head_start(race: Any, silent: Any, listener: socket.socket) -> None:
    """An address that is silent is not waited for; its socket is closed."""
    with race(silent, silent, listener.getsockname(), head_start=0.01) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_a_late_answer_counts(race: Any, refusing: Any, silent: Any) -> None:
    """When all are running, what fails is dropped and the time limit ends it."""
    with pytest.raises(TimeoutError):
        race(silent, refusing, timeout=0.05, head_start=0.01)


def test_connected_and_reset_at_once(listener: socket.socket) -> None:
    """Who was connected has won, though the server has hung up by now; who reads will see."""
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    with _race._Runners() as runners:
        runners._selector.register(ours, selectors.EVENT_WRITE)

        assert runners.first(LONG) is ours
    ours.close()


def test_nobody_answers(race: Any, refusing: Any) -> None:
    """If all fail, the error is that of the last."""
    with pytest.raises(ConnectionRefusedError):
        race(refusing, refusing)


def test_no_address(race: Any) -> None:
    """A name without addresses is an error like others."""
    with pytest.raises(OSError, match="no address"):
        race()


def test_families_take_turns() -> None:
    """The families alternate, beginning with the one that the system puts first (section 4)."""
    six, four = socket.AF_INET6, socket.AF_INET
    found = [
        (family, 1, 6, "", name) for family, name in zip([six, six, six, four], "abcd", strict=True)
    ]

    assert [each.address for each in _race._in_turn(found)] == ["a", "d", "b", "c"]


def test_who_arrives_too_late() -> None:
    """A socket that is connected when another one has won already is closed."""
    late = socket.socket()

    async def arrive() -> socket.socket:
        return late

    async def main() -> None:
        task = asyncio.ensure_future(arrive())
        await asyncio.wait([task])
        await _race._call_off({task})

    asyncio.run(main())

    assert late.fileno() == -1


def test_cancelled(listener: socket.socket, silent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A race that is cancelled leaves no socket and no task."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", silent)] * 3
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    async def main() -> int:
        racing = asyncio.ensure_future(_race.race_async("h", 1, head_start=0.001))
        while len(asyncio.all_tasks()) < 5:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0)
        racing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await racing
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
