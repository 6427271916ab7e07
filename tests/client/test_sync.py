"""Leaving mail on the server: nothing is lost, and at most one message comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import DeletePolicy, InvalidArgument, SeenStore
from pop3client._sync import fingerprint
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pop3client import Message, SyncResult

DAY = 86400.0
AT_ONCE = DeletePolicy(after=0)


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Maildrop:
    """A maildrop that lasts, and the server that shows it, in memory.

    Args:
        *mail: unique-id and octets of each message.

    Attributes:
        fuse: octets that the server still sends, and then the connection is lost; None: endless.
        refuse: commands that are answered with the refusal.
        quit_answer: what is said to QUIT.
        silent: true if QUIT is carried out and not answered.
        sizes: what LIST says, if not the truth.
        capa: the capabilities.
        commands: what was asked, over all sessions.
    """

    def __init__(self, *mail: tuple[bytes, bytes]) -> None:
        self.mail = list(mail)
        self.fuse: int | None = None
        self.refuse: set[str] = set()
        self.refusal = b"-ERR no\r\n"
        self.quit_answer = b"+OK\r\n"
        self.silent = False
        self.sizes: dict[bytes, int] = {}
        self.capa = b"+OK\r\nUIDL\r\n.\r\n"
        self.commands: list[str] = []
        self.clock = Clock()

    def socket(self, *_: object) -> Any:
        """The client's socket_factory."""
        return Line(self)

    def size(self, uid: bytes, raw: bytes) -> int:
        """What LIST says of a message."""
        return self.sizes.get(uid, len(raw))


class Line:
    """One connection with a maildrop; stands where the client expects a socket."""

    family = getattr(socket, "AF_UNIX", socket.AF_INET)

    def __init__(self, maildrop: Maildrop) -> None:
        self._maildrop = maildrop
        self._mail = list(enumerate(maildrop.mail, 1))
        self._marked: set[int] = set()
        self._inbox = bytearray()
        self._over = False
        self._say(b"+OK\r\n")

    def _say(self, data: bytes) -> None:
        fuse = self._maildrop.fuse
        if fuse is not None:
            data, self._maildrop.fuse = data[:fuse], fuse - len(data[:fuse])
            self._over |= self._maildrop.fuse == 0
        self._inbox += data

    def setsockopt(self, *_: int) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass

    def close(self) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        if self._over:
            raise BrokenPipeError
        line = data.decode().rstrip()
        self._maildrop.commands.append(line)
        keyword, *numbers = line.split()
        if {line, keyword} & self._maildrop.refuse:
            self._say(self._maildrop.refusal)
        else:
            answer = getattr(self, f"_{keyword.lower()}", lambda *_: b"+OK\r\n")
            self._say(answer(*map(int, numbers if keyword in {"RETR", "DELE", "LIST"} else ())))

    def _capa(self) -> bytes:
        return self._maildrop.capa

    def _stat(self) -> bytes:
        return b"+OK %d 0\r\n" % len(self._mail)

    def _list(self, number: int | None = None) -> bytes:
        size = self._maildrop.size
        if number is not None:
            return b"+OK %d %d\r\n" % (number, size(*self._mail[number - 1][1]))
        return self._listing(b"%d %d" % (number, size(*mail)) for number, mail in self._mail)

    def _uidl(self) -> bytes:
        return self._listing(b"%d %s" % (number, uid) for number, (uid, _) in self._mail)

    def _listing(self, lines: Iterator[bytes]) -> bytes:
        return b"\r\n".join([b"+OK", *lines, b".", b""])

    def _retr(self, number: int) -> bytes:
        raw = self._maildrop.mail[number - 1][1]
        return b"+OK %d octets\r\n" % len(raw) + raw + b".\r\n"

    def _dele(self, number: int) -> bytes:
        self._marked.add(number)
        return b"+OK\r\n"

    def _quit(self) -> bytes:
        if self._maildrop.quit_answer.startswith(b"+OK"):
            self._maildrop.mail = [mail for n, mail in self._mail if n not in self._marked]
        self._over = True
        return b"" if self._maildrop.silent else self._maildrop.quit_answer

    def recv_into(self, view: memoryview) -> int:
        if not self._inbox and not self._over:
            raise BlockingIOError
        count = min(len(view), len(self._inbox))
        view[:count] = self._inbox[:count]
        del self._inbox[:count]
        return count

    async def receive(self, view: memoryview) -> int:
        """What the event loop does where nothing is there yet."""
        return self.recv_into(view)


