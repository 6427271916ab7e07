"""Index words: which messages ``retrieve(start, end)`` and ``delete(start, end)`` mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from ._commands import last
from ._exceptions import CommandError, InvalidArgument, MalformedReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._session import Session
    from ._wants import Steps

__all__ = ["End", "Start", "check", "select"]

Start: TypeAlias = int | Literal["start", "next", "end"]
End: TypeAlias = int | Literal["last", "end"] | None


def check(session: Session, command: str, start: Start, end: End) -> None:
    """See that a range makes sense, and is asked for in the right state; sends nothing.

    Raises:
        InvalidArgument: a word that is none.
        StateError: the command is not allowed now.
    """
    session.require(command)
    _check(start, "start", 0, ("start", "next", "end"))
    if end is not None:
        _check(end, "end", -1, ("last", "end"))


def select(session: Session, command: str, start: Start, end: End) -> Steps[Sequence[int]]:
    """Turn index words into message numbers.

    Args:
        session: the session.
        command: what is to be done with the messages, for the check of the state.
        start: a number from 1, ``"start"`` (1), ``"next"`` (one past the last message read) or
            ``"end"`` (the last message in the maildrop); 0 means 1.
        end: a number, ``"last"`` (the last message read) or ``"end"``; None or -1 mean the one
            message at ``start``.

    Returns:
        The numbers, clipped to the maildrop; empty if ``start`` lies beyond it.

    Raises:
        InvalidArgument: a word that is none of these; nothing was sent.
    """
    check(session, command, start, end)
    read = 0
    if start == "next" or end == "last":
        read = yield from _last_read(session)
    words = {"start": 1, "next": read + 1, "last": read, "end": session.count}
    first = max(1, words[start] if isinstance(start, str) else start)
    if isinstance(start, str):
        first = next((number for number in session.numbers if number >= first), first)
    if end is None or end == -1:
        end = first
    final = words[end] if isinstance(end, str) else end
    chosen = range(first, min(final, session.count) + 1)
    if session.numbers:
        return [number for number in session.numbers if number in chosen]
    return chosen


def _check(value: object, name: str, least: int, words: tuple[str, ...]) -> None:
    if isinstance(value, str) and value in words:
        return
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return
    choice = ", ".join(repr(word) for word in words)
    raise InvalidArgument(f"{name}: expected an integer from {least}, or {choice}; got {value!r}")


def _last_read(session: Session) -> Steps[int]:
    """Ask the server for the last message read, unless it has shown that it cannot say."""
    answer = 0
    if session.has_last:
        try:
            answer = yield from last(session)
        except CommandError:
            pass  # noted by last()
        except MalformedReply as error:
            session.has_last = False
            session.note("no-last", "LAST", error.line)
    # A server may count from earlier sessions, or not at all. What this session read, it read.
    return max(answer, session.last_read)
