"""The rules of a scenario, asked at every command: what do they change here?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from pop3scenarios import EVENTS, MessageData, difference, likeness

from ._nearmiss import ALIKE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from pop3scenarios import (
        Announced,
        Dribble,
        Ending,
        Reply,
        Rule,
        Scenario,
        Source,
        Template,
    )

#: The fields of a rule that change an answer; the others select.
_CHANGES = (
    "reply", "text", "error", "octets", "entry", "stuffing", "eol", "blank_line", "columns",
    "truncate", "numbering", "deleted", "discard", "terminator", "body", "effect", "delay",
    "dribble", "cut", "then",
)  # fmt: skip


@dataclass(slots=True)
class Changes:
    """All that rules change in one answer; None where they change nothing.

    Attributes:
        sources: The rules that had a say, the strongest first.
        bindings: What the holes of their ``when`` hold.
        excused: Whether a rule that names the command gives its whole answer: then the command is
            no fault of the client's.
    """

    sources: list[Source] = field(default_factory=list)
    bindings: dict[str, str] = field(default_factory=dict)
    excused: bool = False
    reply: Reply | None = None
    text: Template | None = None
    error: Template | None = None
    octets: Announced | None = None
    entry: Template | None = None
    stuffing: bool | None = None
    eol: Literal["crlf", "lf", "crcrlf", "lf-lines", "stored"] | None = None
    blank_line: Literal["double"] | bool | None = None
    columns: int | None = None
    truncate: int | None = None
    numbering: Literal["dense"] | None = None
    deleted: Literal["counted", "emptied"] | None = None
    discard: bool | None = None
    terminator: Literal["crlf", "lf", "glued", "bare", "none"] | None = None
    body: str | None = None
    effect: Literal["apply", "skip", "retrieve", "mark", "remove", "empty"] | None = None
    delay: float | None = None
    dribble: Dribble | None = None
    cut: int | None = None
    then: Ending | None = None

    def add(self, rule: Rule, bindings: Mapping[str, str]) -> None:
        """Let a rule fill in what no stronger rule has set."""
        self.sources.append(rule.source)
        # Rules for whatever is wrong say how a server refuses, not that it was right to ask.
        if rule.reply is not None and rule.outcome is None and rule.when[0].keyword != "*":
            self.excused = True
        for name, value in bindings.items():
            self.bindings.setdefault(name, value)
        for name in _CHANGES:
            if getattr(self, name) is None:
                setattr(self, name, getattr(rule, name))

    def because(self, source: Source) -> Changes:
        """The same, with a rule that had its say before the others.

        Args:
            source: The rule.
        """
        return replace(self, sources=[source, *self.sources])


#: No rule has a say.
NO_CHANGES = Changes()


class Occasion(NamedTuple):
    """The moment at which rules are asked. A named tuple, since each command makes one.

    Attributes:
        line: The command line; the name of the event, with what belongs to it, if it is one.
        event: Whether it is something other than a command: a greeting, a SASL response …
        state: ``authorization`` or ``transaction``.
        tls: Whether the connection is inside TLS.
        user: The user name given so far; empty if none.
        mechanism: The SASL mechanism under way; empty if none.
        outcome: What the RFC-correct answer is; empty while that is not known.
        pipelined: Whether more from the client was there already.
        marked: Whether messages are marked as deleted.
        messages: How many there are that are not marked as deleted.
        connection: Number of the connection.
        numbered: Gives the message of a number that a reply may send; None if there is none.
    """

    line: str
    state: str
    tls: bool
    user: str
    connection: int
    numbered: Callable[[str], object]
    event: bool = False
    mechanism: str = ""
    outcome: str = ""
    pipelined: bool = False
    marked: bool = False
    messages: int = 0

    @property
    def keyword(self) -> str:
        """The command, or the name of the event, in upper case."""
        return self.line.split(" ", 1)[0].upper()

    @property
    def argument(self) -> str:
        """The first argument; empty if there is none."""
        return self.line.partition(" ")[2].partition(" ")[0]


class Rulebook:
    """The rules of a scenario with the counts of what has happened so far."""

    def __init__(self, scenario: Scenario) -> None:
        self._by_keyword: dict[tuple[str, bool], list[list[Rule]]] = {}
        self._layers = [[r for r in layer if r.as_ is None] for layer in scenario.rules]
        self._early = [
            rules for layer in scenario.rules if (rules := [r for r in layer if r.as_ is not None])
        ]
        self._streaks = [r for layer in scenario.rules for r in layer if r.scope == "in-a-row"]
        # What has been counted, by its scope: a connection, a user, or all together.
        self._counts: dict[int | str | None, dict[int, int]] = {}

    @property
    def takes(self) -> bool:
        """Whether any rule takes a command for another one."""
        return bool(self._early)

    def taken_for(self, occasion: Occasion) -> tuple[str, Source] | None:
        """The command that a rule takes this one for, and the rule; None if it is taken as it is.

        Args:
            occasion: The command; its outcome is not known yet.
        """
        for layer in self._early:
            found = self._first(layer, occasion)
            if found is not None:
                rule, bindings = found
                assert rule.as_ is not None
                known = {
                    "user": occasion.user,
                    "line": occasion.line,
                    "count": str(occasion.messages),
                    "command": occasion.line.split(" ", 1)[0],
                    **bindings,
                }
                meant = rule.as_.fill(lambda hole: known.get(hole.name, hole.example or ""))  # noqa: B023 - called at once
                return meant, rule.source
        return None

    def consult(self, occasion: Occasion) -> Changes:
        """What the rules change now; counts the occasion for every rule that selects it."""
        layers = self._rules_for(occasion.keyword, event=occasion.event)
        if not layers:
            self._end_streaks(occasion)
            return NO_CHANGES
        changes = Changes()
        for rules in layers:
            found = self._first(rules, occasion)
            if found is not None:
                changes.add(*found)
        self._end_streaks(occasion)
        return changes

    def _end_streaks(self, occasion: Occasion) -> None:
        """Begin to count anew what does not come in a row any more."""
        for rule in self._streaks if not occasion.event else ():
            if _selected(rule, occasion) is None:
                self._counts.get(occasion.connection, {}).pop(id(rule), None)

    def silent(self, keyword: str) -> bool:
        """Whether no rule is about a command, nor counts what comes before it.

        Args:
            keyword: The command, in upper case.
        """
        return not (self._streaks or self._rules_for(keyword, event=False))

    def knows(self, event: str) -> bool:
        """Whether any rule is about an event.

        Args:
            event: Its name, in upper case.
        """
        return bool(self._rules_for(event, event=True))

    def names(self, command: str) -> bool:
        """Whether any rule names a command.

        Args:
            command: The command, in upper case.
        """
        rules = (rule for layer in self._layers for rule in layer)
        return any(pattern.keyword == command for rule in rules for pattern in rule.when)

    def nearest(self, line: str) -> tuple[Source, str] | None:
        """The rule that comes nearest to a line, and how the line differs from it."""
        patterns = (
            (pattern, rule)
            for layer in self._layers
            for rule in layer
            for pattern in rule.when
            if pattern.keyword not in EVENTS | {"*"} and not selects(pattern, line)
            if likeness(pattern, line, {}) >= ALIKE
        )
        found = max(patterns, key=lambda each: likeness(each[0], line, {}), default=None)
        return None if found is None else (found[1].source, difference(found[0], line, {}))

    def _rules_for(self, keyword: str, *, event: bool) -> list[list[Rule]]:
        layers = self._by_keyword.get((keyword, event))
        if layers is None:
            layers = self._by_keyword[keyword, event] = self._select(keyword, event=event)
        return layers

    def _select(self, keyword: str, *, event: bool) -> list[list[Rule]]:
        # A client that says GREETING is not greeted: no command has the name of an event.
        wanted = {keyword} if event else {keyword, "*"} - EVENTS
        layers = [
            [rule for rule in layer if any(p.keyword in wanted for p in rule.when)]
            for layer in self._layers
        ]
        return [layer for layer in layers if layer]

    def _first(self, rules: list[Rule], occasion: Occasion) -> tuple[Rule, dict[str, str]] | None:
        """The first rule of a layer that holds now, with its bindings; all are counted."""
        first: tuple[Rule, dict[str, str]] | None = None
        for rule in rules:
            bindings = _selected(rule, occasion)
            if bindings is None:
                continue
            if rule.nth is not None and self._count(rule, occasion) not in rule.nth:
                continue
            if first is None:
                first = rule, bindings
        return first

    def _count(self, rule: Rule, occasion: Occasion) -> int:
        scope: int | str | None = None
        if rule.scope in ("connection", "in-a-row"):
            scope = occasion.connection
        elif rule.scope == "user":
            scope = occasion.user
        counts = self._counts.setdefault(scope, {})
        counts[id(rule)] = counts.get(id(rule), 0) + 1
        return counts[id(rule)]

    def forget(self, connection: int) -> None:
        """Drop the counts of a connection that has ended."""
        self._counts.pop(connection, None)


def _selected(rule: Rule, occasion: Occasion) -> dict[str, str] | None:
    """The bindings of the rule's pattern if it is meant; its count is not looked at."""
    for mine, now in (
        (rule.state, occasion.state),
        (rule.tls, occasion.tls),
        (rule.mechanism and rule.mechanism.upper(), occasion.mechanism),
        (rule.pipelined, occasion.pipelined),
        (rule.marked, occasion.marked),
    ):
        if mine is not None and mine != now:
            return None
    if rule.user is not None and not _names(rule.user, occasion.user):
        return None
    if rule.arguments is not None and occasion.line.count(" ") not in rule.arguments:
        return None
    if rule.outcome is not None and not _comes_to(rule.outcome, occasion.outcome):
        return None
    for pattern in rule.when:
        bindings = _bindings(pattern, occasion.line)
        if bindings is not None:
            return _with_numbers(rule.reply, bindings, occasion)
    return None


