"""Where a connection stands that is still up: who waits, at which step, and what for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import _actions as act

if TYPE_CHECKING:
    from ._connection_log import ConnectionLog
    from ._events import Exchange


class Standing(NamedTuple):
    """What a connection knows beside its log.

    Attributes:
        sending: Whether the server has still something to say.
        unread: Whether it cannot, since the client does not read.
        shaking_hands: Whether the TLS handshake has begun and is not done.
        held: What another connection has to do first; empty if nothing.
        partial: What the client has sent of a line that has no end yet, secrets masked.
        due: What the script has next; empty if it has nothing, or there is none.
    """

    sending: bool
    unread: bool
    shaking_hands: bool
    held: str
    partial: str
    due: str


def stall(log: ConnectionLog, standing: Standing) -> str:
    """Where a connection stands, in one sentence.

    Args:
        log: The connection.
        standing: What its log does not tell.
    """
    exchanges = log.exchanges
    last = exchanges[-1] if exchanges else None
    return f"{_step(log, standing, last)}; nothing has happened for {log.silence:.1f} s"


def _step(log: ConnectionLog, standing: Standing, last: Exchange | None) -> str:
    answer = _answer(last)
    if log.ended == "hang":
        return _hang(last)
    if log.ended == "half-close":
        return f"the server has ended its side behind {answer}, the client has not ended its own"
    if standing.shaking_hands:
        return "the TLS handshake is not finished: the server waits for the client's part of it"
    if standing.held:
        return f"the server holds what it has to say until another connection does {standing.held}"
    if standing.sending and standing.unread:
        return f"the client does not read {answer}"
    if standing.sending:
        return f"the server takes its time over {answer}"
    if standing.partial:
        return (
            f"the client has sent {standing.partial!r} and no line end: "
            "the server waits for the rest of the line"
        )
    due = f", which the script has as {standing.due}" if standing.due else ""
    return f"{answer} was given: the server waits for the client's next command{due}"


def _hang(last: Exchange | None) -> str:
    if last is None or _secures(last):
        return "the server hangs in the TLS handshake: the client waits for the server's part of it"
    if last.octets:
        return (
            f"the server hangs in {_answer(last)}, {last.octets} octets into it: "
            "the client waits for more"
        )
    return f"the server hangs before {_answer(last)}: the client waits for it"


def _secures(exchange: Exchange) -> bool:
    return any(isinstance(deed, act.StartTLS) for deed in exchange.deeds)


def _answer(exchange: Exchange | None) -> str:
    """What was, or was to be, said last."""
    if exchange is None:
        return "the greeting"
    place = f" ({exchange.place})" if exchange.place else ""
    if exchange.greeting:
        return f"the greeting{place}"
    return f"the answer to {exchange.event or exchange.line}{place}"
