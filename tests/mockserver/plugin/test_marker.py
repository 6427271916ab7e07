"""The marker of the pytest plugin: which server a test gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def test_marker(run: Run) -> None:
    """The marker says scenario, variant, users and TLS."""
    result = run("""
@pytest.mark.pop3("exchange-2003", users={"u": "p"}, tls="implicit")
def test_server(pop3_server):
    assert pop3_server.scenario.name == "exchange-2003"
    assert pop3_server.credentials == ("u", "p")
    assert pop3_server.tls == "implicit"

@pytest.mark.pop3("stls-broken", variant="expired", strict=False)
def test_variant(pop3_server):
    assert pop3_server.scenario.name == "stls-broken[expired]"

@pytest.mark.pop3("stls-broken[expired]", strict=False)
def test_variant_in_the_name(pop3_server):
    assert pop3_server.scenario.name == "stls-broken[expired]"
""")

    result.assert_outcomes(passed=3)


def test_marker_merges(run: Run) -> None:
    """Markers of module, class and test are merged; the closest wins."""
    result = run("""
pytestmark = pytest.mark.pop3("gmail", users={"module": "x"}, tls="none")

@pytest.mark.pop3(users={"class": "x"})
class Test:
    def test_class(self, pop3_server):
        assert (pop3_server.scenario.name, *pop3_server.users) == ("gmail", "class")

    @pytest.mark.pop3("dovecot", tls="implicit")
    def test_test(self, pop3_server):
        assert (pop3_server.scenario.name, *pop3_server.users) == ("dovecot", "class")
        assert pop3_server.tls == "implicit"

def test_module(pop3_server):
    assert (pop3_server.tls, *pop3_server.users) == ("none", "module")
""")

    result.assert_outcomes(passed=3)


def test_variant_belongs_to_its_scenario(run: Run) -> None:
    """A closer marker's scenario does not inherit the variant of another scenario."""
    result = run("""
pytestmark = pytest.mark.pop3("stls-broken", variant="expired", strict=False)

def test_module(pop3_server):
    assert pop3_server.scenario.variant == "expired"

@pytest.mark.pop3(variant="refused")
def test_variant(pop3_server):
    assert pop3_server.scenario.variant == "refused"

@pytest.mark.pop3("gmail")
def test_scenario(pop3_server):
    assert pop3_server.scenario.variant is None
""")

    result.assert_outcomes(passed=3)


def test_variant_in_the_name_of_an_outer_marker(run: Run) -> None:
    """The closest variant wins, whether markers name theirs in brackets or beside them."""
    result = run("""
pytestmark = pytest.mark.pop3("stls-broken[expired]", strict=False)

@pytest.mark.pop3(variant="refused")
def test_variant(pop3_server):
    assert pop3_server.scenario.name == "stls-broken[refused]"

@pytest.mark.pop3("stls-broken[silent]")
def test_scenario(pop3_server):
    assert pop3_server.scenario.name == "stls-broken[silent]"

@pytest.mark.pop3("stls-broken[expired]", variant="expired", strict=False)
def test_same(pop3_server):
    assert pop3_server.scenario.name == "stls-broken[expired]"
""")

    result.assert_outcomes(passed=3)


