"""Each server that is known from what others have published, by a session as they show it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

LOGIN = b"USER alice\r\nPASS secret\r\n"
REFUSED = b"USER alice\r\nPASS wrong\r\n"
PLAIN = base64.b64encode(b"\0alice\0secret")
WRONG_PLAIN = base64.b64encode(b"\0alice\0wrong")
TOKEN = base64.b64encode(b"user=alice\1auth=Bearer secret\1\1")
WRONG_TOKEN = base64.b64encode(b"user=alice\1auth=Bearer wrong\1\1")

SECOND = (
    b"From: dave@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: No body\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
FIRST_HEADER = (
    b"From: carol@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: Lines that begin with a dot\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
SIZES = b"1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n"


def said(client: RawClient, commands: bytes) -> bytes:
    """All that comes for commands sent at once, up to the end of the connection."""
    client.send(commands)
    return client.rest()


def uids(server: MockServer) -> bytes:
    """The lines of UIDL, with the dot behind them."""
    entries = (f"{n} {m.uid}\r\n" for n, m in enumerate(server.maildrop.messages, 1))
    return "".join(entries).encode() + b".\r\n"


def test_exchange_2007(raw: Raw) -> None:
    """Exchange 2007 greets otherwise than 2010, and is like it in all else."""
    with MockServer("exchange-2007") as server:
        came = said(raw(server), b"CAPA\r\nQUIT\r\n")

    assert came == (
        b"+OK Microsoft Exchange Server 2007 POP3 service ready\r\n"
        b"+OK\r\nTOP\r\nUIDL\r\nSASL GSSAPI PLAIN\r\nUSER\r\nSTLS\r\n.\r\n"
        b"+OK Good-bye.\r\n"
    )


def test_exchange_2010(raw: Raw) -> None:
    """Exchange 2010: bare answers to CAPA, USER and UIDL, estimated sizes, none from RETR."""
    with MockServer("exchange-2010") as server:
        client = raw(server)
        greeting = client.line()
        answer = client.ask(b"STLS")
        client.wrap()
        came = said(
            client,
            b"CAPA\r\nSTAT\r\n"
            + REFUSED
            + LOGIN
            + b"CAPA\r\nUSER bob\r\nSTAT\r\nLIST 2\r\nUIDL\r\nRETR 2\r\nLAST\r\nQUIT\r\n",
        )
        listing = uids(server)

    assert greeting == b"+OK The Microsoft Exchange POP3 service is ready.\r\n"
    assert answer == b"+OK Begin TLS negotiation.\r\n"
    assert came == (
        b"+OK\r\nTOP\r\nUIDL\r\nSASL GSSAPI PLAIN\r\nUSER\r\n.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"+OK\r\n"
        b"-ERR Logon failure: unknown user name or bad password.\r\n"
        b"+OK\r\n"
        b"+OK User successfully logged on.\r\n"
        b"+OK\r\nTOP\r\nUIDL\r\nSASL GSSAPI PLAIN\r\nUSER\r\n.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"+OK 4 18503\r\n"
        b"+OK 2 95\r\n"
        b"+OK\r\n" + listing + b"+OK\r\n" + SECOND + b".\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK Good-bye.\r\n"
    )


def test_exchange_2010_sasl(raw: Raw) -> None:
    """A challenge is + with no space; GSSAPI stays open until it is cancelled."""
    with MockServer("exchange-2010") as server:
        client = raw(server)
        client.line()

        assert client.ask(b"AUTH GSSAPI") == b"+\r\n"
        assert client.ask(b"*").startswith(b"-ERR")
        assert client.ask(b"AUTH PLAIN") == b"+\r\n"
        assert (
            client.ask(WRONG_PLAIN) == b"-ERR Logon failure: unknown user name or bad password.\r\n"
        )
        assert client.ask(b"AUTH PLAIN") == b"+\r\n"
        assert client.ask(PLAIN) == b"+OK User successfully logged on.\r\n"


def test_exchange_2019_in_the_clear(raw: Raw) -> None:
    """In the clear CAPA shows no way to log in, and none is accepted."""
    with MockServer("exchange-2019") as server:
        came = said(
            raw(server),
            b"CAPA\r\nUSER alice\r\nAUTH PLAIN\r\nAUTH PLAIN " + PLAIN + b"\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK The Microsoft Exchange POP3 service is ready.\r\n"
        b"+OK\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n"
    )


def test_exchange_2019_inside_tls(raw: Raw) -> None:
    """Inside TLS, CAPA lists the logins, and they work."""
    with MockServer("exchange-2019") as server:
        client = raw(server)
        client.line()
        answer = client.ask(b"STLS")
        client.wrap()
        came = said(
            client,
            b"CAPA\r\nSTAT\r\n"
            + REFUSED
            + b"AUTH PLAIN\r\n"
            + PLAIN
            + b"\r\nCAPA\r\nLIST 2\r\nRETR 2\r\nLAST\r\nQUIT\r\n",
        )

    assert answer == b"+OK Begin TLS negotiation.\r\n"
    assert came == (
        b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN\r\nUSER\r\n.\r\n"
        b"-ERR Command is not valid in this state.\r\n"
        b"+OK\r\n"
        b"-ERR Logon failure: unknown user name or bad password.\r\n"
        b"+\r\n"
        b"+OK User successfully logged on.\r\n"
        b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN\r\nUSER\r\n.\r\n"
        b"+OK 2 95\r\n"
        b"+OK\r\n" + SECOND + b".\r\n"
        b"-ERR Unknown command: LAST\r\n"
        b"+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n"
    )


def test_exchange_online_token_in_two_steps(raw: Raw) -> None:
    """A token that waits for the challenge is taken, and has an answer of its own."""
    with MockServer("exchange-online", tls="none") as server:
        client = raw(server)
        client.line()

        assert client.ask(b"AUTH XOAUTH2") == b"+ \r\n"
        assert client.ask(TOKEN) == b"+OK User successfully authenticated.\r\n"


def test_exchange_online_long_token(raw: Raw) -> None:
    """A token of more than 4096 octets ends the connection even in two steps."""
    with MockServer("exchange-online", tls="none") as server:
        client = raw(server)
        client.line()
        client.ask(b"AUTH XOAUTH2")

        assert (
            said(client, b"A" * 4100 + b"\r\n")
            == b"-ERR Protocol error. Connection is closed. 10\r\n"
        )


def test_gmail_token(raw: Raw) -> None:
    """A refused token is answered by a challenge that holds the reason."""
    with MockServer("gmail", tls="none") as server:
        client = raw(server)
        client.line()
        challenge = client.ask(b"AUTH XOAUTH2 " + WRONG_TOKEN)
        refusal = client.ask(b"")
        accepted = client.ask(b"AUTH XOAUTH2 " + TOKEN)

    assert base64.b64decode(challenge.removeprefix(b"+ ")).startswith(b'{"status": "401"')
    assert refusal == b"-ERR [AUTH] Username and password not accepted.\r\n"
    assert accepted == b"+OK Welcome.\r\n"


def test_gmail_plain(raw: Raw) -> None:
    """SASL PLAIN is answered as USER and PASS are; NOOP, RSET and UIDL have no text."""
    with MockServer("gmail", tls="none") as server:
        client = raw(server)
        client.line()
        came = said(
            client,
            b"AUTH PLAIN "
            + WRONG_PLAIN
            + b"\r\nAUTH PLAIN "
            + PLAIN
            + b"\r\nTOP 2 0\r\nNOOP\r\nRSET\r\nUIDL\r\nQUIT\r\n",
        )
        listing = uids(server)

    assert came == (
        b"-ERR [AUTH] Username and password not accepted.\r\n"
        b"+OK Welcome.\r\n"
        b"+OK message follows\r\n" + SECOND + b".\r\n"
        b"+OK\r\n"
        b"+OK\r\n"
        b"+OK\r\n" + listing + b"+OK Farewell.\r\n"
    )


def test_yahoo(raw: Raw) -> None:
    """Yahoo: a third number behind PASS, LAST that counts all, +OK and a space for NOOP."""
    with MockServer("yahoo") as server:
        client = raw(server)
        client.wrap()
        came = said(
            client,
            b"CAPA\r\nUSER nopop\r\nPASS secret\r\n"
            + LOGIN
            + b"CAPA\r\nSTAT\r\nLAST\r\nLIST\r\nLIST 2\r\nUIDL\r\nRETR 2\r\nNOOP\r\nDELE 2\r\n"
            b"RSET\r\nQUIT\r\n",
        )
        listing = uids(server)

    capabilities = (
        b"+OK CAPA list follows\r\n"
        b"EXPIRE NEVER\r\nIMPLEMENTATION popgate 2.43\r\nPIPELINING\r\nRESP-CODES\r\nTOP\r\n"
        b"UIDL\r\nUSER\r\n.\r\n"
    )
    assert came == (
        b"+OK hello from popgate 2.43 on pop106.plus.mail.mud.yahoo.com\r\n" + capabilities + b""
        b"+OK password required.\r\n"
        b"-ERR [SYS/PERM] pop not allowed for user.\r\n"
        b"+OK password required.\r\n"
        b"+OK maildrop ready, 4 messages (20559 octets) (517707418)\r\n" + capabilities + b""
        b"+OK 4 20559\r\n"
        b"+OK 4\r\n"
        b"+OK 4 messages (20559 octets)\r\n" + SIZES + b""
        b"+OK 2 106\r\n"
        b"+OK 4 messages (20559 octets)\r\n" + listing + b""
        b"+OK 106 octets\r\n" + SECOND + b".\r\n"
        b"+OK \r\n"
        b"+OK message 2 marked deleted\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK server signing off.\r\n"
    )


def test_yahoo_wrong_password(raw: Raw) -> None:
    """A wrong password ends the connection: what is sent behind it has no answer."""
    with MockServer("yahoo", tls="none") as server:
        client = raw(server)
        client.line()
        came = said(client, REFUSED + b"QUIT\r\n")

    assert came.startswith(b"+OK password required.\r\n-ERR ")
    assert came.count(b"\r\n") == 2


def test_qpopper(raw: Raw) -> None:
    """Qpopper: its own texts, among them two for one missing message."""
    with MockServer("qpopper") as server:
        client = raw(server)
        listing = uids(server)
        greeting = client.line()
        came = said(
            client,
            b"CAPA\r\nSTLS\r\nAUTH\r\n"
            + REFUSED
            + LOGIN
            + b"STAT\r\nLIST\r\nLIST 9\r\nUIDL\r\nUIDL 9\r\nRETR 2\r\nTOP 2 0\r\n"
            b"TOP 2 999999999\r\nDELE 2\r\nRETR 2\r\nUIDL 2\r\nQUIT\r\n",
        )

    assert greeting.startswith(b"+OK Qpopper (version 4.0.5) at mail.example.com starting.  <")
    assert came == (
        b"+OK Capability list follows\r\n"
        b"TOP\r\nUSER\r\nEXPIRE NEVER\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nX-MANGLE\r\n"
        b"X-MACRO\r\nIMPLEMENTATION Qpopper-version-4.0.5\r\n.\r\n"
        b"-ERR Command not enabled\r\n"
        b"+OK Supported SASL mechanisms:\r\nX-NONE-SO-USE-APOP-OR-STLS\r\n.\r\n"
        b"+OK Password required for alice.\r\n"
        b'-ERR [AUTH] Password supplied for "alice" is incorrect.\r\n'
        b"+OK Password required for alice.\r\n"
        b"+OK alice has 4 visible messages (0 hidden) in 20559 octets.\r\n"
        b"+OK 4 20559\r\n"
        b"+OK 4 visible messages (20559 octets)\r\n" + SIZES + b""
        b"-ERR Message 9 does not exist.\r\n"
        b"+OK uidl command accepted.\r\n" + listing + b""
        b"-ERR Message 9 out of range.\r\n"
        b"+OK 106 octets\r\n" + SECOND + b".\r\n"
        b"+OK Message follows\r\n" + SECOND + b".\r\n"
        b"-ERR line count out of range\r\n"
        b"+OK message 2 deleted\r\n"
        b"-ERR Message 2 has been deleted.\r\n"
        b"-ERR Message 2 has been marked for deletion.\r\n"
        b"+OK Pop server at mail.example.com signing off.\r\n"
    )


def test_qpopper_apop_refused(raw: Raw) -> None:
    """A refused APOP is followed at once by the farewell and the end."""
    with MockServer("qpopper") as server:
        client = raw(server)
        client.line()
        came = said(client, b"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\nUSER alice\r\n")

    assert came == (
        b'-ERR [AUTH] Password supplied for "alice" is incorrect.\r\n'
        b"+OK Pop server at mail.example.com signing off.\r\n"
    )


def test_qpopper_in_use(raw: Raw) -> None:
    """A maildrop that is open is refused with its code, and with the name of the file."""
    with MockServer("qpopper") as server:
        first, second = raw(server), raw(server)
        first.login()

        assert second.login() == (
            b"-ERR [IN-USE] /var/mail/.alice.pop lock busy!  Is another session active? (11)\r\n"
        )


def test_hmailserver(raw: Raw) -> None:
    """One sentence refuses all, deleted messages are listed, TOP ends in a blank line."""
    invalid = b"-ERR Invalid command in current state.\r\n"
    with MockServer("hmailserver") as server:
        listing = uids(server)
        came = said(
            raw(server),
            b"CAPA now\r\nNOOP\r\nHELP\r\nAUTH\r\nSTLS\r\nSTAT\r\nPASS secret\r\n"
            b"USER alice@example.com\r\nPASS wrong\r\n"
            + REFUSED
            + b"PASS secret\r\nUSER alice\r\nLIST\r\nUIDL\r\nLIST 9\r\nRETR 2\r\nTOP 1 0\r\n"
            b"TOP 1 1\r\nDELE 2\r\nLIST 2\r\nDELE 2\r\nRETR 2\r\nSTAT\r\nRSET\r\nLAST\r\nXYZZY\r\n"
            + b"X" * 501
            + b"\r\nQUIT\r\n",
        )

    assert came == (
        b"+OK POP3\r\n"
        b"+OK CAPA list follows\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n"
        b"+OK\r\n"
        b"+OK Normal POP3 commands allowed\r\n" + invalid * 3 + b""
        b"-ERR Invalid user name or password. Please use full email address as user name.\r\n"
        b"+OK Send your password\r\n"
        b"-ERR Invalid user name or password.\r\n"
        b"+OK Send your password\r\n"
        b"-ERR Invalid user name or password. Please use full email address as user name.\r\n"
        b"+OK Mailbox locked and ready\r\n" + invalid + b""
        b"+OK 4 messages (20559 octets)\r\n" + SIZES + b""
        b"+OK 4 messages (20559 octets)\r\n" + listing + b""
        b"-ERR No such message\r\n"
        b"+OK 106 octets\r\n" + SECOND + b".\r\n"
        b"+OK 194 octets\r\n" + FIRST_HEADER + b"\r\n.\r\n"
        b"+OK 194 octets\r\n" + FIRST_HEADER + b"The next lines begin with a dot.\r\n.\r\n"
        b"+OK msg deleted\r\n"
        b"+OK 2 106\r\n"
        b"+OK msg deleted\r\n"
        b"-ERR No such message\r\n"
        b"+OK 3 20453\r\n"
        b"+OK 0\r\n" + invalid * 2 + b""
        b"-ERR Line too long.\r\n"
        b"+OK POP3 server saying goodbye...\r\n"
    )


def test_hmailserver_locked(raw: Raw) -> None:
    """A maildrop that is open is refused in words alone."""
    with MockServer("hmailserver") as server:
        first, second = raw(server), raw(server)
        first.login()

        assert second.login() == b"-ERR Your mailbox is already locked\r\n"


def test_zimbra(raw: Raw) -> None:
    """Two servers in one session: other capabilities and other texts from login on."""
    with MockServer("zimbra") as server:
        client = raw(server)
        greeting = client.line()
        came = said(
            client,
            b"CAPA\r\n"
            + LOGIN
            + b"CAPA\r\nSTAT\r\nNOOP\r\nUSER bob\r\nSTLS\r\nAUTH PLAIN\r\nLAST\r\nLIST\r\n"
            b"LIST 9\r\nLIST x\r\nRETR\r\nTOP 1\r\nTOP 1 x\r\nRETR 2\r\nTOP 2 0\r\nDELE 1\r\n"
            b"RETR 1\r\nRSET\r\nQUIT\r\n",
        )

    assert greeting.startswith(b"+OK POP3 ready <")
    assert came == (
        b"+OK Capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\nSTLS\r\nEXPIRE 31 USER\r\n.\r\n"
        b"+OK\r\n"
        b"+OK server ready\r\n"
        b"+OK Capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\nSTLS\r\nSASL PLAIN X-ZIMBRA\r\n"
        b"EXPIRE NEVER\r\nXOIP\r\nIMPLEMENTATION ZimbraInc\r\n.\r\n"
        b"+OK 4 20559\r\n"
        b"+OK yawn\r\n"
        b"-ERR this command is only valid in authorization state\r\n"
        b"-ERR this command is only valid prior to login\r\n"
        b"-ERR command only valid in AUTHORIZATION state\r\n"
        b"-ERR unknown command\r\n"
        b"+OK 4 messages\r\n" + SIZES + b""
        b"-ERR invalid message\r\n"
        b"-ERR unable to parse msg\r\n"
        b"-ERR please specify a message\r\n"
        b"-ERR please specify a message and number of lines\r\n"
        b"-ERR unable to parse number of lines\r\n"
        b"+OK message follows\r\n" + SECOND + b".\r\n"
        b"+OK message top follows\r\n" + SECOND + b".\r\n"
        b"+OK message 1 marked for deletion\r\n"
        b"-ERR message is deleted\r\n"
        b"+OK maildrop has 4 messages (20559 octets)\r\n"
        b"+OK mail.example.com Zimbra POP3 server closing connection\r\n"
    )


def test_zimbra_stls(raw: Raw) -> None:
    """STLS has Zimbra's own text, and CAPA lists it no longer inside TLS."""
    with MockServer("zimbra") as server:
        client = raw(server)
        client.line()
        answer = client.ask(b"STLS")
        client.wrap()
        capabilities = client.listing(b"CAPA")

    assert answer == b"+OK Begin TLS negotiation\r\n"
    assert capabilities == (
        b"+OK Capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\nEXPIRE 31 USER\r\n.\r\n"
    )


