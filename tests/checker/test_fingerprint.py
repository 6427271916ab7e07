"""Questions to a server: which there are, how answers are read, and what in them varies."""

from __future__ import annotations

import base64

import pytest

from pop3check import Fingerprint, NoFingerprint, Observed, Probe, Target, unmarked
from pop3check._dialogue import deletes
from pop3check._fingerprint import DIGEST, PASSWORD, PLAIN, SESSIONS, USER, _complete
from pop3mock import MockServer
from pop3scenarios import loads


def test_no_question_takes_anything() -> None:
    """No session deletes or marks, and each that begins ends by itself."""
    lines = [line for questions in SESSIONS.values() for line in questions.lines]

    assert not any(map(deletes, lines))
    assert all("QUIT" in questions.lines[-1] for questions in SESSIONS.values())
    assert {questions.failures for questions in SESSIONS.values()} <= {0, 1}


@pytest.mark.parametrize(
    ("sent", "octets", "whole"),
    [
        (b"", b"+OK hello\r\n", True),
        (b"", b"+OK hel", False),
        (b"CAPA\r\n", b"+OK\r\nTOP\r\n", False),
        (b"CAPA\r\n", b"+OK\r\nTOP\r\n.\r\n", True),
        (b"CAPA\r\n", b"+OK\r\n.\r\n", True),
        (b"CAPA\r\n", b"-ERR no\r\n", True),
        (b"LIST 1\r\n", b"+OK 1 2\r\n", True),
        (b"retr 1\r\n", b"+OK\r\n.x\r\n", False),
        (b"STAT\r\nLIST\r\n", b"+OK 0 0\r\n+OK\r\n", False),
        (b"STAT\r\nLIST\r\n", b"+OK 0 0\r\n+OK\r\n.\r\n", True),
        (b"AUTH\r\n", b"+OK\r\n", True),
    ],
)
def test_answers_are_read_to_their_end(sent: bytes, octets: bytes, whole: bool) -> None:
    """By the framing of RFC 1939, as many answers as lines were sent."""
    keywords = [line.strip().split(b" ") for line in sent.split(b"\n")[:-1]]

    assert whole == _complete(octets, keywords, max(1, len(keywords)))


def test_marks_are_filled() -> None:
    """A mark gives way to what is right for the server: APOP's digest goes with its greeting."""
    filled = [
        unmarked(mark, "bob", "pw", b"+OK hi <1.2@x> there")
        for mark in (USER, PASSWORD, PLAIN, DIGEST)
    ]

    assert filled[:3] == [b"bob", b"pw", base64.b64encode(b"\0bob\0pw")]
    assert filled[3] != unmarked(DIGEST, "bob", "pw", b"+OK hi <1.3@x>")


def test_what_varies_is_left_out() -> None:
    """Timestamps, challenges and the words of the greeting that change are holes; others not."""
    sessions = [[Probe(b"", b"+OK ready %d ok\r\n" % n)] for n in (17, 18)]
    observed = Observed(sessions)

    one, other = (observed.hollow(b"+OK ready %d ok <%d@x>\r\n" % (n, n)) for n in (17, 18))

    assert observed.varying == {b"17", b"18"}
    assert one == other
    assert observed.hollow(b"+OK 1 2\r\n") != observed.hollow(b"+OK 1 3\r\n")


def test_maildrop_of_many_messages() -> None:
    """All messages would stand in the file, so there is a limit, and the error says it."""
    text = "pop3: 1\nname: many\nsummary: s\nmaildrop: [{count: 201, octets: 200}]\n"
    with MockServer(loads(text)) as server:
        user, password = server.credentials
        target = Target(host=server.host, port=server.port, user=user, password=password)

        with pytest.raises(NoFingerprint, match="201 messages"):
            Fingerprint(target).take()


def test_without_a_user() -> None:
    """Who gives no user gets what needs no login, and no login is tried."""
    with MockServer("default") as server:
        asking = Fingerprint(Target(host=server.host, port=server.port))
        observed = asking.take()
        commands = set(server.journal.commands)

    assert asking.left_out["maildrop"] == "nobody logs in"
    assert observed.mail.messages == []
    assert not any(b"\0password" in probe.sent for probe in observed.probes)
    assert not any(command.startswith("AUTH PLAIN ") for command in commands)
