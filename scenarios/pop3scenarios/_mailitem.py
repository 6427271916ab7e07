"""The entries of a ``maildrop:``, with the files that they name."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ._fields import Section
from ._maildrop import smallest

if TYPE_CHECKING:
    from collections.abc import Callable


class MailItem(Section):
    """One entry of a maildrop: a message, or several.

    Exactly one of ``body``, ``raw``, ``file``, ``files``, ``mbox``, ``maildir`` and ``octets``.
    """

    from_: str | None = Field(default=None, alias="from", description="From: of an inline message.")
    to: str | None = Field(default=None, description="To: of an inline message.")
    subject: str | None = Field(default=None, description="Subject: of an inline message.")
    headers: dict[str, str] = Field(
        default={}, description="Further header fields of an inline message."
    )
    body: str | None = Field(default=None, description="Text of an inline message.")
    raw: str | None = Field(default=None, description="A whole message, header and body.")
    file: Path | None = Field(
        default=None, description="A file with one message, served as it stands."
    )
    files: str | None = Field(
        default=None, description="A pattern of such files, in order of their names."
    )
    mbox: Path | None = Field(
        default=None, description="A file in mbox format; it is never altered."
    )
    maildir: Path | None = Field(default=None, description="A Maildir; it is never altered.")
    octets: int | None = Field(default=None, ge=100, description="Octets of a generated message.")
    count: int = Field(
        default=1, ge=1, le=1_000_000, description="So many copies, each with its number."
    )
    uid: str | None = Field(
        default=None, description="The unique-id, instead of one made by the server."
    )

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
