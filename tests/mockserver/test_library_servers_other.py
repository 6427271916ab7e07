"""Twisted, GreenMail and WildDuck by their octets: how they talk, and what they are known for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Send, StartTLS
from pop3mock._flow import chunks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3mock._session import Session

LOGIN = b"USER alice\r\n", b"PASS secret\r\n"
HEAD = (
    b"From: Seed Sender <sender@example.test>\r\n"
    b"To: Alice <alice@example.test>\r\n"
    b"Subject: %s\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
PLAIN = HEAD % b"plain" + b"Hello, plain world.\r\n"
DOTS = HEAD % b"lines that begin with dots"


class Case(NamedTuple):
    """What a client says after the greeting, segment by segment, and what must come for it.

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


def spoken(actions: Sequence[object]) -> bytes:
    """The octets that actions send."""
    sent = (action.data for action in actions if isinstance(action, Send))
    return b"".join(chunk for data in sent for chunk in chunks_of(data))


def ending(actions: Sequence[object]) -> str:
    """How actions end the connection; empty if they do not."""
    return next((action.how for action in actions if isinstance(action, End)), "")


def logged_in(server: MockServer) -> Session:
    """A session of alice's."""
    session = server.session()
    session.connected()
    session.receive(b"".join(LOGIN))
    return session


def listing(*lines: bytes) -> bytes:
    """Lines, and the terminator."""
    return b"".join(line + b"\r\n" for line in (*lines, b"."))


GREETINGS = [
    (
        "wildduck",
        b"+OK WildDuck POP3 Server ready for requests from 127.0.0.1 nm5zijm7vzs2h6op\r\n",
    ),
    ("greenmail", b"+OK POP3 GreenMail Server v<replaced> ready\r\n"),
]


@pytest.mark.parametrize(("scenario", "greeting"), GREETINGS)
def test_greeting(scenario: str, greeting: bytes) -> None:
    """A server is known by its first line."""
    actions = MockServer(scenario).session().connected()

    assert spoken(actions) == greeting


def test_twisted_greets_with_a_timestamp_alone() -> None:
    """Twisted's greeting is APOP's timestamp and nothing else."""
    greeting = spoken(MockServer("twisted").session().connected())

    assert greeting.startswith(b"+OK <")
    assert greeting.endswith(b"@localhost>\r\n")


