"""Where the pytest plugin is not used, or cannot be: it costs nothing and leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from conftest import Run


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"yaml", "pydantic", "pydantic_core", "trustme"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""


def test_dependencies_missing(pytester: pytest.Pytester, settings: Path) -> None:
    """Without the mock's dependencies only tests that use it fail, and say what to install."""
    pytester.makepyfile(
        blocker=BLOCKER,
        test_it="""
            import pytest

            def test_unrelated(): ...

            @pytest.mark.pop3("faults/*")
            def test_marked(pop3_server): ...

            def test_context(pop3_client_context): ...

            def test_file(pop3_ca): ...
        """,
    )

    result = pytester.runpytest_subprocess("-p", "blocker", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines(
        ["*pop3_server_factory needs yaml, pydantic, trustme, *: pip install 'pop3kit[[]pytest[]]'"]
    )


def test_import_is_light() -> None:
    """The entry point imports nothing but pytest, and of the kit only itself."""
    program = """
import json, sys
import pytest
before = set(sys.modules)
import pop3mock.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == ["pop3mock", "pop3mock.plugin"]


def test_run_that_does_not_use_it(pytester: pytest.Pytester) -> None:
    """A run without our fixtures and markers loads none of the kit but the plugin."""
    pytester.makepyfile("""
        import sys

        def test():
            kit = {"pop3mock", "pop3scenarios", "pop3client"}
            loaded = {name for name in sys.modules if name.partition(".")[0] in kit}
            assert loaded == {"pop3mock", "pop3mock.plugin"}
            assert not {"yaml", "pydantic", "trustme"} & set(sys.modules)
    """)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

    result.assert_outcomes(passed=1)


def test_nothing_is_left(run: Run) -> None:
    """After the session the event loop's thread is gone; the leak check sees to the rest."""
    result = run("""
import threading

def test(pop3_server):
    assert "pop3mock" in {thread.name for thread in threading.enumerate()}

def test_still_there():
    assert "pop3mock" in {thread.name for thread in threading.enumerate()}
""")

    result.assert_outcomes(passed=2)
