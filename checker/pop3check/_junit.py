"""A record as JUnit XML, which every CI shows."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ._baseline import Standing
from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._record import CaseRecord, Record

#: What XML 1.0 cannot hold, not even escaped.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(record: Record) -> bytes:
    """The record as JUnit XML: a suite for each section, in which the cases stand.

    FAIL is a failure, ERROR an error, SKIP is skipped; NON-STRICT and INFO pass and say so on
    their standard output. What a baseline knows to fail is skipped, with the reason that it gives.

    Args:
        record: What a run found out.
    """
    root = ET.Element("testsuites", name=_fit(record.name))
    cases = sorted(record.cases, key=lambda case: case.section)
    for section, group in groupby(cases, key=lambda case: case.section):
        root.append(_suite(record, section, list(group)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(record: Record, section: str, cases: Sequence[CaseRecord]) -> ET.Element:
    written = list(map(_case, cases))
    count = {tag: sum(each.find(tag) is not None for each in written) for tag in _TAGS}
    suite = ET.Element(
        "testsuite",
        name=section,
        tests=str(len(cases)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        time=f"{sum(case.seconds for case in cases):.3f}",
        timestamp=record.began.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=_fit(record.target.host),
    )
    suite.extend(written)
    return suite


_TAGS = ("failure", "error", "skipped")


def _case(case: CaseRecord) -> ET.Element:
    made = ET.Element(
        "testcase",
        classname=case.section,
        name=_fit(f"{case.id} {case.title}"),
        time=f"{case.seconds:.3f}",
    )
    if case.counts_as_failure:
        shown = ET.SubElement(made, "failure", message=_fit(_short(case)), type=case.outcome.value)
        shown.text = _fit(_whole(case))
    elif case.outcome is Outcome.FAIL:
        why = case.known or "it has never passed"
        ET.SubElement(made, "skipped", message=_fit(f"{case.standing.value}: {why}"))
        ET.SubElement(made, "system-out").text = _fit(_whole(case))
    elif case.outcome is Outcome.ERROR:
        shown = ET.SubElement(made, "error", message=_fit(case.reason), type=case.outcome.value)
        shown.text = _fit(_whole(case))
    elif case.outcome is Outcome.SKIP:
        ET.SubElement(made, "skipped", message=_fit(case.reason))
    elif case.outcome is not Outcome.PASS or case.standing is Standing.FIXED:
        ET.SubElement(made, "system-out").text = _fit(_whole(case))
    return made


def _short(case: CaseRecord) -> str:
    return f"expected {case.expected}, got {case.actual}"


def _whole(case: CaseRecord) -> str:
    lines = [
        case.outcome.value + (f" ({case.standing.value})" if case.standing.value else ""),
        f"requirement: {case.requirement} ({'; '.join(case.references)})",
        *(f"{name}: {text}" for name, text in _told(case) if text),
        *(f"note: {note}" for note in case.notes),
        "",
        *map(str, case.wire),
    ]
    return "\n".join(lines)


def _told(case: CaseRecord) -> list[tuple[str, str]]:
    return [
        ("expected", case.expected),
        ("actual", case.actual),
        ("reason", case.reason),
        ("connection", case.ending.value),
        ("again", case.reproduce),
    ]


def _fit(text: str) -> str:
    """The text with escapes for what XML cannot hold."""
    return _UNFIT.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
