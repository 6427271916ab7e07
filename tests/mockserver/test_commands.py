"""The default server keeps RFC 1939 and RFC 2449; each test names the requirements it shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3mock import MockServer
from pop3mock._actions import End, Send, StartTLS
from pop3mock._commands import COMMANDS
from pop3mock._state import State
from pop3scenarios import loads

if TYPE_CHECKING:
    from pop3mock._session import Session

MAIL = """pop3: 1
name: three
summary: three messages
maildrop:
  - {raw: "Subject: a\\n\\none\\ntwo\\nthree\\n", uid: first}
  - {raw: "Subject: b\\n\\n.\\n..x\\n", uid: second}
  - {raw: "Subject: no body\\n", uid: third}
maildrops: {bob: []}
"""
SIZES = {1: 12 + 2 + 5 + 5 + 7, 2: 12 + 2 + 3 + 5, 3: 18}


def text_of(actions: list[object]) -> bytes:
    """The octets that a list of actions sends."""
    return b"".join(action.data for action in actions if isinstance(action, Send))


@pytest.fixture
def server() -> MockServer:
    """A server with three messages; it is not started, sessions are fed by hand."""
    return MockServer(loads(MAIL))


def fresh(server: MockServer) -> Session:
    """A session that has greeted."""
    session = server.session()
    session.connected()
    return session


def logged_in(server: MockServer) -> Session:
    """A session in the TRANSACTION state."""
    session = fresh(server)
    session.receive(b"USER alice\r\nPASS secret\r\n")
    return session


def ask(session: Session, line: str) -> bytes:
    """What the session answers to one line."""
    return text_of(list(session.receive(line.encode() + b"\r\n")))


# The state machine


@pytest.mark.parametrize("state", [State.AUTHORIZATION, State.TRANSACTION])
@pytest.mark.parametrize("keyword", sorted(COMMANDS))
def test_command_in_state(server: MockServer, keyword: str, state: State) -> None:
    """Each command is refused in a state that the table does not give it (RFC1939-3-26 ff.)."""
    session = fresh(server) if state is State.AUTHORIZATION else logged_in(server)
    arguments = {"USER": " alice", "PASS": " secret", "APOP": " alice 00", "RETR": " 1",
                 "TOP": " 1 0", "DELE": " 1"}.get(keyword, "")  # fmt: skip

    said = ask(session, keyword + arguments)

    belongs = state in COMMANDS[keyword].states
    assert (b"is not valid in this state" in said) is not belongs
    if not belongs:
        assert said.startswith(b"-ERR ")
        assert f"unexpected {keyword}" in server.broken_expectations()[0]


@pytest.mark.parametrize("line", ["XYZZY", "ST", "STATT", "LISTX 1", "", " STAT", "NO\xffP"])
def test_unknown_command(server: MockServer, line: str) -> None:
    """What is no command is refused and the session lives (RFC1939-3-09 to 3-15, 3-23)."""
    session = logged_in(server)

    said = ask(session, line)

    assert said.startswith(b"-ERR ")
    assert ask(session, "NOOP") == b"+OK\r\n"


@pytest.mark.parametrize("line", ["noop", "Noop", "nOOp"])
def test_keyword_case(server: MockServer, line: str) -> None:
    """Keywords are case-insensitive (RFC1939-3-11)."""
    assert ask(logged_in(server), line) == b"+OK\r\n"


@pytest.mark.parametrize(
    "line",
    ["RETR", "DELE", "TOP", "TOP 1", "STAT x", "NOOP x", "RSET x", "LIST 1 2", "RETR 1 2",
     "LIST  1", "LIST\t1", "LIST ", "STAT ", "CAPA x", "QUIT x"],
)  # fmt: skip
def test_wrong_arguments(server: MockServer, line: str) -> None:
    """Missing, surplus and badly spaced arguments are refused (RFC1939-3-16 to 3-22)."""
    session = logged_in(server)

    said = ask(session, line)

    assert said.startswith(b"-ERR ")
    assert server.broken_expectations()


@pytest.mark.parametrize(
    "number",
    ["0", "-1", "4", "abc", "99999999999999999999", "4294967297", "18446744073709551617", "+1",
     "1abc", "1.0", "0x1", "٣"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["RETR {}", "DELE {}", "LIST {}", "UIDL {}", "TOP {} 0"])
def test_no_such_message(server: MockServer, command: str, number: str) -> None:
    """What is no number of a message is refused and never wraps onto one (RFC1939-5-01, 5-03)."""
    assert ask(logged_in(server), command.format(number)).startswith(b"-ERR ")


def test_line_of_any_length_is_bounded(server: MockServer) -> None:
    """An endless line is refused and the connection closed (RFC2449-4-05)."""
    session = fresh(server)

    actions = session.receive(b"x" * 100_000)

    assert actions == [Send(b"-ERR line too long\r\n"), End("close")]


def test_255_octets(server: MockServer) -> None:
    """A command line of 255 octets is processed (RFC2449-4-03)."""
    assert ask(fresh(server), "USER " + "x" * 248).startswith(b"+OK ")


def test_quit_before_login(server: MockServer) -> None:
    """QUIT in the AUTHORIZATION state says +OK and closes (RFC1939-4-16, 4-17)."""
    assert fresh(server).receive(b"QUIT\r\n") == [Send(b"+OK bye\r\n"), End("close")]


def test_input_after_quit_is_not_executed(server: MockServer) -> None:
    """What stands behind QUIT in one segment is not answered (RFC1939-6-11)."""
    session = logged_in(server)

    assert session.receive(b"QUIT\r\nNOOP\r\n") == [Send(b"+OK bye\r\n"), End("close")]


# Authentication


def test_pass_without_user(server: MockServer) -> None:
    """PASS needs a USER directly before it (RFC1939-7-31, 7-33)."""
    session = fresh(server)

    assert ask(session, "PASS secret").startswith(b"-ERR ")
    ask(session, "USER alice")
    ask(session, "CAPA")
    assert ask(session, "PASS secret").startswith(b"-ERR ")


def test_wrong_password(server: MockServer) -> None:
    """A wrong password and an unknown name are refused alike, with [AUTH] (RFC3206-4)."""
    session = fresh(server)

    ask(session, "USER alice")
    wrong = ask(session, "PASS wrong")
    again = ask(session, "PASS secret")
    ask(session, "USER nobody")
    unknown = ask(session, "PASS secret")

    assert wrong == b"-ERR [AUTH] user name or password is wrong\r\n"
    assert unknown == wrong
    assert again.startswith(b"-ERR ")


def test_password_with_spaces() -> None:
    """All behind PASS and one space is the password (RFC1939-7-35)."""
    session = fresh(MockServer(users={"alice": " a b  "}))

    ask(session, "USER alice")

    assert ask(session, "PASS  a b  ").startswith(b"+OK ")


def test_apop_digest_is_of_stamp_and_secret(server: MockServer) -> None:
    """The right digest logs in, another does not, and stamps differ (RFC1939-7-37 to 7-41)."""
    stamps = set()
    for right in (True, False):
        session = server.session()
        greeting = text_of(list(session.connected()))
        found = re.search(rb"<[^<>@ ]+@[^<>@ ]+>", greeting)
        assert found
        stamps.add(found[0])
        digest = hashlib.md5(found[0] + (b"secret" if right else b"other")).hexdigest()
        said = ask(session, f"APOP alice {digest}")
        session.lost()

        assert said.startswith(b"+OK ") is right

    assert len(stamps) == 2


def test_apop_needs_a_stamp() -> None:
    """Without a timestamp in the greeting APOP is refused (RFC1939-7-44)."""
    server = MockServer(loads(MAIL + "server: {greeting: hello}"))

    assert ask(fresh(server), "APOP alice " + "0" * 32).startswith(b"-ERR ")


def test_lock(server: MockServer) -> None:
    """A second session gets [IN-USE]; QUIT and loss free the maildrop (RFC1939-4-08 to 4-13)."""
    first, second = logged_in(server), fresh(server)

    ask(second, "USER alice")
    refused = ask(second, "PASS secret")
    ask(first, "QUIT")
    ask(second, "USER alice")
    admitted = ask(second, "PASS secret")
    second.lost()

    assert refused == b"-ERR [IN-USE] another session has the maildrop\r\n"
    assert admitted.startswith(b"+OK ")
    assert not server.maildrop.locked


def test_no_lock() -> None:
    """With ``lock: none`` both sessions are served."""
    server = MockServer(loads(MAIL + "server: {lock: none}"))

    sessions = [logged_in(server), logged_in(server)]

    assert [ask(session, "NOOP") for session in sessions] == [b"+OK\r\n"] * 2


def test_codes_need_their_capability() -> None:
    """Response codes are sent only where CAPA announces them (RFC2449-6.4-02)."""
    server = MockServer(loads(MAIL + "server: {capabilities: [USER]}"))
    session = fresh(server)

    ask(session, "USER alice")

    assert ask(session, "PASS wrong") == b"-ERR user name or password is wrong\r\n"


@pytest.mark.parametrize("initial", [True, False])
def test_sasl_plain(server: MockServer, initial: bool) -> None:
    """AUTH PLAIN with and without an initial response (RFC 4616, RFC5034-4)."""
    session = fresh(server)
    response = base64.b64encode(b"\0alice\0secret").decode()

    if initial:
        said = ask(session, f"AUTH PLAIN {response}")
    else:
        assert ask(session, "AUTH PLAIN") == b"+ \r\n"
        said = ask(session, response)

    assert said.startswith(b"+OK ")
    assert response not in server.transcript()


def test_sasl_login(server: MockServer) -> None:
    """AUTH LOGIN asks for user name and password."""
    session = fresh(server)

    assert ask(session, "AUTH LOGIN") == b"+ VXNlcm5hbWU6\r\n"
    assert ask(session, "YWxpY2U=") == b"+ UGFzc3dvcmQ6\r\n"
    assert ask(session, "c2VjcmV0").startswith(b"+OK ")


def test_sasl_cram_md5(server: MockServer) -> None:
    """AUTH CRAM-MD5 wants the keyed digest of its challenge (RFC 2195)."""
    session = fresh(server)

    challenge = base64.b64decode(ask(session, "AUTH CRAM-MD5")[2:])
    digest = hmac.new(b"secret", challenge, "md5").hexdigest()

    assert ask(session, base64.b64encode(f"alice {digest}".encode()).decode()).startswith(b"+OK ")


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("token", ["secret", "stale"])
def test_sasl_bearer(mechanism: str, token: str) -> None:
    """A bad token gets its JSON error as a challenge, then -ERR (RFC 7628, section 3.2.3)."""
    text = MAIL + f"server: {{capabilities: [SASL {mechanism}]}}"
    session = fresh(MockServer(loads(text)))
    head = "user=alice" if mechanism == "XOAUTH2" else "n,a=alice,"
    response = base64.b64encode(f"{head}\x01auth=Bearer {token}\x01\x01".encode()).decode()

    assert ask(session, f"AUTH {mechanism}") == b"+ \r\n"
    said = ask(session, response)

    if token == "secret":
        assert said.startswith(b"+OK ")
    else:
        assert b'"status": "401"' in base64.b64decode(said[2:])
        assert ask(session, "").startswith(b"-ERR ")


@pytest.mark.parametrize(
    "lines",
    [["AUTH PLAIN", "*"], ["AUTH PLAIN", "not base64!"], ["AUTH PLAIN =="], ["AUTH NTLM"],
     ["AUTH"], ["AUTH PLAIN", ""], ["AUTH LOGIN YWxpY2U="], ["AUTH PLAIN a b"]],
)  # fmt: skip
def test_sasl_refused(server: MockServer, lines: list[str]) -> None:
    """A cancelled, broken or unknown exchange is refused, and the session lives (RFC5034-4)."""
    session = fresh(server)

    said = [ask(session, line) for line in lines]

    assert said[-1].startswith(b"-ERR ")
    ask(session, "USER alice")
    assert ask(session, "PASS secret").startswith(b"+OK ")


def test_sasl_foreign_authzid(server: MockServer) -> None:
    """Nobody may act as somebody else (RFC 4616, section 2)."""
    response = base64.b64encode(b"bob\0alice\0secret").decode()

    assert ask(fresh(server), f"AUTH PLAIN {response}").startswith(b"-ERR ")


# STAT, LIST, UIDL


def test_stat(server: MockServer) -> None:
    """STAT is count and octets and nothing more (RFC1939-5-04 to 5-07)."""
    assert ask(logged_in(server), "STAT") == b"+OK 3 %d\r\n" % sum(SIZES.values())


def test_list(server: MockServer) -> None:
    """LIST has a line a message, LIST n the same on one line (RFC1939-5-10 to 5-14)."""
    session = logged_in(server)

    listing = ask(session, "LIST")
    single = [ask(session, f"LIST {n}") for n in SIZES]

    lines = [b"%d %d\r\n" % item for item in SIZES.items()]
    assert (
        listing
        == b"+OK 3 messages (%d octets)\r\n" % sum(SIZES.values()) + b"".join(lines) + b".\r\n"
    )
    assert single == [b"+OK " + line for line in lines]


def test_uidl(server: MockServer) -> None:
    """UIDL has a line a message, UIDL n the same on one line (RFC1939-7-13 to 7-18)."""
    session = logged_in(server)

    assert ask(session, "UIDL") == b"+OK\r\n1 first\r\n2 second\r\n3 third\r\n.\r\n"
    assert ask(session, "UIDL 2") == b"+OK 2 second\r\n"


def test_uids_last_and_do_not_move() -> None:
    """Unique-ids are the server's own, last, and do not depend on position (RFC1939-7-19 ff.)."""
    server = MockServer()
    session = logged_in(server)

    first = ask(session, "UIDL").split(b"\r\n")[1:-2]
    session.receive(b"DELE 1\r\nQUIT\r\n")
    second = ask(logged_in(server), "UIDL").split(b"\r\n")[1:-2]

    uids = [line.split()[1] for line in first]
    assert len(set(uids)) == 4
    assert [line.split()[1] for line in second] == uids[1:]


