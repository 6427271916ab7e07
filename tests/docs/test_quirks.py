"""The page about quirks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pop3client
from pop3scenarios import expand

from ._quirks import page

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "quirks.md"
TEXT = page()


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    part = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_is_in_step() -> None:
    """The committed page is the one that scenarios, client and tests give."""
    committed = PAGE.read_text(encoding="utf-8")

    assert committed == TEXT, "write it anew: python -m tests.docs > docs/quirks.md"


@pytest.mark.parametrize(
    ("heading", "folder"),
    [("Servers", "servers"), ("Quirks, one by one", "quirks"), ("Faults", "faults")],
)
def test_every_scenario_has_a_row(heading: str, folder: str) -> None:
    """No scenario and no variant is passed over, and each row says how a fetch ends."""
    found = rows(heading)

    assert [f"`{reference}`" for reference in expand(f"{folder}/*")] == [row[0] for row in found]
    assert all(row[1] for row in found)
    assert all(re.match(r"\*\*(complete|partial|refused)\*\*", row[2]) for row in found)


def test_every_deviation_has_a_scenario() -> None:
    """Each deviation that the client can name is shown by a scenario."""
    found = rows("Deviations")

    assert [f"`{name}`" for name in pop3client.QUIRKS] == [row[0] for row in found]
    assert [row[0] for row in found if not row[3]] == []


def test_what_is_not_complete_is_told() -> None:
    """What is refused, or ends early, ends in an error that has a name of the client's."""
    errors = {name for name in pop3client.__all__ if name.endswith("Error")}
    headings = ("Servers", "Quirks, one by one", "Faults")

    outcomes = [row[2] for heading in headings for row in rows(heading)]
    refused = [outcome for outcome in outcomes if "**refused**" in outcome]

    assert refused
    assert all(set(re.findall(r"`(\w+Error)`", outcome)) & errors for outcome in refused)


def test_tables_are_whole() -> None:
    """No cell holds what would end it, and each row has as many cells as its head."""
    columns = 0
    for line in TEXT.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        columns = columns or count
        assert columns == count, line
