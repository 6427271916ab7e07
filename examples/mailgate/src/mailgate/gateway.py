"""From the maildrop to the tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailgate.mailbox import session
from mailgate.ticket import ticket_of

if TYPE_CHECKING:
    from mailgate.mailbox import Mailbox
    from mailgate.settings import Settings
    from mailgate.store import Store


def run(settings: Settings, store: Store) -> int:
    """Make a ticket of each new message, and delete what has become one.

    Args:
        settings: Where the mail is.
        store: Where the tickets go.

    Returns:
        How many tickets were made.
    """
    made = 0
    with session(settings) as mailbox:
        for number, uid in mailbox.uids().items():
            made += _deliver(mailbox, number, uid, store)
            mailbox.delete(number)
    return made


def _deliver(mailbox: Mailbox, number: int, uid: str, store: Store) -> bool:
    """Make a ticket of a message, unless that was done by an earlier run."""
    claimed = store.claim(uid)
    store.commit()
    if claimed:
        store.add(ticket_of(mailbox.retrieve(number)))
        store.commit()
    return claimed
