"""Fetching messages: RETR, TOP, and the retrieval modes.

A size is looked for where the mode says, is a hint for how much room to make, and is held
against what came. If it is missing or wrong, there is no use in looking there again: the next
slower mode is in force from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from . import _replies
from ._arguments import check_number
from ._commands import dele, found_in_listing
from ._config import RetrMode
from ._exceptions import CommandError, DeviationError, MalformedReply, POP3Error
from ._indexes import End, Start, select
from ._replies import Size
from ._results import Message
from ._top import judged

if TYPE_CHECKING:
    from ._session import Session
    from ._wants import Steps
    from ._wire import Body

__all__ = [
    "OnError",
    "Progress",
    "check_retr",
    "delete",
    "present",
    "retr",
    "retr_or_report",
    "retr_parts",
    "retrieve",
    "top",
]

OnError: TypeAlias = Callable[[int, POP3Error], object]
"""Told the number of a message and why it failed; the range goes on with the next."""
Progress: TypeAlias = Callable[[int, int, int | None], object]
"""Told the number of a message, the octets that have come, and how many were announced."""

_SLOWER = {RetrMode.RETR: RetrMode.LIST, RetrMode.LIST: RetrMode.SLOW}
_UNKNOWN = Size(None)


def retr(session: Session, number: int, progress: Progress | None = None) -> Steps[Message]:
    """RETR (RFC 1939 section 5)."""
    body = yield from _fetch(session, number, stream=False, progress=progress)
    message = Message(number, body.raw)
    try:
        session.deviations.settle()
    except DeviationError as error:
        error.retrieved = (message,)
        raise
    return message


def retr_parts(session: Session, number: int, progress: Progress | None = None) -> Steps[int]:
    """RETR in constant memory: the message is delivered in parts, as it comes.

    Returns:
        Its octets.
    """
    body = yield from _fetch(session, number, stream=True, progress=progress)
    return body.octets


def _fetch(
    session: Session, number: int, *, stream: bool, progress: Progress | None
) -> Steps[Body]:
    check_retr(session, number)
    mode = session.config.retr_mode
    size = _UNKNOWN
    if mode is RetrMode.LIST:
        size = yield from _listed_size(session, number)
    reply = yield from session.command("RETR", number)
    if mode is RetrMode.RETR:
        size = _replies.announced_size(reply.text)
    total = size.octets
    body = yield from session.body(
        f"RETR {number}",
        reply,
        hint=total or 0,
        stream=stream,
        progress=None if progress is None else lambda octets: progress(number, octets, total),
    )
    session.last_read = max(session.last_read, number)
    _judge(session, mode, size, body.octets)
    return body


def _listed_size(session: Session, number: int) -> Steps[Size]:
    try:
        reply = yield from session.command("LIST", number)
    except CommandError as error:
        # Perhaps there is no such message. Then RETR is refused as well, and nothing is learnt
        # about LIST.
        return Size(None, "list-single-refused", error.text.encode())
    try:
        line = yield from _size_line(session, number, reply.text)
        return Size(_replies.scan_listing(line, f"LIST {number}").octets, detail=line)
    except MalformedReply:
        return Size(None, "list-sizes-wrong", reply.text)


def _size_line(session: Session, number: int, text: bytes) -> Steps[bytes]:
    """Find what LIST says of a message: in its answer, or else in the listing that follows."""
    if text.split()[:1] == [b"%d" % number]:
        return text
    error = MalformedReply(f"LIST {number}", text, expected=f"the size of message {number}")
    return (yield from found_in_listing(session, "LIST", number, error))


def _judge(session: Session, mode: RetrMode, size: Size, octets: int) -> None:
    """Hold what was announced against what came; fall to the next mode if it was no use."""
    if octets == 0 != size.octets:
        session.note("retr-empty", "RETR", size.detail)
        if size.octets:
            return  # about sizes this says nothing
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
    return Message(number, judged(session, body.raw, lines))


def check_retr(session: Session, number: int) -> None:
    """See that a message can be asked for; sends nothing.

    Raises:
        InvalidArgument: the number is none.
        StateError: RETR is not allowed now.
    """
    check_number(number, "message number", 1)
    session.require("RETR")


def retr_or_report(
    session: Session, number: int, on_error: OnError | None, progress: Progress | None
) -> Steps[Message | None]:
    """RETR for one message of a range.

    Returns:
        The message, or None if it failed and ``on_error`` was told why. An error that ends the
        session is raised all the same: the rest of the range cannot be had any more.
    """
    try:
        return (yield from retr(session, number, progress))
    except POP3Error as error:
        _report(session, number, error, on_error)
        return None


def _report(session: Session, number: int, error: POP3Error, on_error: OnError | None) -> None:
    if on_error is None or error.ends_session:
        raise error
    session.deviations.excuse()
    on_error(number, error)


def present(session: Session) -> Steps[list[int]]:
    """Give the numbers of all messages that are not marked as deleted; sends nothing."""
    session.require("RETR")
    yield from ()
    return [number for number in range(1, session.count + 1) if number not in session.marked]


def retrieve(
    session: Session, start: Start, end: End, on_error: OnError | None, progress: Progress | None
) -> Steps[list[Message]]:
    """RETR for each message of a range. What was fetched before an error goes with the error."""
    messages: list[Message] = []
    try:
        for number in (yield from select(session, "RETR", start, end)):
            message = yield from retr_or_report(session, number, on_error, progress)
            if message is not None:
                messages.append(message)
    except POP3Error as error:
        error.retrieved = (*messages, *error.retrieved)
        raise
    return messages


def delete(session: Session, start: Start, end: End, on_error: OnError | None) -> Steps[list[int]]:
    """DELE for each message of a range. What was marked before an error goes with the error."""
    marked: list[int] = []
    for number in (yield from select(session, "DELE", start, end)):
        try:
            yield from dele(session, number)
        except POP3Error as error:
            error.marked = tuple(marked)
            _report(session, number, error, on_error)
        else:
            marked.append(number)
    return marked
