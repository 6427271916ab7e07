"""An expected conversation beside the one that came, line by line."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

from pop3scenarios import (
    End,
    LineErrors,
    Script,
    StartTLS,
    Template,
    asked,
    difference,
    parse_script,
)

from ._conversation import Conversation
from ._escaping import escaped
from ._masking import RESPONSE
from ._nearmiss import Miss, responds, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pop3scenarios import LineError, Step

    from ._connection_log import ConnectionLog
    from ._conversation import Part
    from ._turns import Turn

#: How the lines of an expected conversation are named.
_TEXT = "line"

#: So many lines that are the same are shown before and behind what is not.
_AROUND = 3


class Row(NamedTuple):
    """One line of two conversations side by side.

    Attributes:
        mark: A space if both have it, ``-`` if it was expected, ``+`` if it came, ``?`` if it says
            how they differ.
        text: The line.
    """

    mark: str
    text: str


def expected_script(text: str) -> Script:
    """The conversation that a test expects.

    Args:
        text: The conversation, in the line language.

    Raises:
        ValueError: It is wrong, spells out a secret, or asks for what a journal does not keep.
    """
    body = dedent(text).strip("\n")
    try:
        script = parse_script(body)
    except LineErrors as errors:
        raise ValueError("; ".join(map(_wrong, errors.errors))) from None
    for index, step in enumerate(script.steps):
        _check_secret(script, index)
        for row, item in zip(step.rows, step.reply.items, strict=True):
            if not isinstance(item, Template | End | StartTLS):
                raise ValueError(
                    f"line {row + 1}: expected S: and a line, <starttls>, or how the server ended "
                    f"the connection, got {body.splitlines()[row].strip()}, which no journal tells"
                )
    return script


def _wrong(error: LineError) -> str:
    hint = f" ({error.suggestion})" if error.suggestion else ""
    return f"line {error.row + 1}: {error.message}{hint}"


def _check_secret(script: Script, index: int) -> None:
    step = script.steps[index]
    if step.expect is None:
        return
    try:
        asked(step.expect)
    except ValueError as error:
        raise ValueError(f"line {step.row + 1}: {error}") from None
    if responds(script, index) and step.expect.match(RESPONSE, {}) is None:
        raise ValueError(
            f"line {step.row + 1}: expected C: {RESPONSE}, or C: ..., behind a SASL challenge: "
            "secrets are not kept"
        )


def compare(script: Script, logs: Sequence[ConnectionLog]) -> list[str]:
    """What differs between an expected conversation and the one that came.

    Args:
        script: The conversation that is expected.
        logs: The connections, in the order in which the script names them.

    Returns:
        The two side by side; nothing if they do not differ.

    Raises:
        ValueError: The script asks for more of an answer than is kept.
    """
    bindings: dict[str, str] = {}
    lines: list[str] = []
    differs = False
    for at, name in enumerate(script.connections):
        own = Script(script.source, tuple(s for s in script.steps if s.connection == name))
        log = logs[at] if at < len(logs) else None
        rows = _Comparison(own, bindings).rows(log)
        differs = differs or any(row.mark != " " for row in rows)
        lines += [f"[{name}]"] if name else []
        lines += side_by_side(rows)
    return lines if differs else []


def side_by_side(rows: Sequence[Row], around: int = _AROUND) -> list[str]:
    """Rows as lines; of those that are the same, only some around what is not.

    Args:
        rows: The rows.
        around: How many that are the same are shown before and behind what is not.
    """
    near = {
        each
        for at, row in enumerate(rows)
        if row.mark != " "
        for each in range(at - around, at + around + 1)
    }
    lines: list[str] = []
    hidden = 0
    for at, row in enumerate(rows):
        if at not in near:
            hidden += 1
            continue
        lines += _hidden(hidden)
        hidden = 0
        lines.append(f"{row.mark} {row.text}".rstrip())
    return lines + _hidden(hidden)


def _hidden(count: int) -> list[str]:
    return [f"  … {count} the same"] if count else []


class _Comparison:
    """One connection held against its part of a conversation.

    Args:
        script: The part.
        bindings: What holes hold; it is added to.
    """

    def __init__(self, script: Script, bindings: dict[str, str]) -> None:
        conversation = Conversation(script, _TEXT, 1)
        conversation.bindings = bindings
        part = conversation.join(lambda: None)
        assert part is not None  # a script has at least one
        self._script = script
        self._conversation = conversation
        self._part: Part = part
        self._part.bindings = bindings
        self._next = 0
        self._rows: list[Row] = []
        self._beyond: list[Row] = []

    def rows(self, log: ConnectionLog | None) -> list[Row]:
        """The two conversations side by side.

        Args:
            log: The connection; None if it never came.
        """
        for turn in log.turns() if log is not None else ():
            self._hear(turn)
        if log is not None and log.ended_by == "client" and log.ended != "quit":
            self._left()
        if self._beyond or self._part.unfinished() is not None:
            self._catch_up(len(self._script.steps))
        return self._rows

    def _hear(self, turn: Turn) -> None:
        line = turn.line
        heard = self._part.greeting() if line is None else self._part.hear(line, line)
        if heard is None:
            return  # the greeting is left out
        early = self._early(heard, turn)
        if early is not None:
            self._match(early, turn)
        elif isinstance(heard, Miss):
            self._beyond.append(Row("+", f"C: {turn.shown}"))
            self._beyond.append(Row("?", heard.why))
            self._beyond += [Row("+", f"S: {escaped(line)}") for line in turn.answer[:1]]
        else:
            steps = enumerate(self._script.steps)
            self._match(next(at for at, step in steps if step.reply is heard), turn)

    def _early(self, heard: object, turn: Turn) -> int | None:
        """The step that a line is, with all that stands before it left out; None if it is not."""
        if turn.line is None or not isinstance(heard, Miss):
            return None
        for at in heard.meant:
            found = self._part.match(at, turn.line)
            if found is not None:
                self._beyond.append(Row("?", heard.why))
                self._part.bindings.update(found)
                return at
        return None

    def _match(self, at: int, turn: Turn) -> None:
        """A step has happened."""
        if self._beyond:  # else whatever was left out may be, or was taken for something before
            self._catch_up(at)
        self._next = at + 1
        if turn.line is not None:
            self._rows.append(Row(" ", f"C: {turn.shown}"))
        self._answer(self._script.steps[at], turn)

    def _left(self) -> None:
        """The client went away without QUIT."""
        going = [i for i in range(self._next, len(self._script.steps)) if self._leaves(i)]
        if going and not self._owed(going[0]):
            self._catch_up(going[0])
            self._rows.append(Row(" ", "C: <close>"))
            self._next = going[0] + 1

    def _leaves(self, at: int) -> bool:
        return self._script.steps[at].leaves

    def _owed(self, end: int) -> list[int]:
        """The steps up to another one that had to come, and did not."""
        return [at for at in range(self._next, end) if self._script.steps[at].must_come]

    def _catch_up(self, end: int) -> None:
        """Show what was expected up to a step, and what came in its place."""
        for at in self._owed(end):
            step = self._script.steps[at]
            if step.expect is not None or step.leaves:
                shown = told(self._script, at).removeprefix(f"[{step.connection}] ")
                self._rows.append(Row("-", shown))
            self._rows += [Row("-", _line(item)) for item in step.reply.items]
        self._rows += self._beyond
        self._beyond = []

    # The server's side

    def _answer(self, step: Step, turn: Turn) -> None:
        came = list(turn.answer)
        for row, item in zip(step.rows, step.reply.items, strict=True):
            if not came and turn.cut:
                raise ValueError(
                    f"line {row + 1}: of an answer its first {turn.kept} octets are kept; "
                    "leave out what is behind them"
                )
            self._rows += self._compared(item, came.pop(0) if came else None)

    def _compared(self, item: object, line: str | None) -> Iterator[Row]:
        if line is None:
            yield Row("-", _line(item))
            return
        why = self._unlike(item, line)
        if why is None:
            yield Row(" ", f"S: {escaped(line)}")
            return
        yield Row("-", _line(item))
        yield Row("+", f"S: {escaped(line)}")
        if why:
            yield Row("?", why)

    def _unlike(self, item: object, line: str) -> str | None:
        """Why a line is another one than was expected; None if it is not."""
        if not isinstance(item, Template):
            return None if _line(item) == f"S: {line}" else ""
        bindings = self._part.bindings
        found = item.match(line, bindings)
        if found is not None:
            bindings.update(found)
            return None
        return escaped(difference(item, line, bindings, self._conversation.bound_on()))


def _line(item: object) -> str:
    match item:
        case Template(source=source):
            return f"S: {source}"
        case End(how):
            return f"S: <{how}>"
        case _:
            return "S: <starttls>"
