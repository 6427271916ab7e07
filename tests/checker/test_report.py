"""Exit status, console, and JSON of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from pop3check import (
    Groups,
    Outcome,
    RecordError,
    Report,
    WireLine,
    describe,
    described_facts,
    described_loss,
    read_record,
    schema_text,
    section_of,
    select,
    written_record,
)
from pop3check._record import SCHEMA_FILE

from ._records import facts, record, report, verdict

if TYPE_CHECKING:
    from pathlib import Path

EACH = tuple(verdict(f"RFC1939-5-0{n}", outcome) for n, outcome in enumerate(Outcome, 1))


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([Outcome.PASS, Outcome.NON_STRICT, Outcome.INFO, Outcome.SKIP], 0),
        ([Outcome.PASS, Outcome.FAIL, Outcome.ERROR], 1),
        ([Outcome.PASS, Outcome.ERROR], 2),
        ([Outcome.SKIP], 2),
    ],
)
def test_exit_status(outcomes: list[Outcome], status: int) -> None:
    """A failure counts for more than what is inconclusive; nothing judged is inconclusive."""
    verdicts = [verdict(f"RFC1939-5-0{n}", each) for n, each in enumerate(outcomes)]

    assert report(*verdicts).exit_status == status


def test_lost_mail_counts_most() -> None:
    """Mail that is gone counts for more than any failure."""
    assert report(verdict("SEC-01", Outcome.FAIL), lost=("uid-1",)).exit_status == 3


def test_nothing_arrived_is_inconclusive() -> None:
    """A run whose messages were all refused by the mail server has not done what it was to do."""
    known = replace(facts(), undelivered={"plain": "could not be delivered: refused"})
    seeded = replace(known, fixtures={"plain": 1})
    passed = (verdict("RFC1939-5-35", Outcome.PASS),)

    assert Report("h:110", known, passed).exit_status == 2
    assert Report("h:110", seeded, passed).exit_status == 0


@pytest.mark.parametrize(
    ("case", "section"),
    [
        ("RFC1939-5-06", "RFC 1939 section 5"),
        ("RFC2449-6.5-01", "RFC 2449 section 6.5"),
        ("IOP-XOAUTH2-01", "what clients count on"),
        ("SEC-03", "security"),
        ("HIST-01", "withdrawn commands"),
        ("my-own", "own cases"),
    ],
)
def test_section(case: str, section: str) -> None:
    """A case's section is in its id."""
    assert section_of(case) == section


def test_every_shipped_case_has_a_section() -> None:
    """No id of the library falls through to where cases of one's own go."""
    assert "own cases" not in {section_of(each.name.upper()) for each in select()}


def test_describe_failure() -> None:
    """A failure tells requirement, expected, actual, and the last lines, cut to what is read."""
    long = WireLine("S", "x" * 500, tls=False)
    failed = verdict("SEC-01", Outcome.FAIL, security=True, wire=(long,) * 9)

    text = describe(failed)

    assert text.startswith("✗ FAIL       SEC-01  what SEC-01 is about [security]\n")
    assert "requirement: what SEC-01 asks (RFC 1939 section 5)" in text
    assert "expected:    +OK\n" in text
    assert "actual:      -ERR no\n" in text
    assert text.count("S: xxx") == 6
    assert max(map(len, text.splitlines())) < 200


def test_describe_skip() -> None:
    """What was skipped says why, and no more."""
    text = describe(verdict("SEC-01", Outcome.SKIP))

    assert text.splitlines()[1:] == [f"{'':11}why not"]


def test_groups() -> None:
    """A section is told when the last of its cases is judged, whatever comes between."""
    groups = Groups(["RFC1939-5-01", "SEC-01", "RFC1939-5-02"])

    told = [
        groups.add(verdict(case, outcome))
        for case, outcome in (
            ("RFC1939-5-01", Outcome.PASS),
            ("SEC-01", Outcome.SKIP),
            ("RFC1939-5-02", Outcome.FAIL),
        )
    ]

    assert [line.split() for line in told] == [
        [],
        ["security", "-", "1"],
        ["RFC", "1939", "section", "5", "✓", "1", "✗", "1"],
    ]


def test_facts_are_told_once() -> None:
    """What CAPA repeats after login is not repeated; messages that did not arrive are told."""
    text = described_facts(replace(facts(), undelivered={"nul": "was refused"}))

    assert text.count("TOP, UIDL") == 1
    assert "own messages missing: nul was refused" in text
    assert described_facts(None) == "  server: could not be asked"


def test_loss_is_told() -> None:
    """Lost mail is named; where none is lost there is nothing to say."""
    assert "uid-1, uid-2" in described_loss(report(lost=("uid-1", "uid-2")))
    assert described_loss(report()) == ""


def test_json_there_and_back(tmp_path: Path) -> None:
    """A record that was written is read as it was."""
    made = record(*EACH, lost=("uid-1",))
    file = tmp_path / "a.json"
    file.write_bytes(written_record(made))

    assert read_record(file) == made


def test_json_keeps_to_the_schema() -> None:
    """What is written is what the published schema allows, lost mail before all else."""
    data = json.loads(written_record(record(*EACH, lost=("uid-1",))))

    errors = list(Draft202012Validator(json.loads(schema_text())).iter_errors(data))

    assert errors == []
    assert list(data)[:2] == ["report", "lost"]
    assert [case["outcome"] for case in data["cases"]] == [each.value for each in Outcome]


def test_schema_is_committed() -> None:
    """The committed schema is the one that the models give."""
    committed = SCHEMA_FILE.read_text(encoding="utf-8")

    assert schema_text() == committed, (
        "write it anew: pop3kit check --schema > checker/pop3check/schema/report.schema.json"
    )


def test_no_password_in_json() -> None:
    """The password of the target does not get into the record."""
    assert b"sesame" not in written_record(record(*EACH))


def test_long_conversations_are_cut() -> None:
    """The last lines are kept, and how many were before them."""
    lines = tuple(WireLine("C", str(n), tls=False) for n in range(1000))

    case = record(verdict("RFC1939-5-01", Outcome.PASS, wire=lines)).cases[0]

    assert case.wire[-1].text == "999"
    assert len(case.wire) + case.left_out == 1000
    assert case.left_out == 700


def test_no_folders_of_the_machine() -> None:
    """The place of a step is told without the folders above the file."""
    made = record(verdict("own", Outcome.FAIL, step="/home/me/own.pop3.yaml:7"))

    assert made.cases[0].step == "own.pop3.yaml:7"


@pytest.mark.parametrize(
    ("text", "where"),
    [("{", "the file"), ('{"report": 2}', "report"), ('{"report": 1}', "name")],
)
def test_no_record(tmp_path: Path, text: str, where: str) -> None:
    """A file that is no record is refused, and where it is wrong is said."""
    file = tmp_path / "a.json"
    file.write_text(text)

    with pytest.raises(RecordError, match=rf"a\.json: expected what check --json writes; {where}:"):
        read_record(file)
