"""What is wrong with a scenario file, all of it at once.

::

    ScenarioError           the files named cannot be played; ``.problems`` says why
    └── UnknownScenario     no file has that name, or the file has no such variant
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Characters of a wrong value that a message shows.
_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at one place.

    Attributes:
        file: The file as the user named it.
        line: Line in the file, from 1.
        column: Column in the line, from 1.
        message: What was expected and what is there.
        suggestion: What to write instead; empty if there is no good guess.
        kind: ``error``, or the name of a warning.
    """

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    kind: str = "error"

    def __str__(self) -> str:
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class ScenarioError(ValueError):
    """A scenario cannot be played; nothing was started.

    Attributes:
        problems: Every problem found, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnknownScenario(ScenarioError):
    """No scenario, or no variant of it, has the name that was asked for."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        ScenarioError.__init__(self, ())
        self.args = (f"{message} ({suggestion})" if suggestion else message,)


def got(value: object) -> str:
    """What stands in a file where something else was expected, in a few words."""
    match value:
        case None:
            return "nothing"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case str() if len(value) > _SHOWN:
            return f"{value[:_SHOWN]!r}…"
    return repr(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt word.

    Args:
        word: What was written.
        known: What could have been meant.

    Returns:
        ``"did you mean 'x'?"``, or an empty string if nothing is close.
    """
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
