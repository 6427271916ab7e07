"""Which files a scenario is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3scenarios import UnknownScenario, files, find

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, name: str, rest: str = "") -> Path:
    """A scenario file in a folder."""
    path = folder / f"{name}.pop3.yaml"
    path.write_text(f"pop3: 1\nname: {name}\nsummary: x\n{rest}", encoding="utf-8")
    return path


def test_near_and_far(tmp_path: Path) -> None:
    """The file itself, its quirks and theirs, what it extends, and the default server."""
    far = written(tmp_path, "far")
    quirk = written(tmp_path, "quirk", "quirks: [./far.pop3.yaml]\n")
    parent = written(tmp_path, "parent", "quirks: [no-uidl]\n")
    mine = written(tmp_path, "mine", "extends: ./parent.pop3.yaml\nquirks: [./quirk.pop3.yaml]\n")

    found = files(mine)

    assert found[0] == mine
    assert set(found) == {mine, quirk, far, parent, find("no-uidl"), find("default")}


def test_each_once(tmp_path: Path) -> None:
    """A file that is named twice is one file."""
    mine = written(tmp_path, "mine", "extends: default\nquirks: [no-uidl, no-uidl]\n")

    assert sorted(files(mine)) == sorted([mine, find("no-uidl"), find("default")])


def test_wrong_files(tmp_path: Path) -> None:
    """A file that is wrong is one all the same: it may be mended."""
    wrong = written(tmp_path, "wrong", "rulse: []\n")
    mine = written(tmp_path, "mine", "quirks: [./wrong.pop3.yaml]\n")

    assert set(files(mine)) == {mine, wrong, find("default")}


@pytest.mark.parametrize("name", ["./none.pop3.yaml", "none.pop3.yaml", "none", "'none[a]'"])
@pytest.mark.parametrize(
    "key", ["quirks: [{}]", "extends: {}", "variants: {{v: {{quirks: [{}]}}}}"]
)
def test_missing_files(tmp_path: Path, key: str, name: str) -> None:
    """A file that is named and is not there is one where it would be: it may come."""
    quirk = written(tmp_path, "quirk", key.format(name) + "\n")
    mine = written(tmp_path, "mine", "quirks: [./quirk.pop3.yaml]\n")

    assert set(files(mine)) == {mine, quirk, tmp_path / "none.pop3.yaml", find("default")}


def test_missing_variant(tmp_path: Path) -> None:
    """A file of which a variant is named that it has not is one all the same: it may get it."""
    quirk = written(tmp_path, "quirk", "quirks: [./far.pop3.yaml]\nvariants: {a: {}}\n")
    far = written(tmp_path, "far")
    mine = written(tmp_path, "mine", "quirks: ['./quirk.pop3.yaml[b]']\n")

    assert set(files(mine)) == {mine, quirk, far, find("default")}


def test_missing_path_without_an_ending(tmp_path: Path) -> None:
    """A path may be that of the file, or stand for it without its ending: both are looked at."""
    mine = written(tmp_path, "mine", "quirks: [./none]\n")

    assert set(files(mine)) == {
        mine,
        tmp_path / "none",
        tmp_path / "none.pop3.yaml",
        find("default"),
    }


def test_variant() -> None:
    """A variant is made of the files of its file."""
    assert files("stls-broken[refused]") == files("stls-broken")


def test_unknown() -> None:
    """What is no scenario has no files."""
    with pytest.raises(UnknownScenario):
        files("nonsense")
