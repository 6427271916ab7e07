"""How commands come in, octet by octet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Seconds between two octets: each goes out in a segment of its own.
_BETWEEN = 0.05


@probe("RFC1939-3-05")
def octet_by_octet(talk: Talk) -> Wants[None]:
    """NOOP, an octet at a time."""
    for octet in b"NOOP\r\n":
        yield from talk.send_octets(bytes([octet]), "+OK to NOOP")
        yield from talk.pause(_BETWEEN)

    answer = yield from talk.line()
    talk.require(answer.startswith("+OK"), "+OK to NOOP", answer)
    yield from talk.silent()
