"""Each server of the library, by a session as its references show it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

APOP = b"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n"
LOGIN = b"USER alice\r\nPASS secret\r\n"
HEADER_ONLY = (
    b"From: dave@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: No body\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)


def said(client: RawClient, commands: bytes) -> bytes:
    """All that comes for commands sent at once, up to the end of the connection."""
    client.send(commands)
    return client.rest()


def test_default(raw: Raw) -> None:
    """The server from which all others depart has every common command, and tells the truth."""
    with MockServer("default") as server:
        client = raw(server)
        greeting = client.line()
        capabilities = client.listing(b"CAPA").split(b"\r\n")
        rest = said(client, LOGIN + b"STAT\r\nLIST 2\r\nRETR 2\r\nTOP 2 0\r\nLAST\r\nQUIT\r\n")

    assert greeting.startswith(b"+OK POP3 server ready <")
    assert greeting.endswith(b"@localhost>\r\n")
    assert capabilities == [
        b"+OK capability list follows",
        b"TOP",
        b"UIDL",
        b"USER",
        b"SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER",
        b"RESP-CODES",
        b"AUTH-RESP-CODE",
        b"PIPELINING",
        b"STLS",
        b"EXPIRE NEVER",
        b"UTF8 USER",
        b"LANG",
        b"IMPLEMENTATION pop3kit",
        b".",
        b"",
    ]
    assert rest == (
        b"+OK now the password for alice\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK 4 20559\r\n"
        b"+OK 2 106\r\n"
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\r\n"
        b"+OK top of message 2\r\n" + HEADER_ONLY + b".\r\n"
        b"-ERR LAST is not available here\r\n"
        b"+OK bye\r\n"
    )


def test_rfc1939_minimal(raw: Raw) -> None:
    """Every optional command is refused; those that RFC 1939 demands work."""
    with MockServer("rfc1939-minimal") as server:
        came = said(
            raw(server),
            b"CAPA\r\nSTLS\r\n"
            + APOP
            + b"AUTH PLAIN\r\n"
            + LOGIN
            + b"STAT\r\nLIST 2\r\nTOP 1 0\r\nUIDL\r\nLAST\r\n"
            b"RETR 2\r\nDELE 2\r\nNOOP\r\nRSET\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK POP3 server ready\r\n"
        b"-ERR unknown command\r\n"
        b"-ERR STLS is not available here\r\n"
        b"-ERR APOP is not available\r\n"
        b"-ERR no mechanism PLAIN\r\n"
        b"+OK now the password for alice\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK 4 20559\r\n"
        b"+OK 2 106\r\n"
        b"-ERR TOP is not available here\r\n"
        b"-ERR UIDL is not available here\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK 106 octets\r\n" + HEADER_ONLY + b".\r\n"
        b"+OK message 2 deleted\r\n"
        b"+OK\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK bye\r\n"
    )


def test_rfc1939_minimal_has_no_codes(raw: Raw) -> None:
    """A server without RESP-CODES refuses without one."""
    with MockServer("rfc1939-minimal") as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")

        assert client.ask(b"PASS wrong") == b"-ERR user name or password is wrong\r\n"


def test_exchange_55(raw: Raw) -> None:
    """Exchange 5.5: no CAPA, no APOP, no size from RETR, wrong sizes from LIST."""
    with MockServer("exchange-5.5") as server:
        came = said(
            raw(server),
            b"CAPA\r\n"
            + APOP
            + b"AUTH PLAIN\r\nUSER alice\r\nPASS wrong\r\n"
            + LOGIN
            + b"LIST 2\r\nRETR 2\r\nLAST\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK Microsoft Exchange POP3 server version 5.5.2655.20 ready\r\n"
        b"-ERR unknown command\r\n"
        b"-ERR APOP is not available\r\n"
        b"-ERR no mechanism PLAIN\r\n"
        b"+OK\r\n"
        b"-ERR Unspecified error\r\n"
        b"+OK\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK 2 95\r\n"
        b"+OK\r\n" + HEADER_ONLY + b".\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK bye\r\n"
    )


def test_exchange_2003(raw: Raw) -> None:
    """Exchange 2003: its own texts, +OK in place of a challenge, estimated sizes."""
    with MockServer("exchange-2003") as server:
        came = said(
            raw(server),
            b"CAPA\r\nSTLS\r\n"
            + APOP
            + b"AUTH NTLM\r\nSTAT\r\nUSER alice\r\nPASS wrong\r\n"
            + LOGIN
            + b"STAT\r\nLIST 2\r\nRETR 2\r\nLAST\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 (mail.example.com)"
        b" ready.\r\n"
        b"+OK Capability list follows\r\n"
        b"TOP\r\nUSER\r\nPIPELINING\r\nEXPIRE NEVER\r\nUIDL\r\nSASL NTLM\r\n.\r\n"
        b"-ERR STLS is not available here\r\n"
        b"-ERR APOP is not available\r\n"
        b"+OK\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"+OK\r\n"
        b"-ERR Logon failure: unknown user name or bad password.\r\n"
        b"+OK\r\n"
        b"+OK User successfully logged on.\r\n"
        b"+OK 4 18503\r\n"
        b"+OK 2 95\r\n"
        b"+OK\r\n" + HEADER_ONLY + b".\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 signing off.\r\n"
    )


def test_exchange_online(raw: Raw) -> None:
    """Exchange Online: TLS at once, a host in base64 behind the greeting, estimated sizes."""
    with MockServer("exchange-online") as server:
        client = raw(server)
        version = client.wrap()
        greeting = client.line()
        rest = said(
            client,
            b"CAPA\r\n"
            + APOP
            + b"STAT\r\nAUTH PLAIN AGFsaWNlAHdyb25n\r\nUSER alice\r\nPASS wrong\r\n"
            + LOGIN
            + b"LIST 2\r\nUIDL 2\r\nRETR 2\r\nLAST\r\nQUIT\r\n",
        )
        uid = server.maildrop.messages[1].uid.encode()

    text, _, host = greeting.rstrip(b"]\r\n").partition(b"[")
    assert version == "TLSv1.3"
    assert text == b"+OK The Microsoft Exchange POP3 service is ready. "
    assert base64.b64decode(host).decode("utf-16-le") == "mail.example.com"
    assert rest == (
        b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n"
        b"-ERR APOP is not available\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"-ERR Logon failure: unknown user name or bad password.\r\n"
        b"+OK\r\n"
        b"-ERR Logon failure: unknown user name or bad password.\r\n"
        b"+OK\r\n"
        b"+OK User successfully logged on.\r\n"
        b"+OK 2 95\r\n"
        b"+OK 2 " + uid + b"\r\n"
        b"+OK\r\n" + HEADER_ONLY + b".\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n"
    )


def test_exchange_online_token_in_one_step(raw: Raw) -> None:
    """A token that does not wait for the challenge ends the connection."""
    with MockServer("exchange-online") as server:
        client = raw(server)
        client.wrap()
        client.line()

        assert (
            said(client, b"AUTH XOAUTH2 dXNlcj1hbGljZQEB\r\n")
            == b"-ERR Protocol error. Connection is closed. 10\r\n"
        )


def test_gmail(raw: Raw) -> None:
    """Gmail: its own texts, no size from RETR, other capabilities after login than before."""
    with MockServer("gmail") as server:
        client = raw(server)
        client.wrap()
        came = said(
            client,
            b"CAPA\r\n"
            + APOP
            + b"USER alice\r\nPASS wrong\r\n"
            + LOGIN
            + b"CAPA\r\nSTAT\r\nLIST\r\nRETR 2\r\nDELE 2\r\nLAST\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK Gpop ready for requests from 192.0.2.17 n67mb28062338lja\r\n"
        b"+OK Capability list follows\r\n"
        b"USER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\nUIDL\r\nX-GOOGLE-RICO\r\n"
        b"SASL PLAIN XOAUTH2 OAUTHBEARER\r\n.\r\n"
        b"-ERR APOP is not available\r\n"
        b"+OK send PASS\r\n"
        b"-ERR [AUTH] Username and password not accepted.\r\n"
        b"+OK send PASS\r\n"
        b"+OK Welcome.\r\n"
        b"+OK Capability list follows\r\n"
        b"USER\r\nRESP-CODES\r\nPIPELINING\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\nUIDL\r\n"
        b"X-GOOGLE-RICO\r\n.\r\n"
        b"+OK 4 20559\r\n"
        b"+OK 4 messages (20559 bytes)\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n"
        b"+OK message follows\r\n" + HEADER_ONLY + b".\r\n"
        b"+OK\r\n"
        b"-ERR Not supported\r\n"
        b"+OK Farewell.\r\n"
    )


def test_gmail_utf8(raw: Raw) -> None:
    """UTF8, which CAPA does not list, ends the connection."""
    with MockServer("gmail") as server:
        client = raw(server)
        client.wrap()
        client.line()

        assert said(client, b"UTF8\r\nCAPA\r\n") == b"-ERR bad command\r\n"


def test_dovecot(raw: Raw) -> None:
    """Dovecot: the ordinary answers of its transcript, line by line."""
    first = (
        b"From: Seed Sender <sender@example.test>\r\n"
        b"To: Alice <alice@example.test>\r\n"
        b"Subject: plain\r\n"
        b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
        b"\r\n"
    )
    with MockServer("dovecot") as server:
        came = said(
            raw(server),
            b"CAPA\r\nSTAT\r\nPASS secret\r\nUSER alice\r\nPASS wrong\r\n"
            + APOP
            + b"AUTH XYZZY\r\n"
            + LOGIN
            + b"CAPA\r\nSTAT\r\nLIST\r\nLIST 1\r\nLIST 999\r\nUIDL\r\nUIDL 1\r\nUIDL 999\r\n"
            b"RETR 1\r\nRETR 999\r\nTOP 1 0\r\nTOP 999 0\r\nLAST\r\nNOOP\r\n"
            b"DELE 1\r\nDELE 999\r\nSTAT\r\nRSET\r\nSTLS\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK Dovecot (Debian) ready.\r\n"
        b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nSTLS\r\n"
        b"USER\r\nSASL PLAIN\r\n.\r\n"
        b"-ERR Unknown command.\r\n"
        b"-ERR No username given.\r\n"
        b"+OK\r\n"
        b"-ERR [AUTH] Authentication failed.\r\n"
        b"-ERR APOP not enabled.\r\n"
        b"-ERR [AUTH] Unsupported authentication mechanism.\r\n"
        b"+OK\r\n"
        b"+OK Logged in.\r\n"
        b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n.\r\n"
        b"+OK 3 560\r\n"
        b"+OK 3 messages:\r\n1 151\r\n2 254\r\n3 155\r\n.\r\n"
        b"+OK 1 151\r\n"
        b"-ERR There's no message 999.\r\n"
        b"+OK\r\n1 000000016b04f75e\r\n2 000000026b04f75e\r\n3 000000036b04f75e\r\n.\r\n"
        b"+OK 1 000000016b04f75e\r\n"
        b"-ERR There's no message 999.\r\n"
        b"+OK 151 octets\r\n" + first + b"Hello, plain world.\r\n.\r\n"
        b"-ERR There's no message 999.\r\n"
        b"+OK\r\n" + first + b".\r\n"
        b"-ERR There's no message 999.\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK\r\n"
        b"+OK Marked to be deleted.\r\n"
        b"-ERR There's no message 999.\r\n"
        b"+OK 2 409\r\n"
        b"+OK\r\n"
        b"-ERR Unknown command: STLS\r\n"
        b"+OK Logging out.\r\n"
    )


def test_dovecot_stls(raw: Raw) -> None:
    """Dovecot inside TLS: no STLS in CAPA, a second one refused, SASL works."""
    with MockServer("dovecot") as server:
        client = raw(server)
        client.line()
        answer = client.ask(b"STLS")
        client.wrap()
        capabilities = client.listing(b"CAPA")

        assert answer == b"+OK Begin TLS negotiation now.\r\n"
        assert b"STLS" not in capabilities
        assert client.ask(b"STLS") == b"-ERR TLS is already active.\r\n"
        assert (
            client.ask(b"AUTH PLAIN AGFsaWNlAHdyb25n") == b"-ERR [AUTH] Authentication failed.\r\n"
        )
        assert client.ask(b"AUTH PLAIN AGFsaWNlAHNlY3JldA==") == b"+OK Logged in.\r\n"


def test_dovecot_quit_before_login(raw: Raw) -> None:
    """Before login Dovecot's farewell has no full stop."""
    with MockServer("dovecot") as server:
        client = raw(server)
        client.line()

        assert said(client, b"QUIT\r\n") == b"+OK Logging out\r\n"


@pytest.mark.parametrize("name", ["exchange-online", "dovecot"])
def test_no_lock(raw: Raw, name: str) -> None:
    """A second session gets into a maildrop that is open."""
    with MockServer(name, tls="none") as server:
        first, second = raw(server), raw(server)

        assert first.login().startswith(b"+OK")
        assert second.login().startswith(b"+OK")


@pytest.mark.parametrize("name", ["default", "rfc1939-minimal"])
def test_lock(raw: Raw, name: str) -> None:
    """A server that keeps to RFC 1939 refuses the second session."""
    with MockServer(name) as server:
        first, second = raw(server), raw(server)

        assert first.login().startswith(b"+OK")
        assert second.login().startswith(b"-ERR")


@pytest.mark.parametrize(
    ("name", "tls"),
    [
        ("default", "stls"),
        ("rfc1939-minimal", "none"),
        ("exchange-5.5", "none"),
        ("exchange-2003", "none"),
        ("exchange-online", "implicit"),
        ("gmail", "implicit"),
        ("dovecot", "stls"),
    ],
)
def test_tls(name: str, tls: str) -> None:
    """A server says how a client gets TLS from it."""
    assert MockServer(name).tls == tls
