"""What both clients tell without asking the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ._config import Config, Settings
from ._listing import Listing
from ._results import Language, Message, ScanListing, UniqueId
from ._session import Session

if TYPE_CHECKING:
    from ._capabilities import Capabilities, CapabilitySnapshots
    from ._deviations import Deviation
    from ._tls import TLSInfo

__all__ = [
    "Facade",
    "Languages",
    "Messages",
    "Numbers",
    "ScanListings",
    "SizeListing",
    "UniqueIdListing",
    "UniqueIds",
    "Writable",
]

# Inside a client's class, ``list`` is the command.
Languages: TypeAlias = list[Language]
Messages: TypeAlias = list[Message]
Numbers: TypeAlias = list[int]
ScanListings: TypeAlias = list[ScanListing]
UniqueIds: TypeAlias = list[UniqueId]
SizeListing: TypeAlias = Listing[ScanListing]
UniqueIdListing: TypeAlias = Listing[UniqueId]


class Writable(Protocol):
    """A file opened for writing in binary, or anything like it."""

    def write(self, data: bytes, /) -> object:
        """Take the octets."""


class Facade(ABC):
    """The part of a client that does no I/O, and so is the same for both."""

    def __init__(self, host: str, settings: Settings) -> None:
        self._session = Session(Config.for_server(host, settings))

    def __repr__(self) -> str:
        config = self._session.config
        return f"<{type(self).__name__} {config.host}:{config.port} {self._session.state.value}>"

    @property
    def config(self) -> Config:
        """The settings in force now; ``retr_mode`` may have fallen."""
        return self._session.config

    @property
    def greeting(self) -> str:
        """The text of the greeting."""
        return self._session.greeting.decode("utf-8", "backslashreplace")

    @property
    def tls(self) -> TLSInfo | None:
        """What was agreed in the TLS handshake; None if the connection is not encrypted."""
        return self._session.tls

    @property
    def capabilities(self) -> Capabilities:
        """The last answer to CAPA; empty if there was none."""
        return self._session.capabilities

    @property
    def capability_snapshots(self) -> CapabilitySnapshots:
        """The last answer to CAPA in each stage: before TLS, after it, and after login."""
        return self._session.snapshots

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """What the server did that a client might not expect, and this one put up with."""
        return self._session.deviations.entries

    def abort(self) -> None:
        """Close the connection without QUIT: the server deletes nothing (RFC 1939 section 6)."""
        self._session.end("it was aborted")
        self._close_if_over()

    @abstractmethod
    def _close_if_over(self) -> None:
        """Close the socket if the session is over."""
