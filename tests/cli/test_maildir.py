"""The Maildir: a message is in ``new`` when it is safe, and in ``tmp`` before."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from pop3kit._maildir import Maildir

from ._fetching import in_maildir

MESSAGE = b"a\r\n.b\n\x00\xff From me\r\nFrom me"


def keep(box: Maildir, data: bytes) -> Path:
    """Deliver a message."""
    with box.incoming() as file:
        file.write(data)
        target, new = box.keep(file, 3, b"uid")
    assert new
    return target


def names(path: Path) -> list[str]:
    """All that is in a folder and below."""
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*"))


def test_keep(tmp_path: Path) -> None:
    """A message becomes a file in ``new`` with exactly its octets; the folders are made."""
    path = tmp_path / "mail" / "inbox"

    target = keep(Maildir(path), MESSAGE)

    assert target.read_bytes() == MESSAGE
    assert names(path) == ["cur", "new", f"new/{target.name}", "tmp"]
    assert in_maildir(path) == [MESSAGE]


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each delivery has its own name, and the host's cannot turn it into anything else."""
    monkeypatch.setattr(socket, "gethostname", lambda: "../a:b")
    box = Maildir(tmp_path)

    first, second = keep(box, b"1"), keep(box, b"1")

    assert first.name != second.name
    assert first.name.endswith(r"...\057a\072b")
    assert {first.parent, second.parent} == {tmp_path / "new"}


def test_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If somebody else has the name all the same, his message stays."""
    monkeypatch.setattr("pop3kit._maildir._unique_name", lambda: "name")
    box = Maildir(tmp_path)

    with box.incoming() as theirs:
        theirs.write(b"theirs")
        with pytest.raises(FileExistsError), box.incoming():
            pass
        target, _ = box.keep(theirs, 1, b"")

    assert target.read_bytes() == b"theirs"


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_private(tmp_path: Path) -> None:
    """Mail can be read by its owner alone."""
    target = keep(Maildir(tmp_path), b"x")

    assert target.stat().st_mode & 0o777 == 0o600
    assert {(tmp_path / each).stat().st_mode & 0o777 for each in ("tmp", "new", "cur")} == {0o700}


def test_nothing_half(tmp_path: Path) -> None:
    """While a message is on its way it is in ``tmp``, and nothing stays of one that failed."""
    during: list[str] = []

    def receive() -> None:
        with Maildir(tmp_path).incoming() as file:
            file.write(b"half")
            during.extend(each for each in names(tmp_path) if "/" in each)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        receive()

    assert [each.startswith("tmp/") for each in during] == [True]
    assert names(tmp_path) == ["cur", "new", "tmp"]


def test_disk_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that does not get onto the disk is not delivered."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    box = Maildir(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        keep(box, b"x")

    assert names(tmp_path) == ["cur", "new", "tmp"]


def test_synced_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is on the disk before it is in ``new``, and its name there before all else."""
    steps: list[str] = []
    fsync, link = os.fsync, Path.hardlink_to
    box = Maildir(tmp_path)

    def note_sync(number: int) -> None:
        new = os.path.samestat(os.fstat(number), (tmp_path / "new").stat())
        steps.append("new" if new else "file")
        fsync(number)

    def note_link(self: Path, target: Path) -> None:
        steps.append("name")
        link(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "hardlink_to", note_link)
    keep(box, b"x")

    assert steps == ["file", "name", "new"]


def test_what_the_dead_left(tmp_path: Path) -> None:
    """What lies in ``tmp`` for days is of nobody, and what is new there of somebody."""
    Maildir(tmp_path)
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))

    Maildir(tmp_path)

    assert [each.name for each in (tmp_path / "tmp").iterdir()] == ["young"]


def test_folder_of_other_things(tmp_path: Path) -> None:
    """A folder with other things in it is not made a Maildir by mistake."""
    (tmp_path / "letters").mkdir()

    with pytest.raises(NotADirectoryError, match="expected a Maildir"):
        Maildir(tmp_path)

    assert names(tmp_path) == ["letters"]


def test_half_made(tmp_path: Path) -> None:
    """A Maildir whose making was interrupted is completed."""
    (tmp_path / "tmp").mkdir()

    Maildir(tmp_path)

    assert names(tmp_path) == ["cur", "new", "tmp"]
