"""Fifteen awkward messages, the same octets in every run.

They are made here rather than kept as files, so that no editor or checkout can mend what must stay
broken: bare CR and LF, NUL, octets that are no UTF-8, a last line without an end.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ATTACHMENT_OCTETS = 766_000
_BARE_LF = re.compile(rb"(?<!\r)\n")


def _head(name: str, minute: int, subject: str, *more: str) -> bytes:
    """A header whose X-Seed field says which message this is; no blank line behind it."""
    lines = (
        "Return-Path: <sender@example.test>",
        "From: Seed Sender <sender@example.test>",
        "To: Alice <alice@example.test>",
        f"Subject: {subject}",
        f"Date: Mon, 02 Jan 2023 10:{minute:02}:00 +0000",
        f"Message-ID: <seed-{name}@example.test>",
        f"X-Seed: {name}",
        *more,
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _noise(octets: int) -> bytes:
    """Octets that do not repeat."""
    out = bytearray()
    block = b"seed"
    while len(out) < octets:
        block = hashlib.sha256(block).digest()
        out += block
    return bytes(out[:octets])


def _attachment() -> bytes:
    text = base64.b64encode(_noise(_ATTACHMENT_OCTETS))
    lines = (
        b"--=-seed",
        b"Content-Type: text/plain",
        b"",
        b"see attachment",
        b"--=-seed",
        b"Content-Type: application/octet-stream",
        b"Content-Transfer-Encoding: base64",
        b'Content-Disposition: attachment; filename="a.bin"',
        b"",
        *(text[at : at + 76] for at in range(0, len(text), 76)),
        b"--=-seed--",
        b"",
    )
    return b"\r\n".join(lines)


def messages() -> dict[str, bytes]:
    """The messages by name, in order, as a server may find them on its disk."""
    twin = _head("14-dup", 14, "two identical messages") + b"\r\nsame octets twice\r\n"
    return {
        "01-plain": _head("01-plain", 1, "plain ascii")
        + b"\r\nline one\r\nline two\r\nline three\r\nline four\r\nline five\r\nline six\r\n"
        b"line seven\r\n",
        "02-dots": _head("02-dots", 2, "lines that begin with dots")
        + b"\r\n.\r\n..\r\n...\r\n.leading dot\r\n..leading two dots\r\n"
        b"a dot in the . middle and at the end.\r\n. dot space\r\n\r\n.\r\n",
        "03-empty-body": _head("03-empty-body", 3, "empty body, blank line present") + b"\r\n",
        "04-utf8": _head(
            "04-utf8",
            4,
            "8-bit body éß☃ (raw UTF-8 in this header)",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        )
        + "\r\nGrüße, naïve café, 日本語, 📧\r\nlatin-1 octets follow: ".encode()
        + b"\xe9\xff\xa0\r\n",
        "05-longline": _head("05-longline", 5, "one line of 10240 octets")
        + b"\r\n"
        + b"x" * 10240
        + b"\r\nafter\r\n",
        "06-lf-only": _head("06-lf-only", 6, "LF line endings on disk").replace(b"\r\n", b"\n")
        + b"\nfirst\n.second begins with a dot\nthird\n",
        "07-trailing-blank": _head("07-trailing-blank", 7, "five blank lines at the end")
        + b"\r\ntext\r\n"
        + b"\r\n" * 5,
        "08-no-final-newline": _head("08-no-final-newline", 8, "no newline at the end")
        + b"\r\nfirst\r\nlast line, no newline",
        "09-big": _head(
            "09-big",
            9,
            "attachment of about 1 MB",
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="=-seed"',
        )
        + b"\r\n"
        + _attachment(),
        "10-header-only": _head("10-header-only", 10, "header only, no blank line"),
        "11-from-line": _head("11-from-line", 11, "From lines in the body")
        + b"\r\nFrom here on the body looks like an mbox separator\r\n>From quoted once\r\n"
        b"\r\nFrom alice@example.test Mon Jan  2 10:11:00 2023\r\nend\r\n",
        "12-bare-cr": _head("12-bare-cr", 12, "bare CR and bare LF inside")
        + b"\r\none\rtwo after bare CR\r\nthree\nfour after bare LF\r\n\r.dot after CR\r\n"
        b"\n.dot after LF\r\n",
        "13-nul": _head("13-nul", 13, "a NUL and other controls")
        + b"\r\nbefore\x00after NUL\r\n\x01\x07\x08\x1b[0m\x7f\r\n",
        "14-dup-a": twin,
        "14-dup-b": twin,
    }


def canonical(message: bytes) -> bytes:
    """What a correct server sends for it: each line ends in CRLF, the last one too.

    RFC 1939, section 3: a message goes out as lines that end in CRLF, so a bare LF on disk, being a
    line end there, becomes CRLF. A bare CR is an octet like any other.
    """
    message = _BARE_LF.sub(b"\r\n", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def longest_line(message: bytes) -> int:
    """Octets of its longest line, line end not counted."""
    return max(map(len, canonical(message).split(b"\r\n")))


def write(folder: Path) -> None:
    """Write each message to a file of its own.

    Args:
        folder: Where to; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in messages().items():
        (folder / f"{name}.eml").write_bytes(octets)
