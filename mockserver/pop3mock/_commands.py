"""What an RFC-correct server answers to each command.

``COMMANDS`` is the state machine as data: a command that is not in it, or not in it for the state
of the session, is refused, and a client that sent it is at fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import _extensions as extensions
from . import _login as login
from . import _transaction as transaction
from ._answer import Answer, refusal
from ._state import SessionState, State

Handler = Callable[[SessionState, list[str]], Answer]

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
    if state.live and state.state is State.TRANSACTION:
        state.look_again()
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


COMMANDS: dict[str, Command] = {
    "USER": Command(login.user, _AUTHORIZATION, (1, 1), "USER"),
    "PASS": Command(login.pass_, _AUTHORIZATION, (1, 1), "USER"),
    "APOP": Command(login.apop, _AUTHORIZATION, (2, 2)),
    "STLS": Command(extensions.stls, _AUTHORIZATION, (0, 0), "STLS"),
    "CAPA": Command(extensions.capa, _BOTH),
    "UTF8": Command(extensions.utf8, _AUTHORIZATION, (0, 0), "UTF8"),
    "LANG": Command(extensions.lang, _BOTH, (0, 1), "LANG"),
    "STAT": Command(transaction.stat, _TRANSACTION),
    "LIST": Command(transaction.list_, _TRANSACTION, (0, 1)),
    "UIDL": Command(transaction.uidl, _TRANSACTION, (0, 1), "UIDL"),
    "RETR": Command(transaction.retr, _TRANSACTION, (1, 1)),
    "TOP": Command(transaction.top, _TRANSACTION, (2, 2), "TOP"),
    "DELE": Command(transaction.dele, _TRANSACTION, (1, 1)),
    "NOOP": Command(transaction.noop, _TRANSACTION),
    "RSET": Command(transaction.rset, _TRANSACTION),
    "LAST": Command(transaction.last, _TRANSACTION),
    "QUIT": Command(transaction.quit_, _BOTH),
}
