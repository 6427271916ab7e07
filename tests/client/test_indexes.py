"""Index words: which messages a range means, and what that puts on the wire."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client

BAD_STARTS = ["last", "begin", "s*", "START", "", "1", -1, -2, 1.0, True, None, b"start"]
BAD_ENDS = ["start", "next", "e*", "END", "", "3", -2, 2.0, False, b"end"]


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        (1, None, [1]),
        (2, None, [2]),
        (0, None, [1]),
        (1, -1, [1]),
        ("start", None, [1]),
        ("end", None, [3]),
        ("next", None, [1]),
        (1, 2, [1, 2]),
        (0, 2, [1, 2]),
        ("start", "end", [1, 2, 3]),
        (2, "end", [2, 3]),
        ("end", "end", [3]),
        (2, 99, [2, 3]),
        (3, 2, []),
        (1, 0, []),
        (4, None, []),
        (4, 9, []),
        (99, "end", []),
        (1, "last", []),
        ("next", "last", []),
        ("next", "end", [1, 2, 3]),
    ],
)
def test_ranges(fake: Any, start: Any, end: Any, numbers: list[int]) -> None:
    """Words, 0, -1 and clipping, in a maildrop of three of which none was read."""
    with fake({"LAST": b"+OK 0\r\n"}).connect() as client:
        assert [message.number for message in client.iter_retrieve(start, end)] == numbers
    with fake({"LAST": b"+OK 0\r\n"}).connect() as client:
        assert [message.number for message in client.retrieve(start, end)] == numbers
    with fake({"LAST": b"+OK 0\r\n"}).connect() as client:
        assert client.delete(start, end) == numbers


@pytest.mark.parametrize("start", [1, 0, "start", "next", "end"])
def test_empty_maildrop(fake: Any, start: Any) -> None:
    """In an empty maildrop every range is empty."""
    with fake(mail=()).connect() as client:
        assert client.retrieve(start) == []
        assert client.retrieve(start, "end") == []


@pytest.mark.parametrize("method", ["retrieve", "delete", "iter_retrieve"])
@pytest.mark.parametrize(
    ("start", "end"), [*((bad, None) for bad in BAD_STARTS), *((1, bad) for bad in BAD_ENDS)]
)
def test_bad_words(fake: Any, method: str, start: Any, end: Any) -> None:
    """A word that is none is refused before anything is sent, and the client stays usable."""
    server = fake()
    with server.connect() as client:
        before = list(server.sent)
        with pytest.raises(pop3client.InvalidArgument, match="expected") as caught:
            getattr(client, method)(start, end)

        assert isinstance(caught.value, ValueError)
        assert server.sent == before
        assert client.retr(1).raw == b"one\r\n"


def test_a_bad_end_is_refused_before_last_is_asked(fake: Any) -> None:
    """Both words are looked at first."""
    server = fake()
    with server.connect() as client:
        with pytest.raises(pop3client.InvalidArgument):
            client.retrieve("next", "nonsense")

        assert b"LAST\r\n" not in server.sent


def test_last_is_asked_only_for_its_words(fake: Any) -> None:
    """LAST goes out for "next" and "last" and for nothing else."""
    server = fake({"LAST": b"+OK 1\r\n"})
    with server.connect() as client:
        client.retrieve("start", "end")
        client.retrieve("end")
        assert server.sent.count(b"LAST\r\n") == 0

        client.rset()
        assert [message.number for message in client.retrieve("next")] == [2]
        assert [message.number for message in client.retrieve("start", "last")] == [1, 2]
        assert server.sent.count(b"LAST\r\n") == 2


def test_without_last_memory_serves(fake: Any, cut: int | None) -> None:
    """A server without LAST is asked once; then "next" walks through the maildrop."""
    server = fake(cut=cut)
    with server.connect() as client:
        walk = [message.number for _ in range(5) for message in client.retrieve("next")]

        assert walk == [1, 2, 3]
        assert [message.number for message in client.retrieve("start", "last")] == [1, 2, 3]
        assert server.sent.count(b"LAST\r\n") == 1
        assert [entry.quirk for entry in client.deviations] == ["no-last"]


def test_last_that_is_always_zero(fake: Any, cut: int | None) -> None:
    """A LAST of 0 after a message was read is not believed, nor asked again."""
    server = fake({"LAST": b"+OK 0\r\n"}, cut=cut)
    with server.connect() as client:
        walk = [message.number for _ in range(4) for message in client.retrieve("next")]

        assert walk == [1, 2, 3]
        assert server.sent.count(b"LAST\r\n") == 2
        assert [entry.quirk for entry in client.deviations] == ["last-zero"]


def test_last_from_earlier_sessions(fake: Any) -> None:
    """A server that remembers earlier sessions knows better than the client."""
    with fake({"LAST": b"+OK 2\r\n"}).connect() as client:
        assert [message.number for message in client.retrieve("next", "end")] == [3]


def test_last_that_makes_no_sense(fake: Any) -> None:
    """LAST without a number is no LAST."""
    with fake({"LAST": b"+OK what\r\n"}).connect() as client:
        assert [message.number for message in client.retrieve("next")] == [1]
        assert [entry.quirk for entry in client.deviations] == ["no-last"]


def test_last_beyond_the_maildrop(fake: Any) -> None:
    """LAST of more than there is gives an empty range, not a RETR beyond the end."""
    with fake({"LAST": b"+OK 500\r\n"}).connect() as client:
        assert client.retrieve("next") == []


def test_deleting_does_not_shrink_the_range(fake: Any) -> None:
    """STAT counts deleted messages out, but the last number stays the last."""
    server = fake({"STAT": [b"+OK 3 14\r\n", b"+OK 2 9\r\n"]})
    with server.connect() as client:
        client.delete(1)
        client.stat()

        assert [message.number for message in client.retrieve("end")] == [3]


def test_msex_never_asks_last(fake: Any) -> None:
    """With msex "next" goes by the client's own memory."""
    server = fake()
    with server.connect(msex=True) as client:
        assert [m.number for _ in range(4) for m in client.retrieve("next")] == [1, 2, 3]
        assert b"LAST\r\n" not in server.sent