def test_empty_maildrop(server: MockServer) -> None:
    """An empty maildrop has STAT 0 0 and empty listings (RFC1939-5-09, 5-15, 7-25)."""
    session = fresh(server)
    session.receive(b"USER bob\r\nPASS hunter2\r\n")

    assert ask(session, "STAT") == b"+OK 0 0\r\n"
    assert ask(session, "LIST") == b"+OK 0 messages (0 octets)\r\n.\r\n"
    assert ask(session, "UIDL") == b"+OK\r\n.\r\n"


# RETR and TOP


def test_retr_is_stuffed(server: MockServer) -> None:
    """A line that begins with a dot gets one more; the size is without it (RFC1939-3-40, 11-02)."""
    said = ask(logged_in(server), "RETR 2")

    assert said == b"+OK %d octets\r\nSubject: b\r\n\r\n..\r\n...x\r\n.\r\n" % SIZES[2]


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (b"a: b\n\nx\n", b"a: b\r\n\r\nx\r\n"),
        (b"a: b\r\n\r\nx", b"a: b\r\n\r\nx\r\n"),
        (b"a: b\r\n\r\n\r\n\r\n", b"a: b\r\n\r\n\r\n\r\n"),
        (b"a: b\r\n\r\nx\ry\n", b"a: b\r\n\r\nx\ry\r\n"),
        (b"a: b\r\n\r\n\0\xff\r\n", b"a: b\r\n\r\n\0\xff\r\n"),
        (b".a: b\r\n", b"..a: b\r\n"),
    ],
)
def test_retr_line_ends(stored: bytes, sent: bytes) -> None:
    """Every line ends in CRLF, other octets pass, and LIST counts just that (RFC1939-11-01 ff.)."""
    server = MockServer(loads("pop3: 1\nname: t\nsummary: t\nmaildrop: []\n"))
    server.deliver(stored)
    size = len(sent) - sent.startswith(b"..")

    said = ask(logged_in(server), "RETR 1")

    assert said == b"+OK %d octets\r\n" % size + sent + b".\r\n"


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("TOP 1 0", b"Subject: a\r\n\r\n"),
        ("TOP 1 1", b"Subject: a\r\n\r\none\r\n"),
        ("TOP 1 3", b"Subject: a\r\n\r\none\r\ntwo\r\nthree\r\n"),
        ("TOP 1 99999999", b"Subject: a\r\n\r\none\r\ntwo\r\nthree\r\n"),
        ("TOP 1 18446744073709551616", b"Subject: a\r\n\r\none\r\ntwo\r\nthree\r\n"),
        ("TOP 2 1", b"Subject: b\r\n\r\n..\r\n"),
        ("TOP 3 5", b"Subject: no body\r\n\r\n"),
    ],
)
def test_top(server: MockServer, command: str, body: bytes) -> None:
    """TOP n k is header, blank line and k lines, stuffed (RFC1939-7-03 to 7-12)."""
    said = ask(logged_in(server), command)

    assert said.partition(b"\r\n")[2] == body + b".\r\n"


