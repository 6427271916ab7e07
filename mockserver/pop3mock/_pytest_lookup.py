"""Where a test's scenarios are looked up: beside its file, then in folders of the suite's own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pop3scenarios import (
    Scenario,
    UnknownScenario,
    did_you_mean,
    expand,
    find,
    is_glob,
    is_path,
    load,
    shipped,
)

from ._pytest_marker import split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX = ".pop3.yaml"


@cache
def _shipped(name: str, variant: str | None) -> tuple[str, ...]:
    """What a shipped name stands for: it is the same from wherever, and as long as we run."""
    return tuple(expand(name, variant))


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds scenarios from where a test stands.

    Attributes:
        beside: The folder of the file that names them.
        paths: Folders of the suite's own, looked up after it, in this order.
    """

    beside: Path
    paths: tuple[Path, ...] = ()

    def references(self, name: str, variant: str | None = None) -> list[str]:
        """What a name or a glob stands for, as :func:`pop3scenarios.load` takes it.

        Args:
            name: A name, ``name[variant]``, a path, or a glob over either.
            variant: The variant, if the name does not say it.

        Raises:
            pop3scenarios.UnknownScenario: Nothing has that name; suggests the nearest.
            pop3scenarios.ScenarioError: A file is wrong.
        """
        if name in shipped():
            return list(_shipped(name, variant))
        if is_glob(name):
            return self._matching(name, variant)
        return expand(name, variant, beside=self._folder_of(split(name)[0]))

    def one(self, name: str | Path | Scenario, variant: str | None = None) -> Scenario:
        """The one scenario that a name stands for, ready to be played.

        Args:
            name: A name, ``name[variant]``, a path; a loaded scenario is it already.
            variant: The variant, if the name does not say it.

        Raises:
            pop3scenarios.UnknownScenario: Nothing, or more than one, has that name.
            pop3scenarios.ScenarioError: A file is wrong.
        """
        if isinstance(name, Scenario):
            return name
        references = self.references(str(name), variant)
        if len(references) > 1:
            hint = "say " + " or ".join(references[:3])
            raise UnknownScenario(f"{str(name)!r} stands for {len(references)} cases", hint)
        return load(references[0])

    def _folder_of(self, name: str) -> Path:
        """The first folder from which a name is found."""
        for folder in self._folders:
            with suppress(UnknownScenario):
                find(name, folder)
                return folder
        if is_path(name):
            raise UnknownScenario(f"there is no file {name}", f"looked in {self._places}")
        near = did_you_mean(name.rpartition("/")[2], [*shipped(), *self._own_names()])
        raise UnknownScenario(
            f"unknown scenario {name!r}",
            near or f"pop3kit scenarios list shows those shipped; also looked in {self._places}",
        )

    def _own_names(self) -> Iterator[str]:
        for folder in self._folders:
            yield from (path.name.removesuffix(_SUFFIX) for path in folder.glob("*" + _SUFFIX))

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.beside, *self.paths)

    @property
    def _places(self) -> str:
        return ", ".join(map(str, self._folders))

    def _matching(self, pattern: str, variant: str | None) -> list[str]:
        """All that a glob matches: over paths in all folders, over names in the suite's own too."""
        if is_path(pattern):
            attempts = [(pattern, folder) for folder in self._folders]
        else:
            own = [(pattern + _SUFFIX, folder) for folder in self.paths]
            attempts = [(pattern, self.beside), *own]
        found: dict[str, None] = {}
        errors = []
        for attempt, folder in attempts:
            try:
                found.update(dict.fromkeys(expand(attempt, variant, beside=folder)))
            except UnknownScenario as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return list(found)
