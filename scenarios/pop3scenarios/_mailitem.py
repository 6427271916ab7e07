"""The entries of a ``maildrop:``, with the files that they name."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ._fields import Occurrences, Section
from ._holes import HOLE_MEANINGS, HOLE_TYPES
from ._maildrop import smallest

if TYPE_CHECKING:
    from collections.abc import Callable


class MailItem(Section):
    """One entry of a maildrop: a message, or several.

    Exactly one of ``body``, ``raw``, ``file``, ``files``, ``mbox``, ``maildir`` and ``octets``.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["raw"]},
                {"required": ["file"]},
                {"required": ["files"]},
                {"required": ["mbox"]},
                {"required": ["maildir"]},
                {
                    "anyOf": [
                        {"required": [key]}
                        for key in ("body", "octets", "from", "to", "subject", "headers")
                    ],
                    "not": {"required": ["body", "octets"]},
                },
            ]
        }
    )

    from_: str | None = Field(
        default=None,
        alias="from",
        description="From: of an inline message.",
        examples=["carol@example.com"],
    )
    to: str | None = Field(
        default=None, description="To: of an inline message.", examples=["alice@example.com"]
    )
    subject: str | None = Field(
        default=None, description="Subject: of an inline message.", examples=["One"]
    )
    headers: dict[str, str] = Field(
        default={},
        description="Further header fields of an inline message.",
        examples=[{"MIME-Version": "1.0"}],
    )
    body: str | None = Field(
        default=None, description="Text of an inline message.", examples=["Hello."]
    )
    raw: str | None = Field(
        default=None,
        description="A whole message, header and body.",
        examples=["Subject: One\n\nHello."],
    )
    file: Path | None = Field(
        default=None,
        description="A file with one message, served as it stands.",
        examples=["mail.eml"],
    )
    files: str | None = Field(
        default=None,
        description="A pattern of such files, in order of their names.",
        examples=["mails/*.eml"],
    )
    mbox: Path | None = Field(
        default=None,
        description="A file in mbox format, served as it is at each login.",
        examples=["inbox.mbox"],
    )
    maildir: Path | None = Field(
        default=None,
        description="A Maildir, served as it is at each login.",
        examples=["Maildir"],
    )
    update: bool = Field(
        default=False,
        description="yes: what a client deletes leaves the mbox or the Maildir too, which is else "
        "never altered.",
    )
    octets: int | None = Field(
        default=None, ge=100, description="Octets of a generated message.", examples=[4096]
    )
    count: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="So many copies, each with its number.",
        examples=[3],
    )
    uid: str | None = Field(
        default=None,
        description="The unique-id, instead of one made by the server.",
        examples=["a1"],
    )
    line_ends: Literal["crlf", "lf"] | None = Field(
        default=None,
        description="How the lines of an inline message or of raw are stored; a correct server "
        "ends them with CRLF all the same.",
        examples=["lf"],
    )
    sessions: Occurrences | None = Field(
        default=None,
        description="The sessions of its user in which the message is there, from 1: 2.., ..1.",
    )

    @property
    def on_disk(self) -> bool:
        """Whether its messages are in files, and may be others at the next login."""
        return any((self.file, self.files, self.mbox, self.maildir))

    @field_validator("file", "mbox", mode="after")
    @classmethod
    def _is_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _existing(value, info, os.path.isfile, "file")

    @field_validator("maildir", mode="after")
    @classmethod
    def _is_folder(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _existing(value, info, os.path.isdir, "folder")

    @field_validator("files", mode="after")
    @classmethod
    def _some_exist(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        home = os.path.expanduser(value)  # noqa: PTH111 - a pattern is no path
        pattern = os.path.join(glob.escape(str(_base(info))), home)  # noqa: PTH118
        # glob, not Path.glob, for that takes no absolute pattern.
        found = glob.iglob(pattern, recursive=True)  # noqa: PTH207
        if not any(map(os.path.isfile, found)):
            raise ValueError(f"no file matches {value!r}; paths are relative to the scenario file")
        return pattern

    @field_validator("uid")
    @classmethod
    def _is_uid(cls, value: str | None) -> str | None:
        # RFC 1939, section 7.
        if value is not None and not re.fullmatch(HOLE_TYPES["uid"], value):
            raise ValueError(f"expected {HOLE_MEANINGS['uid']}, got {value!r}")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> MailItem:
        kinds = ("body", "raw", "file", "files", "mbox", "maildir", "octets")
        named = [kind for kind in kinds if getattr(self, kind) is not None]
        inline = any((self.from_, self.to, self.subject, self.headers))
        if len(named) > 1 or (not named and not inline):
            raise ValueError(
                f"exactly one of {', '.join(kinds)} is needed, got {', '.join(named) or 'none'}"
            )
        if inline and named and named[0] not in ("body", "octets"):
            raise ValueError(f"header fields do not go with {named[0]}")
        several = self.count > 1 or bool({"files", "mbox", "maildir"} & set(named))
        if self.uid is not None and several:
            raise ValueError("a uid is of one message")
        if self.update and (self.count > 1 or not {"mbox", "maildir"} & set(named)):
            raise ValueError("update goes with mbox and maildir, and not with count")
        if self.line_ends is not None and {*named} - {"body", "raw"}:
            raise ValueError(f"line-ends go with a message that is written here, not {named[0]}")
        if self.octets is not None and self.octets < smallest(self):
            raise ValueError(f"its header alone has {smallest(self)} octets")
        return self


def _existing(
    value: Path, info: ValidationInfo, is_there: Callable[[Path], bool], what: str
) -> Path:
    # os.path answers no, where Path raises: for names too long, and for users unknown.
    path = _base(info) / os.path.expanduser(value)  # noqa: PTH111
    if not is_there(path):
        raise ValueError(f"there is no {what} {value}; paths are relative to the scenario file")
    return path


def _base(info: ValidationInfo) -> Path:
    context: dict[str, Any] = info.context or {}
    base = context.get("base", Path.cwd())
    return base if isinstance(base, Path) else Path.cwd()
