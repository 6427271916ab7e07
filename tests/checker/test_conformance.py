"""Every conformance case is passed by the correct server and failed by one that breaks just it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from pop3check import Ending, Limits, Outcome, check, check_all, select
from pop3mock import MockServer
from pop3scenarios import loads

from ._pairs import UNMET, Pair, broken, case_of, correct, hold, is_slow, pairs
from .test_faked import FAKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check import Target

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: mutant\nsummary: breaks one thing\n"

IDS = [scenario.name.upper() for scenario in select()]

#: The others have a clock of their own.
QUICK = [case_id for case_id in IDS if not is_slow(case_id)]
PAIRS = [pair for pair in pairs() if pair.case in QUICK]


@pytest.mark.parametrize("case_id", QUICK)
def test_correct_server_passes(case_id: str) -> None:
    """The correct server passes each case; of one that only observes, it is told what it does."""
    case = case_of(case_id)

    with correct(case) as server:
        verdict = hold(server, case)

    assert case.file.case is not None
    fine = {Outcome.PASS} | ({Outcome.INFO} if case.file.case.unmet == "info" else set())
    assert verdict.outcome in fine, verdict


@pytest.mark.parametrize(
    "pair", [p for p in pairs() if p.case in QUICK], ids=lambda pair: f"{pair.case}-{pair.number}"
)
def test_mutant_fails(pair: Pair) -> None:
    """A server that breaks just what a case is about fails it, and is told what."""
    case = case_of(pair.case)

    with broken(case, pair.mutant) as server:
        verdict = hold(server, case, timeout=0.5)

    assert case.file.case is not None
    assert UNMET[case.file.case.unmet] is verdict.outcome, verdict
    told = verdict.notes or (verdict.expected, verdict.actual)
    assert told not in ((), ("", ""), seen_of_the_correct(pair.case))


@cache
def seen_of_the_correct(case_id: str) -> tuple[str, ...]:
    """What is told of the correct server by a case that only observes."""
    case = case_of(case_id)
    assert case.file.case is not None
    if case.file.case.unmet != "info":
        return ()
    with correct(case) as server:
        return hold(server, case).notes


def test_every_case_has_a_mutant() -> None:
    """No case is shipped that was never seen to fail, and no mutant without its case."""
    assert set(IDS) == {pair.case for pair in pairs()} | set(FAKED)


@pytest.mark.parametrize("case_id", IDS)
def test_case_says_what_it_is(case_id: str) -> None:
    """A case is named after its row, and says requirement, reason and section."""
    case = case_of(case_id)

    assert case_id.lower() == case.name
    assert case.file.case is not None
    assert case.file.why
    assert case.file.references


@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
def test_all_ways_to_connect(tls: str, target_of: Callable[..., Target]) -> None:
    """The cases come out alike in the clear, after STLS and inside implicit TLS."""
    with MockServer(tls="implicit" if tls == "implicit" else "stls") as server:
        target = target_of(server, tls=tls, ssl_context=server.client_context())
        report = check_all(target, select(["rfc1939-5"]))

    assert report.exit_status == 0
    assert set(report.counts) <= {Outcome.PASS, Outcome.SKIP, Outcome.INFO}
    commands = [line for v in report.verdicts for line in v.wire if line.text.startswith("PASS")]
    assert all(line.tls == (tls != "none") for line in commands)


def test_nothing_is_deleted_by_default(target_of: Callable[..., Target]) -> None:
    """A run without leave to delete sends no DELE."""
    with MockServer() as server:
        report = check_all(target_of(server), select())

    assert "DELE" not in {command.split(" ")[0] for command in server.journal.commands}
    assert Outcome.SKIP is {v.case: v.outcome for v in report.verdicts}["RFC1939-5-37"]


def test_marks_that_stay_are_not_committed(target_of: Callable[..., Target]) -> None:
    """Where RSET does not take the marks away, the checker leaves without QUIT."""
    limits = Limits(mode="mark", any_message=True)

    with MockServer(loads(f"{HEAD}rules: [{{when: RSET, effect: skip}}]")) as server:
        verdict = check(target_of(server), "rfc1939-5-37", limits=limits)
        left = len(server.maildrop.messages)

    assert (verdict.outcome, verdict.ending, left) == (Outcome.FAIL, Ending.OURS, 4)
