"""New files, as an author begins with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3scenarios import check, load
from pop3scenarios.tools import KINDS, Kind, review, starter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("extends", [None, "gmail"])
@pytest.mark.parametrize("kind", KINDS)
def test_starter_is_right(kind: Kind, extends: str | None, tmp_path: Path) -> None:
    """A file of each kind is right as it stands, without a warning, and has comments."""
    path = tmp_path / "my-own.pop3.yaml"

    path.write_text(starter("my-own", kind, extends=extends), encoding="utf-8")

    assert (check(path), review([path])) == ([], [])
    scenario = load(path)
    assert ("my-own", extends) == (scenario.name, scenario.file.extends)
    assert scenario.file.why
    assert scenario.file.references
    assert path.read_text(encoding="utf-8").count("# ") > 3


def test_starter_is_what_it_is_called() -> None:
    """Each kind shows what such files are made of."""
    keys = {"server": "server:", "quirk": "rules:", "fault": "cut:", "conversation": "script:"}

    assert all(key in starter("x", kind) for kind, key in zip(KINDS, keys.values(), strict=True))
    assert list(keys) == list(KINDS)


@pytest.mark.parametrize("name", ["", "My Own", "a/b", "../a", "-a", "a\n"])
def test_bad_name(name: str) -> None:
    """What cannot be the name of a scenario begins no file."""
    with pytest.raises(ValueError, match="expected a name: lower-case letters"):
        starter(name)
