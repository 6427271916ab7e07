"""What the rules say to a session at each moment, and what they hold against its client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._changes import NO_CHANGES, Occasion, selects
from ._events import Fault

if TYPE_CHECKING:
    from pop3scenarios import Scenario, Source

    from ._answer import Answer
    from ._authentication import Authentication
    from ._changes import Changes, Rulebook
    from ._connection_log import ConnectionLog
    from ._input import Input
    from ._state import SessionState


class Counsel:
    """Asks the rules on behalf of one session.

    Args:
        scenario: What is played.
        rulebook: Its rules, with counts that outlive the connection.
        state: What the session knows.
        authentication: Its SASL exchange.
        said: What the client has said.
        log: Where it is written down what the client should not have done.
    """

    __slots__ = ("_authentication", "_log", "_said", "_state", "rulebook", "scenario")

    def __init__(
        self,
        scenario: Scenario,
        rulebook: Rulebook,
        state: SessionState,
        authentication: Authentication,
        said: Input,
        log: ConnectionLog,
    ) -> None:
        self.scenario = scenario
        self.rulebook = rulebook
        self._state = state
        self._authentication = authentication
        self._said = said
        self._log = log

    def forget(self) -> None:
        """The connection is over, or plays something else from here on."""
        self.rulebook.forget(self._log.number)

    def event(self, line: str, outcome: str = "ok", *, mechanism: str = "") -> Changes:
        """What rules change at something other than a command.

        Args:
            line: The name of the event, with what belongs to it.
            outcome: What the RFC-correct answer is.
            mechanism: The SASL mechanism under way; empty if none.
        """
        return self.rulebook.consult(self._occasion(line, outcome, mechanism, event=True))

    def command(self, line: str, answer: Answer) -> Changes:
        """What rules change in the answer to a command.

        Args:
            line: The command that the client's line is taken for.
            answer: What the RFC-correct server answers.
        """
        keyword = line.partition(" ")[0].upper()
        # Most commands are such, and it takes a tenth of the time.
        if self.rulebook.silent(keyword):
            return NO_CHANGES
        mechanism = self._authentication.mechanism if keyword == "AUTH" else ""
        return self.rulebook.consult(self._occasion(line, answer.outcome, mechanism))

    def meant(self, line: str) -> tuple[str, Source | None]:
        """The command that a line is taken for, and the rule that does so.

        Args:
            line: The client's line.
        """
        meant = self._said.tidied(line)
        if not self.rulebook.takes:
            return meant, None
        taken = self.rulebook.taken_for(self._occasion(meant))
        return (meant, None) if taken is None else taken

    def judge(self, line: str, answer: Answer, changes: Changes, label: str = "") -> None:
        """Write down what a client should not have sent.

        Args:
            line: What it has sent.
            answer: What the RFC-correct server answers.
            changes: What rules change in that.
            label: What it is, if it is no command.
        """
        # A rule that only changes how an answer looks does not make the command a right one.
        if not answer.unexpected or changes.excused:
            return
        if any(selects(pattern, line) for pattern in self.scenario.expect.allow):
            return
        shown = label or self._log.masked(line)
        what, why = f"unexpected {shown or 'empty line'}", answer.unexpected
        nearest = None if label else self.rulebook.nearest(shown)
        if nearest is None:
            self._log.fault(Fault(what, why))
            return
        source, how = nearest
        place = f"{source.file}:{source.line}"
        self._log.fault(Fault(what, f"{why}; nearest rule {source}: {how}", place))

    def _occasion(
        self, line: str, outcome: str = "", mechanism: str = "", *, event: bool = False
    ) -> Occasion:
        state = self._state
        return Occasion(
            line,
            state.state.word,
            state.tls,
            state.user,
            self._log.number,
            state.numbered,
            event,
            mechanism,
            outcome,
            pipelined=bool(self._said),
            marked=bool(state.deleted),
            messages=len(state.view) - len(state.deleted),
        )
