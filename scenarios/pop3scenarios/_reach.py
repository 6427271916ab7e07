"""Which rules can ever answer: what is left of their occasions when earlier rules have had theirs.

What a rule selects is a box: for each selector the set of values that it lets through. A rule can
never match if nothing in its box can happen, and is unreachable if all that can is in the boxes of
earlier rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from ._occasions import ACCEPTED, COMMANDS, STATES, TRANSACTION, UNKNOWN, occasion, possible
from ._occasions import EVENTS as _EVENTS
from ._rule import NARROWING, bare, includes, selectors, shape
from ._values import Nth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._lines import Template
    from ._occasions import Occasion
    from ._rule import Rule

#: Of each selector, the values that it lets through.
Box = dict[str, frozenset[object]]

_BOOLEANS = ("tls", "pipelined", "marked")
#: Selectors of which two values have nothing in common.
_ONE_VALUE = ("state", *_BOOLEANS)
_BOTH: frozenset[object] = frozenset({True, False})
#: A name that no rule mentions.
_OTHER = "\0"


@dataclass(slots=True)
class _Taken:
    """What earlier rules have taken that count the same occasions.

    Attributes:
        pattern: The lines.
        rule: The first of these rules.
        places: All of them, as indices.
        nth: Which occurrences; None for all.
    """

    pattern: Template
    rule: Rule
    places: list[int]
    nth: Nth | None


@dataclass(slots=True)
class Reach:
    """What the rules of one layer have taken so far."""

    _taken: dict[object, dict[object, _Taken]] = field(default_factory=dict)

    def never(self, rule: Rule) -> bool:
        """Whether nothing that a rule selects can happen.

        Args:
            rule: A rule.
        """
        if not rule.model_fields_set & NARROWING and not _counts_to_one(rule):
            return False
        return not any(
            _left(_Question(rule, pattern, ()).box(rule), [], rule, pattern)
            for pattern in rule.when
        )

    def before(self, rule: Rule) -> list[int]:
        """The earlier rules that together leave a rule nothing; empty if they leave it something.

        Args:
            rule: A rule that can match.
        """
        places: list[int] = []
        for pattern in rule.when:
            takers = self._takers(rule, pattern)
            if takers is None:
                return []
            places += takers
        return sorted(set(places))

    def add(self, rule: Rule, place: int) -> None:
        """Let a rule take what it selects.

        Args:
            rule: The rule.
            place: Its index.
        """
        nth = None if _always(rule) else rule.nth
        for pattern in rule.when:
            bucket = self._taken.setdefault(_bucket(rule, pattern), {})
            key = (shape(pattern), pattern.open_ended, nth is None, selectors(rule))
            known = bucket.setdefault(key, _Taken(pattern, rule, [], nth))
            known.places.append(place)
            if known.nth is not None and nth is not None:
                known.nth = known.nth.joined(nth)

    def _takers(self, rule: Rule, pattern: Template) -> list[int] | None:
        """Those that leave a rule no line of a pattern; None if something is left."""
        candidates = [each for each in self._candidates(rule, pattern) if _takes(each, rule)]
        for each in candidates:
            if not each.rule.model_fields_set & NARROWING:
                return each.places
        if not candidates:
            return None
        question = _Question(rule, pattern, candidates)
        box = question.box(rule)
        boxes = [question.box(each.rule) for each in candidates]
        for each, theirs in zip(candidates, boxes, strict=True):
            if not _left(box, [theirs], rule, pattern):
                return each.places
        if len(boxes) == 1 or _left(box, boxes, rule, pattern):
            return None
        meets = [all(box[name] & theirs[name] for name in box) for theirs in boxes]
        met = (each.places for each, met in zip(candidates, meets, strict=True) if met)
        return [place for places in met for place in places]

    def _candidates(self, rule: Rule, pattern: Template) -> Iterator[_Taken]:
        """Those that mean all lines of a pattern, and have something in common with a rule."""
        for key in _keys(rule, pattern):
            for taken in self._taken.get(key, {}).values():
                if includes(taken.pattern, pattern) and not _apart(taken.rule, rule):
                    yield taken


def _keys(rule: Rule, pattern: Template) -> set[object]:
    """Where those stand that may take lines of a pattern.

    However many names there are rules for, there are others: they matter to a rule of a name alone.
    """
    lines = {(pattern.keyword, _text(pattern)), (pattern.keyword, "")}
    if pattern.keyword not in _EVENTS:
        lines.add(("*", ""))
    late = rule.as_ is None
    return {(late, *line, user) for line in lines for user in (None, "*", "", rule.user)}


def _apart(first: Rule, second: Rule) -> bool:
    """Whether two rules never hold at once: what can be told soon."""
    for name in _ONE_VALUE:
        mine, theirs = getattr(first, name), getattr(second, name)
        if mine is not None and theirs is not None and mine != theirs:
            return True
    if first.outcome is None or second.outcome is None:
        return False
    return not selected(first.outcome) & selected(second.outcome)


def _bucket(rule: Rule, pattern: Template) -> object:
    return rule.as_ is None, pattern.keyword, _text(pattern), rule.user


def _text(pattern: Template) -> str:
    """The text of a pattern without holes, which no other such text meets; else empty."""
    return shape(pattern) if pattern.literal and not bare(pattern) else ""


def _always(rule: Rule) -> bool:
    """Whether a rule means each occurrence of what it selects."""
    if rule.nth is None or _whole(rule.nth):
        return True
    return 1 in rule.nth and _counts_to_one(rule)


def _counts_to_one(rule: Rule) -> bool:
    once = all(occasion(pattern.keyword).once for pattern in rule.when)
    return once and len(rule.when) == 1 and rule.scope in ("connection", "in-a-row")


def _whole(nth: Nth) -> bool:
    return Nth(((1, None),)).within(nth)


def _takes(taken: _Taken, rule: Rule) -> bool:
    """Whether earlier rules mean every occurrence that a rule means."""
    if taken.nth is None or _whole(taken.nth):
        return True
    same = rule.nth is not None and selectors(taken.rule) == selectors(rule)
    return same and rule.nth is not None and rule.nth.within(taken.nth)


class _Question:
    """The values between which a rule and earlier ones tell a difference.

    Args:
        rule: The rule.
        pattern: One of its patterns.
        earlier: What earlier rules have taken.
    """

    def __init__(self, rule: Rule, pattern: Template, earlier: Sequence[_Taken]) -> None:
        rules = [rule, *(each.rule for each in earlier)]
        self._early = rule.as_ is not None
        self._users = {"", _OTHER, *(each.user for each in rules if each.user not in (None, "*"))}
        self._mechanisms = {"", _OTHER, *(_mechanism(each) for each in rules)}
        self._arguments = _counts(rules, pattern)

    def box(self, rule: Rule) -> Box:
        """What a rule lets through.

        Args:
            rule: The rule, or an earlier one.
        """
        box: Box = {name: _one_or_both(getattr(rule, name)) for name in _BOOLEANS}
        box["state"] = frozenset({rule.state} if rule.state else STATES)
        box["user"] = frozenset(
            name for name in self._users if rule.user in (None, name) or (rule.user == "*" and name)
        )
        wanted = _mechanism(rule)
        box["mechanism"] = frozenset(self._mechanisms if rule.mechanism is None else {wanted})
        box["outcome"] = _outcomes(rule, early=self._early)
        box["arguments"] = frozenset(
            count for count in self._arguments if rule.arguments is None or count in rule.arguments
        )
        return box


def _one_or_both(value: bool | None) -> frozenset[object]:
    return _BOTH if value is None else frozenset({value})


def _mechanism(rule: Rule) -> str:
    return (rule.mechanism or "").upper()


_ALL_OUTCOMES = frozenset({"unknown", "state", "syntax", "not-offered"}).union(
    *(each.outcomes for each in (*COMMANDS.values(), *_EVENTS.values()))
)


def outcomes(rule: Rule) -> frozenset[str]:
    """The outcomes that a rule lets through.

    Args:
        rule: The rule.
    """
    return _ALL_OUTCOMES if rule.outcome is None else selected(rule.outcome)


@cache
def selected(wanted: tuple[str, ...]) -> frozenset[str]:
    """The outcomes that ``outcome:`` means.

    Args:
        wanted: What it says.
    """
    return frozenset(
        each
        for each in _ALL_OUTCOMES
        if each in wanted
        or (each == "no-user" and "ok" in wanted)
        or ("refused" in wanted and each not in ACCEPTED)
    )


def _outcomes(rule: Rule, *, early: bool) -> frozenset[object]:
    # What a command is taken for is asked before there is a right answer.
    return frozenset({""}) if early else frozenset(outcomes(rule))


def _counts(rules: Sequence[Rule], pattern: Template) -> frozenset[int]:
    """A number of arguments for each that makes a difference, among those of a pattern."""
    row = occasion(pattern.keyword)
    ranges = [each for rule in rules if rule.arguments for each in rule.arguments.ranges]
    rows = COMMANDS.values() if pattern.keyword == "*" else [row]
    ranges += [each.arguments for each in rows]
    low, high = _spaces(pattern, row)
    edges = {0, low, *(first for first, _ in ranges)}
    edges |= {last + 1 for _, last in ranges if last is not None}
    return frozenset(each for each in edges if each >= low and (high is None or each <= high))


def _spaces(pattern: Template, row: Occasion) -> tuple[int, int | None]:
    """The least and the greatest number of arguments of the lines that a pattern means."""
    if bare(pattern):
        return row.arguments if row.event else (0, None)
    least = sum(part.count(" ") for part in pattern.parts if isinstance(part, str))
    any_more = pattern.open_ended or any(hole.type == "text" for hole in pattern.holes)
    return least, None if any_more else least


def _left(box: Box, taken: Sequence[Box], rule: Rule, pattern: Template) -> bool:
    """Whether something in a box can happen that is in none of others."""
    keyword = pattern.keyword
    left = [box] if _can_happen(box, rule, keyword) else []
    for other in taken:
        pieces = (piece for each in left for piece in _without(each, other))
        left = [piece for piece in pieces if _can_happen(piece, rule, keyword)]
    return bool(left)


def _without(box: Box, other: Box) -> Iterator[Box]:
    """What of a box is outside of another one, in boxes that have nothing in common."""
    if not all(box[name] & other[name] for name in box):
        yield box
        return
    inside = dict(box)
    for name, mine in box.items():
        outside = mine - other[name]
        if outside:
            yield {**inside, name: outside}
        inside[name] = mine & other[name]


#: What a pattern of any command means: those that there are, and one that there is not.
_ANY = (*COMMANDS.items(), ("", UNKNOWN))


def _can_happen(box: Box, rule: Rule, keyword: str) -> bool:
    if not all(box.values()):
        return False
    rows = _ANY if keyword == "*" else ((keyword, occasion(keyword)),)
    return any(_row_can_happen(box, rule, name, row) for name, row in rows)


def _row_can_happen(box: Box, rule: Rule, keyword: str, row: Occasion) -> bool:
    if rule.nth is not None and 1 not in rule.nth and _counts_to_one(rule):
        return False
    in_exchange = keyword in ("AUTH", "RESPONSE") and rule.as_ is None
    if "" not in box["mechanism"] and not in_exchange:
        return False
    if keyword == "GREETING" and not (False in box["marked"] and "" in box["user"]):
        return False
    return any(_state_can_happen(box, rule, keyword, row, str(each)) for each in box["state"])


def _state_can_happen(box: Box, rule: Rule, keyword: str, row: Occasion, state: str) -> bool:
    if state == TRANSACTION:
        if box["user"] == {""}:
            return False
    elif not row.event and False not in box["marked"]:
        return False  # nobody has marked a message yet
    if rule.as_ is not None:
        return True
    tls = frozenset(each for each in (True, False) if each in box["tls"])
    return any(
        not box["outcome"].isdisjoint(possible(keyword, state, arguments, tls))
        for arguments in box["arguments"]
        if isinstance(arguments, int)
    )
