"""A record as Markdown, to be pasted into an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._baseline import Standing
from ._factsheet import fact_sheet
from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._record import CaseRecord, Record

#: Lines of a conversation that stand in a finding.
_LAST_LINES = 12

#: What would be markup in a line of text.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")

#: Outcomes that are told one by one, and how.
_TOLD = {
    Outcome.FAIL: "Fails",
    Outcome.ERROR: "Inconclusive",
    Outcome.NON_STRICT: "Departs, harmlessly or legally",
}


def markdown(record: Record) -> str:
    """The record as Markdown: what was lost, counts, facts, and each finding.

    Args:
        record: What a run found out.
    """
    return "\n".join(_lines(record))


def _lines(record: Record) -> Iterator[str]:
    if record.lost:
        yield f"**Mail was lost**, and nobody meant it to be: {_codes(record.lost)}\n"
    yield f"# POP3 conformance of {_text(record.name)}\n"
    yield f"pop3kit {record.kit}, {record.began:%Y-%m-%d}, profile {record.profile}\n"
    yield "| outcome | cases |\n|---|---|"
    yield from (f"| {each.value} | {record.count(each)} |" for each in Outcome)
    yield ""
    yield from (f"- {name}: {_text(text)}" for name, text in fact_sheet(record.facts))
    for outcome, heading in _TOLD.items():
        found = [case for case in record.cases if case.outcome is outcome]
        if found:
            yield f"\n## {heading}\n"
            yield from (line for case in found for line in _finding(case))


def _finding(case: CaseRecord) -> Iterator[str]:
    said = f" ({case.standing.value})" if case.standing is not Standing.NONE else ""
    yield f"### {case.id}: {_text(case.title)}{said}\n"
    yield f"{_text(case.requirement)} ({_text('; '.join(case.references))})\n"
    told = (
        ("expected", case.expected),
        ("actual", case.actual),
        ("reason", case.reason),
        ("known", case.known),
    )
    yield from (f"- {name}: {_text(text)}" for name, text in told if text)
    yield from (f"- note: {_text(note)}" for note in case.notes)
    if case.wire:
        yield f"\n{_fenced(map(str, case.wire[-_LAST_LINES:]), 'text')}"
    if case.reproduce:
        yield f"\n{_fenced([case.reproduce], 'sh')}"
    yield ""


def _fenced(lines: Iterable[str], language: str) -> str:
    """A block of code, in a fence that nothing in it ends."""
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(_text, texts))


def _text(text: str) -> str:
    """Text of somebody else's: no markup, and on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
