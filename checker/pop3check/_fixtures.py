"""Messages of the checker's own: each holds what a server could get wrong.

Every one has a header field with the run and its name, by which it is known again, whatever else
is in the maildrop.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Header field by which a run knows its own messages.
OWN = "X-Conformance-Id"

#: All that a message has to have (RFC 5322, section 3.6): some servers make unique-ids of it.
_HEAD = (
    b"From: checker@example.com\r\nTo: account@example.com\r\n"
    b"Date: Mon, 02 Jan 2023 10:00:00 +0000\r\nSubject: %s\r\n"
)
_LINE_END = re.compile(rb"\r?\n")
_MIB = 1 << 20


def _with(body: bytes, *fields: bytes, first: bytes = b"") -> Callable[[bytes, bytes], bytes]:
    """A message: its header, an empty line, its body."""

    def build(name: bytes, mark: bytes) -> bytes:
        header = b"".join(field + b"\r\n" for field in (mark, *fields))
        return first + _HEAD % name + header + b"\r\n" + body

    return build


def _no_body(name: bytes, mark: bytes) -> bytes:
    return _HEAD % name + mark + b"\r\n"


def _bare_lf(name: bytes, mark: bytes) -> bytes:
    return _with(b"one\r\ntwo\r\n")(name, mark).replace(b"\r\n", b"\n")


_LINES = b"".join(b"line %06d of a large message %s\r\n" % (n, b"." * 20) for n in range(20_000))

_BUILDERS: Mapping[str, Callable[[bytes, bytes], bytes]] = MappingProxyType(
    {
        "plain": _with(b"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\n"),
        "dots": _with(b".\r\n..\r\n.x\r\n...\r\ntext\r\n.\r\n", b".X-Dot: a header field"),
        "dot1": _with(b"one\r\n", first=b".X-First: the very first octet is a dot\r\n"),
        "emptybody": _with(b""),
        "nobody": _no_body,
        "lf": _bare_lf,
        "nonl": _with(b"one\r\nno line end"),
        "long": _with(b"x" * 10_000 + b"\r\nshort\r\n"),
        "big": _with(_LINES[: _LINES.rindex(b"\r\n", 0, _MIB + 4096) + 2]),
        "utf8": _with("Grüße\r\n".encode(), "X-Name: Jürgen Größer".encode()),
        "8bit": _with(b"caf\xe9\r\n"),
        "nul": _with(b"a\x00b\r\n"),
        "barecr": _with(b"a\rb\r\n"),
        "dup": _with(b"twice the same\r\n"),
        "from": _with(b"From here on\r\n>From there\r\n"),
        "trail": _with(b"text\r\n\r\n\r\n\r\n"),
    }
)

#: Names of all of them. Of ``dup`` there are two, alike in every octet.
FIXTURES = tuple(_BUILDERS)


def stored(name: str, run: str) -> bytes:
    """A message as it is to be put into the maildrop.

    Args:
        name: One of :data:`FIXTURES`.
        run: What marks the run: letters, digits.
    """
    known_by = f"Message-ID: <{run}-{name}@example.com>\r\n{OWN}: {run}-{name}"
    return _BUILDERS[name](name.encode(), known_by.encode())


def on_wire(name: str, run: str) -> bytes:
    """The same as RETR has to give it, unstuffed: every line ends in CRLF (RFC 1939, section 11).

    Args:
        name: One of :data:`FIXTURES`.
        run: What marks the run.
    """
    text = _LINE_END.sub(b"\r\n", stored(name, run))
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def all_stored(run: str) -> list[bytes]:
    """Every message that a run brings; the one that is there twice comes twice.

    Args:
        run: What marks the run.
    """
    return [stored(name, run) for name in FIXTURES] + [stored("dup", run)]


#: The names by which they are known in a maildrop, in the same order.
ARRIVING = (*FIXTURES, "dup-again")
