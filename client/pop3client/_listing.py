"""What LIST and UIDL say of all messages, as a sequence whose entries are made when asked for.

A maildrop of 200,000 messages has as many lines. To make an object of each takes longer than to
receive them all, and more memory than they have octets.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from operator import lt
from typing import Any, TypeAlias, TypeVar, overload

from ._results import ScanListing, UniqueId

__all__ = ["Listing"]

E = TypeVar("E", ScanListing, UniqueId)

_Columns: TypeAlias = "tuple[Iterable[int], Sequence[Any]]"

_SHOWN = 6
_COMMAS = bytes.maketrans(b" \n", b",,")


class Listing(Sequence[E]):
    """The entries that LIST or UIDL gives for all messages (RFC 1939 sections 5 and 7).

    A sequence that never changes; equal to a list of the same entries. What the lines say was
    checked when they came, so that to look at an entry raises nothing. Who goes through it from
    the first entry to the last has one at a time in memory; a place, a slice, ``numbers`` or
    ``values`` has all lines taken apart, once.

    Args:
        kind: the class of the entries.
        parts: entries, and octets of whole lines that are just as the RFC has them, in order.
    """

    def __init__(self, kind: type[E], parts: Iterable[E | bytes]) -> None:
        self._kind: type[E] = kind
        self._parts: tuple[E | bytes, ...] = tuple(parts)
        self._columns: tuple[tuple[int, ...], tuple[Any, ...]] | None = None
        self._length: int | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The message numbers, in the order of the lines."""
        return self._read()[0]

    @property
    def values(self) -> tuple[Any, ...]:
        """The sizes, or the unique-ids, in the order of the lines."""
        return self._read()[1]

    def repeated(self) -> Any:  # noqa: ANN401 - what an entry has
        """Find the value that the most entries have; blank ones do not count.

        Returns:
            The value; None if no two entries have the same.
        """
        # Most servers give unique-ids in ascending order: then none need be kept to be compared.
        if self._ascends():
            return None
        seen: set[Any] = set()
        for _, values in self._each_part():
            seen.update(values)
        if len(seen) == len(self):
            return None
        value, times = max(
            Counter(filter(None, self.values)).items(), key=lambda item: item[1], default=(None, 0)
        )
        return value if times > 1 else None

    def _ascends(self) -> bool:
        """Tell whether each value is greater than the one before."""
        before: Sequence[Any] = ()
        for _, values in self._each_part():
            # Each with the next, and the last of the part before with the first of this one.
            following = values if before else islice(values, 1, None)
            if not all(map(lt, chain(before, values), following)):
                return False
            before = values[-1:]
        return True

    def _each_part(self) -> Iterator[_Columns]:
        """Take the lines apart, some at a time: few enough to stay in the processor's cache."""
        parts = self._parts  # looked at first: another thread may be about to take them away
        if self._columns is not None:
            yield self._columns
            return
        columns = _COLUMNS[self._kind]
        for part in parts:
            yield columns(part) if isinstance(part, bytes) else (part[:1], part[1:])

    def _read(self) -> tuple[tuple[int, ...], tuple[Any, ...]]:
        """Take the lines apart, once."""
        if self._columns is None:
            numbers: list[int] = []
            values: list[Any] = []
            for some, others in self._each_part():
                numbers += some
                values += others
            self._columns = tuple(numbers), tuple(values)
            self._parts = ()
        return self._columns

    def __len__(self) -> int:
        if self._length is None:
            parts = self._parts
            self._length = (
                sum(part.count(b"\n") if isinstance(part, bytes) else 1 for part in parts)
                if self._columns is None
                else len(self._columns[0])
            )
        return self._length

    def __iter__(self) -> Iterator[E]:
        return chain.from_iterable(map(self._made, self._each_part()))

    def _made(self, columns: _Columns) -> Iterator[E]:
        # What a named tuple's own constructor does in Python code.
        make: Callable[[type[E], tuple[int, Any]], E] = tuple.__new__
        return map(make, repeat(self._kind), zip(*columns, strict=True))

    @overload
    def __getitem__(self, index: int) -> E: ...
    @overload
    def __getitem__(self, index: slice) -> list[E]: ...
    def __getitem__(self, index: int | slice) -> E | list[E]:
        numbers, values = self._read()
        if isinstance(index, slice):
            return list(self._made((numbers[index], values[index])))
        return self._kind(numbers[index], values[index])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Listing):
            return self._kind is other._kind and self._read() == other._read()
        return list(self) == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list's

    def __repr__(self) -> str:
        shown = [repr(entry) for entry in islice(self, _SHOWN)]
        if len(self) > _SHOWN:
            shown.append(f"… {len(self) - _SHOWN} more")
        return f"Listing([{', '.join(shown)}])"


def _sizes(lines: bytes) -> _Columns:
    # For many numbers at once, this is twice as fast as int() for each.
    numbers = json.loads(b"[%b]" % lines.translate(_COMMAS, b"\r")[:-1])
    return numbers[::2], numbers[1::2]


def _unique_ids(lines: bytes) -> _Columns:
    words = lines.split()
    return map(int, words[::2]), words[1::2]


_COLUMNS: dict[type[Any], Callable[[bytes], _Columns]] = {
    ScanListing: _sizes,
    UniqueId: _unique_ids,
}
