"""The mbox: whole messages or none of them, under a lock, and quoted so that it can be undone."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ._fetching import in_mbox

if os.name != "posix":
    pytest.skip("locks are those of POSIX", allow_module_level=True)

from pop3kit import _mbox
from pop3kit._mbox import Mbox, MboxInUse

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator
    from pathlib import Path

FIRST, SECOND = b"Subject: 1\r\n\r\none\r\n", b"Subject: 2\r\n\r\ntwo\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the mbox will be."""
    return tmp_path / "inbox"


def keep(box: Mbox, data: bytes) -> None:
    """Append a message."""
    with box.incoming() as file:
        file.write(data)
        box.keep(file, 1, b"uid")


def test_two_messages(path: Path) -> None:
    """Messages stand one behind the other, octet for octet; nothing else is left in the folder."""
    keep(Mbox(path), FIRST)
    keep(Mbox(path), SECOND)

    separator = rb"From MAILER-DAEMON \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n"
    wanted = separator + re.escape(FIRST) + b"\n" + separator + re.escape(SECOND) + b"\n"
    assert re.fullmatch(wanted, path.read_bytes())
    assert in_mbox(path) == [FIRST, SECOND]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"From me", b">From me"),
        (b">From me", b">>From me"),
        (b">>>From me", b">>>>From me"),
        (b"From: me", b"From: me"),
        (b" From me", b" From me"),
        (b"> From me", b"> From me"),
        (b">", b">"),
        (b"From", b"From"),
    ],
)
def test_quoting(path: Path, line: bytes, written: bytes) -> None:
    """A line that looks like a separator, quoted or not, gets one more ">" (mboxrd)."""
    message = b"Subject: x\r\n\r\n" + line + b"\r\n" + line + b"\r\n"

    keep(Mbox(path), message)

    assert path.read_bytes().split(b"\n").count(written + b"\r") == 2
    assert in_mbox(path) == [message]


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (b"a\r\n\r\nno end", b"a\r\n\r\nno end\n"),
        (b"a\n\nbare LF\n", b"a\n\nbare LF\n"),
        (b"a\r\n\r\n\r\n\r\n", b"a\r\n\r\n\r\n\r\n"),
        (b"a\n\n\n\n", b"a\n\n\n\n"),
        (b"", b""),
        (b"a\r\n\r\n\x00\xff\r\r\n", b"a\r\n\r\n\x00\xff\r\r\n"),
    ],
)
def test_odd_messages(path: Path, message: bytes, read: bytes) -> None:
    """Whatever a message is, it ends before the next one begins; only a last line end is added."""
    box = Mbox(path)

    keep(box, message)
    keep(box, FIRST)

    assert in_mbox(path) == [read, FIRST]


@pytest.mark.parametrize("tail", [b"text\n\n", b"text\n", b"text", b"text\r\n", b"text\r\n\r\n"])
def test_behind_others(path: Path, tail: bytes) -> None:
    """What others have written stays, and an empty line comes between it and the message."""
    before = b"From joe Thu Jan  1 00:00:00 1970\nSubject: x\n\n" + tail
    path.write_bytes(before)

    keep(Mbox(path), FIRST)

    after = path.read_bytes()
    assert after.startswith(before)
    assert re.match(rb"\n*From MAILER", after[len(before) :])
    assert b"\n\nFrom MAILER" in after
    assert in_mbox(path)[1:] == [FIRST]


def test_something_else(path: Path) -> None:
    """A file that is no mbox stays as it is."""
    path.write_bytes(b"my diary\n")

    with pytest.raises(OSError, match="expected an mbox, got a file of something else"):
        Mbox(path)

    assert path.read_bytes() == b"my diary\n"


def test_no_ordinary_file(path: Path) -> None:
    """A device is no mbox: nothing that is written there lasts."""
    path.symlink_to("/dev/null")

    with pytest.raises(OSError, match="got no ordinary file"):
        Mbox(path)


def test_private(path: Path) -> None:
    """Mail can be read by its owner alone; what an existing mbox allows stays."""
    box = Mbox(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o660)

    keep(box, FIRST)

    assert path.stat().st_mode & 0o777 == 0o660


