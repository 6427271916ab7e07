"""SCRAM (RFC 5802, RFC 7677): the exchange, as the library ``scramp`` reckons it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scramp import ScramException, ScramMechanism

from ._sasl import Malformed, Refused

if TYPE_CHECKING:
    from ._channel import Channel
    from ._sasl import Exchange, Grounds

_PLUS = "-PLUS"

#: What the library says of credentials that are wrong, rather than of a message that is.
_CREDENTIALS = {"unknown-user", "invalid-proof"}

#: Salt, stored key, server key, number of iterations (RFC 5802, section 2.2).
_Keys = tuple[bytes, bytes, bytes, int]


def scram(name: str, grounds: Grounds) -> Exchange:
    """An exchange of a SCRAM mechanism.

    Args:
        name: The mechanism in upper case.
        grounds: What it goes by.

    Raises:
        Refused: The password is wrong, or there is no such user.
        Malformed: A message is wrong, or is bound to another channel or to none.
    """
    who = ""

    def keys_of(user: str) -> _Keys | None:
        nonlocal who
        who = user
        password = grounds.users.get(user)
        return None if password is None else _keys(name.removesuffix(_PLUS), password)

    first = _text((yield b""))
    try:
        server = ScramMechanism(name).make_server(keys_of, _binding(name, first, grounds))
        server.set_client_first(first)
        final = yield server.get_server_first().encode("ascii")
        server.set_client_final(_text(final))
        signature = server.get_server_final()
    except ScramException as error:
        raise _failure(error) from None
    # RFC 5034, section 4: no data comes with success, so the client answers it with nothing.
    if (yield signature.encode("ascii")):
        raise Malformed("the answer to SCRAM's last message is an empty one")
    return who


def _binding(name: str, first: str, grounds: Grounds) -> tuple[str, str | bytes] | None:
    """What the client's first message has to be bound to, if anything.

    RFC 5802, section 6: with this, a client that says ``y`` (it could bind, but was offered no
    mechanism that does) is refused where it was offered one.
    """
    flag, _, kind = first.partition(",")[0].partition("=")
    if flag == "p" and not name.endswith(_PLUS):
        raise Malformed(f"channel binding needs {name}{_PLUS}")
    if name.removesuffix(_PLUS) + _PLUS not in grounds.offered:
        return None
    return _bound(kind, grounds.channel)


def _bound(kind: str, channel: Channel) -> tuple[str, str | bytes]:
    if kind == "tls-unique" and channel.unique:
        return kind, channel.unique
    return "tls-server-end-point", channel.certificate


@lru_cache(maxsize=256)
def _keys(name: str, password: str) -> _Keys | None:
    """What a server keeps in place of a password; the salt stays the same, as in a real one."""
    try:
        keys: _Keys = ScramMechanism(name).make_auth_info(password)
    except ScramException:
        return None  # RFC 4013 prohibits a character of it: nobody can know it
    return keys


def _text(message: bytes) -> str:
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("SCRAM has messages in UTF-8") from None


def _failure(error: ScramException) -> Refused | Malformed:
    reason = error.server_error.value if error.server_error is not None else "other-error"
    return Refused() if reason in _CREDENTIALS else Malformed(f"SCRAM: {reason}")
