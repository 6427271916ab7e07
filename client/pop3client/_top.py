"""What the answer to TOP shows: a second status line, and more lines than were asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._session import Session

__all__ = ["judged"]

# No header field begins so: a colon has to stand behind the field's name.
_STATUS = re.compile(rb"\+OK(?: [^\r\n]*)?\r?\n")


def judged(session: Session, raw: bytes, lines: int) -> bytes:
    """Take the top of a message, and note what is odd about it.

    Args:
        session: the session.
        raw: what was sent, unstuffed.
        lines: how many lines of the body were asked for.

    Returns:
        The octets without the status line that some servers send twice.
    """
    if found := _STATUS.match(raw):
        session.note("top-double-ok", "TOP", found[0])
        raw = raw[found.end() :]
    surplus = _body_lines(raw) - lines
    if surplus > 0:
        session.note("top-extra-lines", "TOP", b"%d asked for, %d more came" % (lines, surplus))
    return raw


def _body_lines(raw: bytes) -> int:
    """Count the lines behind the empty line that ends the header; none if there is no such line."""
    line_end = b"\r\n" if b"\r\n" in raw else b"\n"
    # The header may be empty, so that the message begins with the empty line.
    _, _, body = (line_end + raw).partition(line_end * 2)
    return body.count(line_end)
