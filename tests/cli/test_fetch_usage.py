"""``pop3kit fetch``: wrong usage ends before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

from ._fetching import one_line, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["pop3://alice@h"], "exactly one of --output, --maildir and --mbox"),
        (["pop3://alice@h", "-o", "x", "--mbox", "y"], "exactly one of"),
        (["pop3://alice@h", "--maildir", "x", "--mbox", "y"], "exactly one of"),
        (["pop3://alice@h", "-o", "x", "--stls", "--stls-if-offered"], "--stls-if-offered"),
        (["pop3s://alice@h", "-o", "x", "--stls-if-offered"], "pop3s://"),
        (["pop3+stls://alice@h", "-o", "x", "--stls-if-offered"], "demands STLS"),
        (["pop3://alice@h", "-o", "x", "--tls-fingerprint", "00" * 32], "go with TLS"),
        (["pop3s://alice@h", "-o", "x", "--tls-fingerprint", "00"], "64 hexadecimal digits"),
        (["pop3s://alice@h", "-o", "x", "--key", __file__], "--key goes with --cert"),
        (["pop3s://alice@h", "-o", "x", "--cert", __file__], "expected a certificate"),
        (["pop3s://alice@h", "-o", "x", "--mechanism", "NTLM"], "SCRAM-SHA-256"),
        (["pop3s://alice@h", "-o", "x", "--mechanism", "FOO"], "'EXTERNAL', 'XOAUTH2'"),
        (["pop3s://alice@h", "-o", "x", "--mechanism", "external"], "goes with --cert"),
        (["pop3s://alice@h", "-o", "x", "--mechanism", "xoauth2"], "--oauth-token-command"),
        (
            ["pop3s://a@h", "-o", "x", "--oauth-token-command", "a", "--password-command", "b"],
            "with no password",
        ),
        (
            ["pop3s://a@h", "-o", "x", "--oauth-token-command", "a", "--mechanism", "PLAIN"],
            "no --mechanism but",
        ),
        (["-o", "x"], "URL"),
        (["http://alice@h", "-o", "x"], "pop3://"),
        (["pop3s://alice@h", "-o", "x", "--stls"], "--stls goes with pop3://"),
        (["pop3://alice@h", "-o", "x", "--retr-mode", "fast"], "fast"),
        (["pop3://alice@h", "-o", "x", "--timeout", "0"], "0"),
        (["pop3://alice@h?timeout=5", "-o", "x"], "settings have their options"),
        (["pop3://alice@h", "-o", "x", "--keep", "3"], "--keep goes with --sync"),
        (["pop3://alice@h", "-o", "x", "--sync", "s", "--keep", "3", "--delete"], "--keep"),
        (["pop3://alice@h", "-o", "x", "--cafile", "/none"], "/none"),
        (["pop3://alice@h", "-o", "x", "--password-file", "/none"], "/none"),
        (["pop3://alice@h", "-o", "x", "--password", "gehe1m"], "--password"),
        (["pop3://alice%0d%0aDELE@localhost:1", "-o", "x"], "CR"),
    ],
)
def test_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    """Wrong usage ends with 64 and says what is wrong."""
    monkeypatch.chdir(tmp_path)

    result = run("fetch", *arguments, password="secret")

    assert result.exit_code == 64
    assert why.lower() in result.stderr.lower()  # how names are written is click's choice
    assert not list(tmp_path.rglob("*.eml"))


def test_password_in_url(run: Run, out: Path) -> None:
    """A URL with a password is refused with the reason, and nothing is sent."""
    with MockServer() as server:
        place = url(server).replace("alice@", "alice:gehe1m@")
        result = run("fetch", place, "-o", out, password="secret")
        came = server.journal.connections

    assert (result.exit_code, came) == (64, [])
    assert "can be read in the list of processes" in one_line(result)
    assert "gehe1m" not in result.output
