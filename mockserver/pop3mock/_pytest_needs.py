"""What the fixtures need installed, and how to say so if it is not."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import pytest

_MODULES = ("yaml", "pydantic", "trustme")


@cache
def missing() -> tuple[str, ...]:
    """Names of the modules that the mock server needs and that are not installed."""
    return tuple(name for name in _MODULES if not _is_there(name))


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def needs_mock(fixture: str) -> None:
    """End the set-up of a fixture, with advice, if the mock server cannot be imported.

    Args:
        fixture: Name of the fixture.
    """
    if names := missing():
        pytest.fail(
            f"{fixture} needs {', '.join(names)}, not installed here: "
            "pip install 'pop3kit[pytest]'",
            pytrace=False,
        )
