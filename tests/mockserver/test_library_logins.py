"""Quirks of logins, by the octets in which they show; no socket, the session alone."""

from __future__ import annotations

import pytest

from pop3mock import MockServer

from ._spoken import Case, greeted, spoken

USER = b"USER alice\r\n"
SAID_TO_USER = b"+OK now the password for alice\r\n"
LOGIN = USER + b"PASS secret\r\n"
PLAIN = b"AGFsaWNlAHNlY3JldA=="
JSON = (
    b"+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOi"
    b"JodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n"
)


CASES = [
    Case(
        "sasl-ok-for-plus",
        b"AUTH NTLM\r\nSTAT\r\n",
        b"+OK\r\n-ERR STAT is not valid in this state\r\n",
    ),
    Case("sasl-text-challenge", b"AUTH PLAIN\r\n", b"+ go ahead\r\n"),
    Case("sasl-plus-no-space", b"AUTH PLAIN\r\n", b"+\r\n"),
    Case("sasl-bare-ok", b"AUTH PLAIN " + PLAIN + b"\r\n", b"+OK\r\n"),
    Case("sasl-bare-ok", b"AUTH PLAIN\r\n" + PLAIN + b"\r\n", b"+ \r\n+OK\r\n"),
    Case(
        "oauth-two-step",
        b"AUTH XOAUTH2 dXNlcj0=\r\n",
        b"-ERR Protocol error. Connection is closed. 10\r\n",
        "close",
    ),
    Case(
        "oauth-token-long",
        b"AUTH XOAUTH2\r\n" + b"A" * 4100 + b"\r\n",
        b"+ \r\n-ERR Protocol error. Connection is closed. 10\r\n",
        "close",
    ),
    Case(
        "oauth-error-as-challenge",
        b"AUTH XOAUTH2\r\nAAAA\r\n\r\nCAPA\r\n",
        b"+ \r\n" + JSON + b"-ERR [AUTH] Username and password not accepted.\r\n",
    ),
    Case("oauth-error-as-challenge", b"AUTH OAUTHBEARER AAAA\r\n", JSON),
    Case(
        "sasl-abort-needed",
        b"AUTH GSSAPI\r\n*\r\n" + USER,
        b"+ \r\n-ERR Authentication cancelled\r\n" + SAID_TO_USER,
    ),
    Case(
        "sasl-abort-needed",
        b"AUTH GSSAPI\r\n" + USER,
        b"+ \r\n-ERR [AUTH] Logon failure: unknown user name or bad password.\r\n",
    ),
    Case(
        "mech-advertised-broken[refused]",
        b"AUTH PLAIN\r\n",
        b"-ERR unsupported authentication mechanism\r\n",
    ),
    Case(
        "mech-advertised-broken[refused-late]",
        b"AUTH PLAIN\r\n" + PLAIN + b"\r\n",
        b"+ \r\n-ERR [SYS/TEMP] authentication backend is not available\r\n",
    ),
    Case("mech-advertised-broken[closes]", b"AUTH CRAM-MD5\r\n", b"", "close"),
    Case(
        "user-lost-on-command",
        USER + b"CAPA\r\nPASS secret\r\n",
        SAID_TO_USER + b"-ERR Invalid command\r\n-ERR Invalid command\r\n",
    ),
    Case(
        "lock-no-code",
        LOGIN,
        SAID_TO_USER + b"-ERR [alice] POP lock busy!  Is another session active? (11)\r\n",
        "close",
    ),
    Case(
        "intermail-wait",
        LOGIN,
        SAID_TO_USER
        + b"-ERR mail storage services unavailable, wait a few minutes and try again\r\n",
    ),
    Case(
        "in-use-code",
        LOGIN,
        SAID_TO_USER + b"-ERR [IN-USE] mailbox already in use by pid 12345\r\n",
    ),
    Case(
        "in-use-code",
        b"AUTH PLAIN\r\n" + PLAIN + b"\r\n",
        b"+ \r\n-ERR [IN-USE] mailbox already in use by pid 12345\r\n",
    ),
    Case(
        "plus-err",
        LOGIN,
        SAID_TO_USER + b"+ERR Server error: Failed to fetch messages in Inbox.\r\n",
    ),
    Case("utf8-closes", b"UTF8\r\n", b"-ERR bad command\r\n", "close"),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{c.scenario}" for i, c in enumerate(CASES)])
def test_octets(case: Case) -> None:
    """The quirk shows in exactly these octets, at the beginning of all that is said."""
    octets, ending = spoken(greeted(MockServer(case.scenario)).receive(case.sent))

    assert octets.startswith(case.comes)
    assert ending == case.ending


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{c.scenario}" for i, c in enumerate(CASES)])
def test_only_by_the_file(case: Case) -> None:
    """The default server shows none of this."""
    octets, _ = spoken(greeted(MockServer()).receive(case.sent))

    assert not case.comes or not octets.startswith(case.comes)


@pytest.mark.parametrize(
    ("scenario", "sent"),
    [
        ("sasl-text-challenge", b"AUTH PLAIN\r\n" + PLAIN + b"\r\n"),
        ("sasl-plus-no-space", b"AUTH PLAIN\r\n" + PLAIN + b"\r\n"),
        ("sasl-bare-ok", b"AUTH PLAIN\r\n" + PLAIN + b"\r\n"),
        ("mech-advertised-broken[refused]", LOGIN),
        ("mech-advertised-broken[refused-late]", LOGIN),
        ("mech-advertised-broken[closes]", LOGIN),
        ("user-lost-on-command", LOGIN),
        ("oauth-two-step", b"AUTH XOAUTH2\r\ndXNlcj1hbGljZQFhdXRoPUJlYXJlciBzZWNyZXQBAQ==\r\n"),
        ("utf8-closes", LOGIN),
    ],
)
def test_way_in(scenario: str, sent: bytes) -> None:
    """A client that knows the quirk logs in."""
    session = greeted(MockServer(scenario))
    session.receive(sent)

    octets, _ = spoken(session.receive(b"STAT\r\n"))

    assert octets.startswith(b"+OK 4 ")


def test_lock_no_code() -> None:
    """The third login finds the maildrop free."""
    server = MockServer("lock-no-code")

    answers = [spoken(greeted(server).receive(LOGIN))[0] for _ in range(3)]

    assert [b"lock busy" in answer for answer in answers] == [True, True, False]


def test_throttle_late() -> None:
    """PASS is answered +OK, and then nothing can be done."""
    session = greeted(MockServer("throttle-late"))

    octets, _ = spoken(session.receive(LOGIN + b"STAT\r\nRETR 1\r\nQUIT\r\n"))

    assert octets.split(b"\r\n")[1].startswith(b"+OK ")
    assert octets.count(b"-ERR login allowed only every 15 minutes\r\n") == 2


def test_login_interval() -> None:
    """A second login is refused in words until ten minutes have gone by."""
    now = [0.0]
    server = MockServer("login-interval", clock=lambda: now[0])

    def log_in() -> bytes:
        session = greeted(server)
        octets, _ = spoken(session.receive(LOGIN))
        session.lost()
        return octets.removeprefix(SAID_TO_USER)

    first, second = log_in(), log_in()
    now[0] += 600
    third = log_in()

    assert first.startswith(b"+OK ")
    assert second == b"-ERR you can only log in once every 10 minutes\r\n"
    assert third.startswith(b"+OK ")


def test_pass_with_line_end() -> None:
    """What stands behind a line feed in the password is answered too, and everything is late."""
    session = greeted(MockServer("pass-with-line-end"))

    octets, _ = spoken(session.receive(USER + b"PASS secret\nmore\r\nSTAT\r\n"))

    first, second, third, fourth = octets.split(b"\r\n")[:4]
    assert (first.startswith(b"+OK"), second.startswith(b"+OK")) == (True, True)
    assert third == b"-ERR bad command"
    assert fourth.startswith(b"+OK 4 ")


@pytest.mark.parametrize(("octets", "gets_in"), [(b"cl\xe9", True), ("clé".encode(), False)])
def test_latin1_password(octets: bytes, gets_in: bool) -> None:
    """The password is right in Latin-1 and wrong in UTF-8."""
    session = greeted(MockServer("latin1-password"))

    said, _ = spoken(session.receive(b"USER rene\r\nPASS " + octets + b"\r\n"))

    assert said.split(b"\r\n")[1].startswith(b"+OK") is gets_in


def test_utf8_substitute() -> None:
    """LIST, the status line and the message have three sizes, unless the client has said UTF8."""

    def fetched(before: bytes) -> bytes:
        session = greeted(MockServer("utf8-substitute"))
        session.receive(before + LOGIN)
        return spoken(session.receive(b"LIST 2\r\nRETR 2\r\n"))[0]

    wrapped, plain = fetched(b""), fetched(b"UTF8\r\n")

    assert wrapped.startswith(b"+OK 2 56\r\n+OK 1145 octets follow.\r\nFrom: Mail Delivery Sub")
    assert "\r\n\r\nFrom: erin@example.com\r\nSubject: Grüße\r\n".encode() in wrapped
    assert len(wrapped) != 1145 + len(b"+OK 2 56\r\n+OK 1145 octets follow.\r\n.\r\n")
    assert plain.startswith(b"+OK 2 56\r\n+OK 56 octets\r\nFrom: erin@example.com\r\n")
