"""What a failure report says of the servers: what clients did wrong, and the transcripts."""

from __future__ import annotations

from difflib import ndiff
from typing import TYPE_CHECKING

from ._journal import Journal

if TYPE_CHECKING:
    import pytest

    from ._pytest_watch import Watch

_TRANSCRIPT = "pop3 transcript"
_FAULTS = "pop3 expectations"


def add_sections(
    report: pytest.TestReport, watch: Watch, item: pytest.Item, call: pytest.CallInfo[None]
) -> None:
    """Add sections to the report of a phase that did not pass.

    Args:
        report: The report. Sections are text, so that they travel between processes.
        watch: The servers.
        item: The test.
        call: The phase; its exception is the one that the report shows.
    """
    ours = call.excinfo is not None and call.excinfo.value is watch.verdict
    if not ours and report.failed:
        watch.examine(item)
        if watch.faults:
            report.sections.append((_FAULTS, "".join(f"{fault}\n" for fault in watch.faults)))
            watch.faults = []
    watch.spoil()
    for watched in watch.used:
        if text := watched.unshown():
            server = watched.server
            head = f"{server.scenario.name} on {server.host}:{server.port}"
            report.sections.append((_TRANSCRIPT, f"{head}\n{text}"))


def compare_commands(journal: object, expected: object) -> list[str] | None:
    """Explain why a journal does not hold the commands that were expected.

    Args:
        journal: What happened.
        expected: What it was compared with.

    Returns:
        The explanation; None if these are no journal and no list of commands.
    """
    if not isinstance(journal, Journal) or not isinstance(expected, list):
        return None
    if not all(isinstance(line, str) for line in expected):
        return None
    return [
        f"{journal!r} == {expected!r}",
        "commands differ (- came, + expected):",
        *(line.rstrip() for line in ndiff(journal.commands, expected) if line[0] != "?"),
    ]
