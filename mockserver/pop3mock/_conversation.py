"""An exact conversation (``script:``) as it goes on, over one connection or over several.

The steps of a script stand in one order, whatever their connections. What a connection says is
answered once every exchange that stands before it on the others has happened; until then it is
*held*. Where a client departs from the script, its line may have been meant for the exchange that
was due, or may have been one too many; where an exchange may be left out, a line may be the next of
its kind: all these places are kept in mind until a later line tells, so that one departure is one
fault and what follows is judged by what the script says next.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._nearmiss import Miss, diagnose, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from pop3scenarios import Reply, Script

#: Seconds for which what one connection says waits for what others have to do before. Long enough
#: for a client that is on its way, and so short that what a client fails with is the answer, which
#: says why, not a timeout of its own, which does not.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """What came has to wait until other connections have gone on.

    Attributes:
        before: The first step that must happen before, as the script has it.
    """

    before: str


class Conversation:
    """A script, how far each connection has come in it, and what its holes hold.

    Args:
        script: The script.
        file: The file in which it stands, as the user named it.
        line: The line of the file on which it begins.
        patience: Seconds for which what one connection says waits for others.

    Attributes:
        script: The script.
        patience: Seconds for which what one connection says waits for others.
        bindings: The holes bound so far, by name; the same on all connections.
        happened: The steps that have happened, by their number from 0.
    """

    def __init__(
        self, script: Script, file: str, line: int, *, patience: float | None = None
    ) -> None:
        self.script = script
        self.bindings: dict[str, str] = {}
        self.happened: set[int] = set()
        self.patience = PATIENCE if patience is None else patience
        self._given_up: set[int] = set()
        self._file = file
        self._first_line = line
        self._parts = [Part(self, name) for name in self.script.connections]
        self._come = 0

    @property
    def shared(self) -> bool:
        """Whether several connections take part in it."""
        return len(self._parts) > 1

    def anew(self) -> Conversation:
        """The same conversation from its beginning."""
        return Conversation(self.script, self._file, self._first_line, patience=self.patience)

    def join(self, wake: Callable[[], None]) -> Part | None:
        """A connection has come: the first takes the part that is named first.

        Args:
            wake: Called when another connection has gone on.

        Returns:
            Its part; None if the script has no further connection.
        """
        if self._come == len(self._parts):
            return None
        part = self._parts[self._come]
        part.wake = wake
        self._come += 1
        return part

    def one_too_many(self) -> Miss:
        """What to say of a connection that has no part."""
        names = ", ".join(f"[{part.name}]" for part in self._parts)
        return Miss(f"the script has only {names}", self.place(0))

    def never_came(self) -> list[Miss]:
        """What connections had to do that nobody has opened, if any has been opened."""
        if not self._come:
            return []
        owed = (part.unfinished() for part in self._parts[self._come :])
        return [
            Miss(f"the connection never came; due is {self.told(index)}", self.place(index))
            for index in owed
            if index is not None
        ]

    def others(self, part: Part) -> list[Part]:
        """The parts of the other connections."""
        return [other for other in self._parts if other is not part]

    def before(self, index: int, part: Part) -> int | None:
        """The first step of another connection that must happen before a step, and has not."""
        return min(self._owed_before(index, part) - self._given_up, default=None)

    def give_up(self, index: int, part: Part) -> None:
        """Wait no longer for what has to happen before a step."""
        self._given_up |= self._owed_before(index, part)

    def moved(self, part: Part) -> None:
        """A connection has gone on: the others may have waited for that."""
        for other in self.others(part):
            other.wake()

    def place(self, index: int) -> str:
        """The file and line of a step."""
        return f"{self._file}:{self._line(self.script.steps[index].row)}"

    def told(self, index: int) -> str:
        """A step as the script has it, but for a secret that is written out there."""
        return told(self.script, index)

    def bound_on(self) -> dict[str, int]:
        """The line of the file on which each hole was bound."""
        lines: dict[str, int] = {}
        for step in (self.script.steps[index] for index in sorted(self.happened)):
            items = zip((step.row, *step.rows), (step.expect, *step.reply.items), strict=True)
            for row, item in items:
                for hole in getattr(item, "holes", ()):
                    lines.setdefault(hole.name, self._line(row))
        return lines

    def _line(self, row: int) -> int:
        return self._first_line + row

    def _owed_before(self, index: int, part: Part) -> set[int]:
        return {i for other in self.others(part) for i in other.owed() if i < index}


class Part:
    """One connection's part in a conversation.

    Places in it are numbers of its own steps, from 0.

    Attributes:
        conversation: The whole conversation.
        name: The name of the connection in the script.
        steps: Its steps, with their numbers in the script.
        places: Where it can be, the likeliest place first.
        wake: Called when another connection has gone on.
        bindings: What holes hold in the exchange under way; new ones are put in here.
    """

    def __init__(self, conversation: Conversation, name: str) -> None:
        self.conversation = conversation
        self.name = name
        steps = enumerate(conversation.script.steps)
        self.steps = [(index, step) for index, step in steps if step.connection == name]
        self.places = [0]
        self.wake: Callable[[], None] = lambda: None
        self.bindings: MutableMapping[str, str] = conversation.bindings
        self._owes = False
        self._came_early: set[int] = set()
        self._held: int | None = None
        self._gone = False

    # What the client does

    def greeting(self) -> Reply | Held | None:
        """What the server says first; None if the script leaves that to the server."""
        return self._say(0) if self._speaks(0) else None

    def hear(self, line: str, shown: str) -> Reply | Held | Miss:
        """What to answer to a line.

        Args:
            line: The client's line, without its line end; the same again after it was held.
            shown: The line with its secrets masked.
        """
        if self._owes:
            return self._say(*self.places)
        found = [at for at in self.due() if self.match(at, line) is not None]
        if not found:
            miss = diagnose(self, line, shown)
            self._depart(miss)
            return miss
        at = next((at for at in found if self._waits_for(at) is None), found[0])
        bound = self.match(at, line) or {}
        shared = self.conversation.bindings
        # In an exchange that is repeated each time is a first time.
        self.bindings = ChainMap({}, shared) if self.steps[at][1].repeated else shared
        reply = self._say(at, *(self._behind(each) for each in found if each != at))
        if not isinstance(reply, Held):
            self.bindings.update(bound)
            if self._speaks(at + 1):
                self.places, self._owes = [at + 1, *self.places[1:]], True
                return self._say(*self.places)
        return reply

    def too_early(self) -> Miss:
        """What is held has waited long enough: what it waits for will not be waited for again."""
        assert self._held is not None
        script = self.conversation
        index, before = self.steps[self._held][0], self._waits_for(self._held)
        assert before is not None
        script.give_up(index, self)
        return Miss(
            f"{script.told(index)} has to wait for {script.told(before)} ({script.place(before)}),"
            " which did not come",
            script.place(index),
        )

    def left(self) -> Miss | None:
        """The client has gone away; tells what was still to come, or why it was too early."""
        script = self.conversation
        going = next((at for at in self.due() if self.steps[at][1].leaves), None)
        index = self.unfinished() if going is None else self.steps[going][0]
        waited = going if going is not None else self._held
        before = None if waited is None else self._waits_for(waited)
        self._gone = True
        script.moved(self)
        if index is None or (going is not None and before is None):
            return None
        why = f"the client went away before {script.told(index)}"
        if before is not None:
            why = f"{why}; {script.told(before)} ({script.place(before)}) has to come first"
        return Miss(why, script.place(index))

    # Where it stands

    def due(self) -> list[int]:
        """The places of the steps that may come now, the likeliest first."""
        return list(dict.fromkeys(at for place in self.places for at in self._window(place)))

    def match(self, at: int, line: str) -> dict[str, str] | None:
        """What the holes of a step would hold if a line is what it waits for."""
        expect = self.steps[at][1].expect
        return None if expect is None else expect.match(line, self.conversation.bindings)

    def unfinished(self) -> int | None:
        """The number of the first step that must still come; None if the client may stop here."""
        rests = [next(self._rest(place), None) for place in self.places]
        return None if rests[0] is None or None in rests else self.steps[rests[0]][0]

    def owed(self) -> Iterator[int]:
        """The numbers of the steps that this connection must still do."""
        rest = () if self._gone else self._rest(max(self.places))
        return (self.steps[at][0] for at in rest)

    def must_come(self, at: int) -> bool:
        """Whether the client may not leave a step out."""
        return self.steps[at][1].must_come and at not in self._came_early

    def _say(self, at: int, *others: int) -> Reply | Held:
        """What the server says at a step, once it may.

        Args:
            at: The step.
            others: Where the connection then is if the line was meant for another step.
        """
        index, step = self.steps[at]
        before = self._waits_for(at)
        if before is not None:
            self._held = at
            return Held(self.conversation.told(before))
        self._held, self._owes = None, False
        self.conversation.happened.add(index)
        self.places = list(dict.fromkeys([self._after(at), *others]))
        self.conversation.moved(self)
        return step.reply

    def _waits_for(self, at: int) -> int | None:
        """What has to happen on other connections before a step."""
        return self.conversation.before(self.steps[at][0], self)

    def _depart(self, miss: Miss) -> None:
        """The line was meant for a step that was due, or for a later one, or was one too many."""
        must_come = [self._behind(at) for at in self.due() if self.must_come(at)]
        self._came_early |= set(miss.meant) - set(self.due())
        meant = [self._behind(at) for at in miss.meant]
        self.places = list(dict.fromkeys([*meant, *self.places, *must_come]))
        self.conversation.moved(self)

    def _speaks(self, at: int) -> bool:
        """Whether a step is the greeting, or an answer that stands behind another connection's."""
        step = self.steps[at][1] if at < len(self.steps) else None
        return step is not None and step.expect is None and not step.leaves

    def _after(self, at: int) -> int:
        """The place behind a step; behind a repeated one it is the first of its group."""
        if not self.steps[at][1].repeated:
            return at + 1
        while at and self.steps[at - 1][1].repeated:
            at -= 1
        return at

    def _behind(self, at: int) -> int:
        """The place behind a step and an answer that is given later."""
        return self._after(at + 1 if self._speaks(at + 1) else at)

    def _window(self, place: int) -> Iterator[int]:
        """The steps that may come at a place: those that need not, and the first that must."""
        for at in range(place, len(self.steps)):
            yield at
            if self.must_come(at):
                return

    def _rest(self, place: int) -> Iterator[int]:
        """The steps that must still come from a place on."""
        return (at for at in range(place, len(self.steps)) if self.must_come(at))
