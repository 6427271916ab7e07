"""Which scenarios a test runs with: from what its marker says to references that can be loaded."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

import pytest

from pop3scenarios import Scenario, ScenarioError, is_glob, load

from ._pytest_lookup import Lookup
from ._pytest_marker import MarkerError, Wish, split, wish_of
from ._pytest_settings import DEFAULT, PATHS, SettingError, foreseen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._pytest_settings import Settings

_FIXTURE = "pop3_server"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each scenario that its marker, or the suite's default, stands for.

    Args:
        metafunc: The test function.

    Raises:
        pytest.Collector.CollectError: The marker is wrong, or names what there is not.
    """
    test = metafunc.definition
    try:
        cases = _cases(metafunc, wish_of(test))
    except MarkerError as error:
        text = f"{test.nodeid}: @pytest.mark.pop3: {error}"
        raise pytest.Collector.CollectError(text) from None
    except SettingError as error:
        raise pytest.Collector.CollectError(f"{test.nodeid}: {error}") from None
    if cases:
        metafunc.parametrize(_FIXTURE, cases, indirect=True, ids=identifiers(cases))


def _cases(metafunc: pytest.Metafunc, wish: Wish) -> list[str]:
    """References of what a test is to be run with, each loaded once, so that errors show early.

    There are none if one scenario is all that it plays, if it takes no server, if it says itself
    with which scenarios it runs, or if that is not known before it runs.
    """
    if _FIXTURE not in metafunc.fixturenames or _parametrized_already(metafunc.definition):
        return []
    settings = foreseen(metafunc)
    if settings is None:
        return []
    name = wish.scenario or settings.default
    lookup = Lookup(metafunc.definition.path.parent, settings.paths)
    try:
        references = lookup.references(name, wish.variant)
        for reference in references:
            load(reference)
    except ScenarioError as error:
        if wish.scenario is None:
            raise SettingError(f"{DEFAULT}: {error}") from None
        raise MarkerError(str(error)) from None
    return references if len(references) > 1 or is_glob(name) else []


def chosen(request: pytest.FixtureRequest, settings: Settings) -> tuple[Wish, Scenario]:
    """What the server of a test plays.

    Args:
        request: The request for the fixture.
        settings: What the suite has set.

    Returns:
        What the test's markers say, and the scenario.
    """
    node: pytest.Item = request.node
    lookup = Lookup(node.path.parent, settings.paths)
    try:
        wish = wish_of(node)
        if hasattr(request, "param"):
            return wish, lookup.one(_text(request.param))
        name = wish.scenario or settings.default
        references = lookup.references(name, wish.variant)
        if len(references) == 1:
            return wish, load(references[0])
    except (MarkerError, ScenarioError) as error:
        pytest.fail(f"{_FIXTURE}: {error}", pytrace=False)
    some = ", ".join(identifiers(references[:3]))
    pytest.fail(
        f"{_FIXTURE}: {name!r} stands for {len(references)} cases ({some} …), and this test cannot "
        "be parametrized: name one, or take the fixture as an argument of a test function, with "
        f"{PATHS} and {DEFAULT} that need no other fixtures",
        pytrace=False,
    )


def _text(param: object) -> str:
    if not isinstance(param, (str, Path)):
        raise MarkerError(
            f"parameters have to be names or paths of scenarios, got {type(param).__name__}"
        )
    return str(param)


def _parametrized_already(test: pytest.Item) -> bool:
    """Whether the test itself says with which scenarios it runs."""
    for mark in test.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
        if _FIXTURE in ([n.strip() for n in names.split(",")] if isinstance(names, str) else names):
            return True
    return False


def identifiers(references: Sequence[str]) -> list[str]:
    """Test ids for references: short, readable, ASCII, no two alike.

    Args:
        references: References of scenarios.
    """
    names = [identifier(reference) for reference in references]
    counts = Counter(names)
    longer = [
        identifier(reference, folder=True) if counts[name] > 1 else name
        for name, reference in zip(names, references, strict=True)
    ]
    return _numbered(longer)


def _numbered(names: Sequence[str]) -> list[str]:
    """The same names, with a number to each that is taken already."""
    taken = set(names)
    seen: set[str] = set()
    found = []
    for name in names:
        free = name
        number = 1
        while free in seen or (number > 1 and free in taken):
            number += 1
            free = f"{name}-{number}"
        seen.add(free)
        found.append(free)
    return found


def identifier(reference: str, *, folder: bool = False) -> str:
    """The test id for a reference: ``stls-broken-expired`` for ``stls-broken[expired]``.

    Args:
        reference: Reference of a scenario.
        folder: Whether to begin with the folder that the file is in.
    """
    name, variant = split(reference)
    path = Path(name)
    parts = [path.parent.name] if folder else []
    parts += [path.name.removesuffix(".pop3.yaml"), *([variant] if variant else [])]
    return "-".join(filter(None, map(_readable, parts))) or "scenario"


def _readable(text: str) -> str:
    """The text in ASCII: letters without their accents, anything else as a hyphen."""
    plain = "".join(c for c in normalize("NFKD", text) if not combining(c))
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-")
