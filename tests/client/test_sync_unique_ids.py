"""Leaving mail on the server, when unique-ids are not unique, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pop3client
from pop3client._memory import fingerprint

from ._maildrop import AT_ONCE, Maildrop, known, mail, raws, uids

if TYPE_CHECKING:
    from ._maildrop import Run


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
