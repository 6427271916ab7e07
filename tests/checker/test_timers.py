"""Cases that take minutes, by a clock that jumps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pop3check import Outcome, Verdict
from pop3check._connection import Connection
from pop3check._pace import Pace
from pop3check._wants import AskTime, Pause, Receive, Silence, Want
from pop3mock._engine import Engine

from ._pairs import UNMET, Pair, broken, case_of, correct, hold, is_slow, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pop3mock import MockServer

pytestmark = pytest.mark.once

SLOW = [pair for pair in pairs() if is_slow(pair.case)]

#: Seconds that are waited for what a server says by itself; a longer wait is a jump of the clock.
AT_ONCE = 0.05

#: Seconds by which the clock jumps before each login, so that no delay of the last one is left.
BETWEEN_LOGINS = 61.0


class Clock:
    """Time that passes when somebody says so, beside the real one."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        """Seconds that only rise."""
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock by which the mock's event loop sets its timers."""
    clock = Clock()
    with Engine() as engine:
        monkeypatch.setattr(engine.loop, "time", clock.now)
        yield clock


@pytest.fixture
def held(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[MockServer, str], Verdict]:
    """Holds a server to a case; what waits for long jumps."""

    def hold_to(server: MockServer, case_id: str) -> Verdict:
        waits = Connection.fulfil

        def jump(seconds: float) -> None:
            server.settle()
            clock.ahead += seconds
            server.settle()

        def fulfil(connection: Connection, want: Want) -> bytes:
            match want:
                case Receive(within) if within is not None and within > 1:
                    try:
                        return waits(connection, Receive(AT_ONCE))
                    except Silence:
                        jump(within)
                    return waits(connection, Receive(4 * AT_ONCE))
                case Pause(seconds) if seconds > 1:
                    jump(seconds)
                    return b""
                case AskTime():
                    return str(clock.now()).encode()
            return waits(connection, want)

        monkeypatch.setattr(Connection, "fulfil", fulfil)
        monkeypatch.setattr(Pace, "before_login", lambda _pace, _facts: jump(BETWEEN_LOGINS))
        monkeypatch.setattr(Pace, "until_login", lambda _pace, _facts: 0.0)
        with server:
            return hold(server, case_of(case_id))

    return hold_to


@pytest.mark.parametrize("case_id", sorted({pair.case for pair in SLOW}))
def test_correct_server_passes(
    case_id: str, held: Callable[[MockServer, str], Verdict], clock: Clock
) -> None:
    """The correct server passes each slow case."""
    verdict = held(correct(case_of(case_id), clock=clock.now), case_id)

    assert verdict.outcome in (Outcome.PASS, Outcome.INFO), verdict


@pytest.mark.parametrize("pair", SLOW, ids=lambda pair: f"{pair.case}-{pair.number}")
def test_mutant_fails(pair: Pair, held: Callable[[MockServer, str], Verdict], clock: Clock) -> None:
    """A server whose timer is wrong fails, and is told what."""
    case = case_of(pair.case)

    verdict = held(broken(case, pair.mutant, clock=clock.now), pair.case)

    assert case.file.case is not None
    assert UNMET[case.file.case.unmet] is verdict.outcome, verdict
    assert verdict.notes or (verdict.expected and verdict.actual)


def test_every_slow_case_is_here() -> None:
    """The other tests leave out what is slow."""
    assert {"RFC1939-3-34", "RFC1939-3-37", "RFC2449-6.5-04"} <= {pair.case for pair in SLOW}
