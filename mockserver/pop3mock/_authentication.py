"""The AUTH command and the exchange that follows it (RFC 5034)."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

from ._answer import Answer, refusal, repeated
from ._login import log_in, login_refused
from ._sasl import MECHANISMS, Grounds, Malformed, Refused, fitting, is_sasl
from ._state import State

if TYPE_CHECKING:
    from ._sasl import Exchange, Mechanism
    from ._state import SessionState

#: Octets of a response in base64, at most: a security limit. RFC 5034, section 4, asks for what the
#: mechanisms need; RFC 4954 has this number for SMTP.
MAX_RESPONSE = 12_288


class Authentication:
    """A SASL exchange of a session, while one is under way.

    Args:
        state: The session.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._exchange: Exchange | None = None
        self._held = False
        #: The mechanism of the exchange that is, or was last, under way, in upper case.
        self.mechanism = ""

    @property
    def under_way(self) -> bool:
        """Whether the client's next line is a response rather than a command."""
        return self._exchange is not None or self._held

    def abandon(self) -> None:
        """Forget the exchange: a rule has answered in its place."""
        self._exchange = None
        self._held = False

    def hold(self) -> None:
        """A rule has sent a challenge of its own: what the client answers is no command."""
        self._held = self._exchange is None

    def begin(self, line: str) -> Answer:
        """The answer to an AUTH command.

        Args:
            line: The command line: ``AUTH``, mechanism, and perhaps an initial response.
        """
        _, *words = line.split(" ")
        self.mechanism = words[0].upper() if words else ""
        if self._state.state is not State.AUTHORIZATION:
            return refusal(
                "already logged in",
                unexpected="it belongs to the authorization state",
                reason="state",
            )
        if not words:
            return refusal("which mechanism?", reason="syntax")
        if "" in words or len(words) > 2:
            return _wrong_syntax("AUTH takes a mechanism and at most an initial response")
        offered = self._offered()
        mechanism = MECHANISMS.get(self.mechanism)
        if mechanism is None or self.mechanism not in offered:
            return refusal(f"no mechanism {repeated(words[0])}", reason="not-offered")
        return self._begin(mechanism, offered, words[1:])

    def _begin(self, mechanism: Mechanism, offered: frozenset[str], initial: list[str]) -> Answer:
        if initial and not mechanism.client_first and not self._state.initial_responses:
            # RFC 5034, section 4: there is nothing yet that it could be a response to.
            return _wrong_syntax(f"{self.mechanism} takes no initial response")
        exchange = mechanism.begin(
            Grounds(
                self._state.users,
                # RFC 2195, section 2: new each time, also on one connection.
                stamp=f"<{secrets.token_hex(8)}@localhost>",
                channel=self._state.channel,
                offered=offered,
                ignores_authzid=self._state.authzid == "ignored",
            )
        )
        challenge = next(exchange)
        self._exchange = exchange
        if not initial:
            return _challenge(challenge)
        # RFC 5034, section 4: "=" is an initial response of no octets.
        return self.respond("" if initial == ["="] else initial[0])

    def respond(self, line: str) -> Answer:
        """The answer to a response of the client.

        Args:
            line: The response in base64, or ``*`` to cancel.
        """
        exchange = self._exchange
        self.abandon()
        if line == "*":
            # RFC 5034, section 4: the client gives the exchange up.
            return refusal("authentication cancelled", reason="cancelled")
        if exchange is None:
            return login_refused()  # it answers a challenge that a rule made up
        if len(line) > min(self._state.response_limit, MAX_RESPONSE):
            return refusal("that response is too long", reason="overlong")
        try:
            response = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            return _wrong_syntax("that is not base64")
        return self._go_on(exchange, response)

    def _go_on(self, exchange: Exchange, response: bytes) -> Answer:
        try:
            challenge = exchange.send(response)
        except StopIteration as proven:
            return log_in(self._state, proven.value)
        except Refused:
            return login_refused()
        except Malformed as error:
            return _wrong_syntax(str(error))
        self._exchange = exchange
        return _challenge(challenge)

    def _offered(self) -> frozenset[str]:
        """The mechanisms that are there, listed or hidden, in upper case."""
        lines = (*self._state.capabilities, *self._state.hidden)
        true = (fitting(line, self._state.channel) for line in lines if is_sasl(line))
        return frozenset(name for line in true for name in line.upper().split(" ")[1:])


def _challenge(data: bytes) -> Answer:
    return Answer(True, continuation=base64.b64encode(data))


def _wrong_syntax(text: str) -> Answer:
    """Not about credentials, so without the response code for them (RFC 3206, section 5)."""
    return refusal(text, unexpected=text, reason="syntax")
