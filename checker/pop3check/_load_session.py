"""One session of an exercise of load: random commands, and what each has to be answered.

A generator of wants, see :mod:`._wants`: threads play it, and so does Locust.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Protocol, TypeVar

from ._dialogue import positive
from ._findings import Inconclusive
from ._load_rules import Broken, Rule
from ._load_view import View
from ._login import log_in
from ._talk import TRANSIENT, negative, unstuffed
from ._wants import AskTime, Lost, Pause
from ._wirelog import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from ._dialogue import Dialogue
    from ._facts import Facts
    from ._limits import Limits
    from ._load_maildrop import Maildrop, Visit
    from ._target import Target
    from ._wants import Wants

_Result = TypeVar("_Result")

_STAT = re.compile(r"\+OK ([0-9]{1,18}) ([0-9]{1,18})(?: |$)")
_SIZE = re.compile(r"([1-9][0-9]{0,8}) ([0-9]{1,18})(?: |$)")
_UID = re.compile(r"([1-9][0-9]{0,8}) ([\x21-\x7e]{1,70})(?: |$)")

#: A refusal for a reason that no other session has to do with (RFC 2449, RFC 3206).
_NOT_THE_LOCK = re.compile(r"-ERR \[(LOGIN-DELAY|SYS/TEMP|SYS/PERM|AUTH)\]", re.IGNORECASE)

#: Commands after the opening ones, at most.
_COMMANDS = 12

#: Memory limit: octets of messages that a session reads, as LIST has them.
_READ = 1 << 20

#: Seconds after which it is asked again whether all is over.
_SLICE = 0.25

#: Seconds to wait after a refusal, at most.
_BACK_OFF = 0.1


class Sink(Protocol):
    """Who hears what comes of a session."""

    def answered(self, command: str, seconds: float, octets: int) -> None:
        """A command was answered in full."""

    def refused(self, answer: str) -> None:
        """A login was refused, since somebody may have had the maildrop."""

    def noted(self, what: str) -> None:
        """Something was seen that the text allows, and that a client must be ready for."""


class Session:
    """One session.

    Args:
        target: Who logs in.
        facts: What is known of the server.
        limits: How far it may go.
        maildrop: What is known of the maildrop.
        dialogue: A connection, of which nothing is read yet.
        random: Makes all choices.
        sink: Hears what comes of it.
        is_over: Whether to come to an end.

    Attributes:
        asked: The command that was sent last.
    """

    def __init__(
        self,
        target: Target,
        facts: Facts,
        limits: Limits,
        maildrop: Maildrop,
        dialogue: Dialogue,
        random: Random,
        sink: Sink,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._target = target
        self._facts = facts
        self._limits = limits
        self._maildrop = maildrop
        self._dialogue = dialogue
        self._random = random
        self._sink = sink
        self._is_over = is_over
        self._view = View()
        self._left = _READ
        self.asked = "GREETING"

    def play(self) -> Wants[bool]:
        """The whole session.

        Returns:
            Whether it was let in.

        Raises:
            Broken: A rule is broken.
            Finding: What came is no POP3, or the server does not serve us.
            Breakdown: The world did not go on.
        """
        if not positive((yield from self._timed(self._dialogue.hello()))):
            raise Inconclusive(f"the greeting is no +OK: {self._dialogue.greeting}")
        if self._target.tls == "stls":
            self.asked = "STLS"
            yield from self._timed(self._dialogue.upgrade())
        if not (yield from self._await_turn()):
            yield from self._dialogue.leave()
            return False
        visit = self._maildrop.knock((yield from self._now()))
        closed = False
        try:
            closed = yield from self._visit(visit)
            return self._view.total is not None
        finally:
            # Not asked for here: a generator that is being closed may yield nothing more.
            self._maildrop.leave(visit, self._clock, closed=closed)

    def _await_turn(self) -> Wants[bool]:
        """Let pass what the server wants between two logins; gives whether there is time."""
        left = self._maildrop.wait((yield from self._now()))
        while left > 0:
            if self._is_over():
                return False
            yield Pause(min(left, _SLICE))
            left -= _SLICE
        return True

    def _visit(self, visit: Visit) -> Wants[bool]:
        """From the login on; gives whether the server has closed the connection itself."""
        self.asked = "LOGIN"
        answer = yield from self._timed(self._log_in())
        if not positive(answer):
            return (yield from self._turned_away(visit, answer))
        self._maildrop.enter(visit)
        yield from self._open(visit)
        for _ in range(self._random.randint(0, _COMMANDS)):
            if self._is_over():
                break
            yield from self._random.choice(self._choices())()
        return (yield from self._end(visit))

    def _log_in(self) -> Wants[str]:
        answer = yield from log_in(self._dialogue, self._target, self._facts.way)
        if not positive(answer):
            self.asked = "LOGIN -ERR"  # how long a refusal takes is a matter of its own
        return answer

    def _turned_away(self, visit: Visit, answer: str) -> Wants[bool]:
        if not negative(answer):
            raise Broken(Rule.REPLY, "+OK or -ERR to the login", printable(answer))
        shown = printable(self._dialogue.log.masked(answer))
        if _NOT_THE_LOCK.match(answer):
            raise Inconclusive(f"no login: {shown}")
        self._maildrop.refuse(visit, shown)
        self._sink.refused(shown)
        self.asked = "QUIT"
        yield from self._dialogue.leave()
        yield Pause(self._random.uniform(0, _BACK_OFF))
        return True

    # What is asked

    def _open(self, visit: Visit) -> Wants[None]:
        """In any order, what the session finds."""
        opening = [self._stat, self._list]
        if self._facts.uidl:
            opening.append(self._uidl)
        self._random.shuffle(opening)
        for ask in opening:
            yield from ask()
        if self._facts.uidl:
            uids = self._view.uids
            self._maildrop.see(visit, set(uids.values()))
            for number, uid in uids.items():
                self._maildrop.size(uid, self._view.sizes[number])

    def _choices(self) -> list[Callable[[], Wants[None]]]:
        """What may be asked now; what is there twice is asked twice as often."""
        view = self._view
        choices = [self._noop, self._stat, self._list, self._rset, self._missing]
        if self._facts.uidl:
            choices += [self._uidl]
        if view.numbers:
            choices += [self._list_one] + [self._uidl_one] * bool(self._facts.uidl)
        if self._readable():
            choices += [self._retr] * 3 + [self._top] * bool(self._facts.top)
        if self._deletable():
            choices += [self._dele] * 3
        if view.marked:
            choices += [self._marked] * 2
        return choices

    def _readable(self) -> list[int]:
        # RFC 2449, section 6.7: such a server may remove what was retrieved.
        if self._facts.announces("EXPIRE 0"):
            return []
        sizes = self._view.sizes
        return [number for number in sorted(self._view.numbers) if sizes[number] <= self._left]

    def _deletable(self) -> list[int]:
        if not self._limits.may_mark or not self._facts.uidl:
            return []
        every, uids = self._limits.any_message, self._view.uids
        numbers = sorted(self._view.numbers)
        return [n for n in numbers if every or uids[n] in self._maildrop.own]

    def _noop(self) -> Wants[None]:
        yield from self._accepted("NOOP")

    def _stat(self) -> Wants[None]:
        answer = yield from self._accepted("STAT")
        found = _STAT.match(answer)
        if found is None:
            raise Broken(Rule.REPLY, "+OK, a count and octets", printable(answer))
        self._view.stat(int(found[1]), int(found[2]))

    def _list(self) -> Wants[None]:
        found = yield from self._listing("LIST", _SIZE)
        self._view.listing({number: int(size) for number, size in found.items()})

    def _uidl(self) -> Wants[None]:
        self._view.unique((yield from self._listing("UIDL", _UID)))

    def _list_one(self) -> Wants[None]:
        number = self._any(self._view.numbers)
        self._view.size(number, int((yield from self._one(f"LIST {number}", _SIZE))))

    def _uidl_one(self) -> Wants[None]:
        number = self._any(self._view.numbers)
        self._view.uid(number, (yield from self._one(f"UIDL {number}", _UID)))

    def _retr(self) -> Wants[None]:
        number = self._random.choice(self._readable())
        message = yield from self._message(f"RETR {number}", number)
        self._left -= self._view.sizes[number]
        if message is not None and self._facts.uidl:
            digest = hashlib.sha256(message).digest()
            self._maildrop.content(self._view.uids[number], digest)

    def _top(self) -> Wants[None]:
        number = self._random.choice(self._readable())
        yield from self._message(f"TOP {number} {self._random.randint(0, 3)}", number)
        self._left -= self._view.sizes[number]

    def _dele(self) -> Wants[None]:
        number = self._random.choice(self._deletable())
        if (yield from self._exists(f"DELE {number}", number)):
            self._view.mark(number)

    def _rset(self) -> Wants[None]:
        yield from self._accepted("RSET")
        self._view.reset()

    def _marked(self) -> Wants[None]:
        """A marked message is not there for this session."""
        command = self._random.choice(["LIST", "RETR", "DELE"])
        yield from self._refused(f"{command} {self._any(self._view.marked)}", Rule.MARKS)

    def _missing(self) -> Wants[None]:
        assert self._view.total is not None
        yield from self._refused(f"LIST {self._view.total + 1}", Rule.VIEW)

    # How it ends

    def _end(self, visit: Visit) -> Wants[bool]:
        if self._may_quit() and self._random.random() < _BY_QUIT:
            return (yield from self._quit(visit))
        self.asked = "DROP"
        self._maildrop.begin_end(visit)
        yield from self._dialogue.drop(reset=self._random.random() < _BY_RESET)
        return False

    def _may_quit(self) -> bool:
        """Also what RSET has unmarked counts: whether RSET works is one of the questions."""
        if not self._view.touched:
            return True
        own = {self._view.uids[number] for number in self._view.touched} <= self._maildrop.own
        return own and self._limits.allow("destructive")

    def _quit(self, visit: Visit) -> Wants[bool]:
        view = self._view
        self._maildrop.begin_end(visit, frozenset(view.uids[number] for number in view.marked))
        answer = yield from self._ask("QUIT")
        if positive(answer):
            self._maildrop.deleted(visit)
        elif not negative(answer):
            raise Broken(Rule.REPLY, "+OK or -ERR to QUIT", printable(answer))
        else:
            self._sink.noted("QUIT was answered -ERR")
        try:
            yield from self._dialogue.end("the end of the connection")
        except Lost:
            self._sink.noted("QUIT was followed by a reset")
        return True

    # How it is asked

    def _any(self, numbers: set[int]) -> int:
        return self._random.choice(sorted(numbers))

    def _ask(self, line: str) -> Wants[str]:
        self.asked = line.split(" ", 1)[0]
        return (yield from self._timed(self._dialogue.ask(line)))

    def _accepted(self, line: str) -> Wants[str]:
        answer = yield from self._ask(line)
        if not positive(answer):
            _temporary(answer)
            raise Broken(Rule.REPLY, f"+OK to {line}", printable(answer))
        return answer

    def _refused(self, line: str, rule: Rule) -> Wants[None]:
        answer = yield from self._ask(line)
        if not negative(answer):
            raise Broken(rule, f"-ERR to {line}", printable(answer))

    def _exists(self, line: str, number: int) -> Wants[bool]:
        """Ask about a message of this session; gives whether it is still there to be had."""
        answer = yield from self._ask(line)
        return self._is_there(line, number, answer)

    def _is_there(self, line: str, number: int, answer: str) -> bool:
        if positive(answer):
            return True
        # Without a lock the octets may be gone; number and unique-id must stay all the same.
        if negative(answer) and self._is_gone(number):
            self._sink.noted(f"{self.asked} of a message that another session deleted: -ERR")
            return False
        _temporary(answer)
        raise self._vanished(line, number, answer)

    def _vanished(self, line: str, number: int, answer: str) -> Broken:
        return Broken(self._view.rule({number}), f"+OK to {line}", printable(answer))

    def _is_gone(self, number: int) -> bool:
        uid = self._view.uids.get(number)
        return uid is not None and self._maildrop.may_be_gone(uid)

    def _one(self, line: str, form: re.Pattern[str]) -> Wants[str]:
        answer = yield from self._ask(line)
        if negative(answer):
            _temporary(answer)
            raise self._vanished(line, int(line.split(" ")[1]), answer)
        found = form.match(answer.removeprefix("+OK").lstrip(" "))
        if found is None or found[1] != line.split(" ")[1]:
            raise Broken(Rule.REPLY, f"+OK, number and value to {line}", printable(answer))
        return found[2]

    def _listing(self, command: str, form: re.Pattern[str]) -> Wants[dict[int, str]]:
        self.asked = command
        lines = yield from self._timed(self._lines(command))
        found: dict[int, str] = {}
        for line in lines:
            match = form.match(line)
            if match is None or int(match[1]) in found:
                raise Broken(Rule.REPLY, f"a number once, and its value, by {command}", line)
            found[int(match[1])] = match[2]
        return found

    def _lines(self, command: str) -> Wants[list[str]]:
        answer = yield from self._dialogue.ask(command)
        if not positive(answer):
            _temporary(answer)
            raise Broken(Rule.REPLY, f"+OK to {command}", printable(answer))
        return (yield from self._dialogue.listing(f"the lines of {command}"))

    def _message(self, line: str, number: int) -> Wants[bytes | None]:
        self.asked = line.split(" ", 1)[0]
        return (yield from self._timed(self._octets(line, number)))

    def _octets(self, line: str, number: int) -> Wants[bytes | None]:
        answer = yield from self._dialogue.ask(line)
        if not self._is_there(line, number, answer):
            return None
        data = yield from self._dialogue.message("the message and its terminator")
        yield from self._dialogue.octets(3, "the terminator")
        return unstuffed(data)

    def _now(self) -> Wants[float]:
        self._clock = float((yield AskTime()))
        return self._clock

    def _timed(self, wants: Wants[_Result]) -> Wants[_Result]:
        """Ask, and tell how long the answer took, from the first octet sent to the last heard."""
        began = yield from self._now()
        result = yield from wants
        octets = len(result) if isinstance(result, bytes | str) else 0
        self._sink.answered(self.asked, (yield from self._now()) - began, octets)
        return result


#: How often a session ends by QUIT, and how often by a reset if not.
_BY_QUIT, _BY_RESET = 0.8, 0.5


def _temporary(answer: str) -> None:
    """Raise what ends the session, if a refusal says that it is a matter of the moment."""
    if TRANSIENT.match(answer):
        raise Inconclusive(f"refused for the moment: {printable(answer)}")
