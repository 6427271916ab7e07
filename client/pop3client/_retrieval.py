"""Fetching messages: RETR, TOP, and the retrieval modes.

A size is looked for where the mode says, is a hint for how much room to make, and is held
against what came. If it is missing or wrong, there is no use in looking there again: the next
slower mode is in force from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from . import _replies
from ._arguments import check_number
from ._commands import (
    deleted,
    found_in_listing,
    hints_at_gaps,
    identified_one,
    listed_one,
    number_of,
    shows_gaps,
)
from ._config import RetrMode
from ._exceptions import (
    CommandError,
    DeviationError,
    MalformedReply,
    POP3Error,
    ProtocolError,
)
from ._indexes import End, Start, select
from ._pipeline import Asked, OnError, Pipeline, report
from ._replies import Size
from ._results import Message, ScanListing, UniqueId
from ._states import State
from ._top import judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._session import Session
    from ._wants import Steps

__all__ = [
    "OnError",
    "Progress",
    "Retrieval",
    "check_retr",
    "delete",
    "list_many",
    "present",
    "retr",
    "retr_parts",
    "retrieve",
    "top",
    "uidl_many",
]

E = TypeVar("E", ScanListing, UniqueId)

Progress: TypeAlias = Callable[[int, int, int | None], object]
"""Told the number of a message, the octets that have come, and how many were announced."""

_SLOWER = {RetrMode.RETR: RetrMode.LIST, RetrMode.LIST: RetrMode.SLOW}
_UNKNOWN = Size(None)
_NUMBER = attrgetter("number")


def retr(session: Session, number: int, progress: Progress | None = None) -> Steps[Message]:
    """RETR (RFC 1939 section 5)."""
    check_number(number, "message number", 1)
    mode, size = session.config.retr_mode, _UNKNOWN
    if mode is RetrMode.LIST:
        size = yield from _size(session, number)
    want = session.about("RETR", number)
    session.asked(want.step, (yield want))
    asked = Asked("RETR", number, mode)
    # In a generator of its own the common case takes a sixth of a message's time more.
    message, _ = _at_hand(session, asked, size, progress) or (
        yield from _message(session, asked, size, progress)
    )
    return message


def retr_parts(session: Session, number: int, progress: Progress | None = None) -> Steps[int]:
    """RETR in constant memory: the message is delivered in parts, as it comes.

    Returns:
        Its octets.
    """
    check_number(number, "message number", 1)
    mode, size = session.config.retr_mode, _UNKNOWN
    if mode is RetrMode.LIST:
        size = yield from _size(session, number)
    yield from session.ask("RETR", number)
    asked = Asked("RETR", number, mode)
    _, octets, _ = yield from _body(session, asked, size, progress, stream=True)
    return octets


def _size(session: Session, number: int) -> Steps[Size]:
    """Ask LIST for the size of a message, and nothing else at the same time."""
    session.require("RETR")
    yield from session.ask("LIST", number)
    return (yield from _listed_size(session, number, alone=True))


def _message(
    session: Session, asked: Asked, size: Size, progress: Progress | None
) -> Steps[tuple[Message, bool]]:
    """Read the answer to RETR, if ``_at_hand`` could not.

    Returns:
        The message, and whether it has the size that was announced.

    Raises:
        DeviationError: the client is strict; the message goes with it.
    """
    raw, octets, size = yield from _body(session, asked, size, progress, stream=False)
    return _settled(session, Message(asked.number, raw)), size.octets == octets


def _at_hand(
    session: Session, asked: Asked, size: Size, progress: Progress | None
) -> tuple[Message, bool] | None:
    """Take the answer to RETR if it has come whole and is as plain as most are.

    See ``_message``; None if it takes more to read it. Small messages take half the time so.
    """
    limits = session.config.limits
    plain = session.wire.take_message(limits.line_octets, limits.message_octets)
    if plain is None:
        return None
    session.is_expected()  # and has come
    text, raw = plain
    session.log.message(text, len(raw))
    message = Message(asked.number, raw)
    octets = len(raw)
    if text.startswith(b"%d " % octets) and asked.mode is RetrMode.RETR and octets:
        _read(session, asked.number)
        sure = True
    else:
        if asked.mode is RetrMode.RETR:
            size = _replies.announced_size(text)
        _fetched(session, asked, size, octets)
        _settled(session, message)
        sure = size.octets == octets
    if progress is not None:
        progress(asked.number, octets, octets if sure else size.octets)
    return message, sure


def _settled(session: Session, message: Message) -> Message:
    try:
        session.deviations.settle()
    except DeviationError as error:
        error.retrieved = (message,)
        raise
    return message


def _body(
    session: Session, asked: Asked, size: Size, progress: Progress | None, *, stream: bool
) -> Steps[tuple[bytes, int, Size]]:
    """Read the answer to RETR, whatever it is like."""
    number = asked.number
    step = f"RETR {number}"
    reply = yield from session.answer("RETR", step, session.config.timeout)
    if asked.mode is RetrMode.RETR:
        size = _replies.announced_size(reply.text)
    total = size.octets
    body = yield from session.body(
        step,
        reply,
        hint=total or 0,
        stream=stream,
        progress=None if progress is None else lambda octets: progress(number, octets, total),
    )
    _fetched(session, asked, size, body.octets)
    return body.raw, body.octets, size


def _fetched(session: Session, asked: Asked, size: Size, octets: int) -> None:
    _read(session, asked.number)
    _judge(session, asked.mode, size, octets)


def _read(session: Session, number: int) -> None:
    if session.state is not State.TRANSACTION:
        session.require("RETR")  # it was aborted meanwhile
    if number > session.last_read:
        session.last_read = number


def _listed_size(session: Session, number: int, *, alone: bool) -> Steps[Size]:
    """Read the answer to LIST, whatever it is."""
    try:
        reply = yield from session.answer("LIST", f"LIST {number}", session.config.timeout)
    except CommandError as error:
        # Perhaps there is no such message. Then RETR is refused as well, and nothing is learnt
        # about LIST.
        return Size(None, "list-single-refused", error.text.encode())
    try:
        line = yield from _size_line(session, number, reply.text, alone=alone)
        return Size(_replies.scan_listing(line, f"LIST {number}").octets, detail=line)
    except MalformedReply:
        return Size(None, "list-sizes-wrong", reply.text)


def _size_line(session: Session, number: int, text: bytes, *, alone: bool) -> Steps[bytes]:
    """Find what LIST says of a message: in its answer, or else in the listing that follows."""
    step = f"LIST {number}"
    with suppress(MalformedReply):
        if _replies.scan_listing(text, step).number == number:
            return text
    error = MalformedReply(step, text, expected=f"the size of message {number}")
    if not alone:
        raise error  # what follows belongs to the next command
    line = yield from found_in_listing(session, "LIST", number, error)
    session.fall_to(RetrMode.SLOW)  # a listing of all for each message is no help
    return line


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
        if session.config.retr_mode is mode:  # else another message of the pipeline was first
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


def present(session: Session) -> Steps[list[int]]:
    """Give the numbers of all messages that are not marked as deleted; sends nothing."""
    session.require("RETR")
    yield from ()
    numbers = session.numbers or range(1, session.count + 1)
    return [number for number in numbers if number not in session.marked]


def retrieve(
    session: Session, start: Start, end: End, on_error: OnError | None, progress: Progress | None
) -> Steps[list[Message]]:
    """RETR for each message of a range. What was fetched goes with an error.

    Several at once if the session pipelines. Then a message counts as fetched if it has the size
    that was announced for it, or if all answers are in their place: a server that mixes them up
    shows it at the next answer.
    """
    retrieval = Retrieval(session, progress)

    def run(numbers: Sequence[int], on_error: OnError | None) -> Steps[None]:
        commands = retrieval.commands(numbers)
        pipeline = Pipeline(session, commands, on_error, partial(hints_at_gaps, session))
        yield from pipeline.run(retrieval.take, retrieval.at_hand)

    done = partial(map, _NUMBER, retrieval.messages)
    try:
        yield from _through(session, "RETR", (start, end), on_error, run, done)
    except POP3Error as error:
        messages = retrieval.messages
        if isinstance(error, ProtocolError) and error.ends_session:
            messages = retrieval.sure
        error.retrieved = tuple(sorted((*messages, *error.retrieved), key=_NUMBER))
        raise
    return sorted(retrieval.messages, key=_NUMBER)


def _through(
    session: Session,
    keyword: str,
    chosen: tuple[Start, End],
    on_error: OnError | None,
    run: Callable[[Sequence[int], OnError | None], Steps[None]],
    done: Callable[[], Iterable[int]],
) -> Steps[None]:
    """Do something for each message of a range; where numbers have gaps, for those there are.

    Args:
        session: the session.
        keyword: the command.
        chosen: start and end of the range.
        on_error: see ``OnError``.
        run: does it for these messages; stops at an error that hints at gaps.
        done: tells for which it has been done.
    """
    told: set[int] = set()

    def tell(number: int, error: POP3Error) -> None:
        told.add(number)
        report(session, number, error, on_error)

    numbers = yield from select(session, keyword, *chosen)
    while numbers:
        try:
            yield from run(numbers, None if on_error is None else tell)
        except CommandError as error:
            there = yield from _there(session, keyword, chosen, error)
            if not there:
                tell(number_of(error), error)
            settled = told.union(done())
            numbers = [number for number in there or numbers if number not in settled]
        else:
            return


def _there(
    session: Session, keyword: str, chosen: tuple[Start, End], error: CommandError
) -> Steps[Sequence[int]]:
    """If a message was refused since the numbers have gaps, say which of a range there are."""
    if not (yield from shows_gaps(session, error)):
        return ()
    session.deviations.settle()
    return (yield from select(session, keyword, *chosen))


class Retrieval:
    """Messages that are fetched one after the other, some of them ahead."""

    def __init__(self, session: Session, progress: Progress | None) -> None:
        self._session = session
        self._progress = progress
        self._listed = _UNKNOWN
        self.messages: list[Message] = []
        self.sure: list[Message] = []

    def commands(self, numbers: Iterable[int]) -> Iterator[Asked]:
        """Say what to send for each message, in the retrieval mode of that moment."""
        for number in numbers:
            mode = self._session.config.retr_mode
            if mode is RetrMode.LIST:
                yield Asked("LIST", number, mode)
            yield Asked("RETR", number, mode)

    def take(self, asked: Asked, alone: bool) -> Steps[bool]:
        """Read one answer; see ``Take``."""
        if asked.keyword == "LIST":
            self._listed = yield from _listed_size(self._session, asked.number, alone=alone)
            return False
        size, self._listed = self._listed, _UNKNOWN
        message, sure = _at_hand(self._session, asked, size, self._progress) or (
            yield from _message(self._session, asked, size, self._progress)
        )
        self._keep(message, sure or alone)
        return self._session.config.retr_mode is asked.mode

    def at_hand(self, asked: Asked, alone: bool) -> bool | None:
        """Read one answer if it has come whole; see ``Pipeline.run``."""
        if asked.keyword == "LIST":
            return None
        whole = _at_hand(self._session, asked, self._listed, self._progress)
        if whole is None:
            return None
        self._listed = _UNKNOWN
        message, sure = whole
        self._keep(message, sure or alone)
        return self._session.config.retr_mode is asked.mode

    def _keep(self, message: Message, sure: bool) -> None:
        self.messages.append(message)
        if sure:
            self.sure.append(message)


def delete(session: Session, start: Start, end: End, on_error: OnError | None) -> Steps[list[int]]:
    """DELE for each message of a range. What was marked goes with an error."""
    marked: list[int] = []

    def run(numbers: Sequence[int], on_error: OnError | None) -> Steps[None]:
        commands = _about(session, "DELE", numbers)
        yield from Pipeline(session, commands, on_error, partial(hints_at_gaps, session)).run(take)

    def take(asked: Asked, _alone: bool) -> Steps[bool]:
        yield from deleted(session, asked.number)
        marked.append(asked.number)
        return True

    try:
        yield from _through(session, "DELE", (start, end), on_error, run, lambda: marked)
    except POP3Error as error:
        error.marked = tuple(marked)
        raise
    return sorted(marked)


def list_many(
    session: Session, numbers: Iterable[int], on_error: OnError | None
) -> Steps[list[ScanListing]]:
    """LIST for each of many messages."""
    return (yield from _each(session, "LIST", numbers, on_error, listed_one))


def uidl_many(
    session: Session, numbers: Iterable[int], on_error: OnError | None
) -> Steps[list[UniqueId]]:
    """UIDL for each of many messages."""
    return (yield from _each(session, "UIDL", numbers, on_error, identified_one))


def _each(
    session: Session,
    keyword: str,
    numbers: Iterable[int],
    on_error: OnError | None,
    read: Callable[..., Steps[E]],
) -> Steps[list[E]]:
    entries: list[E] = []
    numbers = list(numbers)
    for number in numbers:
        check_number(number, "message number", 1)

    def take(asked: Asked, alone: bool) -> Steps[bool]:
        entry = yield from read(session, asked.number, alone=alone)
        session.deviations.settle()
        entries.append(entry)
        return True

    try:
        yield from Pipeline(session, _about(session, keyword, numbers), on_error).run(take)
    except POP3Error as error:
        error.listed = tuple(entries)
        raise
    return entries


def _about(session: Session, keyword: str, numbers: Iterable[int]) -> Iterator[Asked]:
    return (Asked(keyword, number, session.config.retr_mode) for number in numbers)
