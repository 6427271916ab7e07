"""What a scenario file may say: the one description from which loader, lint and reference come."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from ._actions import Ending
from ._fields import (
    Announcement,
    Command,
    Dribbling,
    Line,
    Mode,
    Name,
    Occurrences,
    Patterns,
    Replies,
    Scripts,
    Seconds,
    Section,
    State,
    Version,
)
from ._lines import Hole, Template
from ._mailitem import MailItem


class Source(BaseModel):
    """Where a rule stands: the scenario's name, its file as the user named it, and the line."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.scenario}:{self.line}"


class Rule(Section):
    """One departure from what the RFC-correct server would do."""

    when: Patterns = Field(
        description="The command, optionally with arguments and holes; 'greeting'; '*' for any."
    )
    state: State | None = Field(default=None, description="Only in this state of the session.")
    tls: bool | None = Field(
        default=None, description="Only inside TLS (yes), or only outside it (no)."
    )
    user: str | None = Field(default=None, description="Only once this user name was given.")
    nth: Occurrences | None = Field(
        default=None, description="Only these occurrences, from 1: 2, 2.., 2..4, [1, 3]."
    )
    scope: Literal["connection", "user", "server"] = Field(
        default="connection", description="What nth counts over."
    )
    reply: Replies | None = Field(
        default=None, description="The whole answer, in the line language."
    )
    text: Line | None = Field(default=None, description="Text behind +OK; empty for a bare +OK.")
    error: Line | None = Field(
        default=None, description="Text behind -ERR when the answer is a refusal."
    )
    octets: Announcement | None = Field(
        default=None, description="The size announced: omitted, +37, 200%, or any text."
    )
    entry: Line | None = Field(
        default=None, description="Form of a LIST or UIDL line: '{number} {uid}'."
    )
    stuffing: bool | None = Field(
        default=None, description="off: lines that begin with a dot go out bare."
    )
    eol: Literal["crlf", "lf"] | None = Field(
        default=None, description="Line ends of the whole answer."
    )
    terminator: Literal["crlf", "lf", "glued", "none"] | None = Field(
        default=None,
        description="End of a multi-line answer: dot LF, dot glued to the last line, or no dot.",
    )
    body: str | None = Field(
        default=None, description="Data of a multi-line answer, in place of its own."
    )
    effect: Literal["apply", "skip"] | None = Field(
        default=None,
        description="Whether the command takes effect; by default iff the answer is +OK.",
    )
    delay: Seconds | None = Field(default=None, description="Wait before answering: 2s, 10ms.")
    dribble: Dribbling | None = Field(
        default=None, description="Send so many octets at a time: 1 every 10ms."
    )
    cut: int | None = Field(
        default=None, ge=0, description="Send only so many octets of the answer."
    )
    then: Ending | None = Field(
        default=None, description="What becomes of the connection afterwards."
    )

    _source: Source = PrivateAttr(default=Source(scenario="", file="", line=0))

    @property
    def source(self) -> Source:
        """Where the rule stands."""
        return self._source

    def covers(self, other: Rule) -> bool:
        """Whether this rule, standing first, keeps ``other`` from ever being reached."""
        if self.nth is not None and not self._counts_with(other):
            return False
        for mine, theirs in (
            (self.state, other.state),
            (self.tls, other.tls),
            (self.user, other.user),
        ):
            if mine is not None and mine != theirs:
                return False
        return all(any(_covers(a, b) for a in self.when) for b in other.when)

    def _counts_with(self, other: Rule) -> bool:
        """Whether both count the same occasions, and this one answers all that ``other`` means."""
        if self.nth is None or other.nth is None or not other.nth.within(self.nth):
            return False
        return _selectors(self) == _selectors(other)


def _selectors(rule: Rule) -> object:
    shapes = frozenset((_shape(pattern), pattern.open_ended) for pattern in rule.when)
    return rule.scope, rule.state, rule.tls, rule.user, shapes


def _covers(first: Template, later: Template) -> bool:
    if first.keyword == "*":
        return later.keyword != "GREETING"
    if first.keyword != later.keyword:
        return False
    if first.source.upper() == first.keyword:
        return True
    mine, theirs = _shape(first), _shape(later)
    if first.open_ended and (mine == theirs or theirs.startswith(mine + " ")):
        return True
    if mine == theirs and not later.open_ended:
        return True
    return later.literal and first.match(theirs, {}) is not None


def _shape(pattern: Template) -> str:
    """What a pattern matches, whatever its holes are called, its open end left out."""
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


