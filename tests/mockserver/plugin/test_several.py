"""Several servers in one test: ``pop3_server.run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def test_run(run: Run) -> None:
    """Another server runs beside the first, with its own scenario, users, TLS and journal."""
    result = run("""
def test(pop3_server, talk):
    other = pop3_server.run("exchange-2003", users={"u": "p"}, tls="stls")
    third = pop3_server.run()

    assert talk(other, "USER u", "PASS p", "QUIT")[2].startswith(b"+OK")

    assert (other.scenario.name, other.tls) == ("exchange-2003", "stls")
    assert len({pop3_server.port, other.port, third.port}) == 3
    assert pop3_server.journal == []
    assert third.journal == []
    assert other.journal == ["USER u", "PASS ****", "QUIT"]
""")

    result.assert_outcomes(passed=1)


def test_run_beside_a_fixed_port(run: Run) -> None:
    """Where the suite has fixed a port, the first server has it and the others find their own."""
    result = run("""
import socket

@pytest.fixture(scope="session")
def pop3_listen_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()

def test(pop3_server, pop3_listen_address):
    assert (pop3_server.host, pop3_server.port) == pop3_listen_address
    assert pop3_server.run().port != pop3_server.port
""")

    result.assert_outcomes(passed=1)


def test_paths_are_beside_the_test(
    run: Run, scenario: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path, or a name, is looked up beside the test's file, whatever the working directory."""
    elsewhere = pytester.mkdir("elsewhere")
    run("")
    (scenario / "test_it.py").write_text(
        """
def test(pop3_server, talk):
    assert talk(pop3_server.run("./plain.pop3.yaml"))[0] == b"+OK plain\\r\\n"
    assert talk(pop3_server.run("odd[second]"))[0] == b"+OK odder\\r\\n"
    pop3_server.play("./odd.pop3.yaml", variant="first")
    assert talk(pop3_server)[0] == b"+OK odd\\r\\n"
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(elsewhere)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", str(scenario / "test_it.py"))

    result.assert_outcomes(passed=1)


def test_life(run: Run) -> None:
    """A server that was run stops with the first one, or where its ``with`` ends."""
    result = run("""
import socket

seen = []

def refuses(server):
    try:
        socket.create_connection((server.host, server.port), 5).close()
    except ConnectionRefusedError:
        return True
    return False

def test_with(pop3_server):
    with pop3_server.run("gmail", tls="none") as other:
        assert not refuses(other)
    assert refuses(other)
    assert not refuses(pop3_server)

def test_end(pop3_server):
    other = pop3_server.run()
    seen.append(other.run())
    assert not refuses(seen[0])

def test_afterwards():
    assert refuses(seen[0])
""")

    result.assert_outcomes(passed=3)


def test_judged(run: Run) -> None:
    """Each server is judged; an argument forgives the clients of one."""
    result = run("""
def test_strict(pop3_server, talk):
    talk(pop3_server.run("gmail", tls="none"), "XYZZY", "QUIT")

def test_forgiven(pop3_server, talk):
    talk(pop3_server.run(strict=False), "XYZZY", "QUIT")

def test_one_of_two(pop3_server, talk):
    talk(pop3_server.run("dovecot", strict=False), "XYZZY", "QUIT")
    talk(pop3_server, "PLUGH", "QUIT")
""")

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines_random(
        ["POP3 client: gmail: #1 unexpected XYZZY: *", "POP3 client: default: #1 unexpected PLUGH*"]
    )
    result.stdout.no_fnmatch_line("*dovecot: #1 unexpected*")


WRONG = {
    "name": ('"gmial"', "unknown scenario 'gmial' (did you mean 'gmail'?)"),
    "path": ('"./none.pop3.yaml"', "there is no file ./none.pop3.yaml (looked in *)"),
    "variant": (
        '"stls-broken[expird]"',
        "'stls-broken' has no variant 'expird' (did you mean 'expired'?)",
    ),
    "variants": (
        '"stls-broken"',
        "'stls-broken' stands for * cases (say stls-broken[[]*] or stls-broken[[]*] or *)",
    ),
    "glob": ('"servers/dovecot*"', "'servers/dovecot[*]' stands for * cases (say dovecot* or *)"),
}


@pytest.mark.parametrize(("argument", "message"), WRONG.values(), ids=WRONG)
def test_wrong_scenario(run: Run, argument: str, message: str) -> None:
    """What cannot be run is an error at the test's own line, with a suggestion."""
    result = run(f"""
def test(pop3_server):
    pop3_server.run({argument})
""")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*pop3_server.run(*",
            f"E * pop3scenarios._errors.UnknownScenario: {message}",
            "",
            "test_it.py:4: UnknownScenario",
        ],
        consecutive=True,
    )
