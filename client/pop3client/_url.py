"""The URL of a maildrop: ``pop3://``, ``pop3s://`` or ``pop3+stls://``, with a user in it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ._authentication import check_login
from ._config import TLS, RetrMode, Settings
from ._exceptions import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MaildropURL"]

_FORM = "pop3://user@host:port"
_SCHEMES = {"pop3": TLS.NONE, "pop3s": TLS.IMPLICIT, "pop3+stls": TLS.STLS}
_TRUTH = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


class _Kind(NamedTuple):
    """A kind of setting: how to read it, and what to say if that fails."""

    read: Callable[[str], object]
    expected: str


_SWITCH = _Kind(_TRUTH.__getitem__, "yes or no")
# What weakens security is not among them: a URL often comes from elsewhere than the program.
_OPTIONS = {
    "timeout": _Kind(float, "seconds"),
    "retr_mode": _Kind(RetrMode, "retr, list or slow"),
    "msex": _SWITCH,
    "strict": _SWITCH,
}


@dataclass(frozen=True, slots=True)
class MaildropURL:
    """What a URL says of a maildrop.

    Attributes:
        host: name or address of the server, in lower case and without brackets.
        user: the name of the maildrop.
        port: TCP port, or None for the usual one.
        tls: when to encrypt.
        password: the password, or None. It is not shown by ``repr``.
        mechanism: how to log in, or None for the safest way.
        options: further settings: ``timeout``, ``retr_mode``, ``msex``, ``strict``.
    """

    host: str
    user: str
    port: int | None = None
    tls: TLS = TLS.NONE
    password: str | None = field(default=None, repr=False)
    mechanism: str | None = None
    options: Settings = field(default_factory=Settings)

    @classmethod
    def parse(cls, url: str) -> MaildropURL:
        """Read a URL, such as ``pop3s://joe%40example.com@mail.example.com/?timeout=20``.

        Args:
            url: the URL. In user, password and host every character may be written as ``%40``.

        Raises:
            InvalidArgument: it is none. The message never quotes the URL, for there may be a
                password in it.
        """
        parts, port = _split(url)
        return cls(
            host=unquote(parts.hostname or ""),
            user=unquote(parts.username or ""),
            port=port,
            tls=_SCHEMES[parts.scheme],
            password=None if parts.password is None else unquote(parts.password),
            **_query(parts.query),
        )

    def settings(self, settings: Settings) -> Settings:
        """Give the settings of the URL, overridden by others."""
        chosen: Settings = {"port": self.port, "tls": self.tls}
        return chosen | self.options | settings

    def login(self, password: str | None) -> tuple[str, str, str | None] | None:
        """Give user, password and mechanism, or None if there is no password.

        Args:
            password: the password; None takes that of the URL.

        Raises:
            InvalidArgument: one of them cannot be used.
        """
        password = self.password if password is None else password
        if password is None:
            return None
        check_login(self.user, password, self.mechanism)
        return self.user, password, self.mechanism


def _split(url: str) -> tuple[SplitResult, int | None]:
    found = None
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        found = parts, parts.port
    if found is None:
        # Outside of a handler: that error may quote what it choked on, which may be a password.
        raise InvalidArgument(f"URL: expected {_FORM}, got no valid host and port")
    _check(found[0])
    return found


def _check(parts: SplitResult) -> None:
    if parts.scheme not in _SCHEMES:
        names = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise InvalidArgument(f"URL: expected one that begins with {names}")
    if not parts.hostname or not parts.username:
        raise InvalidArgument(f"URL: expected a user and a host: {_FORM}")
    if parts.path not in ("", "/") or parts.fragment:
        raise InvalidArgument(f"URL: expected only ?settings after host and port: {_FORM}")


def _query(query: str) -> dict[str, Any]:
    words = dict(parse_qsl(query, keep_blank_values=True))
    mechanism = words.pop("mechanism", None)
    options = {name: _option(name, value) for name, value in words.items()}
    return {"mechanism": mechanism, "options": options}


def _option(name: str, value: str) -> object:
    kind = _OPTIONS.get(name)
    if kind is None:
        names = ", ".join(["mechanism", *_OPTIONS])
        raise InvalidArgument(f"URL: expected settings of {names}, got another one")
    try:
        return kind.read(value)
    except (ValueError, KeyError):
        raise InvalidArgument(f"URL: {name}: expected {kind.expected}") from None
