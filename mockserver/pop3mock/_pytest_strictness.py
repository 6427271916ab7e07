"""Strictness: whether a test fails for what its client did, who says so, and how to loosen it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._pytest_marker import MarkerError, wish_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

INI = "pop3_strict"
_REASON = (
    "The server answered as real ones do, so the client may never have noticed; "
    "that is why the test fails ({by})."
)
_WAYS = (
    ("this scenario", "expect: {allow: [COMMAND]} in its file"),
    ("this test", "@pytest.mark.pop3(strict=False)"),
    ("one server of several", "strict=False where it is started"),
    ("the whole run", f"{INI} = false in the ini file, or -o {INI}=false"),
)
_WIDTH = max(len(what) for what, _ in _WAYS) + 2


class Strictness(NamedTuple):
    """Whether clients are judged, and who said so.

    Attributes:
        strict: Whether a test fails for what its client did.
        by: Who said so, as a report puts it.
    """

    strict: bool
    by: str


def strictness(item: pytest.Item, argument: bool | None) -> Strictness:
    """How strictly the clients of a server are judged in a test.

    Args:
        item: The test.
        argument: What was said where the server was started; None if nothing was.
    """
    if argument is not None:
        return Strictness(argument, f"strict={argument} was said where the server was started")
    marked = _marked(item)
    if marked is not None:
        return Strictness(marked, f"@pytest.mark.pop3(strict={marked})")
    value = bool(item.config.getini(INI))
    return Strictness(value, f"{INI} = {str(value).lower()}, which is the default")


def _marked(item: pytest.Item) -> bool | None:
    try:
        return wish_of(item).strict
    except MarkerError:  # told already, when the test was collected or set up
        return None


def verdict(faults: Sequence[str], judges: Iterable[str]) -> str:
    """The message by which a test fails; its first line is what pytest's summary shows.

    Args:
        faults: What clients did wrong.
        judges: Who said that they are judged.
    """
    head = faults[0] if len(faults) == 1 else f"{len(faults)} things that no scenario expects"
    details = [f"  {fault}" for fault in faults] if len(faults) > 1 else []
    reason = _REASON.format(by="; ".join(dict.fromkeys(judges)))
    ways = [f"  {what:{_WIDTH}}{way}" for what, way in _WAYS]
    return "\n".join([f"POP3 client: {head}", *details, reason, "To allow it in:", *ways])
