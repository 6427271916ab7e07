"""What a scenario file may say: the one description from which loader, lint and reference come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from ._case import CaseSection
from ._fields import (
    AskedFor,
    Command,
    Line,
    Mode,
    Name,
    Number,
    Scripts,
    Seconds,
    Section,
    Tolerance,
    Version,
)
from ._mailitem import MailItem
from ._rule import Rule, Source


class ServerSection(Section):
    """The server as it stands before any rule changes it."""

    greeting: Line | None = Field(
        default=None, description="Text behind +OK; {stamp} is APOP's timestamp."
    )
    capabilities: tuple[str, ...] | None = Field(
        default=None,
        description="What CAPA lists; or +NAME and -NAME to change what is inherited.",
        examples=[["+UTF8", "-TOP"]],
    )
    hidden: tuple[str, ...] | None = Field(
        default=None,
        description="Capabilities that are there although CAPA does not list them.",
        examples=[["UIDL"]],
    )
    users: dict[str, str] | None = Field(
        default=None, description="User names and passwords.", examples=[{"alice": "secret"}]
    )
    lock: Literal["exclusive", "none"] | None = Field(
        default=None, description="Whether a second session of the same user is refused."
    )
    view: Literal["at-login", "live"] | None = Field(
        default=None,
        description=(
            "Whether a session sees the mail as it was at login, or at once what others deliver "
            "and remove: then the messages behind it move up."
        ),
    )
    authzid: Literal["refused", "ignored"] | None = Field(
        default=None,
        description="What becomes of a SASL PLAIN response that asks to act as somebody else.",
    )
    expires: bool | None = Field(
        default=None,
        description=(
            "yes: what was retrieved is removed at QUIT, as the capability EXPIRE 0 lets a server "
            "do."
        ),
    )
    login_delay: Seconds | None = Field(
        default=None,
        description=(
            "A user who has proven who he is waits so long between two logins; the capability "
            "LOGIN-DELAY only says so."
        ),
        examples=["60s"],
    )
    autologout: Seconds | None = Field(
        default=None, description="So long without a command, and the connection is closed: 10min."
    )
    autologout_before_login: Seconds | None = Field(
        default=None, description="The same before login, if it is another time there."
    )
    patience: Seconds | None = Field(
        default=None,
        description=(
            "In a script over several connections: so long is held what comes before its turn; "
            "1s if not said."
        ),
        examples=["250ms"],
    )
    line_limit: int | None = Field(
        default=None,
        ge=8,
        description="Octets of a command line, its line end left out, at most.",
        examples=[255],
    )
    response_limit: int | None = Field(
        default=None,
        ge=8,
        description="Octets of a SASL response in base64, at most.",
        examples=[12288],
    )
    passwords: Literal["utf-8", "latin-1"] | None = Field(
        default=None, description="How the password that PASS brings is written in octets."
    )
    line_ends: Literal["crlf", "lf", "cr"] | None = Field(
        default=None,
        description="What ends a command: CRLF alone, LF with or without CR, or CR or LF.",
    )
    tolerates: tuple[Tolerance, ...] | None = Field(
        default=None, description="What a command line may have that the RFC does not allow."
    )
    keeps_user: tuple[Literal["commands", "refusals"], ...] | None = Field(
        default=None,
        description=(
            "What may come between USER and PASS: other commands, a PASS that was refused."
        ),
    )
    languages: dict[str, str] | None = Field(
        default=None,
        description="Language tags that LANG knows, each with its description.",
        examples=[{"en": "English"}],
    )

    @field_validator("hidden")
    @classmethod
    def _unsigned(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        signed = [entry for entry in value or () if entry.startswith(("+", "-"))]
        if signed:
            raise ValueError(f"expected the capability alone, got {signed[0]!r}")
        return value

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
    handshake: Literal["good", "alert", "garbage", "close", "reset", "hang"] | None = Field(
        default=None, description="What happens in place of the handshake."
    )
    pipelined: Literal["discard", "execute", "handshake"] | None = Field(
        default=None,
        description="What becomes of octets that a client sends together with STLS: they are "
        "dropped, executed once TLS is on, or taken for the client's part of the handshake.",
    )
    forgets: bool | None = Field(
        default=None, description="Whether a USER from before STLS is forgotten (RFC 2595: yes)."
    )
    close_notify: bool | None = Field(
        default=None, description="Whether TLS is ended by close_notify when the server closes."
    )
    client_certificate: Literal["none", "optional", "required"] | None = Field(
        default=None,
        description="Whether the client is asked for a certificate of the mock's authority.",
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
        default=None, ge=0, description="Messages fetched intact, if not all.", examples=[2]
    )
    error: (
        Literal["tls", "injected", "closed", "timeout", "protocol", "authentication", "command"]
        | None
    ) = Field(default=None, description="The kind of the error it ends with.")
    lost: int | None = Field(
        default=None,
        ge=1,
        description="Messages that the server has lost by then, if any.",
        examples=[4],
    )
    mode: Mode | None = Field(default=None, description="The retrieval mode in which it ends.")
    notices: tuple[str, ...] | None = Field(
        default=None, description="Ids of the deviations that it notices.", examples=[["no-top"]]
    )


class ExpectSection(Section):
    """What a client must do, and must never do, under the scenario."""

    never: AskedFor = Field(default=(), description="Commands that must never come.")
    never_in_clear: AskedFor = Field(
        default=(), description="Commands that must never come outside TLS."
    )
    always: AskedFor = Field(default=(), description="Commands that must come.")
    counts: dict[Command, Number] = Field(
        default={},
        description="How often a command comes: 3, 1.., ..1, 2..4.",
        examples=[{"RETR": 3, "NOOP": "..2"}],
    )
    allow: AskedFor = Field(
        default=(), description="Commands that are no fault although unexpected."
    )
    fetch: FetchSection = Field(default=FetchSection(), description="How a fetch of all mail ends.")


# What a file says that says nothing of it. They never change, so all files share them; a plain
# default would be copied, all through, for each file.
_SERVER, _TLS, _EXPECT = ServerSection(), TLSSection(), ExpectSection()


class Fragment(Section):
    """The part of a file that can also stand in a variant."""

    summary: str = Field(
        default="",
        description="One line: what is seen on the wire.",
        examples=["RETR tells no size"],
    )
    quirks: tuple[str, ...] = Field(
        default=(),
        description="Names of quirk files that also hold.",
        examples=[["no-top", "no-apop"]],
    )
    server: ServerSection = Field(
        default_factory=lambda: _SERVER, description="The server before any rule."
    )
    tls: TLSSection = Field(default_factory=lambda: _TLS, description="How the server speaks TLS.")
    maildrop: tuple[MailItem, ...] | None = Field(
        default=None,
        description="The mail that every user finds at first.",
        examples=[[{"subject": "One", "body": "Hello."}]],
    )
    maildrops: dict[str, tuple[MailItem, ...]] = Field(
        default={},
        description="Mail of single users, in place of maildrop.",
        examples=[{"bob": []}],
    )
    rules: tuple[Rule, ...] = Field(
        default=(),
        description="Departures; the first that matches holds.",
        examples=[[{"when": "RETR", "text": ""}]],
    )
    script: Scripts | None = Field(
        default=None, description="The exact conversation of a connection."
    )
    expect: ExpectSection = Field(
        default_factory=lambda: _EXPECT, description="What a client must and must not."
    )

    _script_line: int = PrivateAttr(default=0)
    _where: Callable[[tuple[str | int, ...]], Source] | None = PrivateAttr(default=None)

    @property
    def script_line(self) -> int:
        """The line of the file, from 1, on which the script's first line stands."""
        return self._script_line

    def source(self, *path: str | int) -> Source:
        """Where a part of the fragment stands in its file.

        Args:
            path: Keys and indices, as the file has them: ``"server", "greeting"``.
        """
        return self._where(path) if self._where else Source(scenario="", file="", line=0)


