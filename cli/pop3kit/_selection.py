"""Which scenarios a client is sent through: those that are about fetching all mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import ScenarioError, expand, is_glob, kind_of, load

from ._failures import UsageFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3scenarios import Scenario

_FOLDERS = ("servers", "quirks", "faults")


def select(patterns: Sequence[str]) -> list[Scenario]:
    """The scenarios that patterns mean, each once, in the order of the patterns.

    Args:
        patterns: Names, files and globs; none of them means all that the kit ships.

    Raises:
        UsageFailure: A pattern means nothing, or a file is wrong.
    """
    wanted = patterns or tuple(f"{folder}/*" for folder in _FOLDERS)
    try:
        names = dict.fromkeys(name for pattern in wanted for name in _expand(pattern))
        scenarios = [load(name) for name in names]
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None
    if not scenarios:
        raise UsageFailure(f"{', '.join(wanted)}: expected scenarios of {', '.join(_FOLDERS)}")
    return scenarios


def _expand(pattern: str) -> list[str]:
    """The scenarios that a pattern means; a glob leaves out those that are conversations."""
    names = expand(pattern)
    return [name for name in names if _is_fetched(load(name))] if is_glob(pattern) else names


def _is_fetched(scenario: Scenario) -> bool:
    """Whether a scenario is about a client that fetches all mail."""
    kind = kind_of(scenario.path)
    return kind in _FOLDERS or (kind == "own" and scenario.script is None)
