"""The notations of single fields: how the text of a scenario file becomes a value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from . import _notation as notation
from ._actions import Dribble, parse_dribble, parse_duration
from ._asked import asked
from ._errors import got
from ._lines import LineError, Template, parse_line
from ._script import LineErrors, Reply, Script, parse_reply, parse_script
from ._values import Announced, Nth, parse_announced, parse_nth, parse_number

#: What ``when:`` can mean beside commands: things that happen to a connection.
EVENTS = frozenset(map(str.upper, notation.EVENT_MEANINGS))

#: The patterns of commands, and of the names of files and variants.
COMMAND = r"^[A-Za-z][A-Za-z0-9-]*$"
NAME = r"^[a-z0-9][a-z0-9.-]*$"

#: What the patterns say, for those who do not read patterns.
WORDS_FOR_PATTERN = {
    COMMAND: "a command: letters, digits and hyphens",
    NAME: "a name: lower-case letters, digits, dots and hyphens",
}


def _lines_problem(errors: list[LineError]) -> PydanticCustomError:
    return PydanticCustomError("lines", "wrong lines", {"errors": errors})


def _read_reply(value: object) -> Reply:
    try:
        return parse_reply(_text(value))
    except LineErrors as error:
        raise _lines_problem(error.errors) from None


def _read_script(value: object) -> Script:
    try:
        return parse_script(_text(value))
    except LineErrors as error:
        raise _lines_problem(error.errors) from None


def _read_line(value: object) -> Template:
    try:
        # A literal block ends in a line end that is not part of the line.
        return parse_line(_text(value).removesuffix("\n"))
    except LineError as error:
        raise _lines_problem([error]) from None


def _read_pattern(value: object) -> Template:
    pattern = _read_line(value)
    if not pattern.source:
        return pattern  # a line that is empty, or begins with a space
    first = pattern.parts[0] if pattern.parts else ""
    whole_word = isinstance(first, str) and (len(pattern.parts) == 1 or " " in first)
    if not pattern.keyword or not whole_word:
        raise ValueError("this can never match: begin with a command, 'greeting' or '*'")
    alone = pattern.keyword == "*" or pattern.keyword in EVENTS - {"RESPONSE"}
    if alone and pattern.source.upper() != pattern.keyword:
        raise ValueError(f"this can never match: {pattern.keyword.lower()!r} stands alone")
    return pattern


def _read_asked(value: object) -> Template:
    return asked(_read_pattern(value))


def _listed(value: object) -> object:
    if value == []:
        raise ValueError("this can never match: the list is empty")
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {got(value)}")
    return value


def _seconds(value: object) -> float:
    return parse_duration(_text(value))


def _dribble(value: object) -> Dribble:
    return parse_dribble(_text(value))


def _announced(value: object) -> Announced:
    return parse_announced(_text(value))


Line = Annotated[Template, BeforeValidator(_read_line), notation.LINE]
Pattern = Annotated[Template, BeforeValidator(_read_pattern), notation.PATTERN]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_listed), notation.PATTERNS]
Asked = Annotated[Template, BeforeValidator(_read_asked), notation.PATTERN]
AskedFor = Annotated[tuple[Asked, ...], BeforeValidator(_listed), notation.PATTERNS]
Replies = Annotated[Reply, BeforeValidator(_read_reply), notation.REPLY]
Scripts = Annotated[Script, BeforeValidator(_read_script), notation.SCRIPT]
Occurrences = Annotated[Nth, BeforeValidator(parse_nth), notation.OCCURRENCES]
Number = Annotated[Nth, BeforeValidator(parse_number), notation.NUMBER]
Outcome = Literal[
    "ok", "challenge", "refused", "unknown", "state", "syntax", "not-offered", "credentials",
    "locked", "delay", "missing", "deleted", "gone", "no-user", "utf8", "overlong", "cancelled",
]  # fmt: skip
Tolerance = Literal[
    "leading-spaces", "trailing-spaces", "repeated-spaces", "tabs", "carriage-returns", "nul",
    "nul-joins", "upper-case-names", "initial-responses",
]  # fmt: skip
Outcomes = Annotated[tuple[Outcome, ...], BeforeValidator(_listed), notation.OUTCOMES]
Announcement = Annotated[Announced, BeforeValidator(_announced), notation.ANNOUNCEMENT]
Dribbling = Annotated[Dribble, BeforeValidator(_dribble), notation.DRIBBLING]
Seconds = Annotated[float, BeforeValidator(_seconds), notation.DURATION]
State = Literal["authorization", "transaction"]
Command = Annotated[str, Field(pattern=COMMAND)]
Name = Annotated[str, Field(pattern=NAME)]
Version = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
Mode = Literal["retr", "list", "slow"]


class Section(BaseModel):
    """A part of a file: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )
