"""Bearer tokens: OAUTHBEARER (RFC 7628), and XOAUTH2, which came before it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from ._arguments import encoded
from ._exceptions import InvalidArgument, OAuthError

if TYPE_CHECKING:
    from ._exceptions import CommandError

__all__ = ["Bearer", "OAuthBearer", "Token", "XOAuth2"]

Token: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]


class Bearer(ABC):
    """What both mechanisms have in common.

    Args:
        user: the name of the maildrop, usually an address.
        token: the access token; or a function that gives one, and a fresh one when it is called
            again. It is called once more, at most, if the server refuses the first token. For
            ``AsyncPOP3Client`` it may be a coroutine function.
        initial_response: send the token along with AUTH if it is short enough, which saves a
            round trip. Exchange Online hangs up at that.
    """

    name = ""
    clear = True
    _end = b""

    def __init__(self, user: str, token: Token, *, initial_response: bool = False) -> None:
        self._user = encoded(user, "user")
        self._source = token
        self._at_once = initial_response
        self._message = b""
        self.secrets: tuple[bytes, ...] = ()
        self.finished = False
        self.details: dict[str, str] = {}
        if isinstance(token, str):
            self.use(token)

    @property
    def renewable(self) -> bool:
        """True if another token may be had."""
        return not isinstance(self._source, str)

    def source(self) -> object:
        """Give a token, or what can be awaited for one."""
        return self._source if isinstance(self._source, str) else self._source()

    def use(self, token: object) -> bool:
        """Take a token.

        Returns:
            True if it is another one than before.

        Raises:
            InvalidArgument: it cannot be sent.
        """
        if not isinstance(token, str) or not token or not token.isascii() or "\x01" in token:
            raise InvalidArgument("token: expected text of ASCII characters")
        secrets = (encoded(token, "token"),)
        new, self.secrets = secrets != self.secrets, secrets
        self._message = self.message(*secrets)
        return new

    @abstractmethod
    def message(self, token: bytes) -> bytes:
        """Make the one response of the mechanism."""

    def initial(self) -> bytes | None:
        """Give the token at once only if that was asked for."""
        self.details, self.finished = {}, self._at_once
        return self._message if self._at_once else None

    def respond(self, challenge: bytes) -> bytes:
        """Give the token; to a second challenge, which says what is wrong with it, its end."""
        if not self.finished:
            self.finished = True
            return self._message
        self.details = _decoded(challenge)
        return self._end

    def explain(self, refusal: CommandError) -> OAuthError:
        """Make the error for a token that was refused."""
        octets = sum(map(len, self.secrets))
        return OAuthError(refusal.command, refusal.text, refusal.code, self.details, octets)


def _decoded(challenge: bytes) -> dict[str, str]:
    try:
        details = json.loads(challenge)
    except ValueError:
        return {}
    if not isinstance(details, dict):
        return {}
    return {key: str(value) for key, value in details.items()}


class XOAuth2(Bearer):
    """A bearer token as Google and Microsoft take it.

    After the error, which comes as a challenge, the client sends an empty line.
    """

    name = "XOAUTH2"

    def message(self, token: bytes) -> bytes:
        """Name the user and give the token."""
        return b"user=" + self._user + b"\x01auth=Bearer " + token + b"\x01\x01"


class OAuthBearer(Bearer):
    """A bearer token as RFC 7628 has it.

    After the error, which comes as a challenge, the client sends a control-A (section 3.2.3).
    """

    name = "OAUTHBEARER"
    _end = b"\x01"

    def message(self, token: bytes) -> bytes:
        """Name the user, escaped as RFC 5801 section 4 has it, and give the token."""
        user = self._user.replace(b"=", b"=3D").replace(b",", b"=2C")
        return b"n,a=" + user + b",\x01auth=Bearer " + token + b"\x01\x01"
