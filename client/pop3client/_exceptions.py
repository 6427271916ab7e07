"""Every error that the client raises.

::

    POP3Error                        .retrieved: messages that had already come; .deviations
    ├── POP3ConnectionError          .step, .received; the session is over
    │   ├── ConnectError             nobody answers at that address
    │   ├── ConnectionClosed         the server hung up, or the network did
    │   └── POP3TimeoutError         a wait came to its end
    ├── TLSError                     .step; the connection cannot be secured
    │   └── InjectedDataError        octets came between STLS's reply and the handshake
    ├── ProtocolError                the server broke the protocol
    │   ├── MalformedReply           .command, .line; framed rightly, but not understood
    │   │   └── BadStatusLine        neither +OK nor -ERR
    │   ├── LineTooLong              a reply line above Limits.line_octets
    │   ├── LimitExceeded            .limit; more than another of the Limits
    │   ├── OutOfStep                .received; octets that no command asked for
    │   ├── EmptyMessage             .number, .announced; RETR sent nothing of a message
    │   ├── ChallengeError           a challenge that cannot be answered, or not safely
    │   └── ServerProofError         the server does not know the password that it asks for
    ├── CapabilityError              the server does not offer it; nothing was sent
    │   └── NoUniqueIds              it has no UIDL: nobody can tell what was fetched before
    ├── SeenStoreError               .path, .reason; the memory of what was fetched
    ├── StateError                   the command is not allowed now; nothing was sent
    ├── InvalidArgument              also a ValueError; nothing was sent
    ├── InsecureAuthError            a password would cross the network in the clear
    ├── DeviationError               .deviation; strict=True only
    └── CommandError                 .command, .text, .code; the server said -ERR
        ├── AuthenticationError      [AUTH], or a login refused without a code
        │   └── OAuthError           .details; a token refused
        ├── MailboxInUse             [IN-USE], or a text that speaks of a lock
        ├── LoginDelayError          [LOGIN-DELAY]
        ├── TemporaryError           [SYS/TEMP]
        ├── PermanentError           [SYS/PERM]
        └── UTF8Required             [UTF8]

Whoever is at fault can be read off the tree: ``StateError``, ``InvalidArgument``,
``InsecureAuthError`` and ``CapabilityError`` are ours and leave the wire untouched; all others
come from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._masking import mask, mask_octets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._deviations import Deviation
    from ._results import Message, ScanListing, UniqueId

__all__ = [
    "AuthenticationError",
    "BadStatusLine",
    "CapabilityError",
    "ChallengeError",
    "CommandError",
    "ConnectError",
    "ConnectionClosed",
    "DeviationError",
    "EmptyMessage",
    "InjectedDataError",
    "InsecureAuthError",
    "InvalidArgument",
    "LimitExceeded",
    "LineTooLong",
    "LoginDelayError",
    "MailboxInUse",
    "MalformedReply",
    "NoUniqueIds",
    "OAuthError",
    "OutOfStep",
    "POP3ConnectionError",
    "POP3Error",
    "POP3TimeoutError",
    "PermanentError",
    "ProtocolError",
    "SeenStoreError",
    "ServerProofError",
    "StateError",
    "TLSError",
    "TemporaryError",
    "UTF8Required",
]


class POP3Error(Exception):
    """The base of all errors of this package.

    Attributes:
        retrieved: the messages that the failed call had already fetched, in order; empty
            unless the call was for a range. They are complete and usable.
        marked: numbers of the messages that the failed call had already marked as deleted;
            empty unless the call was for a range.
        listed: what the failed call had already been told by LIST or UIDL; empty unless the
            call was for many messages.
        deviations: what the client had noticed in the session so far; for ``connect``, whose
            caller gets no client to ask.
        ends_session: true if client and server can no longer be in step after this error.
    """

    retrieved: tuple[Message, ...] = ()
    marked: tuple[int, ...] = ()
    listed: tuple[ScanListing | UniqueId, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    ends_session: ClassVar[bool] = False

    def hide(self, secrets: Iterable[bytes]) -> None:
        """Replace each secret, wherever this error quotes it, by asterisks.

        A server may echo a password in its refusal; an error is printed and logged.
        """
        for secret in filter(None, secrets):
            self.args = tuple(_hidden(item, secret) for item in self.args)
            for name, value in vars(self).items():
                setattr(self, name, _hidden(value, secret))


def _hidden(value: Any, secret: bytes) -> Any:  # noqa: ANN401 - whatever an attribute holds
    if isinstance(value, bytes):
        return mask_octets(value, secret)
    if isinstance(value, str):
        return mask(value, secret.decode("utf-8", "backslashreplace"))
    if isinstance(value, dict):
        return {key: _hidden(item, secret) for key, item in value.items()}
    return value


class POP3ConnectionError(POP3Error):
    """The connection could not be made, was lost, or fell silent.

    Attributes:
        step: what was being done, such as ``"connect"``, ``"greeting"`` or ``"RETR 3"``.
        received: octets of the unfinished reply, as they came (dots still stuffed); for a
            message, what followed the status line.
    """

    ends_session = True

    def __init__(self, message: str, *, step: str, received: bytes = b"") -> None:
        super().__init__(message)
        self.step = step
        self.received = received


class ConnectError(POP3ConnectionError):
    """No connection could be made to that host and port."""


class ConnectionClosed(POP3ConnectionError):
    """The server, or the network between, closed the connection."""


class POP3TimeoutError(POP3ConnectionError):
    """The server did not do its part within the time limit.

    Attributes:
        seconds: the limit that applied, in seconds.
    """

    def __init__(self, step: str, seconds: float, received: bytes = b"") -> None:
        advice = "raise timeout= if the server is merely slow"
        if step == "greeting":
            # A TLS server waits for the client to begin.
            advice += ", or use tls=TLS.IMPLICIT if the port is one for TLS"
        super().__init__(
            f"{step}: expected an answer within {seconds:g} s, got none that is complete; {advice}",
            step=step,
            received=received,
        )
        self.seconds = seconds


class TLSError(POP3Error):
    """The connection could not be secured, and was closed; no secret was sent.

    Attributes:
        step: ``"capa"``, ``"not-offered"``, ``"refused"``, ``"injected"`` or ``"handshake"``.
    """

    ends_session = True

    def __init__(self, message: str, *, step: str) -> None:
        super().__init__(message)
        self.step = step


class InjectedDataError(TLSError):
    """Octets came after STLS's reply and before the handshake (RFC 2595 section 4).

    Nobody knows who sent them. Answering to them inside TLS is the injection attack known
    as CVE-2011-0411.

    Attributes:
        received: the octets.
    """

    def __init__(self, received: bytes) -> None:
        super().__init__(
            f"expected nothing between STLS's reply and the TLS handshake, got {received!r}; "
            "someone on the path may be injecting replies",
            step="injected",
        )
        self.received = received


class ProtocolError(POP3Error):
    """The server did what the protocol does not provide for."""


class MalformedReply(ProtocolError):
    """A reply that came whole but does not say what its command asks for.

    Attributes:
        command: the step, such as ``"STAT"`` or ``"LIST 2"``.
        line: the line at fault, without its line end.
    """

    def __init__(self, command: str, line: bytes, *, expected: str, advice: str = "") -> None:
        message = f"{command}: expected {expected}, got {line!r}"
        super().__init__(f"{message}; {advice}" if advice else message)
        self.command = command
        self.line = line


class BadStatusLine(MalformedReply):
    """A line that had to start with ``+OK`` or ``-ERR`` and does not (RFC 1939 section 3)."""

    ends_session = True


class LineTooLong(ProtocolError):
    """A reply line is longer than ``Limits.line_octets``."""

    ends_session = True

    def __init__(self, step: str, limit: int) -> None:
        super().__init__(
            f"{step}: expected a line of at most {limit} octets (Limits.line_octets), got more"
        )
        self.limit = limit


class LimitExceeded(ProtocolError):
    """The server sends more than one of the ``Limits`` allows.

    Attributes:
        limit: the name of the field of ``Limits``.
    """

    ends_session = True

    def __init__(self, step: str, limit: str, allowed: int) -> None:
        super().__init__(f"{step}: expected at most {allowed} (Limits.{limit}), got more")
        self.limit = limit


class OutOfStep(ProtocolError):
    """Octets lie waiting that no command asked for.

    Whatever they are, the next reply read would be the wrong one.

    Attributes:
        received: the octets.
    """

    ends_session = True

    def __init__(self, step: str, received: bytes) -> None:
        super().__init__(
            f"before {step}: expected nothing from the server, got {received[:200]!r}; connect anew"
        )
        self.received = received


class EmptyMessage(ProtocolError):
    """RETR was answered +OK, but nothing of the message came.

    Attributes:
        number: the message.
        announced: its size as LIST announced it, or None.
    """

    def __init__(self, number: int, announced: int | None) -> None:
        size = "a message" if announced is None else f"a message of {announced} octets"
        super().__init__(f"RETR {number}: expected {size}, got none of it")
        self.number = number
        self.announced = announced


class ChallengeError(ProtocolError):
    """A challenge that cannot be answered, or not safely.

    For APOP it is the greeting's timestamp (RFC 1939 section 7). A SASL exchange is cancelled
    (RFC 5034 section 4), and another login may be tried.
    """


class ServerProofError(ProtocolError):
    """The server accepts the login but does not prove that it knows the password (RFC 5802).

    It may be somebody else's server: do not tell it the password.
    """

    ends_session = True

    def __init__(self, mechanism: str) -> None:
        super().__init__(
            f"AUTH {mechanism}: expected the server's proof that it knows the password, "
            "got none that is right; this may be somebody else's server"
        )


class CapabilityError(POP3Error):
    """The server does not offer what was asked for; the command was not sent."""


class NoUniqueIds(CapabilityError):
    """The server has no UIDL, and so nobody can tell which messages were fetched before."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"UIDL: expected unique-ids, got a refusal: {text}; sync(…, fingerprint=True) knows "
            "messages by their octets, which means fetching all of them each time"
        )


