"""The verdict upon one case."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._wirelog import WireLine


class Outcome(enum.Enum):
    """How a case came out; what is not met is graded by the case itself."""

    PASS = "PASS"  # noqa: S105 - an outcome, no password
    NON_STRICT = "NON-STRICT"
    """Departs from the text, but legally or harmlessly."""
    INFO = "INFO"
    """Worth knowing; no departure."""
    FAIL = "FAIL"
    """Breaks the requirement."""
    SKIP = "SKIP"
    """Not judged: a precondition, a capability or the caller's leave is missing."""
    ERROR = "ERROR"
    """Not judged: the network, the login or the case itself broke."""


class Ending(enum.Enum):
    """How the connection of a case ended; apart from the verdict."""

    NONE = "not connected"
    OURS = "ended by the checker"
    CLOSED = "closed by the server when it had to"
    EARLY = "closed by the server too early"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case. No secret is in it.

    Attributes:
        case: The permanent id of the case, or the name of the scenario.
        title: What the case is about, in one line.
        outcome: How it came out.
        requirement: What the server has to do.
        references: Where that is said: RFC sections, reports.
        expected: What had to come where the conversation went wrong.
        actual: What came instead.
        reason: Why the case was skipped or is inconclusive.
        step: Place in the scenario file, ``file:line``.
        ending: How the connection ended.
        wire: Every line exchanged, secrets masked.
        level: How strongly the text asks for it.
        security: Whether somebody could be harmed if it is not met.
        why: Why the requirement matters.
        notes: What was observed, where nothing is required.
        seconds: How long it took.
    """

    case: str
    title: str
    outcome: Outcome
    requirement: str
    references: tuple[str, ...] = ()
    expected: str = ""
    actual: str = ""
    reason: str = ""
    step: str = ""
    ending: Ending = Ending.NONE
    wire: tuple[WireLine, ...] = ()
    level: str = ""
    security: bool = False
    why: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
