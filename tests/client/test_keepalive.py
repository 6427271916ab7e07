"""NOOP while the caller is at work: when it is sent, and when it cannot be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import pop3client

from ._idle import SOON, Peer, run_beat, threads

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE = 600.0
BLOCKING = pytest.mark.parametrize("kind", ["blocking"])
ASYNCIO = pytest.mark.parametrize("kind", ["asyncio"])


@pytest.fixture
def peer(facade: Any) -> Iterator[Peer]:
    """A server, and a client that is at work."""
    with Peer(facade) as one:
        yield one


# When it is sent.


def test_while_the_caller_works(peer: Peer) -> None:
    """NOOP is said again and again; commands before and after it get their own answers."""
    client = peer.connect()

    peer.at_work(lambda: peer.until(times=3))

    assert client.stat().count == 5
    assert threads() == []


@BLOCKING
def test_commands_in_between(peer: Peer) -> None:
    """Commands and NOOPs take turns, and no answer is taken for another's."""
    client = peer.connect()

    with client.keeping_alive(0.001):
        for turn in range(1, 200):
            assert client.list(turn % 5 + 1).number == turn % 5 + 1
        peer.until()

    assert client.stat().count == 5


@ASYNCIO
def test_tasks_in_between(peer: Peer) -> None:
    """The same with the tasks of a loop."""
    client = peer.connect()

    async def main() -> None:
        async with client.driven.keeping_alive(0.0001):
            for turn in range(1, 200):
                assert (await client.driven.list(turn % 5 + 1)).number == turn % 5 + 1
                await asyncio.sleep(0)
            await asyncio.to_thread(peer.until)

    peer.facade.run(main())

    assert client.stat().count == 5


def test_not_while_there_is_no_need(peer: Peer) -> None:
    """Who is not silent for long says no NOOP, and leaves no thread."""
    client = peer.connect()

    peer.at_work(lambda: None, seconds=LATE)
    client.stat()

    assert peer.noops() == 0
    assert threads() == []


def test_without_the_setting_there_is_no_thread(peer: Peer) -> None:
    """Neither messages nor sync start one unasked."""
    peer.connect()
    seen: list[int] = []

    assert len(peer.take(lambda: seen.append(len(threads())))) == 5
    assert set(seen) == {0}


@BLOCKING
def test_blocks_in_blocks(peer: Peer) -> None:
    """A block inside another one changes nothing."""
    client = peer.connect(keepalive=SOON)

    with client.keeping_alive():
        with client.keeping_alive(LATE):
            assert len(threads()) == 1
            peer.until()
        assert len(threads()) == 1
        peer.until(times=peer.noops() + 1)
    assert threads() == []


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "ahead"])
def test_between_messages(peer: Peer, pipelining: bool) -> None:
    """The setting does it between two messages, though the next are under way."""
    peer.connect(keepalive=SOON, pipelining=pipelining)

    came = peer.take(lambda: peer.until(times=peer.noops() + 1))

    assert came == list(peer.server.maildrop)
    assert peer.noops() >= 5
    assert threads() == []


def test_messages_that_are_given_up(peer: Peer) -> None:
    """Who takes no more messages leaves no thread, nor does who ends the session first."""
    client = peer.connect(keepalive=LATE)
    messages = client.messages()
    next(messages)
    messages.close()
    assert threads() == []
    messages = client.messages()
    next(messages)

    client.close()

    assert threads() == []
    messages.close()


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "ahead"])
def test_while_sync_delivers(peer: Peer, pipelining: bool) -> None:
    """The setting does it while a message is delivered; each is delivered once."""
    client = peer.connect(keepalive=SOON, pipelining=pipelining)
    delivered: list[bytes] = []

    def work(message: Any) -> None:
        peer.until(times=peer.noops() + 1)
        delivered.append(message.raw)

    with pop3client.SeenStore(":memory:") as store:
        result = client.sync(store, peer.deliverer(work))

    assert delivered == list(peer.server.maildrop)
    assert (len(result.fetched), result.failed) == (5, ())
    assert threads() == []


# When it cannot be sent.


def test_not_in_the_middle_of_a_message(peer: Peer) -> None:
    """While a message is read in parts nothing is sent."""
    client = peer.connect()
    parts = client.iter_retr(1)
    first = next(parts)

    run_beat(peer)

    assert peer.noops() == 0
    assert first + b"".join(parts) == next(iter(peer.server.maildrop))
    run_beat(peer)
    assert peer.noops() == 1


@BLOCKING
def test_a_block_in_which_a_message_is_read(peer: Peer) -> None:
    """A block may end in the middle of a message, which is read on after it."""
    client = peer.connect()

    with client.keeping_alive(SOON):
        parts = client.iter_retr(1)
        first = next(parts)
    assert threads() == []

    assert first + b"".join(parts) == next(iter(peer.server.maildrop))
    assert peer.noops() == 0


def test_not_before_login(peer: Peer) -> None:
    """Before login NOOP is no command."""
    peer.client = peer.facade.client(peer.server.host, port=peer.server.port)

    run_beat(peer)

    assert peer.noops() == 0


def test_not_after_the_end(peer: Peer) -> None:
    """A session that is over is not spoken to, and no error comes of it."""
    client = peer.connect()
    client.close()

    run_beat(peer)
    client.close()

    assert peer.noops() == 0
