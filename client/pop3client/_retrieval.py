"""Fetching messages: RETR, TOP, and the retrieval modes.

A size is looked for where the mode says, is a hint for how much room to make, and is held
against what came. If it is missing or wrong, there is no use in looking there again: the next
slower mode is in force from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _replies
from ._commands import check_number, dele
from ._config import RetrMode
from ._exceptions import CommandError, DeviationError, MalformedReply, POP3Error
from ._indexes import End, Start, select
from ._replies import Size
from ._results import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._session import Session
    from ._wants import Steps

__all__ = ["delete", "retr", "retr_to", "retrieve", "top"]

_SLOWER = {RetrMode.RETR: RetrMode.LIST, RetrMode.LIST: RetrMode.SLOW}
_UNKNOWN = Size(None)


def retr(session: Session, number: int) -> Steps[Message]:
    """RETR (RFC 1939 section 5)."""
    raw, _ = yield from _fetch(session, number, None)
    message = Message(number, raw)
    try:
        session.deviations.settle()
    except DeviationError as error:
        error.retrieved = (message,)
        raise
    return message


def retr_to(session: Session, number: int, sink: Callable[[bytes], object]) -> Steps[int]:
    """RETR in constant memory: the message goes to ``sink`` in parts, as it comes."""
    _, octets = yield from _fetch(session, number, sink)
    return octets


def _fetch(
    session: Session, number: int, sink: Callable[[bytes], object] | None
) -> Steps[tuple[bytes, int]]:
    check_number(number, "message number", 1)
    session.require("RETR")
    mode = session.config.retr_mode
    size = _UNKNOWN
    if mode is RetrMode.LIST:
        size = yield from _listed_size(session, number)
    reply = yield from session.command("RETR", number)
    if mode is RetrMode.RETR:
        size = _replies.announced_size(reply.text)
    body = yield from session.body(f"RETR {number}", reply, hint=size.octets or 0, sink=sink)
    session.last_read = max(session.last_read, number)
    _judge(session, mode, size, body.octets)
    return body.raw, body.octets


def _listed_size(session: Session, number: int) -> Steps[Size]:
    try:
        reply = yield from session.command("LIST", number)
    except CommandError as error:
        # Perhaps there is no such message. Then RETR is refused as well, and nothing is learnt
        # about LIST.
        return Size(None, "list-single-refused", error.text.encode())
    try:
        listing = _replies.scan_listing(reply.text, f"LIST {number}")
    except MalformedReply:
        return Size(None, "list-sizes-wrong", reply.text)
    if listing.number != number:
        return Size(None, "list-sizes-wrong", reply.text)
    return Size(listing.octets, detail=reply.text)


def _judge(session: Session, mode: RetrMode, size: Size, octets: int) -> None:
    """Hold what was announced against what came; fall to the next mode if it was no use."""
    if mode is RetrMode.SLOW:
        return
    quirk = size.quirk
    detail = size.detail
    if not quirk and size.octets != octets:
        smaller = size.octets is not None and size.octets < octets
        quirk = "retr-size-too-small" if smaller else "retr-size-too-large"
        if mode is RetrMode.LIST:
            quirk = "list-sizes-wrong"
        detail += b" (got %d octets)" % octets
    if quirk:
        session.note(quirk, mode.name, detail)
        session.fall_to(_SLOWER[mode])


def top(session: Session, number: int, lines: int) -> Steps[Message]:
    """TOP (RFC 1939 section 7)."""
    check_number(number, "message number", 1)
    check_number(lines, "lines", 0)
    try:
        reply = yield from session.command("TOP", number, lines)
    except CommandError as error:
        if number <= session.count and number not in session.marked:
            session.note("no-top", "TOP", error.text.encode())
        raise
    body = yield from session.body(f"TOP {number} {lines}", reply)
    return Message(number, body.raw)


def retrieve(session: Session, start: Start, end: End) -> Steps[list[Message]]:
    """RETR for each message of a range. What was fetched before an error goes with the error."""
    messages: list[Message] = []
    for number in (yield from select(session, "RETR", start, end)):
        try:
            messages.append((yield from retr(session, number)))
        except POP3Error as error:
            error.retrieved = (*messages, *error.retrieved)
            raise
    return messages


def delete(session: Session, start: Start, end: End) -> Steps[list[int]]:
    """DELE for each message of a range."""
    numbers = yield from select(session, "DELE", start, end)
    for number in numbers:
        yield from dele(session, number)
    return list(numbers)
