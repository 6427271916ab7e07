"""``pop3kit check``: output, exit status, and where the password comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from pop3kit._group import cli
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MUTANT = "pop3: 1\nname: x\nsummary: x\nrules: [{when: NOOP, reply: -ERR}]\n"


def invoke(arguments: list[str], env: dict[str, str] | None = None) -> Result:
    """Run the subcommand as the command line does."""
    return CliRunner().invoke(cli, ["check", *arguments], env=env)


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of the default server."""
    with MockServer() as server:
        yield f"pop3://alice@127.0.0.1:{server.port}"


def test_fine(url: str, tmp_path: Path) -> None:
    """A run without failures ends with 0 and counts the outcomes."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(MockServer().ca_pem)

    result = invoke([url, "--cafile", str(authority)], env={"POP3KIT_PASSWORD": "secret"})

    assert result.exit_code == 0, result.output
    assert "PASS       RFC1939-5-06  STAT and LIST count the same messages" in result.output
    assert re.search(r"[0-9]+ cases, [0-9]+ PASS, .*SKIP", result.output)
    assert "FAIL" not in result.output


def test_failure() -> None:
    """A failure ends with 1 and shows what came."""
    with MockServer(loads(MUTANT)) as server:
        arguments = [f"pop3://alice@127.0.0.1:{server.port}", "RFC1939-5"]
        result = invoke(arguments, env={"POP3KIT_PASSWORD": "secret"})

    assert result.exit_code == 1
    assert "FAIL       RFC1939-5-35" in result.output
    assert "secret" not in result.output


def test_wrong_password(url: str, tmp_path: Path) -> None:
    """A refused login is inconclusive; the password's file comes before the environment."""
    file = tmp_path / "password"
    file.write_text("wrong\n")

    result = invoke([url, "--password-file", str(file)], env={"POP3KIT_PASSWORD": "secret"})

    assert result.exit_code == 2, result.output


def test_password_file(url: str, tmp_path: Path) -> None:
    """The first line of the file is the password."""
    file = tmp_path / "password"
    file.write_bytes(b"secret\r\nnot this\n")

    result = invoke([url, "rfc1939-5-35", "--password-file", str(file)])

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["pop3://h", "--nonsense"],
        ["http://h"],
        ["pop3://alice:secret@h"],
        ["pop3://h", "RFC9999"],
        ["pop3://h", "--timeout", "0"],
        ["pop3://alice@h"],
    ],
)
def test_usage(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong usage ends with 64: a misspelt case must not look like a result."""
    monkeypatch.delenv("POP3KIT_PASSWORD", raising=False)

    result = invoke(arguments)

    assert result.exit_code == 64, result.output
    assert "secret" not in result.output
