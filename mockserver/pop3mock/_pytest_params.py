"""Which scenarios a test runs with: from what its marker says to references that can be loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ._pytest_marker import MarkerError, Wish, split, wish_of
from ._pytest_needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIXTURE = "pop3_server"
_DEFAULT = "default"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once for each scenario that its marker stands for.

    Args:
        metafunc: The test function.

    Raises:
        pytest.Collector.CollectError: The marker is wrong, or names what there is not.
    """
    test = metafunc.definition
    try:
        wish = wish_of(test)
        if missing():
            return  # the fixture will say so, in those tests alone that ask for it
        references = _known(wish, test.path.parent)
    except MarkerError as error:
        text = f"{test.nodeid}: @pytest.mark.pop3: {error}"
        raise pytest.Collector.CollectError(text) from None
    from pop3scenarios import is_glob

    if _FIXTURE not in metafunc.fixturenames or _parametrized_already(test):
        return
    if len(references) > 1 or is_glob(wish.scenario or ""):
        metafunc.parametrize(_FIXTURE, references, indirect=True, ids=identifiers(references))


def chosen(request: pytest.FixtureRequest) -> tuple[Wish, str]:
    """What the server of a test plays.

    Args:
        request: The request for the fixture.

    Returns:
        The test's wish, and the reference of one scenario.
    """
    node: pytest.Item = request.node
    try:
        wish = wish_of(node)
        if hasattr(request, "param"):
            wish = Wish(
                scenario=_text(request.param), tls=wish.tls, users=wish.users, strict=wish.strict
            )
        references = _known(wish, node.path.parent)
    except MarkerError as error:
        pytest.fail(f"{_FIXTURE}: {error}", pytrace=False)
    if len(references) > 1:
        some = ", ".join(identifier(reference) for reference in references[:3])
        pytest.fail(
            f"{_FIXTURE}: {wish.scenario!r} stands for {len(references)} cases ({some} …), and "
            "this test cannot be parametrized: name one, or take the fixture as an argument of a "
            "test function",
            pytrace=False,
        )
    return wish, references[0]


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


def _known(wish: Wish, folder: Path) -> list[str]:
    """References of what a wish stands for; each is loaded once, so that errors show early.

    Paths are relative to ``folder``.
    """
    from pop3scenarios import ScenarioError, expand, load

    try:
        references = expand(wish.scenario or _DEFAULT, wish.variant, beside=folder)
        for reference in references:
            load(reference)
    except ScenarioError as error:
        raise MarkerError(str(error)) from None
    return references


def identifiers(references: Iterable[str]) -> list[str]:
    """Test ids for references: short, readable, ASCII, no two alike.

    Args:
        references: References of scenarios.
    """
    found: dict[str, int] = {}
    names = []
    for reference in references:
        name = identifier(reference)
        found[name] = found.get(name, 0) + 1
        names.append(name if found[name] == 1 else f"{name}-{found[name]}")
    return names


def identifier(reference: str) -> str:
    """The test id for a reference: ``stls-broken-expired`` for ``stls-broken[expired]``.

    Args:
        reference: Reference of a scenario.
    """
    name, variant = split(reference)
    short = Path(name).name.removesuffix(".pop3.yaml")
    text = f"{short}-{variant}" if variant else short
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
