"""Courier, Cyrus and Dovecot with all turned on, and the quirks they show, by their octets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer
from pop3mock._actions import Pause

from ._spoken import spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

LOGIN = b"USER alice\r\n", b"PASS secret\r\n"
RESPONSE = base64.b64encode(b"\0alice\0secret")
HEAD = (
    b"From: Seed Sender <sender@example.test>\r\n"
    b"To: Alice <alice@example.test>\r\n"
    b"Subject: plain ascii\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
PLAIN = HEAD + b"line one\r\nline two\r\n"
CRCRLF = PLAIN.replace(b"plain ascii", b"a file with CRLF").replace(b"\r\n", b"\r\r\n")
UTF8 = "From: x@example.test\nSubject: Grüße\n\nGuten Tag.\n".encode()


class Case(NamedTuple):
    """What a client says, segment by segment, and what must come behind the greeting.

    Attributes:
        scenario: The file.
        sent: The client's segments.
        comes: The server's octets.
        ending: How the server ends the connection.
    """

    scenario: str
    sent: tuple[bytes, ...]
    comes: bytes
    ending: str = ""


def answers(server: MockServer, *segments: bytes) -> bytes:
    """What a new session says to these segments, its greeting left out."""
    session = server.session()
    session.connected()
    return b"".join(spoken(session.receive(segment))[0] for segment in segments)


def listing(*lines: bytes) -> bytes:
    """Lines, and the terminator."""
    return b"".join(line + b"\r\n" for line in (*lines, b"."))


@pytest.mark.parametrize(
    ("scenario", "greeting"),
    [
        ("courier", b"+OK Hello there.\r\n"),
        (
            "cyrus",
            b"+OK pop.example.test Cyrus POP3 3.6.1-Debian-3.6.1-4+deb12u5 server ready \r\n",
        ),
    ],
)
def test_greeting(scenario: str, greeting: bytes) -> None:
    """The greeting is exactly this line, with the blank at its end if it has one."""
    assert spoken(MockServer(scenario).session().connected()) == (greeting, "")


COURIER_CAPA = (
    b"TOP",
    b"USER",
    b"LOGIN-DELAY 10",
    b"PIPELINING",
    b"UIDL",
    b"UTF8 USER",
    b"IMPLEMENTATION Courier Mail Server",
)
COURIER_IN_CLEAR = b"+OK Here's what I can do:\r\n" + listing(
    b"SASL PLAIN LOGIN CRAM-MD5", b"STLS", *COURIER_CAPA
)
COURIER_IN_TLS = b"+OK Here's what I can do:\r\n" + listing(b"SASL PLAIN LOGIN", *COURIER_CAPA)
COURIER_LOGIN = b"+OK Password required.\r\n+OK logged in.\r\n"
COURIER_MANY = b"+OK 1 %d\r\n" % len(PLAIN)

CYRUS_CAPA = (
    b"EXPIRE NEVER",
    b"LOGIN-DELAY 0",
    b"TOP",
    b"UIDL",
    b"PIPELINING",
    b"RESP-CODES",
    b"AUTH-RESP-CODE",
)
CYRUS_NAME = b"IMPLEMENTATION Cyrus POP3 3.6.1-Debian-3.6.1-4+deb12u5"
CYRUS_MECHANISMS = b"PLAIN", b"LOGIN", b"CRAM-MD5", b"DIGEST-MD5", b"SCRAM-SHA-1", b"SCRAM-SHA-256"
CYRUS_BEFORE = b"+OK List of capabilities follows\r\n" + listing(
    b" ".join((b"SASL", *CYRUS_MECHANISMS)), b"STLS", *CYRUS_CAPA, b"USER", CYRUS_NAME
)
CYRUS_AFTER = b"+OK List of capabilities follows\r\n" + listing(*CYRUS_CAPA, CYRUS_NAME)
CYRUS_LOGIN = (
    b"+OK Name is a valid mailbox\r\n"
    b"+OK Mailbox locked and ready"
    b" SESSIONID=<pop.example.test-1795488002-5010-1-13431165553086524013>\r\n"
)
NAMED = b"+OK Name is a valid mailbox\r\n"

CASES = [
    # Courier
    Case("courier", (b"CAPA\r\n",), COURIER_IN_CLEAR),
    Case("courier", (*LOGIN, b"CAPA more\r\n"), COURIER_LOGIN + COURIER_IN_CLEAR),
    Case("courier", (b"QUIT now\r\n",), b"+OK Better luck next time.\r\n", "close"),
    Case("courier", (b"AUTH PLAIN =\r\n",), b"-ERR Authentication aborted.\r\n"),
    Case("courier", (b"AUTH XYZZY\r\n",), b"-ERR Authentication failed.\r\n"),
    Case(
        "courier",
        (b"USER alice\r\n", b"PASS wrong\r\n", b"STAT\r\n", b"PASS secret\r\n"),
        b"+OK Password required.\r\n-ERR Login failed.\r\n-ERR Invalid command.\r\n"
        b"+OK logged in.\r\n",
    ),
    Case(
        "courier",
        (b"USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n", b"NOOP\r\n"),
        COURIER_LOGIN + b"+OK Yup.\r\n",
    ),
    Case(
        "courier",
        (b"AUTH LOGIN YWxpY2U=\r\n", b"c2VjcmV0\r\n"),
        b"+ UGFzc3dvcmQ6\r\n+OK logged in.\r\n",
    ),
    Case(
        "courier",
        (
            *LOGIN,
            b"LIST 1abc\r\n",
            b"LIST +1\r\n",
            b"LIST 1 2\r\n",
            b" LIST\t 1\r\n",
            b"LIST 0\r\n",
        ),
        COURIER_LOGIN + 4 * COURIER_MANY + b"-ERR Invalid message number.\r\n",
    ),
    Case("courier", (*LOGIN, b"NOOP\rSTAT\r\n"), COURIER_LOGIN + b"+OK Yup.\r\n"),
    Case("courier", (*LOGIN, b"NOOP\0\r\n", b"STAT\r\n"), COURIER_LOGIN + b"+OK Yup.\r\n"),
    Case(
        "courier",
        (*LOGIN, b"RETR 1\r\n", b"TOP 1 1\r\n"),
        COURIER_LOGIN
        + b"+OK %d octets follow.\r\n" % len(PLAIN)
        + PLAIN
        + b".\r\n+OK headers follow.\r\n"
        + HEAD
        + b"line one\r\n.\r\n",
    ),
    Case(
        "courier",
        (*LOGIN, b"RETR 3\r\n"),
        COURIER_LOGIN + b"+OK %d octets follow.\r\n" % len(CRCRLF) + CRCRLF + b".\r\n",
    ),
    Case(
        "courier",
        (*LOGIN, b"TOP 3 0\r\n"),
        COURIER_LOGIN + b"+OK headers follow.\r\n" + CRCRLF + b".\r\n",
    ),
    # Cyrus
    Case("cyrus", (b"CAPA\r\n",), CYRUS_BEFORE),
    Case("cyrus", (*LOGIN, b"CAPA\r\n"), CYRUS_LOGIN + CYRUS_AFTER),
    Case(
        "cyrus",
        (b"AUTH\r\n",),
        b"+OK List of supported mechanisms follows\r\n" + listing(*CYRUS_MECHANISMS),
    ),
    Case(
        "cyrus",
        (b"AUTH PLAIN\r\n", b"*\r\n"),
        b"+ \r\n-ERR [AUTH] Client canceled authentication\r\n",
    ),
    Case(
        "cyrus",
        (b"USER alice\r\n", b"PASS wrong\r\n", b"PASS secret\r\n"),
        NAMED + b"-ERR [AUTH] Invalid login\r\n-ERR [AUTH] Must give USER command\r\n",
    ),
    Case(
        "cyrus",
        (b"USER bob\r\n", b"USER alice\r\n", b"PASS secret\r\n"),
        NAMED + b"-ERR [AUTH] Must give PASS command\r\n-ERR [AUTH] Invalid login\r\n",
    ),
    Case(
        "cyrus",
        (b"USER ALICE \r\n", b"NOOP\r\n", b"PASS secret\r\n"),
        CYRUS_LOGIN.replace(b"mailbox\r\n", b"mailbox\r\n-ERR Unrecognized command\r\n", 1),
    ),
    Case(
        "cyrus",
        (*LOGIN, b"RETR\r\nRETR x\r\nRETR 9\r\nRETR 1 2\r\nTOP 1\r\nTOP 1 x\r\nSTAT \r\nLAST\r\n"),
        CYRUS_LOGIN + b"-ERR Missing argument\r\n-ERR Not a number\r\n-ERR No such message\r\n"
        b"-ERR Unexpected extra argument\r\n-ERR Missing argument\r\n"
        b"-ERR Invalid number of lines\r\n-ERR Syntax error\r\n-ERR Unrecognized command\r\n",
    ),
    Case(
        "cyrus",
        (*LOGIN, b"LIST  1\r\nRETR 1\r\nQUIT\r\n"),
        CYRUS_LOGIN
        + b"+OK 1 %d\r\n" % len(PLAIN)
        + b"+OK Message follows\r\n"
        + PLAIN
        + b".\r\n+OK\r\n",
        "close",
    ),
    # Dovecot with all turned on
    Case(
        "dovecot-full",
        (b"AUTH ANONYMOUS bWU=\r\n",),
        b"-ERR [SYS/TEMP] Internal error occurred. Refer to server log for more information.\r\n",
        "close",
    ),
    Case("dovecot-full", (b"APOP alice\r\n",), b"-ERR Invalid parameters.\r\n"),
    Case(
        "dovecot-full",
        (b"USER alice\r\n", b"PASS wrong\r\n"),
        b"+OK\r\n-ERR [AUTH] Authentication failed.\r\n",
    ),
    Case(
        "dovecot-full",
        (b"CAPA\r\n",),
        b"+OK\r\n"
        + listing(
            b"CAPA",
            b"TOP",
            b"UIDL",
            b"RESP-CODES",
            b"PIPELINING",
            b"AUTH-RESP-CODE",
            b"STLS",
            b"USER",
            b"SASL PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"
            b" ANONYMOUS",
        ),
    ),
    Case(
        "dovecot-full",
        (*LOGIN, b"CAPA\r\nLAST\r\nNOOP\r\nDELE 2\r\nQUIT\r\n"),
        b"+OK\r\n+OK Logged in.\r\n+OK\r\n"
        + listing(b"CAPA", b"TOP", b"UIDL", b"RESP-CODES", b"PIPELINING", b"AUTH-RESP-CODE")
        + b"+OK 0\r\n+OK\r\n+OK Marked to be deleted.\r\n+OK Logging out, messages deleted.\r\n",
        "close",
    ),
    # One quirk alone
    Case(
        "login-drops-pipelined",
        (b"USER alice\r\nPASS secret\r\nSTAT\r\n", b"NOOP\r\n"),
        b"+OK now the password for alice\r\n+OK maildrop has 4 messages (20559 octets)\r\n+OK\r\n",
    ),
    Case(
        "login-drops-pipelined",
        (b"AUTH PLAIN " + RESPONSE + b"\r\nSTAT\r\n", b"NOOP\r\n"),
        b"+OK maildrop has 4 messages (20559 octets)\r\n+OK\r\n",
    ),
    Case(
        "login-drops-pipelined",
        (b"USER alice\r\nPASS wrong\r\nNOOP\r\n",),
        b"+OK now the password for alice\r\n-ERR [AUTH] user name or password is wrong\r\n"
        b"-ERR NOOP is not valid in this state\r\n",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.scenario}: {case.sent[-1][:30]!r}")
def test_octets(case: Case) -> None:
    """The file's server says exactly these octets."""
    session = MockServer(case.scenario).session()
    session.connected()

    came = [spoken(session.receive(segment)) for segment in case.sent]

    assert b"".join(octets for octets, _ in came) == case.comes
    assert came[-1][1] == case.ending


