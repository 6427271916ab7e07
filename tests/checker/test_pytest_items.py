"""The conformance cases as tests of pytest, as somebody sees them who wrote a server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

import pop3check._pytest_items  # noqa: F401 - runs in this process find it, and need not load it
from pop3check import select
from pop3check.probes import load_probes
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

pytestmark = pytest.mark.once

load_probes()  # once per process: runs in this process forget what they have loaded themselves

HEAD = "pop3: 1\nname: mutant\nsummary: breaks one thing\n"

#: A rule by which NOOP is answered with an error.
NO_NOOP = HEAD + "rules: [{when: NOOP, reply: -ERR not today}]\n"

OWN = """\
pop3: 1
name: stays-three
summary: three NOOPs in a row
why: A monitor sends them.
references: [RFC 1939 section 5]
case:
  requirement: A server answers +OK to every NOOP.
  level: MUST
  state: transaction
script: |
  C: NOOP
  S: +OK ...
  C: NOOP
  S: +OK ...
"""


def test_nothing_without_the_option(run: Run, pytester: pytest.Pytester) -> None:
    """Without a server no scenario file is a test, not even one that is named."""
    pytester.makefile(".pop3.yaml", own=OWN)

    result = run(None, "--collect-only", "-q")

    assert "test_own.py::test_own" in result.outlines
    assert not [line for line in result.outlines if "stays-three" in line or "RFC" in line]


def test_ids(run: Run, server: MockServer) -> None:
    """Every shipped case is a test by its permanent id, after the suite's own; nothing is asked."""
    result = run(server, "--collect-only", "-q")

    ids = [line for line in result.outlines if "::" in line]
    assert ids[0] == "test_own.py::test_own"
    assert set(ids[1:]) == {f"pop3-check::{each.name.upper()}" for each in select()}
    assert server.journal.connections == []


def test_levels_are_markers(run: Run, server: MockServer) -> None:
    """``-m`` chooses by level, ``-k`` by id and by tag; both know the markers under strictness."""
    chosen = run(server, "--collect-only", "-q", "--strict-markers", "-m", "pop3_must")
    named = run(server, "--collect-only", "-q", "-k", "RFC1939-5-06")
    tagged = run(server, "--collect-only", "-q", "-k", "uidl and pop3_check")

    must = {f"pop3-check::{each.name.upper()}" for each in select(levels=["must"])}
    assert must == {line for line in chosen.outlines if "::" in line}
    assert [line for line in named.outlines if "::" in line] == ["pop3-check::RFC1939-5-06"]
    uidl = {f"pop3-check::{each.name.upper()}" for each in select(["uidl"])}
    assert uidl <= {line for line in tagged.outlines if "::" in line}


def test_pass_and_skip(run: Run, server: MockServer) -> None:
    """A right server passes; what is not allowed is skipped, and told is the option for it."""
    result = run(server, "-rs", "-k", "RFC1939-5-0 or RFC1939-5-37 or test_own")

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 3
    result.stdout.fnmatch_lines(["*pop3-check: 127.0.0.1:*, read-only*"])
    result.stdout.fnmatch_lines(["SKIPPED *not allowed (pop3_check_allow = mark)*"])
    assert "DELE" not in {command.split(" ")[0] for command in server.journal.commands}


def test_failure(run: Run) -> None:
    """A failure tells requirement, level, expected, actual, and the octets without the password."""
    with MockServer(loads(NO_NOOP)) as server:
        result = run(server, "-k", "RFC1939-5-35")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["requirement: *RFC 1939*", "level:       *", "expected:    *+OK*",
         "actual:      *-ERR not today*", "at:          *", "octets:", "*C: NOOP*",
         "*S: -ERR not today*", "FAILED pop3-check::RFC1939-5-*"]
    )  # fmt: skip
    assert "secret" not in result.stdout.str()


def test_non_strict_is_a_warning(run: Run, server: MockServer) -> None:
    """What is legal or harmless warns and passes; ``-W error`` makes a failure of it."""
    lenient = run(server, "-k", "RFC1939-13-01", "-W", "default")
    strict = run(server, "-k", "RFC1939-13-01", "-W", "error")

    lenient.assert_outcomes(passed=1, warnings=1, deselected=len(select()))
    lenient.stdout.fnmatch_lines(["*NonStrict: NON-STRICT RFC1939-13-01 expected *, got *"])
    strict.assert_outcomes(failed=1, deselected=len(select()))
    strict.stdout.no_fnmatch_line("*warn_explicit*")


