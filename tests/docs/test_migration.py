"""The page for those who come from another client: nothing of what they had is left out."""

from __future__ import annotations

import inspect
import poplib
import re
from pathlib import Path

import pytest

import pop3client

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "migration.md"
POPLIB, _, TCL = PAGE.read_text(encoding="utf-8").partition("\n## From the Tcl package pop3\n")


def cells(text: str, column: int) -> str:
    """All cells of a column of the tables in a text."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") > 2]
    return "\n".join(row.split("|")[column + 1] for row in rows)


def members() -> list[str]:
    """What poplib's classes have that is public: methods, and attributes of an object."""
    source = "".join(map(inspect.getsource, (poplib.POP3, poplib.POP3_SSL)))
    attributes = set(re.findall(r"self\.([a-z]\w*) = ", source)) - {"context", "timeout"}
    public = {name for each in (poplib.POP3, poplib.POP3_SSL) for name in dir(each)}
    return sorted(name for name in public | attributes if not name.startswith("_"))


@pytest.mark.parametrize("name", members())
def test_all_of_poplib(name: str) -> None:
    """Each method and attribute has its line."""
    assert re.search(rf"`{name}\b", cells(POPLIB, 0))


@pytest.mark.parametrize("kind", [poplib.POP3, poplib.POP3_SSL])
def test_all_arguments_of_poplib(kind: type) -> None:
    """Each argument for opening has its line."""
    names = list(inspect.signature(kind).parameters)

    assert names
    assert [name for name in names if not re.search(rf"\b{name}\b", cells(POPLIB, 0))] == []


@pytest.mark.parametrize("name", poplib.__all__)
def test_all_names_of_poplib(name: str) -> None:
    """Classes and the exception have their lines."""
    assert re.search(rf"`{name}\b", cells(POPLIB, 0))


@pytest.mark.parametrize(
    "word",
    [
        *("open", "config", "status", "last", "retrieve", "delete", "list", "top", "uidl", "capa"),
        *("close", "-msex", "-retr-mode", "-socketcmd", "-stls", "-tls-callback"),
        *("start", "next", "end", "-1", "-retr-mode retr", "-retr-mode list", "-retr-mode slow"),
    ],
)
def test_all_of_tcl(word: str) -> None:
    """Each command, option and index word of the classic client has its line."""
    assert re.search(rf"`{re.escape(word)}(?![\w-])", cells(TCL, 0))


@pytest.mark.parametrize("client", [pop3client.POP3Client, pop3client.AsyncPOP3Client])
def test_counterparts_are_there(client: type) -> None:
    """A counterpart is a method of both clients, a name of the package, or a setting."""
    text = cells(POPLIB, 1) + cells(TCL.partition("### Index words")[0], 1)
    known = {*dir(client), *dir(pop3client), *pop3client.Settings.__annotations__}

    named = set(re.findall(r"`(?:pop3client\.)?([A-Za-z_]+)(?=[(=`.])", text))
    python = {"with", "logging", "DEBUG", "load_cert_chain"}

    assert {"retrieve", "tls", "TLSError"} <= named
    assert sorted(named - known - python) == []
