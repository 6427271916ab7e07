"""The cases: conversations, and what it means when a server does not keep to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pop3scenarios import UnknownScenario, kind_of, load, shipped

from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pop3scenarios import Scenario

#: How ``breaks:`` begins where not to keep to the conversation is less than a failure.
_GRADE = re.compile(r"(NON-STRICT|INFO): +")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a server is asked.

    Attributes:
        id: Its permanent id: the name of the scenario, in upper case if it is a shipped case.
        title: What it is about, in one line.
        requirement: What the server has to do.
        references: Where that is said.
        unmet: The outcome if the server does not do it.
        scenario: The conversation.
    """

    id: str
    title: str
    requirement: str
    references: tuple[str, ...]
    unmet: Outcome
    scenario: Scenario

    @classmethod
    def of(cls, scenario: Scenario) -> Case:
        """The case that a scenario is.

        Its requirement is what the file says under ``breaks:``; ``NON-STRICT:`` or ``INFO:`` in
        front of it is the outcome if it is not met, which otherwise is a failure.
        """
        file = scenario.file
        grade = _GRADE.match(file.breaks)
        shipped_case = kind_of(scenario.path) == "conformance"
        return cls(
            id=scenario.name.upper() if shipped_case else scenario.name,
            title=scenario.summary,
            requirement=file.breaks[grade.end() if grade else 0 :] or scenario.summary,
            references=file.references,
            unmet=Outcome(grade[1]) if grade else Outcome.FAIL,
            scenario=scenario,
        )


class UnknownCase(ValueError):
    """A selector stands for no case: a misspelt one must not look like a run that passed."""


def select(selectors: Iterable[str] = ()) -> list[Scenario]:
    """The conformance cases that are meant.

    Args:
        selectors: Ids or their beginnings up to a hyphen, in any case (``RFC1939``,
            ``rfc1939-5-06``), names of other scenarios, or paths of files. None of them means all
            conformance cases.

    Returns:
        The scenarios, in the order of the selectors and then of their ids, each once.

    Raises:
        UnknownCase: A selector stands for nothing.
        pop3scenarios.ScenarioError: A file is wrong.
    """
    wanted = list(selectors) or [""]
    chosen = {s.name: s for selector in wanted for s in _selected(selector)}
    return list(chosen.values())


def _selected(selector: str) -> list[Scenario]:
    cases = [name for name, path in shipped().items() if kind_of(path) == "conformance"]
    wanted = selector.lower()
    names = [
        n for n in cases if not wanted or n == wanted or n.startswith(f"{wanted.rstrip('-')}-")
    ]
    if names:
        return [load(name) for name in names]
    try:
        return [load(Path(selector) if "/" in selector else selector)]
    except UnknownScenario as error:
        raise UnknownCase(f"{selector!r} selects no case: {error}") from None
