"""A ticket, and how it is made of a message."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import NamedTuple


class Ticket(NamedTuple):
    """What somebody wants of the support."""

    sender: str
    subject: str
    text: str


def ticket_of(octets: bytes) -> Ticket:
    """Make a ticket of a message.

    Args:
        octets: The message.
    """
    message = message_from_bytes(octets, policy=policy.default)
    body = message.get_body(preferencelist=("plain", "html"))
    return Ticket(
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        text="\n".join(body.get_content().splitlines()) if body else "",
    )
