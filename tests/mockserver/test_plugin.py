"""The pytest plugin, as a user's test suite sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

# Runs in this process drop what they import; what is imported here they find, and need not load
# again. Some of it (trustme's cryptography) can be loaded only once per process.
import hypothesis  # noqa: F401
import pytest
import trustme  # noqa: F401

import pop3mock._pytest_params
import pop3mock._pytest_report
import pop3mock._pytest_servers
import pop3mock._pytest_watch  # noqa: F401
from pop3scenarios import expand

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    class Run(Protocol):
        def __call__(self, source: str, *args: str) -> pytest.RunResult: ...


INI = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""

CONFTEST = """
import socket
import pytest

@pytest.fixture
def talk():
    def talk(server, *commands):
        address = server.host, server.port
        with socket.create_connection(address, 5) as sock, sock.makefile("rb") as file:
            answers = [file.readline()]
            for command in commands:
                sock.sendall(command.encode() + b"\\r\\n")
                answers.append(file.readline())
        return answers
    return talk
"""

ODD = """\
pop3: 1
name: odd
summary: greets oddly
server: {greeting: odd}
variants:
  first: {}
  second: {server: {greeting: odder}}
"""

PLAIN = """\
pop3: 1
name: plain
summary: greets plainly
server: {greeting: plain}
"""

SCRIPT = """\
pop3: 1
name: scripted
summary: an exact conversation
script: |
  S: +OK ready
  C: USER alice
  S: +OK
  C: QUIT
  S: +OK
"""


def expecting(rule: str) -> str:
    """A scenario with an expectation."""
    return f"pop3: 1\nname: picky\nsummary: picky\nexpect: {{{rule}}}\n"


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test file in a suite of its own, in this process."""
    pytester.makeini(INI)
    pytester.makeconftest(CONFTEST)

    def run(source: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(test_it="import pytest\n" + source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *args)

    return run


@pytest.fixture
def scenario(pytester: pytest.Pytester) -> Path:
    """Scenario files in the suite's folder; gives the folder."""
    for name, text in {"odd": ODD, "plain": PLAIN, "scripted": SCRIPT}.items():
        (pytester.path / f"{name}.pop3.yaml").write_text(text, encoding="utf-8")
    return pytester.path


def ids(result: pytest.RunResult) -> list[str]:
    """The ids of the tests that ``--collect-only -q`` tells."""
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


# Fixtures


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
        ["E*AssertionError: 1 != 2", "*- pop3 expectations -*", "gmail: #1 unexpected XYZZY: *"]
    )


def test_async_test(run: Run) -> None:
    """A test on asyncio uses the same fixture, and is judged too."""
    result = run("""
import asyncio

async def ask(server, command):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    await reader.readline()
    writer.write(command)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer

@pytest.mark.asyncio
async def test_good(pop3_server):
    assert (await ask(pop3_server, b"QUIT\\r\\n")).startswith(b"+OK")

@pytest.mark.asyncio
async def test_bad(pop3_server):
    await ask(pop3_server, b"XYZZY\\r\\n")
""")

    result.assert_outcomes(passed=1, failed=1)


# Marker and parameters


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


def test_variants_are_parameters(run: Run) -> None:
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


def test_glob_is_parameters(run: Run) -> None:
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

@pytest.mark.pop3("servers/exchange*")
def test(outer):
    seen.append(outer)

def test_seen():
    assert seen == ["exchange-2003", "exchange-5.5", "exchange-online"]
""")

    result.assert_outcomes(passed=4)


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


def test_path_beside_the_test_file(
    run: Run, pytester: pytest.Pytester, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is relative to the test file, wherever pytest runs."""
    pytester.makeini(INI)
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


