"""What a case says to a server and hears from it: the verbs in which cases are written.

Each verb that speaks or hears is a generator of wants; see :mod:`._wants`. One that returns has
got what it had to get; if it does not get it, it raises the finding that ends the case.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ._dialogue import Dialogue, positive
from ._findings import Inconclusive, Skipped, Unmet
from ._limits import Limits
from ._login import log_in
from ._seeding import SeedingError
from ._verdict import Ending
from ._wants import AskTime, Handshake, Lost, On, Pause
from ._wirelog import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._facts import Facts
    from ._target import Target
    from ._verdict import Outcome
    from ._wants import Wants
    from ._wirelog import WireLog

_USUAL = Handshake()

#: Digits that a message number has at most.
_DIGITS = 9
_Value = TypeVar("_Value")

#: What is nobody's password.
WRONG = "wrong-on-purpose"

#: How often a login is tried that meets the lock of a session which has just been dropped, and
#: seconds between.
_ATTEMPTS, _BETWEEN_ATTEMPTS = 20, 0.25

#: Refusals that say nothing about the server's conduct (RFC 2449, section 8.1; RFC 3206).
TRANSIENT = re.compile(r"-ERR \[(IN-USE|LOGIN-DELAY|SYS/TEMP)\]", re.IGNORECASE)


class Talk:
    """The connections of one case, and where it stands.

    Args:
        target: Who logs in.
        facts: What is known of the server.
        log: Where every line is written down.
        limits: How far the case may go.
        begun: The connection on which it begins, if that is open already.

    Attributes:
        target: Who logs in.
        facts: What is known of the server.
        limits: How far the case may go.
        place: Where the case stands, ``file:line``; empty if it stands in no file.
        expected: What is waited for.
        asked: The command that was sent last.
        dialogues: What is said on each connection, by its name.
        on: The name of the connection on which it goes on.
        over: Connections that have been ended.
        owed: Whether the server has promised what is waited for, by its last reply.
        ending: How the connection ended, if all came as it had to.
        notes: What was observed, where nothing is required.
        deleted: Unique-ids of messages that were deleted on purpose.
        answer: What the login that was tried last was answered.
        seed: Puts messages into the maildrop; None if there is no way to.
        deletes: Whether the case lets QUIT delete: only messages of the run's own.
        may_delete_others: Whether QUIT may delete messages of others: a user's file says so.
        guards: Whether DELE is sent only for messages that may be marked; who plays a conversation
            word by word, or has a model of its own, sees to that otherwise.
        settled: Whether the connection that was made last has greeted, and begun TLS if it had to.
    """

    def __init__(
        self,
        target: Target,
        facts: Facts,
        log: WireLog,
        limits: Limits | None = None,
        begun: Dialogue | None = None,
    ) -> None:
        self.target = target
        self.facts = facts
        self.limits = limits or Limits()
        self._log = log
        self.dialogues: dict[str, Dialogue] = {}
        if begun is not None:
            begun.log = log
            self.dialogues[""] = begun
        self.on = ""
        self.over: set[str] = set()
        self.place = ""
        self.expected = "a greeting"
        self.asked = "GREETING"
        self.owed = False
        self.ending = Ending.OURS
        self.notes: list[str] = []
        self.answer = ""
        self.deletes = False
        self.may_delete_others = False
        self.guards = True
        self.settled = True
        self.seed: Callable[[list[bytes]], None] | None = None
        self.deleted: set[str] = set()

    @property
    def dialogue(self) -> Dialogue:
        """The connection on which it goes on."""
        return self.dialogues[self.on]

    @property
    def marked(self) -> set[str]:
        """Connections on which DELE was sent: they must not be left by QUIT."""
        return {name for name, dialogue in self.dialogues.items() if dialogue.marked}

    # Connections

    def turn_to(self, connection: str) -> Wants[None]:
        """From here on everything is said on this connection; it may be one that is to be made."""
        self.on = connection
        yield On(connection)

    def connect(
        self,
        connection: str = "",
        *,
        implicit: bool | None = None,
        how: Handshake = _USUAL,
        secure: bool = True,
        greeted: bool = True,
        port: int | None = None,
    ) -> Wants[None]:
        """Open a connection, read its greeting, and begin TLS where the target wants it.

        Args:
            connection: Its name, which is new.
            implicit: Whether TLS begins with the first octet; None: as the target has it.
            how: How TLS is agreed upon then.
            secure: Whether STLS is sent where the target wants it.
            greeted: Whether the greeting is read.
            port: The port; None: the target's.

        Raises:
            Inconclusive: The server does not greet with +OK, or refuses STLS.
        """
        self.asked, self.expected, self.on = "GREETING", "a greeting", connection
        self.settled = False
        yield On(connection, implicit, how, port)
        self.dialogues[connection] = Dialogue(self.target, self._log, connection, implicit=implicit)
        if not greeted:
            self.settled = True
            return
        if not positive((yield from self.dialogue.hello())):
            raise Inconclusive(f"the greeting is no +OK: {self.dialogue.greeting}")
        if secure and self.target.tls == "stls":
            yield from self.dialogue.upgrade()
        self.settled = True

    def log_in(self) -> Wants[None]:
        """Log in as the target's user.

        Raises:
            Inconclusive: The server refuses.
        """
        if not (yield from self.logs_in()):
            raise Inconclusive(f"no login: {self.answer}")

    def logs_in(self) -> Wants[bool]:
        """Whether the server lets the target's user in now."""
        self.asked, self.expected = "PASS", "the answer to the login"
        self.answer = yield from log_in(self.dialogue, self.target, self.facts.way)
        return positive(self.answer)

    def wrong_login(self) -> Wants[str]:
        """Try to log in with a wrong password; gives the answer."""
        self.asked, self.expected = "PASS", "the answer to a wrong password"
        stranger = replace(self.target, password=WRONG)
        self.answer = yield from log_in(self.dialogue, stranger, self.facts.way)
        return self.answer

    def enter(self, connection: str) -> Wants[None]:
        """Open a connection and log in."""
        yield from self.connect(connection)
        yield from self.log_in()

    def quit(self) -> Wants[None]:
        """Leave by QUIT, and wait for the end of the connection.

        Raises:
            Skipped: Messages are marked, and may not be deleted.
        """
        self.may_quit()
        yield from self.accepted("QUIT")
        yield from self.closed()

    def may_quit(self) -> None:
        """Make sure that QUIT deletes nothing that may not be deleted.

        Raises:
            Skipped: Messages are marked, and may not be deleted.
        """
        strangers = self.dialogue.strangers and not self.may_delete_others
        if self.dialogue.marked and (strangers or not self.limits.allow("destructive")):
            raise Skipped("QUIT would delete the messages that are marked")

    def may_delete(self, line: str) -> Wants[None]:
        """Make sure that DELE marks what the run may mark, and not what has taken its number.

        Raises:
            Skipped: It may not, or the maildrop has changed since the run looked at it.
        """
        if not self.limits.may_mark:
            raise Skipped("it marks messages as deleted, which was not allowed")
        word = line.partition(" ")[2].strip()
        if not self.guards:
            return
        number = int(word) if word.isascii() and word.isdecimal() and len(word) <= _DIGITS else 0
        if number not in self.facts.sizes:
            return  # of no message: it has to be refused
        own = number in self.facts.fixtures.values()
        if not own and not self.limits.any_message:
            raise Skipped(f"message {number} is none of the run's own (--any-message)")
        self.dialogue.strangers = self.dialogue.strangers or not own
        if not self.dialogue.marked and not (yield from self._is_still(number)):
            raise Skipped(f"message {number} is another one than when the run began")

    def _is_still(self, number: int) -> Wants[bool]:
        """Whether a number stands for the message that it stood for when the run looked."""
        uid = self.facts.uids.get(number)
        if uid is not None:
            answer = yield from self.dialogue.ask(f"UIDL {number}")
            if positive(answer):
                return answer.split(" ")[-1] == uid
        answer = yield from self.dialogue.ask(f"LIST {number}")
        return not positive(answer) or answer.split(" ")[-1] == str(self.facts.sizes[number])

    def drop(self, *, reset: bool = False) -> Wants[None]:
        """Close the connection without QUIT; by RST if wanted."""
        self.over.add(self.on)
        yield from self.dialogue.drop(reset=reset)

    def hang_up(self) -> Wants[None]:
        """Stop sending, and wait until the server has closed."""
        self.over.add(self.on)
        yield from self.dialogue.hang_up()

    def closed(self) -> Wants[None]:
        """The server closes, and says nothing before.

        Raises:
            Unmet: It says something, or does not close.
        """
        self.expected = "the end of the connection"
        self.over.add(self.on)
        try:
            yield from self.dialogue.end(self.expected)
            self.ending = Ending.CLOSED
        except Lost:
            self.ending = Ending.RESET  # an end all the same

    def tls_version(self) -> Wants[str]:
        """The version of TLS; empty without."""
        return (yield from self.dialogue.tls_version())

    # What is said

    def send(self, line: str, *, secret: bool = False) -> Wants[None]:
        """Send a line.

        Raises:
            Skipped: It would do what the run may not do.
        """
        self.asked = line.split(" ", 1)[0].upper()
        self.expected = f"the answer to {self.asked}"
        if self.asked == "QUIT":
            self.may_quit()
        if self.asked == "DELE":
            yield from self.may_delete(line)
            self.asked, self.expected = "DELE", "the answer to DELE"
        yield from self.dialogue.send(line, secret=secret)

    def send_octets(
        self, data: bytes, expected: str = "an answer", *, secret: bool = False
    ) -> Wants[None]:
        """Send octets as they are; what they are answered with is read by :meth:`line`."""
        self.expected = expected
        yield from self.dialogue.send_octets(data, secret=secret)

    def pause(self, seconds: float) -> Wants[None]:
        """Let time pass."""
        yield Pause(seconds)

    def now(self) -> Wants[float]:
        """Seconds that only rise."""
        return float((yield AskTime()))

    # What is heard

    def line(self, expected: str = "") -> Wants[str]:
        """The next line, without its line end."""
        self.expected = expected or self.expected
        return (yield from self.dialogue.line(self.expected))

    def silent(self, seconds: float | None = None) -> Wants[None]:
        """Nothing comes.

        Args:
            seconds: How long; None: as the limits say.

        Raises:
            Unmet: Something comes, or the server closes.
        """
        self.expected = "silence"
        came = yield from self.dialogue.silent(self.limits.quiet if seconds is None else seconds)
        if came is not None:
            raise Unmet("silence", repr(came)[1:] if came else "the end of the connection")

    # Commands

    def ask(self, line: str, *, secret: bool = False) -> Wants[str]:
        """Send a line; gives the first line of the answer, whatever it is."""
        yield from self.send(line, secret=secret)
        answer = yield from self.line()
        self.facts.answered.add(self.asked)
        if positive(answer):
            self.unmark()
        return answer

    def unmark(self) -> None:
        """After RSET nothing is marked, where the server is known to keep to that."""
        if self.asked == "RSET" and self.facts.resets:
            self.dialogue.marked = False

    def respond(self, response: str, *, secret: bool = False) -> Wants[str]:
        """Send a line of a SASL exchange, which is not shown; gives the answer.

        Args:
            response: Base64, or ``*`` to call the exchange off.
            secret: Whether the password can be read from it.
        """
        yield from self.dialogue.respond(response, secret=secret)
        return (yield from self.line("the answer to a response"))

    def accepted(self, line: str, *, secret: bool = False) -> Wants[str]:
        """Send a line that must be answered +OK; gives that answer."""
        answer = yield from self.ask(line, secret=secret)
        self.require(positive(answer), f"+OK to {_shown(line, secret=secret)}", answer)
        return answer

    def refused(self, line: str, *, secret: bool = False) -> Wants[str]:
        """Send a line that must be answered -ERR; gives that answer."""
        answer = yield from self.ask(line, secret=secret)
        self.require(negative(answer), f"-ERR to {_shown(line, secret=secret)}", answer)
        return answer

    def lines(self, command: str) -> Wants[list[str]]:
        """Send a command that must be answered by +OK and lines; gives these, unstuffed."""
        yield from self.accepted(command)
        return (yield from self.listing())

    def listing(self) -> Wants[list[str]]:
        """The lines that follow a +OK, up to the terminator, unstuffed."""
        self.owed = True
        listed = yield from self.dialogue.listing(f"the lines of {self.asked}")
        self.owed = False
        return [line.removeprefix(".") for line in listed]

    def message(self, command: str) -> Wants[bytes]:
        """Send RETR or TOP, which must be accepted; gives the octets of the message, unstuffed.

        Raises:
            Unmet: A line that begins with a dot has no second one.
        """
        yield from self.accepted(command)
        return (yield from self.rest_of_message())

    def rest_of_message(self) -> Wants[bytes]:
        """What follows the +OK of RETR or TOP: the octets of the message, unstuffed.

        Raises:
            Unmet: A line that begins with a dot has no second one.
        """
        self.owed = True
        data = yield from self.dialogue.message("the message and its terminator")
        yield from self.dialogue.octets(3, "the terminator")
        self.owed = False
        return unstuffed(data)

    def stat(self) -> Wants[tuple[int, int]]:
        """The count and the octets of STAT.

        Raises:
            Unmet: They are not there.
        """
        answer = yield from self.accepted("STAT")
        found = re.match(r"\+OK ([0-9]{1,18}) ([0-9]{1,18})(?: |$)", answer)
        if found is None:
            raise Unmet("+OK, a count and octets", answer)
        return int(found[1]), int(found[2])

    def sizes(self) -> Wants[dict[int, int]]:
        """What LIST says of each message, by its number.

        Raises:
            Unmet: A line has another form.
        """
        pairs = yield from self._pairs("LIST", r"([0-9]{1,18})")
        return Listed("LIST", {int(number): int(size) for number, size in pairs})

    def uids(self) -> Wants[dict[int, str]]:
        """What UIDL says of each message, by its number.

        Raises:
            Unmet: A line has another form.
        """
        pairs = yield from self._pairs("UIDL", r"([\x21-\x7e]+)")
        return Listed("UIDL", {int(number): uid for number, uid in pairs})

    def uids_again(self, connection: str = "again") -> Wants[dict[int, str]]:
        """What UIDL says in a new session, after the one before was ended.

        The server may take its time to let go of the maildrop: a login that is refused because
        somebody is still in is tried again, within reason.
        """
        yield from self.reenter(connection)
        return (yield from self.uids())

    def reenter(self, connection: str = "again") -> Wants[None]:
        """Log in on a new connection, after the one before was ended.

        Args:
            connection: Its name.

        Raises:
            Inconclusive: The server does not let us in.
        """
        for attempt in range(_ATTEMPTS):
            yield from self.connect(f"{connection}{attempt or ''}")
            if (yield from self.logs_in()):
                return
            if not TRANSIENT.match(self.answer):
                break
            yield from self.drop()
            yield from self.pause(_BETWEEN_ATTEMPTS)
        raise Inconclusive(f"no login: {self.answer}")

    def _pairs(self, command: str, what: str) -> Wants[list[tuple[str, str]]]:
        pairs = []
        for line in (yield from self.lines(command)):
            found = re.match(rf"([1-9][0-9]{{0,8}}) {what}(?: |$)", line)
            if found is None:
                raise Unmet(f"lines of {command}: a number, a space, the value", printable(line))
            pairs.append((found[1], found[2]))
        return pairs

    # Judging

    def require(
        self, holds: bool, expected: str, actual: object, *, grade: Outcome | None = None
    ) -> None:
        """End the case unless something holds.

        Args:
            holds: Whether it does.
            expected: What has to be.
            actual: What is.
            grade: The outcome if it does not, where it is not the one that the case has for it.

        Raises:
            Unmet: It does not hold.
        """
        if not holds:
            shown = actual if isinstance(actual, str) else repr(actual)
            raise Unmet(expected, printable(shown), grade=grade)

    def note(self, what: str) -> None:
        """Write down an observation, of which the text requires nothing."""
        self.notes.append(printable(what))

    # The run's own messages

    def own(self, count: int = 1) -> list[int]:
        """Numbers of messages that may be marked as deleted.

        Raises:
            Skipped: There are not so many.
        """
        numbers = sorted(self.facts.fixtures.values())
        if self.limits.any_message and not self.deletes:
            numbers += [number for number in sorted(self.facts.sizes) if number not in numbers]
        if len(numbers) < count:
            raise Skipped(
                f"precondition: {count} messages of the run's own; there are {len(numbers)}"
            )
        return numbers[:count]

    def deliver(self, message: bytes) -> None:
        """Have a message delivered while the session goes on.

        Raises:
            Skipped: There is no way to.
        """
        if self.seed is None:
            raise Skipped("there is no way to deliver mail (--seed-…)")
        try:
            self.seed([message])
        except SeedingError as error:
            raise Inconclusive(str(error)) from None

    def fixture(self, name: str) -> int:
        """The number of one of the run's own messages.

        Raises:
            Skipped: It is not there.
        """
        if name not in self.facts.fixtures:
            raise Skipped(f"precondition: the message {name!r} of the run's own is not there")
        return self.facts.fixtures[name]


