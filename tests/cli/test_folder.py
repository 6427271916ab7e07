"""The folder of messages: names that are safe, files that are whole, nothing overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pop3kit._folder import Folder, file_stem


def keep(folder: Folder, data: bytes, number: int = 1, uid: bytes = b"") -> tuple[Path, bool]:
    """Put a message into the folder."""
    with folder.incoming() as file:
        file.write(data)
        return folder.keep(file, number, uid)


def names(path: Path) -> list[str]:
    """The names in a folder."""
    return sorted(entry.name for entry in path.iterdir())


@pytest.mark.parametrize(
    ("uid", "stem"),
    [
        (b"", "00007"),
        (b"00000001.6b2e4ee6", "00007-00000001.6b2e4ee6"),
        (b"../../etc/passwd", "00007-..%2F..%2Fetc%2Fpasswd"),
        (b"C:\\x|y<z>*?\"'", "00007-C%3A%5Cx%7Cy%3Cz%3E%2A%3F%22%27"),
        (b"a b\x00\xff", "00007-a%20b%00%FF"),
        (b"%2F", "00007-%252F"),
    ],
)
def test_stem(uid: bytes, stem: str) -> None:
    """A unique-id becomes part of a file name in which it can do no harm and is still unique."""
    assert file_stem(7, uid) == stem


def test_stem_is_short() -> None:
    """Unique-ids that are too long give names that are not, and that differ."""
    first, second = file_stem(1, b"/" * 5000), file_stem(1, b"/" * 5001)

    assert max(len(first), len(second)) < 240
    assert first != second


def test_keep(tmp_path: Path) -> None:
    """A message becomes a file with exactly its octets; the folder is made."""
    path = tmp_path / "new" / "mail"

    target, new = keep(Folder(path), b"a\r\n.b\n\x00\xff", 3, b"x")

    assert (target, new) == (path / "00003-x.eml", True)
    assert target.read_bytes() == b"a\r\n.b\n\x00\xff"
    assert names(path) == ["00003-x.eml"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_private(tmp_path: Path) -> None:
    """Mail can be read by its owner alone."""
    target, _ = keep(Folder(tmp_path), b"x")

    assert target.stat().st_mode & 0o777 == 0o600


def test_same_message_again(tmp_path: Path) -> None:
    """The same message under the same name stays one file."""
    folder = Folder(tmp_path)
    keep(folder, b"x" * 100_000)

    assert keep(folder, b"x" * 100_000) == (tmp_path / "00001.eml", False)
    assert names(tmp_path) == ["00001.eml"]


@pytest.mark.parametrize("other", [b"y" * 100_000, b"x" * 99_999 + b"y", b"", b"x" * 100_001])
def test_other_message(tmp_path: Path, other: bytes) -> None:
    """Another message under the same name gets a name of its own, each time the same."""
    folder = Folder(tmp_path)
    keep(folder, b"x" * 100_000)

    assert keep(folder, other) == (tmp_path / "00001-2.eml", True)
    assert keep(folder, other) == (tmp_path / "00001-2.eml", False)
    assert keep(folder, b"third") == (tmp_path / "00001-3.eml", True)
    assert (tmp_path / "00001.eml").read_bytes() == b"x" * 100_000


def test_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that has no links serves as well."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    folder = Folder(tmp_path)

    assert keep(folder, b"x") == (tmp_path / "00001.eml", True)
    assert keep(folder, b"y") == (tmp_path / "00001-2.eml", True)
    assert keep(folder, b"y") == (tmp_path / "00001-2.eml", False)
    assert names(tmp_path) == ["00001-2.eml", "00001.eml"]


def test_nothing_half(tmp_path: Path) -> None:
    """While a message is on its way there is no .eml file, and nothing stays of one that failed."""
    during: list[str] = []

    def receive() -> None:
        with Folder(tmp_path).incoming() as file:
            file.write(b"half")
            during.extend(names(tmp_path))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        receive()

    assert [name.endswith(".part") for name in during] == [True]
    assert names(tmp_path) == []


def test_synced_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is on the disk before its name is, and its name before anything else happens."""
    steps: list[str] = []
    fsync, link = os.fsync, Path.hardlink_to

    def note_sync(number: int) -> None:
        steps.append("folder" if os.path.samestat(os.fstat(number), tmp_path.stat()) else "file")
        fsync(number)

    def note_link(self: Path, target: Path) -> None:
        steps.append("name")
        link(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "hardlink_to", note_link)
    keep(Folder(tmp_path), b"x")

    assert steps == ["file", "name", "folder"]