@pytest.mark.parametrize("command", ["TOP 1 -1", "TOP 1 x", "TOP 9 0"])
def test_top_refused(server: MockServer, command: str) -> None:
    """A count of lines that is none, and a message that is none, are refused (RFC1939-7-06 f.)."""
    assert ask(logged_in(server), command).startswith(b"-ERR ")


# DELE, RSET, QUIT


def test_deleted_message(server: MockServer) -> None:
    """A marked message is in no listing and cannot be referred to (RFC1939-5-29 to 5-33)."""
    session = logged_in(server)

    marked = ask(session, "DELE 2")
    later = [ask(session, c) for c in ("DELE 2", "RETR 2", "LIST 2", "UIDL 2", "TOP 2 0")]

    assert marked == b"+OK message 2 deleted\r\n"
    assert all(answer.startswith(b"-ERR ") for answer in later)
    assert ask(session, "STAT") == b"+OK 2 %d\r\n" % (SIZES[1] + SIZES[3])
    assert ask(session, "UIDL") == b"+OK\r\n1 first\r\n3 third\r\n.\r\n"
    assert not server.broken_expectations()


def test_rset(server: MockServer) -> None:
    """RSET takes all marks back (RFC1939-5-37 to 5-40)."""
    session = logged_in(server)

    session.receive(b"DELE 1\r\nDELE 2\r\n")
    said = ask(session, "RSET")

    assert said == b"+OK maildrop has 3 messages (%d octets)\r\n" % sum(SIZES.values())
    assert ask(session, "STAT") == b"+OK 3 %d\r\n" % sum(SIZES.values())


