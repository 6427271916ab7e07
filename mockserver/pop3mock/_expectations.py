"""What a scenario's ``expect:`` says of the clients, held against what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._changes import selects
from ._events import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3scenarios import ExpectSection

    from ._connection_log import ConnectionLog
    from ._events import Exchange
    from ._journal import Journal


class BrokenExpectation(AssertionError):
    """Clients did not do what the scenario expects of them.

    Attributes:
        scenario: The name of the scenario.
        faults: Everything that was wrong.
        transcript: What happened.
    """

    def __init__(self, scenario: str, faults: Iterable[str], transcript: str) -> None:
        self.scenario = scenario
        self.faults = tuple(faults)
        self.transcript = transcript
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(
            f"the client did not keep to scenario {scenario!r}:\n{lines}\n"
            f"(to allow a command: expect: {{allow: [COMMAND]}} in the scenario)\n{transcript}"
        )


def broken(expect: ExpectSection, journal: Journal, *, final: bool = True) -> list[Fault]:
    """Everything that clients did wrong.

    Args:
        expect: The scenario's ``expect:``; a connection on which another scenario was played has
            that one's, but what all of them together owe is this one's.
        journal: What happened.
        final: Whether clients have had their chance to do all that they must.
    """
    forbidden = [fault for log in journal.connections for fault in _forbidden(expect, log)]
    owed = [*journal.owed(), *_owed(expect, journal)] if final else []
    return [*journal.faults, *forbidden, *owed]


def _forbidden(expect: ExpectSection, log: ConnectionLog) -> Iterator[Fault]:
    expect = expect if log.expect is None else log.expect
    for exchange in log.asked():
        why = _why_not(expect, exchange)
        if why:
            yield Fault(exchange.line, why, connection=log.number)


def _why_not(expect: ExpectSection, exchange: Exchange) -> str:
    if any(selects(pattern, exchange.heard) for pattern in expect.never):
        return "the scenario forbids it (never)"
    clear = () if exchange.tls else expect.never_in_clear
    if any(selects(pattern, exchange.heard) for pattern in clear):
        return "the scenario forbids it outside TLS (never-in-clear)"
    return ""


def _owed(expect: ExpectSection, journal: Journal) -> Iterator[Fault]:
    for pattern in expect.always:
        if not journal.sent(pattern):
            yield Fault(pattern.source, "the scenario demands it (always), and it never came")
    for command, times in expect.counts.items():
        count = journal.count(command)
        if count not in times:
            yield Fault(command, f"came {count} time(s), which the scenario rules out (counts)")
