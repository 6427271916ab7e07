"""The marker ``pop3``: read, checked, and merged over test, class and module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from ._performance import TLSMode

_KEYWORDS = ("scenario", "variant", "tls", "users", "strict")
_TLS = ("none", "stls", "implicit")
#: A glob has no variant: brackets in it are a choice of characters.
_REFERENCE = re.compile(r"(?P<name>[^*?]+?)\[(?P<variant>[^\[\]/]+)\]")


class MarkerError(ValueError):
    """A marker says something that it cannot say; tells which, and what was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a test wants of its server.

    Attributes:
        scenario: Name, path or glob; None if no marker says.
        variant: The variant.
        tls: How clients get TLS, in place of what the scenario says.
        users: Names and passwords, in place of the scenario's.
        strict: Whether clients are judged; None leaves it to the ini option.
    """

    scenario: str | None = None
    variant: str | None = None
    tls: TLSMode | None = None
    users: Mapping[str, str] | None = None
    strict: bool | None = None


def wish_of(node: pytest.Item) -> Wish:
    """What the markers of a test say together; the closest wins.

    Args:
        node: The test.

    Raises:
        MarkerError: A marker is wrong.
    """
    values: dict[str, Any] = {}
    for mark in node.iter_markers("pop3"):
        given = _read(mark)
        if "scenario" in values:
            given.pop("variant", None)  # a variant is one of the scenario beside it
        for name, value in given.items():
            values.setdefault(name, value)
    return Wish(**values)


def _read(mark: pytest.Mark) -> dict[str, Any]:
    """What a marker says, checked; what it leaves open (None) is left out."""
    if len(mark.args) > 1:
        _wrong(f"takes one scenario, got {len(mark.args)}: {', '.join(map(repr, mark.args))}")
    given = dict(mark.kwargs)
    for name in given:
        if name not in _KEYWORDS:
            _wrong(f"unknown keyword {name!r} ({_suggestion(name, _KEYWORDS)})")
    if mark.args:
        if "scenario" in given:
            _wrong("names the scenario twice")
        given["scenario"] = mark.args[0]
    said = {name: value for name, value in given.items() if value is not None}
    return _parted({name: _checked(name, value) for name, value in said.items()})


def _parted(said: dict[str, Any]) -> dict[str, Any]:
    """The same with a variant taken out of the brackets: a closer marker may replace it."""
    name, variant = split(said.get("scenario", ""))
    if variant is None or said.get("variant", variant) != variant:
        return said  # of two variants the loader tells that they are two
    return {**said, "scenario": name, "variant": variant}


def split(reference: str) -> tuple[str, str | None]:
    """The name and the variant of a reference; without loading what reads scenarios.

    Args:
        reference: A name, ``name[variant]``, a path or a glob.
    """
    parts = _REFERENCE.fullmatch(reference)
    return (reference, None) if parts is None else (parts["name"], parts["variant"])


def _checked(name: str, value: object) -> object:
    if name == "tls" and isinstance(value, str) and value not in _TLS:
        _wrong(f"unknown tls {value!r} ({_suggestion(value, _TLS)})")
    if not _fits(name, value):
        _wrong(f"{name} has to be {_EXPECTED[name]}, got {_got(name, value)}")
    return str(value) if isinstance(value, Path) else value


def _fits(name: str, value: object) -> bool:
    match name:
        case "scenario":
            return isinstance(value, (str, Path)) and bool(str(value))
        case "users":
            return _is_users(value)
        case "strict":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _is_users(value: object) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(text, str) for pair in value.items() for text in pair)


def _got(name: str, value: object) -> str:
    """What came instead, down to the user whose entry is wrong."""
    if name == "users" and isinstance(value, Mapping):
        for user, password in value.items():
            if not isinstance(user, str):
                return f"{user!r} as the name of a user"
            if not isinstance(password, str):
                return f"{_shown(password)} for {user!r}"
    return type(value).__name__


def _shown(password: object) -> str:
    """A number or None, which was meant as a string; of all else, as octets, only the type."""
    plain = password is None or isinstance(password, int | float)
    return repr(password) if plain else type(password).__name__


_EXPECTED = {
    "scenario": "a name, a path or a glob",
    "variant": "the name of a variant",
    "users": "a mapping of user names to passwords, at least one",
    "strict": "True or False",
    "tls": "'none', 'stls' or 'implicit'",
}


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"it is one of {', '.join(known)}"


def _wrong(text: str) -> NoReturn:
    raise MarkerError(text)