@pytest.fixture
def store() -> Iterator[SeenStore]:
    """A store whose time is set by hand: ``store.now.now``."""
    with SeenStore(":memory:", clock=Clock()) as one:
        yield one


class Run:
    """Runs ``sync`` and keeps what was delivered, over all runs."""

    def __init__(self, facade: Any, store: SeenStore) -> None:
        self._facade = facade
        self.store = store
        self.delivered: list[bytes] = []

    def __call__(
        self, maildrop: Maildrop, deliver: Callable[[Message], object] | None = None, **options: Any
    ) -> SyncResult:
        client = self._facade.connect(
            "localhost",
            "alice",
            "secret",
            mechanism="USER",
            socket_factory=maildrop.socket,
            clock=maildrop.clock,
            **options.pop("settings", {}),
        )
        try:
            result: SyncResult = client.sync(self.store, deliver or self.keep, **options)
        finally:
            assert client._session.state is pop3client._states.State.CLOSED
        return result

    def keep(self, message: Message) -> None:
        """Deliver a message."""
        self.delivered.append(message.raw)


@pytest.fixture
def run(fake: Any, store: SeenStore) -> Run:
    """Runs of either client."""
    return Run(fake.facade, store)


def mail(*names: str) -> list[tuple[bytes, bytes]]:
    """Messages with these unique-ids."""
    return [(name.encode(), b"Subject: %s\r\n\r\nBody.\r\n" % name.encode()) for name in names]


def uids(items: Any) -> list[bytes]:
    """The unique-ids of a part of a result."""
    return [each.uid for each in items]


def raws(maildrop: Maildrop) -> list[bytes]:
    """The messages in a maildrop."""
    return [raw for _, raw in maildrop.mail]


def test_only_what_is_new(run: Run) -> None:
    """The first run fetches all, the oldest first; the next only what has come since."""
    maildrop = Maildrop(*mail("b", "a"))

    first = run(maildrop)
    maildrop.mail += mail("c")
    second = run(maildrop)

    assert run.delivered == raws(maildrop)
    assert first.fetched == ((1, b"b"), (2, b"a"))
    assert (first.skipped, first.deleted, first.failed) == ((), (), ())
    assert (second.fetched, second.skipped) == (((3, b"c"),), first.fetched)
    assert [c for c in maildrop.commands if c.startswith("RETR")] == ["RETR 1", "RETR 2", "RETR 3"]
    assert not any(c.startswith("DELE") for c in maildrop.commands)


def test_an_empty_maildrop(run: Run) -> None:
    """Nothing there: nothing is asked for, and QUIT ends it."""
    result = run(Maildrop())

    assert result == pop3client.SyncResult((), (), (), (), (), (), ())


def test_maildrops_do_not_mix(run: Run) -> None:
    """Another user's maildrop may have the same unique-ids."""
    maildrop = Maildrop(*mail("a"))
    run(maildrop)

    result = run(maildrop, user="bob")

    assert uids(result.fetched) == [b"a"]


# Deletion.


@pytest.mark.parametrize("after", [7 * DAY, timedelta(days=7)], ids=["seconds", "timedelta"])
def test_deletes_after_days(run: Run, after: Any) -> None:
    """A message is deleted when its delivery is so long ago, and not before."""
    maildrop = Maildrop(*mail("a"))
    run(maildrop)
    run.store.now.now += 3 * DAY
    maildrop.mail += mail("b")
    early = run(maildrop, delete=DeletePolicy(after=after))
    run.store.now.now += 4 * DAY

    late = run(maildrop, delete=DeletePolicy(after=after))

    assert (early.deleted, uids(late.deleted)) == ((), [b"a"])
    assert uids(late.skipped) == [b"a", b"b"]
    assert [uid for uid, _ in maildrop.mail] == [b"b"]
    assert [bool(each.deleted) for each in known(run.store)] == [True, False]


def known(store: SeenStore) -> list[pop3client.SeenMessage]:
    """What the store knows of the maildrop."""
    return store.maildrop("localhost", 110, "alice").messages()


