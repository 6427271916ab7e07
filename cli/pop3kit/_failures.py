"""What the user is told when a subcommand cannot do its work, and the exit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

#: The exit statuses are those of sysexits.h: EX_USAGE and EX_IOERR.
USAGE = 64
SYSTEM = 74


class Failure(click.ClickException):
    """An end of the command that is no fault of its own: a line on stderr, and a status.

    Args:
        message: What was expected, what came, and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class UsageFailure(Failure):
    """The command was asked for something that it cannot do."""

    exit_code = USAGE


class SystemFailure(Failure):
    """The operating system refuses a file, an address or a program."""

    exit_code = SYSTEM


def system_failure(what: str, where: Path | str, error: OSError) -> SystemFailure:
    """A failure of the operating system, told without its jargon.

    Args:
        what: What was to be done, such as ``"cannot write"``.
        where: The file or address.
        error: What the system said.
    """
    return SystemFailure(f"{what} {where}: {error.strerror or error}")


def printable(text: str) -> str:
    """The text with control characters escaped: a server must not drive the user's terminal.

    Args:
        text: What a server, a file or a file name says.
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text
    )
