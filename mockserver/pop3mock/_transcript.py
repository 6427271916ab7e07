"""Events as a conversation that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _actions as act
from ._escaping import escaped
from ._events import (
    Connected,
    Ended,
    Exchange,
    Over,
    Recast,
    Remark,
    Secured,
    Sent,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._events import Deed, Event, Timed
    from ._masking import Masking


def conversation(number: int, events: Iterable[Timed], masking: Masking) -> str:
    """A connection as a conversation, with times, TLS and the rules that answered.

    Args:
        number: Number of the connection.
        events: What happened.
        masking: Its secrets.
    """
    return "".join(
        f"#{number} +{when:.3f} {'TLS ' if tls else ''}{line}\n"
        for when, tls, event in events
        for line in _lines(event, masking)
    )


def _lines(event: Event, masking: Masking) -> Iterator[str]:
    match event:
        case Exchange():
            yield from _exchange(event, masking)
        case Connected(peer):
            yield f"-- connected from {peer}"
        case Secured(version, cipher):
            yield f"-- {version} {cipher}"
        case Recast(scenario):
            yield f"-- plays {scenario}"
        case Remark(text):
            yield f"-- {text}"
        case Ended(how, "client") if how != "quit":
            yield f"-- {how}"
        case Over():
            yield "-- connection over"
        case _:
            pass  # what the lines themselves show


def _exchange(exchange: Exchange, masking: Masking) -> Iterator[str]:
    if not exchange.greeting:
        yield f"-- {exchange.event}" if exchange.event else f"C: {exchange.line}"
    note = f"    ({exchange.rule})"
    for deed in exchange.deeds:
        for line in _deed(deed, masking):
            yield line + note
            note = ""


def _deed(deed: Deed, masking: Masking) -> Iterator[str]:
    match deed:
        case Sent():
            yield from _sent(deed, masking)
        case act.Pause(seconds):
            yield f"-- wait {seconds:g} s"
        case act.StartTLS():
            yield "-- TLS handshake"
        case act.End(how):
            yield f"-- {how}"
        case act.Hold():
            yield "-- waits for other connections"


def _sent(sent: Sent, masking: Masking) -> Iterator[str]:
    text = masking.text(sent.head.decode("utf-8", "surrogateescape"))
    yield from (f"S: {escaped(line)}" for line in text.removesuffix("\r\n").split("\r\n"))
    if sent.octets > len(sent.head):
        yield f"S: … {sent.octets} octets in all"
    if sent.size:
        yield f"-- {sent.size} octets every {sent.every:g} s"