def test_update(server: MockServer) -> None:
    """QUIT removes the marked messages and no other (RFC1939-6-03, 6-04)."""
    session = logged_in(server)

    session.receive(b"DELE 2\r\nQUIT\r\n")

    assert [message.uid for message in server.maildrop.messages] == ["first", "third"]
    assert server.journal.connections[0].removed == ("second",)


def test_loss_removes_nothing(server: MockServer) -> None:
    """A session that ends without QUIT removes nothing (RFC1939-6-06 to 6-08)."""
    session = logged_in(server)

    session.receive(b"DELE 2\r\n")
    session.lost()

    assert len(server.maildrop) == 3


def test_numbers_stay_though_mail_arrives(server: MockServer) -> None:
    """A session sees the maildrop as it was at login (RFC1939-4-15)."""
    session = logged_in(server)

    server.deliver("Subject: late\n\nlate\n")

    assert ask(session, "STAT") == b"+OK 3 %d\r\n" % sum(SIZES.values())
    assert len(server.maildrop) == 4


# CAPA, STLS and pipelining


def test_capa(server: MockServer) -> None:
    """CAPA lists what works, in both states, STLS only where it can come (RFC2449-5)."""
    before = ask(fresh(server), "CAPA").split(b"\r\n")
    after = ask(logged_in(server), "CAPA").split(b"\r\n")

    assert before[0] == b"+OK capability list follows"
    assert before[-2:] == [b".", b""]
    assert set(before) - set(after) == {b"STLS"}
    assert {b"TOP", b"UIDL", b"USER", b"PIPELINING", b"RESP-CODES"} < set(after)


