"""Logging in: USER and PASS, APOP or AUTH, which of them to choose, and when to try the next."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from . import _replies
from ._arguments import encoded
from ._commands import stat
from ._exceptions import (
    AuthenticationError,
    ChallengeError,
    CommandError,
    ConnectionClosed,
    InsecureAuthError,
    InvalidArgument,
    POP3Error,
    POP3TimeoutError,
)
from ._exchange import exchange
from ._oauth import Bearer
from ._opening import ask_again, discover
from ._sasl import CramMD5, Login, Plain
from ._scram import SCRAM_NAMES, Scram, channel_binding, scram_is_installed
from ._states import State
from ._wants import Call, Expect, Steps

if TYPE_CHECKING:
    from ._sasl import Mechanism
    from ._session import Session

__all__ = ["apop", "authenticate", "check_login", "login", "sign_on"]

_LINGER = 0.25
"""Seconds in which a server that hangs up after a refused login is caught at it."""

_CLEAR = ("PLAIN", "LOGIN")
_USER = "USER"
"""Stands for USER and PASS where a mechanism does."""
_APOP = "APOP"
_PASSWORD_MECHANISMS = (*SCRAM_NAMES, *_CLEAR, _USER, _APOP, CramMD5.name)
_SENDS_PASSWORD = frozenset({None, *_CLEAR, _USER})

# What servers say, in words, of a mechanism that they cannot do, and of a user whom they refuse.
_BLAMES_MECHANISM = re.compile(
    r"support|implemented|mechanism|syntax|protocol|disabled"
    r"|(unknown|invalid|bad|unrecogni\w+) command",
    re.IGNORECASE,
)
_BLAMES_CREDENTIALS = re.compile(
    r"passw|credential|log[io ]*n|\buser|\baccount|authenticat\w+ (error|fail)|\bauth fail|denied"
    r"|incorrect|invalid|permi",
    re.IGNORECASE,
)


def check_login(user: str, password: str, mechanism: str | None) -> str | None:
    """See that a login can be sent.

    Returns:
        The name of the mechanism in upper case, or None for the best.

    Raises:
        InvalidArgument: user or password cannot stand in a command, or no mechanism that takes
            a password has this name.
    """
    if not user:
        raise InvalidArgument("user: expected a name, got nothing")
    encoded(user, "user")
    encoded(password, "password")
    if mechanism is None or mechanism.upper() in _PASSWORD_MECHANISMS:
        return mechanism and mechanism.upper()
    names = ", ".join(_PASSWORD_MECHANISMS)
    raise InvalidArgument(
        f"mechanism: expected None or one of {names}, got {mechanism!r}; "
        "authenticate() takes objects for others"
    )


def sign_on(session: Session, user: str, password: str, mechanism: str | None) -> Steps[None]:
    """Do all that ``connect`` does once the connection stands: CAPA, login, STAT."""
    if check_login(user, password, mechanism) in _SENDS_PASSWORD:
        _require_privacy(session)  # before the first octet, not only before the password
    yield from discover(session)
    yield from login(session, user, password, mechanism)


def login(session: Session, user: str, password: str, mechanism: str | None) -> Steps[None]:
    """Log in by a mechanism that takes a password, then ask for the maildrop's size.

    Raises:
        InsecureAuthError: the connection is not encrypted and the peer is another machine.
        AuthenticationError: refused.
        MailboxInUse: another session holds the maildrop.
    """
    name = check_login(user, password, mechanism)
    session.require(name if name in {_USER, _APOP} else "AUTH")
    if name in _SENDS_PASSWORD:
        _require_privacy(session)
    session.user = user
    session.keep(encoded(password, "password"))
    if name is None:
        yield from discover(session)
        yield from _by_the_best(session, user, password)
    else:
        yield from _insist(session, _by_name(session, name, user, password))
    yield from _enter(session)


def apop(session: Session, user: str, password: str) -> Steps[None]:
    """Log in with APOP, then ask for the maildrop's size (RFC 1939 section 7)."""
    yield from login(session, user, password, _APOP)


def authenticate(session: Session, mechanism: Mechanism) -> Steps[None]:
    """Log in by a mechanism of the caller's, then ask for the maildrop's size (RFC 5034).

    Raises:
        InsecureAuthError: it would show a secret to the network.
        AuthenticationError: refused.
        ChallengeError: the server's challenge cannot be answered.
    """
    session.require("AUTH")
    # RFC 4422 section 3.1.
    if not re.fullmatch(r"[A-Z0-9_-]{1,20}", mechanism.name):
        raise InvalidArgument(f"mechanism: expected a name of SASL, got {mechanism.name!r}")
    if mechanism.clear:
        _require_privacy(session)
    if isinstance(mechanism, Bearer):
        yield from _with_token(session, mechanism)
    else:
        yield from _insist(session, exchange(session, mechanism))
    yield from _enter(session)


def _require_privacy(session: Session) -> None:
    # RFC 8314 section 3: a password has no business on an open network. On this machine's own
    # loopback there is no network.
    if not (session.tls or session.peer_is_local or session.config.allow_insecure_auth):
        raise InsecureAuthError(
            f"a login at {session.config.host} would send a password or token in the clear; "
            "use tls=TLS.STLS or TLS.IMPLICIT, or allow_insecure_auth=True"
        )


def _enter(session: Session) -> Steps[None]:
    yield from ask_again(session)
    yield from stat(session)


def _by_the_best(session: Session, user: str, password: str) -> Steps[None]:
    """Try what the server offers, the safest first, until one works or the user is refused."""
    names = _ranked(session)
    for place, name in enumerate(names, 1):
        refusal = yield from _try(session, _by_name(session, name, user, password))
        if refusal is None:
            return
        hopeless = session.state is State.CLOSED or place == len(names)
        if hopeless or not _blames_mechanism(refusal):
            raise refusal
        session.note("mech-advertised-broken", name, str(refusal).encode())


