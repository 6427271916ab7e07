"""What a session wants done: the shell does it, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._flow import Flow


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets at once, or as fast as the client takes them if they are a flow."""

    data: bytes | Flow


@dataclass(frozen=True, slots=True)
class Trickle:
    """Write these octets a few at a time.

    Attributes:
        data: The octets.
        size: How many at a time.
        every: Seconds between two writes.
    """

    data: bytes | Flow
    size: int
    every: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StartTLS:
    """Begin the TLS handshake; call :meth:`Session.secured` when it is done.

    Attributes:
        behind: Octets that came together with STLS and are the client's part of the handshake.
    """

    behind: bytes = b""


@dataclass(frozen=True, slots=True)
class End:
    """End the connection by FIN or RST, by a FIN of our side only, or leave it dead."""

    how: Literal["close", "reset", "half-close", "hang"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Say nothing until :meth:`Session.resume` does; after so many seconds, call ``give_up``."""

    seconds: float


Action = Send | Trickle | Pause | StartTLS | End | Hold


def upgrades(actions: Sequence[Action]) -> bool:
    """Whether the TLS handshake is what comes next.

    Args:
        actions: What is to be done.
    """
    return bool(actions) and isinstance(actions[-1], StartTLS)


def flows(actions: Sequence[Action]) -> bool:
    """Whether some of what is to be sent is made, or read, while it is sent.

    Args:
        actions: What is to be done.
    """
    return any(
        isinstance(action, (Send, Trickle)) and not isinstance(action.data, bytes)
        for action in actions
    )


def ends(actions: Sequence[Action]) -> bool:
    """Whether the connection is at its end.

    Args:
        actions: What is to be done.
    """
    return bool(actions) and isinstance(actions[-1], End)
