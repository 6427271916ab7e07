"""What lasts on the disk: new folders, and names that never take another file's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pop3kit._disk import make_folder, move_new


@pytest.fixture(params=["links", "no links"])
def _links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with links, and without."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    if request.param == "no links":
        monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.mark.usefixtures("_links")
def test_move(tmp_path: Path) -> None:
    """A file that has moved has one name, the new one."""
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"x")

    move_new(source, target)

    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"b": b"x"}


@pytest.mark.usefixtures("_links")
def test_name_is_taken(tmp_path: Path) -> None:
    """A name that is taken stays with the file that has it."""
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"x")
    target.write_bytes(b"y")

    with pytest.raises(FileExistsError):
        move_new(source, target)

    assert (source.read_bytes(), target.read_bytes()) == (b"x", b"y")


def test_new_folders_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder that got a new name is synced; one that was there costs nothing."""
    synced: list[os.stat_result] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number)))

    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    wanted = {(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino}
    assert ({each.st_ino for each in synced}, len(synced)) == (wanted, 2)
