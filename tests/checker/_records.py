"""Verdicts, reports and records for tests of what is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pop3check import Facts, Limits, Outcome, Record, Report, Target, Verdict, WireLine

if TYPE_CHECKING:
    from pop3check import Baseline

#: What a server may say to whoever shows it.
EVIL = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>&amp;]]>\x01"

#: What every verdict says, unless a test wants something else.
_TEXT: dict[str, Any] = {"why": "it matters", "level": "must"}

TARGET = Target(host="mail.example", port=110, user="alice", password="sesame-open")


def verdict(case: str, outcome: Outcome, **more: Any) -> Verdict:
    """A verdict; one that fails has something expected and something that came."""
    texts = {"expected": "+OK", "actual": "-ERR no"} if outcome is Outcome.FAIL else {}
    wire = (WireLine("C", "NOOP", tls=False), WireLine("S", "-ERR no", tls=True))
    shown: dict[str, Any] = {"wire": wire} if outcome is not Outcome.SKIP else {}
    reason = {"reason": "why not"} if outcome in (Outcome.SKIP, Outcome.ERROR) else {}
    told: dict[str, Any] = _TEXT | texts | shown | reason | more
    return Verdict(
        case=case,
        title=f"what {case} is about",
        outcome=outcome,
        requirement=f"what {case} asks",
        references=("RFC 1939 section 5",),
        **told,
    )


def facts() -> Facts:
    """Facts of a server that lets us in."""
    return Facts(
        greeting="+OK hello",
        stages={"first": ("TOP", "UIDL"), "transaction": ("TOP", "UIDL")},
        logged_in=True,
        no_login="",
        count=2,
        octets=80,
        top=True,
        uidl=True,
    )


def report(*verdicts: Verdict, lost: tuple[str, ...] = ()) -> Report:
    """A report of a server that lets us in."""
    return Report("mail.example:110", facts(), verdicts, lost)


def record(
    *verdicts: Verdict,
    lost: tuple[str, ...] = (),
    baseline: Baseline | None = None,
    name: str = "",
) -> Record:
    """The record of such a report."""
    return Record.of(
        report(*verdicts, lost=lost),
        TARGET,
        Limits(),
        began=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        seconds=2.5,
        name=name,
        standings=baseline.standings(verdicts) if baseline is not None else None,
        reproduce=lambda case: f"pop3kit check pop3://alice@mail.example {case}",
    )