def test_deletes_what_is_large(run: Run) -> None:
    """A message above the size is deleted as soon as it is delivered; one just as large is not."""
    maildrop = Maildrop((b"big", b"x" * 98 + b"\r\n"), (b"bigger", b"x" * 99 + b"\r\n"))

    result = run(maildrop, delete=DeletePolicy(larger_than=100))

    assert uids(result.deleted) == [b"bigger"]
    assert len(run.delivered) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"after": -1}, {"after": float("inf")}, {"after": timedelta(-1)}, {"larger_than": -1}],
    ids=str,
)
def test_wrong_policies(wrong: Any) -> None:
    """A policy that means nothing is refused."""
    with pytest.raises(InvalidArgument):
        DeletePolicy(**wrong)


@pytest.mark.parametrize("how", ["refused", "silent", "carried out, then silent"])
def test_quit_not_answered(run: Run, how: str) -> None:
    """Without +OK to QUIT nothing counts as deleted; the next run sees what there is."""
    maildrop = Maildrop(*mail("a", "b"))
    maildrop.quit_answer = b"-ERR some were not deleted\r\n" if how == "refused" else b""
    maildrop.silent = how.startswith("carried")
    if maildrop.silent:
        maildrop.quit_answer = b"+OK\r\n"

    first = run(maildrop, delete=AT_ONCE)
    here = [uid for uid, _ in maildrop.mail]
    assert (first.deleted, uids(first.failed)) == ((), [b"a", b"b"])
    assert {type(each.error) for each in first.failed} <= {
        pop3client.CommandError,
        pop3client.ConnectionClosed,
    }
    assert [each.deleted for each in known(run.store)] == [None, None]
    maildrop.quit_answer, maildrop.silent = b"+OK\r\n", False
    second = run(maildrop, delete=AT_ONCE)

    assert uids(second.deleted) == here == ([] if how.startswith("carried") else [b"a", b"b"])
    assert len(run.delivered) == 2


def test_dele_refused(run: Run) -> None:
    """A message that cannot be marked is reported; the others are deleted."""
    maildrop = Maildrop(*mail("a", "b"))
    maildrop.refuse = {"DELE 1"}

    result = run(maildrop, delete=AT_ONCE)

    assert [(each.uid, each.error.command) for each in result.failed] == [(b"a", "DELE 1")]
    assert uids(result.deleted) == [b"b"]


def test_strict_and_dele_refused(run: Run) -> None:
    """What is odd about a refusal is not raised when all is done."""
    maildrop = Maildrop(*mail("a"))
    maildrop.refuse, maildrop.refusal = {"DELE 1"}, b"\r\n-ERR no\r\n"

    result = run(maildrop, delete=AT_ONCE, settings={"strict": True})

    assert uids(result.fetched) == uids(result.failed) == [b"a"]


def test_a_server_that_does_not_delete(run: Run) -> None:
    """A deleted message that is still there is compared, not delivered, and deleted again."""
    maildrop = Maildrop(*mail("a"))
    run(maildrop, delete=AT_ONCE)
    maildrop.mail = mail("a")

    result = run(maildrop, delete=AT_ONCE)

    assert len(run.delivered) == 1
    assert (uids(result.skipped), uids(result.deleted)) == ([b"a"], [b"a"])


# Unique-ids that are none.


def test_duplicates(run: Run) -> None:
    """Messages that share a unique-id are all delivered, once, and reported each time."""
    maildrop = Maildrop((b"x", b"one\r\n"), (b"x", b"two\r\n"), (b"y", b"three\r\n"))

    first, second = run(maildrop), run(maildrop)

    assert run.delivered == raws(maildrop)
    assert first.duplicates == second.duplicates == ((1, b"x"), (2, b"x"))
    assert (second.fetched, len(second.skipped)) == ((), 3)


def test_one_duplicate_takes_the_place_of_another(run: Run) -> None:
    """Though number, unique-ids and sizes are the same, a new message is found."""
    maildrop = Maildrop((b"x", b"one\r\n"), (b"x", b"two\r\n"))
    run(maildrop)
    maildrop.mail = [(b"x", b"two\r\n"), (b"x", b"six\r\n")]

    result = run(maildrop)

    assert run.delivered[2:] == [b"six\r\n"]
    assert (result.fetched, result.skipped) == (((2, b"x"),), ((1, b"x"),))


