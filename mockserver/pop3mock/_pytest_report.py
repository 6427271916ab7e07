"""What a failure report says of the servers: transcripts, near misses, and who still waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._pytest_report_files import ReportFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from ._pytest_watch import Watch, Watched

_SECTION = "pop3 transcript"

#: The name of the property in JUnit XML, which has no place for sections.
_PROPERTY = "pop3_transcript"


def add_sections(
    report: pytest.TestReport, watch: Watch, item: pytest.Item, call: pytest.CallInfo[None]
) -> None:
    """Add a section for each server to the report of a phase that did not pass.

    Args:
        report: The report. Sections and properties are text, so that they travel between
            processes.
        watch: The servers.
        item: The test.
        call: The phase; its exception is the one that the report shows.
    """
    ours = call.excinfo is not None and call.excinfo.value is watch.verdict
    if not ours and report.failed:
        watch.examine(item)
    watch.spoil()
    texts = [text for watched in watch.used if (text := _text(watched))]
    report.sections += [(_SECTION, text) for text in texts]
    if report.failed and texts:
        properties = [(_PROPERTY, text) for text in texts]
        item.user_properties += properties  # for the reports of the phases to come
        report.user_properties += properties
        _write(report, item, call.when, texts)


def _text(watched: Watched) -> str:
    """All that there is to say of a server and no report has said yet; empty if nothing."""
    server = watched.server
    parts = [
        watched.unshown(),
        _listed("near miss:", watched.unshown_misses()),
        _listed("still connected:", watched.stalls()),
    ]
    if not any(parts):
        return ""
    return "".join([f"{server.scenario.name} on {server.host}:{server.port}\n", *parts])


def _listed(head: str, lines: Iterable[str]) -> str:
    shown = [f"  {line}\n" for line in lines]
    return "".join([f"{head}\n", *shown]) if shown else ""


def _write(report: pytest.TestReport, item: pytest.Item, phase: str, texts: Iterable[str]) -> None:
    files = ReportFiles.of(item.config)
    if files is None:
        return
    try:
        files.write(item, phase, texts)
    except OSError as error:
        report.sections.append(("pop3 report", f"could not be written: {error}\n"))
