"""Secrets that a client shows while it logs in, and every form in which they could come back."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: So short a secret stands in other words by chance: it counts only where it is a word.
_A_FEW = 3

#: What bearer tokens stand behind (RFC 7628, section 3.1).
_BEARER = re.compile(rb"auth=Bearer ([^\x01]+)", re.IGNORECASE)


class Unredacted(Exception):
    """A secret stands where it cannot be taken out, so that nothing may be written.

    Attributes:
        where: Where it stands; never the secret itself.
    """

    def __init__(self, where: str) -> None:
        super().__init__(f"a secret of the login stands in {where}, and cannot be taken out")
        self.where = where


class Redaction:
    """The secrets of a recording, collected from what the client says; they are never shown."""

    def __init__(self) -> None:
        self._secrets: dict[bytes, None] = {}

    def password(self, octets: bytes) -> None:
        """A password, a token or a digest was sent as it is."""
        if octets:
            self._secrets[octets] = None

    def response(self, line: bytes, mechanism: str = "", nth: int = 1) -> None:
        """A SASL response was sent (RFC 5034, section 4): it is a secret, and so is what it proves.

        Args:
            line: The response as it was sent.
            mechanism: The mechanism, in upper case.
            nth: Which response of the exchange it is, from 1.
        """
        if line in (b"", b"=", b"*"):
            return
        try:
            decoded = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if mechanism == "LOGIN" and nth == 1:
            return  # a user name
        self.password(line)
        bearer = _BEARER.search(decoded)
        if bearer:
            self.password(bearer[1])
        elif decoded.count(b"\0") == 2:  # RFC 4616: authzid NUL authcid NUL passwd
            self.password(decoded.rpartition(b"\0")[2])
        elif mechanism.startswith("CRAM"):  # RFC 2195: a name, then a digest
            self.password(decoded.rpartition(b" ")[2])
        else:
            self.password(decoded)

    def guard(self, octets: bytes, where: str) -> bytes:
        """Octets that are to be written, unchanged.

        Args:
            octets: The octets.
            where: What they are, for the error.

        Raises:
            Unredacted: A secret, or what is made of it alone, stands in them.
        """
        folded = octets.lower()
        for secret in self._secrets:
            if _stands_in(secret, octets, folded):
                raise Unredacted(where)
        return octets

    def __repr__(self) -> str:
        return f"<{len(self._secrets)} secrets>"


def _stands_in(secret: bytes, octets: bytes, folded: bytes) -> bool:
    if len(secret) <= _A_FEW:
        return re.search(rb"(?<!\w)" + re.escape(secret) + rb"(?!\w)", octets) is not None
    return any(form.lower() in folded for form in _plain_forms(secret)) or any(
        form in octets for form in _in_base64(secret)
    )


def _plain_forms(secret: bytes) -> Iterable[bytes]:
    """The forms in which letter case does not matter, or hides nothing."""
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield quote_from_bytes(secret, safe="").encode()
    quoted = b"".join(
        b"=%02X" % c if c in b"=" or not 32 <= c < 127 else bytes([c]) for c in secret
    )
    yield quoted  # quoted-printable


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """What of base64 the secret alone decides, wherever in three octets it begins."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        begin = (before * 8 + 5) // 6
        end = (before + len(secret)) * 8 // 6
        form = encoded[begin:end]
        if len(form) > _A_FEW:
            yield form
            yield form.replace(b"+", b"-").replace(b"/", b"_")
