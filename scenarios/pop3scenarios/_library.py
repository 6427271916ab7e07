"""Where scenario files are: the shipped ones by name, a user's own by path."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from ._errors import UnknownScenario, did_you_mean

SUFFIX = ".pop3.yaml"
FOLDERS = ("servers", "quirks", "faults", "conversations", "conformance")

_ROOT = Path(__file__).parent
_REFERENCE = re.compile(r"(?P<name>.+?)(?:\[(?P<variant>[^\[\]]+)\])?", re.DOTALL)


@cache
def shipped() -> dict[str, Path]:
    """The shipped scenario files by name, folder by folder in the order of :data:`FOLDERS`."""
    return {
        path.name.removesuffix(SUFFIX): path
        for folder in FOLDERS
        for path in sorted((_ROOT / folder).glob("*" + SUFFIX))
    }


def split_reference(reference: str) -> tuple[str, str | None]:
    """Name and variant of a reference such as ``stls-broken[expired]``."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise UnknownScenario(
            f"{reference!r} is no scenario: expected name, name[variant] or a path"
        )
    return found["name"], found["variant"]


def find(name: str, beside: Path | None = None) -> Path:
    """The file of a scenario.

    Args:
        name: A shipped name (``gmail``, also ``servers/gmail``), the name of a file beside
            another, or the path of a file.
        beside: The folder from which paths and names are looked up; the working directory if None.

    Raises:
        UnknownScenario: There is no such file; suggests the nearest name.
    """
    base = beside or Path.cwd()
    if name.endswith(SUFFIX) or name.startswith((".", "/", "~")):
        # os.path answers no, where Path raises: for names too long, and for users unknown.
        path = base / os.path.expanduser(name)  # noqa: PTH111
        for candidate in (path, Path(f"{path}{SUFFIX}")):
            if os.path.isfile(candidate):  # noqa: PTH113
                return candidate
        raise UnknownScenario(f"there is no file {name}")
    folder, _, short = name.rpartition("/")
    known = shipped().get(short)
    if known is not None and folder in ("", known.parent.name):
        return known
    own = base / (name + SUFFIX)
    if os.path.isfile(own):  # noqa: PTH113
        return own
    raise UnknownScenario(
        f"unknown scenario {name!r}",
        did_you_mean(short, shipped()) or "pop3kit scenarios list shows them all",
    )


def kind_of(path: Path) -> str:
    """The folder a shipped file is in (``servers``, ``quirks`` …); for others ``own``."""
    return path.parent.name if path.parent.parent == _ROOT else "own"
