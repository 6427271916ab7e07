"""Says what to install where the base install stands alone; imported before all else."""

from __future__ import annotations

try:
    import pydantic  # noqa: F401
    import yaml  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"pop3scenarios needs {error.name}: pip install 'pop3kit[mock]'", name=error.name
    ) from None
