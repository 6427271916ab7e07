"""What a scenario's ``expect:`` says of the clients, held against what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._changes import selects
from ._journal import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3scenarios import ExpectSection, Template

    from ._journal import Exchange, Journal


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


def broken(expect: ExpectSection, journal: Journal) -> list[Fault]:
    """Everything that clients did wrong.

    Args:
        expect: The scenario's ``expect:``.
        journal: What happened.
    """
    exchanges = journal.exchanges
    return [*journal.faults, *_forbidden(expect, exchanges), *_owed(expect, exchanges)]


def occurrences(pattern: str | Template, exchanges: Iterable[Exchange]) -> int:
    """How often a command line that a pattern means has come.

    Args:
        pattern: For example ``QUIT`` or ``DELE 2``.
        exchanges: What happened.
    """
    template = parse_line(pattern) if isinstance(pattern, str) else pattern
    return sum(selects(template, exchange.line) for exchange in exchanges)


def _forbidden(expect: ExpectSection, exchanges: list[Exchange]) -> Iterator[Fault]:
    for exchange in exchanges:
        if any(selects(pattern, exchange.line) for pattern in expect.never):
            yield Fault(
                exchange.line, "the scenario forbids it (never)", connection=exchange.connection
            )
        elif not exchange.tls and any(
            selects(pattern, exchange.line) for pattern in expect.never_in_clear
        ):
            yield Fault(
                exchange.line,
                "the scenario forbids it outside TLS (never-in-clear)",
                connection=exchange.connection,
            )


def _owed(expect: ExpectSection, exchanges: list[Exchange]) -> Iterator[Fault]:
    for pattern in expect.always:
        if not occurrences(pattern, exchanges):
            yield Fault(pattern.source, "the scenario demands it (always), and it never came")
    for command, times in expect.counts.items():
        count = occurrences(command, exchanges)
        if count not in times:
            yield Fault(command, f"came {count} time(s), which the scenario rules out (counts)")
