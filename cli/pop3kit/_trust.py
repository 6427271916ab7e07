"""Whom TLS trusts, and by what certificate the client shows itself."""

from __future__ import annotations

import hashlib
import re
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure
from ._options import gathered

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3client import Settings, TLSInfo

_FINGERPRINT = re.compile(r"(?:sha256:)?([0-9a-f]{2}(?::?[0-9a-f]{2}){31})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the options say about certificates."""

    cafile: str | None
    tls_fingerprint: str | None
    cert: str | None
    key: str | None

    def check(self, *, encrypts: bool) -> None:
        """See that the options go together.

        Args:
            encrypts: Whether there will be TLS.

        Raises:
            UsageFailure: They do not.
        """
        given = [self.cafile, self.tls_fingerprint, self.cert, self.key]
        if any(each is not None for each in given) and not encrypts:
            raise UsageFailure(
                "--cafile, --tls-fingerprint, --cert and --key go with TLS: pop3s:// or --stls"
            )
        if self.cafile is not None and self.tls_fingerprint is not None:
            raise UsageFailure("expected one of --cafile and --tls-fingerprint, got both")
        if self.key is not None and self.cert is None:
            raise UsageFailure("--key goes with --cert")

    def settings(self) -> Settings:
        """Give the client's settings.

        Raises:
            UsageFailure: A file does not hold what it should, or the fingerprint is none.
        """
        if self.cafile is None and self.tls_fingerprint is None and self.cert is None:
            return {}
        context = self._context()
        if self.cert is not None:
            self._show(context, self.cert)
        if self.tls_fingerprint is None:
            return {"ssl_context": context}
        # The one certificate that is right is known, so nothing else about it is of account.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return {"ssl_context": context, "tls_callback": _pin(self.tls_fingerprint)}

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.cafile)
        except OSError as error:  # ssl.SSLError is one
            raise UsageFailure(f"--cafile: {self.cafile} holds no certificate: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _show(self, context: ssl.SSLContext, cert: str) -> None:
        try:
            context.load_cert_chain(cert, self.key, _passphrase)
        except OSError as error:
            raise UsageFailure(
                f"--cert, --key: expected a certificate and its key in PEM, got neither: {error}"
            ) from None


def _passphrase() -> str:
    if not sys.stdin.isatty():
        raise UsageFailure("--key: the key is encrypted, and there is no terminal to ask on")
    answer: str = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return answer


def _pin(text: str) -> Callable[[TLSInfo], None]:
    """What refuses all certificates but one, before any secret is sent."""
    from pop3client import TLSError  # the help does without it

    match = _FINGERPRINT.fullmatch(text)
    if match is None:
        raise UsageFailure("--tls-fingerprint: expected SHA-256 in 64 hexadecimal digits")
    wanted = match[1].replace(":", "").lower()

    def compare(info: TLSInfo) -> None:
        came = hashlib.sha256(info.peer_certificate_der).hexdigest()
        if came != wanted:
            raise TLSError(
                f"expected the certificate with the fingerprint {wanted}, got {came}; if the "
                "server has a new one, ask its owner",
                step="handshake",
            )

    return compare


trust = gathered(
    Trust,
    click.option("--cafile", type=click.Path(exists=True, dir_okay=False),
                 help="Certificates of the authorities to trust, not the system's."),
    click.option("--tls-fingerprint", metavar="SHA256",
                 help="Trust the one certificate with this fingerprint, and no authority."),
    click.option("--cert", type=click.Path(exists=True, dir_okay=False),
                 help="Your own certificate, for servers that ask for one."),
    click.option("--key", type=click.Path(exists=True, dir_okay=False),
                 help="Its key, if --cert does not hold it."),
)  # fmt: skip
