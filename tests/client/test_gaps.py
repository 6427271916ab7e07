"""Maildrops whose numbers have gaps, which a refused message shows."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3mock import MockServer

PIPELINING = b"+OK\r\nPIPELINING\r\n.\r\n"
MAIL = {1: b"one\r\n", 2: b"two\r\n", 4: b"four\r\n", 7: b"seven\r\n"}
LISTING = b"+OK\r\n1 5\r\n2 5\r\n4 6\r\n7 7\r\n.\r\n"


def gapped(fake: Any, answers: dict[str, Any] | None = None, **options: Any) -> Any:
    """A server whose four messages have other numbers than 1 to 4."""
    table: dict[str, Any] = {"STAT": b"+OK 4 23\r\n", "LIST": LISTING, "CAPA": PIPELINING}
    table |= {f"RETR {number}": b"-ERR no such message\r\n" for number in range(1, 9)}
    for number, raw in MAIL.items():
        table[f"RETR {number}"] = fake.message(raw, b"%d octets" % len(raw))
    return fake(table | (answers or {}), mail=(), **options)


def asked(server: Any, keyword: bytes) -> int:
    """How often the command was sent."""
    lines = b"".join(server.sent).splitlines()
    return sum(line.split()[0] == keyword for line in lines)


@pytest.mark.parametrize("pipelining", [False, True])
def test_the_others_come(fake: Any, cut: int | None, pipelining: bool) -> None:
    """LIST tells which messages there are; each is fetched once, and the quirk is noted."""
    server = gapped(fake, cut=cut)
    with server.connect(pipelining=pipelining) as client:
        messages = client.retrieve("start", "end")

        assert {message.number: message.raw for message in messages} == MAIL
        assert [message.number for message in client.retrieve(3, "end")] == [4, 7]
        assert [entry.quirk for entry in client.deviations] == ["list-gaps"]
    assert asked(server, b"LIST") == 1


def test_one_that_is_not_there(fake: Any) -> None:
    """Who asks for that message alone hears that there is none."""
    with gapped(fake).connect() as client:
        with pytest.raises(pop3client.CommandError, match="RETR 3"):
            client.retrieve(3)

        assert client.retrieve(4)[0].raw == MAIL[4]


LISTED = b"+OK\r\n1 5\r\n2 5\r\n3 5\r\n4 6\r\n.\r\n"


@pytest.mark.parametrize("listing", [LISTED, b"-ERR no\r\n"], ids=["all there", "refused"])
def test_a_message_that_is_only_refused(fake: Any, listing: bytes) -> None:
    """Where LIST shows no gaps the error stands, and LIST is not asked again."""
    server = gapped(fake, {"LIST": listing})
    with server.connect() as client:
        for _ in range(2):
            with pytest.raises(pop3client.CommandError, match="RETR 3") as caught:
                client.retrieve("start", "end")
            assert [m.number for m in caught.value.retrieved] == [1, 2, 4]

    assert asked(server, b"LIST") == 1


def test_a_reason_is_believed(fake: Any) -> None:
    """A refusal that says why is no sign of a gap."""
    server = gapped(fake, {"RETR 3": b"-ERR [SYS/TEMP] later\r\n"})
    with server.connect() as client, pytest.raises(pop3client.TemporaryError):
        client.retrieve("start", "end")

    assert asked(server, b"LIST") == 0


def test_the_connection_is_lost_at_list(fake: Any) -> None:
    """What was fetched goes with the refusal, and the session is over."""
    client = gapped(fake, {"LIST": fake.End.CLOSE}).connect()

    with pytest.raises(pop3client.CommandError, match="RETR 3") as caught:
        client.retrieve("start", "end")

    assert [m.number for m in caught.value.retrieved] == [1, 2, 4]
    with pytest.raises(pop3client.StateError, match="LIST"):
        client.noop()


def test_a_strict_client(fake: Any) -> None:
    """A strict client is told of the gaps, and gets what was fetched."""
    with (
        gapped(fake).connect(strict=True) as client,
        pytest.raises(pop3client.DeviationError, match="list-gaps") as caught,
    ):
        client.retrieve("start", "end")

    assert [m.number for m in caught.value.retrieved] == [1, 2, 4]


def test_in_the_mock(facade: Any) -> None:
    """The scenario of that name: no listing came before."""
    with (
        MockServer("list-gaps") as server,
        facade.connect(server.host, *server.credentials, port=server.port) as client,
    ):
        assert [message.number for message in client.retrieve("start", "end")] == [2, 4]
        assert [entry.quirk for entry in client.deviations] == ["list-gaps"]


def taken(client: Any, method: str, **options: Any) -> list[int]:
    """The numbers of the messages that a way to take many gives."""
    arguments = () if method == "messages" else ("start", "end")
    items = getattr(client, method)(*arguments, **options)
    return [item if isinstance(item, int) else item.number for item in items]


@pytest.mark.parametrize("listens", [False, True], ids=["alone", "with on_error"])
@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("method", ["retrieve", "iter_retrieve", "messages", "delete"])
def test_every_way_to_take_many(fake: Any, method: str, pipelining: bool, listens: bool) -> None:
    """Whatever is done with a range is done for the messages there are; nobody hears of a gap."""
    refusals = {f"DELE {number}": b"-ERR no such message\r\n" for number in (3, 5, 6)}
    server = gapped(fake, refusals)
    failures: dict[int, Any] = {}
    options = {"on_error": failures.__setitem__} if listens else {}
    with server.connect(pipelining=pipelining) as client:
        numbers = taken(client, method, **options)

        assert (numbers, failures) == ([1, 2, 4, 7], {})
        assert [entry.quirk for entry in client.deviations] == ["list-gaps"]
    assert asked(server, b"LIST") == 1


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("method", ["retrieve", "iter_retrieve", "messages", "delete"])
def test_a_listener_hears_of_refusals(fake: Any, method: str, pipelining: bool) -> None:
    """Where LIST shows no gaps each refusal is told once, and the range goes on."""
    answers = {"LIST": LISTED} | {f"DELE {number}": b"-ERR no\r\n" for number in (1, 3)}
    server = gapped(fake, answers | {"RETR 1": b"-ERR no\r\n"})
    failures: list[int] = []
    with server.connect(pipelining=pipelining) as client:
        numbers = taken(client, method, on_error=lambda number, _: failures.append(number))

    assert (numbers, failures) == ([2, 4], [1, 3])
    assert asked(server, b"LIST") == 1


@pytest.mark.parametrize("listing", [b"-ERR no\r\n", "close"], ids=["refused", "closed"])
def test_list_fails_between_two_messages(fake: Any, listing: Any) -> None:
    """One by one, the refusal stands where LIST does not help."""
    listing = fake.End.CLOSE if listing == "close" else listing
    client = gapped(fake, {"LIST": listing}).connect(pipelining=False)
    numbers = []

    with pytest.raises(pop3client.CommandError, match="RETR 3"):
        numbers.extend(message.number for message in client.messages())

    assert (numbers, client.deviations) == ([1, 2], ())
    client.abort()


def test_a_strict_client_one_by_one(fake: Any) -> None:
    """A strict client that takes one after the other is told of the gaps when it meets one."""
    client = gapped(fake).connect(strict=True, pipelining=False)
    numbers = []

    with pytest.raises(pop3client.DeviationError, match="list-gaps"):
        numbers.extend(message.number for message in client.messages())

    assert numbers == [1, 2]
    client.close()


def test_commands_between(fake: Any) -> None:
    """Other commands between two messages change nothing for what comes after a gap."""
    numbers = []
    with gapped(fake).connect(pipelining=False) as client:
        for message in client.messages(on_error=lambda *_: None):
            client.noop()
            client.dele(message.number)
            numbers.append(message.number)

    assert numbers == [1, 2, 4, 7]
