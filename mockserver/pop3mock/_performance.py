"""A scenario as a server plays it: with its rules and their counts, its users and their mail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal

from ._changes import Rulebook
from ._conversation import Conversation
from ._events import Fault
from ._maildrop import Maildrop
from ._session import Session
from ._state import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pop3scenarios import Scenario

    from ._connection_log import ConnectionLog
    from ._quirk_users import QuirkUsers

#: How clients reach TLS: not at all, by STLS, or from the first octet.
TLSMode = Literal["none", "stls", "implicit"]


class Performance:
    """What all connections share on which a server plays one scenario.

    Args:
        scenario: What is played.
        tls: How clients reach TLS, in place of what the scenario says.
        users: User names and passwords.
        clock: Gives the time in seconds by which LOGIN-DELAY is kept.
        before: What was played before; its mail is kept where the scenario does not change it.
        name: What it is called, if not like the scenario.

    Attributes:
        scenario: What is played.
        name: What it is called.
        policy: Its TLS.
        users: User names and passwords.
        maildrops: The maildrop of each user.
        rulebook: The rules, with counts that outlive a connection.
        quirk_users: Users whose names choose what is played to them; None if there are none such.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        tls: TLSMode | None,
        users: Mapping[str, str],
        clock: Callable[[], float],
        before: Performance | None = None,
        name: str = "",
    ) -> None:
        self.scenario = scenario
        self.name = name or scenario.name
        self.policy = scenario.tls if tls is None else scenario.tls.model_copy(update={"mode": tls})
        self.users = users
        self.clock = clock
        self.rulebook = Rulebook(scenario)
        self.quirk_users: QuirkUsers | None = None
        self._conversation = _conversation(scenario)
        self.maildrops: Mapping[str, Maildrop] = {
            user: self._kept(user, before) or self._new(user) for user in users
        }
        self._capabilities = tuple(
            line
            for line in scenario.server.capabilities or ()
            if line != "STLS" or self.policy.mode == "stls"
        )
        self._terms = frozenset(self._capabilities) | frozenset(scenario.server.hidden or ())
        self._offered = frozenset(line.split(" ")[0] for line in self._terms)
        greeting = scenario.server.greeting
        self._stamped = greeting is not None and any(h.name == "stamp" for h in greeting.holes)

    @property
    def all_maildrops(self) -> Mapping[str, Maildrop]:
        """The maildrops, also of those users whose names choose what is played to them."""
        return self.maildrops if self.quirk_users is None else self.quirk_users.maildrops

    def _new(self, user: str) -> Maildrop:
        """A maildrop that will hold what the scenario says when somebody looks into it."""
        scenario = self.scenario
        return Maildrop(user, lambda: scenario.mail(user), lambda: scenario.mail_on_disk(user))

    def _kept(self, user: str, before: Performance | None) -> Maildrop | None:
        """The maildrop that a user had before, if both scenarios give him the same mail."""
        if before is None or user not in before.maildrops:
            return None
        same = self.scenario.mail_items(user) == before.scenario.mail_items(user)
        return before.maildrops[user] if same else None

    def session(self, log: ConnectionLog) -> Session:
        """The server's side of a new connection.

        Args:
            log: Where it is written down what happens.
        """
        state = SessionState(
            users=self.users if self.quirk_users is None else self.quirk_users.users,
            maildrops=self.all_maildrops,
            capabilities=self._capabilities,
            offered=self._offered,
            exclusive=True,
            stamp=f"<{log.number}.{secrets.token_hex(8)}@localhost>" if self._stamped else "",
            now=self.clock,
        )
        self.prepare(state)
        return Session(
            self.scenario, self.rulebook, state, log, self.quirk_users, self._conversation_of_one()
        )

    def _conversation_of_one(self) -> Conversation | None:
        """What a new connection takes part in: its own conversation, or that of several."""
        conversation = self._conversation
        return conversation if conversation is None or conversation.shared else conversation.anew()

    def owed(self) -> list[Fault]:
        """What connections had to do that nobody has opened."""
        misses = [] if self._conversation is None else self._conversation.never_came()
        return [Fault("script not finished", miss.why, miss.place) for miss in misses]

    def prepare(self, state: SessionState) -> None:
        """Let a session serve what this scenario serves.

        Args:
            state: What the session knows.
        """
        server = self.scenario.server
        state.capabilities = self._capabilities
        state.hidden = server.hidden or ()
        state.offered = self._offered
        state.exclusive = server.lock != "none"
        state.delay = server.login_delay or 0.0
        state.expires = server.expires is True
        state.languages = server.languages or {}
        state.live = server.view == "live"
        state.authzid = server.authzid or "refused"
        state.response_limit = server.response_limit or state.response_limit
        state.charset = server.passwords or "utf-8"
        tolerates = server.tolerates or ()
        state.any_case = "upper-case-names" in tolerates
        state.initial_responses = "initial-responses" in tolerates


def _conversation(scenario: Scenario) -> Conversation | None:
    """The scenario's script from its beginning, if it has one."""
    if scenario.script is None:
        return None
    return Conversation(
        scenario.script,
        scenario.shown,
        scenario.script_line,
        patience=scenario.server.patience,
    )
