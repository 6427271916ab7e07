"""The page that shows how real clients get through the scenarios."""

from __future__ import annotations

import pytest
from tests.peers._exercised import EXERCISED

from pop3kit._mark import Mark
from pop3scenarios import expand

from ._clients import PAGE, exercises, page, published

pytestmark = pytest.mark.once

FOUND = exercises()


def test_is_in_step() -> None:
    """The committed page is the one that the kept results give."""
    committed = PAGE.read_text(encoding="utf-8")

    assert committed == page(), "write it anew: python -m tests.peers"


def test_every_client_is_there() -> None:
    """Each client has results of its own, made by the command line that it has today."""
    kept = {each.client: each.command for each in FOUND}

    assert kept == {name: client.command for name, client in EXERCISED.items()}


def test_every_scenario_is_there() -> None:
    """All clients were sent through the same scenarios, none of which has gone since."""
    names = [[result.scenario for result in each.results] for each in FOUND]
    shipped = {ref for folder in ("servers", "quirks", "faults") for ref in expand(f"{folder}/*")}

    assert all(each == names[0] for each in names)
    assert set(names[0]) - shipped == set(), "run them anew: python -m tests.peers"


def test_every_trouble_is_told() -> None:
    """Whatever was mishandled or refused without need stands below, with the reason."""
    told = page().partition("\n## What ")[2]

    trouble = [
        result
        for each in FOUND
        for result in each.results
        if Mark.of(result) in (Mark.MISHANDLED, Mark.REFUSED)
    ]

    assert trouble
    assert [each.scenario for each in trouble if f"| `{each.scenario}` |" not in told] == []
    assert all(each.reasons for each in trouble)


def test_nothing_is_kept_that_differs_each_time() -> None:
    """Times, ports and what programs say about folders are left out."""
    assert [published(each) for each in FOUND] == FOUND
