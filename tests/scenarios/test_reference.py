"""The reference page of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pop3scenarios._actions import ACTIONS
from pop3scenarios._fields import Section
from pop3scenarios._holes import HOLE_TYPES
from pop3scenarios._lint import STATE_HOLES
from pop3scenarios._notation import EVENT_MEANINGS, NOTATIONS, OUTCOME_MEANINGS
from pop3scenarios._reference import _prose, example_of
from pop3scenarios.tools import WARNINGS, reference

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
TEXT = reference()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]


def test_is_in_step() -> None:
    """The committed page is the one that model and tables give."""
    committed = PAGE.read_text(encoding="utf-8")

    assert committed == TEXT, "write it anew: pop3kit scenarios reference > docs/reference.md"


@pytest.mark.parametrize("section", Section.__subclasses__(), ids=lambda section: section.__name__)
def test_every_key_has_a_row(section: type[Section]) -> None:
    """Each key has a row with its notation, its meaning and an example of it."""
    rows = [row.strip("| ").split(" | ") for row in ROWS]

    for field in section.model_fields.values():
        meaning = _prose(field.description or "")
        found = [cells for cells in rows if cells[0] == f"`{field.alias}`" and meaning in cells]
        assert found, field.alias
        assert all(cells[1] for cells in found)
        example = f"`{field.alias}: "
        assert example_of(field) is None or all(cells[4].startswith(example) for cells in found)


def test_every_table_is_there() -> None:
    """Notations, outcomes, events, holes, actions and warnings each have a row of their own."""
    first = [row.removeprefix("| ").split(" | ")[0].strip("`") for row in ROWS]
    holes = [f"{{{name}}}" for name in STATE_HOLES]
    actions = [form for form, _ in ACTIONS.values()]
    names = [
        *NOTATIONS,
        *OUTCOME_MEANINGS,
        *EVENT_MEANINGS,
        *HOLE_TYPES,
        *holes,
        *actions,
        *WARNINGS,
    ]

    assert [name for name in names if name not in first] == []


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


def test_links_lead_to_headings() -> None:
    """Each link inside the page leads to one of its headings."""
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
