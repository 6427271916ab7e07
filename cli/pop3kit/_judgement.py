"""What is to be thought of a program that was sent through a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from pop3scenarios import kind_of

from ._results import Kind, Messages, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3scenarios import Scenario

    from ._attempt import Attempt

_Found = tuple[Kind, str]


class _Facts(TypedDict):
    """What a result tells of the scenario."""

    scenario: str
    group: str
    summary: str
    best: Verdict


def judge(attempt: Attempt) -> Result:
    """The verdict, and why it is so.

    Args:
        attempt: What happened.
    """
    found = list(_mishandled(attempt))
    kinds = {kind for kind, _ in found}
    verdict = Verdict.MISHANDLED if found else _handled(attempt)
    end = attempt.end
    return Result(
        **_facts(attempt.scenario),
        tls=attempt.mode,
        verdict=verdict,
        kinds=tuple(kind for kind in Kind if kind in kinds),
        reasons=tuple([why for _, why in found] or _reasons(attempt, verdict)),
        messages=_messages(attempt),
        status=end.status,
        signal=end.signal,
        seconds=round(end.seconds, 2),
        words=attempt.words,
        transcript=attempt.transcript,
    )


def passed_over(scenario: Scenario, why: str) -> Result:
    """A scenario that a program cannot be sent through.

    Args:
        scenario: The scenario.
        why: Why not.
    """
    return Result(
        **_facts(scenario),
        tls=scenario.expect.fetch.tls or "none",
        verdict=Verdict.SKIPPED,
        reasons=(why,),
    )


def _facts(scenario: Scenario) -> _Facts:
    return {
        "scenario": scenario.name,
        "group": kind_of(scenario.path),
        "summary": scenario.summary,
        "best": _best(scenario),
    }


def _best(scenario: Scenario) -> Verdict:
    """What the scenario says of a client that does all it can."""
    fetch = scenario.expect.fetch
    spoilt_unseen = fetch.ends == "partial" and fetch.error is None
    if fetch.ends in (None, "complete") or spoilt_unseen:
        return Verdict.SURVIVED
    return Verdict.REFUSED


def _spoilt(attempt: Attempt) -> int:
    """Messages that the server sends otherwise than it has them, which no client can know."""
    fetch = attempt.scenario.expect.fetch
    if fetch.ends != "partial" or fetch.error is not None:
        return 0
    return len(attempt.numbers) - (fetch.intact or 0)


# What is wrong


def _mishandled(attempt: Attempt) -> Iterator[_Found]:
    for leak in attempt.leaks:
        yield Kind.LEAKED, f"it said {leak}"
    yield from _lost(attempt)
    yield from _incomplete(attempt)
    yield from _spoiled(attempt)
    yield from _ended_badly(attempt)
    if attempt.end.status == 0:  # else it has noticed that something is wrong, if late
        for fault in attempt.faults:
            yield Kind.IMPROPER, fault


def _has(attempt: Attempt) -> frozenset[int]:
    """Numbers of the messages that the program has, as far as can be known."""
    if attempt.comparison is None:
        return attempt.retrieved
    return frozenset((*attempt.comparison.intact, *attempt.comparison.altered))


def _lost(attempt: Attempt) -> Iterator[_Found]:
    """What the program had deleted and has not handed over; a server may delete by itself."""
    lost = [number for number in attempt.gone if number not in _has(attempt)]
    if attempt.deleted and lost:
        yield Kind.LOST, f"{_listed(lost)} deleted from the server, and not handed over"


def _incomplete(attempt: Attempt) -> Iterator[_Found]:
    missing = [number for number in attempt.numbers if number not in _has(attempt)]
    if attempt.end.status == 0 and len(missing) > _spoilt(attempt):
        yield Kind.INCOMPLETE, f"it said that all went well, and {_listed(missing)} missing"


def _spoiled(attempt: Attempt) -> Iterator[_Found]:
    comparison = attempt.comparison
    if comparison is None:
        return
    for number in comparison.duplicated:
        yield Kind.DUPLICATED, f"message {number} came once more"
    if len(comparison.differences) > _spoilt(attempt):
        for difference in comparison.differences:
            yield Kind.ALTERED, difference


def _ended_badly(attempt: Attempt) -> Iterator[_Found]:
    end = attempt.end
    if end.signal:
        yield Kind.CRASHED, f"{end.signal} ended it"
    if end.hung:
        yield Kind.HUNG, f"it had not ended after {end.seconds:.0f} s, and was killed"


# What is right


def _handled(attempt: Attempt) -> Verdict:
    """Whether a program that did nothing wrong has all mail, and says so."""
    error_is_due = attempt.scenario.expect.fetch.error is not None
    all_here = _has(attempt).issuperset(attempt.numbers)
    if attempt.end.status == 0 or (all_here and error_is_due):
        return Verdict.SURVIVED
    return Verdict.REFUSED


def _reasons(attempt: Attempt, verdict: Verdict) -> Iterator[str]:
    has, total = len(_has(attempt)), len(attempt.numbers)
    if verdict is Verdict.REFUSED:
        yield f"it ended with status {attempt.end.status}, and {has} of {total} messages came"
    elif attempt.comparison is None:
        yield f"it asked for {has} of {total} messages; what it made of them nobody can know"
    elif spoilt := _spoilt(attempt):
        yield f"{has} of {total} messages came; the server itself spoils {spoilt}, unseen"
    else:
        yield f"all {total} messages came as they are"
    yield from attempt.faults
    if attempt.end.stayed:
        yield "it left something running, which was killed"


def _messages(attempt: Attempt) -> Messages | None:
    comparison = attempt.comparison
    if comparison is None:
        return None
    return Messages(
        total=len(attempt.numbers),
        intact=len(comparison.intact),
        altered=len(comparison.differences),
        missing=len(comparison.missing),
        duplicated=len(comparison.duplicated),
        gone=len(attempt.gone),
    )


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers))
    return f"message {shown} is" if len(numbers) == 1 else f"messages {shown} are"
