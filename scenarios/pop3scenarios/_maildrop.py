"""Messages from the entries of a ``maildrop:``."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._content import Copy, InMemory, Recipe, whole
from ._folder import Maildir, Mbox

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from ._content import Content
    from ._folder import Folder
    from ._mailitem import MailItem
    from ._values import Nth

_BARE_LF = re.compile(rb"(?<!\r)\n")

#: Stands for a copy's number; no file can hold it.
_NUMBER = "\udfff"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message before it is served.

    Attributes:
        content: Its octets as they are stored, with whatever line ends they have.
        uid: Its unique-id, or None to let the server make one.
        sessions: The sessions of its user in which it is there; None for all.
        origin: By what it is known again on the disk; None if that is not where it is.
        place: The folder that it is to be taken out of once it is deleted, and its key there; None
            if nothing on the disk is to be altered.
    """

    content: Content
    uid: str | None = None
    sessions: Nth | None = None
    origin: Hashable = None
    place: tuple[Folder, str] | None = None

    @property
    def data(self) -> bytes:
        """All its octets.

        Raises:
            OSError: They cannot be read.
        """
        return b"".join(self.content.chunks())


def build(items: Iterable[MailItem]) -> Iterator[Mail]:
    """The messages of a maildrop, in order; nothing of them is read or made yet.

    Args:
        items: The entries of the scenario file.

    Raises:
        OSError: A file is gone, or a folder cannot be read.
    """
    for item in items:
        yield from _messages(item)


def _messages(item: MailItem) -> Iterator[Mail]:
    if item.maildir is not None:
        yield from _in_folder(item, Maildir(item.maildir))
    elif item.mbox is not None:
        yield from _in_folder(item, Mbox(item.mbox))
    elif item.file is not None:
        yield from _in_files(item, [item.file])
    elif item.files is not None:
        yield from _in_files(item, _matching(item.files))
    elif item.raw is not None:
        content = InMemory(_stored(item.raw, item))
        yield from (Mail(content, item.uid, item.sessions) for _ in range(item.count))
    else:
        recipe = _recipe(item)
        for number in range(1, item.count + 1):
            yield Mail(Copy(recipe, number), item.uid, item.sessions)


def _in_folder(item: MailItem, folder: Folder) -> Iterator[Mail]:
    found = list(folder.messages())
    for copy in range(item.count):
        for each in found:
            yield Mail(
                each.content,
                each.uid if copy == 0 else None,
                item.sessions,
                (folder, each.key, copy),
                (folder, each.key) if item.update else None,
            )


def _in_files(item: MailItem, paths: list[Path]) -> Iterator[Mail]:
    contents = [content for path in paths if (content := whole(path)) is not None]
    for copy in range(item.count):
        for content in contents:
            yield Mail(content, item.uid, item.sessions, (content, copy))


def _recipe(item: MailItem) -> Recipe:
    if item.octets is None:
        return Recipe(_head(item), body=_stored(item.body or "", item))
    return Recipe(_head(item), _head(item, short=True), octets=item.octets)


def smallest(item: MailItem) -> int:
    """The fewest octets that a generated message with these header fields can have."""
    return len(str(item.count).encode("ascii").join(_head(item, short=True)))


def _head(item: MailItem, *, short: bool = False) -> tuple[bytes, ...]:
    """The header with its empty line, what stands before and behind the number of the copy.

    A short one has only what the author asked for.
    """
    fields = {
        "From": item.from_ or "sender@example.com",
        "To": item.to or (None if short else "alice@example.com"),
        "Subject": item.subject or f"Message {_NUMBER}",
        "Date": None if short else "Mon, 02 Jan 2023 10:00:00 +0000",
        **item.headers,
    }
    lines = (f"{name}: {value}".rstrip("\n") for name, value in fields.items() if value is not None)
    head = "".join(f"{line}\n" for line in lines) + "\n"
    return tuple(_stored(part, item) for part in head.split(_NUMBER))


def _stored(text: str, item: MailItem) -> bytes:
    """The octets of a text that stands in the scenario, with the line ends that it is to have."""
    octets = text.encode("utf-8", "surrogateescape")
    return octets if item.line_ends == "lf" else _BARE_LF.sub(b"\r\n", octets)


def _matching(pattern: str) -> list[Path]:
    # Path.glob takes no absolute pattern.
    found = (Path(name) for name in glob.glob(pattern, recursive=True))  # noqa: PTH207
    return sorted(path for path in found if path.is_file())