def test_one_message_takes_the_place_of_duplicates(run: Run) -> None:
    """That a unique-id is not shared any more does not tell whose it is."""
    maildrop = Maildrop((b"x", b"one\r\n"), (b"x", b"two\r\n"))
    run(maildrop)
    maildrop.mail = [(b"x", b"six\r\n")]

    result = run(maildrop)

    assert run.delivered[2:] == [b"six\r\n"]
    assert result.reused == result.fetched == ((1, b"x"),)


def test_exact_copies(run: Run) -> None:
    """Two messages that do not differ are two messages, and a third one is new."""
    maildrop = Maildrop((b"x", b"same\r\n"), (b"x", b"same\r\n"))
    run(maildrop)
    run(maildrop)
    assert len(run.delivered) == 2
    maildrop.mail.append((b"x", b"same\r\n"))

    result = run(maildrop)

    assert len(run.delivered) == 3
    assert result.fetched == ((3, b"x"),)


def test_blank(run: Run) -> None:
    """Messages without a unique-id are known by their octets."""
    maildrop = Maildrop((b"", b"one\r\n"), (b"a", b"two\r\n"))
    first = run(maildrop)
    maildrop.mail.insert(0, (b"", b"six\r\n"))

    second = run(maildrop, delete=AT_ONCE)

    assert run.delivered == [b"one\r\n", b"two\r\n", b"six\r\n"]
    assert (first.blank, second.blank) == (((1, b""),), ((1, b""), (2, b"")))
    assert second.fetched == ((1, b""),)
    assert len(second.deleted) == 3


def test_one_blank_takes_the_place_of_another(run: Run) -> None:
    """A message without a unique-id is not taken for another one of the same size."""
    maildrop = Maildrop((b"", b"one\r\n"))
    run(maildrop)
    maildrop.mail = [(b"", b"six\r\n")]

    result = run(maildrop)

    assert run.delivered == [b"one\r\n", b"six\r\n"]
    assert result.reused == ()


def test_reused(run: Run) -> None:
    """A unique-id whose message has another size is another message's."""
    maildrop = Maildrop((b"x", b"old\r\n"))
    run(maildrop)
    maildrop.mail = [(b"x", b"newer\r\n")]

    second, third = run(maildrop), run(maildrop)

    assert run.delivered == [b"old\r\n", b"newer\r\n"]
    assert second.reused == second.fetched == ((1, b"x"),)
    assert (third.reused, third.skipped) == ((), ((1, b"x"),))


@pytest.mark.parametrize("deleted", [True, False], ids=["deleted by us", "gone for a while"])
def test_reused_with_the_same_size(run: Run, deleted: bool) -> None:
    """A unique-id that was gone and comes again is not believed, though the size is the same."""
    maildrop = Maildrop((b"x", b"old\r\n"))
    run(maildrop, delete=AT_ONCE if deleted else None)
    maildrop.mail = []
    if not deleted:
        run(maildrop)
    maildrop.mail = [(b"x", b"new\r\n")]

    result = run(maildrop)

    assert run.delivered == [b"old\r\n", b"new\r\n"]
    assert result.reused == ((1, b"x"),)
    assert run(maildrop).skipped == ((1, b"x"),)


def test_gone_for_a_while(run: Run) -> None:
    """A message that a listing did not have is not delivered twice."""
    maildrop = Maildrop(*mail("a", "b"))
    run(maildrop)
    whole, maildrop.mail = maildrop.mail, []
    run(maildrop)
    maildrop.mail = whole

    result = run(maildrop)

    assert len(run.delivered) == 2
    assert (uids(result.skipped), result.reused) == ([b"a", b"b"], ())


def test_another_size_of_the_same_message(run: Run) -> None:
    """That LIST announces another size makes no new message, and is believed from then on."""
    maildrop = Maildrop(*mail("a"))
    run(maildrop)
    maildrop.sizes = {b"a": 9999}
    run(maildrop)
    before = len(maildrop.commands)

    result = run(maildrop)

    assert len(run.delivered) == 1
    assert result.skipped == ((1, b"a"),)
    assert not any(c.startswith("RETR") for c in maildrop.commands[before:])


