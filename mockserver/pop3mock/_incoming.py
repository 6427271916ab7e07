"""A message as a test hands it over for delivery: ready made, or as what is to stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from email import policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import TypedDict

from pop3scenarios import did_you_mean

#: A whole message: its octets, its text, the path of a file, or an email message.
Ready = bytes | bytearray | memoryview | str | Path | Message


class MailFields(TypedDict, total=False):
    """What is to stand in a message; the names are those of a scenario's maildrop.

    Attributes:
        from_: Who sent it.
        to: To whom.
        subject: What about.
        body: Its text.
        headers: Further header fields.
    """

    from_: str
    to: str
    subject: str
    body: str
    headers: Mapping[str, str]


#: What stands in a message of which nothing else is said; the date is one for all, so that the
#: octets, and with them the unique-id, are the same in every run.
_DEFAULTS = {
    "From": "sender@example.com",
    "To": "alice@example.com",
    "Subject": "Message",
    "Date": "Mon, 02 Jan 2023 10:00:00 +0000",
}
_HEADER = ("from_", "to", "subject")


def octets_of(message: Ready | None, fields: MailFields) -> bytes:
    """The octets of a message that is handed over.

    Args:
        message: The message, if it is ready made.
        fields: What is to stand in it, if not.

    Raises:
        TypeError: It is neither, or both, or there is no such field.
        ValueError: A field cannot stand in a header.
        OSError: Its file cannot be read.
    """
    _check(fields)
    match message:
        case None if fields:
            return _composed(fields)
        case _ if fields:
            raise TypeError(f"expected a message or fields of one, got both: {', '.join(fields)}")
        case Path():
            return message.read_bytes()
        case str():
            return message.encode("utf-8", "surrogateescape")
        case Message():
            return message.as_bytes()
        case bytes() | bytearray() | memoryview():
            return bytes(message)
    raise TypeError(
        f"expected octets, text, a path, an email message, or fields of one, "
        f"got {type(message).__name__}"
    )


def _check(fields: MailFields) -> None:
    known = MailFields.__annotations__
    for name, value in fields.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise TypeError(f"a message has no field {name!r} ({hint})")
        expected = Mapping if name == "headers" else str
        if not isinstance(value, expected):
            words = "a mapping of names to texts" if name == "headers" else "text"
            raise TypeError(f"{name} has to be {words}, got {type(value).__name__}")


def _composed(fields: MailFields) -> bytes:
    message = EmailMessage(policy.SMTP)
    said = {name.rstrip("_").title(): text for name, text in fields.items() if name in _HEADER}
    for name, text in {**_DEFAULTS, **said, **fields.get("headers", {})}.items():
        del message[name]  # its names are the same in capitals and small letters
        message[name] = text
    message.set_content(fields.get("body", ""))
    return message.as_bytes()
