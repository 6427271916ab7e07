"""One message of a maildrop: what there is to know of it, and its octets for the wire."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ._flow import AT_ONCE, Flow
from ._wire import body_start, canonical, stuffed, top

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from pop3scenarios import Content, Mail

#: A line, to those to whom LF alone ends one.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


class Shape(NamedTuple):
    """What one look at all octets of a message tells.

    Attributes:
        octets: Its exact size (RFC 1939, section 11: CRLF counts as two, no stuffing).
        stuffed: Its size on the wire, without the terminator.
        ascii: Whether its header is ASCII.
    """

    octets: int
    stuffed: int
    ascii: bool


class StoredMessage:
    """One message of a maildrop.

    Nothing of it is read, or made, before somebody asks for it; nothing of that is kept but its
    shape.

    Attributes:
        serial: Its number in the life of the maildrop, from 1; never used again.
        mail: Where its octets come from.
        removed: Whether it is no longer in the maildrop; a session may still have it in view.
    """

    __slots__ = ("_name", "_shape", "_uid", "mail", "removed", "serial")

    def __init__(self, serial: int, mail: Mail, name: Callable[[StoredMessage], None]) -> None:
        self.serial = serial
        self.mail = mail
        self.removed = False
        self._name = name
        self._uid = mail.uid
        self._shape: Shape | None = None

    @property
    def uid(self) -> str:
        """Its unique-id: 1 to 70 characters, the same in every session (RFC 1939, section 7)."""
        if self._uid is None:
            self._name(self)
            assert self._uid is not None
        return self._uid

    def name(self, uid: str) -> None:
        """Give it its unique-id, for good."""
        self._uid = uid

    @property
    def shape(self) -> Shape:
        """Its shape, which takes a look at all its octets the first time."""
        if self._shape is None:
            try:
                self._shape = _shape_of(self.mail.content)
            except OSError:
                # Its file has gone, and it was never looked at: nobody will ever get it.
                return Shape(self.stored_octets, self.stored_octets, ascii=True)
        return self._shape

    def check(self) -> None:
        """Make sure that its octets can be read.

        Raises:
            OSError: They cannot, or are others than they were.
        """
        self.mail.content.check()

    @property
    def octets(self) -> int:
        """Its exact size in octets (RFC 1939, section 11: CRLF counts as two, no stuffing)."""
        return self.shape.octets

    @property
    def stored_octets(self) -> int:
        """Its size in octets as it is stored."""
        return self.mail.content.octets

    @property
    def stored(self) -> bytes:
        """Its octets as they are stored, with whatever line ends they have."""
        return self.mail.data

    @property
    def data(self) -> bytes:
        """Its octets with CRLF; nothing is stuffed."""
        return b"".join(self.chunks())

    @property
    def head_end(self) -> int:
        """Where in ``data`` the body begins, behind the empty line; -1 if there is none."""
        return body_start(self.chunks())

    @property
    def head(self) -> bytes:
        """Its header, with the empty line; all of it if there is no empty line."""
        end = self.head_end
        return self.data if end < 0 else Flow(self.chunks).head(end)

    def chunks(self) -> Iterator[bytes]:
        """Its octets with CRLF, chunk by chunk; nothing is stuffed."""
        stored = self.mail.content.chunks()
        # Line ends are only ever added: where none were, there is nothing to do.
        return stored if self.octets == self.stored_octets else canonical(stored)

    def counted(self, way: str) -> int:
        """Its size counted as some servers do.

        Args:
            way: ``lf``: each line end as one octet; ``crcrlf``: as three; ``lf-lines``: with one
                octet more for each LF that is stored; ``stored``: as it is stored; ``unended``:
                without the line end that is put behind a last line that has
                none; ``body``: its body alone, as it is stored, -1 if there is nothing in it.
        """
        if way in ("lf", "crcrlf"):
            ends = sum(chunk.count(b"\n") for chunk in self.chunks())
            return self.octets + (ends if way == "crcrlf" else -ends)
        if way == "unended":
            last = b"".join(deque(self.mail.content.chunks(), maxlen=1))
            return self.octets if last.endswith(b"\n") or not last else self.octets - 2
        if way == "lf-lines":
            return self.stored_octets + sum(x.count(b"\n") for x in self.mail.content.chunks())
        if way == "stored":
            return self.stored_octets
        start = body_start(self.mail.content.chunks())
        return -1 if start in (-1, self.stored_octets) else self.stored_octets - start

    def update(self, mail: Mail) -> None:
        """Follow a message whose file has another name, or other octets, by now."""
        if mail.content != self.mail.content:
            self._shape = None
        self.mail = mail


class Text(NamedTuple):
    """A message, or the top of one, as an answer carries it.

    Attributes:
        message: The message.
        lines: Lines of the body in the top; None for the whole message.
    """

    message: StoredMessage
    lines: int | None = None

    @property
    def data(self) -> bytes:
        """Its octets with CRLF; nothing is stuffed."""
        return b"".join(self._chunks())

    def by_lf(self) -> bytes:
        """Its octets as a server makes them that knows lines by LF alone; nothing is stuffed.

        It gives each LF a CR, whether there is one or not, and does not see that a line is empty
        which holds a CR.
        """
        data = self.message.stored
        if self.lines is not None:
            header, empty, body = data.partition(b"\n\n")
            data = header + empty + b"".join(_LINE.findall(body)[: self.lines])
        data = data.replace(b"\n", b"\r\n")
        return data if data.endswith(b"\n") or not data else data + b"\r\n"

    def wire(self) -> bytes | Flow:
        """Its octets for the wire, dot-stuffed: a flow if they are many."""
        octets = self.message.shape.stuffed
        if octets <= AT_ONCE:
            # Octets are only ever added: where there are no more, nothing has changed.
            content = self.message.mail.content
            as_stored = self.lines is None and octets == content.octets
            return b"".join(content.chunks() if as_stored else self._stuffed())
        if self.lines is None:
            return Flow(self._stuffed, octets)
        flow = Flow(self._stuffed)
        beginning = flow.head(AT_ONCE + 1)
        return beginning if len(beginning) <= AT_ONCE else flow

    def _chunks(self) -> Iterator[bytes]:
        chunks = self.message.chunks()
        return chunks if self.lines is None else top(chunks, self.message.head_end, self.lines)

    def _stuffed(self) -> Iterator[bytes]:
        shape = self.message.shape
        return self._chunks() if shape.octets == shape.stuffed else stuffed(self._chunks())


#: Shapes of what was seen before: by another server, in an earlier session, in a copy.
_known: dict[Hashable, Shape] = {}

#: A bound for the memory that they take.
_MOST_KNOWN = 10_000


def _shape_of(content: Content) -> Shape:
    alike = content.alike
    if alike is None:
        return _look_at(content)
    shape = _known.get(alike)
    if shape is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        shape = _known[alike] = _look_at(content)
    return shape


def _look_at(content: Content) -> Shape:
    chunks: Callable[[], Iterable[bytes]] = content.chunks
    if content.octets <= AT_ONCE:
        held = tuple(chunks())  # a file is opened once
        chunks = lambda: held  # noqa: E731 - the other one is a method
    octets = dots = 0
    begins = True
    for chunk in canonical(chunks()):
        octets += len(chunk)
        dots += chunk.count(b"\n.") + (begins and chunk.startswith(b"."))
        begins = chunk.endswith(b"\n")
    return Shape(octets, octets + dots, _is_ascii(chunks(), body_start(chunks())))


def _is_ascii(chunks: Iterable[bytes], octets: int) -> bool:
    """Whether the first so many octets are ASCII, or all of them if that is negative."""
    for chunk in chunks:
        if not (chunk if octets < 0 else chunk[:octets]).isascii():
            return False
        if octets >= 0:
            octets = max(0, octets - len(chunk))
        if octets == 0:
            break
    return True
