"""Quirks of whole sessions: their ends, their errors and their lines; the session alone."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import load, loads

from ._spoken import Case, greeted, spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3mock._session import Session

LOGIN = b"USER alice\r\nPASS secret\r\n"
SAID_TO_USER = b"+OK now the password for alice\r\n"
PLAIN = b"AGFsaWNlAHNlY3JldA=="
EXCEPTION = b"-ERR java.lang.NumberFormatException: For input string: "
INVALID = b"com.icegreen.greenmail.user.UserException: Invalid password"
UNKNOWN = b"-ERR Unknown command: "
LONG = b"x" * 2000
MATE = b"-ERR Mate, the command must be one of STLS, CAPA, USER, PASS or QUIT\r\n"


def logged_in(server: MockServer) -> Session:
    """A session that has the maildrop."""
    session = greeted(server)
    session.receive(LOGIN)
    return session


def plain_server(scenario: str) -> MockServer:
    """A default server with the mail of a scenario."""
    server = MockServer(loads("pop3: 1\nname: plain\nsummary: plain\nmaildrop: []\n"))
    for mail in load(scenario).mail("alice"):
        server.deliver(mail.data, uid=mail.uid)
    return server


def entered(session: Session) -> bool:
    """Whether a session has the maildrop."""
    return spoken(session.receive(b"STAT\r\n"))[0].startswith(b"+OK")


def auth_plain(text: bytes) -> bytes:
    """An AUTH PLAIN command with this response."""
    return b"AUTH PLAIN " + base64.b64encode(text) + b"\r\n"


#: What servers answer to the asterisk that calls an exchange off.
CALLED_OFF = {
    "sasl-cancel-answers[dovecot]": b"-ERR Authentication aborted by client.",
    "sasl-cancel-answers[courier]": b"-ERR Authentication aborted.",
    "sasl-cancel-answers[cyrus]": b"-ERR [AUTH] Client canceled authentication",
    "sasl-cancel-answers[uw]": b"-ERR Bad authentication",
    "sasl-cancel-answers[nginx]": b"-ERR invalid command",
    "sasl-cancel-answers[wildduck]": b"-ERR malformed command",
}

BEFORE_LOGIN = [
    Case(
        "damaged-message-locks", LOGIN + LOGIN, 2 * (SAID_TO_USER + b"-ERR message is damaged\r\n")
    ),
    Case("damaged-message-locks", auth_plain(b"\0alice\0secret"), b"-ERR message is damaged\r\n"),
    Case("proxy-error", LOGIN, SAID_TO_USER + b"-ERR internal server error\r\n", "close"),
    Case("noop-before-login", b"NOOP\r\n", b"+OK\r\n"),
    Case(
        "overlong-echoed",
        b"USER " + LONG + b"\r\nNOOP\r\n",
        b"USER " + b"x" * 506 + b"+OK\r\n-ERR NOOP is not valid in this state\r\n",
    ),
    Case(
        "user-fragile[second-user]",
        b"USER nobody\r\nUSER alice\r\n",
        b"+OK now the password for nobody\r\n-ERR [AUTH] Must give PASS command\r\n",
    ),
    Case(
        "user-fragile[no-stls]",
        b"USER alice\r\nSTLS\r\n",
        SAID_TO_USER + b"-ERR Invalid command\r\n",
    ),
    Case(
        "close-on-error[third-before-login]",
        b"A\r\nSTAT\r\nB\r\nCAPA\r\n",
        3 * b"-ERR Unknown command.\r\n" + b"-ERR Too many invalid bad commands.\r\n",
        "close",
    ),
    Case(
        "close-on-error[fifth-before-login]",
        5 * b"A\r\n" + b"CAPA\r\n",
        5 * b"-ERR unknown command\r\n",
        "close",
    ),
    Case("close-on-error[first]", b"A\r\nCAPA\r\n", b"-ERR bad command\r\n", "close"),
    Case("close-on-error[first]", b"PASS x\r\n", b"-ERR malformed command\r\n", "close"),
    Case("login-prompts", b"AUTH LOGIN\r\n", b"+ VXNlciBOYW1lAA==\r\n"),
    Case(
        "login-prompts",
        b"AUTH LOGIN\r\nYWxpY2U=\r\n",
        b"+ VXNlciBOYW1lAA==\r\n+ UGFzc3dvcmQA\r\n",
    ),
    *(
        Case(scenario, b"AUTH PLAIN\r\n*\r\n", b"+ \r\n" + answer + b"\r\n")
        for scenario, answer in CALLED_OFF.items()
    ),
    Case("closed-unanswered[arguments]", b"USER\r\n", b"", "close"),
    Case("closed-unanswered[arguments]", auth_plain(b"\0alice\0secret"), b"", "close"),
    Case(
        "errors-bare[java]",
        b"USER alice\r\nPASS no\r\n",
        SAID_TO_USER + b"-ERR Authentication failed: " + INVALID + b"\r\n",
    ),
    Case(
        "overlong-lines[resets-before-login]",
        b"USER " + LONG + b"\r\n",
        b"-ERR Input buffer full, aborting\r\n",
        "reset",
    ),
    Case("overlong-lines[silent-reset]", b"USER " + LONG[:251] + b"\r\n", b"", "reset"),
    Case(
        "odd-words[perdition]",
        b"NOOP\r\n" + LOGIN,
        MATE + b"+OK USER alice set, mate\r\n+OK You are so in\r\n",
    ),
    Case("odd-words[twisted]", b"RPOP alice\r\n", b"-ERR permission denied, sucker\r\n"),
]

AFTER_LOGIN = [
    Case("stat-count-huge", b"STAT\r\n", b"+OK 4000000000 8000000000000\r\n"),
    Case("ok-then-nothing[closes]", b"RETR\r\n", b"+OK 20559 octets\r\n", "close"),
    Case("ok-then-nothing[closes]", b"RETR 2\r\n", b"+OK 106 octets\r\n", "close"),
    Case("ok-then-nothing[silent]", b"RETR 2\r\nNOOP\r\n", b"+OK 106\r\n", "hang"),
    Case(
        "overlong-echoed",
        b"NOOP " + LONG + b"\r\n",
        b"NOOP " + b"x" * 506 + b"-ERR Invalid arguments\r\n",
    ),
    Case(
        "close-on-error[twenty-first-after-login]",
        21 * b"XYZZY\r\n",
        21 * (UNKNOWN + b"XYZZY\r\n") + b"-ERR Too many bad commands.\r\n",
        "close",
    ),
    Case(
        "close-on-error[fifth]",
        b"XYZZY\r\nLIST 9\r\nRETR 9\r\nDELE 9\r\nNOOP\r\nTOP 9 0\r\nNOOP\r\n",
        b"-ERR unknown command\r\n"
        + 3 * b"-ERR no such message, only 4 in the maildrop\r\n"
        + b"+OK\r\n-ERR no such message, only 4 in the maildrop\r\n",
        "close",
    ),
    Case("close-on-error[first]", b"RETR 0\r\nNOOP\r\n", b"-ERR malformed command\r\n", "close"),
    Case("close-on-error[first]", b"RETR\r\nNOOP\r\n", b"-ERR malformed command\r\n", "close"),
    Case("after-dele[listed]", b"DELE 1\r\nSTAT\r\n", b"+OK message 1 deleted\r\n+OK 3 342\r\n"),
    Case(
        "after-dele[emptied]",
        b"DELE 1\r\nSTAT\r\nLIST\r\nLIST 1\r\nUIDL\r\n",
        b"+OK message 1 deleted\r\n+OK 3 231\r\n"
        b"+OK 3 messages (231 octets)\r\n1 0\r\n2 116\r\n3 115\r\n.\r\n"
        b"+OK 1 0\r\n"
        b"+OK\r\n1 a2\r\n2 a3\r\n.\r\n",
    ),
    Case(
        "after-dele[from-the-end]",
        b"DELE 0\r\nDELE -1\r\nUIDL\r\n",
        b"+OK message 3 deleted\r\n+OK message 2 deleted\r\n+OK\r\n1 a1\r\n.\r\n",
    ),
    Case(
        "after-dele[renumbered]",
        b"DELE 1\r\nUIDL\r\nUIDL 1\r\nUIDL 2\r\nLIST\r\nRETR 1\r\n",
        b"+OK message 1 deleted\r\n+OK\r\n1 a2\r\n2 a3\r\n.\r\n+OK 1 a1\r\n+OK 2 a2\r\n"
        b"+OK 2 messages (231 octets)\r\n1 116\r\n2 115\r\n.\r\n"
        b"-ERR message 1 is deleted\r\n",
    ),
    Case(
        "after-dele[reachable]",
        b"DELE 1\r\nUIDL 1\r\nLIST 1\r\nDELE 1\r\n",
        b"+OK message 1 deleted\r\n+OK 1 a1\r\n+OK 1 111\r\n-ERR message 1 is deleted\r\n",
    ),
    Case(
        "after-dele[twice]",
        b"DELE 1\r\nDELE 1\r\nLIST 1\r\n",
        2 * b"+OK message 1 deleted\r\n" + b"-ERR message 1 is deleted\r\n",
    ),
    *(
        Case("closed-unanswered[arguments]", command + b"\r\nNOOP\r\n", b"", "close")
        for command in (
            b"STAT 1",
            b"STAT ",
            b"NOOP foo",
            b"RETR",
            b"DELE 2 3",
            b"TOP 1",
            b"LIST 1 2",
        )
    ),
    Case("closed-unanswered[empty-line]", b"\r\nNOOP\r\n", b"", "close"),
    Case("closed-unanswered[empty-line]", b"UIDL abc\r\nNOOP\r\n", b"", "close"),
    Case(
        "errors-bare[java]",
        b"LIST abc\r\nTOP 1 abc\r\nRETR\r\n",
        2 * (EXCEPTION + b'"abc"\r\n')
        + b"-ERR java.lang.ArrayIndexOutOfBoundsException: Index 1 out of bounds for length 1\r\n",
    ),
    Case(
        "errors-bare[python]",
        b"XYZZY\r\n",
        b"-ERR bad protocol or server: POP3Error: Unknown protocol command: XYZZY\r\n",
    ),
    Case(
        "errors-bare[echoed]",
        b"ST\xc3\x84T\r\nST\rAT\r\nS\xff\r\nLIST a\xe9\r\n",
        UNKNOWN + b"ST\xc3\x84T\r\n" + UNKNOWN + b"ST\rAT\r\n" + UNKNOWN + b"S\xff\r\n"
        b"-ERR Invalid message number: a\xe9\r\n",
    ),
    Case("line-ends[crlf-only]", b"NOOP\n", b""),
    Case("line-ends[cr-too]", b"NOOP\rNOOP\nNOOP\r\n", 3 * b"+OK\r\n"),
    Case("line-ends[nul-cuts]", b"NOOP\0x\r\nLIST 2\0\r\n", b"+OK\r\n+OK 2 106\r\n"),
    Case("line-ends[cr-is-space]", b"LIST\r2\r\nNOOP\r\r\n", b"+OK 2 106\r\n+OK\r\n"),
    Case("line-ends[nul-joins]", b"NOOP\0\r\n", b""),
    Case("line-ends[nul-joins]", b"NOOP\0\r\nSTAT\r\nNOOP\r\n", 2 * b"+OK\r\n"),
    Case("line-ends[nul-refused]", b"STAT\0\r\n", b"-ERR NULL character in command\r\n"),
    Case("line-ends[nul-too-long]", b"STAT\0\r\n", b"-ERR Command line too long\r\n"),
    Case(
        "overlong-lines[resets]",
        b"NOOP " + b"x" * 8200 + b"\r\n",
        b"-ERR Input line too long.\r\n",
        "reset",
    ),
    Case(
        "overlong-lines[refused]",
        b"NOOP " + LONG[:251] + b"\r\nNOOP\r\n",
        b"-ERR command too long\r\n+OK\r\n",
    ),
    Case(
        "overlong-lines[refused-later]",
        b"NOOP " + LONG + b"\r\nNOOP\r\n",
        b"-ERR Command line too long\r\n+OK\r\n",
    ),
    Case(
        "odd-words[greenmail]",
        b"NOOP\r\nQUIT\r\n",
        b"+OK noop rimes with poop\r\n+OK bye see you soon\r\n",
        "close",
    ),
    Case(
        "odd-words[uw]", b"NOOP\r\nQUIT\r\n", b"+OK No-op to you too!\r\n+OK Sayonara\r\n", "close"
    ),
    Case(
        "odd-words[courier]",
        b"LIST\r\nNOOP\r\nRSET\r\nQUIT\r\n",
        b"+OK POP3 clients that break here, they violate STD53.\r\n"
        b"1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n"
        b"+OK Yup.\r\n+OK Resurrected.\r\n+OK Bye-bye.\r\n",
        "close",
    ),
]


def names(cases: Sequence[Case]) -> list[str]:
    """A name for each case."""
    return [f"{number}-{case.scenario}" for number, case in enumerate(cases)]


@pytest.mark.parametrize("case", BEFORE_LOGIN, ids=names(BEFORE_LOGIN))
def test_octets_before_login(case: Case) -> None:
    """The quirk shows in exactly these octets, and ends the connection so."""
    answers = spoken(greeted(MockServer(case.scenario)).receive(case.sent))

    assert answers == (case.comes, case.ending)


@pytest.mark.parametrize("case", AFTER_LOGIN, ids=names(AFTER_LOGIN))
def test_octets_after_login(case: Case) -> None:
    """The quirk shows in exactly these octets, and ends the connection so."""
    answers = spoken(logged_in(MockServer(case.scenario)).receive(case.sent))

    assert answers == (case.comes, case.ending)


@pytest.mark.parametrize("case", BEFORE_LOGIN, ids=names(BEFORE_LOGIN))
def test_only_by_the_file_before_login(case: Case) -> None:
    """The default server shows none of this."""
    answers = spoken(greeted(MockServer()).receive(case.sent))

    assert answers != (case.comes, case.ending)


@pytest.mark.parametrize("case", AFTER_LOGIN, ids=names(AFTER_LOGIN))
def test_only_by_the_file_after_login(case: Case) -> None:
    """The default server shows none of this over the same mail."""
    session = logged_in(plain_server(case.scenario))

    assert spoken(session.receive(case.sent)) != (case.comes, case.ending)


# What becomes of the mail


@pytest.mark.parametrize(
    ("scenario", "sent", "left"),
    [
        ("retr-deletes[marks]", b"RETR 1\r\nQUIT\r\n", 1),
        ("retr-deletes[marks]", b"RETR 1\r\nRSET\r\nQUIT\r\n", 2),
        ("retr-deletes[marks]", b"RETR 1\r\n", 2),
        ("retr-deletes[expire-0]", b"RETR 1\r\nQUIT\r\n", 1),
        ("retr-deletes[expire-0]", b"RETR 1\r\nRETR 2\r\n", 2),
        ("retr-deletes[expire-0]", b"TOP 1 9\r\nQUIT\r\n", 2),
        ("hidden-after-retr", b"RETR 1\r\n", 1),
        ("hidden-after-retr", b"TOP 1 9\r\nQUIT\r\n", 2),
        ("drop-loses-mailbox", b"NOOP\r\n", 0),
        ("drop-loses-mailbox", b"NOOP\r\nQUIT\r\n", 4),
        ("drop-deletes[at-the-end]", b"DELE 1\r\n", 3),
        ("drop-deletes[at-the-end]", b"DELE 1\r\nRSET\r\n", 4),
        ("drop-deletes[at-dele]", b"DELE 1\r\nRSET\r\n", 3),
        ("after-dele[from-the-end]", b"DELE 0\r\nDELE -1\r\nQUIT\r\n", 1),
        ("after-dele[twice]", b"DELE 1\r\nDELE 1\r\nQUIT\r\n", 2),
    ],
)
def test_what_is_left(scenario: str, sent: bytes, left: int) -> None:
    """A session that says this and is lost leaves so many messages."""
    server = MockServer(scenario)
    session = logged_in(server)

    session.receive(sent)
    session.lost()

    assert len(server.maildrop) == left


@pytest.mark.parametrize(
    ("scenario", "sent"),
    [
        ("retr-deletes[marks]", b"RETR 1\r\nQUIT\r\n"),
        ("retr-deletes[expire-0]", b"RETR 1\r\nQUIT\r\n"),
        ("hidden-after-retr", b"RETR 1\r\n"),
        ("drop-loses-mailbox", b"NOOP\r\n"),
        ("drop-deletes[at-the-end]", b"DELE 1\r\n"),
        ("drop-deletes[at-dele]", b"DELE 1\r\nRSET\r\n"),
        ("after-dele[from-the-end]", b"DELE 0\r\nQUIT\r\n"),
    ],
)
def test_loses_only_by_the_file(scenario: str, sent: bytes) -> None:
    """The default server loses none of this mail."""
    server = plain_server(scenario)
    session = logged_in(server)
    count = len(server.maildrop)

    session.receive(sent)
    session.lost()

    assert len(server.maildrop) == count


def test_expire_0_is_told() -> None:
    """CAPA says that what was retrieved is not kept."""
    octets, _ = spoken(greeted(MockServer("retr-deletes[expire-0]")).receive(b"CAPA\r\n"))

    assert [line for line in octets.split(b"\r\n") if line[:6] == b"EXPIRE"] == [b"EXPIRE 0"]


def test_hidden_after_retr() -> None:
    """The next session finds one message fewer; who asks for the recent ones finds all."""
    server = MockServer("hidden-after-retr")
    first = logged_in(server)
    first.receive(b"RETR 1\r\nQUIT\r\n")
    first.lost()

    again, _ = spoken(logged_in(server).receive(b"STAT\r\n"))
    recent = greeted(server)
    recent.receive(b"USER recent:alice\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n")
    recent.lost()

    assert again.startswith(b"+OK 1 ")
    assert len(server.maildrops["recent:alice"]) == 2


def test_sent_mail_listed() -> None:
    """The second message is one that the user has written."""
    octets, _ = spoken(logged_in(MockServer("sent-mail-listed")).receive(b"STAT\r\nTOP 2 0\r\n"))

    assert octets.startswith(b"+OK 2 ")
    assert b"\r\nFrom: alice@example.com\r\nTo: carol@example.com\r\n" in octets


def test_listed_after_dele() -> None:
    """LIST names the message that is marked, and refuses its number."""
    session = logged_in(MockServer("after-dele[listed]"))

    octets, _ = spoken(session.receive(b"DELE 1\r\nLIST\r\nLIST 1\r\n"))

    assert b"\r\n1 111\r\n2 116\r\n3 115\r\n.\r\n-ERR message 1 is deleted\r\n" in octets


@pytest.mark.parametrize("command", [b"RETR 1", b"TOP 1 0"])
@pytest.mark.parametrize("scenario", ["after-dele[reachable]", "after-dele[emptied]"])
def test_reachable_after_dele(scenario: str, command: bytes) -> None:
    """A message that is marked can still be fetched."""
    session = logged_in(MockServer(scenario))

    octets, _ = spoken(session.receive(b"DELE 1\r\n" + command + b"\r\n"))

    assert octets.split(b"\r\n")[1].startswith(b"+OK")
    assert b"\r\nSubject: One\r\n" in octets


# Time


@pytest.mark.parametrize(
    ("scenario", "before", "after", "said"),
    [
        ("autologout-short[silent]", 60.0, 60.0, b""),
        ("autologout-short[told]", 60.0, 60.0, b"-ERR Disconnected for inactivity\r\n"),
        ("autologout-short[before-login]", 60.0, 300.0, b""),
        ("default", 600.0, 600.0, b""),
    ],
)
def test_autologout(scenario: str, before: float, after: float, said: bytes) -> None:
    """The server waits so long before and after login, and then says this."""
    server = MockServer(scenario)
    session = logged_in(server)

    assert (greeted(server).patience, session.patience) == (before, after)
    assert spoken(session.idle()) == (said, "close")


def test_lock_lag() -> None:
    """A login half a second after the last one finds the lock; a little later it does not."""
    now = [100.0]
    server = MockServer("lock-lag", clock=lambda: now[0])

    def log_in() -> bytes:
        session = greeted(server)
        octets, _ = spoken(session.receive(LOGIN + b"QUIT\r\n"))
        session.lost()
        return octets.removeprefix(SAID_TO_USER)

    first, second = log_in(), log_in()
    now[0] += 0.5
    third = log_in()

    assert first.startswith(b"+OK ")
    assert second.startswith(b"-ERR [IN-USE] maildrop is being written back\r\n")
    assert third.startswith(b"+OK ")


# Logins


@pytest.mark.parametrize(
    ("scenario", "sent"),
    [
        ("user-fragile[pass-again]", b"USER alice\r\nPASS wrong\r\nPASS secret\r\n"),
        ("user-fragile[second-user]", b"USER alice\r\nUSER bob\r\nPASS secret\r\n"),
        ("authzid-ignored", auth_plain(b"bob\0alice\0secret")),
        ("blanks-stripped[name]", b"USER alice \r\nPASS secret\r\n"),
        ("blanks-stripped[password]", b"USER alice\r\nPASS secret \r\n"),
        ("blanks-stripped[before-password]", b"USER alice\r\nPASS  secret\r\n"),
    ],
)
def test_gets_in(scenario: str, sent: bytes) -> None:
    """These words log alice in, and on the default server they do not."""
    sessions = [greeted(MockServer(name)) for name in (scenario, "default")]

    for session in sessions:
        session.receive(sent)

    assert [entered(session) for session in sessions] == [True, False]


def test_login_prompts() -> None:
    """LOGIN is the only mechanism, and who answers its odd prompts is logged in."""
    session = greeted(MockServer("login-prompts"))

    capa, _ = spoken(session.receive(b"CAPA\r\n"))
    octets, _ = spoken(session.receive(b"AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n"))

    assert b"\r\nSASL LOGIN\r\n" in capa
    assert base64.b64decode(octets.split(b"\r\n")[0][2:]) == b"User Name\0"
    assert octets.split(b"\r\n")[2].startswith(b"+OK ")


@pytest.mark.parametrize("scenario", CALLED_OFF)
def test_called_off(scenario: str) -> None:
    """After the asterisk the next command is answered."""
    session = greeted(MockServer(scenario))

    octets, _ = spoken(session.receive(b"AUTH PLAIN\r\n*\r\n" + LOGIN))

    assert b"\r\n+OK maildrop has " in octets


def test_greeting_misspelt() -> None:
    """The proxy cannot spell its own name."""
    octets, _ = spoken(MockServer("odd-words[perdition]").session().connected())

    assert octets == b"+OK POP3 perditon ready on 127.0.0.1 0002bdd0\r\n"


# CAPA


STANDARD = b"TOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n"
COURIER = (
    b"SASL PLAIN LOGIN CRAM-MD5\r\nSTLS\r\nTOP\r\nUSER\r\nLOGIN-DELAY 10\r\nPIPELINING\r\n"
    b"UIDL\r\nUTF8 USER\r\nIMPLEMENTATION Courier Mail Server\r\n"
)
TWISTED = b"TOP\r\nUSER\r\nUIDL\r\nPIPELINE\r\nCELERITY\r\nAUSPEX\r\nPOTENCE\r\n"


@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [
        ("capa-lies[stls-after-login]", COURIER, COURIER),
        (
            "capa-lies[expirenever]",
            STANDARD + b"EXPIRENEVER\r\nUSER\r\nSTLS\r\n",
            STANDARD + b"EXPIRENEVER\r\nUSER\r\n",
        ),
        ("capa-lies[invented]", TWISTED, TWISTED),
        (
            "capa-lies[itself]",
            b"CAPA\r\n" + STANDARD + b"STLS\r\nUSER\r\nSASL PLAIN\r\n",
            b"CAPA\r\n" + STANDARD + b"USER\r\nSASL PLAIN\r\n",
        ),
        ("capa-lies[behind-proxy]", b"UIDL\r\nUSER\r\nSTLS\r\n", b"CAPA\r\n" + STANDARD),
    ],
)
def test_capa_lies(scenario: str, before: bytes, after: bytes) -> None:
    """The list has exactly these lines, before login and after it."""
    session = greeted(MockServer(scenario))

    lists = []
    for login in (b"", LOGIN):
        session.receive(login)
        octets, _ = spoken(session.receive(b"CAPA\r\n"))
        lists.append(octets.partition(b"\r\n")[2].removesuffix(b".\r\n"))

    assert lists == [before, after]


def test_capa_behind_proxy() -> None:
    """What only the server behind the proxy lists is there."""
    session = logged_in(MockServer("capa-lies[behind-proxy]"))

    octets, _ = spoken(session.receive(b"TOP 2 0\r\n"))

    assert octets.startswith(b"+OK")


def test_capa_lies_about_stls() -> None:
    """What the list of a session that is logged in has is refused."""
    session = logged_in(MockServer("capa-lies[stls-after-login]"))

    octets, _ = spoken(session.receive(b"STLS\r\nUSER alice\r\nAUTH PLAIN\r\n"))

    assert [line[:4] for line in octets.splitlines()] == [b"-ERR"] * 3


# Refusals that take two steps


def test_oauth_refusal() -> None:
    """A token that is refused brings a challenge with the reason, and -ERR after its answer."""
    token = base64.b64encode(b"n,a=alice,\x01auth=Bearer wrong\x01\x01")
    session = greeted(MockServer("default"))

    first, _ = spoken(session.receive(b"AUTH OAUTHBEARER " + token + b"\r\n"))
    second, _ = spoken(session.receive(b"AQ==\r\n"))

    assert b"invalid_token" in base64.b64decode(first.removeprefix(b"+ "))
    assert second.startswith(b"-ERR [AUTH] ")
