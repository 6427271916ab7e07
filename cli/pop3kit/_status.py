"""How ``pop3kit fetch`` can end: one table, from which help, JSON and documentation take it."""

from __future__ import annotations

import socket
from enum import IntEnum
from typing import Self

from . import _failures


class Status(IntEnum):
    """An exit status; from 64 on they are those of sysexits.h.

    Attributes:
        meaning: What it says about the run.
    """

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Make a member with its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "all that was asked for is done"
    PARTIAL = 1, "the run came to its end, but single messages are missing or not deleted"
    USAGE = _failures.USAGE, "wrong usage, or no password or token to be had"
    NO_HOST = 68, "the name of the host has no address"
    UNAVAILABLE = 69, "the server cannot be reached, is silent, hangs up, or refuses service"
    SYSTEM = _failures.SYSTEM, "a file cannot be read or written, as when the disk is full"
    TEMPORARY = 75, "the maildrop or the mbox is in use, or the server says to come later"
    PROTOCOL = 76, "the server does not speak POP3 as it must"
    DENIED = 77, "the server does not accept the user, the password or the token"
    INSECURE = 78, "the connection cannot be secured: certificate, STLS or TLS version"
    INTERRUPTED = 130, "interrupted from the keyboard"

    @property
    def kind(self) -> str:
        """Its name in JSON."""
        return self.name.lower().replace("_", "-")


def status_table() -> str:
    """A line for each status, for the help."""
    return "\n".join(f"{status:>4}  {status.meaning}" for status in Status)


def status_of(error: Exception) -> Status:
    """Tell which kind of failure an error is.

    Args:
        error: An error of the client, or of the operating system.
    """
    import pop3client  # the help does without it

    if isinstance(error, pop3client.ConnectError) and _has_no_address(error.__cause__):
        return Status.NO_HOST
    if isinstance(error, pop3client.CommandError) and error.retryable:
        return Status.TEMPORARY
    kinds: dict[type[Exception], Status] = {
        pop3client.AuthenticationError: Status.DENIED,
        pop3client.TLSError: Status.INSECURE,
        pop3client.ProtocolError: Status.PROTOCOL,
        pop3client.SeenStoreError: Status.SYSTEM,
        pop3client.POP3Error: Status.UNAVAILABLE,
        BlockingIOError: Status.TEMPORARY,
        OSError: Status.SYSTEM,
    }
    return next(status for kind, status in kinds.items() if isinstance(error, kind))


def _has_no_address(cause: BaseException | None) -> bool:
    return isinstance(cause, socket.gaierror | UnicodeError)
