r"""Where lines begin and replies end; nothing may depend on how TCP cuts the octets."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pop3client
from pop3client import _wire
from pop3client._wants import Deliver, Receive
from pop3client._wire import Wire


def read(
    data: bytes, status_end: bytes = b"\r\n", *, cuts: Any = None, stream: bool = False
) -> Any:
    """Read one body through the wire; gives octets, what is left, and the Body."""
    wire = Wire()
    inbox = b"+OK" + status_end + data
    parts: list[bytes] = []

    def both() -> Any:
        yield from wire.read_line("RETR", 100)
        return (yield from wire.read_body("RETR", status_end, stream=stream))

    steps = both()
    want = next(steps)
    pieces = iter(cuts or ())
    while True:
        answer = None
        if type(want) is Receive:
            answer = min(next(pieces, len(inbox)) if cuts is not None else len(inbox), len(inbox))
            answer = min(answer, len(want.into))
            if not inbox:
                raise EOFError
            want.into[:answer] = inbox[:answer]
            inbox = inbox[answer:]
        elif type(want) is Deliver:
            parts.append(want.data)
        try:
            want = steps.send(answer)
        except StopIteration as stop:
            body = stop.value
            break
    raw = b"".join(parts) if stream else body.raw
    assert body.octets == len(raw)
    return raw, wire.pending + inbox, body


CASES = [
    ("empty", b"\r\n", b".\r\n", b""),
    ("empty, dot LF", b"\r\n", b".\n", b""),
    ("empty, LF", b"\n", b".\n", b""),
    ("empty, LF then CRLF dot", b"\n", b".\r\n", b""),
    ("plain", b"\r\n", b"a\r\nb\r\n.\r\n", b"a\r\nb\r\n"),
    ("blank line last", b"\r\n", b"a\r\n\r\n.\r\n", b"a\r\n\r\n"),
    ("first line stuffed", b"\r\n", b"..a\r\n.\r\n", b".a\r\n"),
    ("first line is a dot", b"\r\n", b"..\r\n.\r\n", b".\r\n"),
    ("two dots", b"\r\n", b"...\r\n.\r\n", b"..\r\n"),
    ("every line stuffed", b"\r\n", b"..\r\n..\r\n....x\r\n.\r\n", b".\r\n.\r\n...x\r\n"),
    ("dots inside lines", b"\r\n", b"a..b.\r\n.\r\n", b"a..b.\r\n"),
    ("not stuffed", b"\r\n", b"a\r\n.b\r\n.\r\n", b"a\r\n.b\r\n"),
    ("not stuffed, first", b"\r\n", b".b\r\n.\r\n", b".b\r\n"),
    ("dot CR and more", b"\r\n", b".\rb\r\n.\r\n", b".\rb\r\n"),
    ("dot LF", b"\r\n", b"a\r\nb\r\n.\n", b"a\r\nb\r\n"),
    ("LF only", b"\n", b"a\nb\n.\n", b"a\nb\n"),
    ("LF only, stuffed", b"\n", b"..a\n..\n.\n", b".a\n.\n"),
    ("LF only, CRLF dot", b"\n", b"a\nb\n.\r\n", b"a\nb\n"),
    ("bare LF dot in CRLF", b"\r\n", b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
    ("bare LF dot CRLF in CRLF", b"\r\n", b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
    ("bare LF dots in CRLF", b"\r\n", b"a\n..b\r\n.\r\n", b"a\n..b\r\n"),
    ("LF status, CRLF body", b"\n", b"a\r\n..b\n.\nc\r\n.\r\n", b"a\r\n.b\n.\nc\r\n"),
    ("LF, then CRLF", b"\n", b"..a\n..b\r\n..c\n..d\r\n.\r\n", b".a\n.b\r\n.c\n..d\r\n"),
    ("bare CR", b"\r\n", b"a\rb\r\n\r.\r\n.\r\n", b"a\rb\r\n\r.\r\n"),
    ("CR CR LF", b"\r\n", b"a\r\r\n.\r\n", b"a\r\r\n"),
    ("NUL and 8 bit", b"\r\n", b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
    ("no line end before the dot", b"\r\n", b"a.\r\n\r\n.\r\n", b"a.\r\n\r\n"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole message", "streamed"])
@pytest.mark.parametrize(
    ("status_end", "sent", "raw"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bodies(status_end: bytes, sent: bytes, raw: bytes, stream: bool) -> None:
    """Each body comes out the same whole, octet by octet, and cut in two anywhere."""
    after = b"+OK next\r\n"
    size = len(sent) + 10

    cuts_to_try = [None, [1] * size, *([n, size] for n in range(1, size))]
    for cuts in cuts_to_try:
        got, left, _ = read(sent + after, status_end, cuts=cuts, stream=stream)

        assert (got, left) == (raw, after), cuts


@settings(derandomize=True, database=None)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from([b"", b".", b"..", b".x", b"x", b"x\n", b"\n.", b"\r", b"\n..\n"]),
            st.sampled_from([b"\r\n"]),
        ),
        max_size=12,
    ),
    cuts=st.lists(st.integers(1, 9), max_size=60),
    filler=st.sampled_from([0, 65_530, 65_536, 70_001]),
)
def test_stuffing_round_trip(
    lines: list[tuple[bytes, bytes]], cuts: list[int], filler: int
) -> None:
    """What a server stuffs by the RFC comes out as it went in, in one piece or streamed."""
    text = [b"y" * filler, *(line for line, _ in lines)] if filler else [line for line, _ in lines]
    raw = b"".join(line + b"\r\n" for line in text)
    sent = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"

    assert read(sent, cuts=[*cuts, *[5000] * 40])[0] == raw
    assert read(sent, cuts=[*cuts, *[5000] * 40], stream=True)[0] == raw


@settings(derandomize=True, database=None)
@given(
    data=st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n."]), max_size=40).map(
        b"".join
    ),
    status_end=st.sampled_from([b"\r\n", b"\n"]),
    cuts=st.lists(st.integers(1, 7), max_size=60),
)
def test_framing_does_not_depend_on_segments(
    data: bytes, status_end: bytes, cuts: list[int]
) -> None:
    """Any octets in any segmentation give one result."""

    def outcome(**how: Any) -> Any:
        try:
            return read(data, status_end, **how)
        except EOFError:
            return "more is expected"

    whole = outcome()

    assert outcome(cuts=cuts) == whole
    assert outcome(cuts=[1] * 100) == whole
    streamed = outcome(cuts=cuts, stream=True)
    assert (streamed == whole) if isinstance(whole, str) else (streamed[:2] == whole[:2])


def test_long_lines_and_long_messages(fake: Any) -> None:
    """A body line may be as long as it likes; so may the message."""
    raw = b"x" * 3_000_000 + b"\r\n" + b"..y\r\n" * 100_000
    server = fake(mail=(raw,), cut=100_000)

    with server.connect() as client:
        assert client.retr(1).raw == raw


def test_streaming_takes_constant_memory(fake: Any) -> None:
    """retr_to writes the message in parts and never holds more than a buffer of it."""
    raw = b".line\r\n" * 500_000

    class Sink:
        most = total = 0

        def write(self, data: bytes) -> None:
            self.most = max(self.most, len(data))
            self.total += len(data)

    sink = Sink()
    server = fake({"RETR 1": fake.message(raw)}, cut=50_000)

    with server.connect(retr_mode=pop3client.RetrMode.SLOW) as client:
        octets = client.retr_to(1, sink)

        assert octets == sink.total == len(raw)
        assert sink.most < 200_000
        assert len(client._session.wire._buffer) < 400_000


def test_retr_to_gives_what_retr_gives(fake: Any, cut: int | None) -> None:
    """A file gets the octets that a Message has."""
    raw = b".a\r\n" * 30_000 if cut is None else b".a\r\n" * 100
    file = io.BytesIO()

    with fake(mail=(raw,), cut=cut).connect() as client:
        assert client.retr_to(1, file) == len(raw)

    assert file.getvalue() == raw


def test_tiny_pieces_are_not_rescanned() -> None:
    """The work for a body grows with its octets, not with their square."""
    reads: list[int] = []

    class Counting(bytearray):
        def find(self, needle: Any, start: int = 0, end: int = 0) -> int:  # type: ignore[override]
            reads.append(end - start)
            return super().find(needle, start, end)

    wire = Wire()
    wire._buffer = Counting(64 * 1024)
    data = b"+OK\r\n" + b"x" * 5000 + b"\r\n.\r\n"

    def both() -> Any:
        yield from wire.read_line("RETR", 100)
        return (yield from wire.read_body("RETR", b"\r\n"))

    steps = both()
    next(steps)
    for position in range(len(data) - 1):
        # The view that was asked for begins where the last octet ended.
        wire._buffer[position] = data[position]
        steps.send(1)
    wire._buffer[len(data) - 1] = data[-1]
    with pytest.raises(StopIteration):
        steps.send(1)

    assert sum(reads) < 20 * len(data)


@pytest.mark.parametrize("answer", [b"+OK\r\n.\r\n", b"+OK\n.\n", b"+OK\r\n.\n", b"+OK\n.\r\n"])
def test_empty_listing(fake: Any, cut: int | None, answer: bytes) -> None:
    """The terminator may follow the status line at once."""
    with fake({"LIST": answer}, cut=cut).connect() as client:
        assert client.list() == []


def test_listing_with_mixed_line_ends(fake: Any, cut: int | None) -> None:
    """A line of a listing ends in CRLF or LF."""
    with fake({"LIST": b"+OK\r\n1 2\n2 3\r\n.\n"}, cut=cut).connect() as client:
        assert client.list() == [
            pop3client.ScanListing(1, 2),
            pop3client.ScanListing(2, 3),
        ]


def test_a_stuffed_line_cut_anywhere_in_a_stream(fake: Any) -> None:
    """A part that is handed on never ends inside CRLF, dot, dot."""
    for filler in range(65_520, 65_545):
        raw = b"x" * filler + b"\r\n.\r\n..\r\n.y\r\n" + b"z" * 70_000 + b"\r\n.\r\n"
        file = io.BytesIO()
        with fake(mail=(raw,), cut=4096).connect() as client:
            client.retr_to(1, file)

        assert file.getvalue() == raw


def long_body(cuts: list[int]) -> bytes:
    """A message of several buffers, with a line that begins with dots at each of these places."""
    body = bytearray()
    for place in [*cuts, 1_000_000]:
        filler = place - len(body) - 2
        if filler > 0:
            body += b"x" * filler + b"\r\n"
        body += b".y\r\n..\r\n\n.\n.\r"
    return bytes(body) + b"\r\n"


@pytest.mark.parametrize("most", [65_536, 300_000, None])
@pytest.mark.parametrize("announced", [b"", b"1", b"exact", b"99999999"])
@pytest.mark.parametrize("cut", [None, 65_536, 50_000, 65_537, 262_143])
def test_long_bodies(
    fake: Any,
    cut: int | None,
    announced: bytes,
    most: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message is exact wherever it is cut and dots stand, also if the buffer may not hold it."""
    if most is not None:
        monkeypatch.setattr(_wire, "_MOST_ROOM", most)
    places = [*range(65_525, 65_545, 3), *range(131_060, 131_080, 3), *range(262_130, 262_160, 3)]
    raw = long_body(places)
    text = b"%d" % len(raw) if announced == b"exact" else announced
    server = fake({"RETR 1": fake.message(raw, text), "RETR 2": fake.message(raw[1:])}, cut=cut)
    with server.connect() as client:
        assert client.retr(1).raw == raw
        assert client.retr(2).raw == raw[1:]
        assert len(client._session.wire._buffer) < 2 * (most or 2**25) + 300_000


@pytest.mark.parametrize("most", [65_536, 2**25])
def test_a_long_body_that_is_cut_short(
    fake: Any, cut: int | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that had come of a message is in the error."""
    monkeypatch.setattr(_wire, "_MOST_ROOM", most)
    sent = b"x" * 100_000 + b"\r\n..\r\n" + b"y" * 100_000
    answers = {"RETR 1": (b"+OK 300000\r\n" + sent, fake.End.CLOSE)}
    client = fake(answers, cut=cut and 70_000).connect()

    with pytest.raises(pop3client.ConnectionClosed) as caught:
        client.retr(1)

    assert caught.value.received == sent
