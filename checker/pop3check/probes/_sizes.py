"""STAT and LIST: what is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants


@probe("RFC1939-5-07")
def stat_is_the_sum_of_list(talk: Talk) -> Wants[None]:
    """STAT's octets are the sum of LIST's."""
    _, octets = yield from talk.stat()
    listed = yield from talk.sizes()

    total = sum(listed.values())
    talk.require(octets == total, f"STAT to say {total} octets, the sum of LIST", octets)
