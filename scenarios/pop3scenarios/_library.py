"""Where scenario files are: the shipped ones by name, a user's own by path."""

from __future__ import annotations

import glob
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


def is_glob(name: str) -> bool:
    """Whether a name stands for all that it matches, such as ``faults/*``.

    Args:
        name: What was asked for.
    """
    return bool(set(name) & set("*?"))


def is_path(name: str) -> bool:
    """Whether a name, or a glob, is about the user's own files, and not about names.

    Args:
        name: What was asked for.
    """
    return name.endswith(SUFFIX) or name.startswith((".", "/", "~"))


def places(name: str, beside: Path | None = None) -> tuple[Path, ...]:
    """Where the file of a scenario may be; the first that is there is the one.

    Args:
        name: A name or a path, as for :func:`find`.
        beside: The folder from which paths and names are looked up; the working directory if None.
    """
    if is_path(name):
        # os.path answers no, where Path raises: for names too long, and for users unknown.
        path = (beside or Path.cwd()) / os.path.expanduser(name)  # noqa: PTH111
        return (path,) if name.endswith(SUFFIX) else (path, Path(f"{path}{SUFFIX}"))
    folder, _, short = name.rpartition("/")
    known = shipped().get(short)
    if known is not None and folder in ("", known.parent.name):
        return (known,)
    return ((beside or Path.cwd()) / (name + SUFFIX),)


def find(name: str, beside: Path | None = None) -> Path:
    """The file of a scenario.

    Args:
        name: A shipped name (``gmail``, also ``servers/gmail``), the name of a file beside
            another, or the path of a file.
        beside: The folder from which paths and names are looked up; the working directory if None.

    Raises:
        UnknownScenario: There is no such file; suggests the nearest name.
    """
    for place in places(name, beside):
        if os.path.isfile(place):  # noqa: PTH113 - as above
            return place
    if is_path(name):
        raise UnknownScenario(f"there is no file {name}")
    raise UnknownScenario(
        f"unknown scenario {name!r}",
        did_you_mean(name.rpartition("/")[2], shipped()) or "pop3kit scenarios list shows them all",
    )


def own_files(pattern: str, beside: Path | None = None) -> list[str]:
    """The scenario files of the user's own that a glob of paths stands for, in order.

    Args:
        pattern: The glob; ``**`` is any folder.
        beside: The folder from which paths are looked up; the working directory if None.

    Returns:
        Their paths, as the pattern has them: a relative one gives relative paths.

    Raises:
        UnknownScenario: There are none.
    """
    base = beside or Path.cwd()
    # glob, not Path.glob: that takes no absolute pattern, and forgets how paths were written.
    home = os.path.expanduser(pattern)  # noqa: PTH111
    found = glob.glob(home, root_dir=base, recursive=True)  # noqa: PTH207
    names = sorted(name for name in found if name.endswith(SUFFIX) and (base / name).is_file())
    if not names:
        raise UnknownScenario(f"no file matches {pattern!r}", f"paths are relative to {base}")
    return names


def kind_of(path: Path) -> str:
    """The folder a shipped file is in (``servers``, ``quirks`` …); for others ``own``."""
    return path.parent.name if path.parent.parent == _ROOT else "own"
