"""Messages: in parts, lazily, with progress, and what becomes of those that fail."""

from __future__ import annotations

import io
from typing import Any

import pytest

import pop3client
from pop3client import Limits, RetrMode
from pop3client._wants import Deliver
from pop3client._wire import Wire

BIG = b"".join(b"%d\r\n..\r\n.x\r\n" % number for number in range(50_000))


def test_in_parts(fake: Any) -> None:
    """The parts of a message, one after the other, are the message; the session goes on."""
    server = fake(mail=(BIG, b"", b"two\r\n"), cut=50_000)
    with server.connect() as client:
        parts = list(client.iter_retr(1))

        assert b"".join(parts) == BIG
        assert len(parts) > 5
        assert b"".join(client.iter_retr(2)) == b""
        assert client.retr(3).raw == b"two\r\n"


def test_in_parts_when_asked(fake: Any) -> None:
    """Nothing is sent before the first part is asked for; a bad number is refused at once."""
    server = fake()
    with server.connect() as client:
        parts = client.iter_retr(1)
        assert b"RETR 1\r\n" not in server.sent
        with pytest.raises(pop3client.InvalidArgument):
            client.iter_retr(0)

        assert next(iter(parts)) == b"one\r\n"
        assert list(parts) == []


def test_parts_that_nobody_wants(fake: Any) -> None:
    """Who gives a message up in the middle gives the session up: the rest is still to come."""
    server = fake(mail=(BIG,), cut=50_000)
    client = server.connect()
    parts = client.iter_retr(1)
    next(parts)
    with pytest.raises(pop3client.StateError, match="read to its end"):
        client.noop()

    parts.close()

    assert server.connection.closed
    with pytest.raises(pop3client.StateError, match="interrupted"):
        client.noop()
    client.close()
    assert server.sent[-1] == b"RETR 1\r\n"


def test_close_in_the_middle_of_a_message(fake: Any) -> None:
    """Method close cannot say QUIT there: it says so, and closes the connection without it."""
    server = fake(mail=(BIG,), cut=50_000)
    client = server.connect()
    parts = client.iter_retr(1)
    next(parts)

    with pytest.raises(pop3client.StateError, match="read to its end"):
        client.close()

    assert server.connection.closed
    assert server.sent[-1] == b"RETR 1\r\n"
    with pytest.raises(pop3client.ConnectionClosed):
        list(parts)


def test_parts_that_end_too_soon(fake: Any, cut: int | None) -> None:
    """A connection that is lost in the middle is an error, not the end of the message."""
    server = fake({"RETR 1": (b"+OK\r\nhalf a line", fake.End.CLOSE)}, cut=cut)
    client = server.connect()

    with pytest.raises(pop3client.ConnectionClosed, match="RETR 1"):
        list(client.iter_retr(1))

    assert server.connection.closed


def test_a_refusal_in_parts(fake: Any) -> None:
    """A message that is refused leaves the session as it is."""
    with fake().connect() as client:
        with pytest.raises(pop3client.CommandError):
            list(client.iter_retr(9))

        assert b"".join(client.iter_retr(1)) == b"one\r\n"


