"""What the changes of a rule come to: those that never show in any answer it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._actions import Default
from ._lines import Template
from ._occasions import ACCEPTED, PARTICULAR, UNKNOWN, occasion
from ._reach import outcomes
from ._rule import SELECTORS, bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._holes import Hole
    from ._rule import Rule

#: What a whole reply takes the place of. ``octets`` also shows in its hole.
_REPLACED = (
    "text", "error", "octets", "entry", "body", "numbering", "terminator", "stuffing", "columns",
    "truncate", "blank_line",
)  # fmt: skip

#: Line ends that are those of a message.
_OF_A_MESSAGE = frozenset({"crcrlf", "lf-lines", "stored"})


def idle(rule: Rule) -> Iterator[tuple[str, str]]:
    """The keys of a rule that never change anything.

    Args:
        rule: A rule that can match.

    Yields:
        The key, as the file has it, and why.
    """
    if "scope" in rule.model_fields_set and rule.nth is None:
        yield "scope", "it says what nth counts over, and there is no nth"
    for name in sorted(rule.model_fields_set - SELECTORS):
        why = _why_idle(name, rule)
        if why:
            yield name.replace("_", "-").strip("-"), why


def changes_nothing(rule: Rule) -> bool:
    """Whether a rule leaves the answer as it is.

    Args:
        rule: A rule.
    """
    if rule.as_ is None:
        return not rule.model_fields_set - SELECTORS
    return all(_is_the_same(pattern, rule) for pattern in rule.when)


def _is_the_same(pattern: Template, rule: Rule) -> bool:
    """Whether a command is taken for what it is."""
    if rule.as_ is None or rule.as_.source.upper() != pattern.source.upper():
        return False
    alone = rule.arguments is not None and rule.arguments.ranges == ((0, 0),)
    return not bare(pattern) or alone


def _why_idle(name: str, rule: Rule) -> str:
    keywords = [pattern.keyword for pattern in rule.when]
    if keywords == ["DISCONNECT"]:
        return "" if name == "effect" else "the client has gone: only effect has a meaning"
    if name in _REPLACED and _is_whole(rule) and not (name == "octets" and _sized(rule)):
        return "the reply is the whole answer"
    if name in PARTICULAR and not (name == "eol" and rule.eol not in _OF_A_MESSAGE):
        return "" if any(_shows(name, each, rule) for each in keywords) else _nowhere(keywords)
    if name == "text" and rule.deleted is None and not _can_be(rule, ACCEPTED | {"deleted"}):
        return "the right answer is never +OK here"
    if name == "error" and rule.deleted is None and not _can_be_refused(rule):
        return "the right answer is never -ERR here"
    return ""


def _nowhere(keywords: list[str]) -> str:
    names = " or ".join(dict.fromkeys(each.lower() if _event(each) else each for each in keywords))
    return f"the answer to {names} has no such thing"


def _event(keyword: str) -> bool:
    return occasion(keyword).event


def _shows(name: str, keyword: str, rule: Rule) -> bool:
    row = occasion(keyword)
    return row is UNKNOWN or name in row.shows or (name == "octets" and _sized(rule))


def _is_whole(rule: Rule) -> bool:
    """Whether nothing of the right answer is left, nor its lines."""
    return rule.reply is not None and not any(
        isinstance(item, Default) or (isinstance(item, Template) and item.source == "...")
        for item in rule.reply.items
    )


def _sized(rule: Rule) -> bool:
    return any(hole.name == "octets" for hole in _holes(rule))


def _holes(rule: Rule) -> Iterator[Hole]:
    for line in (rule.text, rule.error, rule.entry, *(rule.reply.items if rule.reply else ())):
        if isinstance(line, Template):
            yield from line.holes


def _can_be(rule: Rule, wanted: frozenset[str]) -> bool:
    """Whether the right answer can be one of some outcomes."""
    possible = outcomes(rule) & wanted
    return any(
        bool(possible) if pattern.keyword == "*" else occasion(pattern.keyword).outcomes & possible
        for pattern in rule.when
    )


def _can_be_refused(rule: Rule) -> bool:
    # At QUIT what is right can still turn out to be impossible.
    if any(pattern.keyword == "QUIT" for pattern in rule.when):
        return True
    if all(pattern.keyword in ("GREETING", "AUTOLOGOUT") for pattern in rule.when):
        return False
    # What another session has removed is still there to be read, a file that is gone is not.
    return bool(outcomes(rule) - (ACCEPTED - {"gone"}))