@pytest.mark.parametrize(
    ("capability", "command"),
    [("TOP", "TOP 1 0"), ("UIDL", "UIDL"), ("USER", "USER alice"), ("STLS", "STLS")],
)
def test_what_is_not_announced_is_not_there(capability: str, command: str) -> None:
    """A command whose capability is missing is refused, and asking is no fault."""
    server = MockServer(loads(MAIL + f"server: {{capabilities: ['-{capability}']}}"))
    session = fresh(server) if capability in ("USER", "STLS") else None
    if session is None:
        session = fresh(server)
        digest = base64.b64encode(b"\0alice\0secret").decode()
        ask(session, f"AUTH PLAIN {digest}")

    said = ask(session, command)

    assert said == f"-ERR {capability} is not available here\r\n".encode()
    assert not server.broken_expectations()


def test_hidden_capability() -> None:
    """What is hidden is there although CAPA does not say so."""
    server = MockServer(loads(MAIL + "server: {capabilities: ['-TOP'], hidden: [TOP]}"))
    session = logged_in(server)

    assert b"TOP" not in ask(session, "CAPA")
    assert ask(session, "TOP 1 0").startswith(b"+OK ")


def test_stls_forgets(server: MockServer) -> None:
    """After STLS what came in clear is forgotten or dropped (RFC 2595, section 4)."""
    session = fresh(server)

    ask(session, "USER alice")
    actions = session.receive(b"STLS\r\nCAPA\r\n")
    session.secured()

    assert actions == [Send(b"+OK begin TLS\r\n"), StartTLS()]
    assert ask(session, "PASS secret").startswith(b"-ERR ")
    assert b"STLS" not in ask(session, "CAPA")
    assert ask(session, "STLS").startswith(b"-ERR ")


