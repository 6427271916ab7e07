"""Baselines and profiles: what counts of what is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3check import (
    PROFILES,
    Baseline,
    BaselineError,
    Entry,
    Outcome,
    Report,
    Standing,
    read_baseline,
    select,
    written_baseline,
)

from ._records import facts, report, verdict

if TYPE_CHECKING:
    from pathlib import Path

CASE = "RFC1939-5-35"


def known(outcome: Outcome, **more: str) -> Baseline:
    """A baseline that knows one case."""
    return Baseline(cases={CASE: Entry(outcome=outcome, **more)})


@pytest.mark.parametrize(
    ("then", "now", "standing", "status"),
    [
        (Outcome.PASS, Outcome.PASS, Standing.NONE, 0),
        (Outcome.PASS, Outcome.INFO, Standing.NONE, 0),
        (Outcome.PASS, Outcome.NON_STRICT, Standing.WORSE, 1),
        (Outcome.PASS, Outcome.FAIL, Standing.WORSE, 1),
        (Outcome.NON_STRICT, Outcome.FAIL, Standing.WORSE, 1),
        (Outcome.NON_STRICT, Outcome.NON_STRICT, Standing.KNOWN, 0),
        (Outcome.FAIL, Outcome.FAIL, Standing.KNOWN, 0),
        (Outcome.FAIL, Outcome.NON_STRICT, Standing.FIXED, 0),
        (Outcome.FAIL, Outcome.PASS, Standing.FIXED, 0),
        (Outcome.PASS, Outcome.SKIP, Standing.UNJUDGED, 2),
        (Outcome.FAIL, Outcome.ERROR, Standing.UNJUDGED, 2),
        (Outcome.SKIP, Outcome.FAIL, Standing.WORSE, 1),
        (Outcome.SKIP, Outcome.PASS, Standing.NONE, 0),
        (Outcome.SKIP, Outcome.ERROR, Standing.NONE, 2),
        (Outcome.ERROR, Outcome.ERROR, Standing.NONE, 0),
    ],
)
def test_standing(then: Outcome, now: Outcome, standing: Standing, status: int) -> None:
    """Only what is worse than it was breaks a build; what cannot be judged now is inconclusive."""
    baseline = known(then)
    found = verdict(CASE, now)
    run = report(found, verdict("RFC1939-5-06", Outcome.PASS))

    assert baseline.standing(found) is standing
    assert baseline.exit_status(run) == status


def test_another_failure_is_a_new_one() -> None:
    """A failure that does not say what it has to say is worse than the known one."""
    baseline = known(Outcome.FAIL, text="connection closed")

    standings = [
        baseline.standing(verdict(CASE, Outcome.FAIL, actual=actual))
        for actual in ("-ERR, connection closed", "-ERR")
    ]

    assert standings == [Standing.KNOWN, Standing.WORSE]


@pytest.mark.parametrize(
    ("unknown", "standing", "status"),
    [("pending", Standing.PENDING, 0), ("fail", Standing.NONE, 1)],
)
def test_unknown_case(unknown: str, standing: Standing, status: int) -> None:
    """A case that the baseline does not know breaks no build before it has passed once."""
    baseline = Baseline.model_validate({"unknown": unknown})
    found = verdict(CASE, Outcome.FAIL)

    assert baseline.standing(found) is standing
    assert baseline.exit_status(report(found)) == status


def test_pending_becomes_binding() -> None:
    """Once it has passed, and that was written, its failure counts."""
    baseline = Baseline().updated([verdict(CASE, Outcome.PASS)])

    assert baseline.exit_status(report(verdict(CASE, Outcome.FAIL))) == 1


def test_lost_mail_is_never_known() -> None:
    """No baseline excuses lost mail, nor a server that cannot be asked."""
    passed = verdict(CASE, Outcome.PASS)

    assert known(Outcome.FAIL).exit_status(report(passed, lost=("uid-1",))) == 3
    assert known(Outcome.PASS).exit_status(Report("h:110", None, (passed,))) == 2


def test_update() -> None:
    """Reasons stay as long as the outcome; what was not asked stays; expectations that went go."""
    entries = {
        "SEC-01": Entry(outcome=Outcome.FAIL, reason="bug 7", text="no"),
        "SEC-02": Entry(outcome=Outcome.FAIL, reason="bug 8"),
        "SEC-03": Entry(outcome=Outcome.FAIL, reason="bug 9", text="other"),
        "SEC-04": Entry(outcome=Outcome.SKIP, reason="not asked"),
    }

    updated = Baseline(unknown="fail", cases=entries).updated(
        [
            verdict("SEC-01", Outcome.FAIL),
            verdict("SEC-02", Outcome.PASS),
            verdict("SEC-03", Outcome.FAIL),
            verdict("SEC-05", Outcome.NON_STRICT),
        ]
    )

    assert updated.unknown == "fail"
    assert updated.cases == {
        "SEC-01": entries["SEC-01"],
        "SEC-02": Entry(outcome=Outcome.PASS),
        "SEC-03": Entry(outcome=Outcome.FAIL, reason="bug 9"),
        "SEC-04": entries["SEC-04"],
        "SEC-05": Entry(outcome=Outcome.NON_STRICT),
    }


def test_nothing_is_learnt_of_an_error() -> None:
    """What came to an ERROR stays as it was, or unknown: the next ERROR is inconclusive still."""
    known_before = known(Outcome.PASS)
    errors = [verdict(CASE, Outcome.ERROR), verdict("SEC-01", Outcome.ERROR)]

    updated = known_before.updated(errors)

    assert updated == known_before
    assert updated.exit_status(report(*errors)) == 2
    assert updated.unknown_errors(errors) == [CASE, "SEC-01"]


def test_known_errors() -> None:
    """Who writes an ERROR into the file by hand is not told of it."""
    assert known(Outcome.ERROR).unknown_errors([verdict(CASE, Outcome.ERROR)]) == []


def test_file(tmp_path: Path) -> None:
    """A line is a case, in the order of ids, so that a difference shows what changed."""
    ids = ("RFC1939-5-10", "RFC1939-5-9", "IOP-01")
    baseline = Baseline(cases={name: Entry(outcome=Outcome.PASS) for name in ids})
    file = tmp_path / "baseline.json"

    file.write_bytes(written_baseline(baseline))

    lines = file.read_text().splitlines()
    assert [line.split('"')[1] for line in lines[1:-1]] == ["IOP-01", "RFC1939-5-9", "RFC1939-5-10"]
    assert read_baseline(file) == baseline


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"baseline": 2}, "baseline"),
        ({"cases": {CASE: {"outcome": "WORSE"}}}, rf"cases\.{CASE}\.outcome"),
        ({"known": {}}, "known"),
    ],
)
def test_no_baseline(tmp_path: Path, data: object, where: str) -> None:
    """A file that is no baseline is refused, and where it is wrong is said."""
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(data))

    with pytest.raises(BaselineError, match=rf"--write-baseline writes; {where}:"):
        read_baseline(file)


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_name_cases(name: str) -> None:
    """Every case that a profile grades exists, and the grade is milder than FAIL."""
    profile = PROFILES[name]

    assert all(len(select([case])) == 1 for case in profile.grades)
    assert all(grade.outcome is not Outcome.FAIL and grade.why for grade in profile.grades.values())


@pytest.mark.parametrize(
    ("profile", "case", "outcome", "graded"),
    [
        ("default", "RFC1939-5-19", Outcome.FAIL, Outcome.FAIL),
        ("default", "RFC1939-7-34", Outcome.NON_STRICT, Outcome.NON_STRICT),
        ("exchange", "RFC1939-5-19", Outcome.FAIL, Outcome.NON_STRICT),
        ("exchange", "RFC1939-5-20", Outcome.FAIL, Outcome.INFO),
        ("exchange", "RFC1939-5-20", Outcome.PASS, Outcome.PASS),
        ("exchange", "RFC1939-5-35", Outcome.FAIL, Outcome.FAIL),
        ("strict", "RFC1939-7-34", Outcome.NON_STRICT, Outcome.FAIL),
        ("strict", "RFC1939-7-34", Outcome.INFO, Outcome.INFO),
    ],
)
def test_profiles_grade(profile: str, case: str, outcome: Outcome, graded: Outcome) -> None:
    """A profile changes what an outcome counts for, and says so and why."""
    found = PROFILES[profile].graded(verdict(case, outcome))

    assert found.outcome is graded
    assert any(profile in note for note in found.notes) == (outcome is not graded)


def test_strict_leaves_what_nobody_asks() -> None:
    """What follows from no MUST and no SHOULD stays lenient even where strictness is asked for."""
    lenient = verdict("IOP-01", Outcome.NON_STRICT, level="impl")

    assert PROFILES["strict"].graded(lenient) == lenient


def test_profile_changes_the_status() -> None:
    """The exit status is that of the outcomes as they are graded."""
    run = Report("h:110", facts(), (verdict("RFC1939-5-19", Outcome.FAIL),))

    assert run.exit_status == 1
    assert PROFILES["exchange"].graded_report(run).exit_status == 0
