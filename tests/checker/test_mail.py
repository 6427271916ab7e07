"""Whether a message came as it was stored; and what a connection that was reset leaves."""

from __future__ import annotations

import pytest

from pop3check import Target
from pop3check._dialogue import Dialogue
from pop3check._mail import is_whole
from pop3check._wants import Lost
from pop3check._wirelog import WireLog

_STORED = b"From: a\r\nSubject: b\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    "came",
    [
        _STORED,
        b"Received: x\r\n" + _STORED,
        b"From: a\r\nSubject: b\r\nX-UIDL: 1\r\nStatus: O\r\n\r\nbody\r\n",
    ],
)
def test_fields_may_be_added(came: bytes) -> None:
    """A message to whose header something was added is whole."""
    assert is_whole(_STORED, came)


@pytest.mark.parametrize(
    "came",
    [
        b"From: a\r\n\r\nbody\r\n",
        b"Subject: b\r\nFrom: a\r\n\r\nbody\r\n",
        b"From: a\r\nSubject: b\r\n\r\nbody\r\nmore\r\n",
        b"From: a\r\nSubject: b\r\n\r\n\r\nbody\r\n",
        b"From: a\r\nSubject: b\r\n",
    ],
)
def test_nothing_else_may_differ(came: bytes) -> None:
    """Fields that are lost or in another order, and another body, are told."""
    assert not is_whole(_STORED, came)


def test_reset_ends_the_tape() -> None:
    """A server that resets the connection owes no reply to what was sent after that."""
    dialogue = Dialogue(Target(host="127.0.0.1"), WireLog())
    leaving = dialogue.leave()
    next(leaving)

    with pytest.raises(Lost):
        leaving.throw(Lost("reset"))

    assert dialogue.tape.ended
    assert dialogue.tape.replies() == []
