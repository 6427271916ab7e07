"""Notations for counts and for announced sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3scenarios._values import Announced, Nth, parse_announced, parse_nth

COUNTS = st.integers(min_value=1, max_value=999)


@pytest.mark.parametrize(
    ("notation", "ranges"),
    [
        ("2", ((2, 2),)),
        (2, ((2, 2),)),
        ("2..", ((2, None),)),
        ("..3", ((1, 3),)),
        ("2..4", ((2, 4),)),
        (" 2 ", ((2, 2),)),
        (["1", "3.."], ((1, 1), (3, None))),
    ],
)
def test_nth_notations(notation: object, ranges: tuple[tuple[int, int | None], ...]) -> None:
    """A number, a range with or without ends, and a list of them say which occurrences."""
    assert Nth(ranges) == parse_nth(notation)


@pytest.mark.parametrize(
    "notation",
    [
        "0",
        "-1",
        "4..2",
        "..",
        "",
        "x",
        "1...2",
        "1,2",
        "9" * 5000,
        "1234567890",
        [],
        [[]],
        {},
        None,
    ],
)
def test_nth_refused(notation: object) -> None:
    """What counts nothing is refused, and the message shows how to write it."""
    with pytest.raises(ValueError, match=r"write 2, 2\.\., 2\.\.4 or \[1, 3\]|from 1 upwards"):
        parse_nth(notation)


@given(low=COUNTS, more=COUNTS, count=COUNTS)
def test_nth_range_contains_what_lies_between(low: int, more: int, count: int) -> None:
    """A range holds its two ends and what lies between them, and nothing else."""
    high = low + more

    assert (low <= count <= high) == (count in parse_nth(f"{low}..{high}"))
    assert (low <= count) == (count in parse_nth(f"{low}.."))
    assert (count <= high) == (count in parse_nth(f"..{high}"))


@given(counts=st.lists(COUNTS, min_size=1, max_size=8), count=COUNTS)
def test_nth_list_contains_its_entries(counts: list[int], count: int) -> None:
    """A list holds exactly its entries."""
    assert (count in counts) == (count in parse_nth([str(each) for each in counts]))


@given(a=COUNTS, b=COUNTS, c=COUNTS, d=COUNTS)
def test_nth_within_agrees_with_contains(a: int, b: int, c: int, d: int) -> None:
    """If one range is within another, whatever it holds is in the other."""
    inner, outer = parse_nth(f"{a}..{a + b}"), parse_nth(f"{c}..{c + d}")

    assert inner.within(outer) == all(n in outer for n in range(a, a + b + 1))
    assert inner.within(parse_nth(f"{a}.."))
    assert not parse_nth(f"{a}..").within(inner)
    assert not parse_nth([f"{a}", f"{a + b + 1}"]).within(inner)


@pytest.mark.parametrize(
    ("notation", "announced"),
    [
        ("omitted", ""),
        ("+37", "137"),
        ("-5", "95"),
        ("-200", "-100"),
        ("200%", "200"),
        ("50%", "50"),
        ("0%", "0"),
        ("007", "007"),
        ("many", "many"),
        ("=omitted", "omitted"),
        ("=+37", "+37"),
        ("", ""),
        ("2147483648", "2147483648"),
    ],
)
def test_announced_notations(notation: str, announced: str) -> None:
    """A size is left out, shifted, scaled, or replaced by text that stays as it was written."""
    assert announced == parse_announced(notation).of(100)


@given(octets=st.integers(0, 2**40), shift=st.integers(-(2**40), 2**40))
def test_announced_shift(octets: int, shift: int) -> None:
    """``+n`` and ``-n`` add to the true size."""
    assert str(octets + shift) == parse_announced(f"{shift:+}").of(octets)


@given(octets=st.integers(0, 2**40), percent=st.integers(0, 10_000))
def test_announced_per_cent(octets: int, percent: int) -> None:
    """``n%`` is that part of the true size, rounded down."""
    assert str(octets * percent // 100) == parse_announced(f"{percent}%").of(octets)


@given(text=st.text(), octets=st.integers(0, 10_000))
def test_announced_verbatim(text: str, octets: int) -> None:
    """Whatever stands behind ``=`` is announced as it is."""
    assert text == parse_announced(f"={text}").of(octets)
    assert Announced("text", text=text) == parse_announced(f"={text}")
