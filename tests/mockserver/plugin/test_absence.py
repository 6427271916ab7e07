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
heavy = {"yaml", "ssl", "asyncio", "pydantic", "trustme"} & set(sys.modules)
print(json.dumps([sorted(set(sys.modules) - before), sorted(heavy)]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == [["pop3mock", "pop3mock.plugin"], []]


def test_run_that_does_not_use_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without our fixtures and markers loads none of the kit but the plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others load what they like
    pytester.makepyfile("""
        import sys
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test(turn, tmp_path):
            kit = {"pop3mock", "pop3scenarios", "pop3client"}
            loaded = {name for name in sys.modules if name.partition(".")[0] in kit}
            assert loaded == {"pop3mock", "pop3mock.plugin"}
            assert not {"yaml", "ssl", "asyncio", "pydantic", "trustme"} & set(sys.modules)
    """)

    result = pytester.runpytest_subprocess("-p", "pop3mock.plugin", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=2)


def test_authority_is_made_once(pytester: pytest.Pytester, settings: Path) -> None:
    """A session has one authority, made when the first test needs one, and none if none does."""
    pytester.makeconftest("""
        import pytest
        import trustme

        made = []

        class CA(trustme.CA):
            def __init__(self, *args, **kwargs):
                made.append(self)
                super().__init__(*args, **kwargs)

        trustme.CA = CA

        @pytest.fixture(scope="session")
        def authorities():
            return made
    """)
    pytester.makepyfile("""
        import poplib
        import pytest

        def test_without_tls(pop3_server, authorities):
            assert len(authorities) == 0

        @pytest.mark.pop3(tls="implicit")
        @pytest.mark.parametrize("turn", range(3))
        def test_with(pop3_server, pop3_client_context, pop3_ca, authorities, turn):
            pop = poplib.POP3_SSL(
                pop3_server.host, pop3_server.port, context=pop3_client_context, timeout=5
            )
            pop.quit()
            assert pop3_ca.read_bytes() == pop3_server.ca_pem
            assert len(authorities) == 1
    """)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")

    result.assert_outcomes(passed=4)


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
