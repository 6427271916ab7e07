"""A rule: one departure from what the RFC-correct server would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from ._actions import Ending
from ._fields import (
    EVENTS,
    Announcement,
    Dribbling,
    Line,
    Number,
    Occurrences,
    Outcomes,
    Patterns,
    Replies,
    Seconds,
    Section,
    State,
)
from ._holes import Hole
from ._occasions import ACCEPTED
from ._values import Nth

if TYPE_CHECKING:
    from ._lines import Template


class Source(BaseModel):
    """Where a rule stands: the scenario's name, its file as the user named it, and the line."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.scenario}:{self.line}"


# Of a rule that stands in no file. All share it; a plain default would be copied for each rule.
_NOWHERE = Source(scenario="", file="", line=0)


class Rule(Section):
    """One departure from what the RFC-correct server would do."""

    when: Patterns = Field(
        description=(
            "The command, optionally with arguments and holes; '*' for any; or an event: greeting, "
            "response, autologout, disconnect, overlong, partial, handshake-failed."
        )
    )
    state: State | None = Field(default=None, description="Only in this state of the session.")
    tls: bool | None = Field(
        default=None, description="Only inside TLS (yes), or only outside it (no)."
    )
    user: str | None = Field(
        default=None,
        description="Only once this user name was given; '*' for any.",
        examples=["alice"],
    )
    arguments: Number | None = Field(
        default=None, description="Only with so many arguments: 0, 2.., 1..2."
    )
    mechanism: str | None = Field(
        default=None,
        description="Only in a SASL exchange of this mechanism, AUTH itself included.",
        examples=["CRAM-MD5"],
    )
    outcome: Outcomes | None = Field(
        default=None,
        description="Only where the RFC-correct answer is this: ok, refused, or why it is refused.",
    )
    pipelined: bool | None = Field(
        default=None,
        description="Only where more from the client was there already, behind this command.",
    )
    marked: bool | None = Field(
        default=None,
        description="Only where messages are marked as deleted, or only where none is.",
    )
    nth: Occurrences | None = Field(
        default=None, description="Only these occurrences, from 1: 2, 2.., 2..4, [1, 3]."
    )
    scope: Literal["connection", "in-a-row", "user", "server"] = Field(
        default="connection",
        description=(
            "What nth counts over; in-a-row: on a connection, from the start after anything else."
        ),
    )
    as_: Line | None = Field(
        default=None,
        alias="as",
        description="The command that this one is taken for; then the other rules are asked.",
        examples=["RETR 1"],
    )
    reply: Replies | None = Field(
        default=None, description="The whole answer, in the line language."
    )
    text: Line | None = Field(
        default=None,
        description="Text behind +OK; empty for a bare +OK.",
        examples=["{octets} octets", ""],
    )
    error: Line | None = Field(
        default=None,
        description="Text behind -ERR when the answer is a refusal.",
        examples=["[IN-USE] maildrop already locked"],
    )
    octets: Announcement | None = Field(
        default=None,
        description=(
            "The size announced: omitted, +37, 200%, rounded 1024, lf, crcrlf, stored, unended, "
            "body, or any text."
        ),
    )
    entry: Line | None = Field(
        default=None,
        description="Form of a LIST or UIDL line: '{number} {uid}'.",
        examples=["{number} {uid}"],
    )
    stuffing: bool | None = Field(
        default=None, description="off: lines that begin with a dot go out bare."
    )
    eol: Literal["crlf", "lf", "crcrlf", "lf-lines", "stored"] | None = Field(
        default=None,
        description=(
            "Line ends: lf in the whole answer; crcrlf or those that are stored, in a message; "
            "lf-lines: as a server sends it that knows lines by LF alone: a stored CRLF becomes "
            "CR CR LF, and the empty line that TOP looks for is LF LF."
        ),
    )
    blank_line: Literal["double"] | bool | None = Field(
        default=None,
        description=(
            "off: TOP of a message that is all header ends without an empty line; double: a second "
            "empty line follows the header."
        ),
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        description="Longer lines of a message are cut to so many octets.",
        examples=[72],
    )
    truncate: int | None = Field(
        default=None,
        ge=0,
        description="So many octets of a message, or of its top, are sent at most.",
        examples=[65536],
    )
    numbering: Literal["dense"] | None = Field(
        default=None, description="dense: a listing is numbered anew, deleted messages left out."
    )
    deleted: Literal["counted", "emptied"] | None = Field(
        default=None,
        description=(
            "counted: as if no message were marked as deleted; emptied: the same, and those that "
            "are have no octets."
        ),
    )
    discard: bool | None = Field(
        default=None, description="yes: what the client has sent behind this command is lost."
    )
    terminator: Literal["crlf", "lf", "glued", "bare", "none"] | None = Field(
        default=None,
        description=(
            "End of a multi-line answer: dot LF, dot glued to the last line, dot alone, or no dot."
        ),
    )
    body: str | None = Field(
        default=None,
        description="Data of a multi-line answer, in place of its own.",
        examples=["Subject: other\n\nText."],
    )
    effect: Literal["apply", "skip", "retrieve", "mark", "remove", "empty"] | None = Field(
        default=None,
        description=(
            "Whether the command takes effect, by default iff the answer is +OK; or the message "
            "counts as retrieved, is marked as deleted, removed at once, or the whole maildrop "
            "emptied."
        ),
    )
    delay: Seconds | None = Field(default=None, description="Wait before answering: 2s, 10ms.")
    dribble: Dribbling | None = Field(
        default=None, description="Send so many octets at a time: 1 every 10ms."
    )
    cut: int | None = Field(
        default=None, ge=0, description="Send only so many octets of the answer.", examples=[60]
    )
    then: Ending | None = Field(
        default=None, description="What becomes of the connection afterwards."
    )

    _source: Source = PrivateAttr(default_factory=lambda: _NOWHERE)

    @property
    def source(self) -> Source:
        """Where the rule stands."""
        return self._source

    @model_validator(mode="after")
    def _taken_for(self) -> Rule:
        if self.as_ is None:
            return self
        others = self.model_fields_set - _EARLY - {"as_"}
        if others:
            raise ValueError(
                f"'as' goes with no other change, got {min(others)!r}: "
                "write a second rule for the command that this one is taken for"
            )
        return self

    def covers(self, other: Rule) -> bool:
        """Whether this rule, standing first, keeps ``other`` from ever being reached."""
        if (self.as_ is None) != (other.as_ is None):
            return False
        if self.nth is not None and not self._counts_with(other):
            return False
        if not all(_wider(getattr(self, name), getattr(other, name)) for name in NARROWING):
            return False
        return all(any(includes(a, b) for a in self.when) for b in other.when)

    def _counts_with(self, other: Rule) -> bool:
        """Whether both count the same occasions, and this one answers all that ``other`` means."""
        if self.nth is None or other.nth is None or not other.nth.within(self.nth):
            return False
        return selectors(self) == selectors(other)


