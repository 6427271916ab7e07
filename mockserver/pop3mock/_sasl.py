"""SASL mechanisms of the server side (RFC 5034): each a generator of challenges.

A mechanism yields a challenge, is sent the client's response, and returns the name of the user who
has proved who he is, or raises :class:`Refused` or :class:`Malformed`. Its first challenge, if it
is empty, stands for none: the client begins, and may do so in the AUTH command itself.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from ._channel import IN_THE_CLEAR, Channel

#: Yields challenges, is sent responses, returns the user.
Exchange = Generator[bytes, bytes, str]


class Refused(Exception):
    """The credentials are wrong."""


class Malformed(Exception):
    """A response is not what the mechanism prescribes; says in which way."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a mechanism goes by.

    Attributes:
        users: User names and passwords.
        stamp: A challenge that is new each time, in the form of a message-id.
        channel: The connection.
        offered: The mechanisms that the client could choose from, in upper case.
        ignores_authzid: Whether somebody who asks to act as somebody else acts as himself.
    """

    users: Mapping[str, str] = field(repr=False)
    stamp: str = "<sasl@localhost>"
    channel: Channel = IN_THE_CLEAR
    offered: frozenset[str] = frozenset()
    ignores_authzid: bool = False


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One row of the table.

    Attributes:
        begin: Begins an exchange.
        client_first: Whether the client's response comes first (RFC 4422, section 5).
    """

    begin: Callable[[Grounds], Exchange]
    client_first: bool = True


def is_sasl(capability: str) -> bool:
    """Whether a line of CAPA is the SASL capability (RFC 2449, section 6.3)."""
    return capability.split(" ", 1)[0].upper() == "SASL"


def fitting(capability: str, channel: Channel) -> str:
    """The SASL capability as it is true on a connection; empty if no mechanism is left of it.

    Args:
        capability: The capability as it would be with all of its mechanisms.
        channel: The connection.
    """
    keyword, *names = capability.split(" ")
    left = [name for name in names if _fits(name.upper(), channel)]
    return " ".join([keyword, *left]) if left or not names else ""


def _fits(name: str, channel: Channel) -> bool:
    if name.endswith("-PLUS"):
        return bool(channel.certificate)  # there is something to bind to
    return name != "EXTERNAL" or bool(channel.names)


def _plain(grounds: Grounds) -> Exchange:
    """RFC 4616: authorization identity, NUL, user, NUL, password."""
    parts = _text((yield b"")).split("\0")
    if len(parts) != 3:
        raise Malformed(f"PLAIN has 3 parts between NUL octets, not {len(parts)}")
    authzid, user, password = parts
    if not user or not password:
        raise Malformed("PLAIN has neither an empty user name nor an empty password")
    # RFC 4616, section 2: who may act as whom is ours to say, and here nobody may.
    if authzid not in ("", user) and not grounds.ignores_authzid:
        raise Refused
    return _verified(grounds, user, password)


def _login(grounds: Grounds) -> Exchange:
    """The LOGIN mechanism, as clients in the field know it: two prompts."""
    user = yield b"Username:"
    password = yield b"Password:"
    return _verified(grounds, _text(user), _text(password))


def _cram_md5(grounds: Grounds) -> Exchange:
    """RFC 2195: the keyed MD5 of a challenge that is new each time."""
    challenge = grounds.stamp.encode("ascii")
    user, space, digest = _text((yield challenge)).rpartition(" ")
    if not space:
        raise Malformed("CRAM-MD5 is user name, space, digest")
    password = grounds.users.get(user)
    if password is None:
        raise Refused
    right = hmac.new(password.encode("utf-8"), challenge, "md5").hexdigest()
    if not _same(right, digest):
        raise Refused
    return user


def _xoauth2(grounds: Grounds) -> Exchange:
    """Google's and Microsoft's bearer token mechanism; the token is the user's password here."""
    fields = _fields((yield b""))
    user = _bearer(grounds, fields.get("user", ""), fields.get("auth", ""))
    if user is None:
        yield json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"}).encode()
        raise Refused
    return user


def _oauthbearer(grounds: Grounds) -> Exchange:
    """RFC 7628; the token is the user's password here, and names him if the client does not."""
    header, mark, rest = (yield b"").partition(b"\x01")
    flag, *authzid = _text(header).split(",")
    if not mark or flag not in ("n", "y") or len(authzid) != 2 or authzid[1]:
        raise Malformed("OAUTHBEARER begins with 'n,a=user,' and control-A")
    user = authzid[0].removeprefix("a=").replace("=2C", ",").replace("=3D", "=")
    proven = _bearer(grounds, user, _fields(rest).get("auth", ""))
    if proven is None:
        # RFC 7628, section 3.2.3: the error goes out as a challenge, and an answer is awaited.
        yield json.dumps({"status": "invalid_token", "scope": "mail"}).encode()
        raise Refused
    return proven


def _fields(data: bytes) -> dict[str, str]:
    """The ``key=value`` pairs that stand between control-A octets."""
    pairs = (part.partition("=") for part in _text(data).split("\x01"))
    return {key: value for key, _, value in pairs}


def _bearer(grounds: Grounds, user: str, credentials: str) -> str | None:
    """The user whose token it is."""
    kind, _, token = credentials.partition(" ")
    if kind.lower() != "bearer" or not token:
        return None
    names = [user] if user else grounds.users
    return next((n for n in names if n in grounds.users and _same(grounds.users[n], token)), None)


def _external(grounds: Grounds) -> Exchange:
    """RFC 4422, appendix A: the client's certificate says who it is."""
    wanted = _text((yield b""))
    known = [name for name in grounds.channel.names if name in grounds.users]
    user = wanted or next(iter(known), "")
    if user not in known:
        raise Refused
    return user


def _scram(name: str) -> Callable[[Grounds], Exchange]:
    def begin(grounds: Grounds) -> Exchange:
        from ._scram import scram  # its library is loaded by those who need it

        return scram(name, grounds)

    return begin


def _verified(grounds: Grounds, user: str, password: str) -> str:
    if user in grounds.users and _same(grounds.users[user], password):
        return user
    raise Refused


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a SASL response is text in UTF-8") from None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode("utf-8"))


#: The mechanisms that the server can do, by name.
MECHANISMS: dict[str, Mechanism] = {
    "PLAIN": Mechanism(_plain),
    "LOGIN": Mechanism(_login, client_first=False),
    "CRAM-MD5": Mechanism(_cram_md5, client_first=False),
    "SCRAM-SHA-1": Mechanism(_scram("SCRAM-SHA-1")),
    "SCRAM-SHA-1-PLUS": Mechanism(_scram("SCRAM-SHA-1-PLUS")),
    "SCRAM-SHA-256": Mechanism(_scram("SCRAM-SHA-256")),
    "SCRAM-SHA-256-PLUS": Mechanism(_scram("SCRAM-SHA-256-PLUS")),
    "XOAUTH2": Mechanism(_xoauth2),
    "OAUTHBEARER": Mechanism(_oauthbearer),
    "EXTERNAL": Mechanism(_external),
}
