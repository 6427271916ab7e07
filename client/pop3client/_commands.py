"""The commands, one generator each; those that fetch messages are in ``_retrieval``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from . import _replies
from ._arguments import check_number
from ._capabilities import Capabilities
from ._exceptions import (
    CommandError,
    ConnectionClosed,
    LimitExceeded,
    MalformedReply,
    POP3Error,
    POP3TimeoutError,
)
from ._listing import Listing
from ._replies import Reply
from ._results import Maildrop, ScanListing, UniqueId
from ._states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._session import Session
    from ._wants import Steps
    from ._wire import Line

__all__ = [
    "capa",
    "dele",
    "deleted",
    "found_in_listing",
    "hints_at_gaps",
    "identified_one",
    "last",
    "list_all",
    "list_one",
    "listed_one",
    "noop",
    "number_of",
    "quit_",
    "rset",
    "shows_gaps",
    "stat",
    "uidl_all",
    "uidl_one",
]

E = TypeVar("E", ScanListing, UniqueId)

_QUIT_SECONDS = 3.0


def capa(session: Session) -> Steps[Capabilities]:
    """CAPA (RFC 2449 section 5). A refusal empties what was known."""
    session.capa_asked = True
    session.capabilities = Capabilities()
    try:
        reply = yield from session.command("CAPA")
    except CommandError as error:
        session.note("no-capa", "CAPA", error.text.encode())
        raise
    lines = yield from session.listing("CAPA", reply, "capa_lines")
    session.capabilities = Capabilities(lines).without(session.config.ignored_capabilities)
    session.snapshots = session.snapshots._replace(**{_stage(session): session.capabilities})
    return session.capabilities


def _stage(session: Session) -> str:
    if session.state is State.TRANSACTION:
        return "after_login"
    return "before_tls" if session.tls is None else "after_tls"


def stat(session: Session) -> Steps[Maildrop]:
    """STAT (RFC 1939 section 5)."""
    reply = yield from session.command("STAT")
    maildrop = _replies.maildrop(reply.text)
    if maildrop.count > session.config.limits.messages:
        raise LimitExceeded("STAT", "messages", session.config.limits.messages)
    if maildrop.octets < 0:
        session.note("stat-negative", "STAT", reply.text)
    # Deleted messages are not counted but keep their numbers, so the range never shrinks.
    session.count = max(session.count, maildrop.count)
    return maildrop


def list_all(session: Session) -> Steps[Listing[ScanListing]]:
    """LIST (RFC 1939 section 5)."""
    reply = yield from session.command("LIST")
    return (
        yield from _listing(
            session, "LIST", reply, ScanListing, lambda line: _scan_listing(session, line, "LIST")
        )
    )


def _listing(
    session: Session, step: str, reply: Reply, kind: type[E], parse: Callable[[bytes], E]
) -> Steps[Listing[E]]:
    """Read what is said of all messages, and learn their numbers."""
    plain = _replies.plain(step, _known(session))
    parts = yield from session.entries(step, reply, "listing_lines", parse, plain)
    listing = Listing(kind, parts)
    # The numbers of plain lines are none that are not known.
    odd = [part.number for part in parts if not isinstance(part, bytes)]
    most = max(odd, default=0)
    if not most <= _known(session) >= max(session.marked, default=0):
        _learn_numbers(session, step, listing)
    return listing


def _known(session: Session) -> int:
    """The number of messages."""
    return len(session.numbers) or session.count


def _learn_numbers(session: Session, where: str, listing: Listing[E]) -> None:
    """Keep the numbers of a listing that are not 1, 2, 3: ranges go by them from then on.

    A listing that leaves messages out, or has more than STAT counted, is no reason to.
    """
    known = _known(session)
    numbers = session.marked.union(listing.numbers)
    if len(numbers) == known:
        session.numbers = tuple(sorted(numbers))
        session.count = session.numbers[-1]
        session.note("list-gaps", where, b" ".join(b"%d" % number for number in session.numbers))


def hints_at_gaps(session: Session, error: POP3Error) -> bool:
    """Tell whether a message may have been refused because the numbers have gaps."""
    if not isinstance(error, CommandError) or error.code or session.gaps_sought or session.numbers:
        return False
    return _ought_to_exist(session, number_of(error))


def number_of(error: CommandError) -> int:
    """Say which message a command was about that was refused."""
    return int(error.command.split()[1])


def shows_gaps(session: Session, error: POP3Error) -> Steps[bool]:
    """See whether a message was refused because the numbers have gaps; asks LIST, once."""
    if not isinstance(error, CommandError) or not hints_at_gaps(session, error):
        return False
    session.gaps_sought = True
    try:
        yield from list_all(session)
    except POP3Error as failed:
        session.deviations.excuse()
        if failed.ends_session:
            session.end(str(failed))
        return False
    return bool(session.numbers) and number_of(error) not in session.numbers


def _answer(session: Session, keyword: str, number: int, quirk: str) -> Steps[Reply]:
    """Read what is said of one message; a refusal is the quirk if there is such a message."""
    try:
        return (yield from session.answer(keyword, f"{keyword} {number}", session.config.timeout))
    except CommandError as error:
        if _ought_to_exist(session, number):
            session.note(quirk, keyword, error.text.encode())
        raise


def list_one(session: Session, number: int) -> Steps[ScanListing]:
    """LIST with a message number (RFC 1939 section 5)."""
    check_number(number, "message number", 1)
    yield from session.ask("LIST", number)
    return (yield from listed_one(session, number, alone=True))


def found_in_listing(
    session: Session, keyword: str, number: int, error: MalformedReply
) -> Steps[bytes]:
    """Find a message in the listing of all that may follow where one line was due.

    Whether one follows cannot be seen by waiting. The answer to NOOP comes after it in any case,
    and begins as no line of a listing does.

    Raises:
        MalformedReply: the error, if there is no such line.
    """
    yield from session.send(b"NOOP", error.command, session.config.timeout)
    line = yield from session.line(error.command, session.config.timeout)
    lines = []
    if not line.text.startswith((b"+OK", b"-ERR")):
        session.note("list-arg-ignored", keyword, error.line)
        lines = yield from _rest_of_listing(session, line, error.command)
    for text in lines:
        if text.split()[:1] == [b"%d" % number]:
            return text
    raise error


def _rest_of_listing(session: Session, first: Line, step: str) -> Steps[list[bytes]]:
    lines: list[bytes] = []
    if first.text != b".":
        lines = yield from session.listing(step, Reply(True, b"", first.end), "listing_lines")
    yield from session.status(step, session.config.timeout)  # NOOP's
    return [first.text, *lines]


def listed_one(session: Session, number: int, *, alone: bool) -> Steps[ScanListing]:
    """Read the answer to LIST with a message number.

    Args:
        session: the session.
        number: the message.
        alone: no other command is under way, so that more can be read than one line.
    """
    try:
        return (yield from _listed(session, number))
    except MalformedReply as error:
        if not alone:
            raise
        line = yield from found_in_listing(session, "LIST", number, error)
        return _scan_listing(session, line, error.command)


def _listed(session: Session, number: int) -> Steps[ScanListing]:
    reply = yield from _answer(session, "LIST", number, "list-single-refused")
    step = f"LIST {number}"
    listing = _scan_listing(session, reply.text, step)
    if listing.number != number:
        raise MalformedReply(step, reply.text, expected=f"the size of message {number}")
    return listing


def _scan_listing(session: Session, line: bytes, step: str) -> ScanListing:
    listing = _replies.scan_listing(line, step)
    if listing.octets < 0:
        session.note("list-sizes-wrong", "LIST", line)
    return listing


def uidl_all(session: Session) -> Steps[Listing[UniqueId]]:
    """UIDL (RFC 1939 section 7)."""
    try:
        reply = yield from session.command("UIDL")
    except CommandError as error:
        session.note("no-uidl", "UIDL", error.text.encode())
        raise
    unique_ids = yield from _listing(
        session, "UIDL", reply, UniqueId, lambda line: _unique_id(session, line, "UIDL")
    )
    uid = unique_ids.repeated()
    if uid is not None:
        session.note("uidl-duplicate", "UIDL", uid)
    return unique_ids


def uidl_one(session: Session, number: int) -> Steps[UniqueId]:
    """UIDL with a message number (RFC 1939 section 7)."""
    check_number(number, "message number", 1)
    yield from session.ask("UIDL", number)
    return (yield from identified_one(session, number, alone=True))


def identified_one(session: Session, number: int, *, alone: bool) -> Steps[UniqueId]:
    """Read the answer to UIDL with a message number; see ``listed_one``."""
    try:
        return (yield from _identified(session, number))
    except MalformedReply as error:
        if not alone:
            raise
        line = yield from found_in_listing(session, "UIDL", number, error)
        return _unique_id(session, line, error.command)


def _identified(session: Session, number: int) -> Steps[UniqueId]:
    reply = yield from _answer(session, "UIDL", number, "no-uidl")
    step = f"UIDL {number}"
    words = reply.text.split()
    if len(words) == 1 and words[0] != b"%d" % number:
        session.note("uidl-one-no-number", "UIDL", reply.text)
        return UniqueId(number, words[0])
    unique_id, quirks = _replies.unique_id(reply.text, step)
    if unique_id.number != number:
        raise MalformedReply(step, reply.text, expected=f"the unique-id of message {number}")
    _note_all(session, quirks, reply.text)
    return unique_id


def _unique_id(session: Session, line: bytes, step: str) -> UniqueId:
    unique_id, quirks = _replies.unique_id(line, step)
    _note_all(session, quirks, line)
    return unique_id


def _note_all(session: Session, quirks: Iterable[str], line: bytes) -> None:
    for quirk in quirks:
        session.note(quirk, "UIDL", line)


def _ought_to_exist(session: Session, number: int) -> bool:
    return number <= session.count and number not in session.marked


def last(session: Session) -> Steps[int]:
    """LAST (RFC 1460 section 5, dropped by RFC 1939)."""
    session.require("LAST")
    if session.config.msex:
        return session.last_read
    try:
        reply = yield from session.command("LAST")
    except CommandError as error:
        session.has_last = False
        session.note("no-last", "LAST", error.text.encode())
        raise
    answer = _replies.number(reply.text, "LAST")
    if answer == 0 < session.last_read:
        session.has_last = False
        session.note("last-zero", "LAST", reply.text)
    return answer


def dele(session: Session, number: int) -> Steps[None]:
    """DELE (RFC 1939 section 5)."""
    check_number(number, "message number", 1)
    yield from session.ask("DELE", number)
    yield from deleted(session, number)


def deleted(session: Session, number: int) -> Steps[None]:
    """Read the answer to DELE."""
    yield from session.answer("DELE", f"DELE {number}", session.config.timeout)
    session.marked.add(number)


def noop(session: Session) -> Steps[None]:
    """NOOP (RFC 1939 section 5)."""
    yield from session.command("NOOP")


def rset(session: Session) -> Steps[None]:
    """RSET (RFC 1939 section 5)."""
    yield from session.command("RSET")
    session.marked.clear()
    # Servers that have LAST start it anew as well.
    session.last_read = 0


def _only_own_marks(session: Session) -> Steps[None]:
    """See that nothing is marked but what the caller has marked."""
    marked = set(session.marked)
    try:
        yield from rset(session)
        for number in sorted(marked):
            yield from dele(session, number)
    except POP3Error as error:
        session.marked = marked
        session.end(f"QUIT was not sent: {error}")
        raise


def quit_(session: Session) -> Steps[None]:
    """QUIT (RFC 1939 sections 4 and 6)."""
    session.require("QUIT")
    seconds = min(session.config.timeout, _QUIT_SECONDS)
    if session.config.rset_before_quit and session.state is State.TRANSACTION:
        yield from _only_own_marks(session)
    try:
        yield from session.command("QUIT", seconds=seconds)
    except CommandError as error:
        session.note("quit-err", "QUIT", error.text.encode())
        raise
    except (ConnectionClosed, POP3TimeoutError) as error:
        # The server deletes only when it has understood QUIT. Without an answer nobody knows;
        # if there was nothing to delete, nobody needs to.
        if session.marked:
            raise
        session.note("quit-silent", "QUIT", type(error).__name__.encode())
    finally:
        session.end("QUIT was sent")
