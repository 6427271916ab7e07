"""The fixtures of the pytest plugin, as a user's test suite sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Run


def test_server_for_a_client_of_others(run: Run) -> None:
    """Without a marker the server is the default one; poplib works with it."""
    result = run("""
import poplib

def test(pop3_server):
    pop = poplib.POP3(pop3_server.host, pop3_server.port, timeout=5)
    user, password = pop3_server.credentials
    pop.user(user)
    pop.pass_(password)
    assert pop.stat()[0] == len(pop3_server.maildrop)
    pop.quit()
    assert pop3_server.scenario.name == "default"
""")

    result.assert_outcomes(passed=1)


def test_server_is_fresh(run: Run) -> None:
    """No test sees what another did to its server."""
    result = run("""
@pytest.mark.parametrize("turn", [1, 2])
def test(pop3_server, talk, turn):
    assert pop3_server.journal == []
    talk(pop3_server, "USER alice", "PASS secret", "DELE 1", "QUIT")
    assert len(pop3_server.maildrop) == 3
""")

    result.assert_outcomes(passed=2)


def test_authority(run: Run) -> None:
    """pop3_ca is a path for cafile and its text is PEM; pop3_client_context is ready for use."""
    result = run("""
import poplib, ssl

def test_file(pop3_server, pop3_ca):
    assert pop3_ca.read_bytes() == pop3_server.ca_pem
    assert b"BEGIN CERTIFICATE" in pop3_server.ca_pem
    pop = poplib.POP3("127.0.0.1", pop3_server.port, timeout=5)
    pop.stls(ssl.create_default_context(cafile=pop3_ca))
    pop.quit()

@pytest.mark.pop3(tls="implicit")
def test_context(pop3_server, pop3_client_context):
    pop = poplib.POP3_SSL(
        "127.0.0.1", pop3_server.port, context=pop3_client_context, timeout=5
    )
    pop.quit()
    assert len(pop3_client_context.get_ca_certs()) == 1
""")

    result.assert_outcomes(passed=2)


def test_factory_from_any_scope(run: Run) -> None:
    """The factory serves a module and a test alike."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory("gmail", tls="implicit") as server:
        yield server

def test_shared(shared):
    assert (shared.scenario.name, shared.tls) == ("gmail", "implicit")

def test_own(shared, pop3_server_factory, talk):
    with pop3_server_factory(users={"u": "p"}) as one, pop3_server_factory() as other:
        assert talk(one, "USER u", "PASS p", "QUIT")[2].startswith(b"+OK")
        assert len({shared.port, one.port, other.port}) == 3
""")

    result.assert_outcomes(passed=2)


def test_listen_address_is_the_users(run: Run) -> None:
    """Overriding pop3_listen_address moves all servers."""
    result = run("""
@pytest.fixture(scope="session")
def pop3_listen_address():
    return ("127.0.0.2", 0)

def test(pop3_server, pop3_server_factory):
    with pop3_server_factory() as other:
        assert {pop3_server.host, other.host} == {"127.0.0.2"}
""")

    result.assert_outcomes(passed=1)


def test_unittest_class(run: Run) -> None:
    """A unittest class takes the server by a fixture, and fails as any test does."""
    result = run("""
import unittest

@pytest.mark.pop3("gmail", tls="none")
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _server(self, pop3_server, talk):
        self.server, self.talk = pop3_server, talk

    def test_good(self):
        self.talk(self.server, "QUIT")
        self.assertEqual("gmail", self.server.scenario.name)

    def test_bad(self):
        self.talk(self.server, "XYZZY")

    def test_own_failure(self):
        self.talk(self.server, "XYZZY")
        self.assertEqual(1, 2)
""")

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines_random(["POP3 client: gmail: #1 unexpected XYZZY: *"])
    result.stdout.fnmatch_lines(
        ["E*AssertionError: 1 != 2", "near miss:", "  #1 unexpected XYZZY: *"]
    )
