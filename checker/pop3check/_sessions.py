"""The sessions in which cases are asked: one that many share, or one of a case's own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from ._connection import Connections
from ._dialogue import positive
from ._findings import Finding
from ._talk import Talk
from ._wants import Breakdown

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ._dialogue import Dialogue
    from ._facts import Facts
    from ._limits import Limits
    from ._pace import Pace
    from ._target import Target
    from ._wants import Wants
    from ._wirelog import WireLog

_Result = TypeVar("_Result")

#: Seconds that leaving a connection may take, after the verdict.
_FAREWELL = 2.0


class Own:
    """The connections of one case.

    Args:
        target: The server.
        pace: When the next connection may be made.
        deadline: Seconds that all of them together may last.
    """

    def __init__(self, target: Target, pace: Pace, deadline: float) -> None:
        self._connections = Connections(target, deadline, pace.before_connection)

    def run(self, wants: Wants[_Result]) -> _Result:
        """Fulfil what a case wants until it returns; as :meth:`Connections.run`."""
        return self._connections.run(wants)

    def leave(self, dialogues: dict[str, Dialogue], over: set[str]) -> None:
        """Leave so that the server has let go of the maildrop when the next case begins.

        Args:
            dialogues: All of them; one in which messages are marked is left without QUIT.
            over: The names of those that have been ended.
        """
        for name, dialogue in dialogues.items():
            if name not in over and name in self._connections.made:
                self._leave(name, dialogue)

    def _leave(self, name: str, dialogue: Dialogue) -> None:
        connection = self._connections.made[name]
        connection.hurry(_FAREWELL)
        with contextlib.suppress(Finding, Breakdown):
            if dialogue.marked:
                connection.run(dialogue.hang_up())
            else:
                connection.run(dialogue.leave())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connections.__exit__(kind, error, trace)


class Shared:
    """A session that is logged in, and that cases leave as they found it.

    Args:
        target: The server and the account.
        pace: When the next connection may be made, and the next login.
    """

    def __init__(self, target: Target, pace: Pace) -> None:
        self._target = target
        self._pace = pace
        self._own: Own | None = None
        self._talk: Talk | None = None

    def session(self, facts: Facts, log: WireLog, limits: Limits) -> Dialogue:
        """The session; it is opened if there is none.

        Args:
            facts: What is known of the server.
            log: Where every line is written down from now on.
            limits: How long the session may last in all.

        Raises:
            Finding: The server does not let us in.
            Breakdown: It cannot be reached.
        """
        if self._talk is None:
            self._pace.before_login(facts)
            self._own = Own(self._target, self._pace, max(self._pace.left, 1.0))
            self._talk = Talk(self._target, facts, log, limits)
            try:
                self._own.run(self._talk.enter(""))
            except BaseException:
                self.abandon()
                raise
        return self._talk.dialogue

    def run(self, wants: Wants[_Result]) -> _Result:
        """Fulfil what a case wants until it returns.

        Raises:
            Finding: What the case raises.
            Breakdown: The world did not go on, and the case did not mind.
        """
        assert self._own is not None
        return self._own.run(wants)

    def is_in_step(self) -> bool:
        """Whether the next answer will be the one to the next command: NOOP is asked.

        It is also the good command between two that may be bad: servers count these in a row.
        """
        if self._talk is None or self._own is None:
            return False
        dialogue = self._talk.dialogue
        if dialogue.has_more:
            return False
        try:
            answer = self._own.run(dialogue.ask("NOOP"))
        except (Finding, Breakdown):
            return False
        return positive(answer) and not dialogue.has_more

    def leave(self) -> dict[str, Dialogue]:
        """Leave by QUIT; gives what was said."""
        if self._talk is not None and self._own is not None:
            self._own.leave(self._talk.dialogues, self._talk.over)
        return self._closed()

    def abandon(self) -> dict[str, Dialogue]:
        """Leave without another word; gives what was said."""
        if self._talk is not None and self._own is not None:
            for dialogue in self._talk.dialogues.values():
                with contextlib.suppress(Finding, Breakdown):
                    self._own.run(dialogue.hang_up())
        return self._closed()

    def _closed(self) -> dict[str, Dialogue]:
        talk, own = self._talk, self._own
        self._talk = self._own = None
        if own is not None:
            own.__exit__(None, None, None)
        return talk.dialogues if talk is not None else {}
