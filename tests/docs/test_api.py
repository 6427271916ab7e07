"""The reference of the API: no public name is left out, and none stands there that is gone."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from pop3mock import plugin

pytestmark = pytest.mark.once

PAGES = Path(__file__).parents[2] / "docs" / "api"


def shown(page: str, package: str) -> list[str]:
    """The names of a package whose docstrings stand on a page."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return re.findall(rf"^::: {re.escape(package)}\.(\w+)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "package"),
    [("client.md", "pop3client"), ("checker.md", "pop3check")],
)
def test_public_names(page: str, package: str) -> None:
    """Each public name has its place."""
    assert sorted(import_module(package).__all__) == sorted(shown(page, package))


def test_names_of_the_mock() -> None:
    """Those of the mock have theirs on one of two pages."""
    names = shown("mock.md", "pop3mock") + shown("plugin.md", "pop3mock")

    assert sorted(import_module("pop3mock").__all__) == sorted(names)


def test_names_of_the_language() -> None:
    """What the page about scenarios shows is public; what else is public is for other rooms."""
    names = shown("scenarios.md", "pop3scenarios")

    assert names
    assert set(names) <= set(import_module("pop3scenarios").__all__)


def test_fixtures() -> None:
    """Each fixture has its place."""
    fixtures = [name for name in vars(plugin) if name.startswith("pop3_")]

    assert sorted(fixtures) == sorted(shown("plugin.md", "pop3mock.plugin"))
