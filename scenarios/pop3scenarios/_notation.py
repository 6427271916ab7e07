"""How each type of value is written in a file: the table of which schema and reference are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

#: What stands for text: the loader keeps every scalar as it was written, where other readers of
#: YAML make numbers and truth values of some.
TEXT: Mapping[str, Any] = {"type": ["string", "number", "boolean"]}

_COMMANDS = (
    "APOP", "AUTH", "CAPA", "DELE", "LANG", "LAST", "LIST", "NOOP", "PASS", "QUIT", "RETR", "RSET",
    "STAT", "STLS", "TOP", "UIDL", "USER", "UTF8",
)  # fmt: skip

_RANGE = r"^ *([0-9]{1,9}|([0-9]{1,9})?\.\.[0-9]{1,9}|[0-9]{1,9}\.\.) *$"
_DURATION = r"^ *[0-9]{1,9}(\.[0-9]{1,9})? ?(ms|s|min)? *$"
_SWITCH = "^({})$".format(
    "|".join(
        "".join(f"[{letter.upper()}{letter}]" for letter in word)
        for word in ("yes", "no", "on", "off", "true", "false", "y", "n", "t", "f")
    )
)
_DRIBBLE = r"^ *[0-9]{1,9}( every .+)?$"


@dataclass(frozen=True, slots=True, eq=False)
class Notation:
    """What an author writes where a value of some type stands; metadata of that type.

    Attributes:
        name: What it is called.
        meaning: What may be written, and what it stands for.
        examples: Such values as YAML gives them.
        schema: Their JSON Schema.
    """

    name: str
    meaning: str
    examples: tuple[object, ...]
    schema: Mapping[str, Any]

    def __get_pydantic_json_schema__(
        self, _core: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {NOTATION: self.name}


#: The key that marks, in a schema on its way, where a notation stands.
NOTATION = "notation"


def _ranges(low: int) -> dict[str, Any]:
    one = {"type": ["integer", "string"], "minimum": low, "pattern": _RANGE}
    return {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}


def _words(*words: str) -> dict[str, Any]:
    """Any text, of which some is offered for completion."""
    return {"anyOf": [{"enum": list(words)}, TEXT]}


SWITCH = Notation(
    "switch",
    "yes or no; on and off, true and false say the same.",
    ("yes", "no", "on", "off", True, False),
    {
        "anyOf": [
            {"enum": [True, False, "yes", "no", "on", "off", "true", "false"]},
            {"type": "string", "pattern": _SWITCH},
            {"enum": [0, 1, "0", "1"]},
        ]
    },
)
LINE = Notation(
    "line",
    "One line of the line language, with holes: it goes over the wire as it is written.",
    ("ready {stamp}",),
    {"type": TEXT["type"], "pattern": r"^[^\n]*\n?$"},
)
#: What ``when:`` can mean beside commands: things that happen to a connection.
EVENT_MEANINGS: Mapping[str, str] = {
    "greeting": "a client has connected",
    "response": "a line of a SASL exchange has come; a pattern may go on with what it has to be",
    "autologout": "the client has said nothing for too long",
    "disconnect": "the client has gone without QUIT; only effect has a meaning",
    "overlong": "a command line is longer than the limit",
    "partial": "a command line has begun and not ended; the answer goes out at once",
    "handshake-failed": "the TLS handshake has failed",
}

PATTERN = Notation(
    "pattern",
    "A command, alone (then with any arguments) or with arguments and holes; '*'; an event; or"
    " empty, for a line that is empty or begins with a space.",
    ("LIST {n}",),
    {
        "anyOf": [
            {"enum": [*_COMMANDS, *EVENT_MEANINGS, "*"]},
            {"type": ["string", "number"], "pattern": r"^((\{\{|[^ {\n])[^\n]*)?\n?$"},
        ]
    },
)
PATTERNS = Notation(
    "patterns",
    "A pattern, or a list of patterns of which one is enough.",
    ("RETR", ["LIST {n}", "UIDL {n}"]),
    {
        "anyOf": [
            {NOTATION: PATTERN.name},
            {"type": "array", "minItems": 1, "items": {NOTATION: PATTERN.name}},
        ]
    },
)
REPLY = Notation(
    "reply",
    "Lines of the line language, in a literal block if there are several: text to send, and"
    " <actions>.",
    ("-ERR not now", "+OK\n<wait 20ms>\n<close>"),
    TEXT,
)
SCRIPT = Notation(
    "script",
    "A conversation in a literal block: lines beginning S:, C:, C?: or C*:, and <actions>.",
    ("S: +OK ready\nC: QUIT\nS: +OK ...\n",),
    {"type": "string", "pattern": r"(^|\n)(\[\w+\] ?)?(S:|C[?*]?:|<)"},
)
OCCURRENCES = Notation(
    "occurrences",
    "Which ones, counted from 1: 2, 2.., ..3, 2..4, or a list of these.",
    (2, "2..", "..3", "2..4", [1, 3]),
    _ranges(1),
)
NUMBER = Notation(
    "count",
    "How many, from 0: 2, 2.., ..3, 2..4, or a list of these.",
    (0, "1..", "..2", "2..4", [0, 2]),
    _ranges(0),
)
#: What the RFC-correct answer can be, for ``outcome:``.
OUTCOME_MEANINGS: Mapping[str, str] = {
    "ok": "the answer is +OK",
    "challenge": "the answer is +, a step of a SASL exchange",
    "refused": "the answer is -ERR, whatever the reason",
    "unknown": "there is no such command",
    "state": "the command does not belong to this state of the session",
    "syntax": "the arguments are malformed",
    "not-offered": "this server does not have what is asked for",
    "credentials": "user name and password do not go together",
    "locked": "another session has the maildrop",
    "delay": "the last login was too short a time ago",
    "missing": "there is no message of that number",
    "deleted": "the message is marked as deleted",
    "gone": "another session has removed the message, and this one still sees it; or its file is"
    " gone, and RETR and TOP are refused",
    "no-user": "USER is taken although nobody has the name; ok too",
    "utf8": "it needs UTF8, which the client has not asked for",
    "overlong": "the line is longer than its limit",
    "cancelled": "the client has called off a SASL exchange",
}
OUTCOMES = Notation(
    "outcome",
    "An outcome, or a list of outcomes of which one is enough.",
    ("refused", ["missing", "deleted"]),
    {
        "anyOf": [
            {"enum": list(OUTCOME_MEANINGS)},
            {"type": "array", "minItems": 1, "items": {"enum": list(OUTCOME_MEANINGS)}},
        ]
    },
)
ANNOUNCEMENT = Notation(
    "size",
    "omitted; +37 or -5 more or fewer; 200% of it; rounded 1024 up to a multiple; lf,"
    " crcrlf, lf-lines, stored, unended or body, to count otherwise; =text, or any other text:"
    " that text.",
    ("omitted", "+37", "200%", "rounded 1024", "stored", "=-1"),
    _words("omitted", "lf", "crcrlf", "lf-lines", "stored", "unended", "body"),
)
DRIBBLING = Notation(
    "dribble",
    "So many octets at a time, and how long to wait between two: 1 every 10ms.",
    ("1 every 10ms", 16),
    {"type": ["string", "integer"], "minimum": 1, "pattern": _DRIBBLE},
)
DURATION = Notation(
    "duration",
    "A time: 2s, 10ms, 1.5min; a bare number is seconds.",
    ("2s", "10ms", "1.5min", 3),
    {"type": ["string", "number"], "minimum": 0, "pattern": _DURATION},
)

#: All notations by name.
NOTATIONS: Mapping[str, Notation] = {
    each.name: each
    for each in (
        SWITCH, LINE, PATTERN, PATTERNS, REPLY, SCRIPT, OCCURRENCES, NUMBER, OUTCOMES,
        ANNOUNCEMENT, DRIBBLING, DURATION,
    )
}  # fmt: skip
