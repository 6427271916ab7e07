"""The server to be checked: where it is, how it is reached, and who logs in."""

from __future__ import annotations

import ipaddress
import ssl
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from ._wants import Handshake

if TYPE_CHECKING:
    from pathlib import Path

TLSMode = Literal["none", "stls", "implicit"]

#: URL scheme, and the port that goes with it (RFC 1939, RFC 8314).
_SCHEMES = {"pop3": 110, "pop": 110, "pop3+stls": 110, "pop3s": 995, "pops": 995}

#: A password of so many letters could be a part of any word, and one of these of any refusal.
_A_FEW = 3
_WORDS = frozenset(
    (
        *("bad", "credentials", "denied", "error", "failed", "invalid", "login", "mailbox"),
        *("maildrop", "name", "password", "user", "wrong"),
    )
)


class TargetError(ValueError):
    """A target cannot be used as it was given; says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, and the account that is used on it.

    Attributes:
        host: Its name or address.
        port: Its port.
        tls: No TLS, STLS before anything else (RFC 2595), or TLS from the first octet (RFC 8314).
        user: The user name; empty checks only what needs no login.
        password: The password; never shown.
        ca: A file with the certificate authorities to trust instead of the system's.
        ssl_context: A context to use as it is, instead of one made from ``ca``.
        client_certificate: A PEM file with a certificate and its key, which servers are shown
            that ask for one.
        implicit_port: The port on which TLS begins with the first octet, beside ``port``; None:
            995 if ``port`` is 110, else that is not known.
        timeout: Seconds that any one wait may take: connecting, a handshake, the next octets.
        allow_insecure_auth: Whether the password may cross a network unencrypted.
    """

    host: str
    port: int = 110
    tls: TLSMode = "none"
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | Path | None = None
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    client_certificate: str | Path | None = None
    implicit_port: int | None = None
    timeout: float = 10.0
    allow_insecure_auth: bool = False

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise TargetError(f"the timeout must be above 0 s, got {self.timeout:g}")
        for name in ("user", "password"):
            if set(getattr(self, name)) & {"\r", "\n"}:
                raise TargetError(f"the {name} has a line end in it")

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        tls: TLSMode | None = None,
        password: str = "",
        ca: str | Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 10.0,
        allow_insecure_auth: bool = False,
    ) -> Target:
        """A target from ``pop3://alice@host:port``, ``pop3+stls://…`` or ``pop3s://…``.

        Args:
            url: The URL, without a password: arguments of a command can be read by others.
            tls: How TLS is reached. None chooses ``implicit`` for ``pop3s:``, ``stls`` for
                ``pop3+stls:``, and for ``pop3:`` ``none`` on this machine and ``stls`` elsewhere.
            password: As the attribute.
            ca: As the attribute.
            ssl_context: As the attribute.
            timeout: As the attribute, in seconds.
            allow_insecure_auth: As the attribute.

        Raises:
            TargetError: The URL is wrong, or holds a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise TargetError(f"expected pop3://user@host:port; {error}") from None
        if parts.password is not None:
            raise TargetError("a URL must not hold a password; give it by file or environment")
        if parts.scheme not in _SCHEMES or not host or parts.path.strip("/") or parts.query:
            raise TargetError(
                f"expected pop3://user@host:port, pop3+stls://… or pop3s://…, got {url!r}"
            )
        mode = tls or _usual_mode(parts.scheme, host)
        return cls(
            host=host,
            port=port or (995 if mode == "implicit" else _SCHEMES[parts.scheme]),
            tls=mode,
            user=unquote(parts.username or ""),
            password=password,
            ca=ca,
            ssl_context=ssl_context,
            timeout=timeout,
            allow_insecure_auth=allow_insecure_auth,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no reply of the server may hold; a few letters stand in words by chance."""
        common = len(self.password) <= _A_FEW or self.password.lower() in _WORDS
        return () if common else (self.password,)

    @property
    def port_of_implicit_tls(self) -> int | None:
        """The port on which TLS begins with the first octet; None if that is not known."""
        if self.tls == "implicit":
            return self.port
        return self.implicit_port or (_SCHEMES["pop3s"] if self.port == _SCHEMES["pop3"] else None)

    @property
    def may_show_certificate(self) -> bool:
        """Whether there may be a client certificate: a context that was given does not tell."""
        return self.client_certificate is not None or self.ssl_context is not None

    @property
    def may_send_secrets_in_clear(self) -> bool:
        """Whether the password may be sent without TLS: on this machine, or by leave."""
        return self.allow_insecure_auth or is_loopback(self.host)

    def context(self, how: Handshake | None = None) -> ssl.SSLContext:
        """The TLS context: certificates and host names are verified unless it was given.

        Args:
            how: What a case wants otherwise; the context that was given stays as it is.

        Raises:
            TargetError: The file of authorities cannot be read.
        """
        special = how is not None and how not in (Handshake(), Handshake(strict=True))
        given = self.ssl_context
        lax = given is not None and not (given.check_hostname and given.verify_mode)
        if given is not None and not special and not (lax and how is not None and how.strict):
            return given
        context = self._own_context()
        if how is not None and special:
            _adapt(context, how)
        return context

    def _own_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise TargetError(
                f"cannot read certificate authorities from {self.ca}: {error}"
            ) from None
        self._show_certificate(context)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        if self.client_certificate is None:
            return
        try:
            context.load_cert_chain(self.client_certificate)
        except (OSError, ssl.SSLError) as error:
            raise TargetError(
                f"cannot read a certificate and its key from {self.client_certificate}: {error}"
            ) from None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _adapt(context: ssl.SSLContext, how: Handshake) -> None:
    """Make a context as a case wants it."""
    if not how.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        # Old versions are offered on purpose: a server has to refuse them (RFC 8996).
        warnings.simplefilter("ignore", DeprecationWarning)
        if how.minimum is not None:
            context.minimum_version = how.minimum
        if how.maximum is not None:
            context.maximum_version = how.maximum
    if how.maximum is not None and how.maximum < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")


def _usual_mode(scheme: str, host: str) -> TLSMode:
    if scheme in ("pop3s", "pops"):
        return "implicit"
    if scheme == "pop3+stls":
        return "stls"
    return "none" if is_loopback(host) else "stls"


def is_loopback(host: str) -> bool:
    """Whether octets to this host never leave the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
