"""The first use of a name of this package, where its dependencies may turn out to be missing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def module(name: str) -> ModuleType:
    """Import a module of this package.

    Args:
        name: Its name within the package.

    Raises:
        ModuleNotFoundError: What it needs is not installed; says which extra has it.
    """
    try:
        return import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", __package__):
            raise  # no extra has it
        raise ModuleNotFoundError(
            f"{__package__} needs {error.name}: pip install 'pop3kit[mock]'", name=error.name
        ) from None
