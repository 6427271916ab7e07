"""In what two scenarios differ, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from ._content import digest
from ._plain import plain, to_yaml
from ._rule import SELECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._scenario import Scenario
    from ._yaml import Data


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two scenarios do not have in common.

    Attributes:
        part: What it belongs to: ``capabilities``, ``server``, ``tls``, ``rules``, ``maildrop``,
            ``script`` or ``expect``.
        key: What it is: a capability, a key, the selectors of a rule, a user and a number.
        first: What the first scenario has, as a file would say it; None for nothing.
        second: What the second has.
    """

    part: str
    key: str
    first: Data
    second: Data


def contrast(first: Scenario, second: Scenario) -> list[Difference]:
    """How two scenarios differ in what they do; names, reasons and references are no difference.

    Args:
        first: A scenario.
        second: Another.

    Returns:
        The differences in the order of the file; an empty list if both do the same.

    Raises:
        OSError: A file with mail cannot be read.
    """
    return [
        *_compare("capabilities", _capabilities(first), _capabilities(second)),
        *_compare("server", _server(first), _server(second)),
        *_compare("tls", plain(first.tls), plain(second.tls)),
        *_compare_rules(first, second),
        *_compare("maildrop", _mail(first), _mail(second)),
        *_compare("script", _script(first), _script(second)),
        *_compare("expect", _expect(first), _expect(second)),
    ]


def _compare(
    part: str, first: Mapping[str, Data], second: Mapping[str, Data]
) -> Iterator[Difference]:
    for key in dict.fromkeys([*first, *second]):
        mine, theirs = first.get(key), second.get(key)
        if mine != theirs:
            yield Difference(part, key, mine, theirs)


def _capabilities(scenario: Scenario) -> dict[str, Data]:
    """The arguments of each capability; in what order CAPA lists them says nothing."""
    entries = (entry.partition(" ") for entry in scenario.server.capabilities or ())
    return {keyword.upper(): f"{keyword} {arguments}".strip() for keyword, _, arguments in entries}


def _server(scenario: Scenario) -> dict[str, Data]:
    return {key: value for key, value in plain(scenario.server).items() if key != "capabilities"}


def _expect(scenario: Scenario) -> dict[str, Data]:
    data = plain(scenario.expect)
    fetch = plain(scenario.expect.fetch)
    flat = {key: value for key, value in data.items() if key != "fetch"}
    return flat | {f"fetch.{key}": value for key, value in fetch.items()}


def _script(scenario: Scenario) -> dict[str, Data]:
    return {} if scenario.script is None else {"script": scenario.script.source}


# Rules


def _compare_rules(first: Scenario, second: Scenario) -> Iterator[Difference]:
    mine, theirs = _rules(first), _rules(second)
    yield from _compare("rules", mine, theirs)
    if mine.keys() == theirs.keys() and list(mine) != list(theirs):
        # Of two rules that match the first has a say, so their order is a difference.
        yield Difference("rules", "order", list(mine), list(theirs))


def _rules(scenario: Scenario) -> dict[str, Data]:
    """What changes under which selectors; where two layers have the same, the stronger one wins."""
    rules: dict[str, dict[str, Data]] = {}
    for layer in scenario.rules:
        for rule in layer:
            data = plain(rule)
            changes = rules.setdefault(_selectors(data), {})
            for key in data.keys() - SELECTORS:
                changes.setdefault(key, data[key])
    return {key: dict(sorted(changes.items())) for key, changes in rules.items()}


def _selectors(data: Mapping[str, Data]) -> str:
    when = data["when"]
    rest = [f"{key}: {_brief(value)}" for key, value in data.items() if key in SELECTORS - {"when"}]
    return ", ".join([" ".join(map(str, when)) if isinstance(when, list) else str(when), *rest])


# Mail


def _mail(scenario: Scenario) -> dict[str, Data]:
    """Size and digest of each message of each user."""
    users = dict.fromkeys([*scenario.users, *_singled_out(scenario)])
    made: dict[str, Data] = {}
    for user in users:
        for number, mail in enumerate(scenario.mail(user), 1):
            uid = f", uid {mail.uid}" if mail.uid else ""
            size = f"{mail.content.octets} octets"
            made[f"{user} {number}"] = f"{size}, digest {digest(mail.content.chunks())}{uid}"
    return made


def _singled_out(scenario: Scenario) -> list[str]:
    own = (layer.fragment for layer in scenario.layers if not layer.quirk)
    return [user for fragment in own for user in fragment.maildrops]


# As text


def contrast_text(differences: list[Difference]) -> str:
    """Differences for a reader: by part, ``-`` before what the first has, ``+`` the second.

    Args:
        differences: From :func:`contrast`.
    """
    lines: list[str] = []
    part = ""
    for each in differences:
        if each.part != part:
            lines.append(f"{each.part}:")
            part = each.part
        lines.append(f"  {each.key}:")
        lines += [f"    {line}" for line in _shown(each.first, each.second)]
    return "".join(f"{line}\n" for line in lines)


def _shown(first: Data, second: Data) -> Iterator[str]:
    """What the one has with ``-`` in front, what the other has with ``+``; of texts, the lines."""
    sides = (_rows(first), _rows(second))
    changed = unified_diff(*sides, n=0, lineterm="")
    for line in list(changed)[2:]:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"


def _rows(value: Data) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str) and "\n" in value:
        return value.rstrip("\n").split("\n")
    return [_brief(value)]


def _brief(value: Data) -> str:
    return to_yaml(value, flow=True).strip()
