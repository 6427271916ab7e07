"""How sessions end, and what becomes of messages that are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._dialogue import positive

from ._registry import probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: What tells the messages of a maildrop apart: their unique-ids, or without UIDL their sizes.
_Mail = list[str]


@probe("RFC1939-5-34")
def marks_wait_for_quit(talk: Talk) -> Wants[None]:
    """A mark, and a connection that ends."""
    yield from _marked_and_left(talk, talk.drop)


@probe("RFC1939-6-06")
def drop_deletes_nothing(talk: Talk) -> Wants[None]:
    """A connection that is closed without QUIT leaves every message where it was."""
    yield from _marked_and_left(talk, talk.drop)


@probe("RFC1939-6-07")
def reset_deletes_nothing(talk: Talk) -> Wants[None]:
    """The same by RST."""
    yield from _marked_and_left(talk, lambda: talk.drop(reset=True))


@probe("RFC1939-6-08")
def half_close_deletes_nothing(talk: Talk) -> Wants[None]:
    """The same by an end of what the client sends."""
    yield from _marked_and_left(talk, talk.hang_up)


@probe("RFC1939-6-09")
def cut_tls_deletes_nothing(talk: Talk) -> Wants[None]:
    """The same inside TLS, of which nobody tells the end."""
    yield from _marked_and_left(talk, talk.drop)


def _marked_and_left(talk: Talk, leave: Callable[[], Wants[None]]) -> Wants[None]:
    """A mark, a way to leave without QUIT, and a look."""
    (number,) = talk.own()
    before = yield from _mail(talk)
    yield from talk.accepted(f"DELE {number}")
    yield from leave()
    yield from talk.reenter()
    after = yield from _mail(talk)
    _all_there(talk, before, after)


@probe("RFC1939-6-10")
def reset_marks_delete_nothing(talk: Talk) -> Wants[None]:
    """DELE, RSET and QUIT."""
    (number,) = talk.own()
    before = yield from _mail(talk)
    yield from talk.accepted(f"DELE {number}")
    yield from talk.accepted("RSET")
    yield from talk.quit()
    yield from talk.reenter()
    _all_there(talk, before, (yield from _mail(talk)))


@probe("RFC1939-6-03")
def quit_removes(talk: Talk) -> Wants[None]:
    """What was marked is gone after QUIT."""
    gone, before, after = yield from _removed(talk)
    # Copies may share a unique-id.
    fewer = after.count(gone) < before.count(gone)
    talk.require(fewer, f"{gone} gone", f"{gone} is still there")


@probe("RFC1939-6-04")
def quit_removes_nothing_else(talk: Talk) -> Wants[None]:
    """What was not marked is there after QUIT."""
    gone, before, after = yield from _removed(talk)
    _all_there(talk, [uid for uid in before if uid != gone], after)


@probe("RFC1939-6-05")
def numbers_begin_anew(talk: Talk) -> Wants[None]:
    """LIST of the session after a deletion."""
    yield from _removed(talk)
    numbers = list((yield from talk.sizes()))
    right = list(range(1, len(numbers) + 1))
    talk.require(numbers == right, f"numbers from 1 to {len(numbers)}", str(numbers[:50]))


def _removed(talk: Talk) -> Wants[tuple[str, _Mail, _Mail]]:
    """Delete a message; gives its unique-id, and the mail before and after."""
    (number,) = talk.own()
    uids = yield from talk.uids()
    yield from talk.accepted(f"DELE {number}")
    talk.deleted.add(uids[number])
    yield from talk.quit()
    after = yield from talk.uids_again()
    return uids[number], list(uids.values()), list(after.values())


@probe("RFC1939-6-11")
def nothing_behind_quit(talk: Talk) -> Wants[None]:
    """QUIT and NOOP in one segment."""
    yield from talk.send_octets(b"QUIT\r\nNOOP\r\n", "+OK to QUIT")
    answer = yield from talk.line()
    talk.require(positive(answer), "+OK to QUIT", answer)
    yield from talk.closed()


@probe("RFC1939-6-13")
def emptied(talk: Talk) -> Wants[None]:
    """Every message is deleted; only where all of them are the run's own."""
    uids = yield from talk.uids()
    for number in talk.own(len(uids)):
        yield from talk.accepted(f"DELE {number}")
    talk.deleted |= set(uids.values())
    yield from talk.quit()
    yield from talk.reenter()
    count, octets = yield from talk.stat()
    talk.require((count, octets) == (0, 0), "STAT to say 0 0", f"{count} {octets}")


@probe("RFC1939-8-01")
def fetched_and_left(talk: Talk) -> Wants[None]:
    """RETR, QUIT, and a look."""
    number = talk.fixture("from")
    uid = (yield from talk.uids())[number]
    yield from talk.message(f"RETR {number}")
    yield from talk.quit()
    after = yield from talk.uids_again()
    talk.deleted |= {uid} - set(after.values())
    talk.note("what was fetched " + ("stays" if uid in after.values() else "is removed at QUIT"))


@probe("RFC1939-8-02")
def fetched_and_dropped(talk: Talk) -> Wants[None]:
    """RETR, the end of the connection, and a look."""
    before = yield from _mail(talk)
    yield from talk.message(f"RETR {max(talk.facts.sizes)}")
    yield from talk.drop()
    yield from talk.reenter()
    _all_there(talk, before, (yield from _mail(talk)))


def _mail(talk: Talk) -> Wants[_Mail]:
    """What tells the messages apart."""
    if talk.facts.uidl:
        return list((yield from talk.uids()).values())
    return [str(size) for size in (yield from talk.sizes()).values()]


def _all_there(talk: Talk, before: _Mail, after: _Mail) -> None:
    lost = [each for each in before if each not in after]
    shown = f"gone: {', '.join(lost[:5])}" if lost else f"{len(after)} messages"
    talk.require(not lost and len(after) >= len(before), f"all {len(before)} messages", shown)
