"""What an RFC-correct server answers to each command.

``COMMANDS`` is the state machine as data: a command that is not in it, or not in it for the state
of the session, is refused, and a client that sent it is at fault.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._answer import Answer, Entry, refusal
from ._state import SessionState, State

if TYPE_CHECKING:
    from ._maildrop import StoredMessage

Handler = Callable[[SessionState, list[str]], Answer]

_NUMBER = re.compile(r"[0-9]{1,18}")
_SCAN_LISTING = parse_line("{number} {octets}")
_UID_LISTING = parse_line("{number} {uid}")
_STAT = parse_line("{count} {octets}")
_RETR = parse_line("{octets} octets")
_AUTHORIZATION = frozenset({State.AUTHORIZATION})
_TRANSACTION = frozenset({State.TRANSACTION})
_BOTH = _AUTHORIZATION | _TRANSACTION


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table.

    Attributes:
        handler: Makes the answer.
        states: The states in which it may come.
        arguments: The least and the greatest number of arguments.
        capability: The capability without which it is not served; empty if it always is.
    """

    handler: Handler
    states: frozenset[State]
    arguments: tuple[int, int] = (0, 0)
    capability: str = ""


def answer_to(state: SessionState, line: str) -> Answer:
    """The RFC-correct answer to a command line; nothing takes effect yet.

    Args:
        state: The session.
        line: The line without its line end.
    """
    keyword, space, rest = line.partition(" ")
    command = COMMANDS.get(keyword.upper())
    if command is None:
        # RFC 1939, section 3: an unrecognized command is answered with a negative indicator.
        return refusal("unknown command", unexpected="there is no such command")
    if state.state not in command.states:
        allowed = " or ".join(sorted(each.value for each in command.states))
        return refusal(
            f"{keyword.upper()} is not valid in this state",
            unexpected=f"it belongs to the {allowed} state, this is {state.state.value}",
        )
    if command.capability and command.capability not in state.offered:
        return refusal(f"{keyword.upper()} is not available here")
    # RFC 1939, section 7: a password may hold spaces, so PASS has one argument, all the rest.
    arguments = [rest] if space and keyword.upper() == "PASS" else rest.split(" ") if space else []
    low, high = command.arguments
    if not low <= len(arguments) <= high or "" in arguments:
        wanted = str(low) if low == high else f"{low} to {high}"
        return refusal(
            f"{keyword.upper()} takes {wanted} argument(s), one space before each",
            unexpected=f"it takes {wanted} argument(s), one space before each",
        )
    return command.handler(state, arguments)


def _text(text: str, **values: str) -> Answer:
    return Answer(True, parse_line(text), values=values)


# AUTHORIZATION (RFC 1939, sections 4 and 7)


def _user(state: SessionState, arguments: list[str]) -> Answer:
    # RFC 1939, section 7: the server may say +OK although there is no such mailbox.
    name = arguments[0]
    answer = _text("now the password for {user}", user=name)
    answer.commit = lambda: setattr(state, "user", name)
    return answer


def _pass(state: SessionState, arguments: list[str]) -> Answer:
    user = state.user
    if not user:
        return refusal("USER comes first", unexpected="it must follow a USER that was answered +OK")
    right = state.users.get(user, "").encode("utf-8", "surrogateescape")
    given = arguments[0].encode("utf-8", "surrogateescape")
    if user in state.users and hmac.compare_digest(right, given):
        return log_in(state, user)
    return login_refused()


def _apop(state: SessionState, arguments: list[str]) -> Answer:
    user, digest = arguments
    if not state.stamp:
        return refusal("APOP is not available here")
    password = state.users.get(user)
    if password is not None:
        secret = state.stamp.encode("ascii") + password.encode("utf-8", "surrogateescape")
        right = hashlib.md5(secret, usedforsecurity=False).hexdigest()
        if hmac.compare_digest(right.encode(), digest.encode("utf-8", "surrogateescape")):
            return log_in(state, user)
    return login_refused()


def log_in(state: SessionState, user: str) -> Answer:
    """The answer to proven credentials: the maildrop, or that another session has it.

    Args:
        state: The session.
        user: Who it is.
    """
    maildrop = state.maildrops[user]
    if state.exclusive and maildrop.locked:
        # RFC 2449, section 8.1.2.
        return refusal("another session has the maildrop", code="IN-USE")
    messages = maildrop.messages
    octets = sum(message.octets for message in messages)
    answer = _text("maildrop has {count} messages ({octets} octets)", user=user)
    answer.values = {"user": user, "count": str(len(messages)), "octets": str(octets)}
    answer.commit = lambda: _enter(state, user)
    return answer


def _enter(state: SessionState, user: str) -> None:
    state.enter(user)


def login_refused() -> Answer:
    """The answer to wrong credentials (RFC 3206, section 4)."""
    return refusal("user name or password is wrong", code="AUTH")


def _stls(state: SessionState, _arguments: list[str]) -> Answer:
    if state.tls:
        return refusal("TLS is active", unexpected="TLS is active already (RFC 2595, section 4)")
    answer = _text("begin TLS")
    answer.starts_tls = True
    return answer


# TRANSACTION (RFC 1939, sections 5 and 7)


