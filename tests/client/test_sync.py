"""Leaving mail on the server: what is fetched, what is deleted, and what fails."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import DeletePolicy, InvalidArgument

from ._maildrop import AT_ONCE, Maildrop, known, mail, raws, uids

if TYPE_CHECKING:
    from pop3client import Message

    from ._maildrop import Run

DAY = 86400.0


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
    run.clock.now += 3 * DAY
    maildrop.mail += mail("b")
    early = run(maildrop, delete=DeletePolicy(after=after))
    run.clock.now += 4 * DAY

    late = run(maildrop, delete=DeletePolicy(after=after))

    assert (early.deleted, uids(late.deleted)) == ((), [b"a"])
    assert uids(late.skipped) == [b"a", b"b"]
    assert [uid for uid, _ in maildrop.mail] == [b"b"]
    assert [bool(each.deleted) for each in known(run.store)] == [True, False]


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

    assert [(each.uid, vars(each.error)["command"]) for each in result.failed] == [(b"a", "DELE 1")]
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
