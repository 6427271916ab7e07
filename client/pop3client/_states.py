"""The state machine of a session, as data (RFC 1939 section 3).

``AFTER_OK`` says which command is allowed in which state, and which state follows if the server
agrees. A pair that is missing is not allowed. ``AFTER_ERR`` has the few refusals that change the
state.
"""

from __future__ import annotations

import enum

from ._exceptions import StateError

__all__ = [
    "AFTER_ERR",
    "AFTER_OK",
    "GREETING",
    "OTHER",
    "State",
    "after_err",
    "after_ok",
    "require",
]


class State(enum.Enum):
    """Where a session stands."""

    UNOPENED = "UNOPENED"
    """The server has not greeted yet."""
    AUTHORIZATION = "AUTHORIZATION"
    NAMED = "NAMED"
    """AUTHORIZATION still, but USER was accepted and only PASS or QUIT may follow."""
    TRANSACTION = "TRANSACTION"
    CLOSED = "CLOSED"
    """QUIT was sent, or the connection is lost or cannot be trusted any more."""


GREETING = "greeting"
"""Stands in the table where a command does, since it moves the session as one."""
OTHER = "*"
"""Stands for every command that the table does not name."""

_TRANSACTION_COMMANDS = (
    "STAT",
    "LIST",
    "RETR",
    "DELE",
    "NOOP",
    "RSET",
    "TOP",
    "UIDL",
    "LAST",
    "CAPA",
    "LANG",
    OTHER,
)

AFTER_OK: dict[tuple[str, State], State] = {
    (GREETING, State.UNOPENED): State.AUTHORIZATION,
    ("CAPA", State.AUTHORIZATION): State.AUTHORIZATION,
    ("STLS", State.AUTHORIZATION): State.AUTHORIZATION,
    ("UTF8", State.AUTHORIZATION): State.AUTHORIZATION,
    ("LANG", State.AUTHORIZATION): State.AUTHORIZATION,
    (OTHER, State.AUTHORIZATION): State.AUTHORIZATION,
    ("APOP", State.AUTHORIZATION): State.TRANSACTION,
    ("AUTH", State.AUTHORIZATION): State.TRANSACTION,
    ("USER", State.AUTHORIZATION): State.NAMED,
    ("PASS", State.NAMED): State.TRANSACTION,
    ("QUIT", State.AUTHORIZATION): State.CLOSED,
    ("QUIT", State.NAMED): State.CLOSED,
    ("QUIT", State.TRANSACTION): State.CLOSED,
    **{(command, State.TRANSACTION): State.TRANSACTION for command in _TRANSACTION_COMMANDS},
}

AFTER_ERR: dict[tuple[str, State], State] = {
    (GREETING, State.UNOPENED): State.CLOSED,
    ("PASS", State.NAMED): State.AUTHORIZATION,
    **{pair: State.CLOSED for pair in AFTER_OK if pair[0] == "QUIT"},
}

_KNOWN = frozenset(command for command, _ in AFTER_OK)


def require(command: str, state: State, ended: str = "") -> None:
    """Refuse a command that is not allowed now.

    Args:
        command: its keyword.
        state: where the session stands.
        ended: why it is closed, if it is.

    Raises:
        StateError: the pair is not in the table.
    """
    entry = _entry(command)
    if (entry, state) in AFTER_OK:
        return
    if state is State.CLOSED:
        raise StateError(
            f"{command}: the session is over ({ended or 'it was closed'}); connect anew"
        )
    if state is State.UNOPENED:
        raise StateError(f"{command}: the client is not connected yet; await it first")
    states = " or ".join(allowed.value for known, allowed in AFTER_OK if known == entry)
    advice = "log in first" if states == State.TRANSACTION.value else "it is too late for it"
    raise StateError(f"{command}: expected state {states}, got {state.value}; {advice}")


def after_ok(command: str, state: State) -> State:
    """The state after +OK."""
    return AFTER_OK[_entry(command), state]


def after_err(command: str, state: State) -> State:
    """The state after -ERR."""
    return AFTER_ERR.get((command, state), state)


def _entry(command: str) -> str:
    return command if command in _KNOWN else OTHER