class SeenStoreError(POP3Error):
    """The file that remembers what was fetched cannot be used.

    Attributes:
        path: the file.
        reason: what is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class StateError(POP3Error):
    """The command is not allowed in this state of the session; nothing was sent."""


class InvalidArgument(POP3Error, ValueError):
    """An argument that cannot be sent, or means nothing; nothing was sent."""


class InsecureAuthError(POP3Error):
    """A password would have gone over the network in the clear; it was not sent."""


class DeviationError(POP3Error):
    """With ``strict=True``: the server broke an RFC where a lenient client would go on.

    The session is still in step.

    Attributes:
        deviation: what was seen.
    """

    def __init__(self, deviation: Deviation) -> None:
        super().__init__(
            f"{deviation.where}: {deviation.quirk} ({deviation.detail}) breaks {deviation.breaks}"
        )
        self.deviation = deviation


class CommandError(POP3Error):
    """The server answered ``-ERR``.

    Attributes:
        command: the step, such as ``"RETR 3"``; never an argument that is secret.
        text: what the server said, without ``-ERR`` and without the response code.
        code: the response code in upper case, such as ``"IN-USE"``, or ``""`` (RFC 2449
            section 8).
        retryable: true if the same may well succeed a while later.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, command: str, text: str, code: str = "") -> None:
        said = " ".join(part for part in (f"[{code}]" if code else "", text) if part)
        super().__init__(f"{command}: the server refused: {said or '-ERR, without a reason'}")
        self.command = command
        self.text = text
        self.code = code


