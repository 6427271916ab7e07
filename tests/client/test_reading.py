"""Messages that are taken one by one: what is under way meanwhile, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import Limits, RetrMode
from pop3client._config import Config
from pop3client._reading import Reading
from pop3client._session import Session
from pop3client._states import State
from pop3client._wants import Ask, Deliver, Receive, Send
from pop3mock import MockServer
from pop3scenarios import loads

from ._ahead import MANY, PIPELINING, ahead, asked, numbers

# What is under way.


def test_the_first_goes_alone_and_others_follow(fake: Any, cut: int | None, take: Any) -> None:
    """LIST tells the sizes; once a first message has come well, the next are on their way."""
    server = ahead(fake, cut=cut)
    with server.connect() as client:
        messages = take(client)
        assert asked(server) == []

        assert next(messages).raw == MANY[0]
        assert asked(server) == ["LIST", "RETR 1"]
        assert next(messages).raw == MANY[1]
        assert asked(server) == ["LIST", *[f"RETR {number}" for number in range(1, 41)]]
        assert [message.raw for message in messages] == list(MANY[2:])


@pytest.mark.parametrize(
    ("capa", "setting"),
    [
        (b"+OK\r\n.\r\n", None),
        (PIPELINING, False),
        (b"+OK\r\nPIPELINING\r\nEXPIRE 0\r\n.\r\n", None),
        (b"+OK\r\nEXPIRE 0\r\n.\r\n", True),
    ],
    ids=["not announced", "not wanted", "expires", "wanted and expires"],
)
def test_one_by_one(fake: Any, take: Any, capa: bytes, setting: bool | None) -> None:
    """Nothing is asked for before its turn, without PIPELINING, or where RETR may delete."""
    server = ahead(fake, {"CAPA": capa})
    with server.connect(pipelining=setting) as client:
        messages = take(client)
        next(messages)
        next(messages)

        assert asked(server) == ["RETR 1", "RETR 2"]


@pytest.mark.parametrize("expire", [b"NEVER", b"30"])
def test_servers_that_keep_mail(fake: Any, expire: bytes) -> None:
    """A server that deletes nothing today is read ahead."""
    capa = PIPELINING.replace(b".\r\n", b"EXPIRE %s\r\n.\r\n" % expire)
    server = ahead(fake, {"CAPA": capa})
    with server.connect() as client:
        messages = client.messages()
        next(messages)
        next(messages)

        assert asked(server)[-1] == "RETR 40"


def test_a_refused_list(fake: Any, cut: int | None, take: Any) -> None:
    """Without sizes nobody knows how much would be under way: it is one at a time."""
    server = ahead(fake, {"LIST": b"-ERR no\r\n"}, cut=cut)
    with server.connect() as client:
        for message in take(client):
            client.dele(message.number)

        own = [f"{word} {number}" for number in range(1, 41) for word in ("RETR", "DELE")]
        assert asked(server) == ["LIST", *own]


@pytest.mark.parametrize("end", [None, 1])
def test_a_single_message(fake: Any, end: int | None) -> None:
    """For one message LIST is not asked."""
    server = ahead(fake)
    with server.connect() as client:
        assert numbers(client.iter_retrieve(1, end)) == [1]

        assert asked(server) == ["RETR 1"]


def drive(limits: Limits, mail: tuple[bytes, ...]) -> tuple[list[int], list[int], list[int]]:
    """Take messages; gives octets of mail and commands under way after each write, and numbers."""
    session = Session(Config(host="h", port=110, pipelining=True, limits=limits))
    session.state, session.count = State.TRANSACTION, len(mail)
    sizes = {number: len(raw) for number, raw in enumerate(mail, 1)}

    def choice() -> Any:
        yield from ()
        return list(sizes)

    reading = Reading(session, choice, None, None, sizes)
    under_way: list[int] = []
    octets: list[int] = []
    counts: list[int] = []
    taken: list[int] = []
    unread = b""
    while True:
        steps = reading.next()
        answer: Any = None
        try:
            while True:
                want = steps.send(answer)
                answer = None
                assert not isinstance(want, Deliver)
                if isinstance(want, Ask | Send):
                    under_way += [int(line.split()[1]) for line in want.data.splitlines()]
                    octets.append(sum(sizes[number] for number in under_way))
                    counts.append(len(under_way))
                if isinstance(want, Ask | Receive):
                    if not unread:
                        raw = mail[under_way.pop(0) - 1]
                        unread = b"+OK %d\r\n" % len(raw) + raw + b".\r\n"
                    count = min(len(unread), len(want.into))
                    want.into[:count], unread = unread[:count], unread[count:]
                    answer = (True, count) if isinstance(want, Ask) else count
        except StopIteration as stop:
            if stop.value is None:
                return octets, counts, taken
            taken.append(stop.value.number)


@pytest.mark.parametrize("most", [100, 1000, 5000, 10**6])
def test_the_window(most: int) -> None:
    """No more octets of messages are under way than the limit says, but for one message alone."""
    mail = tuple(b"x" * (number * 37 % 500) + b"\r\n" for number in range(1, 200))

    octets, counts, taken = drive(Limits(pipeline_message_octets=most), mail)

    assert taken == list(range(1, 200))
    assert all(o <= most or c == 1 for o, c in zip(octets, counts, strict=True))
    assert max(counts) <= 100
    assert max(octets) >= min(most - 500, 9000)


def test_large_messages_go_alone(fake: Any) -> None:
    """A message that does not fit into the window is asked for when all others have come."""
    mail = (b"1\r\n", b"2\r\n", b"x" * 5000 + b"\r\n", b"4\r\n", b"5\r\n", b"6\r\n")
    server = ahead(fake, mail=mail)
    with server.connect(limits=Limits(pipeline_message_octets=1000)) as client:
        messages = client.messages()
        for _ in range(2):
            next(messages)
        assert asked(server)[-1] == "RETR 2"

        assert len(next(messages).raw) == 5002
        assert asked(server)[-1] == "RETR 3"
        assert numbers(messages) == [4, 5, 6]


# Other commands between two messages.


def test_other_commands(fake: Any, cut: int | None, take: Any) -> None:
    """Between two messages the caller may do anything; all messages still come, once."""
    server = ahead(fake, {"TOP": b"+OK\r\nhead\r\n.\r\n"}, cut=cut)
    came = []
    with server.connect(limits=Limits(pipeline_commands=7)) as client:
        for message in take(client):
            came.append(message.raw)
            client.dele(message.number)
            assert client.top(message.number, 0).raw == b"head\r\n"
            client.noop()

        assert came == list(MANY)
        assert client._session.marked == set(range(1, 41))
        assert [line for line in asked(server) if line.startswith("RETR")] == [
            f"RETR {number}" for number in range(1, 41)
        ]


def test_two_at_once(fake: Any, cut: int | None) -> None:
    """Two that are taken by turns give all messages each."""
    with ahead(fake, cut=cut).connect() as client:
        pairs = list(zip(client.messages(), client.messages(), strict=True))

    assert [(one.raw, two.raw) for one, two in pairs] == [(raw, raw) for raw in MANY]


def test_memory(fake: Any) -> None:
    """Another command has no more read into memory than the window holds."""
    mail = tuple(b"x" * 998 + b"\r\n" for _ in range(100))
    with ahead(fake, mail=mail).connect(limits=Limits(pipeline_message_octets=10_000)) as client:
        messages = client.messages()
        next(messages)
        next(messages)
        reading = client._session.ahead
        client.noop()

        assert sum(len(message.raw) for message in reading._ready) <= 10_000
        assert numbers(reading._ready) == list(range(3, 12))
        assert numbers(messages) == list(range(3, 101))


def test_given_up(fake: Any, cut: int | None, take: Any) -> None:
    """Who takes no more leaves a session in step: the next command drops what was under way."""
    server = ahead(fake, cut=cut)
    with server.connect(limits=Limits(pipeline_commands=10)) as client:
        messages = take(client)
        next(messages)
        next(messages)
        reading = client._session.ahead
        messages.close()
        sent = len(asked(server))

        assert client.stat().count == 40
        assert not reading._ready  # no one will ask for them
        assert asked(server)[sent:] == ["STAT"]
        assert client.retr(20).raw == MANY[19]
        assert numbers(client.iter_retrieve("next", 22)) == [21, 22]


def test_given_up_and_aborted(fake: Any) -> None:
    """Nothing is read from a session that is over."""
    client = ahead(fake).connect()
    messages = client.messages()
    next(messages)
    next(messages)
    client.abort()

    with pytest.raises(pop3client.StateError, match="aborted"):
        next(messages)
    with pytest.raises(pop3client.StateError, match="aborted"):
        client.noop()


def test_the_connection_is_lost_before_another_command(fake: Any) -> None:
    """What came before is handed out; then the session is over, and says why."""
    client = ahead(fake, {"RETR 5": fake.End.CLOSE}).connect()
    messages = client.messages()
    first = [next(messages), next(messages)]
    with pytest.raises(pop3client.ConnectionClosed, match="RETR 5"):
        client.noop()

    assert numbers(first) == [1, 2]
    assert numbers([next(messages), next(messages)]) == [3, 4]
    with pytest.raises(pop3client.StateError, match="RETR 5"):
        next(messages)


def test_progress(fake: Any, take: Any) -> None:
    """Each message is told once it is taken, though it may have been read before."""
    told: list[tuple[int, int, int | None]] = []
    with ahead(fake).connect() as client:
        for message in take(client, progress=lambda *what: told.append(what)):
            assert told[-1] == (message.number, message.octets, message.octets)
            assert len(told) == message.number
            client.noop()


@pytest.mark.parametrize("mode", list(RetrMode))
def test_modes(fake: Any, cut: int | None, take: Any, mode: RetrMode) -> None:
    """In every retrieval mode the messages are the same, with other commands between or not."""
    server = ahead(fake, cut=cut)
    with server.connect(retr_mode=mode, limits=Limits(pipeline_commands=9)) as client:
        for turn in (1, 2):
            came = []
            for message in take(client):
                came.append(message.raw)
                if turn == 2:
                    client.noop()
            assert came == list(MANY)

        assert client.config.retr_mode is mode
        assert client.deviations == ()


def test_gaps_are_noticed(facade: Any) -> None:
    """Who reads ahead asks LIST, and so knows the numbers that there are."""
    with (
        MockServer("list-gaps") as server,
        facade.connect(
            server.host, *server.credentials, port=server.port, pipelining=True
        ) as client,
    ):
        assert numbers(client.messages()) == [2, 4]
        assert [entry.quirk for entry in client.deviations] == ["list-gaps"]


SCENARIO = """
pop3: 1
name: many
summary: many messages
maildrop: [{count: 30, octets: 3000}]
"""


def test_against_the_mock(facade: Any) -> None:
    """A server that announces PIPELINING gets several commands at once, and deletions between."""
    with MockServer(loads(SCENARIO)) as server:
        everything = list(server.maildrop)
        with facade.connect(server.host, *server.credentials, port=server.port) as client:
            came = []
            for message in client.messages():
                came.append(message.raw)
                client.dele(message.number)

        assert came == everything
        assert len(server.maildrop) == 0
