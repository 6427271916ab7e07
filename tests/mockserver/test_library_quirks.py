"""Each quirk of the library, by the octets in which it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

#: Message 2 of the default maildrop: a header, the blank line, and no body.
HEADER_ONLY = (
    b"From: dave@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: No body\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
BYE = b"+OK bye\r\n"


class Case(NamedTuple):
    """What is sent after login, QUIT excepted, and all that must come back for it."""

    quirk: str
    sent: bytes
    comes: bytes


CASES = [
    Case("retr-without-size", b"RETR 2\r\n", b"+OK\r\n" + HEADER_ONLY + b".\r\n"),
    Case("retr-size-too-small", b"RETR 2\r\n", b"+OK 53 octets\r\n" + HEADER_ONLY + b".\r\n"),
    Case("retr-size-too-large", b"RETR 2\r\n", b"+OK 212 octets\r\n" + HEADER_ONLY + b".\r\n"),
    Case(
        "retr-size-not-a-number",
        b"RETR 2\r\n",
        b"+OK 2024-01-01 message follows\r\n" + HEADER_ONLY + b".\r\n",
    ),
    Case(
        "list-sizes-wrong",
        b"STAT\r\nLIST 2\r\nLIST\r\nRETR 2\r\n",
        b"+OK 4 18503\r\n"
        b"+OK 2 95\r\n"
        b"+OK 4 messages\r\n1 174\r\n2 95\r\n3 233\r\n4 18000\r\n.\r\n"
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\r\n",
    ),
    Case(
        "list-single-refused",
        b"LIST 2\r\nLIST\r\n",
        b"-ERR LIST takes no argument\r\n"
        b"+OK 4 messages (20559 octets)\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n",
    ),
    Case("stat-negative", b"STAT\r\n", b"+OK 4 -4096\r\n"),
    Case("reply-blank-line", b"STAT\r\n", b"\r\n+OK 4 20559\r\n"),
    Case(
        "first-line-blank",
        b"UIDL\r\nUIDL 2\r\n",
        b"+OK\r\n\r\n1 first\r\n2 second\r\n.\r\n+OK 2 second\r\n",
    ),
    Case(
        "uidl-ok-prefix",
        b"UIDL\r\nUIDL 2\r\n",
        b"+OK\r\n+OK 1 first\r\n+OK 2 second\r\n.\r\n+OK 2 second\r\n",
    ),
    Case("uidl-blank", b"UIDL\r\nUIDL 2\r\n", b"+OK\r\n1 first\r\n2\r\n.\r\n+OK 2 second\r\n"),
    Case(
        "uidl-one-no-number",
        b"UIDL 2\r\nUIDL\r\n",
        b"+OK second\r\n+OK\r\n1 first\r\n2 second\r\n.\r\n",
    ),
    Case("no-last", b"LAST\r\n", b"-ERR Unknown command: LAST\r\n"),
    Case(
        "last-zero",
        b"RETR 2\r\nLAST\r\n",
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\r\n+OK 0\r\n",
    ),
    Case(
        "last-supported",
        b"LAST\r\nRETR 2\r\nLAST\r\nRSET\r\nLAST\r\n",
        b"+OK 0\r\n"
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\r\n"
        b"+OK 2\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK 0\r\n",
    ),
    Case(
        "no-uidl",
        b"UIDL\r\nUIDL 1\r\n",
        b"-ERR UIDL is not available here\r\n-ERR UIDL is not available here\r\n",
    ),
    Case("no-top", b"TOP 1 0\r\n", b"-ERR TOP is not available here\r\n"),
    Case("no-capa", b"CAPA\r\n", b"-ERR unknown command\r\n"),
    Case(
        "dot-lf",
        b"RETR 2\r\nTOP 2 0\r\nLIST\r\n",
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\n"
        b"+OK top of message 2\r\n" + HEADER_ONLY + b".\n"
        b"+OK 4 messages (20559 octets)\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\n",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.quirk for case in CASES])
def test_octets(raw: Raw, case: Case) -> None:
    """The quirk shows in exactly these octets, and the session goes on behind them."""
    with MockServer(case.quirk) as server:
        client = raw(server)
        client.login()
        client.send(case.sent + b"QUIT\r\n")

        assert client.rest() == case.comes + BYE


@pytest.mark.parametrize(
    ("quirk", "listed"), [("no-uidl", b"UIDL"), ("no-top", b"TOP")], ids=["no-uidl", "no-top"]
)
def test_not_listed(raw: Raw, quirk: str, listed: bytes) -> None:
    """What the server does not have, CAPA does not list."""
    with MockServer(quirk) as server:
        client = raw(server)
        client.line()

        assert listed not in client.listing(b"CAPA").split(b"\r\n")


def test_capa_closes(raw: Raw) -> None:
    """The answer to CAPA is a FIN; a second connection that does not ask works."""
    with MockServer("capa-closes") as server:
        client = raw(server)
        client.line()
        client.send(b"CAPA\r\n")

        assert client.rest() == b""
        assert raw(server).login().startswith(b"+OK ")


def test_no_apop(raw: Raw) -> None:
    """The greeting has no timestamp, and APOP is refused."""
    with MockServer("no-apop") as server:
        client = raw(server)

        assert client.line() == b"+OK POP3 server ready\r\n"
        assert (
            client.ask(b"APOP alice c4c9334bac560ecc979e58001b3e22fb")
            == b"-ERR APOP is not available\r\n"
        )


def test_greeting_bare(raw: Raw) -> None:
    """The greeting is four octets and CRLF: no space, no text."""
    with MockServer("greeting-bare") as server:
        client = raw(server)
        client.send(b"QUIT\r\n")

        assert client.rest() == b"+OK\r\n" + BYE


def test_lf_only(raw: Raw) -> None:
    """There is no CR in the whole session; the size announced counts it nevertheless."""
    with MockServer("lf-only") as server:
        client = raw(server)
        client.send(b"CAPA\r\nUSER alice\r\nPASS secret\r\nSTAT\r\nUIDL\r\nRETR 2\r\nQUIT\r\n")
        everything = client.rest()

    assert b"\r" not in everything
    assert everything.startswith(b"+OK POP3 server ready <")
    assert b"\n+OK 4 20559\n" in everything
    assert everything.endswith(
        b"\n+OK 106 octets\n" + HEADER_ONLY.replace(b"\r\n", b"\n") + b".\n+OK bye\n"
    )


def test_no_stuffing(raw: Raw) -> None:
    """Lines that begin with a dot and go on keep their one dot, by RETR and by TOP."""
    body = b"\r\nPlease delete these:\r\n.bashrc\r\n.profile\r\nand leave the others.\r\n.\r\n"

    with MockServer("no-stuffing") as server:
        client = raw(server)
        client.login()

        assert client.listing(b"RETR 1").endswith(body)
        assert client.listing(b"TOP 1 9").endswith(body)
        assert not any(b"\n.\r\n" in message for message in server.maildrop)


def test_uidl_extra_spaces(raw: Raw) -> None:
    """Number and unique-id stand three spaces apart, in the listing and for one message."""
    with MockServer("uidl-extra-spaces") as server:
        client = raw(server)
        client.login()
        uids = [message.uid.encode() for message in server.maildrop.messages]
        listing = b"".join(b"%d   %s\r\n" % each for each in enumerate(uids, 1))

        assert client.listing(b"UIDL") == b"+OK\r\n" + listing + b".\r\n"
        assert client.ask(b"UIDL 2") == b"+OK 2   " + uids[1] + b"\r\n"


def test_quit_err(raw: Raw) -> None:
    """QUIT is refused, the connection ends, and the marked message is still there."""
    with MockServer("quit-err") as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        client.send(b"QUIT\r\n")

        assert client.rest() == b"-ERR Error locking your mailbox\r\n"
        assert len(server.maildrop) == 4


def test_quit_err_only_where_mail_is_at_stake(raw: Raw) -> None:
    """QUIT before login has nothing to fail at."""
    with MockServer("quit-err") as server:
        client = raw(server)
        client.line()

        assert client.ask(b"QUIT") == BYE


def test_quit_silent(raw: Raw) -> None:
    """QUIT is carried out, nothing is said, and the connection stays up."""
    with MockServer("quit-silent") as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        client.send(b"QUIT\r\n")
        server.wait_for("QUIT")

        assert client.silent()
        assert len(server.maildrop) == 3
        assert not server.maildrop.locked


@pytest.mark.parametrize(
    "login",
    [b"USER alice\r\nPASS secret\r\n", b"USER alice\r\nPASS wrong\r\n"],
    ids=["right", "wrong"],
)
def test_close_on_bad_auth(raw: Raw, login: bytes) -> None:
    """Every password is refused, and a FIN follows the refusal at once."""
    with MockServer("close-on-bad-auth") as server:
        client = raw(server)
        client.line()
        client.send(login)

        assert client.rest() == (
            b"+OK now the password for alice\r\n-ERR Invalid login or password\r\n"
        )


def test_quirks_are_nowhere_else(raw: Raw) -> None:
    """The default server shows none of this: what the cases see comes from the files."""
    shown = []
    with MockServer() as server:
        for case in CASES:
            client = raw(server)
            client.login()
            client.send(case.sent + b"QUIT\r\n")
            if client.rest() == case.comes + BYE:
                shown.append(case.quirk)

    assert shown == []
