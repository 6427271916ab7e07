"""``pop3kit check``: output, exit status, and where the password comes from."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

import pytest

from pop3check import PROFILES, Outcome, Verdict, read_record, select
from pop3kit._check_console import Console
from pop3mock import MockServer

from ._checking import HEAD, invoke, mutant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of the default server."""
    with MockServer() as server:
        yield f"pop3://alice@127.0.0.1:{server.port}"


def test_fine(url: str) -> None:
    """A run without failures ends with 0, tells each section, the facts, and the counts."""
    result = invoke([url, "RFC1939-5", "RFC2449-5"])

    assert result.exit_code == 0, result.output
    assert re.search(r"^RFC 1939 section 5 +✓ [0-9]+ ", result.output, re.MULTILINE)
    assert re.search(r"^RFC 2449 section 5 +✓ [0-9]+ ", result.output, re.MULTILINE)
    assert "  greeting: +OK POP3 server ready" in result.output
    assert re.search(r"[0-9]+ cases, [0-9]+ PASS, .*SKIP\n\Z", result.output)
    assert "FAIL" not in result.output


def test_verbose(url: str) -> None:
    """With --verbose each case is told, and why one was skipped."""
    result = invoke([url, "rfc1939-5-06", "rfc1939-5-25", "--verbose"])

    assert "✓ PASS       RFC1939-5-06  STAT and LIST count the same messages\n" in result.output
    assert "precondition: the message 'long' of the run's own is not there" in result.output


def test_failure() -> None:
    """A failure is told as it comes, and at the end once more with all that is to be known."""
    with mutant() as url:
        result = invoke([url, "RFC1939-5"])

    head = "✗ FAIL       RFC1939-5-35  NOOP is answered +OK\n"
    assert result.exit_code == 1
    assert result.output.count(head) == 2
    assert f"{head}{'':11}requirement: A server answers +OK to NOOP" in result.output
    assert "C: PASS ********" in result.output
    assert "secret" not in result.output


def test_unreachable(tmp_path: Path) -> None:
    """A server that is not there is told once, however many cases there are; JSON has them all."""
    with MockServer() as server:
        place = f"127.0.0.1:{server.port}"
    file = tmp_path / "a.json"

    result = invoke([f"pop3://alice@{place}", "RFC1939-5", "RFC1939-7", "--json", str(file)])

    cases = read_record(file).cases
    errors = [case for case in cases if case.outcome is Outcome.ERROR]
    skipped = len(cases) - len(errors)
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"! ERROR      {errors[0].reason}",
        "",
        f"{place}: {len(cases)} cases, {skipped} SKIP, {len(errors)} ERROR",
    ]
    assert len({case.reason for case in errors}) == 1 < len(errors)
    assert f"cannot connect to {place}" in errors[0].reason


@pytest.mark.parametrize(("tls", "scheme"), [("stls", "pop3+stls"), ("implicit", "pop3s")])
def test_untrusted(tls: Literal["stls", "implicit"], scheme: str) -> None:
    """A certificate that is not trusted is told once, with the option that helps."""
    with MockServer(tls=tls) as server:
        result = invoke([f"{scheme}://alice@127.0.0.1:{server.port}", "RFC1939-5", "RFC2595-4"])

    assert result.exit_code == 2, result.output
    assert result.output.count("(--cafile names the authority to trust)") == 1
    assert result.output.count("! ERROR") == 1
    assert "ca=" not in result.output


def test_inconclusive(url: str) -> None:
    """The last lines say which cases make a run inconclusive."""
    result = invoke([url, "RFC2595-4-07", "RFC1939-5-35"])

    assert result.exit_code == 2, result.output
    assert "\ninconclusive: RFC2595-4-07\n" in result.output


