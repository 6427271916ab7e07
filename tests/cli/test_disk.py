"""What lasts on the disk: new folders, and names that never take another file's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pop3kit._disk import check_folder, make_folder, move_new


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


@pytest.mark.parametrize("name", ["file", "file/a/b"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    """What is a file, or would be below one, can be no folder; the error names the file."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(NotADirectoryError) as caught:
        check_folder(tmp_path / name)

    assert caught.value.filename == str(tmp_path / "file")


def test_folder_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which nothing can be made is told; the system is asked, for root may all."""
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)

    with pytest.raises(PermissionError) as caught:
        check_folder(tmp_path / "a" / "b")

    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize("name", [".", "a/b"])
def test_check_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A folder that is there, or can be made, also below a relative path, is no error."""
    monkeypatch.chdir(tmp_path)

    check_folder(Path(name))

    assert list(tmp_path.iterdir()) == []
