"""Who is there: USER and PASS, and APOP (RFC 1939, section 7), and what proven credentials open."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._answer import acceptance, out_of_reach, refusal, repeated, totals

if TYPE_CHECKING:
    from ._answer import Answer
    from ._state import SessionState

_PASSWORD_NEXT = parse_line("now the password for {shown}")
_MAILDROP = parse_line("maildrop has {count} messages ({octets} octets)")


def user(state: SessionState, arguments: list[str]) -> Answer:
    """USER: the name (RFC 1939, section 7)."""
    # RFC 1939, section 7: the server may say +OK although there is no such mailbox.
    name = arguments[0]
    if _prohibited(state, name):
        text = "that is no user name"
        return refusal(text, unexpected="its argument is no name", reason="syntax")
    answer = acceptance(_PASSWORD_NEXT, user=name, shown=repeated(name))
    answer.commit = lambda: setattr(state, "user", state.named(name))
    if state.named(name) not in state.users:
        answer.reason = "no-user"
    return answer


def _prohibited(state: SessionState, text: str) -> bool:
    """Whether a name or a password is refused by a server that takes them in UTF-8."""
    if text.isascii() and text.isprintable():
        return False
    if "UTF8 USER" not in (*state.capabilities, *state.hidden):
        return False
    from ._saslprep import prohibits  # its tables are loaded by those who need them

    # RFC 6856, section 2.2.
    return prohibits(text)


def pass_(state: SessionState, arguments: list[str]) -> Answer:
    """PASS: the password of the name that USER gave (RFC 1939, section 7)."""
    name = state.user
    if not name:
        return refusal(
            "USER comes first",
            unexpected="it must follow a USER that was answered +OK",
            reason="state",
        )
    if _prohibited(state, arguments[0]):
        return login_refused()
    right = state.users.get(name, "").encode(state.charset, "surrogateescape")
    given = arguments[0].encode("utf-8", "surrogateescape")
    if name in state.users and hmac.compare_digest(right, given):
        return log_in(state, name)
    return login_refused()


def apop(state: SessionState, arguments: list[str]) -> Answer:
    """APOP: the name, and a digest of password and timestamp (RFC 1939, section 7)."""
    name, digest = arguments
    if not state.stamp:
        return refusal("APOP is not available here", reason="not-offered")
    password = state.users.get(name)
    if password is not None:
        secret = state.stamp.encode("ascii") + password.encode("utf-8", "surrogateescape")
        right = hashlib.md5(secret, usedforsecurity=False).hexdigest()
        if hmac.compare_digest(right.encode(), digest.encode("utf-8", "surrogateescape")):
            return log_in(state, name)
    return login_refused()


def log_in(state: SessionState, name: str) -> Answer:
    """The answer to proven credentials: the maildrop, or that another session has it.

    Args:
        state: The session.
        name: Who it is.
    """
    maildrop = state.maildrops[name]
    if state.exclusive and maildrop.locked:
        # RFC 2449, section 8.1.2.
        return refusal("another session has the maildrop", code="IN-USE", reason="locked")
    if state.delayed(name):
        # RFC 2449, section 8.1.1: told only to those who have proven who they are.
        return refusal("you have logged in too recently", code="LOGIN-DELAY", reason="delay")
    try:
        messages = maildrop.upcoming()
    except OSError as error:
        return out_of_reach("the maildrop cannot be read", error, "refused")
    answer = totals(_MAILDROP, len(messages), messages)
    answer.values = {**answer.values, "user": name}
    answer.commit = lambda: _enter(state, name)
    return answer


def _enter(state: SessionState, name: str) -> None:
    state.enter(name)


def login_refused() -> Answer:
    """The answer to wrong credentials (RFC 3206, section 4)."""
    return refusal("user name or password is wrong", code="AUTH", reason="credentials")
