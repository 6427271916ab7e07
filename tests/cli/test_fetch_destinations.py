"""``pop3kit fetch`` into a folder, a Maildir or an mbox: what is the same for all of them."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

from ._fetching import READERS, odd, one_line, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")

#: Mail that an mbox has to quote, and line ends that a program might change.
MAIL = """
maildrop:
  - raw: "Subject: 1\\r\\n\\r\\nFrom me\\r\\n>From you\\r\\n"
  - raw: "Subject: 2\\r\\n\\r\\n\\r\\n.\\r\\n\\r\\n"
  - {count: 2, octets: 70000}
"""


#: How often something gets onto the disk before the third message: folders first, then twice or
#: three times for each message.
ROOM = {"--output": 1 + 2 * 2, "--maildir": 2 + 2 * 2, "--mbox": 3 * 2}


@pytest.mark.parametrize("more", [[], ["--sync"], ["--delete"], ["--sync", "--delete"]])
@pytest.mark.parametrize("kind", list(READERS))
def test_fetch(run: Run, out: Path, kind: str, more: list[str]) -> None:
    """All messages come octet for octet, in their order, with --sync and --delete and without."""
    options = [*more]
    options[1:1] = [str(out.with_name("seen.db"))] if "--sync" in more else []
    with odd(MAIL) as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), kind, out, *options, password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, result.stderr) == (0, "")
    assert READERS[kind](out) == before
    assert left == ([] if "--delete" in more else before)
    assert result.stdout.startswith(f"4 of 4 messages are in {out} (")


@pytest.mark.parametrize(("kind", "copies"), [("--output", 1), ("--maildir", 2), ("--mbox", 2)])
def test_again(run: Run, out: Path, kind: str, copies: int) -> None:
    """Without --sync a Maildir and an mbox get again what is still on the server."""
    with MockServer() as server:
        run("fetch", url(server), kind, out, password="secret")
        again = run("fetch", url(server), kind, out, "--json", password="secret")

    assert len(READERS[kind](out)) == 4 * copies
    assert json.loads(again.stdout)["known"] == (4 if copies == 1 else 0)


@pytest.mark.parametrize("kind", list(READERS))
def test_sync_again(run: Run, out: Path, kind: str) -> None:
    """With --sync only what is new comes, and is put to the rest."""
    arguments = [kind, out, "--sync", out.with_name("seen.db")]
    with MockServer() as server:
        run("fetch", url(server), *arguments, password="secret")
        server.deliver(b"Subject: new\r\n\r\n")
        run("fetch", url(server), *arguments, password="secret")
        everything = list(server.maildrop)

    assert READERS[kind](out) == everything


@pytest.mark.parametrize("more", [[], ["--sync"]])
@pytest.mark.parametrize("kind", list(READERS))
def test_lost_connection(run: Run, out: Path, kind: str, more: list[str]) -> None:
    """Of a message that is cut nothing is kept, and what came before is whole."""
    options = [*more, *([out.with_name("seen.db")] if more else [])]
    with MockServer("cut-mid-message") as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), kind, out, *options, password="secret")

    assert result.exit_code == 69
    assert READERS[kind](out) == before[:1]


@pytest.mark.parametrize("more", [[], ["--sync"]])
@pytest.mark.parametrize("kind", list(READERS))
def test_disk_full(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch, kind: str, more: list[str]
) -> None:
    """When the disk is full nothing is lost, and the next run goes on where this one ended."""
    options = [kind, out, *more, *([out.with_name("seen.db")] if more else []), "--delete"]
    fsync = os.fsync
    room = [ROOM[kind]]

    def fill(number: int) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(number)

    with MockServer() as server:
        before = list(server.maildrop)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fill)
            first = run("fetch", url(server), *options, "--json", password="secret")
        server.wait_closed()
        kept = json.loads(first.stdout)["kept"]
        assert READERS[kind](out) == before[:kept]
        second = run("fetch", url(server), *options, password="secret")
        left = list(server.maildrop)

    assert (first.exit_code, second.exit_code, left) == (74, 0, [])
    assert "No space left on device" in one_line(first)
    assert kept == 2
    assert sorted(READERS[kind](out)) == sorted(before)  # numbers, and so names, begin anew


def test_mbox_in_use(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An mbox that another program does not let go of is 75, and nobody is asked for mail."""
    monkeypatch.setattr("pop3kit._mbox._PATIENCE", 0.0)

    def refuse(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("fcntl.lockf", refuse)
    with MockServer() as server:
        result = run("fetch", url(server), "--mbox", out, password="secret")
        came = server.journal.connections

    assert (result.exit_code, came) == (75, [])
    assert "another program holds its lock" in one_line(result)


@pytest.mark.parametrize(("kind", "item"), [("--maildir", "maildir"), ("--mbox", "mbox")])
def test_served_again(run: Run, tmp_path: Path, kind: str, item: str) -> None:
    """What was delivered can be served: another reader finds the same messages in it."""
    out, back = tmp_path / "box", tmp_path / "back"
    with MockServer() as server:
        before = list(server.maildrop)
        run("fetch", url(server), kind, out, password="secret")
    with odd(f"maildrop: [{{{item}: '{out}'}}]\n") as server:
        run("fetch", url(server), "-o", back, password="secret")

    assert READERS["--output"](back) == before
