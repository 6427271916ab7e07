"""Which scenarios a test runs with: from what its marker says to references that can be loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ._pytest_marker import MarkerError, Wish, wish_of
from ._pytest_needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIXTURE = "pop3_server"
_DEFAULT = "default"
_REFERENCE = re.compile(r"(?P<name>.+?)(?:\[(?P<variant>[^\[\]/]+)\])?")


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
    if _FIXTURE not in metafunc.fixturenames or _parametrized_already(test):
        return
    if len(references) > 1 or _is_glob(wish.scenario or ""):
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
    """References of what a wish stands for; each is loaded once, so that errors show early."""
    from pop3scenarios import ScenarioError, load

    try:
        references = _expanded(wish, folder)
        for reference in references:
            load(reference)
    except ScenarioError as error:
        raise MarkerError(str(error)) from None
    return references


def _expanded(wish: Wish, folder: Path) -> list[str]:
    """References of the scenarios that a wish stands for; paths are relative to ``folder``."""
    from pop3scenarios import UnknownScenario, expand, find, kind_of

    pattern = wish.scenario or _DEFAULT
    if _is_glob(pattern):
        if wish.variant is not None:
            raise MarkerError(f"variant={wish.variant!r} needs one scenario, not {pattern!r}")
        if not pattern.startswith((".", "/")):
            return expand(pattern)
        paths = _files(pattern, folder)
        if not paths:
            raise UnknownScenario(
                f"no file matches {pattern!r}", "paths are relative to the test file"
            )
        return [reference for path in paths for reference in expand(str(path))]
    parts = _REFERENCE.fullmatch(pattern)
    assert parts is not None
    path = find(parts["name"], folder)
    name = str(path) if kind_of(path) == "own" else parts["name"]
    variant = wish.variant or parts["variant"]
    return [f"{name}[{variant}]"] if variant else expand(name)


def _is_glob(pattern: str) -> bool:
    return bool(set(pattern) & set("*?"))


def _files(pattern: str, folder: Path) -> list[Path]:
    path = Path(pattern)
    if path.is_absolute():
        root = Path(path.anchor)
        return sorted(root.glob(str(path.relative_to(root))))
    return sorted(folder.glob(pattern.removeprefix("./")))


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
    parts = _REFERENCE.fullmatch(reference)
    assert parts is not None
    name = Path(parts["name"]).name.removesuffix(".pop3.yaml")
    text = f"{name}-{parts['variant']}" if parts["variant"] else name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
