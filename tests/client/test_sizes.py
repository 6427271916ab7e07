"""A size is a hint: whatever the server announces, the message comes out right."""

from __future__ import annotations

from typing import Any

import pytest

from pop3client import _retrieval
from pop3client._config import TLS, Config, Limits, RetrMode
from pop3client._session import Session
from pop3client._states import State
from pop3client._wants import Ask, Receive, Send

pytestmark = pytest.mark.once

HEAD = (
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain;\r\n"
    b'              charset="us-ascii"\r\n'
    b"\r\n"
    b"Test ______\r\n"
    b"\r\n"
)
A = HEAD + b".\r\n\r\n--\r\nDone\r\n"
B = HEAD + b"This line can cause a failure.\r\n\r\n--\r\nDone\r\n"
TERMINATOR = b".\r\n"
A_SENT = A.replace(b"\r\n.\r\n", b"\r\n..\r\n") + TERMINATOR
B_SENT = B + TERMINATOR
ODD_SIZES = (-1, -112, 2**31 - 1, 2**31, 2**32 + 112, 2**63, 10**30)
MODES = list(RetrMode)


def fetch(
    mode: RetrMode, announced: bytes, sent: bytes, *, step: int | None
) -> tuple[bytes, Session]:
    """Drive one RETR by hand: no socket, no client, so that thousands take a moment."""
    config = Config(host="h", port=110, tls=TLS.NONE, retr_mode=mode, limits=Limits())
    session = Session(config)
    session.state, session.count = State.TRANSACTION, 1
    inbox = b""
    steps = _retrieval.retr(session, 1)
    want: Any = next(steps)
    while True:
        answer: Any = None
        if type(want) in (Ask, Send):
            assert not inbox
            inbox = {
                b"LIST 1\r\n": b"+OK 1 " + announced + b"\r\n",
                b"NOOP\r\n": b"+OK\r\n",
                b"RETR 1\r\n": b"+OK " + announced + b"\r\n" + sent,
            }[want.data]
        if type(want) in (Ask, Receive):
            count = min(step or len(inbox), len(inbox), len(want.into))
            assert count > 0, "the client waits for more than the server sends"
            want.into[:count] = inbox[:count]
            inbox = inbox[count:]
            answer = (True, count) if type(want) is Ask else count
        try:
            want = steps.send(answer)
        except StopIteration as stop:
            assert not inbox
            assert not session.wire.pending
            return stop.value.raw, session


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "raw", "sent"), [("A", A, A_SENT), ("B", B, B_SENT)])
def test_every_announced_size_whole(mode: RetrMode, name: str, raw: bytes, sent: bytes) -> None:
    """For every announced size the message is exact, when it comes in one piece."""
    for size in (*range(10_001), *ODD_SIZES):
        got, _ = fetch(mode, b"%d octets" % size, sent, step=None)

        assert got == raw, size


# In the third mode no size is looked at.
@pytest.mark.parametrize("mode", [RetrMode.RETR, RetrMode.LIST])
def test_announced_sizes_octet_by_octet(mode: RetrMode) -> None:
    """For small and large announced sizes the message is exact, an octet at a time."""
    for size in (*range(1_001), *range(1_001, 10_001, 97), *ODD_SIZES):
        got, _ = fetch(mode, b"%d" % size, A_SENT, step=1)

        assert got == A, size


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"octets",
        b"Message follows",
        b"many octets",
        b"2024-01-01",
        b"0x70 octets",
        b"112octets",
        b"+112 octets",
        b"1e2",
        b"\xff\xfe",
    ],
)
def test_no_number_is_no_hint(mode: RetrMode, text: bytes, cut: int | None) -> None:
    """What is not a number is ignored, not guessed at."""
    got, _ = fetch(mode, text, A_SENT, step=cut)

    assert got == A


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("piece", range(2, 120))
def test_every_piece_size(mode: RetrMode, piece: int) -> None:
    """However TCP cuts the reply, the message is exact."""
    got, _ = fetch(mode, b"%d" % len(A), A_SENT, step=piece)

    assert got == A


def test_right_size_keeps_the_mode() -> None:
    """A size that is right leaves the mode in force, and nothing to remark on."""
    _, session = fetch(RetrMode.RETR, b"%d octets" % len(A), A_SENT, step=None)

    assert session.config.retr_mode is RetrMode.RETR
    assert session.deviations.entries == ()