TWISTED_CAPA = listing(
    b"+OK I can do the following:",
    b"TOP",
    b"USER",
    b"UIDL",
    b"PIPELINE",
    b"CELERITY",
    b"AUSPEX",
    b"POTENCE",
)
TWISTED_LOGIN = b"+OK USER accepted, send PASS\r\n+OK Authentication succeeded\r\n"
TWISTED = [
    Case(
        "twisted", (b"CAPA\r\n", *LOGIN, b"CAPA\r\n"), TWISTED_CAPA + TWISTED_LOGIN + TWISTED_CAPA
    ),
    Case(
        "twisted",
        (b"USER alice\r\n", b"PASS wrong\r\n", b"PASS secret\r\n"),
        b"+OK USER accepted, send PASS\r\n"
        b"-ERR Authentication failed\r\n-ERR USER required before PASS\r\n",
    ),
    Case(
        "twisted",
        (b"XYZZY\r\n", *LOGIN, b"XYZZY\r\n"),
        b"-ERR bad protocol or server: POP3Error: not authenticated yet: cannot do XYZZY\r\n"
        + TWISTED_LOGIN
        + b"-ERR bad protocol or server: POP3Error: Unknown protocol command: XYZZY\r\n",
    ),
    # The number of arguments is all that counts, and a blank makes one
    Case("twisted", (*LOGIN, b"STAT \r\n"), TWISTED_LOGIN, "close"),
    Case("twisted", (*LOGIN, b"RETR 1 2\r\n"), TWISTED_LOGIN, "close"),
    Case("twisted", (b"USER\r\n",), b"", "close"),
    Case("twisted", (b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",), b"", "close"),
    Case("twisted", (*LOGIN, b"STAT\n"), TWISTED_LOGIN),
    # What it says of a message, and how it sends it
    Case(
        "twisted",
        (*LOGIN, b"UIDL 1\r\n", b"LIST 9\r\n", b"RETR 9\r\n"),
        TWISTED_LOGIN + b"+OK cf6f0413d90cafc0949392bbc43b436a\r\n"
        b"-ERR Invalid message-number: 9\r\n-ERR Bad message number argument\r\n",
    ),
    Case(
        "twisted",
        (*LOGIN, b"RETR 1\r\n", b"TOP 1 0\r\n"),
        TWISTED_LOGIN
        + b"+OK 151\r\n"
        + PLAIN.replace(b"\r\n", b"\r\r\n")
        + b".\r\n+OK Top of message follows\r\n"
        + (HEAD % b"plain").replace(b"\r\n", b"\r\r\n")
        + b".\r\n",
    ),
    Case(
        "twisted",
        (*LOGIN, b"DELE 1\r\n", b"STAT\r\n", b"LIST\r\n", b"LIST 1\r\n", b"UIDL 1\r\n"),
        TWISTED_LOGIN
        + b"+OK \r\n+OK 3 377\r\n"
        + listing(b"+OK 3", b"1 0", b"2 211", b"3 166")
        + b"+OK 1 0\r\n",
        "close",
    ),
    Case(
        "twisted",
        (*LOGIN, b"DELE 0\r\n", b"DELE -1\r\n", b"UIDL\r\n"),
        TWISTED_LOGIN
        + b"+OK \r\n+OK \r\n"
        + listing(b"+OK ", b"1 cf6f0413d90cafc0949392bbc43b436a"),
    ),
]

GREENMAIL_CAPA = listing(b"+OK", b"UIDL", b"SASL PLAIN")
GREENMAIL_LOGIN = b"+OK\r\n+OK\r\n"
JAVA = b"-ERR java.lang."
GREENMAIL = [
    Case(
        "greenmail",
        (b"CAPA\r\n", *LOGIN, b"CAPA\r\n"),
        GREENMAIL_CAPA + GREENMAIL_LOGIN + GREENMAIL_CAPA,
    ),
    Case(
        "greenmail",
        (b"USER alice\r\n", b"PASS wrong\r\n", b"PASS secret\r\n"),
        b"+OK\r\n-ERR Authentication failed: "
        b"com.icegreen.greenmail.user.UserException: Invalid password\r\n+OK\r\n",
    ),
    Case(
        "greenmail",
        (b"USER nobody\r\n", b"PASS secret\r\n", b"NOOP\r\n"),
        b"-ERR com.icegreen.greenmail.user.UserException: "
        b"Unable to find or create user 'nobody'\r\n"
        b"-ERR USER required\r\n+OK noop rimes with poop\r\n",
    ),
    Case(
        "greenmail",
        (*LOGIN, b"RETR\r\n", b"DELE abc\r\n", b"TOP 1 x\r\n", b"TOP 1\r\n", b"LIST  1\r\n"),
        GREENMAIL_LOGIN
        + JAVA
        + b"ArrayIndexOutOfBoundsException: Index 1 out of bounds for length 1\r\n"
        + JAVA
        + b'NumberFormatException: For input string: "abc"\r\n'
        + JAVA
        + b'NumberFormatException: For input string: "x"\r\n'
        + JAVA
        + b"IllegalArgumentException: range and line count required\r\n"
        + JAVA
        + b'NumberFormatException: For input string: ""\r\n',
    ),
    Case("greenmail", (*LOGIN, b"\r\n"), GREENMAIL_LOGIN, "close"),
    Case("greenmail", (*LOGIN, b"UIDL one\r\n"), GREENMAIL_LOGIN, "close"),
    # Sizes are the bodies', TOP does not double dots, RSET is answered twice
    Case(
        "greenmail",
        (*LOGIN, b"LIST\r\n", b"LIST 01 x\r\n", b"STAT\r"),
        GREENMAIL_LOGIN
        + listing(b"+OK", b"1 21", b"2 60", b"3 19")
        + b"+OK 01 21\r\n+OK 3 100\r\n",
    ),
    Case(
        "greenmail",
        (*LOGIN, b"TOP 2 1\r\n", b"TOP 2 -1\r\n"),
        GREENMAIL_LOGIN + b"+OK\r\n" + DOTS + b".\r\n.\r\n+OK\r\n" + DOTS + b".\r\n",
    ),
    Case(
        "greenmail",
        (*LOGIN, b"DELE 1\r\n", b"DELE 2 x\r\n", b"DELE 1\r\n", b"RETR 1\r\n", b"RSET\r\n"),
        GREENMAIL_LOGIN
        + b"+OK message scheduled for deletion\r\n" * 2
        + b"-ERR message already deleted\r\n"
        + b"+OK\r\n"
        + PLAIN
        + b".\r\n+OK\r\n+OK maildrop has 2 messages undeleted.\r\n",
    ),
]

WILDDUCK_CAPA = (
    b"TOP",
    b"UIDL",
    b"RESP-CODES",
    b"PIPELINING",
    b"STLS",
    b"IMPLEMENTATION WildDuck-v0",
)
WILDDUCK_LOGIN = b"+OK send PASS\r\n+OK maildrop has 3 messages (528 octets)\r\n"
MALFORMED = b"-ERR malformed command\r\n"
WILDDUCK = [
    Case(
        "wildduck",
        (b"CAPA\r\n", *LOGIN, b"CAPA\r\n"),
        listing(
            b"+OK Capability list follows",
            *WILDDUCK_CAPA[:2],
            b"USER",
            b"RESP-CODES",
            b"SASL PLAIN",
            *WILDDUCK_CAPA[3:],
        )
        + WILDDUCK_LOGIN
        + listing(b"+OK Capability list follows", *WILDDUCK_CAPA),
    ),
    Case(
        "wildduck",
        (b"USER alice\r\n", b"PASS wrong\r\n", b"PASS secret\r\n"),
        b"+OK send PASS\r\n-ERR [AUTH] Username and password not accepted\r\n" + MALFORMED,
        "close",
    ),
    Case("wildduck", (b"USER ALICE\r\n", b" pass secret \r\n"), WILDDUCK_LOGIN),
    Case(
        "wildduck",
        (b"AUTH PLAIN\r\n", b"*\r\n", b"AUTH LOGIN\r\n", b"AUTH\r\n"),
        b"+ \r\n" + MALFORMED + b"-ERR unsupported SASL mechanism\r\n" + listing(b"+OK", b"PLAIN"),
    ),
    # Errors that end the session, and those that do not
    Case("wildduck", (b"XYZZY\r\n",), b"-ERR bad command\r\n", "close"),
    Case("wildduck", (b"NO", b"OP\r\n"), b"-ERR bad command\r\n", "close"),
    Case("wildduck", (*LOGIN, b"RETR 0\r\n"), WILDDUCK_LOGIN + MALFORMED, "close"),
    Case("wildduck", (*LOGIN, b"LIST 1 2\r\n"), WILDDUCK_LOGIN + MALFORMED, "close"),
    Case(
        "wildduck",
        (b"STAT\r\n", b"USER\r\n", *LOGIN, b"RETR 9\r\n", b"STAT 1\r\n"),
        b"-ERR Command not accepted\r\n-ERR USER who?\r\n"
        + WILDDUCK_LOGIN
        + b"-ERR no such message,"
        b" only 3 messages in maildrop\r\n+OK 3 528\r\n",
    ),
    # After DELE the listings are numbered anew, and nothing else is
    Case(
        "wildduck",
        (
            *LOGIN,
            b"DELE 1\r\n",
            b"LIST\r\n",
            b"UIDL\r\n",
            b"LIST 1\r\n",
            b"RETR 1\r\n",
            b"DELE +2\r\n",
        ),
        WILDDUCK_LOGIN
        + b"+OK message 1 deleted\r\n"
        + listing(b"+OK 2 377", b"1 211", b"2 166")
        + listing(b"+OK", b"1 65b3f0a1c9d2e40017a3b5c2", b"2 65b3f0a1c9d2e40017a3b5c3")
        + b"+OK 1 151\r\n-ERR message 1 already deleted\r\n+OK message 2 deleted\r\n",
    ),
]


@pytest.mark.parametrize("case", [*TWISTED, *GREENMAIL, *WILDDUCK])
def test_conversation(case: Case) -> None:
    """Each server answers in its own words, and ends the session where it is known to."""
    session = MockServer(case.scenario).session()
    session.connected()

    actions = [action for segment in case.sent for action in session.receive(segment)]

    assert spoken(actions) == case.comes
    assert ending(actions) == case.ending


@pytest.mark.parametrize("scenario", ["twisted", "greenmail"])
def test_deletes_without_quit(scenario: str) -> None:
    """Twisted and GreenMail remove what is marked although the client is simply gone."""
    server = MockServer(scenario)
    session = logged_in(server)

    session.receive(b"DELE 1\r\n")
    session.lost()

    assert len(server.maildrops["alice"]) == 2


def test_twisted_says_nothing_of_a_message_that_is_gone() -> None:
    """RETR of what another session has removed is never answered, and the next command is."""
    server = MockServer("twisted")
    one, other = logged_in(server), logged_in(server)

    one.receive(b"DELE 1\r\nQUIT\r\n")

    assert spoken(other.receive(b"RETR 1\r\nNOOP\r\n")) == b"+OK \r\n"


def test_greenmail_moves_messages_up() -> None:
    """What another session removes is gone at once, and its number is that of the next message."""
    server = MockServer("greenmail")
    one, other = logged_in(server), logged_in(server)

    one.receive(b"DELE 1\r\nQUIT\r\n")

    assert spoken(other.receive(b"UIDL 1\r\nSTAT\r\n")) == b"+OK 1 2\r\n+OK 2 79\r\n"


def test_wildduck_takes_stls_after_login() -> None:
    """The session goes on inside TLS, where STLS is no longer listed."""
    session = logged_in(MockServer("wildduck"))

    actions = session.receive(b"STLS\r\n")
    session.secured()
    secured = session.receive(b"CAPA\r\nSTLS\r\n")

    assert spoken(actions) == b"+OK Begin TLS negotiation\r\n"
    assert isinstance(actions[-1], StartTLS)
    assert spoken(secured) == (
        listing(b"+OK Capability list follows", *WILDDUCK_CAPA[:4], *WILDDUCK_CAPA[5:])
        + b"-ERR Command not permitted when TLS active\r\n"
    )


def test_wildduck_executes_what_came_in_the_clear() -> None:
    """A name that stood behind STLS in one segment is the user's name inside TLS."""
    session = MockServer("wildduck").session()
    session.connected()

    session.receive(b"STLS\r\nUSER alice\r\n")
    session.secured()

    assert spoken(session.receive(b"PASS secret\r\n")) == WILDDUCK_LOGIN


def test_wildduck_hangs_up_on_a_message_that_is_gone() -> None:
    """RETR of what another session has removed ends the session."""
    server = MockServer("wildduck")
    one, other = logged_in(server), logged_in(server)

    one.receive(b"DELE 1\r\nQUIT\r\n")
    actions = other.receive(b"RETR 1\r\n")

    assert spoken(actions) == b"-ERR Message does not exist or is already deleted\r\n"
    assert ending(actions) == "close"


@pytest.mark.parametrize(
    ("scenario", "seconds", "says"),
    [("wildduck", 60.0, b"-ERR Disconnected for inactivity\r\n"), ("twisted", 300.0, b"")],
)
def test_autologout(scenario: str, seconds: float, says: bytes) -> None:
    """Silence ends the session, with a word or without, long before the ten minutes are over."""
    session = logged_in(MockServer(scenario))

    assert session.patience == seconds
    assert spoken(session.idle()) == says
