"""Quirks of RETR and TOP, of message numbers and of status lines, by their octets."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Pause, Send
from pop3mock._flow import held

#: Messages 1 and 2 of the default maildrop: header and empty line, then the body.
HEAD_1 = (
    b"From: carol@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: Lines that begin with a dot\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
FIRST_LINE = b"The next lines begin with a dot.\r\n"
BODY_1 = FIRST_LINE + b"..\r\n...\r\n..hidden\r\n\r\nThat was all.\r\n"
MESSAGE_2 = (
    b"From: dave@example.com\r\n"
    b"To: alice@example.com\r\n"
    b"Subject: No body\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"\r\n"
)
TOP_1 = b"+OK top of message 1\r\n"
TOP_2 = b"+OK top of message 2\r\n"
END = b".\r\n"


def head(subject: str) -> bytes:
    """The header that inline messages of Carol's have, without the empty line."""
    return HEAD_1.replace(b"Lines that begin with a dot", subject.encode())[:-2]


def doubled(octets: bytes) -> bytes:
    """The same with a CR too many at each line end."""
    return octets.replace(b"\r\n", b"\r\r\n")


class Case(NamedTuple):
    """What is sent after login in one segment, and all that must come for it."""

    scenario: str
    sent: bytes
    comes: bytes


def answers(server: MockServer, sent: bytes) -> list[object]:
    """What a new session does about this after login; the session ends."""
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    actions: list[object] = [*session.receive(sent)]
    session.lost()
    return actions


def talk(server: MockServer, sent: bytes) -> bytes:
    """What a new session says to this after login."""
    return held(a.data for a in answers(server, sent) if isinstance(a, Send))


