"""Every requirement has a case, or a reason why it has none."""

from __future__ import annotations

from pathlib import Path

import yaml

from pop3check import select
from pop3check._passive import CHECKS
from pop3check.probes import load_probes

ROWS = Path(__file__).parents[1] / "requirements" / "rows.yaml"
LEDGER = Path(__file__).with_name("ledger.yaml")

CASES = {scenario.name.upper(): scenario for scenario in select()}


def rows() -> dict[str, str]:
    """The requirements: id, and what is required."""
    found: dict[str, str] = yaml.safe_load(ROWS.read_text("utf-8"))
    return found


def excused() -> dict[str, str]:
    """The rows without a case, each with the reason."""
    found: dict[str, str] = yaml.safe_load(LEDGER.read_text("utf-8"))
    return found


def test_every_row_has_a_case_or_a_reason() -> None:
    """No requirement is left out silently."""
    assert sorted(set(rows()) - set(CASES) - set(excused())) == []


def test_every_case_has_a_row() -> None:
    """No case asks for what nobody requires."""
    assert sorted(set(CASES) - set(rows())) == []


def test_reasons_are_for_rows_without_a_case() -> None:
    """A reason stands only where there is a row, and no case of it."""
    assert sorted(set(excused()) & set(CASES)) == []
    assert sorted(set(excused()) - set(rows())) == []
    assert all(len(reason) > len("none") for reason in excused().values())


def test_every_case_is_asked_in_one_way() -> None:
    """A case is a script, a probe, or judged of every octet of the run; never two of them."""
    probes = load_probes()
    ways = {
        name: (case.script is not None) + (name in probes) + (name in CHECKS)
        for name, case in CASES.items()
    }

    assert {name: count for name, count in ways.items() if count != 1} == {}
    assert sorted(set(probes) - set(CASES)) == []
