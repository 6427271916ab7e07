"""What an RFC-correct server answers to each command.

``COMMANDS`` is the state machine as data: a command that is not in it, or not in it for the state
of the session, is refused, and a client that sent it is at fault.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._answer import Answer, Entry, refusal, repeated
from ._message import Text
from ._sasl import fitting, is_sasl
from ._state import SessionState, State

if TYPE_CHECKING:
    from ._message import StoredMessage

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
        return refusal("unknown command", unexpected="there is no such command", reason="unknown")
    if state.state not in command.states:
        allowed = " or ".join(sorted(each.value for each in command.states))
        return refusal(
            f"{keyword.upper()} is not valid in this state",
            unexpected=f"it belongs to the {allowed} state, this is {state.state.value}",
            reason="state",
        )
    if command.capability and command.capability not in state.offered:
        return refusal(f"{keyword.upper()} is not available here", reason="not-offered")
    # RFC 1939, section 7: a password may hold spaces, so PASS has one argument, all the rest.
    arguments = [rest] if space and keyword.upper() == "PASS" else rest.split(" ") if space else []
    low, high = command.arguments
    if not low <= len(arguments) <= high or "" in arguments:
        wanted = str(low) if low == high else f"{low} to {high}"
        return refusal(
            f"{keyword.upper()} takes {wanted} argument(s), one space before each",
            unexpected=f"it takes {wanted} argument(s), one space before each",
            reason="syntax",
        )
    return command.handler(state, arguments)


def _text(text: str, **values: str) -> Answer:
    return Answer(True, parse_line(text), values=values)


# AUTHORIZATION (RFC 1939, sections 4 and 7)


def _user(state: SessionState, arguments: list[str]) -> Answer:
    # RFC 1939, section 7: the server may say +OK although there is no such mailbox.
    name = arguments[0]
    if _prohibited(state, name):
        text = "that is no user name"
        return refusal(text, unexpected="its argument is no name", reason="syntax")
    answer = _text("now the password for {shown}", user=name, shown=repeated(name))
    answer.commit = lambda: setattr(state, "user", state.named(name))
    return answer


def _prohibited(state: SessionState, text: str) -> bool:
    """Whether a name or a password is refused by a server that takes them in UTF-8."""
    if text.isascii() and text.isprintable():
        return False
    if "UTF8 USER" not in (*state.capabilities, *state.hidden):
        return False
    from ._saslprep import prohibits  # its tables are loaded by those who need them

    # RFC 6856, section 2.2.
    return prohibits(text)


def _pass(state: SessionState, arguments: list[str]) -> Answer:
    user = state.user
    if not user:
        return refusal(
            "USER comes first",
            unexpected="it must follow a USER that was answered +OK",
            reason="state",
        )
    if _prohibited(state, arguments[0]):
        return login_refused()
    right = state.users.get(user, "").encode(state.charset, "surrogateescape")
    given = arguments[0].encode("utf-8", "surrogateescape")
    if user in state.users and hmac.compare_digest(right, given):
        return log_in(state, user)
    return login_refused()


def _apop(state: SessionState, arguments: list[str]) -> Answer:
    user, digest = arguments
    if not state.stamp:
        return refusal("APOP is not available here", reason="not-offered")
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
        return refusal("another session has the maildrop", code="IN-USE", reason="locked")
    if state.delayed(user):
        # RFC 2449, section 8.1.1: told only to those who have proven who they are.
        return refusal("you have logged in too recently", code="LOGIN-DELAY", reason="delay")
    messages = maildrop.upcoming()
    octets = sum(message.octets for message in messages)
    answer = _text("maildrop has {count} messages ({octets} octets)", user=user)
    answer.values = {"user": user, "count": str(len(messages)), "octets": str(octets)}
    answer.commit = lambda: _enter(state, user)
    return answer


def _enter(state: SessionState, user: str) -> None:
    state.enter(user)


def login_refused() -> Answer:
    """The answer to wrong credentials (RFC 3206, section 4)."""
    return refusal("user name or password is wrong", code="AUTH", reason="credentials")


def _stls(state: SessionState, _arguments: list[str]) -> Answer:
    if state.tls:
        return refusal(
            "TLS is active",
            unexpected="TLS is active already (RFC 2595, section 4)",
            reason="state",
        )
    answer = _text("begin TLS")
    answer.starts_tls = True
    return answer


# TRANSACTION (RFC 1939, sections 5 and 7)


def _stat(state: SessionState, _arguments: list[str]) -> Answer:
    count, octets = state.totals()
    answer = Answer(True, _STAT, values={"count": str(count)}, octets=octets)
    whole = [message for n, message in state.present() if n not in state.emptied]
    answer.counted = lambda way: sum(message.counted(way) for message in whole)
    return answer


def _list(state: SessionState, arguments: list[str]) -> Answer:
    answer = _listing(state, arguments, partial(_scan_entry, state))
    answer.form = _SCAN_LISTING
    if answer.entries is not None:
        count, octets = state.totals()
        answer.text = parse_line("{count} messages ({octets} octets)")
        answer.values = {"count": str(count), "octets": str(octets)}
    return answer


def _scan_entry(state: SessionState, number: int, message: StoredMessage) -> Entry:
    if number in state.emptied:
        return Entry(number, octets=0)
    return Entry(number, octets=message.octets, message=message)


def _uidl(state: SessionState, arguments: list[str]) -> Answer:
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
        return Answer(True, entries=[entry_of(n, message) for n, message in state.present()])
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    message = state.view[number - 1]
    return _about(message, Answer(True, entry=entry_of(number, message)))


def _retr(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
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


def _top(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
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
    answer = Answer(True, parse_line("top of message {number}"))
    answer.data = Text(message, lines)
    answer.values = {"number": str(number)}
    return _about(message, answer)


def _dele(state: SessionState, arguments: list[str]) -> Answer:
    number = _message_number(state, arguments[0])
    if isinstance(number, Answer):
        return number
    answer = _text("message {number} deleted", number=str(number))
    answer.commit = lambda: state.mark(number)
    return _about(state.view[number - 1], answer)


def _noop(_state: SessionState, _arguments: list[str]) -> Answer:
    return Answer(True)


def _rset(state: SessionState, _arguments: list[str]) -> Answer:
    octets = sum(message.octets for message in state.view)
    answer = _text("maildrop has {count} messages ({octets} octets)")
    answer.values = {"count": str(len(state.view)), "octets": str(octets)}

    def unmark() -> None:
        state.deleted.clear()
        state.retrieved.clear()
        state.last = 0

    answer.commit = unmark
    return answer


def _last(_state: SessionState, _arguments: list[str]) -> Answer:
    # RFC 1460 had it, RFC 1939 dropped it: refused, and no fault of the client that asks.
    return refusal("LAST is not available here", reason="not-offered")


# Both states (RFC 2449, section 5)


def _capa(state: SessionState, _arguments: list[str]) -> Answer:
    hidden_now = {"STLS"} if state.tls or state.state is State.TRANSACTION else set()
    true = (fitting(x, state.channel) if is_sasl(x) else x for x in state.capabilities)
    lines = [line for line in true if line and line.split(" ")[0] not in hidden_now]
    if state.state is State.TRANSACTION:
        lines = [_for_this_user(line) for line in lines]
    return Answer(True, parse_line("capability list follows"), lines=lines)


def _for_this_user(line: str) -> str:
    """A capability after login: what may differ from user to user is settled by then."""
    # RFC 2449, sections 6.5 and 6.7.
    words = line.upper().split(" ")
    differs = words[0] in ("LOGIN-DELAY", "EXPIRE") and words[-1] == "USER"
    return line[: -len(" USER")] if differs else line


# RFC 6856


def _utf8(state: SessionState, _arguments: list[str]) -> Answer:
    answer = _text("UTF-8 from here on")
    answer.commit = lambda: setattr(state, "utf8", True)
    return answer


def _lang(state: SessionState, arguments: list[str]) -> Answer:
    if not arguments:
        answer = _text("languages follow")
        answer.lines = [f"{tag} {name}".rstrip() for tag, name in state.languages.items()]
        return answer
    tag = _language(state.languages, arguments[0])
    if tag is None:
        return refusal(f"no language {repeated(arguments[0])}", reason="missing")
    return _text("{language} {description}", language=tag, description=state.languages[tag])


def _language(known: Mapping[str, str], wanted: str) -> str | None:
    """The first language that a range means (RFC 4647, basic filtering)."""
    if wanted == "*":
        return next(iter(known), None)
    prefix = wanted.lower()
    return next(
        (tag for tag in known if tag.lower() == prefix or tag.lower().startswith(prefix + "-")),
        None,
    )


def _quit(state: SessionState, _arguments: list[str]) -> Answer:
    answer = _text("bye")
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
        answer.ok, answer.text = False, parse_line("some deleted messages not removed")


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


COMMANDS: dict[str, Command] = {
    "USER": Command(_user, _AUTHORIZATION, (1, 1), "USER"),
    "PASS": Command(_pass, _AUTHORIZATION, (1, 1), "USER"),
    "APOP": Command(_apop, _AUTHORIZATION, (2, 2)),
    "STLS": Command(_stls, _AUTHORIZATION, (0, 0), "STLS"),
    "CAPA": Command(_capa, _BOTH),
    "UTF8": Command(_utf8, _AUTHORIZATION, (0, 0), "UTF8"),
    "LANG": Command(_lang, _BOTH, (0, 1), "LANG"),
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