def test_colour_is_for_terminals(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours repeat signs, on a terminal, unless somebody does not want them."""
    arguments = [url, "rfc1939-5-06", "--verbose"]

    plain = invoke(arguments)
    coloured = invoke(arguments, color=True)
    monkeypatch.setenv("NO_COLOR", "1")
    unwanted = invoke(arguments, color=True)

    assert "\x1b" not in plain.output
    assert "\x1b[32m✓ PASS" in coloured.output
    assert "\x1b" not in unwanted.output


def test_wrong_password(url: str, tmp_path: Path) -> None:
    """A refused login is inconclusive; the password's file comes before the environment."""
    file = tmp_path / "password"
    file.write_text("wrong\n")

    result = invoke([url, "RFC1939-5", "--password-file", str(file)])

    assert result.exit_code == 2, result.output
    assert "login: the login was refused" in result.output


def test_password_file(url: str, tmp_path: Path) -> None:
    """The first line of the file is the password."""
    file = tmp_path / "password"
    file.write_bytes(b"secret\r\nnot this\n")

    result = invoke([url, "rfc1939-5-35", "--password-file", str(file)], env={})

    assert result.exit_code == 0, result.output


def test_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal standard error tells how far the run is, and is wiped at its end."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    console = Console(select(["rfc1939-5-35", "rfc1939-5-06"]), PROFILES["default"], verbose=False)

    console.add(Verdict("RFC1939-5-06", "a", Outcome.PASS, "b"))
    shown = capsys.readouterr()
    console.add(Verdict("RFC1939-5-35", "a", Outcome.PASS, "b"))

    assert shown.err == "\r\x1b[K1/2 RFC1939-5-06"
    assert shown.out == ""
    assert capsys.readouterr().out == "RFC 1939 section 5         ✓ 2\n"


@pytest.mark.parametrize(
    ("typed", "status"), [("alice@127.0.0.1", 0), ("alice", 64), ("alice@localhost", 64)]
)
def test_account_typed_again(
    url: str, typed: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is at a terminal types the account again before anything may be deleted."""
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("pop3kit._check_run.sys", terminal)

    result = invoke([url, "rfc1939-5-35", "--destructive"], input=f"{typed}\n")

    assert result.exit_code == status, result.output
    assert "Type the account, user@host" in result.output


def test_lost_mail() -> None:
    """Mail that is lost is told before all else at the end, and the status is 3."""
    with mutant(f"{HEAD}quirks: ['retr-deletes[marks]']\n") as url:
        result = invoke([url, "rfc1939-5-23"])

    assert result.exit_code == 3, result.output
    assert re.search(r"^MAIL LOST: [0-9]+ messages", result.output, re.MULTILINE)
    assert result.output.index("MAIL LOST") < result.output.index("greeting:")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected one URL"),
        (["RFC1939-5"], "expected one URL"),
        (["RFC2449-6.1"], "expected one URL"),
        (["./a.pop3.yaml"], "expected one URL"),
        (["mail.example"], "'mail.example' is no URL; pop3://mail.example?"),
        (["uidl", "alice:secret@localhost:1110"], "is no URL; pop3://alice@localhost:1110?"),
        (["pop3://h", "uidle"], "did you mean 'uidl'?"),
        (["pop3://h", "pop3://h"], "expected one URL"),
        (["pop3://h", "--nonsense"], "--nonsense"),
        (["http://h"], "http://h"),
        (["pop3://alice:secret@h"], "must not hold a password"),
        (["pop3://h", "RFC9999"], "RFC9999"),
        (["pop3://h", "--skip", "RFC9999"], "RFC9999"),
        (["pop3://h", "--level", "much"], "no level"),
        (["pop3://h", "--tag", "nonsense"], "--tag nonsense"),
        (["pop3://h", "RFC1939-5", "--skip", "RFC1939-5"], "nothing is left"),
        (["pop3://h", "--timeout", "0"], "--timeout"),
        (["pop3://h", "--profile", "mild"], "--profile"),
        (["pop3://alice@h"], "a password is needed"),
        (["pop3://alice@h", "--destructive"], "--yes-delete-in alice@h"),
        (["pop3://h", "--destructive"], "needs a user"),
        (["pop3://alice@h", "--destructive", "--yes-delete-in", "bob@h"], "bob@h was typed"),
        (["pop3://alice@h", "--yes-delete-in", "alice@h"], "is for --destructive"),
        (["--explain", "RFC1939"], "expected one case"),
        (["--with", __file__, "--html", "x"], "expected what check --json writes"),
        (["--with", __file__], "needs --html"),
    ],
)
def test_usage(arguments: list[str], said: str) -> None:
    """Wrong usage ends with 64 and says what is wrong: a misspelt case is no result."""
    result = invoke(arguments, env={})

    assert result.exit_code == 64, result.output
    assert said in result.output
    assert "secret" not in result.output
