"""The URL of a maildrop: ``pop3://user@host:port`` or ``pop3s://…``; never with a password."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class MaildropURL:
    """Where a maildrop is.

    Attributes:
        host: Name or address.
        port: TCP port, or None for the usual one.
        user: The user name.
        implicit: Whether TLS begins with the first octet.
    """

    host: str
    port: int | None
    user: str
    implicit: bool


def parse_url(text: str) -> MaildropURL:
    """Read a URL.

    Args:
        text: The URL. Characters of the user name may be written as ``%40``.

    Raises:
        ValueError: It is none, or it holds a password; the message never quotes the URL.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # What urlsplit says may quote what it choked on, and that may be a password.
        raise ValueError("expected pop3://user@host:port, got no valid host and port") from None
    if parts.password is not None:
        raise ValueError(
            "a password in the URL can be read in the list of processes and in the shell's history;"
            " leave it out, and use the prompt, --password-file, --password-command or"
            " POP3KIT_PASSWORD"
        )
    _check(parts)
    return MaildropURL(
        parts.hostname or "", port, unquote(parts.username or ""), parts.scheme == "pop3s"
    )


def _check(parts: SplitResult) -> None:
    if parts.scheme not in ("pop3", "pop3s"):
        raise ValueError("expected a URL that begins with pop3:// or pop3s://")
    if not parts.hostname or not parts.username:
        raise ValueError("expected a user and a host: pop3://user@host:port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("expected nothing after host and port: pop3://user@host:port")
