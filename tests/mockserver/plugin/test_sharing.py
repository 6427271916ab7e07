"""Servers of wider scopes and of a user's own fixtures: whose test a fault belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

    Expecting = Callable[[str], str]


def test_client_of_a_shared_server_that_a_fixture_closes(run: Run) -> None:
    """What a client does wrong in the tear-down is told by its own test, not by the next."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

@pytest.fixture
def late(shared, talk):
    yield
    talk(shared, "XYZZY", "QUIT")

def test_one(late): ...

def test_two(shared): ...
""")

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_one*"])


def test_expectation_of_a_users_fixture(run: Run, scenario: Path, expecting: Expecting) -> None:
    """A server that lives as long as the test is judged in the call phase."""
    (scenario / "picky.pop3.yaml").write_text(expecting("always: [UIDL]"), encoding="utf-8")

    result = run("""
@pytest.fixture
def server(pop3_server_factory):
    with pop3_server_factory("./picky.pop3.yaml") as server:
        yield server

def test(server): ...
""")

    result.assert_outcomes(failed=1)


def test_expectation_of_a_shared_server(run: Run, scenario: Path, expecting: Expecting) -> None:
    """A shared server is told of by the test that did it; what must come may come until its end."""
    (scenario / "picky.pop3.yaml").write_text(
        expecting("always: [UIDL, TOP], never: [STLS]"), encoding="utf-8"
    )

    result = run(
        """
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory("./picky.pop3.yaml") as server:
        yield server

def test_one(shared, talk):
    talk(shared, "STLS")

def test_two(shared, talk):
    talk(shared, "USER alice", "PASS secret", "UIDL 1", "QUIT")

def test_three(shared, talk):
    talk(shared, "QUIT")
""",
        "-rA",
    )

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines_random(["FAILED *::test_one - *STLS*"])


def test_owed_to_a_shared_server(run: Run, scenario: Path, expecting: Expecting) -> None:
    """What never came until a shared server stopped is told when it stops."""
    (scenario / "picky.pop3.yaml").write_text(expecting("always: [UIDL, TOP]"), encoding="utf-8")

    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory("./picky.pop3.yaml") as server:
        yield server

def test_one(shared, talk):
    talk(shared, "USER alice", "PASS secret", "UIDL 1", "QUIT")

def test_two(shared, talk):
    talk(shared, "QUIT")
""")

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_two*", "*picky: TOP: *(always)*"])


def test_a_failure_does_not_excuse_the_next_test(run: Run) -> None:
    """After a test has failed, clients of a shared server are judged as before."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

@pytest.mark.parametrize("turn", [1, 2])
def test(shared, talk, turn):
    talk(shared, "XYZZY", "QUIT")
""")

    result.assert_outcomes(failed=2)


def test_factory_left_open(run: Run) -> None:
    """A server that nobody stopped is stopped at the end of the session."""
    result = run("""
import contextlib

stack = contextlib.ExitStack()

def test(pop3_server_factory, talk):
    server = stack.enter_context(pop3_server_factory())
    talk(server, "QUIT")
""")

    result.assert_outcomes(passed=1)
