"""SCRAM (RFC 5802, RFC 7677), with channel binding, by the library scramp."""

from __future__ import annotations

import hashlib
import importlib.util
from typing import TYPE_CHECKING, Any

from ._arguments import encoded
from ._exceptions import ChallengeError, InvalidArgument, ServerProofError
from ._sasl import unexpected

if TYPE_CHECKING:
    from ._tls import TLSInfo

__all__ = ["SCRAM_NAMES", "Scram", "channel_binding", "scram_is_installed"]

SCRAM_NAMES = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1")
"""The safest first."""


def scram_is_installed() -> bool:
    """True if the extra ``scram`` is there."""
    return bool(importlib.util.find_spec("scramp") and importlib.util.find_spec("asn1crypto"))


def channel_binding(tls: TLSInfo) -> tuple[str, bytes] | None:
    """Find what ties a login to this TLS connection (RFC 5929).

    Returns:
        Name and octets: ``tls-unique`` up to TLS 1.2, as RFC 5802 has it, and
        ``tls-server-end-point`` from TLS 1.3 on; None if there is neither.
    """
    if tls.tls_unique:
        return "tls-unique", tls.tls_unique
    if not tls.peer_certificate_der:
        return None
    from asn1crypto.x509 import Certificate  # an extra

    try:
        algorithm = Certificate.load(tls.peer_certificate_der).hash_algo
        # RFC 5929 section 4.1: MD5 and SHA-1 are replaced by SHA-256.
        algorithm = "sha256" if algorithm in {"md5", "sha1"} else algorithm
        return "tls-server-end-point", hashlib.new(algorithm, tls.peer_certificate_der).digest()
    except ValueError:  # no certificate, or signed in a way that nobody knows
        return None


class Scram:
    """A proof that one knows the password, and one that the server does.

    Args:
        name: one of ``SCRAM_NAMES``.
        user: the name.
        password: the password, which is not sent.
        tls: what was agreed in the handshake, ``client.tls``; needed for a name in -PLUS.
        offers_plus: true if the server offers the same mechanism with -PLUS. It is told that the
            client could have bound the login to TLS unless it does, so that nobody between can
            hide the offer.

    Raises:
        InvalidArgument: the extra is not installed, the name is none, there is no TLS to bind
            to, or user or password are not allowed in SCRAM.
    """

    clear = False

    def __init__(
        self,
        name: str,
        user: str,
        password: str,
        tls: TLSInfo | None = None,
        *,
        offers_plus: bool = False,
    ) -> None:
        if name not in SCRAM_NAMES:
            raise InvalidArgument(f"mechanism: expected one of {SCRAM_NAMES}, got {name!r}")
        if not scram_is_installed():
            raise InvalidArgument(f"mechanism: {name} needs the extra: pip install pop3kit[scram]")
        self.name = name
        self._credentials = user, password
        self.secrets: tuple[bytes, ...] = (encoded(password, "password"),)
        binding = channel_binding(tls) if tls else None
        if name.endswith("-PLUS") and binding is None:
            raise InvalidArgument(f"mechanism: {name} needs TLS, and a certificate it can bind to")
        self._binding = None if offers_plus and not name.endswith("-PLUS") else binding
        self._client = self._begin()
        self._rounds = 0
        self._refused = False

    @property
    def finished(self) -> bool:
        """True once the server has proved that it knows the password too."""
        return self._rounds > 1 and not self._refused

    def initial(self) -> bytes | None:
        """Name the user."""
        self._client, self._rounds, self._refused = self._begin(), 0, False
        first: str = self._client.get_client_first()
        return first.encode()

    def respond(self, challenge: bytes) -> bytes:
        """Prove that one knows the password, then check that the server does."""
        self._rounds += 1
        if self._rounds == 1:
            return self._prove(challenge)
        if self._rounds > 2:
            raise unexpected(self.name)
        # RFC 5802 section 7: a server may say why it refuses; its -ERR is still to come.
        self._refused = challenge.startswith(b"e=")
        if not self._refused:
            self._check(challenge)
        return b""

    def _begin(self) -> Any:  # noqa: ANN401 - scramp has no types
        from scramp import ScramClient, ScramException  # an extra

        failure = ""
        try:
            return ScramClient([self.name], *self._credentials, channel_binding=self._binding)
        except ScramException as error:
            failure = str(error)
        raise InvalidArgument(f"user or password: SCRAM does not allow them: {failure}")

    def _prove(self, challenge: bytes) -> bytes:
        from scramp import ScramException

        try:
            self._client.set_server_first(challenge.decode())
            final: str = self._client.get_client_final()
        except (ScramException, UnicodeDecodeError) as error:
            message = f"AUTH {self.name}: expected SCRAM's first message, got another: {error}"
            raise ChallengeError(message) from None
        return final.encode()

    def _check(self, challenge: bytes) -> None:
        from scramp import ScramException

        try:
            self._client.set_server_final(challenge.decode())
        except (ScramException, UnicodeDecodeError):
            raise ServerProofError(self.name) from None