@pytest.mark.parametrize(
    ("login", "before"),
    [
        (REFUSED, b"+OK\r\n"),
        (b"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n", b""),
    ],
)
def test_zimbra_wrong_password(raw: Raw, login: bytes, before: bytes) -> None:
    """A wrong password or digest ends the connection."""
    with MockServer("zimbra") as server:
        client = raw(server)
        client.line()

        assert said(client, login + b"QUIT\r\n") == before + b"-ERR Invalid login or password\r\n"


def test_mailpit(raw: Raw) -> None:
    """LIST and UIDL always give all, deleted messages stay, and TOP gives too much."""
    with MockServer("mailpit") as server:
        came = said(
            raw(server),
            b"CAPA\r\nSTLS\r\nAUTH\r\nAPOP alice 0\r\nXYZZY\r\nSTAT\r\n"
            + REFUSED
            + b"PASS secret\r\nUSER alice\r\nPASS secret\r\nLIST 2\r\nUIDL 2\r\nTOP 2 0\r\n"
            b"TOP 1 1\r\nTOP 1\r\nDELE 2\r\nDELE 2\r\nSTAT\r\nLIST\r\nRETR 2\r\nRETR 9\r\n"
            b"NOOP\r\nRSET\r\nLAST\r\nQUIT\r\n",
        )
        listing = uids(server)

    assert came == (
        b"+OK Mailpit POP3 server\r\n"
        b"+OK capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\nIMPLEMENTATION Mailpit\r\n.\r\n"
        + b"-ERR unknown command\r\n"
        * 4
        + b"-ERR user not authenticated\r\n"
        b"+OK\r\n"
        b"-ERR invalid password\r\n"
        b"+OK signed in\r\n"
        b"-ERR user already specified\r\n"
        b"-ERR user not specified\r\n"
        b"+OK 4 messages (20559 octets)\r\n" + SIZES + b""
        b"+OK unique-id listing follows\r\n" + listing + b""
        b"+OK top of message follows\r\n" + SECOND + b"\r\n.\r\n"
        b"+OK top of message follows\r\n" + FIRST_HEADER + b""
        b"The next lines begin with a dot.\r\n.\r\n..\r\n.hidden\r\n\r\nThat was all.\r\n.\r\n"
        b"-ERR TOP requires two arguments\r\n"
        b"+OK message marked for deletion\r\n"
        b"+OK message marked for deletion\r\n"
        b"+OK 4 20559\r\n"
        b"+OK 4 messages (20559 octets)\r\n" + SIZES + b""
        b"+OK 106 octets\r\n" + SECOND + b".\r\n"
        b"-ERR no such message\r\n"
        b"+OK\r\n"
        b"+OK\r\n"
        b"-ERR unknown command\r\n"
        b"+OK goodbye\r\n"
    )


