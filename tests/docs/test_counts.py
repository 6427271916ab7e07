"""How many scenarios there are, where the documentation tells it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pop3scenarios import expand

pytestmark = pytest.mark.once

README = Path(__file__).parents[2] / "README.md"

#: A count that is so far behind is worth telling anew.
FAR = 100


def test_scenarios_that_are_shipped() -> None:
    """README.md tells fewer servers, quirks and faults than there are, and not many fewer."""
    there = sum(len(expand(f"{folder}/*")) for folder in ("servers", "quirks", "faults"))

    told = re.findall(r"more than (\S+) are shipped", README.read_text(encoding="utf-8"))

    assert len(told) == 1
    assert there - FAR <= int(told[0]) < there
