"""Where messages are kept: a folder of files, a Maildir or an mbox; exactly one of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import click

from ._failures import UsageFailure
from ._options import gathered

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Destination(Protocol):
    """Something that keeps messages.

    Attributes:
        path: The file or folder.
    """

    path: Path

    @abstractmethod
    def incoming(self) -> AbstractContextManager[IO[bytes]]:
        """A place for a message that is on its way; it is gone afterwards, come what may."""

    @abstractmethod
    def keep(self, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        """Keep a message that has come whole; when this returns, no power failure takes it.

        Args:
            file: From :meth:`incoming`, with the whole message in it.
            number: The number of the message.
            uid: Its unique-id; empty if the server has none.

        Returns:
            The file that holds the message, and whether it was not there before.

        Raises:
            OSError: It cannot be kept, or nobody knows whether it lasts; it has to come again.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the options say about the destination."""

    folder: Path | None
    maildir: Path | None
    mbox: Path | None

    @property
    def path(self) -> Path:
        """The one that is named; see :meth:`check`."""
        path = self.folder or self.maildir or self.mbox
        assert path is not None
        return path

    def check(self) -> None:
        """See that exactly one is named.

        Raises:
            UsageFailure: It is not so.
        """
        if sum(path is not None for path in (self.folder, self.maildir, self.mbox)) != 1:
            raise UsageFailure("expected exactly one of --output, --maildir and --mbox")

    def open(self) -> Destination:
        """Open the destination, and make it if it is missing.

        Raises:
            OSError: It cannot be used.
            UsageFailure: This system has no mbox.
        """
        if self.maildir is not None:
            from ._maildir import Maildir

            return Maildir(self.maildir)
        if self.folder is not None:
            from ._folder import Folder

            return Folder(self.folder)
        try:
            from ._mbox import Mbox
        except ModuleNotFoundError:  # fcntl
            raise UsageFailure("--mbox needs file locks as POSIX has them") from None
        return Mbox(self.path)


place = gathered(
    Place,
    click.option("-o", "--output", "folder", metavar="DIR",
                 type=click.Path(file_okay=False, path_type=Path),
                 help="Keep each message in a file of its own in this folder."),
    click.option("--maildir", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
                 help="Deliver into this Maildir."),
    click.option("--mbox", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
                 help="Append to this mbox."),
)  # fmt: skip
