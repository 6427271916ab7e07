"""Options that belong together: a command is given them as one value."""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def gathered(kind: type[Any], *options: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Make a decorator that gives a command some of its options as one value.

    Args:
        kind: A dataclass with a field for each option. The command's parameter is called as the
            class is, in lower case.
        *options: From ``click.option``, in the order in which the help shows them.
    """
    names = [field.name for field in fields(kind)]

    def decorate(function: _Function) -> _Function:
        @wraps(function)
        def call(*arguments: Any, **values: Any) -> Any:  # noqa: ANN401 - whatever click gives
            own = kind(**{name: values.pop(name) for name in names})
            return function(*arguments, **values, **{kind.__name__.lower(): own})

        result: Any = call
        for option in reversed(options):
            result = option(result)
        return result  # type: ignore[no-any-return]

    return decorate
