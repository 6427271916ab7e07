"""Ways to bring messages into the maildrop: a command, SMTP or LMTP, a Maildir."""

from __future__ import annotations

import itertools
import os
import smtplib
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    #: Brings one message.
    _Deliver = Callable[[bytes], None]

#: Seconds that one message may take.
PATIENCE = 30.0

#: Names in a Maildir have to be unique on the host.
_numbers = itertools.count()

_SENDER = "checker@example.com"


class SeedingError(Exception):
    """Messages could not be brought; all others were.

    Attributes:
        failed: Why, by their places among the messages that were to be brought, from 0.
    """

    def __init__(self, failed: dict[int, str]) -> None:
        first = next(iter(failed.values()))
        super().__init__(f"{len(failed)} messages were not delivered: {first}")
        self.failed = failed


def by_command(
    words: Sequence[str], *, shell: bool = False, folder: Path | None = None
) -> Callable[[list[bytes]], None]:
    """Bring each message by running a command, with the message on its standard input.

    Args:
        words: The program and its arguments; with ``shell`` one text for a shell.
        shell: Whether a shell reads it.
        folder: Where it runs; None: where this process does.
    """

    def deliver(message: bytes) -> None:
        done = subprocess.run(  # noqa: S603 - the user's own command; a shell only if he asks
            words[0] if shell else list(words),
            shell=shell,
            input=message,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=PATIENCE,
            cwd=folder,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            last = said.splitlines()[-1] if said else "nothing on standard error"
            raise OSError(f"the command ended with status {done.returncode}: {last}")

    return _each(deliver)


def by_smtp(
    host: str, port: int, recipient: str, *, lmtp: bool = False
) -> Callable[[list[bytes]], None]:
    """Bring each message by SMTP (RFC 5321) or LMTP (RFC 2033), on a connection of its own.

    A message that a server refuses, as some do with NUL, is one that is missing, and no more.

    Args:
        host: The mail server.
        port: Its port.
        recipient: The address that leads into the maildrop.
        lmtp: Whether to speak LMTP.
    """
    kind: type[smtplib.SMTP] = smtplib.LMTP if lmtp else smtplib.SMTP

    def deliver(message: bytes) -> None:
        with kind(host, port, timeout=PATIENCE) as server:
            # RFC 6152: octets above 127 are announced where the server takes them.
            server.ehlo_or_helo_if_needed()
            options = ["BODY=8BITMIME"] if server.has_extn("8bitmime") else []
            server.sendmail(_SENDER, [recipient], message, mail_options=options)

    return _each(deliver)


def by_maildir(path: Path) -> Callable[[list[bytes]], None]:
    """Put each message into a Maildir: written in ``tmp``, then moved to ``new``.

    Args:
        path: The Maildir.
    """

    def deliver(message: bytes) -> None:
        name = f"{time.time():.6f}.P{os.getpid()}Q{next(_numbers)}.{_host()}"
        draft = path / "tmp" / name
        try:
            draft.write_bytes(message)
            _give_away(draft, path)
            draft.rename(path / "new" / name)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    return _each(deliver)


def _host() -> str:
    return socket.gethostname().replace("/", "_").replace(":", "_")


def _give_away(file: Path, maildir: Path) -> None:
    """Let the file belong to who owns the Maildir, as a delivery agent does, if we may."""
    owner = (maildir / "new").stat()
    file.chmod(0o600)
    if owner.st_uid != file.stat().st_uid:
        os.chown(file, owner.st_uid, owner.st_gid)


def _each(deliver: _Deliver) -> Callable[[list[bytes]], None]:
    """Bring every message that can be brought, whatever becomes of the others."""

    def seed(messages: list[bytes]) -> None:
        failed: dict[int, str] = {}
        for place, message in enumerate(messages):
            try:
                deliver(message)
            except subprocess.TimeoutExpired:
                failed[place] = f"the command did not end within {PATIENCE:g} s"
            except (OSError, smtplib.SMTPException) as error:
                failed[place] = _shown(error)
        if failed:
            raise SeedingError(failed)

    return seed


def _shown(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, said = next(iter(error.recipients.values()))
            return f"the recipient was refused: {code} {_decoded(said)}"
        case smtplib.SMTPResponseException():
            return f"refused: {error.smtp_code} {_decoded(error.smtp_error)}"
        case OSError():
            return str(error.strerror or error)
        case _:
            return str(error)


def _decoded(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
