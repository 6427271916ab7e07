"""Says what to install where the base install stands alone; imported before all else."""

from __future__ import annotations

try:
    import pop3scenarios  # noqa: F401 - it needs what this package needs
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"pop3check needs {error.name}: pip install 'pop3kit[check]'", name=error.name
    ) from None
