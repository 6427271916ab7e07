"""Messages from the entries of a ``maildrop:``."""

from __future__ import annotations

import glob
import mailbox
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._mailitem import MailItem

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
    if item.octets is None:
        return _head(item, number) + _crlf(item.body or "")
    head = _head(item, number)
    if len(head) > item.octets:
        head = _head(item, number, short=True)
    return head + _filler(item.octets - len(head))


def smallest(item: MailItem) -> int:
    """The fewest octets that a generated message with these header fields can have."""
    return len(_head(item, item.count, short=True))


def _head(item: MailItem, number: int, *, short: bool = False) -> bytes:
    """The header with its empty line; a short one has only what the author asked for."""
    fields = {
        "From": item.from_ or "sender@example.com",
        "To": item.to or (None if short else "alice@example.com"),
        "Subject": item.subject or f"Message {number}",
        "Date": None if short else "Mon, 02 Jan 2023 10:00:00 +0000",
        **item.headers,
    }
    lines = (f"{name}: {value}".rstrip("\n") for name, value in fields.items() if value is not None)
    return _crlf("".join(f"{line}\n" for line in lines) + "\n")


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
    # Path.glob takes no absolute pattern.
    found = (Path(name) for name in glob.glob(pattern, recursive=True))  # noqa: PTH207
    return sorted(path for path in found if path.is_file())


def _read_mbox(path: Path) -> list[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        return [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - not a mapping
    finally:
        box.close()


def _read_maildir(path: Path) -> list[bytes]:
    files = [file for folder in ("new", "cur") for file in (path / folder).glob("[!.]*")]
    ordered = sorted(files, key=lambda file: file.name)
    return [file.read_bytes() for file in ordered if file.is_file()]
