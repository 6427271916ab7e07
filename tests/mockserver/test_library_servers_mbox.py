"""The servers that serve an mbox file, popa3d, UW ipop3d and Mailutils, by their octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Send
from pop3mock._flow import chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pop3mock._actions import Action

LOGIN = b"USER alice\r\nPASS secret\r\n"


class Said(NamedTuple):
    """What a server says, and how it ends the connection; empty if it does not."""

    octets: bytes
    ending: str = ""


def said(actions: Sequence[Action]) -> Said:
    """What actions come to."""
    sent = (action.data for action in actions if isinstance(action, Send))
    ends = (action.how for action in actions if isinstance(action, End))
    return Said(b"".join(chunk for data in sent for chunk in chunks_of(data)), next(ends, ""))


def talk(scenario: str, commands: bytes, *, mail: Iterable[bytes] = ()) -> Said:
    """What a server says to commands, behind its greeting.

    Args:
        scenario: Which server it is.
        commands: What the client sends.
        mail: Messages behind the scenario's own.
    """
    server = MockServer(scenario)
    for message in mail:
        server.deliver(message)
    session = server.session()
    session.connected()
    return said(session.receive(commands))


def logged_in(scenario: str, commands: bytes, *, mail: Iterable[bytes] = ()) -> Said:
    """What a server says to commands after login."""
    whole = talk(scenario, LOGIN + commands, mail=mail)
    login = talk(scenario, LOGIN, mail=mail).octets
    assert login.startswith(b"+OK")
    return Said(whole.octets.removeprefix(login), whole.ending)


@pytest.mark.parametrize(
    ("scenario", "greeting"),
    [
        ("popa3d", b"+OK\r\n"),
        ("uw-ipop3d", b"+OK POP3 2007f.104 server ready %s\r\n"),
        ("mailutils", b"+OK POP3 Ready %s\r\n"),
    ],
)
def test_greeting(scenario: str, greeting: bytes) -> None:
    """The greeting is this line; it has a timestamp where APOP is there."""
    octets, ending = said(MockServer(scenario).session().connected())

    stamp = octets[octets.index(b"<") : octets.index(b">") + 1] if b"<" in octets else b""
    assert (octets.replace(stamp, b"%s") if stamp else octets, ending) == (greeting, "")


UW_LOGIN = b"+OK User name accepted, password please\r\n+OK Mailbox open, 2 messages\r\n"
UW_CAPA = (
    b"+OK Capability list follows:\r\n"
    b"TOP\r\nLOGIN-DELAY 180\r\nUIDL\r\nSTLS\r\nUSER\r\nSASL CRAM-MD5\r\n.\r\n"
)
MAILUTILS_CAPA = (
    b"+OK Capability list follows\r\n"
    b"TOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nEXPIRENEVER\r\nUSER\r\nSTLS\r\n"
)


@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [
        ("popa3d", b"-ERR\r\n", b"-ERR\r\n"),
        ("uw-ipop3d", UW_CAPA, UW_CAPA),
        (
            "mailutils",
            MAILUTILS_CAPA + b".\r\n",
            MAILUTILS_CAPA + b"IMPLEMENTATION GNU Mailutils 3.15\r\n.\r\n",
        ),
    ],
)
def test_capa(scenario: str, before: bytes, after: bytes) -> None:
    """CAPA has these lines before login, and these after it, STLS among them."""
    assert talk(scenario, b"CAPA\r\n") == (before, "")
    assert logged_in(scenario, b"CAPA\r\n") == (after, "")


@pytest.mark.parametrize(
    ("scenario", "answers"),
    [
        ("popa3d", b"+OK\r\n+OK\r\n+OK 3 483\r\n"),
        (
            "uw-ipop3d",
            UW_LOGIN + b"+OK 2 379\r\n",
        ),
        ("mailutils", b"+OK\r\n+OK opened mailbox for alice\r\n+OK 2 522\r\n"),
    ],
)
def test_login(scenario: str, answers: bytes) -> None:
    """USER, PASS and STAT are answered so."""
    assert talk(scenario, LOGIN + b"STAT\r\n") == (answers, "")


@pytest.mark.parametrize(
    ("scenario", "answers", "ending"),
    [
        ("popa3d", b"+OK\r\n-ERR Authentication failed (bad password?)\r\n", "close"),
        (
            "uw-ipop3d",
            UW_LOGIN.replace(b"+OK Mail", b"-ERR Bad login\r\n+OK Mail"),
            "",
        ),
        ("mailutils", b"+OK\r\n-ERR [AUTH] Bad login\r\n-ERR Invalid command\r\n", ""),
    ],
)
def test_wrong_password(scenario: str, answers: bytes, ending: str) -> None:
    """It ends popa3d's connection; ipop3d remembers the name given, Mailutils does not."""
    assert talk(scenario, b"USER alice\r\nPASS wrong\r\nPASS secret\r\n") == (answers, ending)


