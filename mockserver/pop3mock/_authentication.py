"""The AUTH command and the exchange that follows it (RFC 5034)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ._answer import Answer, refusal
from ._commands import log_in, login_refused
from ._sasl import CLIENT_FIRST, MECHANISMS, Refused
from ._state import State

if TYPE_CHECKING:
    from ._sasl import Exchange
    from ._state import SessionState


class Authentication:
    """A SASL exchange of a session, while one is under way.

    Args:
        state: The session.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._exchange: Exchange | None = None

    @property
    def under_way(self) -> bool:
        """Whether the client's next line is a response rather than a command."""
        return self._exchange is not None

    def abandon(self) -> None:
        """Forget the exchange: a rule has answered in its place."""
        self._exchange = None

    def begin(self, line: str) -> Answer:
        """The answer to an AUTH command.

        Args:
            line: The command line: ``AUTH``, mechanism, and perhaps an initial response.
        """
        words = line.split(" ")
        if self._state.state is not State.AUTHORIZATION:
            return refusal("already logged in", unexpected="it belongs to the authorization state")
        if len(words) == 1:
            return refusal("which mechanism?")
        name = words[1].upper()
        mechanism = MECHANISMS.get(name)
        if mechanism is None or name not in self._offered() or len(words) > 3:
            return refusal(f"no mechanism {words[1]}")
        self._exchange = mechanism(self._state.users, self._state.stamp or "<sasl@localhost>")
        challenge = next(self._exchange)
        if len(words) == 2:
            return Answer(True, continuation=base64.b64encode(challenge or b""))
        if name not in CLIENT_FIRST:
            self.abandon()
            return refusal(f"{name} takes no initial response")
        # RFC 5034, section 4: "=" is an initial response of no octets.
        return self.respond("" if words[2] == "=" else words[2])

    def respond(self, line: str) -> Answer:
        """The answer to a response of the client.

        Args:
            line: The response in base64, or ``*`` to cancel.
        """
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        if line == "*":
            # RFC 5034, section 4: the client gives the exchange up.
            return refusal("authentication cancelled")
        try:
            response = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            return refusal("that is not base64", unexpected="its SASL response is not base64")
        try:
            challenge = exchange.send(response)
        except StopIteration as proven:
            return log_in(self._state, proven.value)
        except Refused:
            return login_refused()
        self._exchange = exchange
        return Answer(True, continuation=base64.b64encode(challenge or b""))

    def _offered(self) -> list[str]:
        listed = (line.split(" ") for line in self._state.capabilities)
        return next((words[1:] for words in listed if words[0] == "SASL"), [])
