"""``pop3kit fetch --delete``: only what is safe is deleted, and what goes wrong is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3kit import _folder
from pop3mock import MockServer

from ._fetching import mail, odd, one_line, url

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from .conftest import Run


def test_delete(run: Run, out: Path) -> None:
    """With --delete what is in the folder is gone from the server."""
    with MockServer() as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (0, [])
    assert mail(out) == before
    assert "4 deleted from the server" in result.stdout


def test_delete_what_is_there_already(run: Run, out: Path) -> None:
    """A message that an earlier run has kept is safe, too."""
    with MockServer() as server:
        run("fetch", url(server), "-o", out, password="secret")
        run("fetch", url(server), "-o", out, "--delete", password="secret")

        assert list(server.maildrop) == []


def test_delete_only_what_is_safe(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DELE is sent when the message has its name, and not a moment earlier."""
    kept: list[list[str]] = []
    keep = _folder.Folder.keep

    with MockServer() as server:

        def watch(self: _folder.Folder, *arguments: object) -> tuple[Path, bool]:
            kept.append([c for c in server.journal.commands if c.startswith("DELE")])
            return keep(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(_folder.Folder, "keep", watch)
        run("fetch", url(server), "-o", out, "--delete", password="secret")

    assert [len(commands) for commands in kept] == [0, 1, 2, 3]


def test_disk_full(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a message cannot be kept, what is safe is deleted, and nothing else."""
    keep = _folder.Folder.keep

    def fail(self: _folder.Folder, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        if number == 2:
            raise OSError(28, "No space left on device")
        return keep(self, file, number, uid)

    monkeypatch.setattr(_folder.Folder, "keep", fail)
    with MockServer() as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        server.wait_closed()
        left = list(server.maildrop)

    assert (result.exit_code, left) == (74, before[1:])
    assert "No space left on device" in one_line(result)
    assert "1 of 4 messages" in result.stdout
    assert "1 deleted from the server" in result.stdout
    assert mail(out) == before[:1]


@pytest.mark.parametrize("scenario", ["cut-mid-message", "reset-mid-message"])
def test_delete_and_lose_the_connection(run: Run, out: Path, scenario: str) -> None:
    """If the connection is lost in a message, what came is kept, whole, and nothing is deleted."""
    with MockServer(scenario) as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        server.wait_closed()
        left = list(server.maildrop)

    assert (result.exit_code, left) == (69, before)
    assert mail(out) == before[:1]
    assert "RETR 2" in one_line(result)
    assert "1 of 3 messages" in result.stdout
    assert "0 deleted" in result.stdout


def test_delete_and_quit_refused(run: Run, out: Path) -> None:
    """If QUIT is refused, deletions may not have happened: that is a failure."""
    with MockServer("quit-err") as server:
        deleting = run("fetch", url(server), "-o", out, "--delete", password="secret")
        plain = run("fetch", url(server), "-o", out, password="secret")

    assert deleting.exit_code == 1
    assert "QUIT: " in one_line(deleting)
    assert "0 deleted" in deleting.stdout
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert "noticed: quit-err (QUIT)" in plain.stdout


@pytest.mark.parametrize(("more", "failures"), [([], 1), (["--sync"], 4)])
def test_delete_and_quit_unanswered(run: Run, out: Path, more: list[str], failures: int) -> None:
    """If QUIT is not answered nobody knows what was deleted: 1, and one line about it."""
    options = [*more, *([out.with_name("seen.db")] if more else []), "--delete", "--json"]
    with odd("rules: [{when: QUIT, reply: <close>}]\n") as server:
        result = run("fetch", url(server), "-o", out, *options, password="secret")

    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["kept"], summary["deleted"]) == (1, 4, 0)
    assert [each["kind"] for each in summary["failures"]] == ["unavailable"] * failures
    assert "QUIT" in one_line(result)


def test_message_refused(run: Run, out: Path) -> None:
    """A message that the server refuses is told; the others come, and only they are deleted."""
    rule = "rules: [{when: RETR 2, reply: -ERR \x5b[31mlocked}]\n".replace("\x5b[31m", "")
    with odd(rule) as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (1, before[1:2])
    assert mail(out) == [before[0], *before[2:]]
    assert "locked" in one_line(result)
    assert "3 of 4 messages" in result.stdout
