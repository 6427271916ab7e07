"""What a session does in the script of a scenario, if it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._actions import Hold
from ._events import Fault
from ._nearmiss import Miss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pop3scenarios import Reply

    from ._actions import Action
    from ._connection_log import ConnectionLog
    from ._conversation import Conversation, Held, Part


class Role:
    """The part of a session in a conversation.

    Args:
        conversation: The scenario's script, as far as it has come; None if there is none.
        log: Where it is written down how the client departs from it.

    Attributes:
        scripted: Whether there is a script.
        part: What the session does in it; None if it has no part.
        held_for: The step of another connection for which something is held; empty if none is.
    """

    __slots__ = ("_conversation", "_held", "_log", "held_for", "part", "scripted")

    def __init__(self, conversation: Conversation | None, log: ConnectionLog) -> None:
        self.scripted = conversation is not None
        self.part: Part | None = None
        self.held_for = ""
        self._conversation = conversation
        self._log = log
        self._held: Callable[[], list[Action]] | None = None

    @property
    def waits(self) -> bool:
        """Whether what came is held until other connections have gone on."""
        return self._held is not None

    @property
    def bindings(self) -> Mapping[str, str]:
        """What the holes of the script hold."""
        return {} if self.part is None else self.part.bindings

    def bind(self, name: str, value: str) -> None:
        """What was said for a hole that nothing was known of is meant ever after.

        Args:
            name: The hole.
            value: What it holds.
        """
        if self.part is not None:
            self.part.bindings.setdefault(name, value)

    def enter(self, wake: Callable[[], None]) -> Reply | Held | None:
        """What the script says first on this connection, if it has it.

        Args:
            wake: Called when other connections have gone on.
        """
        if self._conversation is None:
            return None
        if self.part is None:
            self.part = self._conversation.join(wake)
        if self.part is not None:
            return self.part.greeting()
        self._fault("one connection too many", self._conversation.one_too_many())
        return None

    def hear(self, line: str, shown: str) -> Reply | Held | None:
        """What the script answers to a line, if it has the line here.

        Args:
            line: The line.
            shown: As it may be shown.
        """
        if self.part is None:
            return None
        heard = self.part.hear(line, shown)
        if isinstance(heard, Miss):
            self._fault(f"unexpected {shown or 'empty line'}", heard)
            return None
        return heard

    def hold(self, held: Held, again: Callable[[], list[Action]]) -> list[Action]:
        """Say nothing until other connections have gone on.

        Args:
            held: What is waited for.
            again: Gives what is to be done then.
        """
        self._held = again
        self.held_for = held.before
        assert self._conversation is not None
        self._log.remark(f"waits for {held.before}")
        return [Hold(self._conversation.patience)]

    def released(self) -> Callable[[], list[Action]] | None:
        """What was held, to be tried again; None if nothing was."""
        held, self._held = self._held, None
        self.held_for = ""
        return held

    @property
    def due(self) -> str:
        """The step that must come next, and where it stands; empty if none must."""
        index = self.part.unfinished() if self.part is not None else None
        if index is None or self._conversation is None:
            return ""
        return f"{self._conversation.told(index)} ({self._conversation.place(index)})"

    def too_early(self) -> bool:
        """Whether something is held; it is a fault of the client, and waits no longer."""
        if self._held is None or self.part is None:
            return False
        self._fault("too early", self.part.too_early())
        return True

    def leave(self) -> None:
        """The connection is gone, with all that was still to be said on it."""
        self._held = None
        miss = self.part.left() if self.part is not None else None
        if miss is not None:
            self._fault("script not finished", miss)

    def _fault(self, what: str, miss: Miss) -> None:
        self._log.fault(Fault(what, miss.why, miss.place))