#: What narrows a rule beside the command.
NARROWING = frozenset({
    "state", "tls", "user", "arguments", "mechanism", "outcome", "pipelined", "marked",
})  # fmt: skip

#: The keys that select; the others change something.
SELECTORS = frozenset({"when", "nth", "scope", *NARROWING})

#: What is known before the right answer is: all that a rule with ``as`` can ask.
_EARLY = {
    "when", "state", "tls", "user", "arguments", "mechanism", "pipelined", "marked", "nth", "scope",
}  # fmt: skip


def _wider(mine: object, theirs: object) -> bool:
    """Whether a selector lets through all that another one does."""
    if mine is None or mine == theirs:
        return True
    if mine == "*":
        return theirs is not None
    if isinstance(mine, Nth) and isinstance(theirs, Nth):
        return theirs.within(mine)
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        reasons = set(theirs) <= set(mine) | ({"no-user"} if "ok" in mine else set())
        return reasons or ("refused" in mine and not ACCEPTED & set(theirs))
    return False


def selectors(rule: Rule) -> object:
    """What a rule counts: two rules of which this is equal count the same occasions.

    Args:
        rule: A rule.
    """
    shapes = frozenset((shape(pattern), pattern.open_ended) for pattern in rule.when)
    return rule.scope, shapes, *(getattr(rule, name) for name in NARROWING)


def bare(pattern: Template) -> bool:
    """Whether a pattern is a keyword alone, which means any arguments.

    Args:
        pattern: A pattern.
    """
    return pattern.source.upper() == pattern.keyword


def includes(first: Template, later: Template) -> bool:
    """Whether a pattern means every line that another one means.

    Args:
        first: The pattern.
        later: The other one.
    """
    if first.keyword == "*":
        return later.keyword not in EVENTS
    if first.keyword != later.keyword:
        return False
    if bare(first):
        return True
    mine, theirs = shape(first), shape(later)
    if first.open_ended and (mine == theirs or theirs.startswith(mine + " ")):
        return True
    if mine == theirs and not later.open_ended:
        return True
    return later.literal and first.match(theirs, {}) is not None


def shape(pattern: Template) -> str:
    """What a pattern matches, whatever its holes are called, its open end left out.

    Args:
        pattern: A pattern.
    """
    names: list[str] = []
    keyword, *parts = pattern.parts or ("",)
    text = pattern.keyword + str(keyword)[len(pattern.keyword) :]
    for part in parts:
        if isinstance(part, Hole):
            if part.name not in names:
                names.append(part.name)
            # No line holds a line end, so nothing else looks like a hole.
            text += f"\n{names.index(part.name)}:{part.type}\n"
        else:
            text += part
    return text
