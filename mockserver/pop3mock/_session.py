"""One session of the mock server: octets in, actions out; no socket, no clock.

At each line the session asks three things in turn: what would the RFC-correct server answer
(:mod:`._commands`), what does the script or do the rules make of it, and does the command take
effect. Then it says what is to be done.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pop3scenarios import ScenarioError

from . import _commands as commands
from ._actions import StartTLS, ends, flows, upgrades
from ._answer import Answer, refusal
from ._authentication import Authentication
from ._changes import NO_CHANGES
from ._channel import IN_THE_CLEAR
from ._conversation import Held
from ._counsel import Counsel
from ._delivery import Delivery
from ._escaping import escaped
from ._input import MAX_LINE, Input
from ._masking import RESPONSE
from ._role import Role
from ._state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import Reply, Scenario

    from ._actions import Action
    from ._changes import Changes, Rulebook
    from ._channel import Channel
    from ._connection_log import ConnectionLog
    from ._conversation import Conversation
    from ._performance import Performance
    from ._quirk_users import QuirkUsers
    from ._state import SessionState

_GREETING = "GREETING"

#: So many octets are shown of a line that has no end yet.
_SHOWN = 80


class Session:
    """The server's side of one connection.

    Args:
        scenario: What is played.
        rulebook: Its rules, with counts that outlive the connection.
        state: What the session knows; holds the maildrops.
        log: Where it is written down what happens.
        quirk_users: Users whose names choose what is played to them, if there are such.
        conversation: The scenario's script, as far as it has come, if it has one.

    Attributes:
        log: Where it is written down what happens.
        behind: Whether the client has sent more than has been answered for now.
        wake: Called when other connections have gone on: :meth:`resume` may then have an answer.
    """

    def __init__(
        self,
        scenario: Scenario,
        rulebook: Rulebook,
        state: SessionState,
        log: ConnectionLog,
        quirk_users: QuirkUsers | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        self._scenario = scenario
        self._state = state
        self.log = log
        self._quirk_users = quirk_users
        self._input = Input(scenario.server)
        self._over = False
        self._greeted = False
        self._responding = False
        self.behind = False
        self._authentication = Authentication(state)
        self._role = Role(conversation, log)
        self._counsel = Counsel(scenario, rulebook, state, self._authentication, self._input, log)
        self.wake: Callable[[], None] = lambda: None
        self._delivery = Delivery(scenario, state, self._authentication, self._role, log)

    @property
    def over(self) -> bool:
        """Whether nothing that the client sends will be heard any more."""
        return self._over

    def connected(self) -> list[Action]:
        """The connection is up: the server speaks first (RFC 1939, section 3)."""
        self._greeted = True
        template = self._scenario.server.greeting
        answer = Answer(True, values={"stamp": self._state.stamp})
        if template is not None:
            answer.text = template
        scripted = self._role.enter(self.wake)
        if isinstance(scripted, Held):
            return self._role.hold(scripted, self.connected)
        changes = NO_CHANGES
        if scripted is None:
            changes = self._counsel.event(_GREETING)
        return self._perform(_GREETING, answer, changes, scripted, label=_GREETING)

    def secured(self, channel: Channel = IN_THE_CLEAR) -> None:
        """The TLS handshake is done; what was known before it is forgotten (RFC 2595, 4).

        Args:
            channel: What may be known of the connection.
        """
        self._state.tls = True
        self._state.channel = channel
        if self._state.state is State.AUTHORIZATION and self._scenario.tls.forgets is not False:
            self._state.user = ""
        self._over = False

    def receive(self, data: bytes, *, at_most: int | None = None) -> list[Action]:
        """Octets have come from the client.

        Args:
            data: The octets, in whatever pieces they come.
            at_most: How many lines to answer for now, fewer if an answer is a flow; then ``behind``
                says whether more are there, and an empty ``data`` goes on with them. None for all.

        Returns:
            What is to be done, in order.
        """
        self._input.add(data)
        return self._go_on([], at_most)

    def _go_on(self, said: list[Action], at_most: int | None) -> list[Action]:
        """What was said, and the answers to the lines that are there.

        Behind an answer that is read while it is sent, none is given in advance: if it breaks off,
        what is behind it is never sent.
        """
        actions = [*said]
        self.behind = False
        for answered in count():
            silent = self._over or self._role.waits
            if at_most is not None and (answered == at_most or flows(said)):
                self.behind = bool(self._input) and not silent
                if self.behind:
                    return actions
                break
            line = None if silent else self._input.line()
            if line is None:
                break
            said = self._hear(line)
            actions += said
        return self._leave_behind(actions) if self._over else actions + self._unfinished()

    def _leave_behind(self, actions: list[Action]) -> list[Action]:
        """What stands behind STLS or QUIT in the same segment is never executed.

        RFC 2595, section 4; a scenario can play a server that gets it wrong.
        """
        kept = self._scenario.tls.pipelined if upgrades(actions) else None
        if kept == "handshake":
            actions[-1] = StartTLS(self._input.take().encode("utf-8", "surrogateescape"))
        elif kept != "execute":
            if upgrades(actions):
                self.log.not_heard(self._input.take())
            self._input.clear()
        return actions

    def _unfinished(self) -> list[Action]:
        """What becomes of a line of which the end has not come yet."""
        if self._role.waits:
            return []  # whole lines may wait there
        if self._input.endless:
            return self._too_long(self._input.take(), ends=True)
        if (
            self._input
            and not self._authentication.under_way
            and self._counsel.rulebook.knows("PARTIAL")
        ):
            return self._partial()
        return []

    def _partial(self) -> list[Action]:
        """Some servers take what one segment brings for a whole command."""
        changes = self._counsel.event("PARTIAL", "refused")
        if not changes.sources:
            return []
        line = self._input.take()
        return self._perform(line, refusal("no whole command"), changes, label="(partial line)")

    @property
    def patience(self) -> float | None:
        """Seconds without a command after which :meth:`idle` is due; None if it never is."""
        server = self._scenario.server
        if self._state.state is State.AUTHORIZATION and server.autologout_before_login is not None:
            return server.autologout_before_login
        return server.autologout

    @property
    def partial(self) -> str:
        """What has come of a line that has no end yet, secrets masked; empty if nothing."""
        pending = self._input.pending
        if pending and self._authentication.under_way:
            return RESPONSE
        return escaped(self.log.masked(pending[:_SHOWN]))

    @property
    def held_for(self) -> str:
        """The step of another connection that has to happen first; empty if there is none."""
        return self._role.held_for

    @property
    def due(self) -> str:
        """The step that the script has next; empty if it has none, or there is no script."""
        return self._role.due

    def idle(self) -> list[Action]:
        """The client has been silent too long: the connection is closed (RFC 1939, section 3)."""
        changes = self._counsel.event("AUTOLOGOUT")  # before it leaves: rules may ask for the state
        self._state.leave()  # without UPDATE: what was marked stays
        return self._perform("", Answer(True, ends=True, silent=True), changes, label="(silence)")

    def handshake_failed(self) -> list[Action]:
        """The TLS handshake has failed: a server may go on in the clear, if a rule says so.

        Where TLS was to begin with the first octet there is no session yet that could go on.
        """
        if not self._greeted:
            return []
        changes = self._counsel.event("HANDSHAKE-FAILED")
        if not changes.sources:
            return []
        self._over = False
        return self._perform("", Answer(True, silent=True), changes, label="(handshake failed)")

    def lost(self) -> None:
        """The connection is gone: without QUIT nothing is removed (RFC 1939, section 6)."""
        self._over = True
        if self._state.state is State.TRANSACTION:
            self._dropped()
        self._state.leave()
        self._counsel.forget()
        self._role.leave()

    def _dropped(self) -> None:
        """Some servers do at the end of a connection what only QUIT should."""
        effect = self._counsel.event("DISCONNECT", "").effect
        try:
            if effect == "apply":
                self._state.update()
            elif effect == "empty":
                self._state.empty()
        except OSError as error:
            self.log.remark(f"mail cannot be altered: {error}")
        self.log.update(self._state.removed)

    def _too_long(self, line: str, *, ends: bool) -> list[Action]:
        answer = refusal("line too long", reason="syntax")
        answer.ends = ends
        changes = self._counsel.event("OVERLONG", "syntax")
        return self._perform(line[: self._input.limit], answer, changes, label="(line too long)")

    def _line(self, line: str, scripted: Reply | None) -> list[Action]:
        if self._authentication.under_way:
            return self._response(line, scripted)
        if _octets(line) > self._input.limit:
            return self._too_long(line, ends=False)
        label = RESPONSE if self._astray(line) else ""
        meant, source = self._counsel.meant(line)
        self._responding = bool(label) or meant.split(" ", 1)[0].upper() == "AUTH"
        if meant.split(" ", 1)[0].upper() == "AUTH":
            answer = self._authentication.begin(meant)
        else:
            answer = commands.answer_to(self._state, meant)
            if meant != line:
                answer.unexpected = commands.answer_to(self._state, line).unexpected
        answer = self._cast(answer)
        changes = NO_CHANGES
        if scripted is None:
            changes = self._counsel.command(meant, answer)
            if answer.unexpected and not self._role.scripted:
                self._counsel.judge(line, answer, changes, label)
            if source is not None:
                changes = changes.because(source)
        if changes.deleted is not None and answer.outcome in ("ok", "deleted"):
            with self._state.as_if_none_deleted(emptied=changes.deleted == "emptied"):
                answer = commands.answer_to(self._state, meant)
        return self._perform(line, answer, changes, scripted, label=label, meant=meant)

    def _astray(self, line: str) -> bool:
        """Whether a line is what a client says that goes on with an exchange that was refused.

        It is no response then, but as secret as one: all that is no command is taken for it.
        """
        if not self._responding or self._state.state is not State.AUTHORIZATION:
            return False
        keyword = line.split(" ", 1)[0].upper()
        known = keyword == "AUTH" or keyword in commands.COMMANDS
        if not line or known or self._counsel.rulebook.names(keyword):
            return False
        self.log.keep_secret(line)
        return True

    def _response(self, line: str, scripted: Reply | None) -> list[Action]:
        self._responding = True
        self.log.response(line)
        mechanism = self._authentication.mechanism
        answer = self._cast(self._authentication.respond(line))
        changes = NO_CHANGES
        if scripted is None:
            said = f"RESPONSE {line}"
            changes = self._counsel.event(said, answer.outcome, mechanism=mechanism)
            if not self._role.scripted:
                self._counsel.judge(said, answer, changes, RESPONSE)
        return self._perform("", answer, changes, scripted, label=RESPONSE)

    def _cast(self, answer: Answer) -> Answer:
        """A user's name may choose what is played from here on; a name that cannot is refused."""
        user = answer.values.get("user", "") if self._quirk_users is not None else ""
        if self._quirk_users is None or not self._quirk_users.chooses(user):
            return answer
        try:
            performance = self._quirk_users.performance(user)
        except ScenarioError as error:
            why = " ".join(str(error).split())  # it goes into one line
            self.log.remark(f"user {user}: {why}")
            return refusal(why)
        if performance.rulebook is not self._counsel.rulebook:
            self.play(performance)
        return answer

    def play(self, performance: Performance) -> None:
        """From here on play something else; greeting, TLS and script stay what they were.

        Args:
            performance: What is played.
        """
        self._counsel.forget()
        self._scenario = self._counsel.scenario = performance.scenario
        self._counsel.rulebook = performance.rulebook
        performance.prepare(self._state)
        self._delivery.follow(performance.scenario)
        self._input.follow(self._scenario.server)
        self.log.recast(performance.name)

    # The script

    def resume(self, *, at_most: int | None = None) -> list[Action]:
        """Other connections have gone on: what was held may now be answered.

        Args:
            at_most: As for :meth:`receive`.
        """
        again = self._role.released()
        return [] if again is None else self._go_on(again(), at_most)

    def give_up(self, *, at_most: int | None = None) -> list[Action]:
        """What is held has waited long enough: it is answered, and was too early.

        Args:
            at_most: As for :meth:`receive`.
        """
        return self.resume(at_most=at_most) if self._role.too_early() else []

    def _hear(self, line: str) -> list[Action]:
        """Answer a line, or hold it until other connections have gone on."""
        if _octets(line) > MAX_LINE:
            return self._too_long(line, ends=True)  # as if its end had not come yet
        scripted = self._scripted(line)
        if isinstance(scripted, Held):
            return self._role.hold(scripted, lambda: self._hear(line))
        return self._line(line, scripted)

    def _scripted(self, line: str) -> Reply | Held | None:
        """What the script answers to a line, if there is a script and it has the line here."""
        if self._role.part is None:
            return None
        secret = self._authentication.under_way or self._astray(line)
        return self._role.hear(line, RESPONSE if secret else self.log.masked(line))

    def _perform(
        self,
        line: str,
        answer: Answer,
        changes: Changes,
        scripted: Reply | None = None,
        *,
        label: str = "",
        meant: str = "",
    ) -> list[Action]:
        """Say an answer, and let the command take effect; see :meth:`Delivery.perform`."""
        actions = self._delivery.perform(line, meant or line, answer, changes, scripted, label)
        self._over = upgrades(actions) or ends(actions)
        if changes.discard:
            self._input.clear()
        return actions


def _octets(line: str) -> int:
    """The size of a line as it came."""
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))
