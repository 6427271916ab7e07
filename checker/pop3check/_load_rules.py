"""What many sessions on one maildrop may rely on: the rules that an exercise of load holds."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


class Rule(Enum):
    """A rule, what it asks for, and where that is said.

    Attributes:
        requirement: What has to be, in one sentence.
        section: Where it is said.
    """

    requirement: str
    section: str

    def __new__(cls, value: str, requirement: str, section: str) -> Self:
        """Make a member with what it asks for."""
        member = object.__new__(cls)
        member._value_ = value
        member.requirement = requirement
        member.section = section
        return member

    LOCK = "lock", "a maildrop has one session at a time", "RFC 1939, section 4"
    RELEASE = "release", "a session that has ended lets the next one in", "RFC 1939, section 6"
    DENSE = "dense", "a session numbers its messages from 1 without a gap", "RFC 1939, section 4"
    VIEW = "view", "what others do changes nothing in a session", "RFC 1939, section 4"
    MARKS = (
        "marks",
        "a marked message is out of the session, and no other is",
        "RFC 1939, section 5",
    )
    RESET = "reset", "RSET takes all marks away", "RFC 1939, section 5"
    KEPT = "kept", "what no QUIT has deleted stays, with its unique-id", "RFC 1939, section 6"
    GONE = "gone", "what QUIT has deleted does not come back", "RFC 1939, section 6"
    UNIQUE = "unique", "two messages have two unique-ids", "RFC 1939, section 7"
    CONTENT = "content", "a unique-id stands for the same octets for ever", "RFC 1939, section 7"
    REPLY = "reply", "each command is answered, and in the form that it has", "RFC 1939, section 3"


class Broken(Exception):
    """A rule is broken.

    Args:
        rule: Which one.
        expected: What had to come.
        actual: What came.
    """

    def __init__(self, rule: Rule, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.rule = rule
        self.expected = expected
        self.actual = actual


#: So many of a set are named in a message.
_NAMED = 5


def named(items: set[str] | set[int]) -> str:
    """The first few of a set, and how many more there are."""
    first = ", ".join(map(str, sorted(items)[:_NAMED])) or "none"
    more = len(items) - _NAMED
    return first if more <= 0 else f"{first} and {more} more"
