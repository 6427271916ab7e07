"""Messages as RFC 1939 wants them on the wire: line ends, dot-stuffing, and the top of a message.

All of it goes chunk by chunk, with what must be remembered from one chunk to the next, because a
message may be larger than memory.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EMPTY_LINE = re.compile(rb"\n\r?\n")


def canonical(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Bare LF made CRLF, and a line end at the very end unless there is nothing; a bare CR stays.

    No chunk ends between CR and LF.

    Args:
        chunks: The octets as they are stored.
    """
    held = b""
    ended = True
    for chunk in chunks:
        data = held + chunk if held else chunk
        held = b""
        if data.endswith(b"\r"):
            data, held = data[:-1], b"\r"
        if data:
            data = _with_crlf(data)
            ended = data.endswith(b"\r\n")
            yield data
    if held or not ended:
        yield held + b"\r\n"


def _with_crlf(data: bytes) -> bytes:
    # To count is cheaper than to replace, and most mail needs nothing.
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def stuffed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that begin with a dot given one more (RFC 1939, section 3).

    Args:
        chunks: The octets with CRLF.
    """
    begins = True
    for chunk in chunks:
        yield stuff(chunk) if begins else chunk.replace(b"\n.", b"\n..")
        begins = chunk.endswith(b"\n") if chunk else begins


def stuff(data: bytes) -> bytes:
    """Octets that begin at the begin of a line, dot-stuffed."""
    if b"\n." in data:
        data = data.replace(b"\n.", b"\n..")
    return b"." + data if data.startswith(b".") else data


def body_start(chunks: Iterable[bytes]) -> int:
    """Where the body begins, behind the empty line; -1 if there is none.

    Args:
        chunks: The octets, with whatever line ends they have.
    """
    # A message without any header begins with its empty line.
    window, base = b"\n", -1
    for chunk in chunks:
        window += chunk
        found = _EMPTY_LINE.search(window)
        if found is not None:
            return base + found.end()
        done = max(0, len(window) - 2)
        window, base = window[done:], base + done
    return -1


def top(chunks: Iterable[bytes], start: int, lines: int) -> Iterator[bytes]:
    """Header, empty line, and the first so many lines of the body (RFC 1939, section 7).

    Args:
        chunks: The octets with CRLF.
        start: Where the body begins; -1 if the message has no empty line, which it then gets.
        lines: How many lines of the body.
    """
    if start < 0:
        yield from chunks
        yield b"\r\n"
        return
    for chunk in chunks:
        position = min(start, len(chunk))
        start -= position
        if start == 0:
            taken = _after_lines(chunk, position, lines)
            lines -= chunk.count(b"\n", position, taken)
            position = taken
        yield chunk[:position]
        if start == 0 and lines == 0:
            return


def _after_lines(data: bytes, position: int, lines: int) -> int:
    """The position behind so many lines more, or the end of the octets."""
    if data.count(b"\n", position) < lines:
        return len(data)
    for _ in range(lines):
        position = data.index(b"\n", position) + 1
    return position
