"""The shipped scenario files as files: whole, explained, and each with a test of its octets."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from pop3scenarios import check, expand, kind_of, load, shipped

pytestmark = pytest.mark.once

#: The folders of what servers do, and how many files each is known to have.
FOLDERS = {"servers": 24, "quirks": 146, "faults": 12, "conversations": 10}
FILES = {name: path for name, path in shipped().items() if kind_of(path) in FOLDERS}
REFERENCES = [reference for name in FILES for reference in expand(name)]

#: How an id of the catalogue of requirements looks: RFC1939-5-13, RFC8314-3.1-01.
REQUIREMENT = re.compile(r"(RFC[0-9]+-[0-9.]+|SEC|IOP|HIST)-[0-9]{2}\b")


def strings_in(path: Path) -> set[str]:
    """Every string that stands in a Python file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


@cache
def named_in_tests() -> frozenset[str]:
    """Every string of the tests of octets."""
    paths = Path(__file__).parent.glob("test_library_*.py")
    tests = (path for path in paths if path.name != "test_library_client.py")
    return frozenset(string for path in tests for string in strings_in(path))


@pytest.mark.parametrize("name", FILES)
def test_no_problems(name: str) -> None:
    """A shipped file has nothing wrong with it."""
    assert check(FILES[name]) == []


@pytest.mark.parametrize("reference", REFERENCES)
def test_says_what_and_why(reference: str) -> None:
    """A shipped file says what is seen, who saw it, and what a naive client does wrong."""
    scenario = load(reference)

    assert scenario.file.name == FILES[scenario.file.name].name.removesuffix(".pop3.yaml")
    assert scenario.summary
    assert "\n" not in scenario.summary
    assert len(scenario.file.why.split()) > 20
    assert scenario.file.references


@pytest.mark.parametrize("name", [name for name in FILES if load(expand(name)[0]).file.breaks])
def test_breaks_a_requirement(name: str) -> None:
    """A file that breaks an RFC says which requirement, by an id of the catalogue."""
    breaks = load(expand(name)[0]).file.breaks

    assert REQUIREMENT.match(breaks.removeprefix("NON-STRICT: ").removeprefix("INFO: "))


@pytest.mark.parametrize("reference", REFERENCES)
def test_notices_are_quirks(reference: str) -> None:
    """What a client notices is named by a shipped quirk, each once."""
    notices = load(reference).expect.fetch.notices

    assert notices is not None
    assert len(set(notices)) == len(notices)
    assert {kind_of(FILES[notice]) for notice in notices} <= {"quirks"}


@pytest.mark.parametrize("reference", REFERENCES)
def test_fetch_is_told_in_full(reference: str) -> None:
    """How a fetch of all mail ends is told without gaps and without contradictions."""
    fetch = load(reference).expect.fetch

    assert fetch.ends is not None
    assert fetch.tls is not None
    assert (fetch.intact is not None) == (fetch.ends == "partial")
    assert fetch.ends != "refused" or fetch.error is not None


@pytest.mark.parametrize(("folder", "count"), FOLDERS.items())
def test_nothing_is_missing(folder: str, count: int) -> None:
    """Each folder has the files that it is known to have; the names are ids, they stay."""
    assert sum(kind_of(path) == folder for path in FILES.values()) >= count


@pytest.mark.parametrize("reference", REFERENCES)
def test_each_has_a_test_of_its_octets(reference: str) -> None:
    """A file, or a variant, that no test of the octets names is not finished."""
    assert reference in named_in_tests()
