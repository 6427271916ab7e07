"""Quirks of STAT, LIST and UIDL, by the octets in which they show; the session alone."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send


class Case(NamedTuple):
    """What is sent after login, and all that must come for it."""

    scenario: str
    sent: bytes
    comes: bytes


def talk(server: MockServer, sent: bytes) -> bytes:
    """What a new session says to this after login; the session ends."""
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    said = b"".join(a.data for a in session.receive(sent) if isinstance(a, Send))
    session.lost()
    return said


LONG = b"-" + b"0123456789abcdef" * 12 + b"012345"

CASES = [
    Case("stat-over-2g", b"STAT\r\n", b"+OK 4 9876543210\r\n"),
    Case(
        "list-lf-size",
        b"STAT\r\nLIST 1\r\n",
        b"+OK 4 20280\r\n+OK 1 183\r\n",
    ),
    Case("list-empty-dot", b"LIST\r\nUIDL\r\n", b"+OK 0 messages:\r\n.\r\n+OK\r\n.\r\n"),
    Case(
        "list-arg-ignored",
        b"LIST 3\r\n",
        b"+OK 4 messages (20559 octets)\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n",
    ),
    Case(
        "list-gaps",
        b"STAT\r\nLIST\r\nUIDL\r\nLIST 1\r\n",
        b"+OK 2 20106\r\n"
        b"+OK\r\n2 106\r\n4 20000\r\n.\r\n"
        b"+OK\r\n2 106\r\n4 20000\r\n.\r\n"
        b"-ERR no such message\r\n",
    ),
    Case(
        "uidl-list-race",
        b"LIST\r\n",
        b"+OK\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n5 1234\r\n.\r\n",
    ),
    Case(
        "uidl-duplicate",
        b"UIDL 2\r\nUIDL\r\n",
        b"+OK 2 027b4b17ba87abc9\r\n+OK\r\n"
        + b"".join(b"%d 027b4b17ba87abc9\r\n" % n for n in (1, 2, 3, 4))
        + b".\r\n",
    ),
    Case("uidl-long", b"UIDL 2\r\n", b"+OK 2 2" + LONG + b"\r\n"),
    Case("uidl-odd-octets", b"UIDL 3\r\n", "+OK 3 #/3 Grüße\r\n".encode()),
]


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_octets(case: Case) -> None:
    """The quirk shows in exactly these octets."""
    assert talk(MockServer(case.scenario), case.sent) == case.comes


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_only_by_the_file(case: Case) -> None:
    """The default server shows none of this."""
    assert talk(MockServer(), case.sent) != case.comes


def test_uidl_long() -> None:
    """The id has 200 characters, where 70 are allowed."""
    assert len(b"2" + LONG) == 200


def test_list_lf_size() -> None:
    """What comes is longer than what was announced, by one octet a line."""
    status, _, message = talk(MockServer("list-lf-size"), b"RETR 2\r\n").partition(b"\r\n")

    assert status == b"+OK 101 octets"
    assert len(message.removesuffix(b".\r\n")) == 101 + 5


def test_uidl_temporary_failure() -> None:
    """The first UIDL is refused, the second is answered."""
    said = talk(MockServer("uidl-temporary-failure"), b"UIDL\r\nUIDL\r\n")

    assert said.startswith(b"-ERR temporary failure, try again later\r\n+OK\r\n1 ")


def test_uid_reused() -> None:
    """In the second session the same id is that of another message."""
    server = MockServer("uid-reused")

    first, second = (talk(server, b"UIDL 1\r\nRETR 1\r\nQUIT\r\n") for _ in range(2))

    assert (first[:17], second[:17]) == (b"+OK 1 1069172.42\r", b"+OK 1 1069172.42\r")
    assert b"Subject: The first of that name\r\n" in first
    assert b"Subject: Another message\r\n" in second


def test_uidl_changes() -> None:
    """In the second session the same message has another id."""
    server = MockServer("uidl-changes")

    first, second = (talk(server, b"UIDL\r\nRETR 1\r\nQUIT\r\n") for _ in range(2))

    assert first.startswith(b"+OK\r\n1 first.1\r\n.\r\n")
    assert second == first.replace(b"first.1", b"second.1")


def test_maildrop_stale() -> None:
    """What has come after the first session shows only in the third."""
    server = MockServer("maildrop-stale")

    counts = [talk(server, b"STAT\r\n").split(b" ")[1] for _ in range(3)]

    assert counts == [b"1", b"1", b"2"]
