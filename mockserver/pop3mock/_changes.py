"""The rules of a scenario, asked at every command: what do they change here?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pop3scenarios import difference

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    "reply", "text", "error", "octets", "entry", "stuffing", "eol", "terminator", "body",
    "effect", "delay", "dribble", "cut", "then",
)  # fmt: skip


@dataclass(slots=True)
class Changes:
    """All that rules change in one answer; None where they change nothing.

    Attributes:
        sources: The rules that had a say, the strongest first.
        bindings: What the holes of their ``when`` hold.
    """

    sources: list[Source] = field(default_factory=list)
    bindings: dict[str, str] = field(default_factory=dict)
    reply: Reply | None = None
    text: Template | None = None
    error: Template | None = None
    octets: Announced | None = None
    entry: Template | None = None
    stuffing: bool | None = None
    eol: Literal["crlf", "lf"] | None = None
    terminator: Literal["crlf", "lf", "glued", "none"] | None = None
    body: str | None = None
    effect: Literal["apply", "skip"] | None = None
    delay: float | None = None
    dribble: Dribble | None = None
    cut: int | None = None
    then: Ending | None = None

    def add(self, rule: Rule, bindings: Mapping[str, str]) -> None:
        """Let a rule fill in what no stronger rule has set."""
        self.sources.append(rule.source)
        for name, value in bindings.items():
            self.bindings.setdefault(name, value)
        for name in _CHANGES:
            if getattr(self, name) is None:
                setattr(self, name, getattr(rule, name))


#: No rule has a say.
NO_CHANGES = Changes()


@dataclass(frozen=True, slots=True)
class Occasion:
    """The moment at which rules are asked.

    Attributes:
        line: The command line; ``GREETING`` before the client has said anything.
        state: ``authorization`` or ``transaction``.
        tls: Whether the connection is inside TLS.
        user: The user name given so far; empty if none.
        connection: Number of the connection.
    """

    line: str
    state: str
    tls: bool
    user: str
    connection: int


class Rulebook:
    """The rules of a scenario with the counts of what has happened so far."""

    def __init__(self, scenario: Scenario) -> None:
        self._by_keyword: dict[str, list[list[Rule]]] = {}
        self._layers = scenario.rules
        self._counts: dict[tuple[int, object], int] = {}

    def consult(self, occasion: Occasion) -> Changes:
        """What the rules change now; counts the occasion for every rule that selects it."""
        keyword = occasion.line.split(" ", 1)[0].upper()
        layers = self._by_keyword.get(keyword)
        if layers is None:
            layers = self._by_keyword[keyword] = self._select(keyword)
        if not layers:
            return NO_CHANGES
        changes = Changes()
        for rules in layers:
            self._consult_layer(rules, occasion, changes)
        return changes

    def nearest(self, line: str) -> tuple[Source, str] | None:
        """The rule that comes nearest to a line, and how the line differs from it."""
        keyword = line.split(" ", 1)[0].upper()
        best: tuple[Source, str] | None = None
        for layer in self._layers:
            for rule in layer:
                for pattern in rule.when:
                    text = difference(pattern, line, {})
                    if pattern.keyword == keyword and text:
                        return rule.source, text
                    if best is None and text and pattern.keyword not in ("*", "GREETING"):
                        best = rule.source, text
        return best

    def _select(self, keyword: str) -> list[list[Rule]]:
        wanted = {keyword, "*"} if keyword != "GREETING" else {keyword}
        layers = [
            [rule for rule in layer if any(p.keyword in wanted for p in rule.when)]
            for layer in self._layers
        ]
        return [layer for layer in layers if layer]

    def _consult_layer(self, rules: list[Rule], occasion: Occasion, changes: Changes) -> None:
        decided = False
        for rule in rules:
            bindings = _selected(rule, occasion)
            if bindings is None:
                continue
            if rule.nth is not None and self._count(rule, occasion) not in rule.nth:
                continue
            if not decided:
                changes.add(rule, bindings)
                decided = True

    def _count(self, rule: Rule, occasion: Occasion) -> int:
        scope: object = None
        if rule.scope == "connection":
            scope = occasion.connection
        elif rule.scope == "user":
            scope = occasion.user
        key = (id(rule), scope)
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]

    def forget(self, connection: int) -> None:
        """Drop the counts of a connection that has ended."""
        for key in [key for key in self._counts if key[1] == connection]:
            del self._counts[key]


def _selected(rule: Rule, occasion: Occasion) -> dict[str, str] | None:
    """The bindings of the rule's pattern if it is meant; its count is not looked at."""
    if rule.state is not None and rule.state != occasion.state:
        return None
    if rule.tls is not None and rule.tls is not occasion.tls:
        return None
    if rule.user is not None and rule.user != occasion.user:
        return None
    for pattern in rule.when:
        bindings = _bindings(pattern, occasion.line)
        if bindings is not None:
            return bindings
    return None


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
