"""Cases that no rule makes the mock break: a server that is only octets does."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from pop3check import Facts, Limits, Target
from pop3check._findings import Unmet
from pop3check._talk import Talk
from pop3check._wants import AskTime, Receive, Silence, Want
from pop3check._wirelog import WireLog
from pop3check.probes import load_probes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check._wants import Wants

#: For each case, what the server says after each time that the checker has sent something.
FAKED: dict[str, tuple[bytes, ...]] = {
    "IOP-04": (b"+OK ready\r\n", b"+OK 0 0\r\n"),  # and a minute goes by between two looks
    # It connects once more by itself, and is greeted a third time inside TLS.
    "RFC2595-4-06": (b"+OK ready\r\n",) * 2 + (b"+OK begin\r\n", b"+OK ready once more\r\n"),
    "RFC2449-4-05": (b"+OK ready\r\n",),  # and then takes everything in silence
}


@pytest.mark.parametrize("case_id", FAKED)
def test_server_that_breaks_it_fails(case_id: str) -> None:
    """A server of octets that breaks the case fails it."""
    said = list(FAKED[case_id])
    minutes = count(step=60)

    def fulfil(want: Want) -> bytes:
        if isinstance(want, AskTime):
            return str(next(minutes)).encode()
        if not isinstance(want, Receive):
            return b""
        if not said:
            raise Silence("nothing came")
        return said.pop(0)

    with pytest.raises(Unmet):
        drive(case_id, fulfil)


def drive(case_id: str, fulfil: Callable[[Want], bytes]) -> None:
    """Play a probe; its wants are fulfilled by a function."""
    talk = Talk(Target(host="127.0.0.1"), Facts(), WireLog(), Limits())
    wants = probe_from_the_greeting_on(case_id, talk)
    want = next(wants)
    while True:
        try:
            data = fulfil(want)
        except Silence as silence:
            want = wants.throw(silence)
        else:
            want = wants.send(data)


def probe_from_the_greeting_on(case_id: str, talk: Talk) -> Wants[None]:
    """Connect, then the probe."""
    yield from talk.connect()
    yield from load_probes()[case_id](talk)
