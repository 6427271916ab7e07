"""The requirements, the tests that show them, and the rows that have none, with the reason."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).parent


def rows() -> dict[str, str]:
    """Every requirement: its id, and what it says in one line."""
    return _table("rows.yaml")


def exempt() -> dict[str, str]:
    """Rows that have no test, each with the reason."""
    return _table("exempt.yaml")


def _table(name: str) -> dict[str, str]:
    found = yaml.safe_load((HERE / name).read_text("utf-8"))
    assert isinstance(found, dict), name
    return found


@cache
def names_of_tests() -> tuple[str, ...]:
    """The names of all tests in this folder, but for those of the catalogue itself."""
    paths = [path for path in sorted(HERE.glob("test_*.py")) if path.stem != "test_catalogue"]
    return tuple(name for path in paths for name in _tests_in(path))


def _tests_in(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def prefix_of(row: str) -> str:
    """How the name of a row's test begins: ``test_rfc2449_6_1_01_`` for RFC2449-6.1-01."""
    return f"test_{re.sub('[-.]', '_', row.lower())}_"


def missing(known: Iterable[str], excused: Iterable[str], names: Iterable[str]) -> list[str]:
    """Rows that have neither a test nor a reason.

    Args:
        known: The ids of all rows.
        excused: The ids of rows that need no test.
        names: The names of the tests.
    """
    tested = tuple(names)
    left = set(known) - set(excused)
    return sorted(row for row in left if not any(n.startswith(prefix_of(row)) for n in tested))


def unknown(known: Iterable[str], names: Iterable[str]) -> list[str]:
    """Tests whose name begins with no row's id.

    Args:
        known: The ids of all rows.
        names: The names of the tests.
    """
    prefixes = tuple(prefix_of(row) for row in known)
    return [name for name in names if not name.startswith(prefixes)]
