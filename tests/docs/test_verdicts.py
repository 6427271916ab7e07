"""The page that says who is right where a real server fails."""

from __future__ import annotations

import pytest

from ._verdicts import PAGE, page

pytestmark = pytest.mark.once


def test_is_in_step() -> None:
    """The committed page is the one that baselines and judgements give."""
    committed = PAGE.read_text(encoding="utf-8")

    assert committed == page(), "write it anew: python -m tests.peers.checked"
