"""SASL mechanisms of the server side (RFC 5034): each a generator of challenges.

A mechanism yields a challenge, is sent the client's response, and returns the name of the user who
has proved who he is, or raises :class:`Refused`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Generator, Mapping

#: Yields challenges (None before an initial response may have come), is sent responses.
Exchange = Generator[bytes | None, bytes, str]
Mechanism = Callable[[Mapping[str, str], str], Exchange]


class Refused(Exception):
    """The credentials are wrong, or cannot be understood."""


def _plain(users: Mapping[str, str], _stamp: str) -> Exchange:
    """RFC 4616: authorization identity, NUL, user, NUL, password."""
    response = yield None
    parts = response.split(b"\0")
    if len(parts) != 3:
        raise Refused
    authzid, user, password = (part.decode("utf-8", "surrogateescape") for part in parts)
    # RFC 4616, section 2: who may act as whom is ours to say, and here nobody may.
    if authzid not in ("", user):
        raise Refused
    return _verified(users, user, password)


def _login(users: Mapping[str, str], _stamp: str) -> Exchange:
    """The LOGIN mechanism, as clients in the field know it: two prompts."""
    user = yield b"Username:"
    password = yield b"Password:"
    return _verified(
        users,
        user.decode("utf-8", "surrogateescape"),
        password.decode("utf-8", "surrogateescape"),
    )


def _cram_md5(users: Mapping[str, str], stamp: str) -> Exchange:
    """RFC 2195: the keyed MD5 of a challenge that is new each time."""
    response = yield stamp.encode("ascii")
    user, _, digest = response.decode("utf-8", "surrogateescape").rpartition(" ")
    password = users.get(user)
    if password is None:
        raise Refused
    right = hmac.new(password.encode("utf-8", "surrogateescape"), stamp.encode("ascii"), "md5")
    if not hmac.compare_digest(right.hexdigest().encode(), digest.encode("utf-8", "replace")):
        raise Refused
    return user


def _xoauth2(users: Mapping[str, str], _stamp: str) -> Exchange:
    """Google's and Microsoft's bearer token mechanism; the token is the user's password here."""
    response = yield b""
    fields = _fields(response)
    user = fields.get(b"user", b"")
    return (yield from _bearer(users, user, fields.get(b"auth", b"")))


def _oauthbearer(users: Mapping[str, str], _stamp: str) -> Exchange:
    """RFC 7628; the token is the user's password here."""
    response = yield b""
    header, _, rest = response.partition(b"\x01")
    fields = _fields(rest)
    user = header.partition(b"a=")[2].partition(b",")[0]
    return (yield from _bearer(users, user, fields.get(b"auth", b"")))


def _fields(data: bytes) -> dict[bytes, bytes]:
    """The ``key=value`` pairs that stand between control-A octets."""
    pairs = (part.partition(b"=") for part in data.split(b"\x01"))
    return {key: value for key, _, value in pairs}


def _bearer(users: Mapping[str, str], user: bytes, credentials: bytes) -> Exchange:
    kind, _, token = credentials.decode("ascii", "surrogateescape").partition(" ")
    name = user.decode("utf-8", "surrogateescape")
    if kind.lower() == "bearer" and name in users and _same(users[name], token):
        return name
    # RFC 7628, section 3.2.3: the error goes out as a challenge, and an answer is awaited.
    yield json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"}).encode()
    raise Refused


def _verified(users: Mapping[str, str], user: str, password: str) -> str:
    if user in users and _same(users[user], password):
        return user
    raise Refused


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape")
    )


#: The mechanisms that the server can do, by name.
MECHANISMS: dict[str, Mechanism] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
    "XOAUTH2": _xoauth2,
    "OAUTHBEARER": _oauthbearer,
}

#: Mechanisms that have nothing to ask before the client's first response.
CLIENT_FIRST = frozenset({"PLAIN", "XOAUTH2", "OAUTHBEARER"})
