"""NOOP while the caller is at work: what becomes of its errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import pop3client

from ._idle import SOON, Peer, run_beat, threads

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_ANSWERED = "rules: [{when: NOOP, cut: 0, then: hang}]"
CLOSED = "rules: [{when: NOOP, cut: 0, then: close}]"
REFUSED = "rules: [{when: NOOP, reply: -ERR what for}]"


@pytest.fixture
def peer(facade: Any, request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A server whose rules are the fixture's parameter."""
    with Peer(facade, getattr(request, "param", "")) as one:
        yield one


def with_rules(rules: str) -> pytest.MarkDecorator:
    """Let the server be odd."""
    return pytest.mark.parametrize("peer", [rules], indirect=True, ids=[""])


@with_rules(REFUSED)
def test_a_refused_noop(peer: Peer) -> None:
    """A server that refuses NOOP has heard from us all the same."""
    client = peer.connect(strict=True)

    peer.at_work(lambda: peer.until(times=2))

    assert client.stat().count == 5


@pytest.mark.parametrize(
    ("peer", "error"),
    [(NOT_ANSWERED, pop3client.POP3TimeoutError), (CLOSED, pop3client.ConnectionClosed)],
    indirect=["peer"],
    ids=["not answered", "closed"],
)
def test_the_next_command_raises_it(peer: Peer, error: type[pop3client.POP3Error]) -> None:
    """Nobody is there to raise an error to but the next command; the session is over."""
    client = peer.connect(timeout=0.3)

    peer.at_work(peer.until)

    with pytest.raises(error, match="NOOP"):
        client.stat()
    with pytest.raises(pop3client.StateError, match="NOOP"):
        client.stat()
    assert threads() == []


@with_rules(CLOSED)
def test_close_raises_it(peer: Peer) -> None:
    """Who has marked messages must hear that nothing was deleted, once."""
    client = peer.connect()
    client.dele(1)

    peer.at_work(peer.until)

    with pytest.raises(pop3client.ConnectionClosed, match="NOOP"):
        client.close()
    client.close()
    assert len(peer.server.maildrop) == 5


@with_rules(NOT_ANSWERED)
def test_aborted_meanwhile(peer: Peer) -> None:
    """To abort does not wait for the answer, and leaves no error behind."""
    client = peer.connect(timeout=60)

    def work() -> None:
        peer.until()
        if peer.facade.kind == "blocking":
            client.abort()
        else:
            peer.facade.loop.call_soon_threadsafe(client.driven.abort)

    peer.at_work(work)

    assert threads() == []
    with pytest.raises(pop3client.StateError, match="aborted"):
        client.stat()


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "ahead"])
@with_rules(CLOSED)
def test_it_fails_while_sync_delivers(peer: Peer, pipelining: bool) -> None:
    """The message that was being delivered is seen, and does not come again."""
    client = peer.connect(keepalive=SOON, pipelining=pipelining)
    delivered: list[bytes] = []

    def work(message: Any) -> None:
        peer.until()
        delivered.append(message.raw)

    with pop3client.SeenStore(":memory:") as store:
        with pytest.raises(pop3client.ConnectionClosed, match="NOOP"):
            client.sync(store, peer.deliverer(work))
        result = peer.connect().sync(store, lambda message: delivered.append(message.raw))

    assert delivered == list(peer.server.maildrop)
    assert len(result.skipped) >= 1


class LogError(Exception):
    """What a wire log raises."""


def test_what_a_callback_raises(peer: Peer) -> None:
    """An error of the caller's own, in the middle of NOOP, ends the session and comes out too."""

    def log(line: pop3client.WireLine) -> None:
        if line.text == "NOOP":
            raise LogError("no")

    client = peer.connect(wire_log=log)

    run_beat(peer)

    with pytest.raises(LogError):
        client.stat()
    with pytest.raises(pop3client.StateError):
        client.stat()


@pytest.mark.parametrize("kind", ["asyncio"])
def test_cancelled(peer: Peer) -> None:
    """A task that is cancelled at work leaves no task, and a session that can be used."""
    client = peer.connect()

    async def work() -> None:
        async with client.driven.keeping_alive(SOON):
            await asyncio.get_running_loop().create_future()  # to the end, which never comes

    async def main() -> None:
        task = asyncio.ensure_future(work())
        await asyncio.to_thread(peer.until)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    peer.facade.run(main())

    assert client.stat().count == 5


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_wrong_times(peer: Peer, seconds: float) -> None:
    """A time that is none is refused, wherever it is said."""
    peer.connect()

    with pytest.raises(pop3client.InvalidArgument, match="seconds"):
        peer.at_work(lambda: None, seconds)
    with pytest.raises(pop3client.InvalidArgument, match="keepalive"):
        peer.connect(keepalive=seconds)
