"""The table of commands; what the RFCs ask of the server is in ``tests/requirements``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send
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
    session.receive(b"AUTH PLAIN " + base64.b64encode(b"\0alice\0secret") + b"\r\n")
    return session


def ask(session: Session, line: str) -> bytes:
    """What the session answers to one line."""
    actions = session.receive(line.encode() + b"\r\n")
    sent = [action.data for action in actions if isinstance(action, Send)]
    return b"".join(data for data in sent if isinstance(data, bytes))


@pytest.mark.parametrize("state", [State.AUTHORIZATION, State.TRANSACTION])
@pytest.mark.parametrize("keyword", sorted(COMMANDS))
def test_command_in_state(server: MockServer, keyword: str, state: State) -> None:
    """Each command is refused in a state that the table does not give it."""
    session = fresh(server) if state is State.AUTHORIZATION else logged_in(server)
    arguments = {"USER": " alice", "PASS": " secret", "APOP": " alice 00", "RETR": " 1",
                 "TOP": " 1 0", "DELE": " 1"}.get(keyword, "")  # fmt: skip

    said = ask(session, keyword + arguments)

    belongs = state in COMMANDS[keyword].states
    assert (b"is not valid in this state" in said) is not belongs
    if not belongs:
        assert said.startswith(b"-ERR ")
        assert f"unexpected {keyword}" in server.broken_expectations()[0]


@pytest.mark.parametrize(
    "line", ["XYZZ", "", "RETR", "TOP 1", "STAT x", "LIST 1 2", "LIST  1", "RETR 0", "RETR x"]
)
def test_wrong_command_is_a_fault(server: MockServer, line: str) -> None:
    """A client that sends what no client should is at fault."""
    said = ask(logged_in(server), line)

    assert said.startswith(b"-ERR ")
    assert server.broken_expectations()


@pytest.mark.parametrize("lines", [["RETR 4"], ["DELE 2", "RETR 2"], ["LAST"]])
def test_refusal_that_is_no_fault(server: MockServer, lines: list[str]) -> None:
    """A client may ask for a message that is not there, and for a command that some servers had."""
    session = logged_in(server)

    said = [ask(session, line) for line in lines]

    assert said[-1].startswith(b"-ERR ")
    assert not server.broken_expectations()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("STAT", b"+OK 3 71\r\n"),
        ("LIST", b"+OK 3 messages (71 octets)\r\n1 31\r\n2 22\r\n3 18\r\n.\r\n"),
        ("LIST 2", b"+OK 2 22\r\n"),
        ("UIDL", b"+OK\r\n1 first\r\n2 second\r\n3 third\r\n.\r\n"),
        ("UIDL 2", b"+OK 2 second\r\n"),
        ("RETR 2", b"+OK 22 octets\r\nSubject: b\r\n\r\n..\r\n...x\r\n.\r\n"),
        ("TOP 2 1", b"+OK top of message 2\r\nSubject: b\r\n\r\n..\r\n.\r\n"),
        ("DELE 2", b"+OK message 2 deleted\r\n"),
        ("RSET", b"+OK maildrop has 3 messages (71 octets)\r\n"),
        ("NOOP", b"+OK\r\n"),
        ("QUIT", b"+OK bye\r\n"),
    ],
)
def test_words(server: MockServer, line: str, said: bytes) -> None:
    """What the default server says, to the letter."""
    assert ask(logged_in(server), line) == said


def test_no_lock() -> None:
    """With ``lock: none`` both sessions are served."""
    server = MockServer(loads(MAIL + "server: {lock: none}"))

    sessions = [logged_in(server), logged_in(server)]

    assert [ask(session, "NOOP") for session in sessions] == [b"+OK\r\n"] * 2


def test_sasl_login(server: MockServer) -> None:
    """AUTH LOGIN asks for user name and password."""
    session = fresh(server)

    assert ask(session, "AUTH LOGIN") == b"+ VXNlcm5hbWU6\r\n"
    assert ask(session, "YWxpY2U=") == b"+ UGFzc3dvcmQ6\r\n"
    assert ask(session, "c2VjcmV0").startswith(b"+OK ")


@pytest.mark.parametrize(
    ("capability", "command", "login"),
    [("TOP", "TOP 1 0", True), ("UIDL", "UIDL", True), ("USER", "USER alice", False),
     ("STLS", "STLS", False), ("UTF8", "UTF8", False), ("LANG", "LANG", False)],
)  # fmt: skip
def test_what_is_not_announced_is_not_there(capability: str, command: str, login: bool) -> None:
    """A command whose capability is missing is refused, and asking is no fault."""
    server = MockServer(loads(MAIL + f"server: {{capabilities: ['-{capability}']}}"))
    session = logged_in(server) if login else fresh(server)

    said = ask(session, command)

    assert said == f"-ERR {capability} is not available here\r\n".encode()
    assert not server.broken_expectations()


def test_hidden_capability() -> None:
    """What is hidden is there although CAPA does not say so."""
    server = MockServer(loads(MAIL + "server: {capabilities: ['-TOP'], hidden: [TOP]}"))
    session = logged_in(server)

    assert b"TOP" not in ask(session, "CAPA")
    assert ask(session, "TOP 1 0").startswith(b"+OK ")