def _stat(state: SessionState, _arguments: list[str]) -> Answer:
    count, octets = state.totals()
    return Answer(True, _STAT, values={"count": str(count)}, octets=octets)


def _list(state: SessionState, arguments: list[str]) -> Answer:
    answer = _listing(state, arguments, _scan_entry)
    answer.form = _SCAN_LISTING
    if answer.entries is not None:
        count, octets = state.totals()
        answer.text = parse_line("{count} messages ({octets} octets)")
        answer.values = {"count": str(count), "octets": str(octets)}
    return answer


def _scan_entry(number: int, message: StoredMessage) -> Entry:
    return Entry(number, octets=message.octets)


def _uidl(state: SessionState, arguments: list[str]) -> Answer:
    answer = _listing(state, arguments, _uid_entry)
    answer.form = _UID_LISTING
    return answer


def _uid_entry(number: int, message: StoredMessage) -> Entry:
    return Entry(number, uid=message.uid)


def _listing(
    state: SessionState,
    arguments: list[str],
    entry_of: Callable[[int, StoredMessage], Entry],
) -> Answer:
    if not arguments:
        return Answer(True, entries=[entry_of(n, message) for n, message in state.present()])
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    return Answer(True, entry=entry_of(number, state.view[number - 1]))


def _retr(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    message = state.view[number - 1]
    answer = Answer(True, _RETR, octets=message.octets, data=message.data)
    answer.stuffed = message.stuffed
    answer.values = {"number": str(number)}
    answer.commit = lambda: setattr(state, "last", max(state.last, number))
    return answer


def _top(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    # RFC 1939, section 7: a non-negative number of lines.
    if not arguments[1].isascii() or not arguments[1].isdigit():
        return refusal("no such number of lines", unexpected="its second argument is no number")
    lines = min(int(arguments[1][:18]), 1 << 40)
    answer = Answer(True, parse_line("top of message {number}"))
    answer.data = state.view[number - 1].top(lines)
    answer.values = {"number": str(number)}
    return answer


def _dele(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    answer = _text("message {number} deleted", number=str(number))

    def mark() -> None:
        state.deleted.add(number)
        state.last = max(state.last, number)

    answer.commit = mark
    return answer


def _noop(_state: SessionState, _arguments: list[str]) -> Answer:
    return Answer(True)


def _rset(state: SessionState, _arguments: list[str]) -> Answer:
    octets = sum(message.octets for message in state.view)
    answer = _text("maildrop has {count} messages ({octets} octets)")
    answer.values = {"count": str(len(state.view)), "octets": str(octets)}

    def unmark() -> None:
        state.deleted.clear()
        state.last = 0

    answer.commit = unmark
    return answer


def _last(_state: SessionState, _arguments: list[str]) -> Answer:
    # RFC 1460 had it, RFC 1939 dropped it: refused, and no fault of the client that asks.
    return refusal("LAST is not available here")


# Both states (RFC 2449, section 5)


def _capa(state: SessionState, _arguments: list[str]) -> Answer:
    hidden_now = {"STLS"} if state.tls or state.state is State.TRANSACTION else set()
    lines = [line for line in state.capabilities if line.split(" ")[0] not in hidden_now]
    return Answer(True, parse_line("capability list follows"), lines=lines)


def _quit(state: SessionState, _arguments: list[str]) -> Answer:
    answer = _text("bye")
    answer.ends = True
    if state.state is State.TRANSACTION:
        answer.commit = state.update
    return answer


def _message_number(state: SessionState, text: str) -> int | Answer:
    """The number of a message that can be referred to, or the refusal."""
    if not _NUMBER.fullmatch(text):
        if text.isascii() and text.isdigit():
            return refusal("no such message")
        return refusal("that is no message number", unexpected="its argument is no message number")
    number = int(text)
    if number == 0:
        return refusal("messages count from 1", unexpected="messages count from 1")
    if number > len(state.view):
        return refusal(f"no such message, only {len(state.view)} in the maildrop")
    if number in state.deleted:
        return refusal(f"message {number} is deleted")
    return number


COMMANDS: dict[str, Command] = {
    "USER": Command(_user, _AUTHORIZATION, (1, 1), "USER"),
    "PASS": Command(_pass, _AUTHORIZATION, (1, 1), "USER"),
    "APOP": Command(_apop, _AUTHORIZATION, (2, 2)),
    "STLS": Command(_stls, _AUTHORIZATION, (0, 0), "STLS"),
    "CAPA": Command(_capa, _BOTH),
    "STAT": Command(_stat, _TRANSACTION),
    "LIST": Command(_list, _TRANSACTION, (0, 1)),
    "UIDL": Command(_uidl, _TRANSACTION, (0, 1), "UIDL"),
    "RETR": Command(_retr, _TRANSACTION, (1, 1)),
    "TOP": Command(_top, _TRANSACTION, (2, 2), "TOP"),
    "DELE": Command(_dele, _TRANSACTION, (1, 1)),
    "NOOP": Command(_noop, _TRANSACTION),
    "RSET": Command(_rset, _TRANSACTION),
    "LAST": Command(_last, _TRANSACTION),
    "QUIT": Command(_quit, _BOTH),
}
