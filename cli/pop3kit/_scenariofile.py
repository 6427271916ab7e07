"""A scenario that the command has made: its name, and how it and what it names get on the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pop3scenarios import ScenarioError, load

from ._failures import Failure, UsageFailure, system_failure
from ._wholefile import write_whole

if TYPE_CHECKING:
    from pop3check import Written

_SUFFIX = ".pop3.yaml"


def name_of(path: Path) -> str:
    """The name of the scenario in a file.

    Args:
        path: The file.

    Raises:
        UsageFailure: It is not called as such a file is.
    """
    from pop3scenarios.tools import starter

    name = path.name.removesuffix(_SUFFIX)
    if name == path.name:
        raise UsageFailure(f"{path}: expected a name that ends in {_SUFFIX}")
    try:
        starter(name)
    except ValueError as error:
        raise UsageFailure(f"{path}: {error}") from None
    return name


def put(written: Written, path: Path) -> None:
    """Write a scenario and the files that it names, once it is known to be right.

    Args:
        written: The texts.
        path: Where the scenario is to be.

    Raises:
        Failure: It is no scenario that can be loaded; nothing is written.
        SystemFailure: A file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        _write(written, trial)
        try:
            load(trial)
        except ScenarioError as error:
            raise Failure(f"what was seen makes no scenario: {error}") from None
    _write(written, path)


def _write(written: Written, path: Path) -> None:
    for name, octets in written.files.items():
        file = path.parent / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise system_failure("cannot make", file.parent, error) from None
        write_whole(file, octets)
    write_whole(path, written.text.encode())
