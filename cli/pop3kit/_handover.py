"""How a program hands over the mail that it has fetched, and what it has handed over."""

from __future__ import annotations

import mailbox
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Handover(StrEnum):
    """Where a program leaves the mail."""

    FOLDER = "folder"
    MAILDIR = "maildir"
    MBOX = "mbox"
    STDOUT = "stdout"
    NOWHERE = "none"


def prepare(kind: Handover, out: Path) -> None:
    """Make what ``{out}`` names, as a program expects to find it.

    Args:
        kind: Where the program leaves the mail.
        out: The folder; of an mbox the file, which is not made.
    """
    if kind is Handover.MBOX:
        return
    out.mkdir()
    if kind is Handover.MAILDIR:
        for name in ("cur", "new", "tmp"):
            (out / name).mkdir()


def collect(kind: Handover, out: Path, stdout: Path, wanted: Sequence[bytes]) -> list[bytes] | None:
    """The messages that a program has handed over, in no order that means anything.

    Args:
        kind: Where it leaves them.
        out: What ``{out}`` named.
        stdout: The file with its standard output.
        wanted: The messages that are there; by them those on standard output are told apart.

    Returns:
        Their octets; None if nobody can know.
    """
    match kind:
        case Handover.FOLDER:
            return [path.read_bytes() for path in _files(out)]
        case Handover.MAILDIR:
            kept = (path for name in ("cur", "new") for path in _files(out / name))
            return [path.read_bytes() for path in kept]
        case Handover.MBOX:
            return _mbox(out)
        case Handover.STDOUT:
            return list(_apart(stdout.read_bytes(), wanted))
        case Handover.NOWHERE:
            return None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _mbox(path: Path) -> list[bytes]:
    """What an mbox holds; lines that only look like its separators are quoted there."""
    if not path.exists():
        return []
    box = mailbox.mbox(path, create=False)
    try:
        return [_unquoted(box.get_bytes(key)) for key in box.iterkeys()]
    finally:
        box.close()


def _unquoted(data: bytes) -> bytes:
    return data.replace(b"\n>From ", b"\nFrom ")


def _apart(stream: bytes, wanted: Sequence[bytes]) -> Iterator[bytes]:
    """Messages that stand one behind the other; what is none of them comes as it stands."""
    # Both forms of line ends, since a program may write either; the longest first, since a message
    # may begin as another one does.
    forms = {form for data in wanted for form in (data, data.replace(b"\r\n", b"\n")) if form}
    known = sorted(forms, key=len, reverse=True)
    odd = 0
    at = 0
    while at < len(stream):
        found = next((form for form in known if stream.startswith(form, at)), None)
        if found is None:
            at = min((p for f in known if (p := stream.find(f, at + 1)) > 0), default=len(stream))
            continue
        if odd < at:
            yield stream[odd:at]
        yield found
        at += len(found)
        odd = at
    if stream[odd:].strip():
        yield stream[odd:]
