"""What a conformance case says of itself: the requirement, and what it takes to ask for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ._fields import Name, Number, Section, State

#: How strongly the text asks: a capitalised keyword, the same in lower case, what follows from the
#: text without being said, good practice (``sec``), or nothing that is asked (``note``).
Level = Literal[
    "MUST", "SHALL", "SHOULD", "MAY", "must", "should", "impl", "sec", "note"
]  # fmt: skip

#: What it means if the requirement is not met.
Unmet = Literal["fail", "security", "non-strict", "info"]

#: What has to be so, beside capabilities, for a case to be asked.
Gate = Literal[
    "apop", "no-apop", "tls", "cleartext", "stls", "implicit", "lock", "no-lock", "opt-in",
]  # fmt: skip

#: What a case does to the server or to the account.
Effect = Literal[
    "reads", "marks", "deletes", "fails-login", "slow", "second-session", "delivers",
]  # fmt: skip


class CaseSection(Section):
    """A requirement that a server is held to."""

    requirement: str = Field(
        min_length=1,
        description="What the server has to do, in a sentence.",
        examples=["A server answers +OK to NOOP."],
    )
    level: Level = Field(description="How strongly the text asks for it.")
    unmet: Unmet = Field(default="fail", description="What it means if the server does not do it.")
    state: State | None = Field(
        default=None,
        description=(
            "The state in which the script begins: greeting, TLS and login are behind it then, "
            "and QUIT is not its business. Without it the script is a whole conversation."
        ),
    )
    session: Literal["shared", "own"] = Field(
        default="shared",
        description=(
            "Whether it leaves the session as it found it, so that other cases can go on in it."
        ),
    )
    messages: Number | None = Field(
        default=None,
        description="How many messages have to be there.",
        examples=["2.."],
    )
    gates: tuple[Gate, ...] = Field(
        default=(), description="What has to be so, beside the capabilities of requires."
    )
    lacks: tuple[str, ...] = Field(
        default=(), description="Capabilities that must not be announced.", examples=[["USER"]]
    )
    effects: tuple[Effect, ...] = Field(
        default=(),
        description="What it does to the server or the account, for which leave is needed.",
    )
    fixtures: tuple[Name, ...] = Field(
        default=(),
        description=(
            "Messages of the checker's own that have to be in the maildrop; the script knows each "
            "one's number by its name."
        ),
        examples=[["dots"]],
    )
    after: tuple[Name, ...] = Field(
        default=(),
        description="Cases that have to be passed before.",
        examples=[["rfc1939-5-37"]],
    )
    tags: tuple[Name, ...] = Field(
        default=(), description="Words by which it can be selected.", examples=[["uidl"]]
    )