def test_paths_are_parameters(run: Run, scenario: Path) -> None:
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
    "keyword": ('"gmail", varient="x"', "unknown keyword 'varient' (did you mean 'variant'?)*"),
    "tls": ('"gmail", tls="implict"', "unknown tls 'implict' (did you mean 'implicit'?)*"),
    "type of tls": ('"gmail", tls=True', "tls has to be 'none', 'stls' or 'implicit', got bool*"),
    "type of users": (
        '"gmail", users=["alice"]',
        "users has to be a mapping of user names to passwords*",
    ),
    "no users": ('"gmail", users={}', "users has to be a mapping *, at least one, got dict*"),
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
    (scenario / "plain.pop3.yaml").write_text(
        PLAIN.replace("summary", "sumary") + "ruels: []\n", encoding="utf-8"
    )

    result = run("""
@pytest.mark.pop3("./plain.pop3.yaml")
def test(pop3_server): ...
""")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines_random(["*plain.pop3.yaml:3:1: *sumary*", "*.yaml:5:1: *ruels*"])


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


# The verdict

UNEXPECTED = """
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "QUIT")
"""


def test_unexpected_command(run: Run) -> None:
    """An unexpected command fails the test in its call phase, with the transcript."""
    result = run(UNEXPECTED)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "POP3 client: default: #1 unexpected XYZZY: *",
            "(to allow a command: *",
            "*- pop3 transcript -*",
            "default on 127.0.0.1:*",
            "#1 +0.* S: +OK POP3 server ready *",
            "#1 +0.* C: XYZZY",
            "#1 +0.* S: -ERR *",
            "#1 +0.* C: QUIT",
            "FAILED test_it.py::test - Failed: POP3 client: default: #1 unexpected *",
        ]
    )
    assert str(result.stdout).count("C: XYZZY") == 1
    result.stdout.no_fnmatch_line("*pop3 expectations*")


def test_several_faults(run: Run) -> None:
    """Everything that was wrong is told, once."""
    result = run("""
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "PLUGH", "QUIT")
""")

    result.stdout.fnmatch_lines(
        [
            "POP3 client: 2 things that no scenario expects",
            "  default: #1 unexpected XYZZY: *",
            "  default: #1 unexpected PLUGH: *",
        ]
    )
    result.assert_outcomes(failed=1)


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


def test_own_failure_goes_first(run: Run) -> None:
    """A test that fails itself keeps its failure; what its client did stands in sections."""
    result = run(UNEXPECTED + "    assert 1 == 2\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *assert 1 == 2",
            "*- pop3 expectations -*",
            "default: #1 unexpected XYZZY: *",
            "*- pop3 transcript -*",
            "#1 +0.* C: XYZZY",
            "FAILED test_it.py::test - assert 1 == 2",
        ]
    )
    result.stdout.no_fnmatch_line("*Failed: POP3*")


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


LENIENT = {
    "marker": ("pytestmark = pytest.mark.pop3(strict=False)\n", "true"),
    "ini": ("", "false"),
    "factory": (
        """
@pytest.fixture
def pop3_server(pop3_server_factory):
    with pop3_server_factory(strict=False) as server:
        yield server
""",
        "true",
    ),
}


@pytest.mark.parametrize(("source", "ini"), LENIENT.values(), ids=LENIENT)
def test_lenient(run: Run, source: str, ini: str) -> None:
    """Marker, ini option and factory forgive."""
    result = run(source + UNEXPECTED, "-o", f"pop3_strict={ini}")

    result.assert_outcomes(passed=1)


def test_strict_marker_over_lenient_ini(run: Run) -> None:
    """The marker wins over the ini option."""
    result = run("pytestmark = pytest.mark.pop3(strict=True)\n" + UNEXPECTED, "-o", "pop3_strict=0")

    result.assert_outcomes(failed=1)


