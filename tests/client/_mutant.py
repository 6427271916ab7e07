"""Runs tests of the client, one module of which has other code; a program, for a process of its own.

``JOB`` is given to it. What pytest prints goes to a file, and its status is the program's.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    JOB: dict[str, str]


class Job(NamedTuple):
    """What is run on what, and where; text, since it goes to another process.

    Attributes:
        module: The path of a module of the client.
        code: The code that it is given.
        tests: The tests, as pytest names them, one a line.
        settings: The path of pytest's settings.
        output: The path of the file to which pytest prints.
    """

    module: str
    code: str
    tests: str
    settings: str
    output: str


class Other:
    """Finds and loads one module, with other code than its file has."""

    def __init__(self, path: Path, code: str) -> None:
        self._name = f"pop3client.{path.stem}"
        self._path = path
        self._code = code

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The module, if that is what is looked for."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def create_module(self, spec: ModuleSpec) -> None:
        """Have an ordinary module made."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        exec(compile(self._code, self._path, "exec"), vars(module))

    def is_in_use(self) -> bool:
        """Whether the tests have imported the module with its other code."""
        module = sys.modules.get(self._name)
        return module is not None and module.__loader__ is self


def run(job: Job) -> int:
    """Run the tests; gives pytest's status, and 70 if it was not the other code that ran."""
    assert not [name for name in sys.modules if name.split(".")[0] == "pop3client"]
    settings = Path(job.settings)
    # Of the tests and of the client all is compiled once, whatever the outer run has set.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(settings.parent / "compiled")
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    os.chdir(settings.parent)
    with Path(job.output).open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    other = Other(Path(job.module), job.code)
    sys.meta_path.insert(0, other)
    status = pytest.main(
        [
            *("-c", job.settings, f"--rootdir={settings.parent}", "--import-mode=importlib"),
            *("-x", "-q", "--no-header", "--tb=line", "--assert=plain"),
            *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
            *job.tests.splitlines(),
        ]
    )
    return status if other.is_in_use() else 70


if __name__ == "__main__":
    sys.exit(run(Job(**JOB)))
