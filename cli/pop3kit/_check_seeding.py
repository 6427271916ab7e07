"""How ``pop3kit check`` brings its own messages, by its options."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pop3check import by_command, by_maildir, by_smtp

from ._failures import UsageFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check import Target

    from ._check_options import Seeding

_WAYS = ("seed_command", "seed_smtp", "seed_lmtp", "seed_maildir")


def seeder(seeding: Seeding, target: Target) -> Callable[[list[bytes]], None] | None:
    """What puts messages into the maildrop; None if nothing was said about it.

    Args:
        seeding: The options.
        target: The account.

    Raises:
        UsageFailure: The options contradict each other.
    """
    given = [name for name in _WAYS if getattr(seeding, name) is not None]
    if len(given) > 1:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageFailure(f"expected one way to seed, got {named}")
    if seeding.seed_shell and seeding.seed_command is None:
        raise UsageFailure("--seed-shell is for --seed-command, and there is none")
    if given and not target.user:
        raise UsageFailure("to seed a maildrop the URL needs a user: pop3://user@host")
    if seeding.seed_command is not None:
        return by_command(_words(seeding), shell=seeding.seed_shell)
    if seeding.seed_maildir is not None:
        return by_maildir(seeding.seed_maildir)
    address = seeding.seed_lmtp or seeding.seed_smtp
    if address is None:
        return None
    host, port = _split(address)
    lmtp = seeding.seed_lmtp is not None
    return by_smtp(host, port, seeding.seed_to or target.user, lmtp=lmtp)


def _words(seeding: Seeding) -> list[str]:
    command = seeding.seed_command or ""
    try:
        words = [command] if seeding.seed_shell else shlex.split(command)
    except ValueError as error:
        raise UsageFailure(f"--seed-command: {error}") from None
    if not command.strip():
        raise UsageFailure("--seed-command: expected a command, got nothing")
    return words


def _split(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise UsageFailure(f"expected HOST:PORT of a mail server, got {address!r}")
    return host, port