def test_fields_that_servers_add(run: Run) -> None:
    """A message that got a Status field when it was read is the same message."""
    maildrop = Maildrop((b"a", b"Subject: a\r\n\r\nStatus: body\r\n"))
    run(maildrop)
    maildrop.mail = [(b"a", b"Subject: a\r\nStatus: RO\r\nX-UIDL: 1\r\n 2\r\n\r\nStatus: body\r\n")]

    result = run(maildrop)

    assert (len(run.delivered), result.skipped) == (1, ((1, b"a"),))


def test_fingerprint() -> None:
    """Only the fields that servers change are left out, and only in the header."""
    raw = b"A: 1\r\nStatus: O\r\nB: 2\r\n\r\nStatus: O\r\n"

    assert fingerprint(raw) == fingerprint(raw.replace(b"Status: O\r\nB", b"X-Status: \r\nB"))
    assert fingerprint(raw) != fingerprint(raw.replace(b"\r\n\r\nStatus: O\r\n", b"\r\n\r\n"))
    assert fingerprint(raw) != fingerprint(raw.replace(b"B: 2", b"B: 3"))
    assert fingerprint(b"Status: O\r\n") == fingerprint(b"")


def test_no_uidl(run: Run) -> None:
    """A server without UIDL is a typed error, raised before any message is fetched."""
    maildrop = Maildrop(*mail("a"))
    maildrop.refuse, maildrop.capa = {"UIDL"}, b"+OK\r\n.\r\n"

    with pytest.raises(pop3client.NoUniqueIds, match="fingerprint=True"):
        run(maildrop)

    assert not any(command.startswith("RETR") for command in maildrop.commands)


def test_no_uidl_but_fingerprints(run: Run) -> None:
    """On request messages are known by their octets; nothing is delivered twice or lost."""
    maildrop = Maildrop(*mail("a", "b"))
    maildrop.refuse, maildrop.capa = {"UIDL", "LIST"}, b"+OK\r\n.\r\n"
    run(maildrop, fingerprint=True)
    maildrop.mail += mail("c")

    result = run(maildrop, fingerprint=True)

    assert run.delivered == raws(maildrop)
    assert (result.fetched, len(result.skipped)) == (((3, b""),), 2)


@pytest.mark.parametrize("fingerprints", [True, False])
def test_uidl_is_out_of_order(run: Run, fingerprints: bool) -> None:
    """A server that announces UIDL and refuses it has a bad day: all would be fetched anew."""
    maildrop = Maildrop(*mail("a"))
    maildrop.refuse = {"UIDL"}

    with pytest.raises(pop3client.CommandError, match="UIDL"):
        run(maildrop, fingerprint=fingerprints)

    assert run.delivered == []


def test_no_sizes(run: Run) -> None:
    """Without LIST unique-ids have to do; the size is that of what came."""
    maildrop = Maildrop(*mail("a"))
    maildrop.refuse = {"LIST"}
    run(maildrop)

    result = run(maildrop)

    assert (len(run.delivered), result.skipped) == (1, ((1, b"a"),))
    assert known(run.store)[0].octets == len(maildrop.mail[0][1])


# Messages that fail.


def test_retr_refused(run: Run) -> None:
    """A message that is refused does not end the run, is not seen, and is tried again."""
    maildrop = Maildrop(*mail("a", "b"))
    maildrop.refuse = {"RETR 1"}

    first = run(maildrop, delete=AT_ONCE)
    maildrop.refuse = set()
    second = run(maildrop)

    (failure,) = first.failed
    assert (failure.number, failure.uid) == (1, b"a")
    assert isinstance(failure.error, pop3client.CommandError)
    assert (uids(first.fetched), uids(first.deleted)) == ([b"b"], [b"b"])
    assert uids(second.fetched) == [b"a"]


def test_too_large(run: Run) -> None:
    """A message above the limit is not asked for: that would end each run at the same place."""
    maildrop = Maildrop((b"big", b"x" * 98 + b"\r\n"), *mail("a"))
    limits = pop3client.Limits(message_octets=99)

    result = run(maildrop, settings={"limits": limits})

    assert uids(result.fetched) == [b"a"]
    assert isinstance(result.failed[0].error, pop3client.LimitExceeded)
    assert "RETR 1" not in maildrop.commands