# Courier's mail


def test_courier_utf8() -> None:
    """A header that is not ASCII comes inside another message, unless UTF8 was said."""
    server = MockServer("courier")
    server.deliver(UTF8)

    without = answers(server, *LOGIN, b"RETR 4\r\n").removeprefix(COURIER_LOGIN)
    told = answers(server, b"UTF8\r\n", *LOGIN, b"RETR 4\r\n")

    assert without.startswith(
        b"+OK 1145 octets follow.\r\n"
        b"From: Mail Delivery Subsystem <postmaster>\r\n"
        b"Subject: Cannot display Unicode content\r\n"
    )
    assert without.endswith(UTF8.replace(b"\n", b"\r\n") + b"\r\n--=_21968-1795487324--\r\n.\r\n")
    assert told == (
        b"+OK UTF8 enabled\r\n" + COURIER_LOGIN
        + b"+OK %d octets follow.\r\n" % len(UTF8.replace(b"\n", b"\r\n"))
        + UTF8.replace(b"\n", b"\r\n") + b".\r\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "top"),
    [("courier", b"-ERR Can't open the message file - it's gone!\r\n"), ("cyrus", b"")],
)
def test_what_another_session_has_removed(scenario: str, top: bytes) -> None:
    """Two sessions share a maildrop: Courier cannot open what is gone, Cyrus still serves it."""
    server = MockServer(scenario)
    first, second = server.session(), server.session()
    for session in (first, second):
        session.connected()
        for segment in LOGIN:
            session.receive(segment)
    first.receive(b"DELE 1\r\nQUIT\r\n")

    said, _ = spoken(second.receive(b"TOP 1 0\r\n"))

    assert said == (top or b"+OK Message follows\r\n" + HEAD + b".\r\n")


