"""A scenario's script from the client's side: its ``C:`` lines are sent, its ``S:`` lines judged.

The steps are played in the order in which they stand, whatever their connections; a connection is
made at its first step. Exchanges ``C*:`` are played for each message of the maildrop.

A line ``S: ...`` stands for any further lines: behind a status line for any lines at all, behind
another line for more of the same form, up to what the next line of the script describes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import End, MessageData, Octets, StartTLS, Template

from ._dialogue import Dialogue, deletes, positive
from ._findings import Inconclusive, Skipped, Unmet
from ._fixtures import on_wire
from ._login import apop_digest
from ._mail import is_whole, states_mail, wire_form
from ._sasl import plain
from ._talk import TRANSIENT, Talk, unstuffed
from ._wirelog import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3scenarios import Hole, Scenario, Script, Step

    from ._facts import Facts
    from ._limits import Limits
    from ._target import Target
    from ._wants import Wants
    from ._wirelog import WireLog

#: The capability that announces a command; commands of RFC 1939 that every server has need none.
_ANNOUNCED_BY = {
    "TOP": "TOP",
    "UIDL": "UIDL",
    "USER": "USER",
    "PASS": "USER",
    "STLS": "STLS",
    "AUTH": "SASL",
    "UTF8": "UTF8",
    "LANG": "LANG",
}
_ALWAYS = frozenset({"STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "QUIT"})

#: Messages for which exchanges ``C*:`` are played at most: a maildrop can hold very many.
_AT_MOST = 20

#: Holes that hold the number of the message for which an exchange is repeated.
_REPEATED_HOLES = ("n", "number")

#: Holes that hold the number of a message that exists.
_NUMBER_HOLES = frozenset({"n", "number", "count"})

_STATUS = frozenset({"+OK", "-ERR"})
_LOGINS = frozenset({"PASS", "APOP", "AUTH"})
#: Holes that hold the numbers of messages that may be marked as deleted.
_OWN_HOLES = {"mine": 1, "mine2": 2}


class Conversation(Talk):
    """One script, on as many connections as it has.

    Args:
        scenario: The scenario; it has a script.
        target: Who logs in.
        facts: What is known of the server.
        log: Where every line is written down.
        limits: How far it may go.
        begun: The connection on which it begins, if its script begins in a state.
    """

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        facts: Facts,
        log: WireLog,
        limits: Limits | None = None,
        begun: Dialogue | None = None,
    ) -> None:
        super().__init__(target, facts, log, limits, begun)
        assert scenario.script is not None
        self._scenario = scenario
        self._script: Script = scenario.script
        self._bindings: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._lines = 0
        self.place = self._place(0)

    def play(self) -> Wants[None]:
        """The whole conversation; returns if the server did all that it has to.

        Raises:
            Finding: It ends before its last line.
        """
        for group in _groups(self._script.steps):
            if not group[0].repeated:
                yield from self._step(group[0])
                continue
            shared = self._bindings
            for repetition in self._repetitions(group):
                self._bindings = {**shared, **repetition}
                for step in group:
                    yield from self._step(step)
            self._bindings = shared

    def _step(self, step: Step) -> Wants[None]:
        greets = step.connection not in self.dialogues and step.expect is None and not step.leaves
        if step.connection != self.on or not self.dialogues:
            yield from self.turn_to(step.connection)
        if step.connection not in self.dialogues:
            yield from self._begin(step if greets else None)
        if step.leaves:
            yield from self._hang_up(step)
        elif step.expect is not None:
            yield from self._exchange(step)
        elif not greets and self.on not in self._left_out:
            yield from self._hear(step)  # an answer that was owed

    def _begin(self, greeting: Step | None) -> Wants[None]:
        """The greeting, and TLS where the target wants it and the script does not say it."""
        self.asked = "GREETING"
        self.dialogues[self.on] = Dialogue(self.target, self._log, self.on)
        if greeting is not None:
            yield from self._hear(greeting)
        elif not positive((yield from self.dialogue.line("a greeting"))):
            raise Inconclusive("the greeting is no +OK")
        if self.target.tls == "stls" and not self._starts_tls():
            yield from self.dialogue.upgrade()

    def _exchange(self, step: Step) -> Wants[None]:
        if step.must_come or self._is_offered(step):
            self._left_out.discard(self.on)
            yield from self._say(step)
            yield from self._hear(step)
            self.unmark()
        else:
            self._left_out.add(self.on)

    def _hang_up(self, step: Step) -> Wants[None]:
        self.place = self._place(step.row)
        self.expected = "the end of the connection"
        self.over.add(self.on)
        yield from self.dialogue.hang_up()

    def _repetitions(self, group: Iterable[Step]) -> Iterator[dict[str, str]]:
        """What the holes of repeated exchanges hold each time: once for each message."""
        names = {hole.name for step in group if step.expect for hole in step.expect.holes}
        numbers = [name for name in _REPEATED_HOLES if name in names - self._bindings.keys()]
        times = min(self.facts.count or 0, _AT_MOST if numbers else 1)
        return ({name: str(n) for name in numbers} for n in range(1, times + 1))

    def _starts_tls(self) -> bool:
        return any(isinstance(item, StartTLS) for s in self._script.steps for item in s.reply.items)

    def _is_offered(self, step: Step) -> bool:
        assert step.expect is not None
        keyword = step.expect.keyword
        if keyword == "CAPA":
            return bool(self.facts.capabilities)
        if keyword == "APOP":
            return "stamp" in self._bindings
        capability = _ANNOUNCED_BY.get(keyword)
        return self.facts.announces(capability) if capability else keyword in _ALWAYS

    # The client's lines

    def _say(self, step: Step) -> Wants[None]:
        assert step.expect is not None
        self.place = self._place(step.row)
        line = step.expect.fill(self._value_of)
        if deletes(line):
            yield from self.may_delete(line)
        if step.expect.keyword == "QUIT":
            self.may_quit()
        secret = any(hole.name in ("password", "plain") for hole in step.expect.holes)
        self.asked = step.expect.keyword
        self.expected = f"the answer to {self.asked}"
        yield from self.dialogue.send(line, secret=secret)

    def _value_of(self, hole: Hole) -> str:
        value = self._known(hole.name)
        if value is None:
            value = hole.example
        if value is None and hole.name in ("user", "password"):
            raise Skipped("no user and password were given")
        if value is None:
            raise Inconclusive(f"nothing says what {{{hole.name}}} holds, and it has no example")
        return self._bindings.setdefault(hole.name, value)

    def _known(self, name: str) -> str | None:
        if name in self._bindings:
            return self._bindings[name]
        if name in ("user", "password"):
            return getattr(self.target, name) or None
        stamp = name.replace("digest", "stamp")  # digest_2 goes with stamp_2
        if name.startswith("digest") and stamp in self._bindings:
            return apop_digest(self._bindings[stamp], self.target.password)
        if name == "plain" and self.target.password:
            return plain(self.target.user, self.target.password)
        if name == "missing" and self.facts.count is not None:
            return str(self.facts.count + 1)
        if name in _OWN_HOLES:
            return str(self.own(_OWN_HOLES[name])[-1])
        if name in self._fixtures:
            return str(self.fixture(name))
        return None

    @property
    def _fixtures(self) -> tuple[str, ...]:
        case = self._scenario.file.case
        return case.fixtures if case is not None else ()

    # The server's lines

    def _hear(self, step: Step) -> Wants[None]:
        before: Template | None = None
        self._lines = 0
        for i, item in enumerate(step.reply.items):
            self.place = self._place(step.rows[i])
            self.owed = i > 0  # the first line of a reply promises the rest
            match item:
                case Template():
                    if _stands_for_more(item):
                        after = step.reply.items[i + 1 : i + 2]
                        yield from self._more(before, after[0] if after else None)
                    else:
                        yield from self._line(item)
                        before = item
                case MessageData():
                    yield from self._message(item)
                case Octets():
                    yield from self._octets(item.data)
                case StartTLS():
                    self.expected = "a TLS handshake"
                    yield from self.dialogue.start_tls()
                case End():
                    yield from self.closed()
                case _:
                    raise Skipped(f"only a mock can act out {type(item).__name__}")
        self.owed = False
        self.facts.answered.add(self.asked)

    def _line(self, template: Template) -> Wants[None]:
        self.expected = self._shown(template)
        line = yield from self._next_line()
        bound = _match(template, line, self._bindings)
        if bound is not None:
            self._bindings.update(bound)
            return
        if line == "." and self._lines == 2 and self._is_empty(template):
            raise Skipped("precondition: the maildrop is empty")
        if self.asked in _LOGINS and TRANSIENT.match(line):
            raise Inconclusive(f"no login now: {line}")
        raise Unmet(self.expected, printable(line))

    def _next_line(self) -> Wants[str]:
        self._lines += 1
        return (yield from self.dialogue.line(self.expected))

    def _is_empty(self, template: Template) -> bool:
        """Whether a listing may lack this line because there is no message at all."""
        first = template.parts[0] if template.parts else ""
        about_a_message = not isinstance(first, str) and first.name in _NUMBER_HOLES
        return about_a_message and self.facts.count == 0

    def _more(self, before: Template | None, after: object) -> Wants[None]:
        """Lines that ``...`` stands for; the line that ends them is left to be read."""
        if not isinstance(after, Template):
            raise Inconclusive("a line of ... needs a line behind it that says where it ends")
        form = None if before is None or before.keyword in _STATUS else before
        self.expected = self._shown(after)
        if form is not None:
            self.expected = f"more lines of the form {form.source!r}, then {self.expected}"
        while not self._ends(after, line := (yield from self._next_line())):
            if form is not None and _match(form, line, {}) is None:
                raise Unmet(self.expected, printable(line))
        self._lines -= 1
        self.dialogue.unread(line)

    def _ends(self, after: Template, line: str) -> bool:
        return line == "." or _match(after, line, self._bindings) is not None

    def _message(self, item: MessageData) -> Wants[None]:
        self.expected = f"message {item.number}, dot-stuffed, and its terminator"
        data = yield from self.dialogue.message(self.expected)
        message = unstuffed(data)
        stored = self._stored(item.number)
        if stored is not None and not (self._is_own(item.number) and is_whole(stored, message)):
            _compare(stored, message)

    def _stored(self, number: int | str) -> bytes | None:
        """The message as the scenario's own maildrop has it, or the run's own, if it is one."""
        if isinstance(number, str) and self._is_own(number):
            return on_wire(number, self.facts.run)
        if not states_mail(self._scenario):
            return None
        mail = wire_form(self._scenario, self.target.user)
        at = int(self._bindings.get(number, "0") if isinstance(number, str) else number)
        return mail[at - 1] if 0 < at <= len(mail) else None

    def _is_own(self, number: int | str) -> bool:
        return isinstance(number, str) and number in self._fixtures

    def _octets(self, data: bytes) -> Wants[None]:
        self.expected = f"the octets {data!r}"
        came = yield from self.dialogue.octets(len(data), self.expected)
        if came != data:
            raise Unmet(self.expected, repr(came))

    # Where and what

    def _place(self, row: int) -> str:
        return f"{self._scenario.shown}:{self._scenario.script_line + row}"

    def _shown(self, template: Template) -> str:
        """What a line has to be, with the holes that are bound already filled in."""
        line = template.fill(lambda h: self._bindings.get(h.name, f"{{{h.name}:{h.type}}}"))
        return f"{line} ..." if template.open_ended else line


def _groups(steps: Iterable[Step]) -> list[list[Step]]:
    """The steps one by one, but repeated ones that stand together in one group."""
    groups: list[list[Step]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        joins = step.repeated and last is not None and last.repeated
        if joins and last is not None and last.connection == step.connection:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _match(template: Template, line: str, bindings: dict[str, str]) -> dict[str, str] | None:
    if template.keyword in _STATUS and not line.startswith(template.keyword):
        return None  # RFC 1939, section 3: status indicators are in upper case
    return template.match(line, bindings)


def _stands_for_more(template: Template) -> bool:
    return template.open_ended and not template.parts


def _compare(stored: bytes, came: bytes) -> None:
    # A server may put trace fields in front (RFC 5321, section 4.4), and nothing else anywhere.
    if came.endswith(stored):
        return
    pairs = enumerate(zip(stored, came, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(stored), len(came)))
    raise Unmet(
        f"the message as it was stored, {len(stored)} octets",
        f"{len(came)} octets, other from octet {at} on: {came[at : at + 20]!r}",
    )
