"""The mail that a scenario presupposes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pop3scenarios import Scenario

_LINE_END = re.compile(rb"\r?\n")
_END_OF_HEADER = b"\r\n\r\n"


def states_mail(scenario: Scenario) -> bool:
    """Whether a scenario states a maildrop itself, rather than taking the default server's."""
    own = (layer for layer in scenario.layers if not layer.quirk and layer.name != "default")
    return any(each.fragment.maildrop is not None or each.fragment.maildrops for each in own)


def wire_form(scenario: Scenario, user: str) -> list[bytes]:
    """The messages of a scenario's maildrop as they are sent, without stuffing.

    Args:
        scenario: The scenario.
        user: Whose maildrop.
    """
    return [_crlf(mail.data) for mail in scenario.mail(user)]


def is_whole(stored: bytes, came: bytes) -> bool:
    """Whether a message came as it was stored, but for header fields that were added.

    Servers write what they want to know of a message into it (``Status``, ``X-UIDL``).

    Args:
        stored: The message, with its line ends as on the wire.
        came: What was sent, without stuffing.
    """
    header, _, body = stored.partition(_END_OF_HEADER)
    their_header, _, their_body = came.partition(_END_OF_HEADER)
    theirs = iter(their_header.split(b"\r\n"))
    # Each line is looked for behind the one before: all of them are there, in order.
    return body == their_body and all(line in theirs for line in header.split(b"\r\n"))


def _crlf(data: bytes) -> bytes:
    text = _LINE_END.sub(b"\r\n", data)
    return text if text.endswith(b"\r\n") else text + b"\r\n"