# Dovecot with all turned on


def test_dovecot_full_apop() -> None:
    """The greeting has a timestamp, and APOP logs in with it."""
    session = MockServer("dovecot-full").session()
    greeting, _ = spoken(session.connected())
    stamp = greeting.removeprefix(b"+OK Dovecot (Debian) ready. ").rstrip()
    digest = hashlib.md5(stamp + b"secret", usedforsecurity=False).hexdigest().encode()

    wrong, _ = spoken(session.receive(b"APOP alice 0123\r\n"))
    right, _ = spoken(session.receive(b"APOP alice " + digest + b"\r\n"))

    assert wrong == b"-ERR [AUTH] Authentication failed.\r\n"
    assert right == b"+OK Logged in.\r\n"


@pytest.mark.parametrize("scenario", ["courier", "cyrus", "dovecot-full"])
def test_cram_md5(scenario: str) -> None:
    """CRAM-MD5 is there, and takes no initial response but a right digest."""
    session = MockServer(scenario).session()
    session.connected()
    challenge, _ = spoken(session.receive(b"AUTH CRAM-MD5\r\n"))
    stamp = base64.b64decode(challenge.removeprefix(b"+ "))
    digest = hmac.new(b"secret", stamp, "md5").hexdigest()

    said, _ = spoken(session.receive(base64.b64encode(b"alice " + digest.encode()) + b"\r\n"))

    assert said.startswith(b"+OK ")