class ServerSection(Section):
    """The server as it stands before any rule changes it."""

    greeting: Line | None = Field(
        default=None, description="Text behind +OK; {stamp} is APOP's timestamp."
    )
    capabilities: tuple[str, ...] | None = Field(
        default=None, description="What CAPA lists; or +NAME and -NAME to change what is inherited."
    )
    hidden: tuple[str, ...] | None = Field(
        default=None, description="Capabilities that are there although CAPA does not list them."
    )
    users: dict[str, str] | None = Field(default=None, description="User names and passwords.")
    lock: Literal["exclusive", "none"] | None = Field(
        default=None, description="Whether a second session of the same user is refused."
    )

    @field_validator("capabilities")
    @classmethod
    def _all_or_none_signed(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not all(entry.lstrip("+-").strip() for entry in value):
            raise ValueError("an entry of the list is empty")
        signed = [entry.startswith(("+", "-")) for entry in value or ()]
        if any(signed) and not all(signed):
            raise ValueError("either every entry has + or - in front, or none")
        return value


class TLSSection(Section):
    """How the server speaks TLS."""

    mode: Literal["none", "stls", "implicit"] | None = Field(
        default=None, description="No TLS, STLS on the plain port, or TLS from the first octet."
    )
    certificate: (
        Literal["good", "expired", "not-yet-valid", "wrong-host", "self-signed", "unknown-ca"]
        | None
    ) = Field(default=None, description="The certificate it shows.")
    minimum: Version | None = Field(default=None, description="Oldest version it speaks.")
    maximum: Version | None = Field(default=None, description="Newest version it speaks.")
    handshake: Literal["good", "garbage", "close", "reset", "hang"] | None = Field(
        default=None, description="What happens in place of the handshake."
    )

    @model_validator(mode="after")
    def _range(self) -> TLSSection:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"no version is from {self.minimum} to {self.maximum}")
        return self


class FetchSection(Section):
    """A run of a client that fetches all mail: how it connects, and how it must end."""

    tls: Literal["none", "stls", "implicit"] | None = Field(
        default=None, description="How the client connects."
    )
    msex: bool | None = Field(
        default=None, description="Whether it is told that the server is Exchange."
    )
    start: Mode | None = Field(
        default=None, description="The retrieval mode in which it starts; retr if not said."
    )
    also: tuple[Literal["LAST", "LIST", "TOP", "UIDL"], ...] | None = Field(
        default=None,
        description="What it asks besides, after the last message; a refusal does not end it.",
    )
    ends: Literal["complete", "partial", "refused"] | None = Field(
        default=None,
        description="All messages intact; a typed error after some; a typed error before login.",
    )
    intact: int | None = Field(
        default=None, ge=0, description="Messages fetched intact, if not all."
    )
    error: (
        Literal["tls", "injected", "closed", "timeout", "protocol", "authentication", "command"]
        | None
    ) = Field(default=None, description="The kind of the error it ends with.")
    mode: Mode | None = Field(default=None, description="The retrieval mode in which it ends.")
    notices: tuple[str, ...] | None = Field(
        default=None, description="Ids of the deviations that it notices."
    )


class ExpectSection(Section):
    """What a client must do, and must never do, under the scenario."""

    never: Patterns = Field(default=(), description="Commands that must never come.")
    never_in_clear: Patterns = Field(
        default=(), description="Commands that must never come outside TLS."
    )
    always: Patterns = Field(default=(), description="Commands that must come.")
    counts: dict[Command, Occurrences] = Field(
        default={}, description="How often a command comes: 3, 1.., 2..4."
    )
    allow: Patterns = Field(
        default=(), description="Commands that are no fault although unexpected."
    )
    fetch: FetchSection = Field(default=FetchSection(), description="How a fetch of all mail ends.")


class Fragment(Section):
    """The part of a file that can also stand in a variant."""

    summary: str = Field(default="", description="One line: what is seen on the wire.")
    quirks: tuple[str, ...] = Field(default=(), description="Names of quirk files that also hold.")
    server: ServerSection = Field(
        default=ServerSection(), description="The server before any rule."
    )
    tls: TLSSection = Field(default=TLSSection(), description="How the server speaks TLS.")
    maildrop: tuple[MailItem, ...] | None = Field(
        default=None, description="The mail that every user finds at first."
    )
    maildrops: dict[str, tuple[MailItem, ...]] = Field(
        default={}, description="Mail of single users, in place of maildrop."
    )
    rules: tuple[Rule, ...] = Field(
        default=(), description="Departures; the first that matches holds."
    )
    script: Scripts | None = Field(
        default=None, description="The exact conversation of a connection."
    )
    expect: ExpectSection = Field(
        default=ExpectSection(), description="What a client must and must not."
    )

    _script_line: int = PrivateAttr(default=0)

    @property
    def script_line(self) -> int:
        """The line of the file, from 1, on which the script's first line stands."""
        return self._script_line


class ScenarioFile(Fragment):
    """One file of the scenario language, version 1."""

    pop3: Literal["1"] = Field(description="Version of the language.")
    name: Name = Field(description="Name of the scenario; the file is called the same.")
    summary: str = Field(min_length=1, description="One line: what is seen on the wire.")
    why: str = Field(default="", description="Who saw it, and what a naive client does wrong.")
    references: tuple[str, ...] = Field(
        default=(), description="RFC sections, reports, transcripts."
    )
    breaks: str = Field(
        default="", description="The requirement that is broken, and why it matters."
    )
    requires: tuple[str, ...] = Field(
        default=(), description="Capabilities without which it means nothing."
    )
    extends: str | None = Field(
        default=None, description="The scenario from which this one departs."
    )
    variants: dict[Name, Fragment] = Field(
        default={}, description="Several cases in one file: name[variant]."
    )
