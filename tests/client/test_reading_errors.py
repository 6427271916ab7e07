"""Messages that are taken one by one: what becomes of those that fail."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import Limits, RetrMode

from ._ahead import MANY, ahead, asked, collect, listing, numbers


@pytest.mark.parametrize("between", [False, True], ids=["straight", "noop between"])
def test_the_first_error(fake: Any, cut: int | None, take: Any, between: bool) -> None:
    """It is raised in its turn, with what was under way; the session is in step after it."""
    server = ahead(fake, {"RETR 5": b"-ERR no\r\n"}, cut=cut)
    came = []
    with server.connect(limits=Limits(pipeline_commands=10)) as client:
        with pytest.raises(pop3client.CommandError, match="RETR 5") as caught:
            collect(take(client), came, client.noop if between else None)

        assert numbers(came) == [1, 2, 3, 4]
        assert numbers(caught.value.retrieved) == list(range(6, 12))
        assert [m.raw for m in caught.value.retrieved] == list(MANY[5:11])
        assert client.stat().count == 40


@pytest.mark.parametrize("between", [False, True], ids=["straight", "noop between"])
def test_errors_of_single_messages(fake: Any, cut: int | None, take: Any, between: bool) -> None:
    """With a listener the others come; it is told in the turn of the message that failed."""
    events: list[tuple[int, type]] = []
    server = ahead(fake, {"RETR 5": b"-ERR no\r\n", "RETR 40": b"-ERR no\r\n"}, cut=cut)
    with server.connect() as client:
        for message in take(client, on_error=lambda n, e: events.append((n, type(e)))):
            events.append((message.number, type(message)))
            if between:
                client.noop()

        assert [number for number, _ in events] == list(range(1, 41))
        failed = [number for number, kind in events if kind is pop3client.CommandError]
        assert failed == [5, 40]
        assert client.stat().count == 40


def test_a_strict_client(fake: Any, cut: int | None) -> None:
    """What it does not accept is an error of that message, in its turn, with the message."""
    failures: dict[int, pop3client.POP3Error] = {}
    server = ahead(fake, {"RETR 3": b"+OK 4 octets\r\n.x\r\n.\r\n"}, cut=cut)
    with server.connect(strict=True) as client:
        came = numbers(client.messages(on_error=failures.__setitem__))

    assert came == [n for n in range(1, 41) if n != 3]
    assert [message.raw for message in failures[3].retrieved] == [b".x\r\n"]


def test_a_strict_client_and_list(fake: Any) -> None:
    """What it does not accept of LIST is raised before a message is asked for."""
    server = ahead(fake, {"LIST": listing(MANY).replace(b"1 11", b"\r\n1 11", 1)})
    with server.connect(strict=True) as client:
        with pytest.raises(pop3client.DeviationError, match="first-line-blank"):
            next(client.messages())

        assert asked(server) == ["LIST"]


@pytest.mark.parametrize("wrong", [b"what\r\n", "<close>", "<hang>"])
def test_it_goes_wrong(fake: Any, cut: int | None, take: Any, wrong: Any) -> None:
    """Who loses the server over it says so, and does without from then on."""
    answers = {"RETR 9": wrong} | {f"RETR {number}": b"" for number in range(10, 41)}
    client = ahead(fake, answers, cut=cut).connect()
    came = []
    with pytest.raises(pop3client.POP3Error, match="pipelining=False") as caught:
        collect(take(client, on_error=lambda *_: None), came)

    assert [message.raw for message in came] == list(MANY[:8])
    assert caught.value.retrieved == ()
    assert client.deviations[-1].quirk == "pipelined-race"
    assert client.config.pipelining is False


def test_reconnecting_does_without(fake: Any) -> None:
    """The next session asks for each message when the one before has come."""
    server = ahead(fake, {"RETR 9": [b"what\r\n"]})

    def connect() -> Any:
        if server.connections:
            server.answers["RETR 9"] = fake.message(MANY[8], b"%d" % len(MANY[8]))
        return server.connect()

    came = pop3client.reconnecting(
        connect, lambda client: numbers(client.messages()), sleep=lambda _: None
    )

    assert came == list(range(1, 41))
    assert server.connection.sent[-2:] == [b"RETR 40\r\n", b"QUIT\r\n"]
    assert b"LIST\r\n" not in server.connection.sent


MIXED = b"+OK\r\nhead 2\r\n+OK\r\nmessage 3\r\n.\r\n\r\nbody 2\r\n.\r\n"


def test_mixed_up_messages_are_not_handed_out(fake: Any, cut: int | None, take: Any) -> None:
    """A message that another one came into passes for one, until the next answer is looked at."""
    client = ahead(fake, {"RETR 2": MIXED, "RETR 3": b""}, cut=cut).connect()
    came = []
    with pytest.raises(pop3client.BadStatusLine) as caught:
        collect(take(client), came)

    assert [message.raw for message in came] == [MANY[0]]
    assert caught.value.retrieved == ()


def test_sizes_that_lie(fake: Any, cut: int | None) -> None:
    """Messages of which no size is right all come, in order, when the next has begun well."""
    answers = {f"RETR {n}": fake.message(raw, b"7 octets") for n, raw in enumerate(MANY, 1)}
    answers["LIST"] = listing(tuple(raw + b"xx" for raw in MANY))
    with ahead(fake, answers, cut=cut).connect(retr_mode=RetrMode.SLOW) as client:
        assert [message.raw for message in client.messages()] == list(MANY)


def test_a_doubtful_message_before_a_loss(fake: Any) -> None:
    """A message of no known size is not lost when the connection is: it comes with the error."""
    server = ahead(fake, {"RETR 4": fake.message(b"odd\r\n"), "RETR 5": fake.End.CLOSE})
    came = []
    with pytest.raises(pop3client.ConnectionClosed) as caught:
        collect(server.connect(retr_mode=RetrMode.SLOW).messages(), came)

    assert numbers(came) == [1, 2, 3]
    assert [message.raw for message in caught.value.retrieved] == [b"odd\r\n"]
