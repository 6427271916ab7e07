"""Leaving mail on the server: nothing is lost, and at most one message comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import DeletePolicy, SeenStore
from pop3mock import MockServer
from pop3scenarios import loads

from ._maildrop import AT_ONCE, Clock, Maildrop, Run, mail, raws

if TYPE_CHECKING:
    from pathlib import Path

    from pop3client import Message


def settled(run: Run, maildrop: Maildrop, policy: DeletePolicy | None) -> Counter[bytes]:
    """What was delivered, once a run comes to its end."""
    maildrop.fuse = None
    run(maildrop, delete=policy)
    return Counter(run.delivered)


@pytest.mark.parametrize("kind", ["blocking", pytest.param("asyncio", marks=pytest.mark.once)])
@pytest.mark.parametrize("policy", [None, AT_ONCE], ids=["keep", "delete"])
@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "ahead"])
def test_the_connection_is_lost_at_each_octet(
    fake: Any, pipelining: bool, policy: DeletePolicy | None
) -> None:
    """Wherever the server falls silent, the next run completes it; nothing is lost or repeated."""
    octets = 0
    for octets in itertools.count(1):
        with SeenStore(":memory:", clock=Clock()) as store:
            run = Run(fake.facade, store, pipelining=pipelining)
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
        answer = real(*arguments) if done or not broken else None
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


@pytest.mark.parametrize("kind", ["asyncio"])
@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "ahead"])
def test_cancelled(fake: Any, pipelining: bool) -> None:
    """A task that is cancelled while it delivers loses nothing and repeats that message."""
    maildrop = Maildrop(*mail("a", "b", "c"))
    with SeenStore(":memory:") as store:
        run = Run(fake.facade, store, pipelining=pipelining)

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

port, store, folder, kind, ahead, stop = int(sys.argv[1]), *sys.argv[2:]
options = {"port": port, "timeout": 60, "mechanism": "USER", "pipelining": ahead == "ahead"}
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


@pytest.mark.once
@pytest.mark.parametrize("place", [*COMMANDS, *PLACES])
@pytest.mark.parametrize(
    ("kind", "ahead"), [("blocking", "one by one"), ("blocking", "ahead"), ("asyncio", "ahead")]
)
def test_killed(tmp_path: Path, kind: str, ahead: str, place: str) -> None:
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
            [sys.executable, "-c", PROGRAM, str(server.port), path, folder, kind, ahead, stop],
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
        if place == "before 1":  # the first message goes alone, and opens the window
            assert [c for c in server.journal.commands if c.startswith("RETR")] == ["RETR 1"]
        if place in {"before 2", "after 2"}:
            assert server.journal.count("RETR 3") == (ahead == "ahead")
        delivered = Counter(each.read_bytes() for each in folder.iterdir())
        assert place == "QUIT" or len(server.maildrop) == 3

        with (
            SeenStore(path) as store,
            pop3client.connect(server.host, "alice", "secret", port=server.port) as client,
        ):
            client.sync(store, lambda message: delivered.update([message.raw]), delete=AT_ONCE)

        assert len(server.maildrop) == 0
    assert everything - delivered == Counter()
    repeated = (delivered - everything).total()
    if ahead == "ahead" and place == "RETR 3":  # which is on its way while 2 is delivered
        assert repeated <= 1
    else:
        assert repeated == place.startswith("after")