def test_retr_empty(run: Run) -> None:
    """A message of which nothing comes is neither delivered nor deleted."""
    maildrop = Maildrop((b"a", b""), (b"b", b""))
    maildrop.sizes = {b"a": 300}

    result = run(maildrop, delete=AT_ONCE)

    assert [(each.uid, type(each.error)) for each in result.failed] == [
        (b"a", pop3client.EmptyMessage)
    ]
    assert uids(result.deleted) == [b"b"]  # it was announced as empty


def test_strict(run: Run) -> None:
    """A strict client does not deliver what breaks an RFC; an unlawful listing ends the run."""
    maildrop = Maildrop((b"a", b".not stuffed\r\n"), *mail("b"))
    result = run(maildrop, settings={"strict": True})
    maildrop.mail.append((b"", b"two\r\n"))

    with pytest.raises(pop3client.DeviationError, match="uidl-blank"):
        run(maildrop, settings={"strict": True})

    assert uids(result.failed) == [b"a"]
    assert uids(result.fetched) == [b"b"]


def test_coroutine_functions(run: Run, kind: str) -> None:
    """With asyncio ``deliver`` may be a coroutine function; the blocking client says it is not."""
    maildrop = Maildrop(*mail("a"))

    async def deliver(message: Message) -> None:
        await asyncio.sleep(0)
        run.keep(message)

    if kind == "blocking":
        with pytest.raises(InvalidArgument, match="coroutine"):
            run(maildrop, deliver)
        assert known(run.store) == []
    else:
        run(maildrop, deliver)
        assert run.delivered == raws(maildrop)


def test_progress(run: Run) -> None:
    """Progress is told as by ``retr``."""
    maildrop = Maildrop(*mail("a"))
    told: list[tuple[int, int, int | None]] = []

    run(maildrop, progress=lambda *each: told.append(each))

    octets = len(maildrop.mail[0][1])
    assert told[-1] == (1, octets, octets)


def test_state(run: Run, fake: Any) -> None:
    """Before login nothing is sent; who the user is has to be known."""
    server = fake()
    client = server.client()

    with pytest.raises(pop3client.StateError):
        client.sync(run.store, run.keep)
    client.close()

    assert server.sent == [b"QUIT\r\n"]


# Servers that are odd, as the scenario library plays them.


@pytest.fixture
def odd(facade: Any, store: SeenStore) -> Callable[..., tuple[SyncResult, list[bytes]]]:
    """Fetch what is new from a mock server; gives the result and what was delivered now."""

    def run(server: MockServer, **options: Any) -> tuple[SyncResult, list[bytes]]:
        delivered: list[bytes] = []
        with facade.connect(server.host, *server.credentials, port=server.port) as client:
            result = client.sync(store, lambda message: delivered.append(message.raw), **options)
        return result, delivered

    return run


def test_uid_reused(odd: Any) -> None:
    """A unique-id that the server gives to another message later does not hide that message."""
    with MockServer("uid-reused") as server:
        _, first = odd(server)
        result, second = odd(server)

    assert (len(first), len(second)) == (1, 1)
    assert first != second
    assert len(result.reused) == 1


def test_uidl_duplicate(odd: Any) -> None:
    """All messages of a server that has one unique-id for all come once."""
    with MockServer("uidl-duplicate") as server:
        everything = list(server.maildrop)
        result, first = odd(server)
        _, second = odd(server)

    assert (first, second) == (everything, [])
    assert len(result.duplicates) == len(everything)


def test_uidl_blank(odd: Any) -> None:
    """A message without a unique-id comes once."""
    with MockServer("uidl-blank") as server:
        everything = list(server.maildrop)
        result, first = odd(server)
        _, second = odd(server)

    assert (first, second) == (everything, [])
    assert result.blank == ((2, b""),)


def test_retr_empty_on_the_wire(odd: Any) -> None:
    """A message of which nothing comes stays on the server."""
    with MockServer("retr-empty") as server:
        result, _ = odd(server, delete=AT_ONCE)
        left = len(server.maildrop)

    assert [type(each.error) for each in result.failed] == [pop3client.EmptyMessage]
    assert left == 1


