"""A fetch that is killed, wherever it is: nothing is lost, and one message at most comes twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

from ._fetching import READERS, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name != "posix", reason="processes are those of POSIX"),
]

KINDS = list(READERS)

# A delivery, of which each line of our modules that it runs is the last one once.

EACH_LINE = """
import json, os, sys
from pathlib import Path
from pop3kit import _disk, _folder, _maildir, _mbox

kind, folder = sys.argv[1], Path(sys.argv[2])
_mbox._BLOCK = 3000  # several blocks of one message
os.fsync = lambda _: None  # what was written outlives a process without it
OURS = {module.__file__ for module in (_disk, _folder, _maildir, _mbox)}
OPEN = {"--output": _folder.Folder, "--maildir": _maildir.Maildir, "--mbox": _mbox.Mbox}[kind]

def deliver(path, number):
    destination = OPEN(path)
    with destination.incoming() as file:
        file.write(b"Subject: %d\\r\\n\\r\\n" % number + (b"From x" + b"y" * 2990 + b"\\r\\n") * 4)
        destination.keep(file, number, b"")

def is_killed(last, path, number):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    lines = 0
    def trace(frame, event, _):
        nonlocal lines
        if frame.f_code.co_filename not in OURS:
            return None
        lines += event == "line"
        if lines == last:
            os._exit(9)
        return trace
    sys.settrace(trace)
    deliver(path, number)
    os._exit(0)

last, sizes, killed = 0, [], True
while killed:
    last += 1
    path = folder / str(last)
    deliver(path, 1)
    killed = is_killed(last, path, 2)
    sizes.append(path.stat().st_size)
    deliver(path, 2)
    deliver(path, 3)
print(json.dumps(sizes))
"""


def messages(*numbers: int) -> list[bytes]:
    """What the program delivers."""
    body = (b"From x" + b"y" * 2990 + b"\r\n") * 4
    return [b"Subject: %d\r\n\r\n" % number + body for number in numbers]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_line(tmp_path: Path, kind: str) -> None:
    """A delivery that ends at any line of ours has happened, or has not; the next ones are whole.

    What has happened before it is known to have happened is repeated, except in a folder, which
    sees that it has it.
    """
    command = [sys.executable, "-c", EACH_LINE, kind, tmp_path]

    done = subprocess.run(command, capture_output=True, check=False, timeout=100)

    assert (done.returncode, done.stderr) == (0, b"")
    sizes = json.loads(done.stdout)
    found = {tuple(read(kind, tmp_path / str(each))) for each in range(1, len(sizes) + 1)}
    once, twice = tuple(messages(1, 2, 3)), tuple(messages(1, 2, 2, 3))
    assert found == ({once} if kind == "--output" else {once, twice})
    assert len(sizes) > 20
    if kind == "--mbox":
        # Half a message was there to be taken away: nothing of it, a part, and all of it.
        assert len({size // 1000 for size in sizes}) > 4


def read(kind: str, path: Path) -> list[bytes]:
    """What a destination holds; what the dead left in it is not of it."""
    for left in [*path.glob("tmp/*"), *path.glob(".pop3kit-*.part")]:
        left.unlink()
    return READERS[kind](path)


# The whole command, of which the server or the disk sees how far it has come.

COMMAND = """
import sys
from pop3kit import _folder, _maildir, _mbox
from pop3kit.__main__ import main

stop = sys.argv.pop(1)

def stop_if(where):
    if where == stop:
        print("here", flush=True)
        sys.stdin.read()

def watched(keep):
    def watch(self, file, number, uid):
        stop_if(f"before {number}")
        kept = keep(self, file, number, uid)
        stop_if(f"after {number}")
        return kept
    return watch

for kind in (_folder.Folder, _maildir.Maildir, _mbox.Mbox):
    kind.keep = watched(kind.keep)
main()
"""
SCENARIO = "pop3: 1\nname: killed\nsummary: killed\nmaildrop: [{count: 3, octets: 3000}]\n"
HANG = "rules: [{when: COMMAND, nth: 1, scope: server, cut: 0, then: hang}]\n"
COMMANDS = ["UIDL", "RETR 2", "DELE 2", "QUIT"]
PLACES = ["before 2", "after 2"]


def kill(server: MockServer, place: str, *arguments: object) -> None:
    """Run the command, and kill it in its place."""
    command = [sys.executable, "-c", COMMAND, place, "fetch", url(server), *map(str, arguments)]
    environment = {**os.environ, "POP3KIT_PASSWORD": "secret"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        if place in COMMANDS:
            server.wait_for(place, timeout=30)
        else:
            assert process.stdout.readline() == b"here\n"
        process.kill()
    server.wait_closed()


def playing(place: str) -> MockServer:
    """A server that falls silent at that place, once."""
    return MockServer(
        loads(SCENARIO + (HANG.replace("COMMAND", place) if place in COMMANDS else ""))
    )


@pytest.mark.parametrize("place", [*COMMANDS, *PLACES])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_with_sync(run: Run, out: Path, kind: str, place: str) -> None:
    """With --sync the next run fetches the rest; only what was kept and not yet noted is repeated.

    A folder does not even repeat that.
    """
    arguments = [kind, out, "--sync", out.with_name("seen.db"), "--delete"]
    with playing(place) as server:
        everything = Counter(server.maildrop)
        kill(server, place, *arguments)
        assert place == "QUIT" or len(server.maildrop) == 3

        result = run("fetch", url(server), *arguments, password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, result.stderr, left) == (0, "", [])
    kept = Counter(read(kind, out))
    assert everything - kept == Counter()
    assert (kept - everything).total() == (place == "after 2" and kind != "--output")


@pytest.mark.parametrize("place", ["DELE 2", "after 2"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_without_sync(run: Run, out: Path, kind: str, place: str) -> None:
    """Without --sync nothing is deleted and nothing is lost; all comes again."""
    with playing(place) as server:
        everything = Counter(server.maildrop)
        kill(server, place, kind, out, "--delete")
        assert Counter(server.maildrop) == everything

        result = run("fetch", url(server), kind, out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (0, [])
    kept = Counter(read(kind, out))
    assert everything - kept == Counter()
    assert (kept - everything).total() == (0 if kind == "--output" else 2)
