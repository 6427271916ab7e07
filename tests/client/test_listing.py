"""The sequence that LIST and UIDL give for all messages, and what it is made of."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from pop3client import LimitExceeded, Limits, Listing, ScanListing, UniqueId
from pop3client._replies import plain

SIZES = [ScanListing(1, 120), ScanListing(2, 0), ScanListing(3, 99)]
PLAIN = b"1 120\r\n2 0\r\n3 99\r\n"
IDS = [UniqueId(1, b"a"), UniqueId(2, b"1"), UniqueId(3, b"~!")]
PLAIN_IDS = b"1 a\r\n2 1\r\n3 ~!\r\n"

WAYS: list[tuple[Any, list[Any]]] = [
    (Listing(ScanListing, [PLAIN]), SIZES),
    (Listing(ScanListing, [PLAIN[:7], PLAIN[7:]]), SIZES),
    (Listing(ScanListing, SIZES), SIZES),
    (Listing(ScanListing, [PLAIN[:7], SIZES[1], PLAIN[12:]]), SIZES),
    (Listing(UniqueId, [PLAIN_IDS]), IDS),
    (Listing(UniqueId, [IDS[0], PLAIN_IDS[5:]]), IDS),
    (Listing(UniqueId, [PLAIN_IDS[:10], IDS[2]]), IDS),
    (Listing(ScanListing, []), []),
    (Listing(UniqueId, []), []),
]


@pytest.mark.parametrize(("listing", "entries"), WAYS)
def test_a_sequence(listing: Any, entries: list[Any]) -> None:
    """It is what a list of its entries is: length, order, places, slices, search."""
    listing = copy.copy(listing)

    assert isinstance(listing, Sequence)
    assert len(listing) == len(entries)
    assert list(listing) == entries
    assert list(reversed(listing)) == entries[::-1]
    assert [listing[place] for place in range(-len(entries), len(entries))] == 2 * entries
    assert listing[1:] == entries[1:]
    assert listing[::-2] == entries[::-2]
    assert [type(entry) for entry in listing] == [type(entry) for entry in entries]
    assert [listing.index(entry) for entry in entries] == list(range(len(entries)))
    assert (9, 9) not in listing
    with pytest.raises(IndexError):
        listing[len(entries)]


@pytest.mark.parametrize(("listing", "entries"), WAYS)
def test_equal_to_a_list(listing: Any, entries: list[Any]) -> None:
    """It equals a list, and a listing, of the same entries and nothing else; it has no hash."""
    kind: Any = ScanListing if entries is SIZES else UniqueId

    assert listing == entries
    assert entries == listing
    assert listing == Listing(kind, entries) or not entries
    assert listing != [*entries, (4, 4)]
    assert listing != Listing(kind, [*entries, kind(4, 4)])
    assert listing != tuple(entries)
    with pytest.raises(TypeError):
        hash(listing)


@pytest.mark.parametrize(("listing", "entries"), WAYS)
def test_columns(listing: Any, entries: list[Any]) -> None:
    """The numbers, and what is said of each, are to be had without making entries."""
    assert listing.numbers == tuple(entry[0] for entry in entries)
    assert listing.values == tuple(entry[1] for entry in entries)


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize(("listing", "entries"), WAYS)
def test_pickled(listing: Any, entries: list[Any], touched: bool) -> None:
    """It can be pickled and copied, whether or not somebody has looked at it."""
    listing = copy.deepcopy(listing)
    if touched:
        list(listing)

    assert pickle.loads(pickle.dumps(listing)) == entries  # noqa: S301 - it was made here
    assert copy.deepcopy(listing) == entries


def test_repr() -> None:
    """The first entries are shown, and how many more there are."""
    many = Listing(ScanListing, [b"".join(b"%d 5\r\n" % number for number in range(1, 200))])

    assert repr(Listing(ScanListing, [PLAIN[:7]])) == (
        "Listing([ScanListing(number=1, octets=120)])"
    )
    assert repr(many).endswith("ScanListing(number=6, octets=5), … 193 more])")


@pytest.mark.parametrize("most", [0, 1, 7, 9, 10, 11, 19, 42, 99, 100, 101, 208, 999, 1000, 1024])
@pytest.mark.parametrize("command", ["LIST", "UIDL"])
def test_plain_numbers(command: str, most: int) -> None:
    """Plain lines have the numbers of the maildrop as one writes them, and no others."""
    lines = plain(command, most).lines

    known = [n for n in range(1, 11 * most + 20) if lines.fullmatch(b"%d 5\r\n" % n)]

    assert known == list(range(1, most + 1))
    assert not lines.fullmatch(b"01 5\r\n")
    assert not lines.fullmatch(b"-1 5\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"1  5\r\n",
        b"1 05\r\n",
        b"1 5\n",
        b"1 5 \r\n",
        b" 1 5\r\n",
        b"1\r\n",
        b"1 -5\r\n",
        b"1 5",
        b"1 1234567890123456789\r\n",
        b"1 1e5\r\n",
        b"1\t5\r\n",
        b"1 5\r\r\n",
    ],
)
def test_lines_that_are_not_plain(line: bytes) -> None:
    """What may be read in another way, or not at all, is left to the reader of single lines."""
    assert plain("LIST", 9).lines.match(line) is None


@pytest.mark.parametrize("command", ["LIST", "UIDL"])
@pytest.mark.parametrize("odd", [b"2  7\r\n", b"2 7 \r\n", b"2\t7\r\n", b"02 7\r\n"])
def test_one_odd_line(fake: Any, cut: int | None, command: str, odd: bytes) -> None:
    """An odd line among plain ones changes nothing for the others, however TCP cuts them."""
    mail = tuple(b"x\r\n" for _ in range(30))
    lines = [b"%d 7\r\n" % number for number in range(1, 31)]
    if command == "UIDL":
        lines = [b"%d id%d\r\n" % (number, number) for number in range(1, 31)]
    whole = b"+OK\r\n" + b"".join([lines[0], odd, *lines[2:]]) + b".\r\n"
    with fake({command: whole}, mail=mail, cut=cut).connect() as client:
        listing = getattr(client, command.lower())()

        assert listing[1].number == 2
        assert listing.numbers == tuple(range(1, 31))
        assert listing[2:] == [type(listing[0])(n, _value(lines[n - 1])) for n in range(3, 31)]


def _value(line: bytes) -> Any:
    word = line.split()[1]
    return int(word) if word.isdigit() else word


@pytest.mark.parametrize("command", ["LIST", "UIDL"])
def test_numbers_above_the_count(fake: Any, cut: int | None, command: str) -> None:
    """Numbers that STAT did not count make gaps, also where all lines are well formed."""
    lines = b"2 5\r\n4 6\r\n9 7\r\n"
    with fake({command: b"+OK\r\n" + lines + b".\r\n"}, cut=cut).connect() as client:
        listing = getattr(client, command.lower())()

        assert listing.numbers == (2, 4, 9)
        assert [seen.quirk for seen in client.deviations] == ["list-gaps"]


@pytest.mark.parametrize("most", [2, 3])
def test_the_limit_counts_plain_lines(fake: Any, cut: int | None, most: int) -> None:
    """Each line of a listing counts for its limit, whether it is read alone or with others."""
    answers = {"LIST": b"+OK\r\n" + PLAIN + b".\r\n"}
    client = fake(answers, cut=cut).connect(limits=Limits(listing_lines=most))

    if most < 3:
        with pytest.raises(LimitExceeded):
            client.list()
    else:
        assert client.list() == SIZES
        client.quit()


def test_repeated_unique_ids_are_seen_at_once(fake: Any) -> None:
    """That two messages have one unique-id is noted although nobody looked at the entries."""
    server = fake({"UIDL": b"+OK\r\n1 a\r\n2 b\r\n3 a\r\n.\r\n"})
    with server.connect() as client:
        client.uidl()

        assert [seen.quirk for seen in client.deviations] == ["uidl-duplicate"]


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ([], None),
        ([b"1 a\r\n"], None),
        ([b"1 a\r\n2 b\r\n", b"3 c\r\n"], None),
        ([b"1 b\r\n2 a\r\n", b"3 c\r\n"], None),
        ([b"1 a\r\n2 b\r\n", b"3 b\r\n4 c\r\n"], b"b"),
        ([b"1 b\r\n2 a\r\n", b"3 b\r\n"], b"b"),
        ([b"1 a\r\n2 a\r\n3 b\r\n4 b\r\n5 b\r\n6 c\r\n"], b"b"),
        ([UniqueId(1, b""), UniqueId(2, b"")], None),
        ([b"1 b\r\n", UniqueId(2, b""), UniqueId(3, b""), b"4 b\r\n"], b"b"),
    ],
)
def test_repeated(parts: list[Any], value: bytes | None) -> None:
    """A unique-id that several have is found, in whatever order they come; blank is none."""
    listing: Any = Listing(UniqueId, parts)

    assert listing.repeated() == value
    assert listing.numbers == tuple(range(1, len(listing) + 1))
    assert listing.repeated() == value


def test_gone_through_twice() -> None:
    """Who goes through it changes nothing for the next, or for who began before."""
    listing: Any = Listing(ScanListing, [PLAIN[:7], PLAIN[7:]])
    begun = iter(listing)
    first = next(begun)

    numbers = listing.numbers

    assert [first, *begun] == list(listing) == SIZES
    assert numbers == (1, 2, 3)