def test_retr_quota(odd: Any) -> None:
    """When the server refuses the rest for the day, what came is kept and the rest can wait."""
    with MockServer("retr-quota") as server:
        everything = list(server.maildrop)
        result, delivered = odd(server, delete=AT_ONCE)
        left = list(server.maildrop)

    assert (delivered, left) == (everything[:2], everything[2:])
    assert len(result.failed) == len(left)


def test_uidl_list_race(odd: Any) -> None:
    """A number that only LIST has does not end the run."""
    with MockServer("uidl-list-race") as server:
        everything = list(server.maildrop)
        result, delivered = odd(server)

    assert delivered == everything
    assert [each.number for each in result.failed] == [5]


def test_no_uidl_on_the_wire(odd: Any) -> None:
    """A server without UIDL is a typed error; with fingerprints each message comes once."""
    with MockServer("no-uidl") as server:
        everything = list(server.maildrop)
        with pytest.raises(pop3client.NoUniqueIds):
            odd(server)
        _, first = odd(server, fingerprint=True)
        _, second = odd(server, fingerprint=True)

    assert (first, second) == (everything, [])


# Interruptions.


def settled(run: Run, maildrop: Maildrop, policy: DeletePolicy | None) -> Counter[bytes]:
    """What was delivered, once a run comes to its end."""
    maildrop.fuse = None
    run(maildrop, delete=policy)
    return Counter(run.delivered)


@pytest.mark.parametrize("policy", [None, AT_ONCE], ids=["keep", "delete"])
def test_the_connection_is_lost_at_each_octet(fake: Any, policy: DeletePolicy | None) -> None:
    """Wherever the server falls silent, the next run completes it; nothing is lost or repeated."""
    octets = 0
    for octets in itertools.count(1):
        with SeenStore(":memory:", clock=Clock()) as store:
            run = Run(fake.facade, store)
            maildrop = Maildrop(*mail("a", "b"), (b"b", b"shares\r\n"), (b"", b"blank\r\n"))
            everything = raws(maildrop)
            maildrop.fuse = octets
            result = None
            with contextlib.suppress(pop3client.POP3ConnectionError):
                result = run(maildrop, delete=policy)
            assert result is not None or len(maildrop.mail) == 4  # no QUIT, no deletion
            blown = maildrop.fuse == 0

            delivered = settled(run, maildrop, policy)

            assert delivered == Counter(everything), octets
            assert raws(maildrop) == ([] if policy else everything)
            if result is not None and not blown:
                assert len(result.deleted) == (4 if policy else 0)
                break
    assert octets > 200


class Stop(BaseException):
    """What no code expects."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stopped", range(1, 5))
@pytest.mark.parametrize("error", [OSError, Stop, pop3client.StateError, KeyboardInterrupt])
def test_deliver_raises(run: Run, when: str, stopped: int, error: type[BaseException]) -> None:
    """What ``deliver`` raises comes out, and the message it had comes again; no other does."""
    maildrop = Maildrop(*mail("a", "b", "c", "d"))
    count = itertools.count(1)

    def deliver(message: Message) -> None:
        stop = next(count) == stopped
        if not stop or when == "after":
            run.keep(message)
        if stop:
            raise error("disk full")

    with pytest.raises(error, match="disk full"):
        run(maildrop, deliver, delete=AT_ONCE)
    assert len(maildrop.mail) == 4
    everything = Counter(raws(maildrop))

    delivered = settled(run, maildrop, None)

    repeated = Counter([raws(maildrop)[stopped - 1]]) if when == "after" else Counter()
    assert delivered - everything == repeated
    assert everything - delivered == Counter()


@pytest.mark.parametrize("method", ["maildrop", "messages", "listed", "delivered", "deleted"])
@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
def test_the_store_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, method: str, done: bool
) -> None:
    """Whatever the store cannot do ends the run; one message at most comes again."""
    maildrop = Maildrop(*mail("a", "b", "c"))
    everything = Counter(raws(maildrop))
    kind = SeenStore if method == "maildrop" else pop3client.SeenMaildrop
    real = getattr(kind, method)
    calls = itertools.count(1)

    def fail(*arguments: Any) -> Any:
        broken = next(calls) == (2 if method == "delivered" else 1)
        if not broken or done:
            answer = real(*arguments)
        if broken:
            raise pop3client.SeenStoreError("seen.db", "disk full")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(kind, method, fail)
        with pytest.raises(pop3client.SeenStoreError):
            run(maildrop, delete=AT_ONCE)
    here = Counter(raws(maildrop))
    assert here in (everything, Counter())
    assert method == "deleted" or here == everything

    delivered = settled(run, maildrop, AT_ONCE)

    assert everything - delivered == Counter()
    assert (delivered - everything).total() <= 1
    assert maildrop.mail == []


def test_cancelled(fake: Any, kind: str) -> None:
    """A task that is cancelled while it delivers loses nothing and repeats that message."""
    if kind == "blocking":
        return
    maildrop = Maildrop(*mail("a", "b", "c"))
    with SeenStore(":memory:") as store:
        run = Run(fake.facade, store)

        async def deliver(message: Message) -> None:
            run.keep(message)
            if len(run.delivered) == 2:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            run(maildrop, deliver)
        delivered = settled(run, maildrop, None)

    assert delivered - Counter(raws(maildrop)) == Counter([raws(maildrop)[1]])


PROGRAM = """
import asyncio, os, sys
import pop3client
from pop3client import DeletePolicy, SeenStore

