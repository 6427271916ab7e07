"""``pop3kit fetch --sync``: what was fetched before does not come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3kit import _folder
from pop3mock import MockServer

from ._fetching import mail, odd, one_line, url

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    import pytest
    from click.testing import Result

    from .conftest import Run


def sync(run: Run, server: MockServer, out: Path, *options: str) -> Result:
    """Fetch what is new."""
    db = out.with_name("seen.db")
    return run("fetch", url(server), "-o", out, "--sync", db, *options, password="secret")


def test_sync(run: Run, out: Path) -> None:
    """With --sync the second run fetches only what has come since, wherever the files are now."""
    with MockServer() as server:
        first = sync(run, server, out)
        before = list(server.maildrop)
        assert mail(out) == before
        for file in out.iterdir():
            file.unlink()
        server.deliver(b"Subject: new\r\n\r\n")
        second = sync(run, server, out)
        left = len(server.maildrop)

    assert (first.exit_code, second.exit_code, left) == (0, 0, 5)
    assert mail(out) == [b"Subject: new\r\n\r\n"]
    assert first.stdout == f"4 of 4 messages are in {out} (20,559 octets)\n"
    assert second.stdout.startswith(f"1 of 5 messages are in {out} (16 octets, 4 fetched before)\n")


def test_sync_names(run: Run, out: Path) -> None:
    """Files have the same names as without --sync."""
    text = "maildrop: [{body: a, uid: '../a:b'}, {body: b, uid: x}]\n"
    with odd(text) as server:
        sync(run, server, out)

    assert sorted(file.name for file in out.iterdir()) == ["00001-..%2Fa%3Ab.eml", "00002-x.eml"]


def test_keep(run: Run, out: Path) -> None:
    """--keep deletes what was fetched so long ago, and --delete what has been fetched."""
    with MockServer() as server:
        sync(run, server, out)
        late = sync(run, server, out, "--keep", "1")
        at_once = sync(run, server, out, "--keep", "0")
        server.deliver(b"Subject: new\r\n\r\n")
        delete = sync(run, server, out, "--delete")
        left = list(server.maildrop)

    assert "0 deleted" in late.stdout
    assert "4 deleted" in at_once.stdout
    assert "1 deleted" in delete.stdout
    assert left == []


def test_sync_fails_for_one_message(run: Run, out: Path) -> None:
    """A message that is refused is told, the others come, and the next run tries it again."""
    with odd("rules: [{when: RETR 2, nth: 1, scope: user, reply: -ERR no}]\n") as server:
        first = sync(run, server, out)
        second = sync(run, server, out)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "RETR 2" in one_line(first)
    assert "1 of 4 messages" in second.stdout


def test_sync_and_disk_full(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be kept does not count as fetched."""
    keep = _folder.Folder.keep

    def fail(self: _folder.Folder, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        if number == 2:
            raise OSError(28, "No space left on device")
        return keep(self, file, number, uid)

    with MockServer() as server:
        with monkeypatch.context() as patch:
            patch.setattr(_folder.Folder, "keep", fail)
            first = sync(run, server, out, "--delete")
        server.wait_closed()
        assert len(server.maildrop) == 4
        second = sync(run, server, out)

    assert (first.exit_code, second.exit_code) == (74, 0)
    assert "3 of 4 messages" in second.stdout


def test_sync_without_uidl(run: Run, out: Path) -> None:
    """Without UIDL nobody knows what is new: status 69, and nothing is fetched."""
    with MockServer("no-uidl") as server:
        result = sync(run, server, out)

    assert (result.exit_code, out.exists()) == (69, False)
    assert "UIDL" in one_line(result)


def test_sync_with_a_file_that_is_none(run: Run, out: Path) -> None:
    """A file that is no store ends with 74, before anybody is asked for mail."""
    out.with_name("seen.db").write_text("something else, and long enough" * 9, encoding="utf-8")
    with MockServer() as server:
        result = sync(run, server, out)
        came = server.journal.connections

    assert (result.exit_code, came) == (74, [])
    assert "seen.db: file is not a database" in one_line(result)
