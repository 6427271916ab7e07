"""A session without a socket, and what it says: for tests of octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pop3mock._actions import End, Send
from pop3mock._flow import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3mock import MockServer
    from pop3mock._actions import Action
    from pop3mock._session import Session


class Case(NamedTuple):
    """What is sent in one go, and what must come for it.

    Attributes:
        scenario: The file.
        sent: The client's octets.
        comes: The server's octets.
        ending: How the server ends the connection.
    """

    scenario: str
    sent: bytes
    comes: bytes
    ending: str = ""


def spoken(actions: Sequence[Action]) -> tuple[bytes, str]:
    """The octets that actions send, and how they end the connection."""
    octets = held([action.data for action in actions if isinstance(action, Send)])
    return octets, next((action.how for action in actions if isinstance(action, End)), "")


def greeted(server: MockServer) -> Session:
    """A session that has been greeted."""
    session = server.session()
    session.connected()
    return session
