"""A program sent through many scenarios, several at a time, and judged in their order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from pop3scenarios import load

from ._attempt import attempt, mode_for
from ._judgement import judge, passed_over
from ._results import Exercise, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pop3scenarios import Scenario

    from ._attempt import Program
    from ._results import Result

    Watch = Callable[[Iterable[Result], int], Iterable[Result]]

#: The scenario of a correct server.
DEFAULT = "default"


def run_all(
    program: Program,
    scenarios: Sequence[Scenario],
    jobs: int,
    *,
    name: str,
    version: str,
    watch: Watch,
) -> Exercise:
    """Send a program through scenarios.

    Args:
        program: The program.
        scenarios: The scenarios.
        jobs: How many are played side by side.
        name: What the client is called.
        version: Its version, if somebody knows.
        watch: Is given the results as they come, in the order of the scenarios, and how many there
            will be; gives them back.

    Raises:
        SystemFailure: The program, or a mock, cannot be started.
    """
    began = datetime.now(UTC).replace(microsecond=0)
    results = tuple(watch(_results(program, scenarios, jobs), len(scenarios)))
    return Exercise(
        exercise=1,
        client=name,
        version=version,
        command=program.template.words,
        handover=program.handover,
        allowed=tuple(sorted(program.liberties)),
        limit=program.limit,
        began=began,
        kit=version_of("pop3kit"),
        results=results,
    )


def trouble_at_default(program: Program) -> Result | None:
    """What goes wrong where the server is a correct one: then the command itself may be wrong.

    Args:
        program: The program.

    Returns:
        None if it survives, or cannot be sent there.

    Raises:
        SystemFailure: The program, or the mock, cannot be started.
    """
    result = _one(program, load(DEFAULT))
    return None if result.verdict in (Verdict.SURVIVED, Verdict.SKIPPED) else result


def _results(program: Program, scenarios: Sequence[Scenario], jobs: int) -> Iterator[Result]:
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(_one, program, scenario) for scenario in scenarios]
        try:
            for run in runs:
                yield run.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(program: Program, scenario: Scenario) -> Result:
    mode = mode_for(scenario, program)
    if mode is None:
        return passed_over(scenario, _why_not(program, scenario))
    return judge(attempt(scenario, program, mode))


def _why_not(program: Program, scenario: Scenario) -> str:
    wanted = scenario.expect.fetch.tls or "none"
    if program.mode is not None:
        return f"it wants {wanted}, and --tls says {program.mode}"
    return f"it wants {wanted}, and the command has no place that tells so, such as {{tls}}"
