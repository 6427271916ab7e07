"""An exact conversation (``script:``) as it goes on over one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pop3scenarios import difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3scenarios import Reply, Script, Step


@dataclass(frozen=True, slots=True)
class Miss:
    """A line that the script does not have here.

    Attributes:
        step: The nearest step that was waited for; None if the script is over.
        difference: How the line differs from it.
    """

    step: Step | None
    difference: str


class Conversation:
    """The place in a script, and what its holes hold.

    Attributes:
        bindings: The holes bound so far, by name.
    """

    def __init__(self, script: Script) -> None:
        self._steps = script.steps
        self._at = 0
        self.bindings: dict[str, str] = {}

    def greeting(self) -> Reply | None:
        """What the server says first, if the script says it."""
        if self._at < len(self._steps) and self._steps[self._at].expect is None:
            self._at += 1
            return self._steps[self._at - 1].reply
        return None

    def hear(self, line: str) -> Reply | Miss:
        """What to answer to a line; exchanges that are optional may be left out.

        Args:
            line: The client's line, without its line end.
        """
        waiting = self._waiting()
        for offset, step in enumerate(waiting):
            assert step.expect is not None
            bound = step.expect.match(line, self.bindings)
            if bound is not None:
                self.bindings.update(bound)
                self._at += offset + 1
                return step.reply
        if not waiting:
            return Miss(None, "the script is over")
        return self._nearest(waiting, line)

    def unfinished(self) -> Step | None:
        """The first step that must still come; None if the client may stop here."""
        remaining = self._steps[self._at :]
        return next((s for s in remaining if s.expect is not None and not s.optional), None)

    def _waiting(self) -> Sequence[Step]:
        """The steps that may come now: optional ones, up to the first that must."""
        steps = self._steps[self._at :]
        for i, step in enumerate(steps):
            if not step.optional:
                return steps[: i + 1]
        return steps

    def _nearest(self, waiting: Sequence[Step], line: str) -> Miss:
        keyword = line.split(" ", 1)[0].upper()
        same = (step for step in waiting if step.expect and step.expect.keyword == keyword)
        step = next(same, waiting[-1])
        assert step.expect is not None
        return Miss(step, difference(step.expect, line, self.bindings))