def test_dovecot_full_lock() -> None:
    """The second session is refused with its code, and closed."""
    server = MockServer("dovecot-full")
    answers(server, *LOGIN)
    session = server.session()
    session.connected()
    session.receive(LOGIN[0])

    assert spoken(session.receive(LOGIN[1])) == (
        b"-ERR [IN-USE] Mailbox is locked by another POP3 session.\r\n",
        "close",
    )


def test_dovecot_full_last() -> None:
    """LAST is the highest message read, until RSET."""
    said = answers(
        MockServer("dovecot-full"), *LOGIN, b"RETR 2\r\n", b"LAST\r\n", b"RSET\r\n", b"LAST\r\n"
    )

    assert said.endswith(b".\r\n+OK 2\r\n+OK\r\n+OK 0\r\n")


# STLS

KEPT = {
    "stls-keeps-user": b"+OK maildrop has 4 messages (20559 octets)\r\n",
    "courier": b"+OK logged in.\r\n",
    "cyrus": CYRUS_LOGIN.partition(b"\r\n")[2],
    "dovecot-full": b"+OK Logged in.\r\n",
    "default": b"-ERR USER comes first\r\n",
}


@pytest.mark.parametrize(("scenario", "answer"), KEPT.items(), ids=KEPT)
def test_user_before_stls(raw: Raw, scenario: str, answer: bytes) -> None:
    """The name that was given in the clear still holds inside TLS; it should not."""
    with MockServer(scenario) as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")
        client.ask(b"STLS")
        client.wrap()

        assert client.ask(b"PASS secret") == answer


