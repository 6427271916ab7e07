"""The first lines of a new scenario file, with words where its author goes on."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from ._fields import NAME, WORDS_FOR_PATTERN, Name
from ._plain import to_yaml

#: What a file can be begun as.
Kind = Literal["server", "quirk", "fault", "conversation"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_HEAD = """\
# What may stand here: pop3kit scenarios reference. To have an editor complete and explain it:
# pop3kit scenarios schema > pop3.schema.json, and as first line of this file, behind a "# ",
#   yaml-language-server: $schema=pop3.schema.json
pop3: 1
name: {name}
summary: {summary}
why: |
  Say who saw this and when, and what a naive client does wrong with it.
references: [{reference}]
"""

_SUMMARIES = {
    "server": "a server of our own",
    "quirk": "RETR tells the number of the message where its size stands",
    "fault": "the second message is cut short",
    "conversation": "a login, and what is in the maildrop",
}

_REFERENCES = {
    "server": "the transcript or the report on which this rests",
    "quirk": "RFC 1939 section 5 (RETR)",
    "fault": "RFC 1939 section 5 (RETR)",
    "conversation": "RFC 1939 section 4",
}

_BODIES = {
    "server": """\
server:
  # Text behind +OK; {stamp} makes APOP available.
  greeting: ready
  # The whole list that CAPA gives; or, to change what is inherited: [+UTF8, -TOP].
  capabilities: [TOP, UIDL, USER, RESP-CODES]
  users: {alice: secret}
# Deviations that have a name: pop3kit scenarios list shows all.
quirks: []
maildrop:
  - {from: carol@example.com, subject: One, body: "Hello."}
  - {count: 3, octets: 4096}
# Other deviations; the first rule that matches holds.
rules:
  - when: QUIT
    text: see you
""",
    "quirk": """\
# The requirement that is broken, if one is:
# breaks: RFC1939-5-16 (what it demands)
rules:
  # One deviation and nothing else: servers list it under quirks: beside others.
  - when: RETR {n}
    text: "{n} octets follow"
""",
    "fault": """\
rules:
  - when: RETR
    # The second time on a connection; scope: server counts over all of them.
    nth: 2
    cut: 60
    # close (FIN), reset (RST), half-close, or hang until the server stops.
    then: reset
# What a client must and must not do when it meets this; tests fail on it.
expect:
  never: [DELE]
""",
    "conversation": """\
requires: [USER]
maildrop:
  - {subject: One, octets: 320}
  - {subject: Two, octets: 400}
# S: the server says, C: the client says, C?: an exchange that may be left out; {name:type=example}
# is a hole that holds the same ever after, " ..." any text.
script: |
  S: +OK ...
  C: USER {user}
  S: +OK ...
  C: PASS {password}
  S: +OK ...
  C: STAT
  S: +OK 2 {total:int=720}
  C: QUIT
  S: +OK ...
""",
}


def starter(name: str, kind: Kind = "server", *, extends: str | None = None) -> str:
    """The text of a new scenario file: right as it stands, and commented where it goes on.

    Args:
        name: The name of the scenario; its file is called the same.
        kind: What it is begun as.
        extends: The scenario from which it departs, with its variant if it has any; ``default`` if
            None.

    Raises:
        ValueError: The name cannot be one.
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise ValueError(f"expected {WORDS_FOR_PATTERN[NAME]}, got {name!r}") from None
    head = _HEAD.format(name=name, summary=_SUMMARIES[kind], reference=_REFERENCES[kind])
    if extends is not None:
        head += "# The scenario from which this one departs.\n" + to_yaml({"extends": extends})
    return head + _BODIES[kind]
