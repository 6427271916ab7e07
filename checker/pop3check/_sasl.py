"""The client's side of SASL mechanisms, in the octets of the texts: what a case sends and reckons.

It shares nothing with the server's side, and can be as wrong as a case wants.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from importlib.util import find_spec
from typing import Any

from ._findings import Skipped, Unmet

#: The SCRAM mechanisms that need no channel binding, the better one first.
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")


def b64(data: str | bytes) -> str:
    """Base64 of octets, or of text in UTF-8."""
    octets = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return base64.b64encode(octets).decode("ascii")


def plain(user: str, password: str, authzid: str = "") -> str:
    """The response of PLAIN (RFC 4616, section 2), in Base64."""
    return b64(f"{authzid}\0{user}\0{password}")


def cram_md5(challenge: bytes, user: str, password: str) -> str:
    """The response of CRAM-MD5 (RFC 2195, section 2), in Base64."""
    digest = hmac.new(password.encode("utf-8", "surrogateescape"), challenge, "md5").hexdigest()
    return b64(f"{user} {digest}")


def oauthbearer(token: str, user: str, *more: str) -> str:
    """The response of OAUTHBEARER (RFC 7628, section 3.1), in Base64.

    Args:
        token: The token.
        user: Whose mail it is.
        more: Further pairs ``key=value``.
    """
    pairs = "".join(f"{pair}\x01" for pair in (f"auth=Bearer {token}", *more))
    return b64(f"n,a={user},\x01{pairs}\x01")


def xoauth2(token: str, user: str) -> str:
    """The response of XOAUTH2, as Google describes it, in Base64."""
    return b64(f"user={user}\x01auth=Bearer {token}\x01\x01")


def challenge_of(line: str, what: str) -> bytes:
    """What a challenge holds.

    Args:
        line: What the server said.
        what: What should stand in it, for the finding.

    Raises:
        Unmet: It is no challenge (RFC 5034, section 4).
    """
    expected = f"+ and {what} in Base64"
    if not line.startswith("+ "):
        raise Unmet(expected, line)
    try:
        return base64.b64decode(line[2:], validate=True)
    except (binascii.Error, ValueError):
        raise Unmet(expected, line) from None


def fields_of(message: bytes) -> dict[str, str]:
    """The fields of a message of SCRAM (RFC 5802, section 5.1)."""
    pairs = (field.partition("=") for field in message.decode("utf-8", "replace").split(","))
    return {name: value for name, _, value in pairs}


class Scram:
    """An exchange of SCRAM without channel binding (RFC 5802), reckoned by the library scramp.

    Args:
        name: The mechanism, one of :data:`SCRAM`.
        user: The user name.
        password: The password.

    Attributes:
        first: The first message, in Base64.
        nonce: The client's part of the nonce.
        proven: Whether the server has shown that it knows the password too.

    Raises:
        Skipped: The library is not installed, or can do nothing with such a name or password.
    """

    def __init__(self, name: str, user: str, password: str) -> None:
        if not find_spec("scramp"):
            raise Skipped("SCRAM needs the extra: pip install pop3kit[scram]")
        from scramp import ScramClient, ScramException  # an extra

        self._failure: type[Exception] = ScramException
        try:
            self._client: Any = ScramClient([name], user, password)
            message: str = self._client.get_client_first()
        except ScramException as error:
            raise Skipped(f"{name} cannot have this user name or password: {error}") from None
        self.first = b64(message)
        self.nonce = fields_of(message.encode())["r"]
        self.proven = False

    def last(self, challenge: bytes) -> str:
        """The last message, with the proof, in Base64.

        Args:
            challenge: The server's first message.

        Raises:
            Unmet: The server's message is not what SCRAM has there.
        """
        try:
            self._client.set_server_first(challenge.decode("utf-8", "replace"))
            return b64(self._client.get_client_final())
        except self._failure as error:
            shown = repr(challenge)[1:]
            raise Unmet("the server's first message of SCRAM", f"{shown}: {error}") from None

    def judge(self, challenge: bytes) -> None:
        """Look whether the server's last message shows that it knows the password too."""
        try:
            self._client.set_server_final(challenge.decode("utf-8", "replace"))
        except self._failure:
            return
        self.proven = True
