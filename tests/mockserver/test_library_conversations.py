"""Each conversation of the library, played to its end and departed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import BrokenExpectation, MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

LOGIN = b"USER alice\r\nPASS secret\r\n"


def played(raw: Raw, server: MockServer, commands: bytes) -> bytes:
    """All that the server says to commands sent at once; the connection ends."""
    client = raw(server)
    client.send(commands)
    everything = client.rest()
    client.close()
    server.wait_closed()
    return everything


@pytest.mark.parametrize("optional", [b"", b"CAPA\r\n"], ids=["without", "with"])
def test_sizes_agree(raw: Raw, optional: bytes) -> None:
    """Each size is told twice and is the same twice; CAPA may be left out."""
    with MockServer("sizes-agree") as server:
        said = played(
            raw,
            server,
            optional + LOGIN + b"STAT\r\nLIST\r\nLIST 1\r\nLIST 2\r\nSTAT\r\nQUIT\r\n",
        )
        server.verify()

    assert (b"+OK capability list follows\r\n" in said) == bool(optional)
    assert said.endswith(
        b"+OK 2 720\r\n"
        b"+OK 2 messages (720 octets)\r\n1 320\r\n2 400\r\n.\r\n"
        b"+OK 1 320\r\n"
        b"+OK 2 400\r\n"
        b"+OK 2 720\r\n"
        b"+OK bye\r\n"
    )


def test_sizes_agree_sizes_are_true() -> None:
    """The examples of the holes are what the messages have."""
    assert [len(message) for message in MockServer("sizes-agree").maildrop] == [320, 400]


def test_login_refused(raw: Raw) -> None:
    """The wrong password is refused, STAT too, and the right one opens the maildrop."""
    with MockServer("login-refused") as server:
        said = played(
            raw, server, b"USER alice\r\nPASS wrong\r\nSTAT\r\n" + LOGIN + b"STAT\r\nQUIT\r\n"
        )
        server.verify()

    replies = [line.split(b" ")[0] for line in said.splitlines()]
    assert replies == [b"+OK", b"+OK", b"-ERR", b"-ERR", b"+OK", b"+OK", b"+OK", b"+OK"]
    assert b"+OK 4 20559\r\n" in said


@pytest.mark.parametrize("optional", [b"", b"NOOP\r\n"], ids=["without", "with"])
def test_delete_and_quit(raw: Raw, optional: bytes) -> None:
    """The deleted message leaves the listing at once and the maildrop at QUIT."""
    with MockServer("delete-and-quit") as server:
        said = played(
            raw,
            server,
            LOGIN + b"LIST 2\r\nDELE 1\r\nDELE 1\r\nSTAT\r\nLIST\r\n" + optional + b"QUIT\r\n",
        )
        server.verify()
        left = [len(message) for message in server.maildrop]

    assert (
        b"+OK 2 400\r\n+OK message 1 deleted\r\n-ERR message 1 is deleted\r\n+OK 1 400\r\n" in said
    )
    assert said.endswith(b"\r\n2 400\r\n.\r\n" + (b"+OK\r\n" if optional else b"") + b"+OK bye\r\n")
    assert left == [400]


@pytest.mark.parametrize(
    ("name", "departure"),
    [
        ("sizes-agree", b"STAT\r\nLIST\r\nLIST 2\r\nQUIT\r\n"),
        ("login-refused", b"QUIT\r\n"),
        ("delete-and-quit", b"LIST 2\r\nDELE 2\r\nQUIT\r\n"),
    ],
)
def test_departure(raw: Raw, name: str, departure: bytes) -> None:
    """A client that does something else is told what was due."""
    with MockServer(name) as server:
        played(raw, server, LOGIN + departure)

        with pytest.raises(BrokenExpectation, match=rf"expected C: .*conversations/{name}"):
            server.verify()


LIST_ALL = b"LIST\r\n"
RETR_ALL = b"RETR 1\r\nRETR 2\r\nRETR 3\r\nRETR 4\r\n"

#: What the clients of a conversation say, connection by connection.
PLAYED = {
    "curl-fetches-all": [
        b"CAPA\r\n" + LOGIN + LIST_ALL + b"QUIT\r\n",
        b"CAPA\r\n" + LOGIN + RETR_ALL + b"QUIT\r\n",
        b"CAPA\r\n" + LOGIN + b"DELE 1\r\nQUIT\r\n",
    ],
    "poplib-fetches-all": [LOGIN + LIST_ALL + RETR_ALL + b"DELE 1\r\nQUIT\r\n"],
    "fetchmail-fetches-all": [
        b"CAPA\r\n" + LOGIN + b"STAT\r\nLIST 1\r\n" + RETR_ALL + b"DELE 1\r\nQUIT\r\n"
    ],
    "mpop-fetches-all": [
        b"CAPA\r\n" + LOGIN + b"STAT\r\nLIST\r\nUIDL\r\n" + RETR_ALL + b"DELE 1\r\nQUIT\r\n"
    ],
}


@pytest.mark.parametrize("name", PLAYED)
def test_as_written(raw: Raw, name: str) -> None:
    """Clients that keep to the conversation get its octets, and no complaint."""
    with MockServer(name) as server:
        said = [played(raw, server, commands) for commands in PLAYED[name]]
        server.verify()

    assert all(octets.startswith(b"+OK POP3 server ready\r\n") for octets in said)
    assert all(octets.endswith(b"+OK bye\r\n") for octets in said)
    assert sum(octets.count(b"\r\nSubject: ") for octets in said) == 4


@pytest.mark.parametrize("name", PLAYED)
def test_departed_from(raw: Raw, name: str) -> None:
    """A client that asks for what the conversation does not have is told where."""
    with MockServer(name) as server:
        for commands in PLAYED[name]:
            played(raw, server, commands.replace(b"PASS secret\r\n", b"PASS secret\r\nTOP 1 0\r\n"))

        with pytest.raises(BrokenExpectation, match="unexpected TOP 1 0"):
            server.verify()


def test_maildrop_lock(raw: Raw) -> None:
    """The second connection is refused while the first is open, and let in afterwards."""
    with MockServer("maildrop-lock") as server:
        first, second = raw(server), raw(server)
        assert first.login().startswith(b"+OK ")
        assert second.login().startswith(b"-ERR ")
        assert first.ask(b"QUIT").startswith(b"+OK ")
        second.send(LOGIN + b"QUIT\r\n")

        assert [line[:3] for line in second.rest().split(b"\r\n")] == [b"+OK", b"+OK", b"+OK", b""]
        server.verify()


def test_deleted_stays_gone(raw: Raw) -> None:
    """The next session finds one message less, and the other under the unique-id it had."""
    with MockServer("deleted-stays-gone") as server:
        first = played(raw, server, LOGIN + b"UIDL 2\r\nDELE 1\r\nQUIT\r\n")
        second = played(raw, server, LOGIN + b"STAT\r\nUIDL 1\r\nQUIT\r\n")
        server.verify()

    assert b"\r\n+OK 2 the-second\r\n" in first
    assert b"\r\n+OK 1 400\r\n+OK 1 the-second\r\n" in second


def test_dropped_deletes_nothing(raw: Raw) -> None:
    """A connection that ends without QUIT leaves both messages to the next."""
    with MockServer("dropped-deletes-nothing") as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        assert client.ask(b"STAT") == b"+OK 1 400\r\n"
        client.close()
        second = played(raw, server, LOGIN + b"STAT\r\nLIST\r\nQUIT\r\n")
        server.verify()

    assert b"\r\n+OK 2 720\r\n" in second