@pytest.mark.parametrize(
    ("scenario", "ending"), [("popa3d", ""), ("uw-ipop3d", ""), ("mailutils", "reset")]
)
def test_quit_before_others(scenario: str, ending: str) -> None:
    """What stands behind QUIT is not executed; Mailutils resets the connection over it."""
    octets, how = logged_in(scenario, b"QUIT\r\nNOOP\r\n")

    assert octets.count(b"\r\n") == 1
    assert how == (ending or "close")


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("popa3d", b""),
        ("uw-ipop3d", b"-ERR Autologout; idle for too long\r\n"),
        ("mailutils", b"-ERR Session timed out\r\n"),
    ],
)
def test_autologout(scenario: str, words: bytes) -> None:
    """Who is silent for too long is told so, or not, and the connection ends."""
    session = MockServer(scenario).session()
    session.receive(LOGIN)

    assert session.patience == 600
    assert said(session.idle()) == (words, "close")


# popa3d


def test_popa3d_says_signs_alone() -> None:
    """Every other answer of popa3d is +OK or -ERR, with what the RFC wants behind it."""
    octets, _ = logged_in(
        "popa3d",
        b"NOOP\r\nXYZZY\r\nLIST 1\r\nLIST +1\r\nLIST 9\r\nRETR\r\nDELE 2\r\nDELE 2\r\nLAST\r\n"
        b"RSET\r\nLAST\r\nUIDL\r\nQUIT\r\n",
    )

    assert octets == (
        b"+OK\r\n-ERR\r\n+OK 1 151\r\n+OK 1 151\r\n-ERR\r\n-ERR\r\n+OK\r\n-ERR\r\n+OK 2\r\n+OK\r\n"
        b"+OK 0\r\n+OK\r\n1 7da755e715149d46\r\n2 027b4b17ba87abc9\r\n3 027b4b17ba87abc9\r\n.\r\n"
        b"+OK\r\n"
    )


def test_popa3d_keeps_the_first_name() -> None:
    """A second USER is refused, and the first one stands."""
    assert talk("popa3d", b"USER alice\r\nUSER bob\r\nPASS secret\r\n") == (
        b"+OK\r\n-ERR\r\n+OK\r\n",
        "",
    )


def test_popa3d_arguments_have_forty_letters() -> None:
    """A longer name is refused, whoever has it."""
    letters = b"x" * 40

    assert talk("popa3d", b"USER %s\r\n" % letters) == (b"+OK\r\n", "")
    assert talk("popa3d", b"USER %sx\r\n" % letters) == (b"-ERR\r\n", "")


def test_popa3d_cuts_off_who_asks_for_what_is_gone() -> None:
    """Two sessions share a maildrop; a message that the other one removed ends this one."""
    server = MockServer("popa3d")
    first, second = server.session(), server.session()
    first.receive(LOGIN)
    second.receive(LOGIN)
    first.receive(b"DELE 1\r\nQUIT\r\n")

    assert said(second.receive(b"LIST 1\r\n")) == (b"+OK 1 151\r\n", "")
    assert said(second.receive(b"RETR 1\r\n")) == (b"", "close")


# UW ipop3d


def test_uw_ignores_what_it_does_not_expect() -> None:
    """Arguments too many, letters behind a number, more spaces and a CR mean nothing."""
    octets, ending = logged_in(
        "uw-ipop3d",
        b"STAT 1\r\n STAT\r\nSTAT\rNOOP\r\nLIST 2 1\r\nLIST  2x\r\nUIDL +2\r\nLIST 3\r\nTOP 2 x\r\n"
        b"TOP 9 0\r\nDELE\r\nXTND XMIT\r\nXYZZY\r\n\r\n",
    )

    assert octets == b"+OK 2 379\r\n" * 3 + b"+OK 2 216\r\n" * 2 + (
        b"+OK 2 6b04f67400000002\r\n"
        b"-ERR No such message\r\n"
        b"-ERR Bad line count argument\r\n"
        b"-ERR Bad message number argument\r\n"
        b"-ERR Missing message number argument\r\n"
        b"-ERR Sorry I can't do that\r\n"
        b"-ERR Unknown TRANSACTION state command\r\n"
        b"-ERR Null command\r\n"
    )
    assert ending == ""


def test_uw_reads_logins_generously() -> None:
    """A name counts in any case, and a second space before the password does not."""
    assert talk("uw-ipop3d", b"USER ALICE\r\nPASS  secret\r\n") == (
        UW_LOGIN,
        "",
    )


