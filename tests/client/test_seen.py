"""The memory of messages that were fetched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pop3client import SeenMaildrop, SeenStore, SeenStoreError

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from pop3client import SeenStore

path, name, count = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
with SeenStore(path, timeout=60) as store:
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    sys.stdin.readline()
    maildrop = store.maildrop("h", 110, "u")
    for number in range(count):
        maildrop.delivered(name + b"%d" % number, b"", 1)
        maildrop.delivered(b"both%d" % number, b"", 1, number)
"""


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The store's clock."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "seen.db"


def test_remembers(path: Path, clock: Clock) -> None:
    """What was delivered is there when the file is opened again: octets, sizes and times."""
    with SeenStore(path, clock=clock) as store:
        store.maildrop("h", 110, "u").delivered(b"\xff 'a\0", b"mark", 12)
        clock.now += 5
        store.maildrop("h", 110, "u").delivered(b"b", b"mark", 13)

    with SeenStore(path) as store:
        messages = store.maildrop("h", 110, "u").messages()

    assert [(each.uid, each.fingerprint, each.octets) for each in messages] == [
        (b"b", b"mark", 13),
        (b"\xff 'a\0", b"mark", 12),
    ]
    assert [each.first_seen for each in messages] == [1005.0, 1000.0]
    assert [each.last_seen for each in messages] == [1005.0, 1000.0]
    assert [(each.copies, each.deleted) for each in messages] == [(1, None)] * 2


def test_maildrops_are_apart(path: Path) -> None:
    """Host, port and user make a maildrop; only the case of the host does not matter."""
    with SeenStore(path) as store:
        store.maildrop("Mail.Example", 110, "u").delivered(b"a", b"", 1)

        found = {
            key: len(store.maildrop(*key).messages())
            for key in [
                ("mail.example", 110, "u"),
                ("mail.example", 995, "u"),
                ("mail.example", 110, "U"),
                ("other.example", 110, "u"),
            ]
        }

    assert list(found.values()) == [1, 0, 0, 0]


def test_found_again(path: Path, clock: Clock) -> None:
    """A message that is found again keeps the time of its delivery and is not deleted any more."""
    with SeenStore(path, clock=clock) as store:
        maildrop = store.maildrop("h", 110, "u")
        first = maildrop.delivered(b"a", b"", 1)
        maildrop.deleted([first])
        clock.now += 60

        again = maildrop.delivered(b"a", b"", 2, copies=2)

        assert again == maildrop.messages()[0]
    assert (again.first_seen, again.last_seen, again.deleted) == (1000.0, 1060.0, None)
    assert (again.octets, again.copies) == (2, 2)


def test_copies_do_not_get_fewer(path: Path) -> None:
    """That one copy was found again does not undo that two were delivered."""
    with SeenStore(path) as store:
        maildrop = store.maildrop("h", 110, "u")
        maildrop.delivered(b"a", b"", 1, copies=2)

        assert maildrop.delivered(b"a", b"", 1, copies=1).copies == 2


def test_listings(path: Path, clock: Clock) -> None:
    """A listing is counted, and what was found in it bears its number and time."""
    with SeenStore(path, clock=clock) as store:
        maildrop = store.maildrop("h", 110, "u")
        here, gone = (maildrop.delivered(uid, b"", 1) for uid in (b"here", b"gone"))
        clock.now += 7
        maildrop.listed([here])

        rows = {each.uid: (each.listing, each.last_seen) for each in maildrop.messages()}

        assert maildrop.listings() == 1
    assert gone.listing == 0
    assert rows == {b"here": (1, 1007.0), b"gone": (0, 1000.0)}


def test_deleted(path: Path, clock: Clock) -> None:
    """Only the messages that are named become deleted."""
    with SeenStore(path, clock=clock) as store:
        maildrop = store.maildrop("h", 110, "u")
        first, _ = maildrop.delivered(b"a", b"", 1), maildrop.delivered(b"b", b"", 1)
        clock.now += 3
        maildrop.deleted([first])

        assert [each.deleted for each in maildrop.messages()] == [1003.0, None]


