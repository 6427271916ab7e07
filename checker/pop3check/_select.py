"""Which cases are meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pop3scenarios import UnknownScenario, did_you_mean, kind_of, load, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pop3scenarios import Scenario

_LEVELS = {
    "must": {"MUST", "SHALL", "must"},
    "should": {"SHOULD", "should"},
    "may": {"MAY"},
    "impl": {"impl"},
    "sec": {"sec"},
    "note": {"note"},
}


class UnknownCase(ValueError):
    """A selector stands for no case: a misspelt one must not look like a run that passed."""


def select(
    selectors: Iterable[str] = (), *, skip: Iterable[str] = (), levels: Iterable[str] = ()
) -> list[Scenario]:
    """The conformance cases that are meant.

    Args:
        selectors: Ids or their beginnings up to a hyphen, in any case (``RFC1939``,
            ``rfc1939-5-06``), tags (``uidl``), names of other scenarios, or paths of files. None of
            them means all conformance cases.
        skip: The same for cases that are not meant after all.
        levels: Only cases of these levels: ``must``, ``should``, ``may``, ``impl``, ``sec``,
            ``note``.

    Returns:
        The scenarios, in the order of the selectors and then of their ids, each once.

    Raises:
        UnknownCase: A selector or a level stands for nothing.
        pop3scenarios.ScenarioError: A file is wrong.
    """
    chosen = {s.name: s for selector in list(selectors) or [""] for s in _selected(selector)}
    for selector in skip:
        for scenario in _selected(selector):
            chosen.pop(scenario.name, None)
    wanted = set().union(*map(_level, levels))
    kept = [
        s for s in chosen.values() if not wanted or (s.file.case and s.file.case.level in wanted)
    ]
    if not kept:
        raise UnknownCase("nothing is left of the cases that were selected")
    return kept


def _level_of(scenario: Scenario) -> str:
    return scenario.file.case.level if scenario.file.case else ""


def _level(name: str) -> set[str]:
    try:
        return _LEVELS[name.lower()]
    except KeyError:
        raise UnknownCase(f"{name!r} is no level; {', '.join(_LEVELS)} are") from None


def natural(name: str) -> list[tuple[int, str]]:
    """A key by which ``rfc1939-5-9`` comes before ``rfc1939-5-10``."""
    parts = name.lower().replace(".", "-").split("-")
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _cases() -> list[str]:
    names = [name for name, path in shipped().items() if kind_of(path) == "conformance"]
    return sorted(names, key=natural)


def _selected(selector: str) -> list[Scenario]:
    wanted = selector.lower()
    if "/" in selector:
        return [_other(Path(selector), ())]
    names = _cases()
    found = [
        n for n in names if not wanted or n == wanted or n.startswith(f"{wanted.rstrip('-')}-")
    ]
    if found:
        return [load(name) for name in found]
    scenarios = [load(name) for name in names]
    tagged = [s for s in scenarios if wanted in _tags(s)]
    return tagged or [_other(selector, _words(scenarios))]


def _tags(scenario: Scenario) -> tuple[str, ...]:
    return scenario.file.case.tags if scenario.file.case else ()


def _words(scenarios: Iterable[Scenario]) -> list[str]:
    """What can be written for cases: ids, as they are shown, and tags."""
    tags = {tag for scenario in scenarios for tag in _tags(scenario)}
    return [*(scenario.name.upper() for scenario in scenarios), *sorted(tags)]


def _other(selector: str | Path, words: Sequence[str]) -> Scenario:
    try:
        return load(selector)
    except UnknownScenario as error:
        what = _advice(str(selector), words) if words else str(error)
        raise UnknownCase(f"{str(selector)!r} selects no case: {what}") from None


def _advice(selector: str, words: Sequence[str]) -> str:
    near = did_you_mean(selector.upper(), words) or did_you_mean(selector.lower(), words)
    if near:
        return f"{near} 'pop3kit check --list' tells them all"
    tags = ", ".join(word for word in words if word.islower())
    return f"expected an id, which 'pop3kit check --list' tells, or a tag of {tags}"