def test_uw_hides_mechanisms() -> None:
    """CAPA and AUTH name CRAM-MD5 alone; PLAIN and LOGIN are there, LOGIN's prompts with a NUL."""
    octets, _ = talk("uw-ipop3d", b"AUTH\r\nAUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n")

    assert octets == (
        b"+OK Supported authentication mechanisms:\r\nCRAM-MD5\r\n.\r\n"
        b"+ VXNlciBOYW1lAA==\r\n+ UGFzc3dvcmQA\r\n+OK Mailbox open, 2 messages\r\n"
    )
    assert talk("uw-ipop3d", b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n").octets == (
        b"+OK Mailbox open, 2 messages\r\n"
    )


def test_uw_closes_where_the_maildrop_is_in_use() -> None:
    """The second session is refused, and its connection ends."""
    server = MockServer("uw-ipop3d")
    first, second = server.session(), server.session()
    first.receive(LOGIN)

    assert said(second.receive(LOGIN)) == (
        b"+OK User name accepted, password please\r\n-ERR Can't get lock.  Mailbox in use\r\n",
        "close",
    )


def test_uw_answers_a_long_line_twice() -> None:
    """What does not fit into its buffer is a line too long, and then a command unknown."""
    assert logged_in("uw-ipop3d", b"NOOP " + b"x" * 1018 + b"\r\n").octets == (
        b"+OK No-op to you too!\r\n"
    )
    assert logged_in("uw-ipop3d", b"NOOP " + b"x" * 1019 + b"\r\n").octets == (
        b"-ERR Command line too long\r\n-ERR Unknown TRANSACTION state command\r\n"
    )


# Mailutils


@pytest.mark.parametrize("between", [b"CAPA", b"STLS", b"NOOP", b"USER alice", b"XYZZY"])
def test_mailutils_hears_nothing_but_pass(between: bytes) -> None:
    """Whatever stands between USER and PASS is refused, and the PASS too."""
    assert talk("mailutils", b"USER alice\r\n%s\r\nPASS secret\r\n" % between) == (
        b"+OK\r\n-ERR Invalid command\r\n-ERR Invalid command\r\n",
        "",
    )


def test_mailutils_hears_quit_behind_user() -> None:
    """QUIT is the one command beside PASS that may follow USER."""
    assert talk("mailutils", b"USER alice\r\nQUIT\r\n") == (b"+OK\r\n+OK\r\n", "close")


def test_mailutils_refuses_in_its_words() -> None:
    """Each kind of mistake has a text of its own; DELE may come twice."""
    octets, _ = logged_in(
        "mailutils",
        b"LIST 9\r\nLIST x\r\nLIST 1 2\r\nRETR\r\nDELE\r\nXYZZY\r\nUSER alice\r\nDELE 1\r\n"
        b"DELE 1\r\nRETR 1\r\n STAT \r\nLIST\t2x\r\nUIDL +2\r\n",
    )

    assert octets == (
        b"-ERR No such message\r\n-ERR No such message\r\n-ERR Invalid arguments\r\n"
        b"-ERR Invalid arguments\r\n-ERR No such message\r\n-ERR Invalid command\r\n"
        b"-ERR Incorrect state\r\n+OK Message 1 marked\r\n+OK Message 1 marked\r\n"
        b"-ERR Message has been deleted\r\n+OK 1 250\r\n+OK 2 250\r\n"
        b"+OK 2 095a60ace7252506644f77bcfbb29606.1795487214.2\r\n"
    )


def test_mailutils_top_has_a_line_too_many() -> None:
    """TOP of any lines puts an empty line behind the one that ends the header; -1 means all."""
    mail = [b"Subject: s\r\n\r\n.one\r\ntwo\r\n"]

    octets, _ = logged_in("mailutils", b"TOP 3 0\r\nTOP 3 1\r\nTOP 3 -1\r\nRETR 3\r\n", mail=mail)

    assert octets == (
        b"+OK\r\nSubject: s\r\n\r\n.\r\n"
        b"+OK\r\nSubject: s\r\n\r\n\r\n..one\r\n.\r\n"
        b"+OK\r\nSubject: s\r\n\r\n\r\n..one\r\ntwo\r\n.\r\n"
        b"+OK\r\nSubject: s\r\n\r\n..one\r\ntwo\r\n.\r\n"
    )


def test_mailutils_echoes_a_long_line() -> None:
    """The first 511 octets of a longer command stand in front of the status."""
    line = b"NOOP " + b"x" * 506

    assert logged_in("mailutils", line + b"\r\n").octets == b"-ERR Invalid arguments\r\n"
    assert logged_in("mailutils", line + b"y\r\n").octets == line + b"-ERR Invalid arguments\r\n"


def test_mailutils_second_session() -> None:
    """A maildrop in use is refused with the response code, and the connection stays."""
    server = MockServer("mailutils")
    first, second = server.session(), server.session()
    first.receive(LOGIN)

    assert said(second.receive(LOGIN)) == (b"+OK\r\n-ERR [IN-USE] Mailbox in use\r\n", "")