class AuthenticationError(CommandError):
    """The server does not accept these credentials (RFC 3206 section 5)."""


class OAuthError(AuthenticationError):
    """The server does not accept the token.

    Attributes:
        details: what the server says about it (RFC 7628 section 3.2.2), such as ``status``,
            ``scope`` and ``schemes``; empty if it says nothing.
        token_octets: length of the token. Exchange Online refuses those above 4096 octets.
    """

    def __init__(
        self, command: str, text: str, code: str, details: dict[str, str], token_octets: int
    ) -> None:
        super().__init__(command, text, code)
        said = ", ".join(f"{key} {value}" for key, value in details.items())
        self.args = (f"{self} ({said or 'no details'}; the token has {token_octets} octets)",)
        self.details = details
        self.token_octets = token_octets


class MailboxInUse(CommandError):
    """Another session holds the maildrop; the credentials may be right (RFC 2449 section 8.1.2)."""

    retryable = True


class LoginDelayError(CommandError):
    """This login comes too soon after the last one (RFC 2449 section 8.1.1)."""

    retryable = True


class TemporaryError(CommandError):
    """Something at the server failed and is likely to mend (RFC 3206 section 4)."""

    retryable = True


class PermanentError(CommandError):
    """Something at the server failed and needs a person (RFC 3206 section 4)."""


class UTF8Required(CommandError):
    """The server wants UTF8 mode for this (RFC 6856 section 5)."""
