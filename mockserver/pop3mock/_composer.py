"""From a reply in the line language to actions: what goes out in one write, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pop3scenarios import (
    Default,
    Dribble,
    End,
    MessageData,
    Octets,
    StartTLS,
    Template,
    Wait,
)

from . import _actions as act
from ._flow import Flow, held, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import Ending, Hole, Reply


class Composer:
    """Collects what one answer sends and does, and cuts it to actions.

    Args:
        dribble: Send so many octets at a time from the start.
        cut: Send only so many octets in all, then nothing more.
    """

    __slots__ = ("_actions", "_dribble", "_left", "_over", "_pending")

    def __init__(self, dribble: Dribble | None = None, cut: int | None = None) -> None:
        self._actions: list[act.Action] = []
        self._pending: list[bytes | Flow] = []
        self._dribble = dribble
        self._left = cut
        self._over = False

    def send(self, *pieces: bytes | Flow) -> None:
        """Add octets; those beyond the cut are dropped."""
        if self._over:
            return
        if self._left is None:
            self._pending += pieces
            return
        for piece in pieces:
            data = piece.first(self._left) if isinstance(piece, Flow) else piece[: self._left]
            self._left -= len(data)
            self._pending.append(data)

    def wait(self, seconds: float) -> None:
        """Add a pause."""
        if not self._over and seconds > 0:
            self._flush()
            self._actions.append(act.Pause(seconds))

    def dribble(self, how: Dribble) -> None:
        """From here on, send a few octets at a time."""
        self._flush()
        self._dribble = how

    def start_tls(self) -> None:
        """Add the TLS handshake; nothing can follow it in the same answer."""
        if not self._over:
            self._flush()
            self._actions.append(act.StartTLS())
            self._over = True

    def end(self, how: Ending) -> None:
        """End the connection; nothing can follow."""
        if not self._over:
            self._flush()
            self._actions.append(act.End(how))
            self._over = True

    def do(self, action: Wait | Dribble | StartTLS | End) -> None:
        """Add what an action of the line language does to the connection."""
        match action:
            case Wait():
                self.wait(action.seconds)
            case Dribble():
                self.dribble(action)
            case StartTLS():
                self.start_tls()
            case End():
                self.end(action.how)
            case _:
                assert_never(action)

    def actions(self) -> list[act.Action]:
        """All that was added, in order."""
        self._flush()
        return self._actions

    def _flush(self) -> None:
        if not self._pending:
            return
        # Real clients look for the end of a reply in one segment: one answer is one write.
        data = joined(self._pending)
        self._pending = []
        if not data:
            return
        if self._dribble is None:
            self._actions.append(act.Send(data))
        else:
            self._actions.append(act.Trickle(data, self._dribble.octets, self._dribble.every))


def speak(
    reply: Reply,
    composer: Composer,
    *,
    value_of: Callable[[Hole], str],
    default: Callable[[], list[bytes | Flow]],
    message: Callable[[MessageData], bytes],
    finish: Callable[[Template, str], str],
    eol: bytes,
) -> None:
    """Play a reply of the line language into a composer.

    Args:
        reply: The reply.
        composer: Where it goes.
        value_of: What a hole holds.
        default: The RFC-correct answer, in pieces, for ``<default>``; a line ``...`` stands for
            those of its lines that the reply has not said itself.
        message: The octets of ``<message n>``.
        finish: Gives a line that ends in `` ...`` its end.
        eol: The line end.
    """
    lines = 0
    for item in reply.items:
        match item:
            case Template(parts=(), open_ended=True):
                composer.send(*(line + eol for line in _data_lines(default())[lines - 1 :]))
            case Template():
                lines += 1
                line = finish(item, item.fill(value_of))
                composer.send(line.encode("utf-8", "surrogateescape") + eol)
            case Octets():
                composer.send(item.data)
            case Default():
                composer.send(*default())
            case MessageData():
                composer.send(message(item))
            case _:
                composer.do(item)


def _data_lines(answer: list[bytes | Flow]) -> list[bytes]:
    """The lines of a multi-line answer between its status line and its terminator."""
    return held(answer).split(b"\r\n")[1:-2]