@pytest.mark.parametrize(
    ("commands", "answers"),
    [
        (b"USER\r\n", b"-ERR must supply a user\r\n"),
        (b"USER alice smith\r\n", b"-ERR must supply a user\r\n"),
        (b"PASS secret\r\n", b"-ERR must supply a user\r\n"),
        (b"USER alice\r\nPASS\r\n", b"+OK\r\n-ERR must supply a password\r\n"),
        (b"USER alice\r\nPASS my secret\r\n", b"+OK\r\n-ERR must supply a password\r\n"),
    ],
)
def test_mailpit_closes(raw: Raw, commands: bytes, answers: bytes) -> None:
    """USER or PASS without exactly one word ends the connection."""
    with MockServer("mailpit") as server:
        client = raw(server)
        client.line()

        assert said(client, commands + b"QUIT\r\n") == answers


@pytest.mark.parametrize("name", ["exchange-2010", "exchange-online", "zimbra", "mailpit"])
def test_no_lock(raw: Raw, name: str) -> None:
    """A second session gets into a maildrop that is open."""
    with MockServer(name, tls="none") as server:
        first, second = raw(server), raw(server)

        assert first.login().startswith(b"+OK")
        assert second.login().startswith(b"+OK")


@pytest.mark.parametrize(
    ("name", "tls"),
    [
        ("exchange-2007", "stls"),
        ("exchange-2010", "stls"),
        ("exchange-2019", "stls"),
        ("yahoo", "implicit"),
        ("qpopper", "none"),
        ("hmailserver", "none"),
        ("zimbra", "stls"),
        ("mailpit", "none"),
    ],
)
def test_tls(name: str, tls: str) -> None:
    """A server says how a client gets TLS from it."""
    assert MockServer(name).tls == tls


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("exchange-2007", 60.0, 1800.0),
        ("exchange-2010", 60.0, 1800.0),
        ("mailpit", 600.0, 600.0),
    ],
)
def test_autologout(name: str, before: float, after: float) -> None:
    """How long a silent client is borne, before login and after it."""
    session = MockServer(name, tls="none").session()
    session.connected()
    first = session.patience
    session.receive(b"AUTH PLAIN " + PLAIN + b"\r\n" + LOGIN)

    assert (first, session.patience) == (before, after)


def test_hmailserver_idle() -> None:
    """A client that is silent for too long is told so."""
    session = MockServer("hmailserver").session()
    session.connected()

    actions = session.idle()

    assert actions[0] == Send(b"-ERR Autologout; idle too long\r\n")