#: Holes that hold a command's first argument, unless its pattern says otherwise.
_ARGUMENTS = frozenset({"n", "number"})


def _with_numbers(
    reply: Reply | None, bindings: dict[str, str], occasion: Occasion
) -> dict[str, str] | None:
    """The bindings with the numbers of the messages that a reply sends; None if one is missing.

    A rule with ``<message {n}>`` says how messages are sent, not that all that is asked for is one.
    """
    for item in () if reply is None else reply.items:
        if not isinstance(item, MessageData) or isinstance(item.number, int):
            continue
        if item.number in _ARGUMENTS:
            bindings = {item.number: occasion.argument, **bindings}
        wanted = bindings.get(item.number)
        if wanted is not None and occasion.numbered(wanted) is None:
            return None
    return bindings


def _names(wanted: str, given: str) -> bool:
    """Whether a rule for a user name means the one that was given; ``*`` means any."""
    return wanted == given or (wanted == "*" and bool(given))


#: What a right answer comes to if it is no refusal.
_ACCEPTED = frozenset({"ok", "challenge", "gone", "no-user"})


def _comes_to(wanted: tuple[str, ...], outcome: str) -> bool:
    if outcome == "no-user" and "ok" in wanted:
        return True  # the name of nobody is as good as any, unless a rule asks
    return outcome in wanted or ("refused" in wanted and outcome not in _ACCEPTED)


def selects(pattern: Template, line: str) -> bool:
    """Whether a pattern means a command line; a bare keyword means it with any arguments.

    Args:
        pattern: A pattern such as ``RETR``, ``RETR 2`` or ``RETR {n}``.
        line: The command line.
    """
    return _bindings(pattern, line) is not None


def _bindings(pattern: Template, line: str) -> dict[str, str] | None:
    if pattern.keyword not in ("*", line.split(" ", 1)[0].upper()):
        return None
    if pattern.source.upper() == pattern.keyword:
        return {}
    return pattern.match(line, {})
