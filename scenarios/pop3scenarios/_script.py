"""Replies of several lines, and whole conversations, in the line language."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from ._actions import Action, Default, End, Octets, is_action, parse_action
from ._lines import LineError, Template, parse_line

#: One line of a reply: text to send, or something to do.
Item = Template | Action

_LINE = re.compile(r"(?:\[(?P<name>\w+)\] ?)?(?:(?P<mark>S|C[?*]?):(?: )?)?")
_MARKS = "'S:', 'C:', 'C?:' or 'C*:', or an <action>"


class LineErrors(ValueError):
    """Every line of a text that is wrong; see :class:`LineError`."""

    def __init__(self, errors: list[LineError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes over the wire in answer to one command, exactly as it was written.

    Attributes:
        source: The text as it was written.
        items: Its lines.
    """

    source: str
    items: tuple[Item, ...]

    @property
    def positive(self) -> bool:
        """Whether the first thing sent is ``+OK``: then the command took effect."""
        return self._status == "+OK"

    @property
    def challenges(self) -> bool:
        """Whether the first thing sent is ``+``: a SASL challenge (RFC 5034, section 4)."""
        return self._status == "+"

    @property
    def by_default(self) -> bool:
        """Whether ``<default>`` is the first thing sent: then it says whether it took effect."""
        spoken = (item for item in self.items if isinstance(item, Template | Octets | Default))
        return isinstance(next(spoken, None), Default)

    @property
    def _status(self) -> str:
        for item in self.items:
            if isinstance(item, Template):
                return item.keyword
            if isinstance(item, Octets):
                return item.data.split(None, 1)[0].decode("latin-1") if item.data.strip() else ""
        return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange of a conversation.

    Attributes:
        row: Line of the script, from 0, on which the step stands.
        expect: The client's line; None if the server speaks by itself (the greeting), gives an
            answer that it owed while another connection went on, or if the client goes away.
        reply: What the server says.
        rows: Line of the script on which each item of the reply stands.
        connection: The name of its connection; empty in a script that names none.
        optional: ``C?:``: the client may leave the exchange out.
        repeated: ``C*:``: the exchange may come any number of times.
        leaves: ``C: <close>``: the client goes away without QUIT.
    """

    row: int
    expect: Template | None
    reply: Reply
    rows: tuple[int, ...] = ()
    connection: str = ""
    optional: bool = False
    repeated: bool = False
    leaves: bool = False

    @property
    def source(self) -> str:
        """What the step waits for, as the script has it: ``[A] C: STAT``."""
        name = f"[{self.connection}] " if self.connection else ""
        if self.leaves:
            return f"{name}C: <close>"
        if self.expect is None:
            return f"{name}S: {self.reply.source.partition(chr(10))[0] or '<…>'}"
        return f"{name}C: {self.expect.source}"

    @property
    def must_come(self) -> bool:
        """Whether the conversation is not complete without it."""
        return not self.optional and not self.repeated


@dataclass(frozen=True)
class Script:
    """A whole conversation, on one connection or on several at once.

    Attributes:
        source: The text as it was written.
        steps: Its exchanges, in the order in which they happen, whatever their connections.
    """

    source: str
    steps: tuple[Step, ...]

    @cached_property
    def connections(self) -> tuple[str, ...]:
        """The names of the connections in the order in which they come; ``("",)`` if unnamed."""
        return tuple(dict.fromkeys(step.connection for step in self.steps))


def parse_reply(text: str) -> Reply:
    """Parse the text of a ``reply:``; lines may carry ``S:`` in front.

    Raises:
        LineErrors: Some lines are wrong; each says where.
    """
    errors: list[LineError] = []
    items: list[Item] = []
    for row, line in enumerate(text.removesuffix("\n").split("\n")):
        body = line[2:].removeprefix(" ") if line.startswith("S:") else line
        try:
            items.append(_item(body))
        except LineError as error:
            errors.append(_at(error, row, len(line) - len(body)))
    if errors:
        raise LineErrors(errors)
    return Reply(text, tuple(items))


def parse_script(text: str) -> Script:
    """Parse a ``script:``.

    Its lines begin ``S:``, ``C:``, ``C?:`` or ``C*:``, or are actions, or blank; where there are
    several connections, each begins with the name of its own: ``[A] C: STAT``.

    Raises:
        LineErrors: Some lines are wrong; each says where.
    """
    parser = _ScriptParser()
    for row, line in enumerate(text.removesuffix("\n").split("\n")):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            parser.line(row, line)
        except LineError as error:
            parser.errors.append(_at(error, row, 0))
    parser.flush()
    if not parser.steps and not parser.errors:
        parser.errors.append(LineError("the script is empty"))
    if parser.errors:
        raise LineErrors(parser.errors)
    return Script(text, tuple(parser.steps))


_NOTHING = Reply("", ())


class _ScriptParser:
    """Cuts the lines of a script to steps; a step ends where the client speaks or another does."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.errors: list[LineError] = []
        self._last: dict[str, Step] = {}
        self._named: bool | None = None
        self._step: Step | None = None
        self._items: list[Item] = []
        self._rows: list[int] = []

    def line(self, row: int, line: str) -> None:
        found = _LINE.match(line)
        assert found is not None  # each part of it may be missing
        mark, body, column = found["mark"], line[found.end() :], found.end()
        if mark is None and not is_action(body):
            raise LineError(f"expected a line beginning {_MARKS}", len(line) - len(line.lstrip()))
        connection = found["name"] or ""
        self._check_name(connection)
        try:
            if mark is None or mark == "S":
                self._server(row, connection, body)
            else:
                self._client(row, connection, mark, body)
        except LineError as error:
            raise _at(error, row, column) from None

    def flush(self) -> None:
        """The step under way is complete."""
        if self._step is None:
            return
        source = "\n".join(getattr(item, "source", "") for item in self._items)
        reply = Reply(source, tuple(self._items))
        step = replace(self._step, reply=reply, rows=tuple(self._rows))
        self.steps.append(step)
        self._last[step.connection] = step
        self._step, self._items, self._rows = None, [], []

    def _check_name(self, connection: str) -> None:
        if self._named is None:
            self._named = bool(connection)
        if self._named is not bool(connection):
            raise LineError(
                "either every line names its connection or none does", 0, "write [A] C: …"
            )

    def _client(self, row: int, connection: str, mark: str, body: str) -> None:
        self.flush()
        self._check_there(connection)
        # The step begins although its line may be wrong: what follows it is not wrong as well.
        self._step = Step(
            row, None, _NOTHING, (), connection, optional=mark == "C?", repeated=mark == "C*"
        )
        if not is_action(body):
            self._step = replace(self._step, expect=parse_line(body))
        elif parse_action(body) == End("close") and mark == "C":
            self._step = replace(self._step, leaves=True)
        else:
            raise LineError(
                "all that a client can do beside talking is C: <close>", 0, "begin it with S:"
            )

    def _server(self, row: int, connection: str, body: str) -> None:
        if self._step is None or self._step.connection != connection:
            self.flush()
            asked = self._last.get(connection)
            self._check_owed(connection)
            self._step = Step(
                row,
                None,
                _NOTHING,
                (),
                connection,
                optional=asked is not None and asked.optional,
                repeated=asked is not None and asked.repeated,
            )
        self._check_there(connection)
        self._items.append(_item(body))
        self._rows.append(row)

    def _check_there(self, connection: str) -> None:
        last = self._step or self._last.get(connection)
        if last is not None and last.leaves:
            raise LineError("nothing can follow here: the client has gone away")

    def _check_owed(self, connection: str) -> None:
        last = self._last.get(connection)
        if last is not None and last.reply.items:
            raise LineError(
                f"the answer of [{connection}] was begun before another connection's lines",
                0,
                "put the whole answer here, or the whole answer there",
            )


def _item(body: str) -> Item:
    return parse_action(body) if is_action(body) else parse_line(body)


def _at(error: LineError, row: int, column: int) -> LineError:
    return LineError(error.message, error.column + column, error.suggestion, row)