CASES = [
    # The end of a message
    Case(
        "no-crlf-before-dot",
        b"RETR 1\r\nNOOP\r\n",
        b"+OK 135 octets\r\n" + head("Short") + b"\r\nThe last sentence ends here..\r\n+OK\r\n",
    ),
    Case(
        "bare-lf-dot",
        b"STAT\r\nRETR 1\r\n",
        b"+OK 1 114\r\n"
        b"+OK 114 octets\r\n"
        b"From: carol@example.com\r\nTo: alice@example.com\r\nSubject: Two kinds of line end\r\n"
        b"\r\nfirst\n.second\n.\nfourth\r\n..fifth\r\n" + END,
    ),
    # TOP
    Case(
        "no-stuffing-top",
        b"TOP 1 3\r\nRETR 1\r\n",
        TOP_1 + HEAD_1 + FIRST_LINE + b".\r\n..\r\n" + END
        + b"+OK 194 octets\r\n" + HEAD_1 + BODY_1 + END,
    ),
    Case(
        "top-ten-lines",
        b"TOP 1 1\r\nTOP 1 99999999\r\nTOP 9 1\r\n",
        (TOP_1 + HEAD_1 + BODY_1 + END) * 2 + b"-ERR no such message, only 4 in the maildrop\r\n",
    ),
    Case(
        "top-one-line",
        b"TOP 1 0\r\nTOP 1 99999999\r\n",
        (TOP_1 + HEAD_1 + FIRST_LINE + END) * 2,
    ),
    Case(
        "top-bound",
        b"TOP 2 2147483647\r\nTOP 2 99999999\r\n",
        b"-ERR line count out of range\r\n" + TOP_2 + MESSAGE_2 + END,
    ),
    Case("top-double-ok", b"TOP 2 0\r\n", b"+OK\r\n" + TOP_2 + MESSAGE_2 + END),
    Case(
        "top-marks-seen",
        b"LAST\r\nTOP 2 0\r\nLAST\r\n",
        b"+OK 0\r\n" + TOP_2 + MESSAGE_2 + END + b"+OK 2\r\n",
    ),
    Case(
        "top-retr-differ",
        b"TOP 1 0\r\nRETR 1\r\n",
        b"+OK\r\n"
        b"Received: from relay.example.com ([192.0.2.7]) by mail.example.com with Example SMTP\r\n"
        b"From: carol@example.com\r\nSubject: One\r\n\r\n.\r\n"
        b"+OK 136 octets\r\n"
        b"Received: from relay.example.com by mail.example.com; "
        b"Mon, 02 Jan 2023 10:00:00 +0000\r\n"
        b"From: carol@example.com\r\nSubject: One\r\n\r\nHello.\r\n.\r\n",
    ),
    Case(
        "top-extra-lines",
        b"TOP 1 0\r\nTOP 1 1\r\n",
        TOP_1 + HEAD_1 + FIRST_LINE + b"..\r\n" + END + TOP_1 + HEAD_1 + FIRST_LINE + END,
    ),
    Case("top-everything", b"TOP 1 0\r\n", TOP_1 + HEAD_1 + BODY_1 + END),
    Case("top-negative[whole]", b"TOP 1 -1\r\n", TOP_1 + HEAD_1 + BODY_1 + END),
    Case("top-negative[header]", b"TOP 1 -1\r\n", TOP_1 + HEAD_1 + END),
    Case(
        "top-no-blank-line",
        b"TOP 1 0\r\nRETR 1\r\n",
        TOP_1 + b"From: carol@example.com\r\nSubject: Only a header\r\n" + END
        + b"+OK 49 octets\r\nFrom: carol@example.com\r\nSubject: Only a header\r\n" + END,
    ),
    # Messages that do not come, or come otherwise
    Case(
        "retr-empty",
        b"LIST 2\r\nRETR 2\r\nNOOP\r\n",
        b"+OK 2 106\r\n+OK\r\n.\r\n+OK\r\n",
    ),
    Case(
        "retr-quota",
        b"RETR 2\r\nRETR 2\r\nRETR 2\r\nNOOP\r\n",
        (b"+OK 106 octets\r\n" + MESSAGE_2 + END) * 2
        + b"-ERR Download exceed. msg=10\r\n+OK\r\n",
    ),
    Case(
        "attachments-dropped",
        b"LIST 1\r\nRETR 1\r\n",
        b"+OK 1 373\r\n+OK 373 octets\r\n" + head("The file")
        + b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n" + END,
    ),
    Case(
        "retr-adds-fields[uncounted]",
        b"LIST 1\r\nRETR 1\r\nLIST 1\r\n",
        b"+OK 1 111\r\n"
        b"+OK\r\n" + head("One") + b"X-UID: 1\r\nStatus: O\r\nX-UIDL: first\r\n\r\nHello.\r\n" + END
        + b"+OK 1 147\r\n",
    ),
    Case(
        "retr-adds-fields[counted]",
        b"LIST 1\r\nRETR 1\r\n",
        b"+OK 1 123\r\n+OK 123 octets\r\n" + head("One") + b"Status:  O\r\n\r\nHello.\r\n" + END,
    ),
    Case(
        "retr-rewrites",
        b"LIST 1\r\nRETR 1\r\n",
        b"+OK 1 72\r\n+OK 72 octets\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: text/plain; charset="us-ascii"\r\nSubject: One\r\n'
        b"From: carol@example.com\r\nTo: alice@example.com\r\n\r\nHello.\r\n" + END,
    ),
    Case(
        "crcrlf[counted]",
        b"LIST 2\r\nRETR 2\r\n",
        b"+OK 2 111\r\n+OK 111 octets\r\n" + doubled(MESSAGE_2) + END,
    ),
    Case(
        "crcrlf[uncounted]",
        b"LIST 2\r\nRETR 2\r\n",
        b"+OK 2 106\r\n+OK 106 octets\r\n" + doubled(MESSAGE_2) + END,
    ),
    Case(
        "list-body-sizes",
        b"STAT\r\nLIST 1\r\nLIST 2\r\n",
        b"+OK 4 19992\r\n+OK 1 67\r\n+OK 2 -1\r\n",
    ),
    # Odd messages, served as they are
    Case(
        "nul-bytes",
        b"RETR 1\r\n",
        b"+OK 75 octets\r\nFrom: carol@example.com\r\nSubject: before\0behind\r\n\r\n"
        b"before\0behind\r\n\0\r\nlast\r\n" + END,
    ),
    Case(
        "cr-cr-lf-header-end",
        b"TOP 1 0\r\n",
        TOP_1 + b"From: carol@example.com\r\nSubject: One\r\n\r\r\nHello.\r\n\r\n" + END,
    ),
    Case(
        "from-line",
        b"RETR 1\r\nTOP 2 0\r\n",
        b"+OK 103 octets\r\nFrom carol@example.com Mon Jan  2 10:00:00 2023\r\n"
        b"From: carol@example.com\r\nSubject: As it is\r\n\r\nHello.\r\n" + END
        + TOP_2 + b">From dave@example.com Mon Jan  2 10:00:00 2023\r\n"
        b"From: dave@example.com\r\nSubject: Quoted\r\n\r\n" + END,
    ),
    Case(
        "uw-internal-message",
        b"TOP 1 0\r\n",
        TOP_1 + b"From: Mail System Internal Data <MAILER-DAEMON@mail.example.com>\r\n"
        b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n"
        b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
        b"X-IMAP: 1069172000 0000000042\r\nStatus: RO\r\n\r\n" + END,
    ),
    Case(
        "mbox-boundary-lost",
        b"STAT\r\nRETR 1\r\n",
        b"+OK 2 281\r\n+OK 166 octets\r\n"
        b"From: carol@example.com\r\nSubject: No body\r\n\r\n"
        b"From dave@example.com Mon Jan  2 10:00:00 2023\r\n"
        b"From: dave@example.com\r\nSubject: Hidden in the message before\r\n\r\nHello.\r\n" + END,
    ),
    # Commands in one segment, or in two
    Case(
        "pipelined-race[mixed]",
        b"RETR 1\r\nRETR 2\r\n",
        b"+OK\r\n" + HEAD_1[:-2] + b"+OK\r\n" + MESSAGE_2 + END + b"\r\n" + BODY_1 + END,
    ),
    Case("pipelined-race[closes]", b"NOOP\r\nRETR 1\r\nRETR 2\r\n", b"+OK\r\n"),
    # Answers
    Case(
        "dele-blank-reply",
        b"DELE 1\r\nDELE 1\r\nSTAT\r\n",
        b"\r\n-ERR message 1 is deleted\r\n+OK 3 20365\r\n",
    ),
    Case(
        "status-bare",
        b"LIST\r\nSTAT\r\nRETR 2\r\nRETR 9\r\nXYZZY\r\nNOOP\r\n",
        b"+OK\r\n1 194\r\n2 106\r\n3 259\r\n4 20000\r\n.\r\n"
        b"+OK 4 20559\r\n"
        b"+OK\r\n" + MESSAGE_2 + END + b"-ERR\r\n-ERR\r\n+OK\r\n",
    ),
    Case(
        "status-trailing-space",
        b"NOOP\r\nRETR 2\r\nTOP 1 0\r\n",
        b"+OK \r\n+OK \r\n" + MESSAGE_2 + END + b"+OK \r\n" + HEAD_1 + END,
    ),
    # Message numbers and arguments
    Case(
        "number-as-sent",
        b"LIST 01\r\nLIST +1\r\nLIST 1\r\n",
        b"+OK 01 194\r\n+OK +1 194\r\n+OK 1 194\r\n",
    ),
    Case(
        "number-wraps",
        b"LIST 4294967297\r\nDELE 4294967297\r\nLIST 1\r\nTOP 4294967297 0\r\n",
        b"+OK 1 194\r\n+OK message 1 deleted\r\n" + b"-ERR message 1 is deleted\r\n" * 2,
    ),
    Case(
        "number-junk",
        b"LIST 1abc\r\nLIST 12\r\nDELE 2,3\r\nLIST 2\r\nLIST 3\r\n",
        b"+OK 1 194\r\n-ERR no such message, only 4 in the maildrop\r\n"
        b"+OK message 2 deleted\r\n-ERR message 2 is deleted\r\n+OK 3 259\r\n",
    ),
    Case(
        "surplus-arguments",
        b"LIST 1 2\r\nDELE 2 3\r\nLIST 2\r\nLIST 3\r\n",
        b"+OK 1 194\r\n+OK message 2 deleted\r\n-ERR message 2 is deleted\r\n+OK 3 259\r\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_octets(case: Case) -> None:
    """The quirk shows in exactly these octets."""
    assert talk(MockServer(case.scenario), case.sent) == case.comes


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_only_by_the_file(case: Case) -> None:
    """The default server shows none of this."""
    assert talk(MockServer(), case.sent) != case.comes


def test_no_crlf_after_dot() -> None:
    """The dot comes alone, in a segment of its own, and that is all."""
    said = answers(MockServer("no-crlf-after-dot"), b"RETR 2\r\n")

    assert said == [Send(b"+OK 106 octets\r\n" + MESSAGE_2), Pause(0.01), Send(b".")]


def test_split_terminator() -> None:
    """The line end of the dot comes in the next segment; both together are right."""
    first, _, second = said = answers(MockServer("split-terminator"), b"TOP 2 0\r\n")

    assert said == [Send(TOP_2 + MESSAGE_2 + b"."), Pause(0.01), Send(b"\r\n")]
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert held([first.data, second.data]) == talk(MockServer(), b"TOP 2 0\r\n")


@pytest.mark.parametrize("scenario", ["no-crlf-after-dot", "split-terminator"])
def test_refusals_end_as_they_should(scenario: str) -> None:
    """What is refused has one line, and that is whole."""
    assert talk(MockServer(scenario), b"RETR 9\r\n") == talk(MockServer(), b"RETR 9\r\n")


def test_top_truncated() -> None:
    """A big message ends early, on a line of its own; a small one comes whole."""
    server = MockServer("top-truncated")

    big = talk(server, b"TOP 1 99999999\r\n").removeprefix(TOP_1)
    whole = talk(server, b"RETR 1\r\n").partition(b"\r\n")[2]
    small = talk(server, b"TOP 2 99999999\r\n").partition(b"\r\n")[2]

    assert len(big) == 65536 + len(b"\r\n.\r\n")
    assert big == whole[:65536] + b"\r\n.\r\n"
    assert len(whole) == 100000 + len(END)
    assert small == talk(server, b"RETR 2\r\n").partition(b"\r\n")[2]


def test_long_lines() -> None:
    """The body is a single line."""
    said = talk(MockServer("long-lines"), b"RETR 1\r\n")

    body = said.partition(b"\r\n\r\n")[2].removesuffix(END)
    assert body.count(b"\r\n") == 1
    assert len(body) > 2048


def test_col_1024() -> None:
    """What stands behind the 1024th octet of a line is lost, and counted."""
    said = talk(MockServer("col-1024"), b"RETR 1\r\n")
    whole = talk(MockServer("long-lines"), b"RETR 1\r\n")

    status, _, header_and_body = whole.partition(b"\r\n")
    header, _, body = header_and_body.partition(b"\r\n\r\n")
    assert said == status + b"\r\n" + header + b"\r\n\r\n" + body[:1024] + b"\r\n" + END


def test_pipelined_race_one_at_a_time() -> None:
    """A client that waits for each answer sees nothing odd."""
    for variant in ("mixed", "closes"):
        session = MockServer(f"pipelined-race[{variant}]").session()
        session.receive(b"USER alice\r\nPASS secret\r\n")

        assert session.receive(b"RETR 2\r\n") == [Send(b"+OK 106 octets\r\n" + MESSAGE_2 + END)]


def test_pipelined_race_closes() -> None:
    """The connection ends at the first RETR of two."""
    assert answers(MockServer("pipelined-race[closes]"), b"RETR 1\r\nRETR 2\r\n") == [End("close")]


@pytest.mark.parametrize(
    ("scenario", "first", "second"),
    [
        (
            "partial-command[refused]",
            [Send(b"-ERR bad command\r\n")],
            [Send(b"-ERR unknown command\r\n")],
        ),
        ("partial-command[closes]", [Send(b"-ERR bad command\r\n"), End("close")], []),
        ("default", [], [Send(b"+OK\r\n")]),
    ],
)
def test_partial_command(scenario: str, first: list[object], second: list[object]) -> None:
    """The first half of a command is taken for one, and what is left for another."""
    session = MockServer(scenario).session()
    session.receive(b"USER alice\r\nPASS secret\r\n")

    assert session.receive(b"NOO") == first
    assert session.receive(b"P\r\n") == second


def test_uw_internal_message() -> None:
    """A client that deletes what is no mail does what the scenario forbids."""
    server = MockServer("uw-internal-message")

    answers(server, b"RETR 1\r\nRETR 2\r\nDELE 2\r\n")
    spared = list(server.broken_expectations())
    answers(server, b"DELE 1\r\n")

    assert spared == []
    assert len(server.broken_expectations()) == 1


def test_retr_quota_is_the_users() -> None:
    """The quota is the user's: another connection does not help."""
    server = MockServer("retr-quota")
    talk(server, b"RETR 1\r\nRETR 2\r\n")

    assert talk(server, b"RETR 3\r\n") == b"-ERR Download exceed. msg=10\r\n"
