"""Quirks of a scenario that have no effect in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._actions import Default
from ._lines import Template
from ._rule import SELECTORS
from ._script import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._rule import Rule
    from ._scenario import Layer, Scenario

_REFUSAL = re.compile(r"^((?:S: ?)?-ERR)(?: .*)?$", re.MULTILINE)

#: What a rule with a whole reply leaves no room for.
_REPLACED = frozenset({"text", "error", "octets", "entry", "body", "numbering", "deleted"})

#: The capability without which a command is refused.
_CAPABILITY = {"TOP": "TOP", "UIDL": "UIDL", "UTF8": "UTF8", "LANG": "LANG", "AUTH": "SASL"}

#: Changes that show only where the answer is ``+OK``.
_OF_SUCCESS = frozenset({
    "text", "octets", "entry", "stuffing", "columns", "numbering", "deleted", "terminator", "body",
})  # fmt: skip


def shadowed(scenario: Scenario, quirk: Layer) -> bool:
    """Whether all that a quirk sets is overridden by stronger layers, with something else.

    What a stronger layer says once more is not overridden: there the quirk names what is so.

    Args:
        scenario: The scenario.
        quirk: One of its layers.
    """
    stronger = scenario.layers[: scenario.layers.index(quirk)]
    fates = [*_settings(scenario, quirk, stronger), *_rules(quirk, stronger)]
    return bool(fates) and all(fates)


def _settings(scenario: Scenario, quirk: Layer, stronger: Sequence[Layer]) -> Iterator[bool]:
    """For each setting whether it is overridden."""
    for name in ("server", "tls"):
        section, whole = getattr(quirk.fragment, name), getattr(scenario, name)
        for key in section.model_fields_set - {"capabilities"}:
            said = any(key in getattr(each.fragment, name).model_fields_set for each in stronger)
            yield said and not _agree(getattr(section, key), getattr(whole, key))
    final = scenario.server.capabilities or ()
    for entry in quirk.fragment.server.capabilities or ():
        yield not _holds(entry, final)


def _agree(first: object, second: object) -> bool:
    return _essence(first) == _essence(second)


def _holds(entry: str, final: Sequence[str]) -> bool:
    text = entry.lstrip("+-")
    if not entry.startswith("-"):
        return text in final
    keyword = text.split(" ", 1)[0].upper()
    return keyword not in {listed.split(" ", 1)[0].upper() for listed in final}


def _rules(quirk: Layer, stronger: Sequence[Layer]) -> Iterator[bool]:
    """For each rule whether it is overridden."""
    for rule in quirk.fragment.rules:
        yield any(_overridden(rule, layer.fragment.rules) for layer in stronger)


def _overridden(rule: Rule, others: Sequence[Rule]) -> bool:
    """Whether, of the rules of one layer, none that can come first leaves a rule any say."""
    changes = effect(rule)
    keywords = {pattern.keyword for pattern in rule.when}
    for other in others:
        leaves_nothing = changes.keys() <= _taken(other)
        if other.covers(rule):
            same = changes.items() <= effect(other).items()
            return leaves_nothing and not same
        meets = {pattern.keyword for pattern in other.when} & (keywords | {"*"})
        if meets and not leaves_nothing:
            return False
    return False


def effect(rule: Rule) -> dict[str, object]:
    """What a rule changes, without what only people read.

    Two rules with the same effect are the same to a program: it looks at the status, at sizes and
    other values, and never at the words of a refusal or behind ``+OK``.

    Args:
        rule: A rule.

    Returns:
        The fields that change something, in a form that can be compared.
    """
    names = rule.model_fields_set - SELECTORS
    return {name: _essence(getattr(rule, name)) for name in sorted(names)}


def _essence(value: object) -> object:
    match value:
        case Template():
            return frozenset(hole.name for hole in value.holes)
        case Reply():
            return _REFUSAL.sub(r"\1", value.source.rstrip("\n"))
    return value


def _taken(rule: Rule) -> frozenset[str]:
    """The changes upon which weaker rules have no say any more."""
    own = frozenset(effect(rule))
    whole = rule.reply is not None and not any(
        isinstance(item, Default) for item in rule.reply.items
    )
    return own | _REPLACED if whole else own


def idle(scenario: Scenario, quirk: Layer) -> bool:
    """Whether a quirk only changes how commands are answered that the server does not have.

    Args:
        scenario: The scenario.
        quirk: One of its layers.
    """
    server = quirk.fragment.server.model_fields_set | quirk.fragment.tls.model_fields_set
    rules = quirk.fragment.rules
    return not server and bool(rules) and all(_without_command(rule, scenario) for rule in rules)


def _without_command(rule: Rule, scenario: Scenario) -> bool:
    if not effect(rule).keys() <= _OF_SUCCESS:
        return False
    offered = [*(scenario.server.capabilities or ()), *(scenario.server.hidden or ())]
    keywords = {entry.split(" ", 1)[0].upper() for entry in offered}
    wanted = (_CAPABILITY.get(pattern.keyword) for pattern in rule.when)
    return all(capability is not None and capability not in keywords for capability in wanted)