@pytest.mark.parametrize(
    ("scenario", "stls", "inside"),
    [
        (
            "stls-executes-injected",
            b"+OK begin TLS\r\n",
            b"-ERR NOOP is not valid in this state\r\n",
        ),
        ("courier", b"+OK Begin SSL/TLS negotiation now.\r\n", b"-ERR Invalid command.\r\n"),
    ],
)
def test_injected_behind_stls(raw: Raw, scenario: str, stls: bytes, inside: bytes) -> None:
    """What came in the clear behind STLS is answered inside TLS, unasked."""
    with MockServer(scenario) as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\nNOOP\r\n")
        answer = client.line()
        client.wrap()

        assert (answer, client.line()) == (stls, inside)


@pytest.mark.parametrize(
    ("scenario", "refusal"),
    [
        ("stls-fails-in-the-clear", b"-ERR [SYS/PERM] Starttls failed\r\n"),
        ("cyrus", b"-ERR [SYS/PERM] Starttls failed\r\n-ERR Unrecognized command\r\n"),
        (
            "courier",
            (
                b"-ERR STARTTLS failed: ip=[::ffff:127.0.0.1], An unexpected TLS packet was"
                b" received.\r\n-ERR Invalid command.\r\n"
            ),
        ),
    ],
)
def test_stls_fails_in_the_clear(raw: Raw, scenario: str, refusal: bytes) -> None:
    """Behind the alert of a handshake that failed the session goes on in the clear."""
    with MockServer(scenario) as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.send(b"CAPA\r\n")
        said = client.until(refusal)
        goes_on = client.ask(b"QUIT")

    assert said.endswith(refusal)
    assert goes_on.startswith(b"+OK")


def test_nothing_in_the_clear_without_stls(raw: Raw) -> None:
    """Where TLS begins with the first octet, nobody goes on after a handshake that failed."""
    with MockServer("stls-fails-in-the-clear", tls="implicit") as server:
        client = raw(server)
        client.send(b"CAPA\r\n")

        assert b"-ERR" not in client.rest()


def test_courier_inside_tls(raw: Raw) -> None:
    """Inside TLS Courier has neither STLS nor CRAM-MD5, also after login."""
    with MockServer("courier") as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.wrap()
        before = client.listing(b"CAPA")
        again = client.ask(b"STLS")
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        after = client.listing(b"CAPA")

    assert (before, again, after) == (
        COURIER_IN_TLS,
        b"-ERR TLS support not available.\r\n",
        COURIER_IN_TLS,
    )


# Time


@pytest.mark.parametrize(
    ("command", "waits"), [(b"PASS wrong\r\n", [0.1]), (b"PASS secret\r\n", [])]
)
def test_slow_refusal(command: bytes, waits: list[float]) -> None:
    """A wrong password is answered late, a right one at once."""
    session = MockServer("slow-refusal").session()
    session.connected()
    session.receive(LOGIN[0])

    actions = session.receive(command)

    assert [action.seconds for action in actions if isinstance(action, Pause)] == waits


@pytest.mark.parametrize(
    ("scenario", "before", "after"), [("courier", 60.0, 300.0), ("cyrus", 600.0, 600.0)]
)
def test_autologout(scenario: str, before: float, after: float) -> None:
    """How long a silent client is borne, before login and after it."""
    session = MockServer(scenario).session()
    session.connected()
    first = session.patience
    for segment in LOGIN:
        session.receive(segment)

    assert (first, session.patience) == (before, after)
