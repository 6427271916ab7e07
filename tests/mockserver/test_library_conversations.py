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
