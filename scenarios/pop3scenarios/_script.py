"""Replies of several lines, and whole conversations, in the line language."""

from __future__ import annotations

from dataclasses import dataclass

from ._actions import Action, Default, Octets, is_action, parse_action
from ._lines import LineError, Template, parse_line

#: One line of a reply: text to send, or something to do.
Item = Template | Action


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
        expect: The client's line; None for what the server says first (the greeting).
        optional: ``C?:``: the client may leave the exchange out.
        reply: What the server says.
    """

    row: int
    expect: Template | None
    optional: bool
    reply: Reply


@dataclass(frozen=True, slots=True)
class Script:
    """A whole conversation on one connection."""

    source: str
    steps: tuple[Step, ...]


def parse_reply(text: str) -> Reply:
    """Parse the text of a ``reply:``; lines may carry ``S:`` in front.

    Raises:
        LineErrors: Some lines are wrong; each says where.
    """
    errors: list[LineError] = []
    items: list[Item] = []
    for row, line in enumerate(text.removesuffix("\n").split("\n")):
        body = line[2:].removeprefix(" ") if line.startswith("S:") else line
        _parse_item(body, row, len(line) - len(body), items, errors)
    if errors:
        raise LineErrors(errors)
    return Reply(text, tuple(items))


def parse_script(text: str) -> Script:
    """Parse a ``script:``: lines beginning ``S:``, ``C:`` or ``C?:``, actions, and blank lines.

    Raises:
        LineErrors: Some lines are wrong; each says where.
    """
    parser = _ScriptParser()
    for row, line in enumerate(text.removesuffix("\n").split("\n")):
        parser.line(row, line)
    parser.flush()
    if not parser.steps and not parser.errors:
        parser.errors.append(LineError("the script is empty"))
    if parser.errors:
        raise LineErrors(parser.errors)
    return Script(text, tuple(parser.steps))


class _ScriptParser:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.errors: list[LineError] = []
        self.row = 0
        self.expect: Template | None = None
        self.optional = False
        self.items: list[Item] = []

    def line(self, row: int, line: str) -> None:
        if not line.strip() or line.startswith("#"):
            return
        mark, colon, rest = line.partition(":")
        body = rest.removeprefix(" ")
        column = len(line) - len(body)
        if colon and mark == "S":
            _parse_item(body, row, column, self.items, self.errors)
        elif colon and mark in ("C", "C?"):
            self.flush()
            self.row, self.optional = row, mark == "C?"
            try:
                self.expect = parse_line(body)
            except LineError as error:
                self.errors.append(_at(error, row, column))
        elif is_action(line):
            _parse_item(line, row, 0, self.items, self.errors)
        else:
            self.errors.append(
                LineError(
                    "expected a line beginning 'S:', 'C:' or 'C?:', or an <action>",
                    len(line) - len(line.lstrip()),
                    row=row,
                )
            )

    def flush(self) -> None:
        if self.expect is not None or self.items:
            source = "\n".join(getattr(item, "source", "") for item in self.items)
            reply = Reply(source, tuple(self.items))
            self.steps.append(Step(self.row, self.expect, self.optional, reply))
        self.expect, self.optional, self.items = None, False, []


def _parse_item(
    body: str, row: int, column: int, items: list[Item], errors: list[LineError]
) -> None:
    try:
        items.append(parse_action(body) if is_action(body) else parse_line(body))
    except LineError as error:
        errors.append(_at(error, row, column))


def _at(error: LineError, row: int, column: int) -> LineError:
    return LineError(error.message, error.column + column, error.suggestion, row)