def test_forget(path: Path, clock: Clock) -> None:
    """What no listing has had for long is removed, and nothing else."""
    with SeenStore(path, clock=clock) as store:
        maildrop = store.maildrop("h", 110, "u")
        maildrop.delivered(b"old", b"", 1)
        clock.now += 100
        maildrop.delivered(b"new", b"", 1)

        assert store.forget(100) == 0
        assert store.forget(99) == 1
        assert [each.uid for each in maildrop.messages()] == [b"new"]


def test_in_memory() -> None:
    """``:memory:`` is a store without a file."""
    with SeenStore(":memory:") as store:
        store.maildrop("h", 110, "u").delivered(b"a", b"", 1)

        assert len(store.maildrop("h", 110, "u").messages()) == 1
    with SeenStore(":memory:") as store:
        assert store.maildrop("h", 110, "u").messages() == []


def test_two_processes(path: Path) -> None:
    """Two processes that write at the same time lose nothing and do not fail."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, name, "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n", timeout=60)

    with SeenStore(path) as store:
        messages = store.maildrop("h", 110, "u").messages()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(messages) == 3 * 40
    assert {each.copies for each in messages if each.uid.startswith(b"both")} == set(range(40))


def test_who_reads_to_write_is_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that read at the same time, and then wanted to write, would wait for each other."""
    attempts: list[str] = []
    listings = SeenMaildrop._listings

    def try_to_write(self: SeenMaildrop, connection: sqlite3.Connection) -> int:
        answer = listings(self, connection)
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            attempts.append(str(error))
        other.close()
        return answer

    monkeypatch.setattr(SeenMaildrop, "_listings", try_to_write)
    with SeenStore(path) as store:
        store.maildrop("h", 110, "u").delivered(b"a", b"", 1)

    assert attempts == ["database is locked"]


def test_opened_by_two_at_once(path: Path) -> None:
    """The schema is made once, whoever comes first; the other waits."""
    stores: list[SeenStore] = []
    threads = [threading.Thread(target=lambda: stores.append(SeenStore(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stores) == 8
    for store in stores:
        store.close()


def test_waits_only_so_long(path: Path) -> None:
    """A process that writes for ever is waited for as long as was said."""
    with SeenStore(path, timeout=0.01) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(SeenStoreError, match="locked") as caught:
            store.maildrop("h", 110, "u")

        other.close()
        store.maildrop("h", 110, "u")  # and the store is of use afterwards
    assert caught.value.path == str(path)


def test_all_or_nothing(path: Path) -> None:
    """What fails in the middle leaves no half, and no transaction open."""
    with SeenStore(path) as store:
        maildrop = store.maildrop("h", 110, "u")
        first = maildrop.delivered(b"a", b"", 1)

        with pytest.raises(SeenStoreError, match="supported"):
            maildrop.deleted([first, first._replace(uid=[])])  # type: ignore[arg-type]

        assert [each.deleted for each in maildrop.messages()] == [None]


def test_no_place(tmp_path: Path) -> None:
    """A file that cannot be made is told of with its path and the reason."""
    path = tmp_path / "missing" / "seen.db"

    with pytest.raises(SeenStoreError, match="unable to open") as caught:
        SeenStore(path)

    assert (caught.value.path, caught.value.reason) == (str(path), "unable to open database file")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"not a database, by far" * 50, "not a database"), (None, "another program's database")],
    ids=["text", "foreign"],
)
def test_not_a_store(path: Path, content: bytes | None, why: str) -> None:
    """A file that is something else is refused and left as it is."""
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE t (c)")
        other.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()

    with pytest.raises(SeenStoreError, match=why):
        SeenStore(path)

    assert path.read_bytes() == before


def test_of_a_later_version(path: Path) -> None:
    """A store that a later version made is refused."""
    SeenStore(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    other.close()

    with pytest.raises(SeenStoreError, match="expected a store of version 1, got version 7"):
        SeenStore(path)


def test_closed(path: Path) -> None:
    """A store may be closed twice; to use it then is a typed error."""
    store = SeenStore(path)
    store.close()
    store.close()

    with pytest.raises(SeenStoreError, match="closed"):
        store.maildrop("h", 110, "u")
