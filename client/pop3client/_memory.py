"""What the store knows of a maildrop, held against its listing; see ``_sync`` for the rule."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ._results import UniqueId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._seen import SeenMaildrop, SeenMessage

__all__ = ["Listed", "Memory", "fingerprint"]

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FICKLE = re.compile(
    rb"^(?:Status|X-(?:Status|UIDL?|Keywords|IMAP(?:base)?)):.*\n(?:[ \t].*\n)*",
    re.MULTILINE | re.IGNORECASE,
)
"""Fields that servers put into a message, or change, when it has been read."""


class Listed(NamedTuple):
    """A message of the maildrop; ``octets`` is None if LIST does not tell."""

    number: int
    uid: bytes
    octets: int | None

    @property
    def id(self) -> UniqueId:
        """What the result names it by."""
        return UniqueId(self.number, self.uid)


def fingerprint(raw: bytes) -> bytes:
    """Give the SHA-256 of a message, without what servers change in it."""
    end = _HEADER_END.search(raw)
    start = end.end() if end else len(raw)
    digest = hashlib.sha256(_FICKLE.sub(b"", raw[:start]))
    digest.update(memoryview(raw)[start:])
    return digest.digest()


class Memory:
    """What the store knew of a maildrop when it was listed.

    Attributes:
        believed: by number, what is known of the messages that need not be fetched.
    """

    def __init__(self, maildrop: SeenMaildrop, listing: Iterable[Listed]) -> None:
        self._maildrop = maildrop
        self._listing = listing
        self._shares = Counter(message.uid for message in listing)
        self._rows: dict[bytes, dict[bytes, SeenMessage]] = {}
        self.believed: dict[int, SeenMessage] = {}

    def load(self) -> None:
        """Read the store, and begin a new listing in it."""
        for known in self._maildrop.messages():
            self._rows.setdefault(known.uid, {})[known.fingerprint] = known
        last = self._maildrop.listings()
        for message in self._listing:
            row = self._believe(message, last)
            if row is not None:
                self.believed[message.number] = row
        self._maildrop.listed(self.believed.values())

    def _believe(self, message: Listed, last: int) -> SeenMessage | None:
        if not message.uid or self.is_shared(message.uid):
            return None
        rows = [
            row
            for row in self._rows.get(message.uid, {}).values()
            if row.listing == last
            and row.deleted is None
            and (message.octets is None or message.octets == row.octets)
        ]
        return rows[0] if len(rows) == 1 else None

    def is_shared(self, uid: bytes) -> bool:
        """True if several messages of the listing have this unique-id."""
        return self._shares[uid] > 1

    def is_reused(self, uid: bytes) -> bool:
        """True if the unique-id of a new message is known from others, which are gone."""
        return bool(uid) and uid in self._rows and not self.is_shared(uid)

    def copies(self, uid: bytes, mark: bytes) -> int:
        """How many messages with this unique-id and these octets were delivered."""
        row = self._rows.get(uid, {}).get(mark)
        return row.copies if row else 0

    def note(self, uid: bytes, mark: bytes, octets: int, copies: int) -> SeenMessage:
        """Write down that a message was delivered, or was found again."""
        return self._maildrop.delivered(uid, mark, octets, copies)