class Listed(dict[int, _Value]):
    """What a listing says of each message; one of which it says nothing ends the case.

    Args:
        command: What was asked.
        lines: What was said, by the number of the message.
    """

    def __init__(self, command: str, lines: dict[int, _Value]) -> None:
        super().__init__(lines)
        self._command = command

    def __missing__(self, number: int) -> _Value:
        raise Unmet(f"a line of {self._command} for message {number}", f"{len(self)} lines, not it")


def has_ended(error: Unmet | Lost) -> bool:
    """Whether what came instead of an answer is the end of the connection: by FIN, or by RST."""
    return isinstance(error, Lost) or error.closed


def negative(line: str) -> bool:
    """Whether a status line is ``-ERR``."""
    return line == "-ERR" or line.startswith("-ERR ")


def unstuffed(data: bytes) -> bytes:
    """A message as it was before its lines that begin with a dot got another one.

    Raises:
        Unmet: One of them has none (RFC 1939, section 3).
    """
    lines = data.split(b"\r\n")
    bare = next((line for line in lines if line[:1] == b"." and line[:2] != b".."), None)
    if bare is not None:
        raise Unmet("a second dot before every dot that begins a line", repr(bare)[1:])
    return b"\r\n".join(line.removeprefix(b".") for line in lines)


def _shown(line: str, *, secret: bool) -> str:
    return line.split(" ", 1)[0] if secret else printable(line)