class ScenarioFile(Fragment):
    """One file of the scenario language, version 1."""

    pop3: Literal["1"] = Field(description="Version of the language.")
    name: Name = Field(
        description="Name of the scenario; the file is called the same.", examples=["my-server"]
    )
    summary: str = Field(
        min_length=1,
        description="One line: what is seen on the wire.",
        examples=["RETR tells no size"],
    )
    why: str = Field(
        default="",
        description="Who saw it, and what a naive client does wrong.",
        examples=["A client that waits for the size never ends."],
    )
    references: tuple[str, ...] = Field(
        default=(),
        description="RFC sections, reports, transcripts.",
        examples=[["RFC 1939 section 5"]],
    )
    breaks: str = Field(
        default="",
        description="The requirement that is broken, and why it matters.",
        examples=["RFC1939-5-16 (clients count on it)"],
    )
    requires: tuple[str, ...] = Field(
        default=(), description="Capabilities without which it means nothing.", examples=[["TOP"]]
    )
    case: CaseSection | None = Field(
        default=None,
        description="The requirement that the file holds a server to, if it is one.",
        examples=[{"requirement": "A server answers +OK to NOOP.", "level": "must"}],
    )
    extends: str | None = Field(
        default=None, description="The scenario from which this one departs.", examples=["gmail"]
    )
    variants: dict[Name, Fragment] = Field(
        default={},
        description="Several cases in one file: name[variant].",
        examples=[{"slow": {"rules": [{"when": "RETR", "delay": "2s"}]}}],
    )
