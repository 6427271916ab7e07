"""Real clients sent through scenarios get through as the published results say."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pop3kit._group import cli
from pop3kit._results import read

from ._exercised import EXERCISED
from .conftest import need

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]

#: One scenario for each way to connect, and one for what each client finds hard.
SCENARIOS = (
    "default",
    "gmail",
    "mailutils",
    "stls-broken[expired]",
    "bare-lf-dot",
    "closed-unanswered[arguments]",
    "cut-at[in-terminator]",
)


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Command lines begin at the root of the repository, and their Python is this one."""
    monkeypatch.chdir(ROOT)
    here = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([here, os.environ["PATH"]]))


@pytest.mark.parametrize("name", EXERCISED)
def test_as_published(name: str, tmp_path: Path, at_home: None) -> None:
    """The verdict, and the way in which it is mishandled, are those of the published matrix."""
    need(name in ("poplib", "pop3kit") or shutil.which(name), f"the Debian package {name}")
    client = EXERCISED[name]
    file = tmp_path / "result.json"
    only = [word for scenario in SCENARIOS for word in ("--only", scenario)]
    arguments = ["exercise", *only, *client.options(name), "--json", str(file)]

    CliRunner().invoke(cli, [*arguments, "--", *client.command])

    published = {r.scenario: r for r in read(ROOT / f"docs/clients/{name}.json").results}
    expected = [(s, published[s].verdict, published[s].kinds) for s in SCENARIOS]
    assert expected == [(r.scenario, r.verdict, r.kinds) for r in read(file).results]
