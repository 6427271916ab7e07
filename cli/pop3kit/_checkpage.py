"""Records of ``pop3kit check`` as a page: a row for each case, a column for each server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check import Outcome, fact_sheet

from ._grid import Cell, Column, Grid, Row, Tone, grid_page
from ._grid import Outcome as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pop3check import CaseRecord, Record

_INTRO = (
    "How POP3 servers keep the RFCs. FAIL breaks a requirement; NON-STRICT departs from the text, "
    "but legally or harmlessly; INFO is worth knowing; SKIP was not asked, and says why; ERROR "
    "says nothing about the server. A cell opens to the requirement, why it matters, what was said "
    "on the wire, and the command that asks again."
)

_SIGNS: dict[Outcome, tuple[str, Tone]] = {
    Outcome.FAIL: ("✗", "bad"),
    Outcome.NON_STRICT: ("~", "fair"),
    Outcome.INFO: ("i", "fair"),
    Outcome.PASS: ("✓", "good"),
    Outcome.SKIP: ("–", "none"),
    Outcome.ERROR: ("!", "bad"),
}

_KINDS = {
    outcome: Kind(outcome.value.lower(), sign, outcome.value, tone)
    for outcome, (sign, tone) in _SIGNS.items()
}


def check_page(records: Sequence[Record]) -> str:
    """The page.

    Args:
        records: One for each server, or run.
    """
    one = records[0].name if len(records) == 1 else ""
    return grid_page(
        Grid(
            title=f"POP3 conformance of {one}" if one else "POP3 conformance of servers",
            intro=_INTRO,
            alarms=[_loss(record) for record in records if record.lost],
            facts=list(_facts(records)),
            corner="case",
            columns=[Column(each.name, _version(each)) for each in records],
            rows=list(_rows(records)),
            outcomes=list(_KINDS.values()),
        )
    )


def _loss(record: Record) -> str:
    return f"{record.name}: mail was lost, and nobody meant it to be: {', '.join(record.lost)}"


def _version(record: Record) -> str:
    return f"{record.began:%Y-%m-%d}, {record.target}"


def _facts(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """For one server all that is known of it; of several what tells them apart."""
    for record in records:
        told = f"pop3kit {record.kit}, {record.began:%Y-%m-%d}, profile {record.profile}"
        if len(records) == 1:
            yield "server", f"{record.target}, {told}"
            yield from fact_sheet(record.facts)
        else:
            greeting = record.facts.greeting if record.facts is not None else "could not be asked"
            yield record.name, f"{greeting} ({told})"


def _rows(records: Sequence[Record]) -> Iterator[Row]:
    by_id = [{case.id: case for case in record.cases} for record in records]
    known = {case.id: case for record in records for case in record.cases}
    for section in sorted({case.section: None for case in known.values()}, key=_comes_late):
        for name, case in known.items():
            if case.section == section:
                cells = [cases.get(name) for cases in by_id]
                yield Row(
                    name,
                    case.title,
                    [_cell(cell) if cell is not None else None for cell in cells],
                    group=section,
                )


def _comes_late(section: str) -> bool:
    """Whether a section stands behind those of the RFCs."""
    return not section.startswith("RFC ")


def _cell(case: CaseRecord) -> Cell:
    return Cell(
        _KINDS[case.outcome],
        _word(case),
        [(name, text) for name, text in _told(case) if text],
        [(name, text) for name, text in _texts(case) if text],
    )


def _word(case: CaseRecord) -> str:
    said = [each for each in (case.standing.value, "security" if _unsafe(case) else "") if each]
    return f"{case.outcome.value} ({', '.join(said)})" if said else ""


def _unsafe(case: CaseRecord) -> bool:
    return case.security and case.outcome is Outcome.FAIL


def _told(case: CaseRecord) -> Iterator[tuple[str, str]]:
    yield "case", case.title
    yield "requirement", case.requirement
    yield "said in", "; ".join(case.references)
    yield "level", case.level
    yield "why", " ".join(case.why.split())
    yield "expected", case.expected
    yield "actual", case.actual
    yield "reason", case.reason
    yield from (("note", note) for note in case.notes)
    yield "known", case.known
    if case.wire:
        yield "connection", case.ending.value
        yield "took", f"{case.seconds:.2f} s"


def _texts(case: CaseRecord) -> Iterator[tuple[str, str]]:
    yield "On the wire", "\n".join(_wire(case))
    yield "To ask it again", case.reproduce


def _wire(case: CaseRecord) -> Iterator[str]:
    if case.left_out:
        yield f"({case.left_out} lines before)"
    yield from map(str, case.wire)
