"""Events as a conversation that a person reads."""

from __future__ import annotations

import re
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

#: The time of a line, and the address of a client.
_PASSING = re.compile(r"(?<=\d) \+\d+\.\d+(?= )|(?<=-- connected) from \S+\Z")


class Transcript(str):
    """Conversations as text; pytest explains a comparison of it line by line."""

    __slots__ = ()

    def timeless(self) -> list[str]:
        """Its lines without what is never the same again: times, and the client's ports."""
        return [_PASSING.sub("", line) for line in self.splitlines()]


def conversation(number: int, events: Iterable[Timed], masking: Masking) -> Transcript:
    """A connection as a conversation, with times, TLS and the rules that answered.

    Args:
        number: Number of the connection.
        events: What happened.
        masking: Its secrets.
    """
    return Transcript(
        "".join(
            f"#{number} +{when:.3f} {'TLS ' if tls else ''}{line}\n"
            for when, tls, event in events
            for line in _lines(event, masking)
        )
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
    note = f"    ({_answered_by(exchange)})"
    for deed in exchange.deeds:
        for line in _deed(deed, masking):
            yield line + note
            note = ""


def _answered_by(exchange: Exchange) -> str:
    """What answered: the RFCs, or the scenario, with the file and the line of its rule."""
    source = exchange.source
    return "default" if source is None else f"{source.scenario}, {exchange.place}"


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
