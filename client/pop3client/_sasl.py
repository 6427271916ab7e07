"""SASL mechanisms: what the client answers to a server's challenges (RFC 4422, RFC 5034)."""

from __future__ import annotations

import hmac
from typing import Protocol

from ._arguments import encoded
from ._exceptions import ChallengeError

__all__ = ["CramMD5", "External", "Login", "Mechanism", "Plain", "unexpected"]


class Mechanism(Protocol):
    """What ``authenticate`` needs of a mechanism; an object serves for one login."""

    @property
    def name(self) -> str:
        """As AUTH takes it, in upper case."""
        ...

    @property
    def clear(self) -> bool:
        """True if whoever reads what is sent can log in with it.

        Then it is sent only over TLS, to this machine, or with ``allow_insecure_auth``.
        """
        ...

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """Octets that no error and no log may show; what is sent is kept out in any case."""
        ...

    @property
    def finished(self) -> bool:
        """True when all is sent and checked that the mechanism needs.

        A +OK before that is taken for a challenge.
        """
        ...

    def initial(self) -> bytes | None:
        """Begin anew.

        Returns:
            The initial response, which goes with the command if there is room for it (RFC 5034
            section 4); None if the server speaks first.
        """
        ...

    def respond(self, challenge: bytes) -> bytes:
        """Answer a challenge.

        Args:
            challenge: its octets, decoded from base64; as they came if they are not base64.

        Raises:
            ChallengeError: it cannot be answered, or not safely. The exchange is cancelled.
        """
        ...


def unexpected(name: str) -> ChallengeError:
    """Make the error for a challenge after all has been said."""
    return ChallengeError(f"AUTH {name}: expected +OK or -ERR, got one more challenge")


class Plain:
    """User and password in one response (RFC 4616).

    Args:
        user: whose password it is.
        password: the password.
        authzid: whose maildrop to open; empty for that of the user.

    Raises:
        InvalidArgument: one of them cannot be sent.
    """

    name = "PLAIN"
    clear = True

    def __init__(self, user: str, password: str, authzid: str = "") -> None:
        secret = encoded(password, "password")
        words = (encoded(authzid, "authzid"), encoded(user, "user"), secret)
        self._message = b"\0".join(words)
        self.secrets: tuple[bytes, ...] = (secret,)
        self.finished = False

    def initial(self) -> bytes | None:
        """Say all there is to say."""
        self.finished = True
        return self._message

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        """Refuse to say it twice."""
        raise unexpected(self.name)


class Login:
    """User and password at two prompts, whatever these say; older than SASL's registry.

    Args:
        user: the name.
        password: the password.

    Raises:
        InvalidArgument: one of them cannot be sent.
    """

    name = "LOGIN"
    clear = True

    def __init__(self, user: str, password: str) -> None:
        self._answers = encoded(user, "user"), encoded(password, "password")
        self._given = 0
        self.secrets: tuple[bytes, ...] = self._answers[1:]

    @property
    def finished(self) -> bool:
        """True once both are sent."""
        return self._given == len(self._answers)

    def initial(self) -> bytes | None:
        """Wait for the first prompt."""
        self._given = 0
        return None

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        """Give the user, then the password."""
        if self.finished:
            raise unexpected(self.name)
        self._given += 1
        return self._answers[self._given - 1]


class CramMD5:
    """The keyed MD5 of a challenge (RFC 2195); whoever hears it can try passwords at leisure.

    Args:
        user: the name.
        password: the password, which is not sent.

    Raises:
        InvalidArgument: one of them is no text that could be sent.
    """

    name = "CRAM-MD5"
    clear = False

    def __init__(self, user: str, password: str) -> None:
        self._user, self._key = encoded(user, "user"), encoded(password, "password")
        self.secrets: tuple[bytes, ...] = (self._key,)
        self.finished = False

    def initial(self) -> bytes | None:
        """Wait for the challenge."""
        self.finished = False
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Sign the challenge."""
        if self.finished:
            raise unexpected(self.name)
        if not challenge:
            raise ChallengeError(f"AUTH {self.name}: expected a challenge to sign, got nothing")
        self.finished = True
        digest = hmac.new(self._key, challenge, "md5").hexdigest().encode()
        self.secrets = (self._key, digest)
        return self._user + b" " + digest


class External:
    """Who one is was shown before, by the client's certificate (RFC 4422 appendix A).

    Args:
        authzid: whose maildrop to open; empty for the one that goes with the certificate.

    Raises:
        InvalidArgument: it cannot be sent.
    """

    name = "EXTERNAL"
    clear = False
    secrets: tuple[bytes, ...] = ()

    def __init__(self, authzid: str = "") -> None:
        self._message = encoded(authzid, "authzid")
        self.finished = False

    def initial(self) -> bytes | None:
        """Say all there is to say."""
        self.finished = True
        return self._message

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        """Refuse to say it twice."""
        raise unexpected(self.name)