def test_strictness_of_each_test(run: Run) -> None:
    """A server that is shared is judged as the test at hand wants it."""
    result = run("""
@pytest.fixture(scope="module")
def shared(pop3_server_factory):
    with pop3_server_factory() as server:
        yield server

@pytest.mark.pop3(strict=False)
def test_lenient(shared, talk):
    talk(shared, "XYZZY")

def test_strict(shared, talk):
    talk(shared, "QUIT")
""")

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("rule", "commands", "message"),
    [
        ("never: [DELE]", '"USER alice", "PASS secret", "DELE 1", "QUIT"', "DELE 1: *(never)"),
        ("never-in-clear: [USER]", '"USER alice", "QUIT"', "USER alice: *(never-in-clear)"),
        ("always: [UIDL]", '"QUIT"', "UIDL: *(always), and it never came"),
        ("counts: {NOOP: 2}", '"USER alice", "PASS secret", "NOOP", "QUIT"', "NOOP: came 1 *"),
    ],
)
def test_broken_expectation(
    run: Run, scenario: Path, rule: str, commands: str, message: str
) -> None:
    """Each kind of expectation fails the test in its call phase."""
    (scenario / "picky.pop3.yaml").write_text(expecting(rule), encoding="utf-8")

    result = run(f"""
@pytest.mark.pop3("./picky.pop3.yaml")
def test(pop3_server, talk):
    talk(pop3_server, {commands})
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"POP3 client: picky: *{message}", "*- pop3 transcript -*"])


def test_allowed_command(run: Run, scenario: Path) -> None:
    """A command that the scenario allows is no fault."""
    (scenario / "picky.pop3.yaml").write_text(expecting("allow: [XYZZY]"), encoding="utf-8")

    result = run('pytestmark = pytest.mark.pop3("./picky.pop3.yaml")\n' + UNEXPECTED)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("ending", ["", '"USER alice"'], ids=["nothing", "part"])
def test_unfinished_script(run: Run, scenario: Path, ending: str) -> None:
    """A client that goes away in the middle of a script fails the test in its call phase."""
    result = run(f"""
@pytest.mark.pop3("./scripted.pop3.yaml")
def test(pop3_server, talk):
    talk(pop3_server, {ending})
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: scripted: #1 script not finished: *"])


def test_last_words(run: Run) -> None:
    """What a client sends at the very last, and whose answer it does not await, is judged too."""
    result = run("""
import socket

def test(pop3_server):
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        sock.sendall(b"USER alice\\r\\nPASS secret\\r\\n" + b"NOOP\\r\\n" * 10_000)
        sock.sendall(b"XYZZY\\r\\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
        sock.close()
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unexpected XYZZY*"])


def test_last_words_inside_tls(run: Run) -> None:
    """So is what it sends inside TLS, and then goes away at once."""
    result = run("""
import socket

@pytest.mark.pop3(tls="implicit")
def test(pop3_server, pop3_client_context):
    with (
        socket.create_connection((pop3_server.host, pop3_server.port), 5) as plain,
        pop3_client_context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        sock.recv(1024)
        sock.sendall(b"XYZZY\\r\\n")
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: *unexpected XYZZY*"])


def test_client_that_is_quicker_than_the_server(run: Run) -> None:
    """A client is judged by all that it has sent, however far the server has come."""
    result = run("""
import socket, threading
from pop3mock import Engine

gate = threading.Event()

class Opener:
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self):
        yield
        gate.set()

@pytest.fixture
def opener(pytestconfig):
    pytestconfig.pluginmanager.register(Opener())

def test(pop3_server, opener, request):
    with Engine() as engine:
        engine.loop.call_soon_threadsafe(gate.wait, 5)
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        sock.sendall(b"XYZZY\\r\\n")
        sock.shutdown(socket.SHUT_WR)
        request.addfinalizer(sock.dup().close)
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["POP3 client: *unexpected XYZZY*"])


QUITTER = """
import socket

@pytest.fixture
def client(pop3_server):
    with socket.create_connection((pop3_server.host, pop3_server.port), 5) as sock:
        with sock.makefile("rb") as file:
            file.readline()
            sock.sendall(b"USER alice\\r\\n")
            file.readline()
            yield sock
            sock.sendall({last})
            file.readline()

@pytest.mark.pop3({scenario})
def test(client): ...
"""


def test_client_that_a_fixture_closes(run: Run, scenario: Path) -> None:
    """A client that is still connected after the test may yet finish its script."""
    result = run(QUITTER.format(last=r'b"QUIT\r\n"', scenario='"./scripted.pop3.yaml"'))

    result.assert_outcomes(passed=1)


def test_expectation_of_a_client_that_a_fixture_closes(run: Run, scenario: Path) -> None:
    """It may yet do what the scenario demands; if it does not, its end is an error."""
    (scenario / "picky.pop3.yaml").write_text(expecting("always: [CAPA]"), encoding="utf-8")

    good = run(QUITTER.format(last=r'b"CAPA\r\n"', scenario='"./picky.pop3.yaml", strict=None'))
    bad = run(QUITTER.format(last=r'b"QUIT\r\n"', scenario='"./picky.pop3.yaml"'))

    good.assert_outcomes(passed=1)
    bad.assert_outcomes(passed=1, errors=1)
    bad.stdout.fnmatch_lines(["*picky: CAPA: *(always)*"])


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


def test_client_that_a_fixture_closes_badly(run: Run, scenario: Path) -> None:
    """What it does wrong after the test is an error of the tear-down, with the transcript."""
    result = run(QUITTER.format(last=r'b"XYZZY\r\n"', scenario='"./scripted.pop3.yaml"'))

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines_random(
        ["*#1 unexpected XYZZY*", "*#1 script not finished*", "#1 +0.* C: XYZZY"]
    )


def test_expectation_of_a_users_fixture(run: Run, scenario: Path) -> None:
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


def test_expectation_of_a_shared_server(run: Run, scenario: Path) -> None:
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


def test_owed_to_a_shared_server(run: Run, scenario: Path) -> None:
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


def test_journal_is_explained(run: Run) -> None:
    """A comparison with the journal shows the commands side by side."""
    result = run("""
def test(pop3_server, talk):
    talk(pop3_server, "CAPA", "QUIT")
    assert pop3_server.journal == ["STAT", "QUIT"]
""")

    result.stdout.fnmatch_lines(["E *commands differ*", "E *- CAPA", "E *+ STAT", "E *QUIT"])


# Under all kinds of pytest


def test_help(run: Run) -> None:
    """--fixtures, --markers and --help describe the plugin."""
    fixtures = run("", "--fixtures")
    markers = run("", "--markers")
    options = run("", "--help")

    fixtures.stdout.fnmatch_lines_random(
        [
            "pop3_server -- *",
            "    A fresh POP3 mock server on a port of its own, *",
            "pop3_server_factory [[]session scope[]] -- *",
            "    Starts POP3 mock servers; *",
            "pop3_ca [[]session scope[]] -- *",
            "pop3_client_context -- *",
            "pop3_listen_address [[]session scope[]] -- *",
        ]
    )
    markers.stdout.fnmatch_lines(
        ["@pytest.mark.pop3(scenario, [*], variant=None, tls=None, users=None, strict=None): *"]
    )
    options.stdout.fnmatch_lines(["  pop3_strict (bool): *"])


def test_strict_markers_and_warnings(run: Run) -> None:
    """The plugin needs no setting where markers are strict and warnings are errors."""
    result = run(
        """
@pytest.mark.pop3("gmail", tls="none")
def test(pop3_server, talk):
    talk(pop3_server, "QUIT")
""",
        "--strict-markers",
        "--strict-config",
        "-W",
        "error",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("plugin", ["terminal", "capture", "logging", "unittest", "skipping"])
def test_without_a_plugin_of_pytest(run: Run, pytester: pytest.Pytester, plugin: str) -> None:
    """The plugin asks for none of pytest's own plugins."""
    run(UNEXPECTED, "--collect-only")

    result = pytester.inline_run("-p", "no:cacheprovider", "-p", f"no:{plugin}")

    assert list(result.countoutcomes()) == [0, 0, 1]


def test_under_xdist(run: Run, pytester: pytest.Pytester) -> None:
    """Worker processes report transcripts too, and no two share a server."""
    run(
        """
@pytest.mark.pop3("servers/*", tls="none")
def test(pop3_server, talk):
    talk(pop3_server, "XYZZY", "QUIT")

def test_good(pop3_server, talk):
    talk(pop3_server, "QUIT")
""",
        "--collect-only",
    )

    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, failed=len(expand("servers/*")))
    result.stdout.fnmatch_lines_random(["*- pop3 transcript -*", "* C: XYZZY"])


# Where the plugin is not used, or cannot be

BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"yaml", "pydantic", "pydantic_core", "trustme"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""


def test_dependencies_missing(pytester: pytest.Pytester) -> None:
    """Without the mock's dependencies only tests that use it fail, and say what to install."""
    pytester.makeini(INI)
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
