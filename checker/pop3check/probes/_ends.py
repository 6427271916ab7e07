"""How sessions end, and what becomes of messages that are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants


@probe("RFC1939-6-06")
def drop_deletes_nothing(talk: Talk) -> Wants[None]:
    """A connection that is closed without QUIT leaves every message where it was."""
    (number,) = talk.own()
    before = yield from talk.uids()
    yield from talk.accepted(f"DELE {number}")
    yield from talk.drop()

    after = yield from talk.uids_again()
    talk.require(
        before[number] in after.values(),
        f"{before[number]} still in the maildrop",
        "the message is gone",
    )