def test_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is about to happen is on the disk before it happens, and the message afterwards."""
    synced: list[str] = []
    fsync = os.fsync
    box = Mbox(path)

    def note(number: int) -> None:
        places = (path.parent, *path.parent.iterdir())
        synced.extend(
            each.name for each in places if os.path.samestat(os.fstat(number), each.stat())
        )
        fsync(number)

    monkeypatch.setattr(os, "fsync", note)
    keep(box, FIRST)

    assert synced == [".inbox.pop3kit-undo", path.parent.name, "inbox"]


# A disk that is full


@pytest.mark.parametrize("room", [0, 1, 40, 90, 5000])
def test_disk_full(path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """If there is no room for all of a message, the mbox is as it was, at once."""
    box = Mbox(path)
    keep(box, FIRST)
    before = path.read_bytes()

    def write(file: io.FileIO, block: bytes) -> None:
        file.write(block[:room])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_mbox, "_write_all", write)
        with pytest.raises(OSError, match="No space left"):
            keep(box, b"x" * 10_000)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    keep(box, SECOND)
    assert in_mbox(path) == [FIRST, SECOND]


def test_no_room_to_announce(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not even the announcement can be written, the mbox is not touched."""
    box = Mbox(path)
    keep(box, FIRST)
    before = path.read_bytes()

    def fail(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_mbox, "sync_file", fail)
    with pytest.raises(OSError, match="No space left"):
        keep(box, SECOND)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_short_writes() -> None:
    """A system that takes only a part of what it is given gets the rest as well."""
    taken: list[int] = []

    class Slow:
        def write(self, block: bytes) -> int:
            taken.append(min(3, len(block)))
            return taken[-1]

    _mbox._write_all(Slow(), b"12345678")  # type: ignore[arg-type]

    assert taken == [3, 3, 2]


# What a dead process leaves; test_killed.py kills one at each line


def undo(path: Path, start: int, entry: bytes) -> Path:
    """Leave word that a message was about to be appended."""
    file = path.with_name(".inbox.pop3kit-undo")
    file.write_bytes(b"%d\n" % start + entry)
    return file


def whole(path: Path) -> bytes:
    """An mbox with one message, and what another message would add to it."""
    keep(Mbox(path), FIRST)
    before = path.read_bytes()
    keep(Mbox(path), SECOND)
    after = path.read_bytes()
    path.write_bytes(before)
    return after[len(before) :]


@pytest.mark.parametrize("octets", [0, 1, 30, -1])
def test_mended(path: Path, octets: int) -> None:
    """The begin of a message that a dead process left is taken away."""
    entry = whole(path)
    before = path.read_bytes()
    file = undo(path, len(before), entry)
    path.write_bytes(before + entry[:octets])

    Mbox(path)

    assert path.read_bytes() == before
    assert not file.exists()


@pytest.mark.parametrize("octets", [0, 40, None])
def test_mail_of_others_stays(path: Path, octets: int | None) -> None:
    """If others have written since, their mail stays, whatever was left before it."""
    entry = whole(path)
    before = path.read_bytes()
    undo(path, len(before), entry)
    now = before + entry[:octets] + b"From joe Thu Jan  1 00:00:00 1970\n\nhello\n\n"
    path.write_bytes(now)

    Mbox(path)

    assert path.read_bytes() == now


@pytest.mark.parametrize("start", [b"", b"1", b"x\n", b"-1\n", b"999999\nFrom "])
def test_word_that_is_of_no_use(path: Path, start: bytes) -> None:
    """An announcement that is half written, or of another mbox, changes nothing."""
    keep(Mbox(path), FIRST)
    before = path.read_bytes()
    file = path.with_name(".inbox.pop3kit-undo")
    file.write_bytes(start)

    Mbox(path)

    assert path.read_bytes() == before
    assert not file.exists()


# The lock

HOLDER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.readline()
print("free", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked(path: Path) -> Iterator[Callable[[float], None]]:
    """Have another program hold the lock; what this gives is a sleep in which it lets go."""
    path.touch()
    command = [sys.executable, "-c", HOLDER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"locked\n"
        stdin, stdout = process.stdin, process.stdout

        def let_go(_: float) -> None:
            stdin.write(b"\n")
            stdin.flush()
            assert stdout.readline() == b"free\n"

        yield let_go
        stdin.close()


def test_locked(path: Path) -> None:
    """Who holds the lock for more than ten seconds is told of."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with locked(path), pytest.raises(MboxInUse, match="another program holds its lock"):
        Mbox(path, clock=lambda: now[0], sleep=sleep)

    assert 10.0 <= now[0] < 10.2


def test_lock_is_waited_for(path: Path) -> None:
    """A lock that is given back in time is taken."""
    with locked(path) as let_go:
        keep(Mbox(path, sleep=let_go), FIRST)

    assert in_mbox(path) == [FIRST]


def test_replaced_while_waiting(path: Path) -> None:
    """If the file was replaced meanwhile, the message goes into the new one."""
    new = path.with_name("new")
    new.write_bytes(b"From joe Thu Jan  1 00:00:00 1970\n\nhello\n\n")
    sleeps: list[Callable[[float], None]] = []

    def sleep(seconds: float) -> None:
        new.rename(path)
        sleeps[0](seconds)

    box = Mbox(path, sleep=sleep)
    with locked(path) as let_go:
        sleeps.append(let_go)
        keep(box, FIRST)

    assert in_mbox(path) == [b"\nhello\n", FIRST]