@pytest.mark.parametrize(
    ("text", "quirk"),
    [
        (b"", "retr-without-size"),
        (b"Message follows", "retr-without-size"),
        (b"many octets", "retr-size-not-a-number"),
        (b"-112 octets", "retr-size-not-a-number"),
        (b"2024-01-01", "retr-size-not-a-number"),
        (b"111 octets", "retr-size-too-small"),
        (b"0", "retr-size-too-small"),
        (b"113 octets", "retr-size-too-large"),
    ],
)
def test_retr_falls_to_list(text: bytes, quirk: str, cut: int | None) -> None:
    """A size in RETR's status line that is absent, no number or wrong: look at LIST from now on."""
    _, session = fetch(RetrMode.RETR, text, A_SENT, step=cut)

    assert session.config.retr_mode is RetrMode.LIST
    assert [(entry.quirk, entry.where) for entry in session.deviations.entries] == [(quirk, "RETR")]


@pytest.mark.parametrize("text", [b"111", b"113", b"-112", b"many", b""])
def test_list_falls_to_slow(text: bytes, cut: int | None) -> None:
    """A size from LIST that is wrong, or no number: look nowhere from now on."""
    _, session = fetch(RetrMode.LIST, text, A_SENT, step=cut)

    assert session.config.retr_mode is RetrMode.SLOW
    assert [entry.quirk for entry in session.deviations.entries] == ["list-sizes-wrong"]


def test_fall_back_is_lasting_and_visible(fake: Any, cut: int | None) -> None:
    """Mode retr falls to list and list to slow, once each, and config shows the mode in force."""
    server = fake(
        {
            "RETR": fake.message(A, b"ready"),
            **{f"RETR {number}": fake.message(A, b"ready") for number in (1, 2, 3)},
            **{f"LIST {number}": b"-ERR not here\r\n" for number in (1, 2, 3)},
        },
        cut=cut,
    )
    client = server.connect()
    modes = [client.config.retr_mode]

    for number in (1, 2, 3):
        assert client.retr(number).raw == A
        modes.append(client.config.retr_mode)

    assert modes == [RetrMode.RETR, RetrMode.LIST, RetrMode.SLOW, RetrMode.SLOW]
    assert server.sent[5:] == [b"RETR 1\r\n", b"LIST 2\r\n", b"RETR 2\r\n", b"RETR 3\r\n"]
    assert [entry.quirk for entry in client.deviations] == [
        "retr-without-size",
        "list-single-refused",
    ]


def test_refusal_of_a_missing_message_teaches_nothing(fake: Any) -> None:
    """LIST and RETR both refused: there is no such message, and LIST may still work."""
    server = fake({"LIST 4": b"-ERR no such message\r\n", "RETR 4": b"-ERR no such message\r\n"})
    client = server.connect(retr_mode=RetrMode.LIST)

    with pytest.raises(Exception, match="no such message"):
        client.retr(4)

    assert client.config.retr_mode is RetrMode.LIST
    assert client.deviations == ()


@pytest.mark.parametrize("answer", [b"+OK 2 112\r\n", b"+OK 112\r\n"])
def test_a_size_of_another_message(fake: Any, cut: int | None, answer: bytes) -> None:
    """A size that LIST gives for another message, or for none, is no size."""
    server = fake({"LIST 1": answer}, mail=(A, B), cut=cut)
    with server.connect(retr_mode=RetrMode.LIST) as client:
        assert client.retr(1).raw == A
        assert [entry.quirk for entry in client.deviations] == ["list-sizes-wrong"]
        assert client.config.retr_mode is RetrMode.SLOW


def test_a_lying_size_costs_little_memory(fake: Any) -> None:
    """A size of terabytes does not make the client reserve them, nor keep what it has reserved."""
    raw = A + b"x" * 500_000 + b"\r\n.\r\n"  # more than a buffer, so that room is made for it
    client = fake({"RETR 1": fake.message(raw, b"9" * 18 + b" octets")}).connect()

    assert client.retr(1).raw == raw
    assert len(client._session.wire._buffer) <= 33 * 1024 * 1024
    client.noop()
    assert len(client._session.wire._buffer) <= 64 * 1024


def test_exchange_sizes_are_never_looked_at(fake: Any) -> None:
    """With msex the mode is slow from the start, unless LIST was asked for."""
    assert fake().client(msex=True).config.retr_mode is RetrMode.SLOW
    assert fake().client(msex=True, retr_mode=RetrMode.LIST).config.retr_mode is RetrMode.LIST


def test_big_messages_share_a_buffer(fake: Any) -> None:
    """The room for a big message stays for the next one, and no longer than it is of use."""
    big = A + b"x" * 1_500_000 + b"\r\n"
    with fake(mail=(big, big, b"small\r\n", b"small\r\n")).connect() as client:
        client.retr(1)
        first = client._session.wire._buffer
        client.retr(2)
        assert client._session.wire._buffer is first
        client.retr(3)
        client.retr(4)

        assert len(client._session.wire._buffer) == 64 * 1024
