"""Which cases ``pop3kit check`` asks, and what can be told of them without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pop3check import Case, UnknownCase, section_of, select
from pop3scenarios import ScenarioError, expand, kind_of, load, shipped

from ._failures import UsageFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pop3scenarios import Scenario

    from ._check_options import Choice


def chosen(selectors: Iterable[str], choice: Choice) -> list[Scenario]:
    """The cases that are meant.

    Args:
        selectors: Ids, beginnings of ids, tags, names, or files.
        choice: What is left of them.

    Raises:
        UsageFailure: Something selects nothing.
    """
    try:
        found = select(selectors, skip=choice.skip, levels=choice.levels)
    except (UnknownCase, ScenarioError) as error:
        raise UsageFailure(str(error)) from None
    wanted = {tag.lower() for tag in choice.tags}
    for tag in sorted(wanted):
        if not any(tag in _tags(scenario) for scenario in found):
            raise UsageFailure(f"--tag {tag}: none of the cases has it; {_known(found)}")
    return [each for each in found if not wanted or wanted & set(_tags(each))]


def _tags(scenario: Scenario) -> tuple[str, ...]:
    return scenario.file.case.tags if scenario.file.case is not None else ()


def _known(scenarios: Iterable[Scenario]) -> str:
    tags = sorted({tag for scenario in scenarios for tag in _tags(scenario)})
    return f"there are {', '.join(tags)}" if tags else "there are no tags"


def show_list(scenarios: Sequence[Scenario]) -> None:
    """Print a line for each case: id, level, what it takes and what it does, title.

    Args:
        scenarios: The cases.
    """
    for section, case in ((section_of(case.id), case) for case in map(Case.of, scenarios)):
        about = case.about
        takes = [*case.requires, *(f"no {name}" for name in about.lacks), *about.gates]
        told = [
            f"{case.id:<16}",
            f"{about.level:<6}",
            case.title,
            f"[{section}]",
            f"if: {', '.join(takes)}" if takes else "",
            f"does: {', '.join(about.effects)}" if about.effects else "",
        ]
        click.echo("  ".join(filter(None, told)))


def show_case(name: str) -> None:
    """Print all that is known of a case.

    Args:
        name: Its id, or the name or path of a scenario.

    Raises:
        UsageFailure: There is none, or more than one.
    """
    found = chosen([name], _everything())
    if len(found) != 1:
        raise UsageFailure(f"--explain {name}: expected one case, got {len(found)}; use --list")
    case = Case.of(found[0])
    click.echo(f"{case.id}  {case.title}\n")
    for key, text in _explained(case):
        if text:
            click.echo(f"{key + ':':<13} {text}")
    script = found[0].script
    click.echo(f"\n{script.source.rstrip()}" if script is not None else "\nasked by code")


def _everything() -> Choice:
    from ._check_options import Choice

    return Choice((), (), ())


def _explained(case: Case) -> Iterator[tuple[str, str]]:
    about = case.about
    yield "requirement", case.requirement
    yield "why", " ".join(case.why.split())
    yield "section", "; ".join(case.references)
    yield "level", about.level
    yield "if not met", f"{case.unmet.value}{', security' if case.security else ''}"
    yield "capabilities", ", ".join(case.requires)
    yield "without", ", ".join(about.lacks)
    yield "gates", ", ".join(about.gates)
    yield "effects", ", ".join(about.effects)
    yield "messages", ", ".join(about.fixtures)
    yield "asked after", ", ".join(name.upper() for name in about.after)
    yield "tags", ", ".join(about.tags)
    for title, names in _breakers(case.id).items():
        yield title, ", ".join(names)


def _breakers(case_id: str) -> dict[str, list[str]]:
    """Scenarios of the library that say that they break a requirement, and servers that do."""
    paths = {name: path for name, path in shipped().items() if kind_of(path) != "conformance"}
    loaded = {name: load(expand(name)[0]) for name in paths}
    breaking = {name for name, each in loaded.items() if _cites(each, case_id)}
    servers = [name for name, path in paths.items() if kind_of(path) == "servers"]
    return {
        "known servers": [name for name in servers if _layers(loaded[name]) & breaking],
        "scenarios": sorted(breaking - set(servers)),
    }


def _layers(scenario: Scenario) -> set[str]:
    """What a scenario is made of, itself among it."""
    return {scenario.name, *(layer.name for layer in scenario.layers)}


def _cites(scenario: Scenario, case_id: str) -> bool:
    words = scenario.file.breaks.replace(",", " ").replace("(", " ").split()
    return case_id in (word.strip(".;:") for word in words)
