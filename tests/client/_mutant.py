"""Runs tests on the client with one module changed: a program, for a process of its own.

``JOB`` is given to it. What pytest prints goes to a file, and its status is the program's.
"""

# ruff: noqa: ARG002 - what importlib says to a loader is more than this one has to know

from __future__ import annotations

import os
import sys
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.util import spec_from_loader
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from pathlib import Path

#: The status if the changed module was never imported; pytest has no such status.
UNUSED = 70


class Job(NamedTuple):
    """What is run on what, and where.

    Attributes:
        module: A module of the client.
        code: The code that it is given.
        tests: The tests, as pytest names them.
        one_of_each: Whether of each test only one set of parameters is tried, with either client.
        settings: Pytest's settings, in a folder in which the run may write.
        output: The file to which pytest prints.
    """

    module: Path
    code: str
    tests: list[str]
    one_of_each: bool
    settings: Path
    output: Path


class Changed(MetaPathFinder, ExecutionLoader):
    """Finds and loads one module, with other code than its file has."""

    def __init__(self, path: Path, code: str) -> None:
        self._name = f"pop3client.{path.stem}"
        self._path = path
        self._code = code

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """The module, if that is what is looked for."""
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def get_filename(self, fullname: str) -> str:
        """Where the code would stand."""
        return str(self._path)

    def get_source(self, fullname: str) -> str:
        """The other code."""
        return self._code

    def is_package(self, fullname: str) -> bool:
        """Modules have no checks below them."""
        return False

    def is_in_use(self) -> bool:
        """Whether the tests have imported the module from here."""
        return getattr(sys.modules.get(self._name), "__loader__", None) is self


class OneOfEach:
    """Leaves one set of parameters of each test, with either client: a plugin of pytest's."""

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Leave them."""
        kinds = ((item, getattr(item, "callspec", None)) for item in items)
        items[:] = {
            (item.function, spec and spec.params.get("kind")): item for item, spec in kinds
        }.values()


def run(job: Job) -> int:
    """Run the tests; gives pytest's status, or `UNUSED`."""
    assert not [name for name in sys.modules if name.partition(".")[0] == "pop3client"]
    folder = job.settings.parent
    # Of the client and its tests all is compiled once, whatever the run outside has been told.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(folder / "compiled")
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    os.chdir(folder)
    with job.output.open("wb") as output:
        for descriptor in (1, 2):  # standard output and standard error
            os.dup2(output.fileno(), descriptor)
    changed = Changed(job.module, job.code)
    sys.meta_path.insert(0, changed)
    arguments = [
        *("-c", str(job.settings), f"--rootdir={folder}", "--import-mode=importlib"),
        *("-x", "-q", "--no-header", "--tb=short", "--assert=plain"),
        *("-p", "no:cacheprovider"),
    ]
    status = pytest.main([*arguments, *job.tests], [OneOfEach()] if job.one_of_each else [])
    return status if changed.is_in_use() else UNUSED


if __name__ == "__main__":
    sys.exit(run(Job(**globals()["JOB"])))
