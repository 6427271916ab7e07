"""A connection as the turns that client and server took: a line, and all that answered it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _actions as act
from ._events import KEPT, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._events import Deed, Exchange
    from ._masking import Masking


@dataclass(slots=True)
class Turn:
    """What the client said, and the answer.

    Attributes:
        line: The client's line as patterns see it; None if the server spoke first.
        shown: The line, escaped.
        answer: The lines of the answer, secrets masked, and ``<starttls>``, ``<close>`` and the
            like for what else the server did.
        cut: Whether more was said than is kept.
        kept: Octets of an answer that are kept.
    """

    line: str | None
    shown: str
    answer: list[str]
    cut: bool = False
    kept: int = KEPT


def turns_of(exchanges: Iterable[Exchange], masking: Masking) -> list[Turn]:
    """The turns of a connection; what the server said unasked belongs to the turn before.

    Args:
        exchanges: The exchanges, in order.
        masking: The secrets of the connection.
    """
    turns: list[Turn] = []
    for exchange in exchanges:
        if not exchange.event:
            turns.append(Turn(exchange.heard, exchange.line, []))
        elif not turns:
            turns.append(Turn(None, "", []))
        _add(turns[-1], exchange.deeds, masking)
    return turns


def _add(turn: Turn, deeds: Iterable[Deed], masking: Masking) -> None:
    said = b""
    for deed in deeds:
        if turn.cut:
            return
        match deed:
            case Sent():
                said += deed.head
                turn.cut = deed.octets > len(deed.head)
            case act.StartTLS():
                turn.answer += [*_lines(said, masking), "<starttls>"]
                said = b""
            case act.End(how):
                turn.answer += [*_lines(said, masking), f"<{how}>"]
                said = b""
            case _:
                pass  # a pause is no line
    lines = _lines(said, masking)
    turn.answer += lines[:-1] if turn.cut else lines


def _lines(said: bytes, masking: Masking) -> list[str]:
    if not said:
        return []
    text = masking.text(said.decode("utf-8", "surrogateescape"))
    return text.removesuffix("\r\n").split("\r\n")
