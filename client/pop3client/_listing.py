"""What LIST and UIDL say of all messages, as a sequence whose entries are made when asked for.

A maildrop of 200,000 messages has as many lines. To make an object of each takes longer than to
receive them all, and more memory than they have octets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeAlias, TypeVar, overload

from ._results import ScanListing, UniqueId

__all__ = ["Listing"]

E = TypeVar("E", ScanListing, UniqueId)

_Columns: TypeAlias = "tuple[list[Any], list[Any]]"

_SHOWN = 6
_COMMAS = bytes.maketrans(b" \n", b",,")


class Listing(Sequence[E]):
    """The entries that LIST or UIDL gives for all messages (RFC 1939 sections 5 and 7).

    A sequence that never changes; equal to a list of the same entries. What the lines say was
    checked when they came, so that to look at an entry raises nothing.

    Args:
        kind: the class of the entries.
        parts: entries, and octets of whole lines that are just as the RFC has them, in order.
    """

    def __init__(self, kind: type[E], parts: Iterable[E | bytes]) -> None:
        self._kind: type[E] = kind
        self._parts: tuple[E | bytes, ...] = tuple(parts)
        self._columns: _Columns | None = None
        self._length = sum(
            part.count(b"\n") if isinstance(part, bytes) else 1 for part in self._parts
        )

    @property
    def numbers(self) -> list[int]:
        """The message numbers, in the order of the lines."""
        numbers, values = self._read()
        if numbers and isinstance(numbers[0], bytes):
            numbers = list(map(int, numbers))
            self._columns = (numbers, values)
        return numbers

    @property
    def values(self) -> list[Any]:
        """The sizes, or the unique-ids, in the order of the lines."""
        return self._read()[1]

    def _read(self) -> _Columns:
        """Take the lines apart, once."""
        parts = self._parts  # looked at first: another thread may be about to take them away
        if self._columns is None:
            self._columns = self._read_parts(parts)
            self._parts = ()
        return self._columns

    def _read_parts(self, parts: tuple[E | bytes, ...]) -> _Columns:
        columns = _COLUMNS[self._kind]
        if all(isinstance(part, bytes) for part in parts):
            return columns(b"".join(parts))  # type: ignore[arg-type]
        numbers: list[int] = []
        values: list[Any] = []
        for part in parts:
            first, second = columns(part) if isinstance(part, bytes) else ([part[0]], [part[1]])
            numbers += map(int, first)
            values += second
        return numbers, values

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[E]:
        return self._made(self.numbers, self.values)

    def _made(self, numbers: list[int], values: list[Any]) -> Iterator[E]:
        # What a named tuple's own constructor does in Python code.
        make: Callable[[tuple[int, Any]], E] = partial(tuple.__new__, self._kind)
        return map(make, zip(numbers, values, strict=True))

    @overload
    def __getitem__(self, index: int) -> E: ...
    @overload
    def __getitem__(self, index: slice) -> list[E]: ...
    def __getitem__(self, index: int | slice) -> E | list[E]:
        if isinstance(index, slice):
            return list(self._made(self.numbers[index], self.values[index]))
        return self._kind(self.numbers[index], self.values[index])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Listing):
            return self._kind is other._kind and self._all() == other._all()
        return list(self) == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list's

    def _all(self) -> _Columns:
        return self.numbers, self.values

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
    return words[::2], words[1::2]  # the numbers are converted when somebody wants them


_COLUMNS: dict[type[Any], Callable[[bytes], _Columns]] = {
    ScanListing: _sizes,
    UniqueId: _unique_ids,
}
