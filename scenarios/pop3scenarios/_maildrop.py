"""Messages from the entries of a ``maildrop:``."""

from __future__ import annotations

import mailbox
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._model import MailItem

_BARE_LF = re.compile(rb"(?<!\r)\n")
_FILLER = b"The quick brown fox jumps over the lazy dog; the maildrop holds one line more.\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message before it is served.

    Attributes:
        data: Its octets as they are stored, with whatever line ends they have.
        uid: Its unique-id, or None to let the server make one.
    """

    data: bytes
    uid: str | None = None


def build(items: Iterable[MailItem]) -> list[Mail]:
    """The messages of a maildrop, in order.

    Args:
        items: The entries of the scenario file.

    Raises:
        OSError: A file cannot be read.
    """
    return [mail for item in items for mail in _messages(item)]


def _messages(item: MailItem) -> Iterator[Mail]:
    if item.file is not None:
        data = [item.file.read_bytes()]
    elif item.files is not None:
        data = [path.read_bytes() for path in _matching(item.files)]
    elif item.mbox is not None:
        data = _read_mbox(item.mbox)
    elif item.maildir is not None:
        data = _read_maildir(item.maildir)
    elif item.raw is not None:
        data = [_crlf(item.raw)]
    else:
        data = [_inline(item, number) for number in range(1, item.count + 1)]
        yield from (Mail(each, item.uid) for each in data)
        return
    for _ in range(item.count):
        yield from (Mail(each, item.uid) for each in data)


def _inline(item: MailItem, number: int) -> bytes:
    fields = {
        "From": item.from_ or "sender@example.com",
        "To": item.to or "alice@example.com",
        "Subject": item.subject or f"Message {number}",
        "Date": "Mon, 02 Jan 2023 10:00:00 +0000",
        **item.headers,
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    if item.octets is None:
        return _crlf(f"{head}\n{item.body or ''}")
    start = _crlf(f"{head}\n")
    return start + _filler(max(item.octets - len(start), 0))


@lru_cache(maxsize=64)
def _filler(octets: int) -> bytes:
    """Exactly so many octets of text in lines that end in CRLF."""
    if octets < 2:
        return b"x" * octets
    text = (_FILLER * (octets // len(_FILLER) + 1))[: octets - 2]
    # A cut inside the last CRLF must not leave a bare CR.
    return text.rstrip(b"\r\n").ljust(octets - 2, b".") + b"\r\n"


def _crlf(text: str) -> bytes:
    return _BARE_LF.sub(b"\r\n", text.encode("utf-8", "surrogateescape"))


def _matching(pattern: str) -> list[Path]:
    path = Path(pattern)
    fixed = next(i for i, part in enumerate(path.parts) if set(part) & set("*?["))
    return sorted(Path(*path.parts[:fixed]).glob(str(Path(*path.parts[fixed:]))))


def _read_mbox(path: Path) -> list[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        return [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - not a mapping
    finally:
        box.close()


def _read_maildir(path: Path) -> list[bytes]:
    files = [file for folder in ("new", "cur") for file in (path / folder).glob("[!.]*")]
    return [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]
