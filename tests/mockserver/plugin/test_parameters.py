"""A marker that stands for several scenarios runs its test once for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import expand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from conftest import Run

    Ids = Callable[[pytest.RunResult], list[str]]


def test_variants_are_parameters(run: Run, ids: Ids) -> None:
    """A scenario with variants runs the test once for each, under readable ids."""
    result = run(
        """
@pytest.mark.pop3("stls-broken")
def test(pop3_server): ...
""",
        "--collect-only",
        "-q",
    )

    found = ids(result)
    assert "test[stls-broken-expired]" in found
    assert len(expand("stls-broken")) == len(found)


def test_glob_is_parameters(run: Run, ids: Ids) -> None:
    """A glob runs the test once for each scenario and variant, also beside other parameters."""
    result = run(
        """
@pytest.mark.pop3("faults/*")
@pytest.mark.parametrize("way", ["in", "out"])
def test(pop3_server, way): ...
""",
        "--collect-only",
        "-q",
    )

    found = ids(result)
    assert "test[cut-mid-message-in]" in found
    assert "test[stls-broken-wrong-host-out]" in found
    assert 2 * len(expand("faults/*")) == len(set(found))
    assert all(name.isascii() for name in found)


def test_parameters_of_an_indirect_user(run: Run) -> None:
    """A test that takes the server through another fixture is parametrized all the same."""
    result = run("""
seen = []

@pytest.fixture
def outer(inner): return inner

@pytest.fixture
def inner(pop3_server): return pop3_server.scenario.name

@pytest.mark.pop3("servers/exchange-[5o]*")
def test(outer):
    seen.append(outer)

def test_seen():
    assert seen == ["exchange-5.5", "exchange-online"]
""")

    result.assert_outcomes(passed=3)


def test_server_without_its_fixture_is_no_parameter(run: Run) -> None:
    """A marked test that asks for no server is run once."""
    result = run("""
@pytest.mark.pop3("faults/*")
def test(): ...
""")

    result.assert_outcomes(passed=1)


def test_parameters_of_the_users_own(run: Run) -> None:
    """pop3_server can be parametrized by hand, with or without a marker."""
    result = run("""
@pytest.mark.pop3("stls-broken", tls="implicit")
@pytest.mark.parametrize("pop3_server", ["gmail", "stls-broken[expired]"], indirect=True)
def test(pop3_server):
    assert pop3_server.tls == "implicit"
    assert pop3_server.scenario.name in ("gmail", "stls-broken[expired]")

@pytest.mark.parametrize("way, pop3_server", [(1, "gmail")], indirect=["pop3_server"])
def test_without_marker(pop3_server, way):
    assert pop3_server.scenario.name == "gmail"
""")

    result.assert_outcomes(passed=3)


def test_paths_are_parameters(run: Run, scenario: Path, ids: Ids) -> None:
    """Variants of one's own file, and globs over files, run the test once for each."""
    result = run(
        """
@pytest.mark.pop3("./odd.pop3.yaml")
def test_variants(pop3_server): ...

@pytest.mark.pop3("./*d.pop3.yaml")
def test_glob(pop3_server): ...
""",
        "--collect-only",
        "-q",
    )

    assert ids(result) == [
        "test_variants[odd-first]",
        "test_variants[odd-second]",
        "test_glob[odd-first]",
        "test_glob[odd-second]",
        "test_glob[scripted]",
    ]


def test_variants_without_parameters(run: Run) -> None:
    """Where pytest cannot parametrize, the error says to name a variant."""
    result = run("""
import unittest

@pytest.mark.pop3("stls-broken")
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _server(self, pop3_server): ...

    def test(self): ...
""")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["pop3_server: 'stls-broken' stands for * name one, *"])


def test_ids(run: Run, scenario: Path, ids: Ids) -> None:
    """Ids are ASCII and unlike: accents fall, and files of one name are told by their folders."""
    text = (scenario / "plain.pop3.yaml").read_text(encoding="utf-8")
    for name in ("más", "a/same", "b/same", "b-same", "a b/x", "a-b/x", "日本"):
        path = scenario / "mine" / f"{name}.pop3.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    result = run(
        """
@pytest.mark.pop3("./mine/**/*.pop3.yaml")
def test(pop3_server): ...
""",
        "--collect-only",
        "-q",
    )

    assert ids(result) == [
        "test[a-b-x]",
        "test[a-b-x-2]",
        "test[a-same]",
        "test[b-same]",
        "test[b-same-2]",
        "test[mas]",
        "test[scenario]",
    ]
