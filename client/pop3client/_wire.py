r"""Reading lines and message bodies out of one receive buffer.

**Where a message ends.** RFC 1939 section 3 says: at CRLF, dot, CRLF. Servers say less. The rule
here depends on nothing but the octets, so not on how TCP cuts them:

- A line begins after CRLF. As long as the reply, its status line included, has had no CRLF at
  all, a line begins after LF too.
- A line that is a dot and then CRLF or LF ends the message.
- A line that begins with two dots loses one.

So a wholly LF-ended server is understood, and so is one that sends CRLF lines but ``.\n`` at the
end; while in a CRLF reply the octets ``\n.\n`` are content, as they are by the RFC.

**How it is found.** The line end of the status line is kept in front of the body. Then the first
line is like any other, and an empty message is the plain case ``\r\n.\r\n``.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple

from ._exceptions import ConnectionClosed, LimitExceeded, LineTooLong
from ._wants import Deliver, Poll, Receive, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Body", "Line", "Wire"]

_ROOM = 64 * 1024
"""Room that is there from the start."""
_BLOCK = 256 * 1024
"""Octets asked of the socket at once: few enough that the processor still has them at hand when
they are searched."""
_MOST_ROOM = 32 * 1024 * 1024
"""Largest room; what is longer is stored elsewhere, part by part. Also the most that is made on
the word of a server that has not sent it yet."""
_KEPT = 1024 * 1024
"""A buffer above this size is given back after the first reply that does not need it."""
_MINIMUM_ROOM = 4096
_OVERLAP = 4
"""Octets of a terminator (CRLF, dot, CRLF) that may have come without its last."""

# Measured: on lines of 76 octets these search twice as fast as bytes.find, which stumbles over
# the CRLF of each line.
_DOT_LINE = re.compile(rb"\r\n\.")
_TERMINATOR = re.compile(rb"\r\n\.\r?\n")
_TERMINATOR_LF = re.compile(rb"\n\.\r?\n")
_PLAIN_STATUS = re.compile(rb"\+OK(?: ([^\r\n]*))?\r\n")
_LONE_DOT = re.compile(rb"\r\n\.(?!\.)")
_LONE_DOT_LF = re.compile(rb"\n\.(?!\.)")


class Line(NamedTuple):
    """A line without its end.

    Attributes:
        text: the octets.
        end: CRLF or LF, as it came.
    """

    text: bytes
    end: bytes


class Body(NamedTuple):
    """A message as it was read.

    Attributes:
        raw: the octets, unstuffed; empty if they were delivered elsewhere.
        octets: their number.
        dot_lf: true if lines ended in CRLF and the terminator in LF.
        unstuffed: a line that should have been stuffed and was not, or ``b""``.
    """

    raw: bytes
    octets: int
    dot_lf: bool
    unstuffed: bytes


class _End(NamedTuple):
    """The terminator: where the dot stands, and what follows its line."""

    dot: int
    after: int


class Wire:
    """The receive buffer and the generators that read from it.

    Between ``_start`` and ``_end`` lie octets that have arrived and have not been read. Those
    from ``_reply`` on belong to the reply being read and are kept for error reports. What stands
    before them of a long message is in ``_store``, as it came: there it becomes the message
    without being copied again.
    """

    def __init__(self) -> None:
        self._renew(_ROOM)
        self._start = self._end = self._reply = 0
        self._store: io.BytesIO | None = None

    def _renew(self, size: int) -> None:
        # The views stay for as long as the buffer does, which therefore never changes its size.
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self._first = self._view[:_BLOCK]

    @property
    def unread(self) -> bool:
        """True if something has arrived and was not read."""
        return self._start < self._end

    @property
    def pending(self) -> bytes:
        """What has arrived and was not read."""
        return bytes(self._view[self._start : self._end])

    @property
    def reply(self) -> bytes:
        """What has arrived of the reply that is being read."""
        stored = b"" if self._store is None else self._store.getvalue()[: self._store.tell()]
        return stored + bytes(self._view[self._reply : self._end])

    def clear(self) -> None:
        """Forget everything: the connection is another one now."""
        self._start = self._end = self._reply = 0

    def begin(self) -> None:
        """A new reply starts with the next octet."""
        if self._start == self._end:
            if len(self._buffer) > max(_KEPT, 2 * self._end):
                self._renew(_ROOM)
            self._start = self._end = 0
        self._reply, self._store = self._start, None

    def poll(self) -> Steps[int | None]:
        """Take in what has arrived, without waiting.

        Returns:
            How many octets lie unread; 0 at the end of the stream; None if nothing is there.
        """
        if self._start < self._end:
            return self._end - self._start
        self._make_room(_MINIMUM_ROOM)
        count: int | None = yield Poll(self._view[self._end :])
        self._end += count or 0
        return count

    def first_room(self) -> memoryview:
        """Give the room for the first octets of a reply; nothing may lie unread."""
        return self._first

    def first_came(self, count: int) -> None:
        """So many octets came into it."""
        self._end = count

    def read_line(self, step: str, limit: int) -> Steps[Line]:
        """Read a line that ends in CRLF or LF.

        Args:
            step: the name of the wait, for errors.
            limit: a security limit: octets in the line, its end included.

        Raises:
            LineTooLong: there is no LF within the limit.
        """
        scanned = 0  # counted from _start, which moves when room is made
        while True:
            end = self._buffer.find(b"\n", self._start + scanned, self._end)
            length = (end + 1 if end >= 0 else self._end) - self._start
            if length > limit or (end < 0 and length == limit):
                raise LineTooLong(step, limit)
            if end >= 0:
                break
            scanned = length
            yield from self.fill(step)
        text = bytes(self._view[self._start : end])
        self._start = end + 1
        if text.endswith(b"\r"):
            return Line(text[:-1], b"\r\n")
        return Line(text, b"\n")

    def take_lines(self, lines: re.Pattern[bytes]) -> bytes:
        """Take as much of what has arrived as matches.

        Args:
            lines: matches whole lines only, each of which ``read_line`` would have read as well.
        """
        found = lines.match(self._buffer, self._start, self._end)
        if found is None:
            return b""
        self._start = found.end()
        return found[0]

    def take_message(self, line_limit: int, limit: int | None) -> tuple[bytes, bytes] | None:
        """Take a status line and a message of the plainest kind, if they have come whole.

        That is +OK, no line that begins with a dot, and CRLF everywhere. What is read so is what
        ``read_line`` and ``read_body`` would read; for small messages it takes half the time.

        Args:
            line_limit: see ``read_line``.
            limit: see ``read_body``.

        Returns:
            The text of the status line, and the message; None if it takes more to read them.
        """
        buffer, end = self._buffer, self._end
        status = _PLAIN_STATUS.match(buffer, self._start, end)
        if status is None or status.end() - self._start > line_limit:
            return None
        start = status.end()
        found = _DOT_LINE.search(buffer, start - 2, end)
        if found is None:
            return None
        after = found.end() + 2
        stop = after - len(b".\r\n")
        if after > end or not buffer.startswith(b"\r\n", stop + 1):
            return None
        if limit is not None and stop - start > limit:
            return None
        self._start = after
        return status[1] or b"", bytes(self._view[start:stop])

    def read_body(
        self,
        step: str,
        status_end: bytes,
        *,
        hint: int = 0,
        limit: int | None = None,
        stream: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> Steps[Body]:
        """Read a message up to its terminator; to be called right after its status line.

        Args:
            step: the name of the wait, for errors.
            status_end: the line end of the status line.
            hint: octets that are likely to come; only ever a matter of how much room to make.
            limit: a security limit: octets as sent, without the terminator.
            stream: deliver the message in parts as they come, in constant memory.
            progress: told after each wait how many octets have come.

        Raises:
            LimitExceeded: the message is longer than the limit.
        """
        self._start -= len(status_end)  # see "How it is found" above
        self._reply = self._start + len(status_end)
        body = _BodyReader(len(status_end), lf_only=status_end == b"\n", step=step, limit=limit)
        self._make_room_for(hint, stream=stream)
        scanned = 0
        while True:
            end = body.find_end(self._buffer, self._start, self._start + scanned, self._end)
            if end is not None:
                break
            arrived = self._end - self._start
            if stream and arrived >= _ROOM:
                cut = body.safe_cut(self._buffer, self._end)
                yield Deliver(body.take(self._view, self._start, cut))
                self._start = self._reply = cut
                self._make_room(_BLOCK)
            elif arrived >= _MOST_ROOM and not body.lf_only:
                self._keep(body, body.safe_cut(self._buffer, self._end))
                self._make_room(_BLOCK)
            scanned = max(0, self._end - self._start - _OVERLAP)
            if progress is not None:
                progress(body.octets + scanned)
            yield from self.fill(step)
        if self._store is None:
            raw = body.take(self._view, self._start, end.dot)
        else:
            raw = self._stored(body, end.dot)
        dot_lf = self._buffer[end.after - 2] == ord(".") and not body.lf_only
        self._start = end.after
        if progress is not None:
            progress(body.octets)
        if stream:
            yield Deliver(raw)
            raw = b""
        return Body(raw, body.octets, dot_lf, body.unstuffed)

    def _keep(self, body: _BodyReader, cut: int) -> None:
        """Put what has arrived of a very long message where there will be room for all of it."""
        if self._store is None:
            self._store = io.BytesIO()
        self._store.write(self._view[self._reply : cut])
        body.kept(self._start, self._reply, cut)
        self._start = self._reply = cut

    def _stored(self, body: _BodyReader, stop: int) -> bytes:
        """Take a message of which a part is stored already."""
        store = self._store
        assert store is not None
        self._keep(body, stop)
        return body.whole(store.getvalue())

    def fill(self, step: str) -> Steps[None]:
        """Wait for more.

        Raises:
            ConnectionClosed: there is no more.
        """
        if self._end == len(self._buffer):
            self._make_room(max(_MINIMUM_ROOM, self._end - self._start))
        count: int = yield Receive(self._view[self._end : self._end + _BLOCK])
        if count == 0:
            message = f"{step}: expected the rest of the reply, got the end of the connection"
            raise ConnectionClosed(message, step=step)
        self._end += count

    def _make_room_for(self, hint: int, *, stream: bool) -> None:
        """Make room for a message of which a part may have arrived."""
        if stream:
            self._make_room(_BLOCK)
        elif hint > _ROOM:
            arrived = self._end - self._start
            self._make_room(min(hint, _MOST_ROOM) + _MINIMUM_ROOM - arrived)

    def _make_room(self, wanted: int) -> None:
        """See that so many octets fit behind what has arrived; move it to the front if need be."""
        if len(self._buffer) - self._end >= wanted:
            return
        keep = min(self._start, self._reply)
        kept = self._view[keep : self._end]
        if len(kept) + wanted > len(self._buffer):
            self._renew(len(kept) + wanted)
        self._view[: len(kept)] = kept
        self._start -= keep
        self._end -= keep
        self._reply -= keep


class _BodyReader:
    """What is known about the body being read; knows the rule at the top of this module."""

    def __init__(self, prefix: int, *, lf_only: bool, step: str, limit: int | None) -> None:
        self._prefix = prefix  # octets in front that are the status line's end
        self._step = step
        self._limit = limit
        self._searched_lf_only = lf_only  # up to where the terminator was looked for
        self._sent = -prefix
        self._dotted = lf_only  # true if a line that begins with a dot was seen, or may have been
        self.lf_only = lf_only  # up to where the octets were taken
        self.octets = 0
        self.unstuffed = b""

    def find_end(self, buffer: bytearray, start: int, scan: int, end: int) -> _End | None:
        """Look for the terminator between ``scan`` and ``end``; the body begins at ``start``."""
        found = self._search(buffer, scan, end)
        # What was not found yet can have come but for its last octet: then its dot is at end - 2.
        dot = end - 2 if found is None else found.dot
        if self._limit is not None and self._sent + dot - start > self._limit:
            raise LimitExceeded(self._step, "message_octets", self._limit)
        return found

    def _search(self, buffer: bytearray, scan: int, end: int) -> _End | None:
        if self._searched_lf_only:
            # Lines end in LF up to the first CRLF, which may be the one of a terminator.
            first_crlf = buffer.find(b"\r\n", scan, end)
            stop = end if first_crlf < 0 else first_crlf + 2
            if found := _TERMINATOR_LF.search(buffer, scan, stop):
                return _End(found.start() + 1, found.end())
            self._searched_lf_only = first_crlf < 0
        if self._searched_lf_only:
            return None
        if not self._dotted:
            # In most messages the first line that begins with a dot is the terminator: then one
            # pass shows both where the message ends and that nothing is stuffed.
            if buffer.find(b".", scan, end) < 0:  # base64, say: nothing is as fast as this
                return None
            dot_line = _DOT_LINE.search(buffer, scan, end)
            if dot_line is None:
                return None
            scan = dot_line.start()
        found = _TERMINATOR.search(buffer, scan, end)
        self._dotted = self._dotted or found is None or found.start() != scan
        return None if found is None else _End(found.start() + 2, found.end())

    def safe_cut(self, buffer: bytearray, end: int) -> int:
        """Find where to cut so that neither a terminator nor a stuffed dot is cut in two."""
        cut = end - _OVERLAP
        tail = buffer[cut - 3 : cut]
        for prefix in (b"\r\n.", b"\r\n", b"\r", b"\n.", b"\n"):
            if tail.endswith(prefix):
                return cut - len(prefix)
        return cut

    def take(self, view: memoryview, start: int, stop: int) -> bytes:
        """Take a part of the body: unstuff it and count it."""
        self._sent += stop - start
        if self._dotted:
            raw = self._unstuff(bytes(view[start:stop]))[self._prefix :]
        else:
            raw = bytes(view[start + self._prefix : stop])
        self._prefix = 0
        self.octets += len(raw)
        return raw

    def kept(self, start: int, first: int, cut: int) -> None:
        """Count a part that is kept as it came."""
        self._sent += cut - start
        self._prefix = 0
        self.octets += cut - first

    def whole(self, kept: bytes) -> bytes:
        """Unstuff a message that was kept as it came."""
        if self._dotted:
            kept = self._unstuff(b"\r\n" + kept)[2:]
        self.octets = len(kept)
        return kept

    def _unstuff(self, part: bytes) -> bytes:
        crlf_from = part.find(b"\r\n") if self.lf_only else 0
        if crlf_from < 0:
            head, tail = part, b""
        else:
            head, tail = part[:crlf_from], part[crlf_from:]
            self.lf_only = False
        for lone_dot, octets in ((_LONE_DOT_LF, head), (_LONE_DOT, tail)):
            found = None if self.unstuffed else lone_dot.search(octets)
            if found:
                self.unstuffed = octets[found.start() :][:80].strip(b"\r\n").split(b"\n")[0]
        return head.replace(b"\n..", b"\n.") + tail.replace(b"\r\n..", b"\r\n.")
