"""Servers of the library that can be started here, and the mock that plays them, side by side."""

from __future__ import annotations

import re
import socket
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

from ._mbox_servers import PASSWORD, PATIENCE, PROGRAMS, USER, MboxServer
from .conftest import need_mbox_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._dovecot import Dovecot
    from ._mbox_servers import Program

    Answers = dict[str, list[tuple[str, bytes]]]

pytestmark = pytest.mark.once

#: What both have, with the line ends that the messages have on the wire.
MAIL = [
    b"From: a@example.test\r\nSubject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n",
    b"From: b@example.test\r\nSubject: dots\r\n\r\n.\r\n..two\r\n\r\nend\r\n",
    b"From: c@example.test\r\nSubject: three\r\n\r\nthe last\r\n",
]

#: What a client says, connection by connection; what one deletes is gone in the next.
CONVERSATIONS = {
    "before login": "CAPA|NOOP|XYZZY|CAPA|PASS {password}||CAPA|STAT|QUIT",
    "wrong password": "USER {user}|PASS wrong",
    "reading": "USER {user}|PASS {password}|CAPA|STAT|LIST|LIST 1|LIST 9|LIST x|LIST 1 2|UIDL"
    "|UIDL 1|UIDL 9|RETR 2|RETR|RETR 9|TOP 1 0|TOP 2 1|TOP 9 0|TOP 1 x|TOP 1|NOOP|NOOP x|XYZZY"
    "|USER x|QUIT",
    "deleting": "USER {user}|PASS {password}|DELE 1|DELE 1|RETR 1|LIST 1|LIST|STAT|RSET|STAT|DELE 9"
    "|DELE|DELE 2|QUIT",
    "afterwards": "user {user}|pass {password}|stat|list|retr 2|quit",
}

#: What differs from run to run: stamps, unique-ids, and the fields that Mailutils writes into mail.
_STAMP = re.compile(rb" ?<[^<> ]+@[^<> ]+>(?=\r\n)")
_UID = re.compile(rb"^((?:\+OK )?[0-9]+) [^ ]+(?=\r\n)", re.MULTILINE)
_FIELDS = re.compile(rb"^(?:X-IMAPbase|X-UID|X-UIDL|Status): .*\r\n", re.MULTILINE)
_SIZE = re.compile(rb"^((?:\+OK )?[0-9]+) [0-9]+(?=\r\n)", re.MULTILINE)

_MULTI_LINE = re.compile(rb"CAPA|LIST|UIDL|(?:RETR|TOP) .*", re.IGNORECASE)


class Peer(NamedTuple):
    """A server that runs.

    Attributes:
        scenario: The scenario that plays it.
        connect: Opens a connection.
        user: The user whose mail it has.
        password: His password.
        adds_fields: Whether it writes into the mail, so that no size can be known.
    """

    scenario: str
    connect: Callable[[], socket.socket]
    user: str
    password: str
    adds_fields: bool = False


def test_dovecot(dovecot: Dovecot) -> None:
    """The mock that plays Dovecot says what Dovecot says."""
    account = dovecot.account(MAIL)
    connect = partial(socket.create_connection, (account.host, account.port), PATIENCE)

    expected, actual = both(Peer("dovecot", connect, account.user, account.password))

    assert expected == actual


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_mbox_server(program: Program) -> None:
    """The mock that plays the server says what the server says."""
    need_mbox_server(program)
    if not program.is_measured:
        pytest.skip(f"{program.path} is not {program.version}, which the scenario plays")

    with MboxServer(program, MAIL) as server:
        adds_fields = program.name == "mailutils"
        peer = Peer(program.name, server.connect, USER, PASSWORD, adds_fields=adds_fields)
        expected, actual = both(peer)

    assert expected == actual


def both(peer: Peer) -> tuple[Answers, Answers]:
    """What a server says in each conversation, and what the mock says that plays it."""
    theirs = {name: talk(peer.connect, peer, text) for name, text in CONVERSATIONS.items()}
    with MockServer(loads(played(peer))) as mock:
        for message in MAIL:
            mock.deliver(message)
        connect = partial(socket.create_connection, (mock.host, mock.port), PATIENCE)
        ours = {name: talk(connect, peer, text) for name, text in CONVERSATIONS.items()}
    return theirs, ours


def played(peer: Peer) -> str:
    """The peer's scenario, with its user, and no mail."""
    return (
        f"pop3: 1\nname: live\nsummary: live\nextends: {peer.scenario}\n"
        f"server: {{users: {{{peer.user}: {peer.password}}}}}\nmaildrop: []\n"
    )


def talk(connect: Callable[[], socket.socket], peer: Peer, text: str) -> list[tuple[str, bytes]]:
    """A conversation, answer by answer; what differs from run to run is left out.

    Args:
        connect: Opens a connection.
        peer: The server, or the one that is played.
        text: The commands, with ``|`` between them.
    """
    answers: list[tuple[str, bytes]] = []
    with connect() as connection, connection.makefile("rb") as stream:
        connection.settimeout(PATIENCE)
        answers.append(("", _STAMP.sub(b"", stream.readline())))
        for command in text.format(user=peer.user, password=peer.password).split("|"):
            connection.sendall(command.encode() + b"\r\n")
            answer = stream.readline()
            if answer.startswith(b"+OK") and _MULTI_LINE.fullmatch(command.encode()):
                answer += b"".join(iter(stream.readline, b".\r\n"))
            answers.append((command, _alike(command, answer, peer)))
    return answers


def _alike(command: str, answer: bytes, peer: Peer) -> bytes:
    if command.upper().startswith("UIDL"):
        return _UID.sub(rb"\1 <id>", answer)
    if peer.adds_fields:
        answer = _FIELDS.sub(b"", answer)
        if command.upper().startswith(("STAT", "LIST")):
            return _SIZE.sub(rb"\1 <octets>", answer)
    return answer
