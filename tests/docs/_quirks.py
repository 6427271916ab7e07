"""The page that shows what the client does about each quirk, made of what the tests hold it to.

How a fetch ends under a scenario is told by the scenario's ``expect.fetch``, which
``tests/cli/test_trial.py`` and ``tests/client/test_quirks.py`` hold the clients to.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

import pop3client
from pop3kit._trial import _KINDS
from pop3scenarios import expand, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pop3scenarios import Scenario

TESTS = Path(__file__).parent.parent

_HEAD = """\
<!-- Generated: python -m tests.docs > docs/quirks.md -->

# Quirks

What the reference client does under every scenario that the kit ships, and which deviations it
knows. `pop3kit scenarios show NAME` shows a scenario, `pop3kit demo --only NAME` plays it.

Each line is a test: the client connects, logs in with USER and PASS, fetches all messages, asks
what is named as asked besides, and QUITs (`tests/cli/test_trial.py`); the asyncio client ends as
the blocking one does (`tests/client/test_quirks.py`). A quirk of a command that is not among these
does not show here, and takes nothing from a fetch; the last column names further tests of the
client, in `tests/client/`, that play it or its octets.

*intact* means octet for octet as the server has it. *mode* is the retrieval mode that the client
has fallen to. What a client cannot know it does not notice: a message that a server has changed is
as good as any other.
"""

#: The folders of the library that servers play, and what they hold.
_FOLDERS = {
    "servers": ("Servers", "Servers as they are, or were: each has several quirks."),
    "quirks": ("Quirks, one by one", "One way in which servers surprise clients each."),
    "faults": ("Faults", "What networks and broken servers do."),
}

_COLUMNS = ("scenario", "what the server does", "what the client does", "notices", "further tests")


def page() -> str:
    """The page, in Markdown."""
    lines = [_HEAD, *_deviations()]
    for folder, (title, words) in _FOLDERS.items():
        lines += [f"## {title}\n", f"{words}\n"]
        lines += _table(_COLUMNS, map(_row, _scenarios(folder)))
    lines += [*_references(), *_catalogue()]
    return "\n".join(lines).rstrip("\n") + "\n"


@cache
def _scenarios(folder: str) -> Sequence[Scenario]:
    return [load(reference) for reference in expand(f"{folder}/*")]


# What the client knows


def _deviations() -> Iterator[str]:
    yield "## Deviations\n"
    yield (
        "What `client.deviations` can name. With `strict=True` those that break an RFC are\n"
        "errors. `tests/client/test_deviations.py` shows each to both clients, whole and octet by\n"
        "octet.\n"
    )
    rows = (
        (f"`{name}`", _prose(quirk.summary), _prose(quirk.breaks), _noticed_under(name))
        for name, quirk in pop3client.QUIRKS.items()
    )
    yield from _table(("deviation", "what the server does", "breaks", "noticed under"), rows)


def _noticed_under(quirk: str) -> str:
    """The scenarios in which a fetch shows a quirk; else the one that plays it by its name."""
    names = dict.fromkeys(
        scenario.file.name
        for folder in _FOLDERS
        for scenario in _scenarios(folder)
        if quirk in (scenario.expect.fetch.notices or ())
    )
    own = [quirk] if quirk in {scenario.file.name for scenario in _scenarios("quirks")} else []
    return ", ".join(f"`{name}`" for name in dict.fromkeys([*own, *names]))


# What happens under each scenario


def _row(scenario: Scenario) -> tuple[str, ...]:
    notes = ", ".join(f"`{name}`" for name in scenario.expect.fetch.notices or ())
    tests = ", ".join(f"`{name}`" for name in _played_by(scenario.file.name))
    return f"`{scenario.name}`", _seen(scenario), _outcome(scenario), notes, tests


def _seen(scenario: Scenario) -> str:
    parts = dict.fromkeys([scenario.file.summary, scenario.summary])
    return _prose(": ".join(parts))


def _outcome(scenario: Scenario) -> str:
    """What a fetch comes to, in words."""
    fetch = scenario.expect.fetch
    parts = [_end(scenario)]
    if fetch.mode and fetch.mode != (fetch.start or "retr"):
        parts.append(f"mode {fetch.mode}{', by `msex=True`' if fetch.msex else ''}")
    if fetch.lost:
        parts.append(f"{fetch.lost} message(s) are lost at the server")
    if fetch.also:
        parts.append(f"asked besides: {', '.join(fetch.also)}")
    return "; ".join(parts)


def _end(scenario: Scenario) -> str:
    fetch = scenario.expect.fetch
    error = f"`{_class_of(fetch.error)}`" if fetch.error else ""
    if fetch.ends == "refused":
        return f"**refused**: {error} before any message"
    if fetch.ends == "complete":
        return f"**complete**, then {error}" if error else "**complete**"
    intact = "" if fetch.intact is None else f", {fetch.intact} intact"
    if error:
        return f"**partial**{intact}: {error} with what came before"
    return f"**partial**{intact}: the others are not as the server has them"


def _class_of(kind: str) -> str:
    return next(error.__name__ for error, name in _KINDS if name == kind)


def _played_by(name: str) -> list[str]:
    return [
        path.name
        for path in sorted((TESTS / "client").glob("test_*.py"))
        if any(text == name or text.startswith(f"{name}[") for text in _texts(path))
    ]


@cache
def _texts(path: Path) -> frozenset[str]:
    """All literal texts of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


# Where it is from


def _references() -> Iterator[str]:
    yield "## References\n"
    yield "Where each scenario was seen, or what it breaks.\n"
    files = {each.file.name: each.file for folder in _FOLDERS for each in _scenarios(folder)}
    rows = (
        (f"`{name}`", _prose("; ".join(file.references)), _prose(file.breaks or ""))
        for name, file in files.items()
    )
    yield from _table(("scenario", "references", "breaks"), rows)


def _catalogue() -> Iterator[str]:
    """The rows of the catalogue of quirks that no scenario has by the same name."""
    yield "## Rows of the catalogue\n"
    yield (
        "Every row of the catalogue of quirks is played by a scenario of the same name, or as\n"
        "told here.\n"
    )
    told: dict[str, list[str] | str] = {}
    for path in sorted((TESTS / "library" / "rows").glob("*.yaml")):
        told |= yaml.safe_load(path.read_text("utf-8"))
    rows = ((f"`{row}`", _players(told[row])) for row in told if told[row] != [row])
    yield from _table(("row", "played by"), rows)


def _players(told: list[str] | str) -> str:
    """The scenarios of a row, or why there is none."""
    return _prose(told) if isinstance(told, str) else ", ".join(f"`{name}`" for name in told)


# Markdown


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _prose(text: str) -> str:
    """Text of which Markdown must not take any for its own."""
    for char, shown in (("<", "&lt;"), (">", "&gt;"), ("*", r"\*"), ("|", r"\|"), ("_", r"\_")):
        text = text.replace(char, shown)
    return " ".join(text.split())