port, store, folder, kind, stop = int(sys.argv[1]), *sys.argv[2:]
options = {"port": port, "timeout": 60, "mechanism": "USER"}
address = "127.0.0.1", "alice", "secret"
policy = DeletePolicy(after=0)

def stop_if(where):
    if where == stop:
        print("here", flush=True)
        sys.stdin.read()

def deliver(message):
    stop_if(f"before {message.number}")
    with open(os.path.join(folder, f"{os.getpid()}-{message.number}"), "xb") as file:
        file.write(message.raw)
    stop_if(f"after {message.number}")

def blocking(seen):
    with pop3client.connect(*address, **options) as client:
        client.sync(seen, deliver, delete=policy)

async def on_a_loop(seen):
    async with pop3client.connect_async(*address, **options) as client:
        await client.sync(seen, deliver, delete=policy)

with SeenStore(store) as seen:
    if kind == "blocking":
        blocking(seen)
    else:
        asyncio.run(on_a_loop(seen))
"""
SCENARIO = """
pop3: 1
name: killed
summary: a server that falls silent, so that its client can be killed
server:
  users: {alice: secret}
maildrop: [{count: 3, octets: 300}]
"""
RULE = """
rules: [{when: COMMAND, nth: 1, scope: server, cut: 0, then: hang}]
"""
COMMANDS = [
    *["CAPA", "USER", "PASS", "STAT", "LIST", "UIDL"],
    *[f"{keyword} {number}" for keyword in ("RETR", "DELE") for number in (1, 2, 3)],
    "QUIT",
]
PLACES = [f"{when} {number}" for when in ("before", "after") for number in (1, 2, 3)]


@pytest.mark.parametrize("place", [*COMMANDS, *PLACES])
def test_killed(tmp_path: Path, kind: str, place: str) -> None:
    """A process that is killed while it waits for a command, or delivers, loses nothing.

    Only the message that had been delivered and not yet noted comes again.
    """
    folder, path = tmp_path / "mail", tmp_path / "seen.db"
    folder.mkdir()
    rule = RULE.replace("COMMAND", place) if place in COMMANDS else ""
    with MockServer(loads(SCENARIO + rule)) as server:
        everything = Counter(server.maildrop)
        stop = "" if rule else place
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(server.port), path, folder, kind, stop],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with child:
            assert child.stdout is not None
            if rule:
                server.wait_for(place, timeout=30)
            else:
                assert child.stdout.readline() == b"here\n"
            child.kill()
        server.wait_closed()
        delivered = Counter(each.read_bytes() for each in folder.iterdir())
        assert place == "QUIT" or len(server.maildrop) == 3

        with (
            SeenStore(path) as store,
            pop3client.connect(server.host, "alice", "secret", port=server.port) as client,
        ):
            client.sync(store, lambda message: delivered.update([message.raw]), delete=AT_ONCE)

        assert len(server.maildrop) == 0
    assert everything - delivered == Counter()
    assert (delivered - everything).total() == place.startswith("after")