def test_pipelining(server: MockServer) -> None:
    """Commands in one segment are answered in order, over the login too (RFC2449-6.6)."""
    session = fresh(server)

    actions = session.receive(b"USER alice\r\nPASS secret\r\nNOOP\r\nXYZZ\r\nSTAT\r\nQUIT\r\n")

    said = text_of(list(actions)).split(b"\r\n")[:-1]
    assert [line[:4] for line in said] == [b"+OK ", b"+OK ", b"+OK", b"-ERR", b"+OK ", b"+OK "]
    assert actions[-1] == End("close")


@given(st.data())
def test_segments_do_not_matter(data: st.DataObject) -> None:
    """However the octets are cut into segments, the answers are the same (RFC1939-3-05, 3-06)."""
    octets = b"USER alice\r\nPASS secret\r\nLIST\nRETR 2\r\nTOP 1 1\r\nDELE 1\r\nSTAT\r\nQUIT\r\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1))))
    whole, pieces = fresh(MockServer(loads(MAIL))), fresh(MockServer(loads(MAIL)))

    expected = text_of(list(whole.receive(octets)))
    said = b""
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        said += text_of(list(pieces.receive(octets[start:end])))

    assert said == expected


def test_top_of_a_message_without_a_header() -> None:
    """Where the message begins with the blank line, that is all of its header."""
    server = MockServer(loads("pop3: 1\nname: t\nsummary: t\nmaildrop: []\n"))
    server.deliver(b"\r\none\r\n\r\ntwo\r\n")
    session = logged_in(server)

    assert ask(session, "TOP 1 0").partition(b"\r\n")[2] == b"\r\n.\r\n"
    assert ask(session, "TOP 1 1").partition(b"\r\n")[2] == b"\r\none\r\n.\r\n"
