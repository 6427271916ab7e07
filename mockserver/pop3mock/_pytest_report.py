"""What a failure report says of the servers: what clients did wrong, and the transcripts."""

from __future__ import annotations

from difflib import ndiff
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from ._journal import Journal
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
    own = watch.verdict is not None and call.excinfo is not None
    own = own and call.excinfo is not None and call.excinfo.value is watch.verdict
    if not own and report.failed:
        watch.examine(item)
        if watch.faults:
            report.sections.append((_FAULTS, "".join(f"{fault}\n" for fault in watch.faults)))
            watch.faults = []
    watch.spoil()
    for watched in watch.used:
        if text := watched.unshown():
            report.sections.append((_TRANSCRIPT, f"{watched.server!r}\n{text}"))


def compare_commands(journal: Journal, expected: object) -> list[str] | None:
    """Explain why a journal does not hold the commands that were expected.

    Args:
        journal: What happened.
        expected: What it was compared with.
    """
    if not isinstance(expected, list) or not all(isinstance(line, str) for line in expected):
        return None
    return [
        f"{journal!r} == {expected!r}",
        "commands differ (- came, + expected):",
        *(line.rstrip() for line in ndiff(journal.commands, expected) if line[0] != "?"),
    ]