def _ranked(session: Session) -> list[str]:
    """Name what the server offers and the client can do, in the order in which to try it.

    Over TLS a mechanism takes one round trip where USER and PASS take two. In the clear, where
    it is allowed at all, no order makes it safer, and USER and PASS are what servers know best.
    """
    capabilities = session.capabilities
    plain = (*_CLEAR, _USER) if session.tls else (_USER, *_CLEAR)
    names = [name for name in (*SCRAM_NAMES, *plain) if _is_offered(session, name)]
    if capabilities and not capabilities.user:
        names.sort(key=lambda name: name == _USER)  # not announced, so the last resort
    return names


def _is_offered(session: Session, name: str) -> bool:
    if name == _USER:
        return True  # a server without CAPA has nothing else, and some forget to announce it
    if name not in session.capabilities.sasl:
        return False
    if name in _CLEAR:
        return True
    if not scram_is_installed():
        return False
    binds = session.tls is not None and channel_binding(session.tls) is not None
    return binds or not name.endswith("-PLUS")


def _by_name(session: Session, name: str, user: str, password: str) -> Steps[None]:
    """Make the steps of one login."""
    if name == _USER:
        return _user_and_pass(session, user, password)
    if name == _APOP:
        return _apop(session, user, password)
    if name in SCRAM_NAMES:
        plus = name.removesuffix("-PLUS") + "-PLUS" in session.capabilities.sasl
        return exchange(session, Scram(name, user, password, session.tls, offers_plus=plus))
    kind = {"PLAIN": Plain, "LOGIN": Login, CramMD5.name: CramMD5}[name]
    return exchange(session, kind(user, password))


def _user_and_pass(session: Session, user: str, password: str) -> Steps[None]:
    yield from session.command("USER", encoded(user, "user"))
    yield from session.command("PASS", encoded(password, "password"))


def _apop(session: Session, user: str, password: str) -> Steps[None]:
    if session.config.msex:
        raise InvalidArgument("APOP: Exchange has none; log in with USER and PASS over TLS")
    challenge = _replies.apop_challenge(session.greeting)
    if challenge is None:
        raise ChallengeError(
            f"APOP: expected a timestamp <local@domain> of printable ASCII in the greeting, "
            f"got {session.greeting!r}; log in with USER and PASS"
        )
    signed = challenge + encoded(password, "password")
    digest = hashlib.md5(signed, usedforsecurity=False).hexdigest().encode()
    session.keep(digest)
    yield from session.command("APOP", encoded(user, "user"), digest)


def _with_token(session: Session, mechanism: Bearer) -> Steps[None]:
    """Log in with a token; if it is refused and there is a fresh one, once more with that."""
    mechanism.use((yield Call(mechanism.source)))
    refusal = yield from _try(session, exchange(session, mechanism))
    can_go_on = isinstance(refusal, AuthenticationError) and session.state is not State.CLOSED
    if can_go_on and mechanism.renewable and mechanism.use((yield Call(mechanism.source))):
        refusal = yield from _try(session, exchange(session, mechanism))
    if isinstance(refusal, AuthenticationError):
        raise mechanism.explain(refusal)
    if refusal is not None:
        raise refusal


def _insist(session: Session, steps: Steps[None]) -> Steps[None]:
    refusal = yield from _try(session, steps)
    if refusal is not None:
        raise refusal


def _try(session: Session, steps: Steps[None]) -> Steps[POP3Error | None]:
    """Try one login.

    Returns:
        Why it failed, or None if it did not. To be raised outside of a handler, so that no
        error drags another one, with its secrets, behind it.
    """
    try:
        yield from steps
    except CommandError as refusal:
        yield from _notice_hangup(session, refusal)
        return refusal
    except ChallengeError as refusal:
        return refusal
    except ConnectionClosed as error:
        if error.step.startswith("AUTH"):
            advice = "perhaps the mechanism does not work there; connect anew, with another"
            error.args = (f"{error}; {advice}",)
        raise
    return None


def _blames_mechanism(refusal: POP3Error) -> bool:
    """Tell a mechanism that does not work from credentials that are wrong.

    To try another mechanism with a wrong password is one more wrong password, and may lock the
    account. So what can be read as a refusal of the user is one.
    """
    if isinstance(refusal, ChallengeError):
        return True
    if not isinstance(refusal, CommandError) or refusal.code:
        return False
    if type(refusal) is not AuthenticationError:
        return False  # locked, say: no mechanism helps
    if _BLAMES_MECHANISM.search(refusal.text):
        return True
    return not _BLAMES_CREDENTIALS.search(refusal.text)


def _notice_hangup(session: Session, refusal: CommandError) -> Steps[None]:
    """Wait a moment for a server that hangs up after its refusal.

    The caller is told of the refusal in any case; only what comes after it is at stake.
    """
    keyword = refusal.command.partition(" ")[0]
    try:
        yield Expect(keyword, min(_LINGER, session.config.timeout))
        yield from session.wire.read_line(keyword, session.config.limits.line_octets)
    except ConnectionClosed:
        session.note("close-on-bad-auth", keyword, refusal.text.encode())
        session.end("the server closed the connection when it refused the login")
    except POP3TimeoutError:
        pass  # it stays, as it should
    except POP3Error as error:
        session.end(str(error))
    else:
        # Qpopper says "+OK ... signing off" after its -ERR. It would pass for the answer to the
        # next command.
        session.end("the server went on talking when it had refused the login")
