"""The exchange of challenges and responses that AUTH begins (RFC 5034 section 4)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

from . import _replies
from ._exceptions import ChallengeError

if TYPE_CHECKING:
    from ._sasl import Mechanism
    from ._session import Session
    from ._wants import Steps

__all__ = ["exchange"]

_LINE_OCTETS = 255
"""RFC 2449 section 4: the longest command line, its end included."""


class _Challenge(NamedTuple):
    """A challenge.

    Attributes:
        octets: what it says, decoded.
        in_ok: true if it came as +OK, which may have been meant.
    """

    octets: bytes
    in_ok: bool


def exchange(session: Session, mechanism: Mechanism) -> Steps[None]:
    """Log in by AUTH.

    Raises:
        CommandError: the server refused.
        ChallengeError: the mechanism cannot answer; the exchange was cancelled.
    """
    session.require("AUTH")
    step = f"AUTH {mechanism.name}"
    pending = mechanism.initial()
    session.keep(*mechanism.secrets)
    words = [b"AUTH", mechanism.name.encode()]
    if pending is not None and _fits(words, pending):
        words.append(_kept(session, pending) or b"=")
        pending = None
    yield from session.expect_silence(step)
    yield from session.send(b" ".join(words), step, session.config.timeout)
    while True:
        challenge = yield from _challenge(session, mechanism, step, done=pending is None)
        if challenge is None:
            return
        if pending is None:
            pending = yield from _response(session, mechanism, challenge, step)
        yield from session.send(_kept(session, pending), step, session.config.timeout)
        pending = None


def _fits(words: list[bytes], initial: bytes) -> bool:
    line = b" ".join([*words, base64.b64encode(initial)])
    return len(line) + len(b"\r\n") <= _LINE_OCTETS


def _kept(session: Session, response: bytes) -> bytes:
    """Encode a response, and keep it out of errors."""
    line = base64.b64encode(response)
    session.keep(line)
    return line


def _challenge(
    session: Session, mechanism: Mechanism, step: str, *, done: bool
) -> Steps[_Challenge | None]:
    """Read what the server says next.

    Returns:
        A challenge, or None if the login is accepted.

    Raises:
        CommandError: it is refused.
    """
    line = yield from session.line(step, session.config.timeout)
    text = _replies.continuation(line.text)
    if text is not None:
        if line.text == b"+":
            session.note("sasl-plus-no-space", "AUTH", line.text)
        return _Challenge(_decoded(session, text), in_ok=False)
    reply = _replies.status(line.text, line.end, step)
    if reply.ok and not (done and mechanism.finished):
        # Exchange 2003 means "go on" by it: nothing has been proved yet.
        session.note("sasl-ok-for-plus", "AUTH", line.text)
        return _Challenge(_decoded(session, reply.text), in_ok=True)
    session.moved("AUTH", reply, step)
    return None


def _decoded(session: Session, text: bytes) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        session.note("sasl-text-challenge", "AUTH", text)
        return text


def _response(
    session: Session, mechanism: Mechanism, challenge: _Challenge, step: str
) -> Steps[bytes]:
    """Let the mechanism answer; if it cannot, give the exchange up."""
    try:
        response = mechanism.respond(challenge.octets)
    except ChallengeError:
        if challenge.in_ok:
            session.end("the server accepted a login that was not finished")
        else:
            yield from _cancel(session, step)
        raise
    session.keep(*mechanism.secrets)
    return response


def _cancel(session: Session, step: str) -> Steps[None]:
    # RFC 5034 section 4: "If the client wishes to cancel an authentication exchange, it issues
    # a line with a single "*"", which the server has to refuse.
    yield from session.send(b"*", step, session.config.timeout)
    reply = yield from session.status(step, session.config.timeout)
    if reply.ok:
        session.end("the server accepted a login that was cancelled")
