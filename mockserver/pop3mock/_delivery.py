"""What an answer becomes: something said, something done, and a note of both in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pop3scenarios import Source

from ._actions import upgrades
from ._answer import out_of_reach
from ._changes import NO_CHANGES
from ._composer import Composer
from ._effects import Effects
from ._masking import RESPONSE
from ._state import State
from ._wording import Wording

if TYPE_CHECKING:
    from pop3scenarios import Reply, Scenario

    from ._actions import Action
    from ._answer import Answer
    from ._authentication import Authentication
    from ._changes import Changes
    from ._connection_log import ConnectionLog
    from ._role import Role
    from ._state import SessionState


class Came(NamedTuple):
    """What is answered, and how things stood when it came.

    Attributes:
        line: The client's line.
        meant: The command that the line is taken for.
        label: What it is, if it is no command line.
        state: The state of the session.
        tls: Whether it came inside TLS.
    """

    line: str
    meant: str
    label: str
    state: State
    tls: bool


class Delivery:
    """Delivers the answers of one session.

    Args:
        scenario: What is played.
        state: What the session knows.
        authentication: Its SASL exchange.
        role: Its part in a script.
        log: Where it is written down what happens.
    """

    __slots__ = ("_effects", "_keeps_user", "_log", "_script", "_state", "_wording")

    def __init__(
        self,
        scenario: Scenario,
        state: SessionState,
        authentication: Authentication,
        role: Role,
        log: ConnectionLog,
    ) -> None:
        self._state = state
        self._wording = Wording(state, authentication, role)
        self._effects = Effects(state, authentication)
        self._log = log
        self._script = _script_source(scenario) if scenario.script else None
        self._keeps_user = scenario.server.keeps_user or ()

    def follow(self, scenario: Scenario) -> None:
        """From here on another scenario is played; the script stays what it was.

        Args:
            scenario: What is played.
        """
        self._keeps_user = scenario.server.keeps_user or ()
        self._wording.follow()

    def perform(
        self,
        line: str,
        meant: str,
        answer: Answer,
        changes: Changes,
        scripted: Reply | None,
        label: str,
    ) -> list[Action]:
        """Say an answer, and let the command take effect.

        Args:
            line: The client's line.
            meant: The command that the line is taken for.
            answer: What the RFC-correct server answers.
            changes: What rules change in that.
            scripted: What the script answers, if it has the line.
            label: What it is, if it is no command line: the greeting, a SASL response.
        """
        came = Came(line, meant, label, self._state.state, tls=self._state.tls)
        try:
            actions, applied = self._say(came, answer, changes, scripted)
        except OSError as error:
            # Mail on the disk may go between any two looks at it: nothing of this has been said.
            refused = out_of_reach("the mail is out of reach", error)
            refused.ends = answer.ends
            actions, applied = self._say(came, refused, NO_CHANGES, None)
        if self._state.state is State.AUTHORIZATION and not upgrades(actions):
            command = meant.split(" ", 1)[0].upper()
            self._effects.keep_user(self._keeps_user, command, applied=applied)
        return actions

    def _say(
        self, came: Came, answer: Answer, changes: Changes, scripted: Reply | None
    ) -> tuple[list[Action], bool]:
        """What is to be done, and whether the command has taken effect."""
        reply = scripted or changes.reply
        response = came.label == RESPONSE
        applied = self._effects.take(came.meant, answer, changes, reply, response=response)
        composer = Composer(changes.dribble, changes.cut)
        if changes.delay is not None:
            composer.wait(changes.delay)
        self._wording.say(composer, came.line, answer, changes, reply)
        _finish(composer, answer, changes, starts_tls=applied and answer.starts_tls)
        actions = composer.actions()
        self._log.exchange(
            came.line,
            self._source(changes, scripted),
            actions,
            tls=came.tls,
            state=came.state.word,
            label=came.label,
            user=self._state.user if self._state.state is State.TRANSACTION else "",
            removed=self._state.removed,
        )
        return actions, applied

    def _source(self, changes: Changes, scripted: Reply | None) -> Source | None:
        """What answers; None if it is the RFCs."""
        if scripted is not None:
            return self._script
        return changes.sources[0] if changes.sources else None


def _finish(composer: Composer, answer: Answer, changes: Changes, *, starts_tls: bool) -> None:
    """Add how the answer ends the connection, if it does."""
    if changes.then is not None:
        composer.end(changes.then)
    elif changes.cut is not None:
        composer.end("close")
    elif starts_tls:
        composer.start_tls()
    elif answer.ends:
        composer.end("close")


def _script_source(scenario: Scenario) -> Source:
    """Where the conversation stands, for answers that come out of it."""
    return Source(scenario=scenario.name, file=scenario.shown, line=scenario.script_line)
