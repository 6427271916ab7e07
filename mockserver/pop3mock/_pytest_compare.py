"""What pytest says of a comparison with what clients did: two conversations side by side."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pop3scenarios import MASK, split_secret

from ._comparison import Row, side_by_side
from ._queries import Commands, Queries
from ._transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: pytest cuts what is longer than eight lines, so that little is shown of what is the same.
_AROUND = 2


def explain(left: object, right: object) -> list[str] | None:
    """Why two things are not equal, of which one tells what clients did.

    Args:
        left: One of them.
        right: The other.

    Returns:
        The explanation; None if neither of them does.
    """
    for came, expected in ((left, right), (right, left)):
        if isinstance(came, Queries) and isinstance(expected, list):
            return _explain_commands(Commands(came.asked()), expected)
        if isinstance(came, Commands) and isinstance(expected, list):
            return _explain_commands(came, expected)
        if isinstance(came, Transcript) and isinstance(expected, str):
            return _explain_transcript(came, expected)
    return None


def _explain_commands(came: Commands, expected: Sequence[object]) -> list[str] | None:
    if not all(isinstance(line, str) for line in expected):
        return None
    lines = [str(line) for line in expected]
    rows = list(_commands(came, lines))
    first = next((i for i, pair in enumerate(zip(came, lines, strict=False)) if pair[0] != pair[1]),
                 min(len(came), len(lines)))  # fmt: skip
    head = f"commands differ from number {first + 1} on (- expected, + came)"
    return [head, *side_by_side(rows, _AROUND)]


def _commands(came: Commands, expected: Sequence[str]) -> Iterator[Row]:
    """The commands that were expected and those that came, these with their answers."""
    masked = [_masked(line) for line in expected]
    for kind, start, end, first, last in SequenceMatcher(None, masked, came, False).get_opcodes():
        if kind == "equal":
            for at in range(end - start):
                yield from _came(came, first + at, masked[start + at] == expected[start + at])
            continue
        yield from (Row("-", f"C: {line}") for line in masked[start:end])
        for at in range(first, last):
            yield Row("+", f"C: {came[at]}")
            yield from _answer(came, at)


def _came(came: Commands, at: int, as_expected: bool) -> Iterator[Row]:
    yield Row(" " if as_expected else "+", f"C: {came[at]}")
    if not as_expected:
        yield Row("?", f"a secret was expected, and is not kept: write {came[at]!r}")
    yield from _answer(came, at)


def _answer(came: Commands, at: int) -> Iterator[Row]:
    if came.replies[at]:
        yield Row(" ", f"S: {came.replies[at]}")


def _masked(line: str) -> str:
    """A command as the journal has it."""
    words, secret = split_secret(line)
    return f"{words} {MASK}" if secret else line


def _explain_transcript(came: Transcript, expected: str) -> list[str]:
    """The lines that differ, whatever their times, which are never the same again."""
    old, new = (Transcript(text).timeless() for text in (expected, came))
    if old == new:
        why = "transcripts differ in their times and addresses alone"
        return [f"{why}: compare journal.commands, or call assert_conversation"]
    rows: list[Row] = []
    for kind, start, end, first, last in SequenceMatcher(None, old, new, False).get_opcodes():
        if kind == "equal":
            rows += [Row(" ", line) for line in new[first:last]]
        else:
            rows += [Row("-", line) for line in old[start:end]]
            rows += [Row("+", line) for line in new[first:last]]
    return ["transcripts differ (- expected, + came; without their times)",
            *side_by_side(rows, _AROUND)]  # fmt: skip