def test_path_beside_the_test_file(
    run: Run, pytester: pytest.Pytester, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is relative to the test file, wherever pytest runs."""
    elsewhere = pytester.mkdir("elsewhere")
    run("")
    (scenario / "test_it.py").write_text(
        """
import pytest

@pytest.mark.pop3("./plain.pop3.yaml")
def test_path(pop3_server, talk):
    assert talk(pop3_server)[0] == b"+OK plain\\r\\n"

@pytest.mark.pop3("plain")
def test_name(pop3_server, talk):
    assert talk(pop3_server)[0] == b"+OK plain\\r\\n"

@pytest.mark.pop3("./odd.pop3.yaml", variant="second")
def test_variant(pop3_server, talk):
    assert talk(pop3_server)[0] == b"+OK odder\\r\\n"
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(elsewhere)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", str(scenario / "test_it.py"))

    result.assert_outcomes(passed=3)


WRONG = {
    "scenario": ('"gmial"', "unknown scenario 'gmial' (did you mean 'gmail'?)*"),
    "path": ('"./none.pop3.yaml"', "there is no file ./none.pop3.yaml*"),
    "glob of paths": (
        '"./none*.pop3.yaml"',
        "no file matches './none[*].pop3.yaml' (paths are relative *",
    ),
    "glob": ('"fautls/*"', "no scenario matches 'fautls/[*]' *"),
    "variant": (
        '"stls-broken", variant="expird"',
        "'stls-broken' has no variant 'expird' (did you mean 'expired'?)*",
    ),
    "variant of none": ('"gmail", variant="x"', "'gmail' has no variant 'x' (it has none)*"),
    "variant of many": (
        '"faults/*", variant="x"',
        "variant='x' needs one scenario, not 'faults/[*]'*",
    ),
    "two variants": (
        '"stls-broken[expired]", variant="refused"',
        "'stls-broken[[]expired]' names the variant 'expired', and variant='refused' another*",
    ),
    "keyword": ('"gmail", varient="x"', "unknown keyword 'varient' (did you mean 'variant'?)*"),
    "tls": ('"gmail", tls="implict"', "unknown tls 'implict' (did you mean 'implicit'?)*"),
    "type of tls": ('"gmail", tls=True', "tls has to be 'none', 'stls' or 'implicit', got bool*"),
    "type of users": (
        '"gmail", users=["alice"]',
        "users has to be a mapping of user names to passwords*",
    ),
    "no users": ('"gmail", users={}', "users has to be a mapping *, at least one, got dict*"),
    "type of a password": ('"gmail", users={"a": 1}', "users has to be *, got 1 for 'a'*"),
    "octets of a password": ('"gmail", users={"a": b"x"}', "users has to be *, got bytes for 'a'*"),
    "type of a user": (
        '"gmail", users={1: "a"}',
        "users has to be *, got 1 as the name of a user*",
    ),
    "type of strict": ('"gmail", strict="no"', "strict has to be True or False, got str*"),
    "type of scenario": ("3", "scenario has to be a name, a path or a glob, got int*"),
    "two scenarios": ('"gmail", "dovecot"', "takes one scenario, got 2: 'gmail', 'dovecot'*"),
    "scenario twice": ('"gmail", scenario="dovecot"', "names the scenario twice*"),
}


@pytest.mark.parametrize(("marker", "message"), WRONG.values(), ids=WRONG)
def test_wrong_marker(run: Run, marker: str, message: str) -> None:
    """What a marker cannot say is an error of collection that names the test and a way out."""
    result = run(f"""
@pytest.mark.pop3({marker})
def test(pop3_server): ...
""")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"test_it.py::test: @pytest.mark.pop3*{message}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_wrong_file(run: Run, scenario: Path) -> None:
    """A wrong scenario file is an error of collection with every problem and its place."""
    plain = scenario / "plain.pop3.yaml"
    text = plain.read_text(encoding="utf-8")
    plain.write_text(text.replace("summary", "sumary") + "ruels: []\n", encoding="utf-8")

    result = run("""
@pytest.mark.pop3("./plain.pop3.yaml")
def test(pop3_server): ...
""")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines_random(["*plain.pop3.yaml:3:1: *sumary*", "*.yaml:5:1: *ruels*"])


def test_wrong_marker_of_a_unittest_class(run: Run) -> None:
    """Where pytest has no part in collection, it is an error of set-up, with the same advice."""
    result = run("""
import unittest

@pytest.mark.pop3("gmail", tsl="none")
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _server(self, pop3_server): ...

    def test(self): ...
""")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["pop3_server: unknown keyword 'tsl' (did you mean 'tls'?)"])
    result.stdout.no_fnmatch_line("*Traceback*")
