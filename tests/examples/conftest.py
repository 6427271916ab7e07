"""The kit as its users get it: a wheel, installed into an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def _packages_of_tox() -> Iterator[Path]:
    """The packages that tox has built for this run; none outside tox."""
    for name in filter(None, os.environ.get("TOX_PACKAGE", "").split(os.pathsep)):
        yield Path(name)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the kit: tox's, else one that is built now."""
    found = [path for path in _packages_of_tox() if path.suffix == ".whl"]
    if not found:
        folder = tmp_path_factory.mktemp("wheel")
        subprocess.run(
            [*PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True, timeout=100
        )
        found = list(folder.glob("*.whl"))
    return found[0]


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel with its extra ``pytest``, and no more."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run(
        [*PIP, "--python", python, "install", f"{wheel}[pytest]"], check=True, timeout=100
    )
    return python
