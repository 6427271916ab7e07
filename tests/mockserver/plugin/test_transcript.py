"""The transcript that the pytest plugin shows with a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Run


def test_secrets_are_masked(run: Run) -> None:
    """A report does not tell a password."""
    result = run("""
@pytest.mark.pop3(users={"alice": "correct-horse"})
def test(pop3_server, talk):
    talk(pop3_server, "USER alice", "PASS correct-horse", "PASS correct-horse", "QUIT")
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unexpected PASS [*][*][*][*]*", "* C: PASS [*][*][*][*]"])
    result.stdout.no_fnmatch_line("*correct-horse*")


def test_one_section_for_each_server(run: Run) -> None:
    """Each server of the test has its transcript, also one that nobody came to."""
    result = run("""
def test(pop3_server, pop3_server_factory, talk):
    with pop3_server_factory("gmail", tls="none") as other:
        talk(other, "QUIT")
    raise RuntimeError
""")

    result.stdout.fnmatch_lines(
        [
            "*- pop3 transcript -*",
            "default on 127.0.0.1:*",
            "(no client has come)",
            "*- pop3 transcript -*",
            "gmail on 127.0.0.1:*",
            "#1 +0.* C: QUIT",
        ]
    )


def test_passed_and_skipped_tests_show_nothing(run: Run) -> None:
    """What a skipped or an expected failure leaves undone is neither failure nor error."""
    result = run(
        """
def test_skip(pop3_server, talk):
    talk(pop3_server, "XYZZY")
    pytest.skip("not today")

@pytest.mark.xfail(reason="known")
def test_xfail(pop3_server, talk):
    talk(pop3_server, "XYZZY")

def test_pass(pop3_server, talk):
    talk(pop3_server, "QUIT")
""",
    )

    result.assert_outcomes(skipped=1, xfailed=1, passed=1)
    result.stdout.no_fnmatch_line("*pop3 transcript*")


def test_transcript_is_shown_once(run: Run) -> None:
    """When call and tear-down both fail, the second report goes on where the first ended."""
    result = run("""
@pytest.fixture
def late(pop3_server, talk):
    yield
    talk(pop3_server, "STAT", "QUIT")
    raise RuntimeError

def test(pop3_server, late, talk):
    talk(pop3_server, "CAPA", "QUIT")
    raise RuntimeError
""")

    result.assert_outcomes(failed=1, errors=1)
    assert [str(result.stdout).count(text) for text in ("C: CAPA", "C: STAT")] == [1, 1]


def test_transcript_of_a_shared_server(run: Run) -> None:
    """A report shows what happened in its test, not what happened in those before."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

def test_one(shared, talk):
    talk(shared, "CAPA", "QUIT")

def test_two(shared, talk):
    talk(shared, "XYZZY", "QUIT")
""")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["#2 +0.* C: XYZZY"])
    result.stdout.no_fnmatch_line("#1 *")


def test_idle_shared_server_is_left_out(run: Run) -> None:
    """A server that clients came to in earlier tests is not told of where none came since."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

def test_one(shared, talk):
    talk(shared, "QUIT")

def test_two(shared, pop3_server, talk):
    talk(pop3_server, "CAPA", "QUIT")
    raise RuntimeError
""")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["#1 +0.* C: CAPA"])
    result.stdout.no_fnmatch_line("(no client has come)")
    assert str(result.stdout).count("- pop3 transcript -") == 1