GAPS = {
    "STAT": b"+OK 3 30\r\n",
    "LIST": b"+OK\r\n2 10\r\n4 10\r\n7 10\r\n.\r\n",
    "LAST": b"+OK 0\r\n",
    **{f"RETR {number}": b"-ERR no such message\r\n" for number in (1, 3, 5, 6)},
    **{f"RETR {number}": b"+OK 3 octets\r\nx\r\n.\r\n" for number in (2, 4, 7)},
}


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        ("start", "end", [2, 4, 7]),
        ("start", None, [2]),
        ("end", None, [7]),
        ("next", None, [2]),
        (3, "end", [4, 7]),
        (3, 6, [4]),
        (1, None, []),
        (5, 6, []),
        (8, "end", []),
    ],
)
def test_ranges_where_numbers_have_gaps(
    fake: Any, start: Any, end: Any, numbers: list[int]
) -> None:
    """Once a listing has shown that numbers are not 1, 2, 3, ranges and words go by it."""
    with fake(GAPS).connect() as client:
        client.list()

        assert [message.number for message in client.iter_retrieve(start, end)] == numbers
    with fake(GAPS).connect() as client:
        client.list()

        assert client.delete(start, end) == numbers


def test_messages_where_numbers_have_gaps(fake: Any) -> None:
    """What is marked as deleted is no gap, and all messages are all that are there."""
    with fake(GAPS).connect() as client:
        client.list()
        client.dele(4)
        client.stat()
        client.list()

        assert [message.number for message in client.messages()] == [2, 7]


@pytest.mark.parametrize(
    "listing", [b"1 5\r\n3 7\r\n", b"1 5\r\n2 5\r\n3 7\r\n4 9\r\n", b"2 5\r\n3 5\r\n", b""]
)
def test_listings_that_tell_nothing_of_gaps(fake: Any, listing: bytes) -> None:
    """A listing with fewer or more messages than STAT counted does not change the range."""
    with fake({"LIST": b"+OK\r\n" + listing + b".\r\n"}).connect() as client:
        client.list()

        assert [message.number for message in client.retrieve("start", "end")] == [1, 2, 3]


def test_gaps_are_told_after_a_dele_too(fake: Any) -> None:
    """A message that is marked as deleted is not listed, and still counts for what STAT said."""
    listing = {"LIST": b"+OK\r\n2 10\r\n7 10\r\n.\r\n"}
    with fake(GAPS | listing).connect() as client:
        client.dele(4)
        client.list()

        assert [message.number for message in client.messages()] == [2, 7]
