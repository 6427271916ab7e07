"""What a session's actions come to for whoever has no socket: octets, TLS, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._actions import End, Send, StartTLS, Trickle
from ._flow import held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._actions import Action


class Spoken(NamedTuple):
    """What a server has said.

    Attributes:
        octets: All of it, however it is spread over time.
        secures: Whether the TLS handshake is what comes next.
        ended: Whether the connection is at its end.
    """

    octets: bytes
    secures: bool
    ended: bool


def spoken(actions: Iterable[Action]) -> Spoken:
    """What a session says, all of it at once.

    Args:
        actions: What :meth:`MockServer.session` wants done.
    """
    done = list(actions)
    data = [action.data for action in done if isinstance(action, Send | Trickle)]
    ends = any(isinstance(a, End) and a.how in ("close", "reset") for a in done)
    return Spoken(held(data), any(isinstance(a, StartTLS) for a in done), ends)