def test_unreachable_is_an_error(run: Run) -> None:
    """A server that is not there has not failed: that is an error, and no failure."""
    with MockServer() as server:
        pass

    result = run(server, "-k", "RFC1939-5-06")

    result.assert_outcomes(errors=1, deselected=len(select()))
    result.stdout.fnmatch_lines(["*RFC1939-5-06 is inconclusive: *"])


def test_own_cases(run: Run, server: MockServer, pytester: pytest.Pytester) -> None:
    """A case of the user's own is found in a folder, any scenario where its file is named."""
    pytester.makefile(".pop3.yaml", own=OWN, odd="pop3: 1\nname: odd\nsummary: odd\n")

    found = run(server, "--collect-only", "-q")
    named = run(server, "-v", "own.pop3.yaml")

    assert "own.pop3.yaml::stays-three" in found.outlines
    assert not [line for line in found.outlines if line.startswith("odd")]
    named.assert_outcomes(passed=1)
    assert server.journal.count("NOOP") > 1


def test_broken_file(run: Run, server: MockServer, pytester: pytest.Pytester) -> None:
    """A file with mistakes is an error of collection that tells file, line and column."""
    pytester.makefile(".pop3.yaml", own=OWN.replace("level", "levle"))

    result = run(server, "own.pop3.yaml")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*own.pop3.yaml:8:3: *levle*level*"])


SHUFFLE = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.reverse()
"""


def test_order_plugins(run: Run, server: MockServer, pytester: pytest.Pytester) -> None:
    """Whatever shuffles tests: cases come last, in the order of a run, so no prerequisite lacks."""
    pytester.makeconftest(SHUFFLE)
    leave = ("-o", "pop3_check_allow=mark any-message")

    result = run(server, "-k", "RFC1939-5-3 or RFC1939-6-0 or test_own", "-v", *leave)

    asked = [line.split(" ")[0] for line in result.outlines if "%]" in line]
    assert asked[0] == "test_own.py::test_own"
    assert asked.index("pop3-check::RFC1939-5-37") < asked.index("pop3-check::RFC1939-5-30")
    assert "has to be passed first" not in result.stdout.str()
    assert result.parseoutcomes()["passed"] > 3
    assert "DELE" in {command.split(" ")[0] for command in server.journal.commands}
    assert len(server.maildrop.messages) == 4


def test_prerequisites(run: Run, server: MockServer) -> None:
    """A case that was chosen alone is asked after those that have to be passed before it."""
    result = run(server, "-k", "RFC1939-5-30", "-o", "pop3_check_allow=mark any-message")

    result.assert_outcomes(passed=1, deselected=len(select()))
    assert server.journal.count("RSET") > 0


def test_lost_mail(run: Run, server: MockServer) -> None:
    """Mail that is gone after the last case fails the run, whatever the cases said."""
    result = run(server, "-k", "RFC1939-5-06", plugins=[_Eater(server)])

    result.assert_outcomes(passed=1, errors=1, deselected=len(select()))
    result.stdout.fnmatch_lines(["*messages are gone that nobody deleted: *"])


class _Eater:
    """Takes a message away while a case is asked, as a server does that expires mail."""

    def __init__(self, server: MockServer) -> None:
        self._server = server

    def pytest_runtest_teardown(self) -> None:
        self._server.play(loads(HEAD + "maildrop: []\n"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pop3-check=http://x"], "--pop3-check: expected pop3://user@host:port*"),
        (["--pop3-check=pop3://a:hunter2@x"], "--pop3-check: a URL must not hold a password*"),
        (["--pop3-check=pop3://x", "-o", "pop3_check_tls=tls"], "pop3_check_tls: *'tls'"),
        (["--pop3-check=pop3://x", "-o", "pop3_check_allow=all"], "pop3_check_allow: *'all'"),
        (["--pop3-check=pop3://x", "-o", "pop3_check_timeout=x"], "pop3_check_timeout: *'x'"),
        (
            ["--pop3-check=pop3://a@x", "-o", "pop3_check_login_failures=-1"],
            "*login_failures: *'-1'",
        ),
        (
            ["--pop3-check=pop3://x", "-o", "pop3_check_seed_command=cat"],
            "*seed_command needs a user*",
        ),
        (
            ["--pop3-check=pop3://a@x", "-o", "pop3_check_seed_command='"],
            "*seed_command: *no valid*",
        ),
        (["--pop3-check=pop3://x", "-n2", "--dist=each"], "--pop3-check: *than each"),
        (["--pop3-check=pop3://a@x", "-o", "pop3_check_password_file=no"], "*cannot read *no*"),
        (["--pop3-check=pop3://a@x", "-o", "pop3_check_password_command=false"], "*status 1"),
    ],
)
def test_usage(run: Run, options: list[str], message: str) -> None:
    """What cannot be is an error of usage before anything is asked, and quotes no password."""
    result = run(None, *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "hunter2" not in result.stdout.str() + result.stderr.str()


def test_password_is_needed(run: Run, server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a password is an error of usage; without a user none is asked for."""
    monkeypatch.delenv("POP3KIT_PASSWORD")

    with_user = run(server)
    without = run(server, "-k", "RFC1939-5-06 or RFC1939-4-01", user="")

    assert with_user.ret == pytest.ExitCode.USAGE_ERROR
    with_user.stderr.fnmatch_lines(["ERROR: *set POP3KIT_PASSWORD, or the ini option *"])
    assert without.parseoutcomes()["skipped"] >= 1