def test_memory_does_not_grow() -> None:
    """However long a message is, no part of it and no buffer is longer than for a short one."""
    line = b"x" * 998 + b"\r\n"

    def longest(lines: int) -> tuple[int, int]:
        wire = Wire()
        left = lines * len(line)
        steps = wire.read_body("RETR 1", b"", stream=True)
        parts = [0]
        want: Any = next(steps)
        while left:
            if isinstance(want, Deliver):
                parts.append(len(want.data))
                want = steps.send(None)
                continue
            count = min(len(want.into), left)
            at = -left % len(line)
            want.into[:count] = (line * (count // len(line) + 2))[at : at + count]
            left -= count
            want = steps.send(count)
        return max(parts), len(wire._buffer)

    assert longest(1_000) == longest(20_000)


def test_messages(fake: Any) -> None:
    """All messages that are not marked as deleted, each when it is asked for."""
    server = fake()
    with server.connect() as client:
        client.dele(2)
        messages = client.messages()
        assert not any(data.startswith(b"RETR") for data in server.sent)

        assert next(messages).raw == b"one\r\n"
        client.dele(1)
        assert [message.number for message in messages] == [3]
        assert [message.number for message in client.messages()] == [3]


FAILING = {"RETR 2": b"-ERR [SYS/TEMP] try later\r\n", "DELE 2": b"-ERR no\r\n"}


@pytest.mark.parametrize(
    "fetch",
    [
        lambda c, e: c.retrieve("start", "end", on_error=e),
        lambda c, e: list(c.iter_retrieve("start", "end", on_error=e)),
        lambda c, e: list(c.messages(on_error=e)),
    ],
    ids=["retrieve", "iter_retrieve", "messages"],
)
def test_errors_of_single_messages(fake: Any, cut: int | None, fetch: Any) -> None:
    """A message that fails is reported and left out; the others come."""
    server = fake(FAILING, cut=cut)
    failures: dict[int, pop3client.POP3Error] = {}
    with server.connect() as client:
        messages = fetch(client, failures.__setitem__)

        assert [message.number for message in messages] == [1, 3]
        assert list(failures) == [2]
        assert isinstance(failures[2], pop3client.TemporaryError)


def test_errors_of_single_deletions(fake: Any, cut: int | None) -> None:
    """A message that cannot be marked is reported; the others are marked."""
    failures: dict[int, pop3client.POP3Error] = {}
    with fake(FAILING, cut=cut).connect() as client:
        assert client.delete("start", "end", on_error=failures.__setitem__) == [1, 3]
        assert list(failures) == [2]


def test_what_was_marked_goes_with_the_error(fake: Any) -> None:
    """Without a listener the first error ends the range, and tells what was done before it."""
    with fake(FAILING).connect() as client:
        with pytest.raises(pop3client.CommandError) as caught:
            client.delete("start", "end")

        assert caught.value.marked == (1,)


def test_strict_deviations_of_single_messages(fake: Any) -> None:
    """What a strict client does not accept is reported, with the message; the next is fetched."""
    failures: dict[int, pop3client.POP3Error] = {}
    server = fake({"RETR 2": b"+OK 4\r\n.x\r\n.\r\n", "RETR 3": b"-ERR\n"})
    with server.connect(strict=True) as client:
        messages = client.retrieve("start", "end", on_error=failures.__setitem__)

        assert [message.number for message in messages] == [1]
        assert [message.raw for message in failures[2].retrieved] == [b".x\r\n"]
        assert isinstance(failures[3], pop3client.CommandError)


@pytest.mark.parametrize("how", ["retrieve", "delete"])
def test_an_error_that_ends_the_session_is_raised(fake: Any, how: str) -> None:
    """Without a connection there is no next message, so a listener is no help."""
    failures: dict[int, pop3client.POP3Error] = {}
    command = "RETR 2" if how == "retrieve" else "DELE 2"
    client = fake({command: fake.End.CLOSE}).connect()

    with pytest.raises(pop3client.ConnectionClosed) as caught:
        getattr(client, how)("start", "end", on_error=failures.__setitem__)

    assert not failures
    numbers = [message.number for message in caught.value.retrieved]
    assert (numbers or list(caught.value.marked)) == [1]


@pytest.mark.parametrize(
    "fetch",
    [
        lambda c, p: c.retr(1, progress=p),
        lambda c, p: c.retr_to(1, io.BytesIO(), progress=p),
        lambda c, p: list(c.iter_retr(1, progress=p)),
        lambda c, p: c.retrieve(1, progress=p),
        lambda c, p: list(c.iter_retrieve(1, progress=p)),
        lambda c, p: list(c.messages(progress=p)),
    ],
    ids=["retr", "retr_to", "iter_retr", "retrieve", "iter_retrieve", "messages"],
)
@pytest.mark.parametrize("mode", list(RetrMode))
def test_progress(fake: Any, fetch: Any, mode: RetrMode) -> None:
    """The octets that have come grow up to the size; how many were announced is told with them."""
    raw = (b"x" * 99 + b"\r\n") * 5000
    told: list[tuple[int, int, int | None]] = []
    with fake(mail=(raw,), cut=20_000).connect(retr_mode=mode) as client:
        fetch(client, lambda *what: told.append(what))

    counts = [octets for _, octets, _ in told]
    assert counts == sorted(counts)
    assert counts[-1] == len(raw)
    assert len(counts) > 20
    announced = None if mode is RetrMode.SLOW else len(raw)
    assert {(number, total) for number, _, total in told} == {(1, announced)}


def test_progress_that_raises(fake: Any) -> None:
    """What the callback raises goes to the caller, and ends the session: it is in the middle."""

    class EnoughError(Exception):
        pass

    def progress(*_: object) -> None:
        raise EnoughError

    server = fake()
    client = server.connect()
    with pytest.raises(EnoughError):
        client.retr(1, progress=progress)

    assert server.connection.closed


def test_a_limit_in_parts(fake: Any) -> None:
    """The limit of a message holds in parts too."""
    client = fake(mail=(BIG,), cut=50_000).connect(limits=Limits(message_octets=200_000))

    with pytest.raises(pop3client.LimitExceeded, match="message_octets"):
        list(client.iter_retr(1))
