"""Where an extra is not installed, an import says which one it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

#: Stands in front of a program that is not to find the modules that its arguments name.
BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

#: What is of the extras, by the name under which it is imported.
EXTRA = ("yaml", "pydantic", "pydantic_core", "trustme", "scramp", "locust")


def error_of(program: str, *absent: str) -> str:
    """The last line of what a program says that does not find these modules."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKER + program, *absent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("program", "needs", "extra"),
    [
        ("from pop3mock import MockServer", "pop3mock needs pydantic", "mock"),
        ("import pop3scenarios", "pop3scenarios needs pydantic", "mock"),
        ("import pop3check", "pop3check needs pydantic", "check"),
    ],
)
def test_base_install(program: str, needs: str, extra: str) -> None:
    """With the client alone, each of the other packages names its own extra."""
    line = error_of(program, *EXTRA)

    assert line == f"ModuleNotFoundError: {needs}: pip install 'pop3kit[{extra}]'"


@pytest.mark.parametrize(
    ("program", "absent", "extra"),
    [
        ("import pop3scenarios", "yaml", "mock"),
        ("import pop3check.locust", "locust", "load"),
    ],
)
def test_one_is_missing(program: str, absent: str, extra: str) -> None:
    """What is missing is named, and the extra that it is of."""
    line = error_of(program, absent)

    assert line.endswith(f" needs {absent}: pip install 'pop3kit[{extra}]'")


def test_own_module_is_missing() -> None:
    """A fault of the kit's own is not taken for something that could be installed."""
    program = "import pop3mock; pop3mock._HOME['spoken'] = '_nowhere'; pop3mock.spoken"

    line = error_of(program)

    assert line == "ModuleNotFoundError: No module named 'pop3mock._nowhere'"
