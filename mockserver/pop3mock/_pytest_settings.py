"""What a suite sets by overriding fixtures: its default scenario, and where its own ones are."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    Definitions = Sequence[pytest.FixtureDef[Any]]

PATHS = "pop3_scenario_paths"
DEFAULT = "pop3_default_scenario"


class SettingError(ValueError):
    """A fixture that was overridden gives what it cannot give; tells which."""


class _NotYet(Exception):
    """A setting needs what there is only when tests run."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that hold for a test.

    Attributes:
        default: The scenario, or the glob, where no marker names one.
        paths: Folders in which scenarios are looked up by name.
    """

    default: str
    paths: tuple[Path, ...]


def checked(config: pytest.Config, default: object, paths: object) -> Settings:
    """Settings from what the fixtures give.

    Args:
        config: Relative folders begin at its root.
        default: What ``pop3_default_scenario`` gives.
        paths: What ``pop3_scenario_paths`` gives.

    Raises:
        SettingError: That cannot be.
    """
    if not isinstance(default, (str, Path)) or not str(default):
        raise SettingError(
            f"{DEFAULT} has to be a name, a path or a glob, got {type(default).__name__}"
        )
    return Settings(str(default), tuple(_folders(config, paths)))


def settled(config: pytest.Config, default: object, paths: object) -> Settings:
    """The same for a fixture, whose set-up ends with the error's text if they cannot be.

    Args:
        config: Relative folders begin at its root.
        default: What ``pop3_default_scenario`` gives.
        paths: What ``pop3_scenario_paths`` gives.
    """
    try:
        return checked(config, default, paths)
    except SettingError as error:
        pytest.fail(str(error), pytrace=False)


def _folders(config: pytest.Config, paths: object) -> Iterable[Path]:
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise SettingError(f"{PATHS} has to be a list of folders, got {type(paths).__name__}")
    for path in paths:
        if not isinstance(path, (str, Path)):
            raise SettingError(f"{PATHS} has to list folders, got {type(path).__name__}")
        folder = config.rootpath / Path(path).expanduser()
        if not folder.is_dir():
            raise SettingError(f"{PATHS}: there is no folder {folder}")
        yield folder


def foreseen(metafunc: pytest.Metafunc) -> Settings | None:
    """The settings that will hold for a test that takes the fixtures.

    Fixtures do not run while tests are collected; but settings decide for how many scenarios a
    name stands, so an override that needs no other fixture is asked for its value all the same.

    Args:
        metafunc: The test function.

    Returns:
        The settings; None if an override needs other fixtures, and so is not known yet.

    Raises:
        SettingError: They cannot be.
    """
    try:
        default, paths = (
            _value(metafunc.config, name, _definitions(metafunc, name)) for name in (DEFAULT, PATHS)
        )
    except _NotYet:
        return None
    return checked(metafunc.config, default, paths)


def _value(config: pytest.Config, name: str, definitions: Definitions) -> object:
    """What the closest of a fixture's definitions gives."""
    function = definitions[-1].func
    given: dict[str, object] = {}
    if _is_lazy(function):
        raise _NotYet
    for asked in inspect.signature(function).parameters:
        if asked == "pytestconfig":
            given[asked] = config
        elif asked == name:  # it extends what it overrides
            given[asked] = _value(config, name, definitions[:-1])
        else:
            raise _NotYet
    return function(**given)


def overrides_default(metafunc: pytest.Metafunc) -> bool:
    """Whether a suite has a default scenario of its own, for a test that takes the server.

    Args:
        metafunc: The test function.
    """
    return len(_definitions(metafunc, DEFAULT)) > 1


def _definitions(metafunc: pytest.Metafunc, name: str) -> Definitions:
    """The definitions of a fixture that the test can see, the closest last.

    There is no public name for them; tests hold it for the oldest and the newest pytest.
    """
    return metafunc._arg2fixturedefs.get(name, ())


def _is_lazy(function: object) -> bool:
    return (
        inspect.isgeneratorfunction(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function)
    )
