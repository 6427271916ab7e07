"""One case, or many, against a server."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pop3scenarios import Scenario, load

from ._cases import Case
from ._limits import Limits
from ._plan import plan
from ._report import Report
from ._run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ._facts import Facts
    from ._target import Target
    from ._verdict import Verdict

    #: Puts messages into the maildrop of the account.
    Seed = Callable[[list[bytes]], None]


def check(
    target: Target,
    scenario: str | Path | Scenario,
    *,
    limits: Limits | None = None,
    facts: Facts | None = None,
    seed: Seed | None = None,
) -> Verdict:
    """Hold a server to one scenario.

    Nothing is deleted unless the caller allows it, and a server that the network keeps from
    answering is never said to fail.

    Args:
        target: The server and the account.
        scenario: A name, a path, or a loaded scenario.
        limits: How far the run may go; it reads only, if nothing is said.
        facts: What is known of the server from the report of an earlier run; without them it is
            asked first, on a connection of its own.
        seed: Puts messages into the maildrop; None: those that are there have to do.

    Returns:
        The verdict.

    Raises:
        pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing was sent.
        TargetError: The file of certificate authorities cannot be read.
    """
    return check_all(target, [scenario], limits=limits, facts=facts, seed=seed).verdicts[0]


def check_all(
    target: Target,
    scenarios: Iterable[str | Path | Scenario],
    *,
    limits: Limits | None = None,
    progress: Callable[[Verdict], None] | None = None,
    facts: Facts | None = None,
    seed: Seed | None = None,
) -> Report:
    """Hold a server to many scenarios; asks it first what it is.

    Args:
        target: The server and the account.
        scenarios: Names, paths, or loaded scenarios.
        limits: How far the run may go; it reads only, if nothing is said.
        progress: Called with each verdict as it is reached.
        facts: What is known of the server from the report of an earlier run; without them it is
            asked first, on a connection of its own.
        seed: Puts messages into the maildrop; None: those that are there have to do.

    Returns:
        All verdicts, and what the server said about itself.

    Raises:
        pop3scenarios.ScenarioError: A scenario is wrong or unknown; nothing was sent.
        TargetError: The file of certificate authorities cannot be read.
    """
    wanted = [Case.of(s if isinstance(s, Scenario) else load(s)) for s in scenarios]
    run = begin(target, limits or Limits(), facts=facts, seed=seed)
    verdicts: dict[str, Verdict] = {}
    asked_for = {case.id for case in wanted}
    for case in plan(wanted):
        verdict = run.judge_all_octets(case) if case.passive else run.judge(case)
        verdicts[case.id] = verdict
        if progress is not None and case.id in asked_for:
            progress(verdict)
    run.close()
    lost = () if facts is not None else run.lost()
    return Report(str(target), run.facts, tuple(verdicts[case.id] for case in wanted), lost)


def begin(
    target: Target, limits: Limits, *, facts: Facts | None = None, seed: Seed | None = None
) -> Run:
    """A run that has its own messages in the maildrop, if there is a way to bring them.

    Args:
        target: The server and the account.
        limits: How far the run may go.
        facts: What is known of the server; without them it is asked first.
        seed: Puts messages into the maildrop; None: those that are there have to do.
    """
    run = Run(target, limits, facts, secrets.token_hex(6) if seed is not None else "", seed)
    if seed is not None:
        run.bring(seed)
    return run
