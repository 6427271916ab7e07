"""Octets that are made while they are sent, so that nobody ever holds them all."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: Up to so many octets are one piece of memory and one write; more are a flow.
AT_ONCE = 1 << 18


class Flow:
    """Octets in chunks, made anew each time they are iterated over.

    Args:
        make: Gives the chunks; called whenever somebody wants them.
        octets: How many octets there are, if that is known.
    """

    __slots__ = ("_make", "_octets")

    def __init__(self, make: Callable[[], Iterable[bytes]], octets: int | None = None) -> None:
        self._make = make
        self._octets = octets

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._make())

    def __len__(self) -> int:
        """How many octets there are; if that is not known, all of them are made to tell."""
        if self._octets is None:
            self._octets = sum(map(len, self))
        return self._octets

    def first(self, octets: int) -> Flow:
        """The same, but no more than so many octets of it."""
        return Flow(lambda: _first(self, octets), min(octets, len(self)))

    def head(self, octets: int) -> bytes:
        """So many octets from its beginning, or all if there are fewer."""
        return b"".join(_first(self, octets))


def chunks_of(data: bytes | Flow) -> Iterable[bytes]:
    """Octets as chunks, whichever they are."""
    if isinstance(data, Flow):
        return data
    return (data,) if len(data) <= AT_ONCE else _slices(data)


def held(pieces: Iterable[bytes | Flow]) -> bytes:
    """Pieces one behind the other, all of them in memory."""
    return b"".join(chunk for piece in pieces for chunk in chunks_of(piece))


def joined(pieces: Sequence[bytes | Flow]) -> bytes | Flow:
    """Pieces one behind the other: a flow if one of them is one."""
    if len(pieces) == 1:
        return pieces[0]
    if Flow not in map(type, pieces):
        return b"".join(cast("Sequence[bytes]", pieces))
    return Flow(lambda: chain.from_iterable(map(chunks_of, pieces)), octets=sum(map(len, pieces)))


def beginning(data: bytes | Flow, octets: int) -> bytes:
    """So many octets from the beginning of others, or all if there are fewer."""
    return data.head(octets) if isinstance(data, Flow) else data[:octets]


def _slices(data: bytes) -> Iterator[bytes]:
    return (data[at : at + AT_ONCE] for at in range(0, len(data), AT_ONCE))


def _first(chunks: Iterable[bytes], octets: int) -> Iterator[bytes]:
    for chunk in chunks if octets > 0 else ():
        yield chunk[:octets]
        octets -= len(chunk)
        if octets <= 0:
            return


def sized(chunks: Iterable[bytes], octets: int) -> Iterator[bytes]:
    """The same octets in chunks of one size; only the last may be smaller.

    Args:
        chunks: The octets.
        octets: How many are to be in each chunk.
    """
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        whole = len(data) - len(data) % octets
        for at in range(0, whole, octets):
            yield data[at : at + octets]
        rest = data[whole:]
    if rest:
        yield rest
