"""What is asked about the mail: the commands of the TRANSACTION state (RFC 1939, 5 to 7)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._answer import Answer, Entry, Listing, acceptance, out_of_reach, refusal, totals
from ._message import Text
from ._state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from pop3scenarios import Template

    from ._message import StoredMessage
    from ._state import SessionState

_NUMBER = re.compile(r"[0-9]{1,18}")
_SCAN_LISTING = parse_line("{number} {octets}")
_UID_LISTING = parse_line("{number} {uid}")
_STAT = parse_line("{count} {octets}")
_LIST = parse_line("{count} messages ({octets} octets)")
_RETR = parse_line("{octets} octets")
_TOP = parse_line("top of message {number}")
_DELE = parse_line("message {number} deleted")
_RSET = parse_line("maildrop has {count} messages ({octets} octets)")


def stat(state: SessionState, _arguments: list[str]) -> Answer:
    """STAT: how much mail there is (RFC 1939, section 5)."""
    return _present(_STAT, state)


def _present(text: Template, state: SessionState) -> Answer:
    """An answer that tells how many messages are not marked as deleted, and their octets."""
    whole = [message for n, message in state.present() if n not in state.emptied]
    return totals(text, len(state.view) - len(state.deleted), whole)


def list_(state: SessionState, arguments: list[str]) -> Answer:
    """LIST: the scan listing, or one line of it (RFC 1939, section 5)."""
    answer = _listing(state, arguments, partial(_scan_entry, frozenset(state.emptied)))
    if answer.entries is not None:
        entries = answer.entries
        answer = _present(_LIST, state)
        answer.entries = entries
    answer.form = _SCAN_LISTING
    return answer


def _scan_entry(emptied: AbstractSet[int], number: int, message: StoredMessage) -> Entry:
    if number in emptied:
        return Entry(number, octets=0)
    return Entry(number, octets=message.octets, message=message)


def uidl(state: SessionState, arguments: list[str]) -> Answer:
    """UIDL: the unique-ids, or one of them (RFC 1939, section 7)."""
    answer = _listing(state, arguments, _uid_entry)
    answer.form = _UID_LISTING
    return answer


def _uid_entry(number: int, message: StoredMessage) -> Entry:
    return Entry(number, uid=message.uid, message=message)


def _listing(
    state: SessionState,
    arguments: list[str],
    entry_of: Callable[[int, StoredMessage], Entry],
) -> Answer:
    if not arguments:
        return Answer(True, entries=Listing(state.view, frozenset(state.deleted), entry_of))
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    message = state.view[number - 1]
    return _about(message, Answer(True, entry=entry_of(number, message)))


def retr(state: SessionState, arguments: list[str]) -> Answer:
    """RETR: a message (RFC 1939, section 5)."""
    number = _readable_message(state, arguments[0])
    if isinstance(number, Answer):
        return number
    message = state.view[number - 1]
    if _needs_utf8(state, message):
        return _utf8_needed()
    answer = Answer(True, _RETR, octets=message.octets, data=Text(message), message=message)
    answer.counted = message.counted
    answer.values = {"number": str(number)}
    answer.commit = lambda: state.retrieve(number)
    return _about(message, answer)


def _about(message: StoredMessage, answer: Answer) -> Answer:
    """An answer about a message; a session may still see one that another has removed."""
    if message.removed:
        answer.reason = "gone"
    return answer


def _needs_utf8(state: SessionState, message: StoredMessage) -> bool:
    # RFC 6856, section 2.1: before UTF8 no header that is not ASCII may be sent as it is.
    return "UTF8" in state.offered and not state.utf8 and not message.shape.ascii


def _utf8_needed() -> Answer:
    return refusal("its header is not ASCII: say UTF8 before login", code="UTF8", reason="utf8")


def top(state: SessionState, arguments: list[str]) -> Answer:
    """TOP: the header of a message, and lines of its body (RFC 1939, section 7)."""
    number = _readable_message(state, arguments[0])
    if isinstance(number, Answer):
        return number
    # RFC 1939, section 7: a non-negative number of lines.
    if not arguments[1].isascii() or not arguments[1].isdigit():
        return refusal(
            "no such number of lines",
            unexpected="its second argument is no number",
            reason="syntax",
        )
    lines = min(int(arguments[1][:18]), 1 << 40)
    message = state.view[number - 1]
    if _needs_utf8(state, message):
        return _utf8_needed()
    answer = acceptance(_TOP, number=str(number))
    answer.data = Text(message, lines)
    return _about(message, answer)


def dele(state: SessionState, arguments: list[str]) -> Answer:
    """DELE: mark a message as deleted (RFC 1939, section 5)."""
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    answer = acceptance(_DELE, number=str(number))
    answer.commit = lambda: state.mark(number)
    return _about(state.view[number - 1], answer)


def noop(_state: SessionState, _arguments: list[str]) -> Answer:
    """NOOP: nothing (RFC 1939, section 5)."""
    return Answer(True)


def rset(state: SessionState, _arguments: list[str]) -> Answer:
    """RSET: no message is marked any more (RFC 1939, section 5)."""
    answer = totals(_RSET, len(state.view), state.view)
    answer.values = {**answer.values, "marked": str(len(state.deleted))}

    def unmark() -> None:
        state.deleted.clear()
        state.retrieved.clear()
        state.last = 0

    answer.commit = unmark
    return answer


def last(_state: SessionState, _arguments: list[str]) -> Answer:
    """LAST: the highest message number accessed (RFC 1460)."""
    # RFC 1460 had it, RFC 1939 dropped it: refused, and no fault of the client that asks.
    return refusal("LAST is not available here", reason="not-offered")


def quit_(state: SessionState, _arguments: list[str]) -> Answer:
    """QUIT: remove what is marked, and close (RFC 1939, sections 4 and 6)."""
    answer = acceptance("bye")
    answer.ends = True
    if state.state is State.TRANSACTION:
        answer.commit = lambda: _update(state, answer)
    return answer


def _update(state: SessionState, answer: Answer) -> None:
    """The UPDATE state; a folder that cannot be altered turns its answer into a refusal."""
    try:
        state.update()
    except OSError:
        # RFC 1939, section 6: the lock is given back and the connection closed all the same.
        state.leave()
        answer.ok, answer.text = False, refusal("some deleted messages not removed").text


def _readable_message(state: SessionState, text: str) -> int | Answer:
    """The number of a message of which the octets are there, or the refusal."""
    number = _message_number(state, text)
    if isinstance(number, Answer):
        return number
    try:
        state.view[number - 1].check()
    except OSError as error:
        return out_of_reach(f"message {number} cannot be read", error)
    return number


def _message_number(state: SessionState, text: str) -> int | Answer:
    """The number of a message that can be referred to, or the refusal."""
    if not _NUMBER.fullmatch(text):
        if text.isascii() and text.isdigit():
            return refusal("no such message", reason="missing")
        return refusal(
            "that is no message number",
            unexpected="its argument is no message number",
            reason="syntax",
        )
    number = int(text)
    if number == 0:
        return refusal(
            "messages count from 1", unexpected="messages count from 1", reason="missing"
        )
    if number > len(state.view):
        text = f"no such message, only {len(state.view)} in the maildrop"
        return refusal(text, reason="missing")
    if number in state.deleted:
        return refusal(f"message {number} is deleted", reason="deleted")
    return number
