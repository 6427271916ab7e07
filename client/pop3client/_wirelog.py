"""What goes over the wire, for people to read: line by line, and without secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from ._masking import HIDDEN, mask_octets

if TYPE_CHECKING:
    from ._session import Session

__all__ = ["WireCallback", "WireLine", "WireLog"]

_LOGGER = logging.getLogger("pop3client")
_OPEN_ARGUMENTS = frozenset({"LIST", "UIDL", "RETR", "TOP", "DELE", "LANG"})
"""Commands whose arguments are shown. Whatever is not known may be a secret."""


class WireLine(NamedTuple):
    """A line that went over the wire, or what stands for several.

    Attributes:
        sender: ``"C"`` if the client sent it, ``"S"`` if the server did.
        text: the line without its end; ``*****`` stands for what is secret. The octets of a
            message are not shown, only how many there were.
        encrypted: true if it went through TLS.
    """

    sender: Literal["C", "S"]
    text: str
    encrypted: bool


WireCallback: TypeAlias = Callable[[WireLine], object]


class WireLog:
    """Tells the caller's function, and ``logging`` at level DEBUG, what goes over the wire.

    Args:
        session: the session, which knows the settings and the secrets.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._callback = session.config.wire_log
        self._shows_user = session.config.log_user
        self._where = f"{session.config.host}:{session.config.port}"

    @property
    def active(self) -> bool:
        """True if anybody listens."""
        return self._callback is not None or _LOGGER.isEnabledFor(logging.DEBUG)

    def sent(self, lines: bytes, step: str) -> None:
        """Tell of commands, or of a response to a challenge.

        Args:
            lines: whole lines, as they are sent.
            step: the name of the wait, which says whether it is a response.
        """
        if not self.active:
            return
        for line in lines.splitlines():
            keyword, _, arguments = self._shown(line).partition(" ")
            if step.startswith("AUTH ") and keyword != "AUTH":
                self._tell("C", keyword if keyword == "*" else HIDDEN)
            else:
                self._tell("C", f"{keyword} {self._arguments(keyword, arguments)}".rstrip())

    def _arguments(self, keyword: str, arguments: str) -> str:
        if not arguments or keyword in _OPEN_ARGUMENTS:
            return arguments
        first, _, rest = arguments.partition(" ")
        if keyword == "AUTH":
            return f"{first} {HIDDEN if rest else ''}"
        if self._shows_user and keyword == "USER":
            return arguments
        if self._shows_user and keyword == "APOP":
            return f"{arguments.rpartition(' ')[0]} {HIDDEN}"
        return HIDDEN

    def received(self, line: bytes, step: str) -> None:
        """Tell of a line of a reply.

        Args:
            line: the line without its end.
            step: the name of the wait.
        """
        if not self.active:
            return
        text = self._shown(line)
        keyword = step.partition(" ")[0]
        if keyword == "AUTH" and not text.startswith("-ERR"):
            # A challenge; or +OK, by which some servers mean one.
            status, space, _ = text.partition(" ")
            text = f"{status} {HIDDEN}" if space else status
        user = self._session.user
        if user and not self._shows_user:
            text = text.replace(user, HIDDEN)
        self._tell("S", text)

    def message(self, text: bytes, octets: int) -> None:
        """Tell of the whole answer to RETR.

        Args:
            text: what follows +OK.
            octets: those of the message.
        """
        if self.active:
            self.received(b"+OK " + text, "RETR")
            self.body(octets)

    def body(self, octets: int) -> None:
        """Tell of the octets of a message."""
        if self.active:
            self._tell("S", f"({octets} octets)")

    def _tell(self, sender: Literal["C", "S"], text: str) -> None:
        _LOGGER.debug("%s %s: %s", self._where, sender, text)
        if self._callback is not None:
            self._callback(WireLine(sender, text, self._session.tls is not None))

    def _shown(self, line: bytes) -> str:
        for secret in filter(None, self._session.secrets):
            line = mask_octets(line, secret)
        # What a server says must not drive the terminal of who reads the log.
        text = line.decode("utf-8", "backslashreplace")
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
