"""UTF8, LANG, commands that the client does not know, and what the server can do unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._arguments import encoded
from ._exceptions import CapabilityError, CommandError, InvalidArgument
from ._opening import discover
from ._results import Language, Response

if TYPE_CHECKING:
    from ._session import Session
    from ._wants import Steps

__all__ = ["languages", "raw_command", "supports", "use_language", "utf8"]

_HAVE_METHODS = frozenset(
    {"APOP", "AUTH", "DELE", "LANG", "PASS", "QUIT", "RSET", "STLS", "USER", "UTF8"}
)
"""Commands that change what the client has to know: as octets they would pass it by."""


def _require_capability(session: Session, name: str) -> Steps[None]:
    # Gmail hangs up at a command that it does not announce.
    session.require(name)
    yield from discover(session)
    if name not in session.capabilities:
        raise CapabilityError(f"{name}: the server does not offer it; nothing was sent")


def utf8(session: Session) -> Steps[None]:
    """UTF8 (RFC 6856 section 2.1)."""
    yield from _require_capability(session, "UTF8")
    yield from session.command("UTF8")


def languages(session: Session) -> Steps[list[Language]]:
    """LANG without an argument (RFC 6856 section 3.2)."""
    yield from _require_capability(session, "LANG")
    reply = yield from session.command("LANG")
    lines = yield from session.listing("LANG", reply, "listing_lines")
    return [_language(line) for line in lines]


def use_language(session: Session, tag: str) -> Steps[Language]:
    """LANG with a language range (RFC 6856 section 3.2)."""
    argument = encoded(tag, "language")
    if not argument or b" " in argument:
        raise InvalidArgument(f"language: expected a tag such as 'de', or '*', got {tag!r}")
    yield from _require_capability(session, "LANG")
    reply = yield from session.command("LANG", argument)
    return _language(reply.text)


def _language(line: bytes) -> Language:
    tag, _, description = line.decode("utf-8", "backslashreplace").partition(" ")
    return Language(tag, description)


def raw_command(session: Session, line: str, *, multiline: bool) -> Steps[Response]:
    """Send a command that the client does not know.

    Errors name its keyword only, for an argument may be a secret.
    """
    keyword, space, arguments = line.partition(" ")
    keyword = keyword.upper()
    encoded(line, "command")
    if not keyword.isascii() or not keyword.isalnum():
        raise InvalidArgument(f"command: expected a keyword, got {keyword!r}")
    if keyword in _HAVE_METHODS:
        raise InvalidArgument(
            f"command: {keyword} has a method of its own, which keeps track of it"
        )
    words = (arguments.encode(),) if space else ()
    reply = yield from session.command(keyword, *words)
    body = b""
    if multiline:
        body = (yield from session.body(keyword, reply)).raw
    return Response(reply.text.decode("utf-8", "backslashreplace"), body)


def supports(session: Session, name: str) -> Steps[bool | None]:
    """Tell whether the server can do something; see ``POP3Client.supports``."""
    yield from discover(session)
    name = name.upper()
    if name in session.capabilities:
        return True
    ignored = {item.upper() for item in session.config.ignored_capabilities}
    if name not in {"TOP", "UIDL"} - ignored:
        return False
    # CAPA is silent, or understates: RFC 1939 made both optional before there was CAPA.
    if name not in session.probed:
        session.require(name)
        there = (each for each in range(1, session.count + 1) if each not in session.marked)
        number = next(there, None)
        if number is None:
            return None
        session.probed[name] = yield from _probe(session, name, number)
    return session.probed[name]


def _probe(session: Session, name: str, number: int) -> Steps[bool]:
    try:
        if name == "UIDL":
            yield from session.command("UIDL", number)
        else:
            reply = yield from session.command("TOP", number, 0)
            yield from session.body(f"TOP {number} 0", reply)
    except CommandError as error:
        session.note(f"no-{name.lower()}", name, error.text.encode())
        return False
    return True
