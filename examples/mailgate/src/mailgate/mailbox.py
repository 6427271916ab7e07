"""The maildrop that the mail is fetched from."""

from __future__ import annotations

import logging
import poplib
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailgate.settings import Settings

log = logging.getLogger(__name__)


class Mailbox:
    """A maildrop with a session open.

    Args:
        pop: The session, logged in.
    """

    def __init__(self, pop: poplib.POP3) -> None:
        self._pop = pop

    def uids(self) -> dict[int, str]:
        """The unique-id of each message, by its number."""
        lines = (line.decode("ascii").split() for line in self._pop.uidl()[1])
        return {int(number): uid for number, uid in lines}

    def retrieve(self, number: int) -> bytes:
        """The octets of a message.

        poplib's retr() gives up on lines of more than 2048 octets, and newsletters have those.

        Args:
            number: Number of the message.
        """
        self._pop._shortcmd(f"RETR {number}")  # type: ignore[attr-defined]
        lines = []
        while (line := self._pop.file.readline()) != b".\r\n":
            if not line:
                raise EOFError("the server has closed the connection")
            lines.append(line)
        return b"".join(lines)

    def delete(self, number: int) -> None:
        """Mark a message as deleted; it is gone when the session has ended well.

        Args:
            number: Number of the message.
        """
        self._pop.dele(number)


@contextmanager
def session(settings: Settings) -> Iterator[Mailbox]:
    """Open a maildrop; leaving the block without an error ends the session with QUIT.

    Args:
        settings: Where it is.
    """
    pop = poplib.POP3(settings.host, settings.port, timeout=settings.timeout)
    try:
        if settings.tls:
            _secure(pop, settings)
        pop.user(settings.user)
        pop.pass_(settings.password)
        yield Mailbox(pop)
        pop.quit()
    finally:
        with suppress(OSError):  # after a failed handshake poplib has no socket to close
            pop.close()


def _secure(pop: poplib.POP3, settings: Settings) -> None:
    try:
        pop.stls(ssl.create_default_context(cafile=settings.ca_file))
    except poplib.error_proto as error:
        log.warning("no TLS on %s, going on without: %s", settings.host, error)
