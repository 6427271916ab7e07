"""What the commands return."""

from __future__ import annotations

import email
from dataclasses import dataclass, field
from email import policy
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

__all__ = ["Language", "Maildrop", "Message", "Response", "ScanListing", "UniqueId"]


@dataclass(frozen=True, slots=True)
class Maildrop:
    """STAT's answer: how much mail there is (RFC 1939 section 5).

    Can be unpacked: ``count, octets = client.stat()``.

    Attributes:
        count: messages in the maildrop, without those marked as deleted.
        octets: their size as the server reckons it; some servers are wrong, even negative.
    """

    count: int
    octets: int

    def __iter__(self) -> Iterator[int]:
        yield self.count
        yield self.octets


class ScanListing(NamedTuple):
    """A line of LIST's answer (RFC 1939 section 5).

    Attributes:
        number: message number, from 1.
        octets: the size that the server announces; never rely on it.
    """

    number: int
    octets: int


class UniqueId(NamedTuple):
    """A line of UIDL's answer (RFC 1939 section 7).

    Attributes:
        number: message number, from 1.
        uid: the unique-id as octets; empty if the server gave none.
    """

    number: int
    uid: bytes


@dataclass(frozen=True, slots=True)
class Message:
    r"""One message, or its top, as it came.

    Attributes:
        number: message number, from 1.
        raw: the octets: lines end as on the wire (CRLF, if the server obeys the RFC), stuffed
            dots are removed, and the line that only ends the reply is not part of it.
        uid: its unique-id, if ``sync`` has fetched it; empty if the server gave none.
    """

    number: int
    raw: bytes = field(repr=False)
    uid: bytes | None = None

    @property
    def octets(self) -> int:
        """Size of ``raw`` in octets."""
        return len(self.raw)

    def __bytes__(self) -> bytes:
        return self.raw

    def parse(self) -> EmailMessage:
        """Parse the octets with the standard library's modern policy.

        Returns:
            The message, as ``email.policy.default`` reads it. Parsing never fails: what the
            message does wrong stands in its ``defects``.
        """
        return email.message_from_bytes(self.raw, policy=policy.default)


class Language(NamedTuple):
    """A language of the server's texts (RFC 6856 section 3).

    Attributes:
        tag: its tag, such as ``"de"``.
        description: its name; or, where the language was chosen, the server's text in it.
    """

    tag: str
    description: str


class Response(NamedTuple):
    """What a command was answered that has no method of its own.

    Attributes:
        text: what follows +OK.
        body: the lines after it, unstuffed, if it was said that there are some.
    """

    text: str
    body: bytes