@pytest.mark.parametrize("source", ["file", "command"])
def test_password_from(
    source: str, run: Run, server: MockServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The password is the first line of a file, or of what a command prints."""
    monkeypatch.delenv("POP3KIT_PASSWORD")
    file = tmp_path / "password"
    file.write_text("secret\nrest\n")
    said = str(file) if source == "file" else f"cat {file}"

    result = run(server, "-k", "RFC1939-5-06", "-o", f"pop3_check_password_{source}={said}")

    result.assert_outcomes(passed=1, deselected=len(select()))
    assert server.journal.users[0] == "alice"


def test_tls(run: Run, tmp_path: Path) -> None:
    """TLS is verified, against the authorities that are named."""
    with MockServer(tls="stls") as server:
        (tmp_path / "ca.pem").write_bytes(server.ca_pem)
        options = ("-k", "RFC1939-5-06", "-o", "pop3_check_tls=stls")
        refused = run(server, *options)
        trusted = run(server, *options, "-o", f"pop3_check_cafile={tmp_path / 'ca.pem'}")

    assert refused.parseoutcomes()["errors"] == 1
    assert trusted.parseoutcomes()["passed"] == 1


def test_junit(run: Run, server: MockServer, tmp_path: Path) -> None:
    """JUnit XML has a case for each, with outcome, level, requirement and references."""
    run(server, "-k", "RFC1939-13-01", f"--junit-xml={tmp_path / 'out.xml'}", "-W", "default")

    case = ElementTree.parse(tmp_path / "out.xml").getroot().find(".//testcase")  # noqa: S314
    assert case is not None
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (case.get("classname"), case.get("name")) == ("pop3-check", "RFC1939-13-01")
    assert properties["pop3_outcome"] == "NON-STRICT"
    assert properties["pop3_references"] == "RFC 1939 section 13"


@pytest.mark.parametrize("dist", ["load", "loadscope"])
def test_xdist(
    dist: str, server: MockServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under pytest-xdist one process asks all cases, those of own files too."""
    pytest.importorskip("xdist")
    pytester.makefile(".pop3.yaml", own=OWN)
    monkeypatch.setenv("POP3KIT_PASSWORD", "secret")
    pytester.makepyfile(test_own="def test_own(): pass")
    url = f"--pop3-check=pop3://alice@{server.host}:{server.port}"

    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-n2", f"--dist={dist}", url, "-v", "-k", "RFC1939-5-0 or own"
    )

    asked = [each for each in result.outlines if "] [" in each and "test_own" not in each]
    assert result.ret == 0
    assert any("stays-three" in line for line in asked)
    assert len(asked) > 5
    assert len({line.partition(" ")[0] for line in asked}) == 1
