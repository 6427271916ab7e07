"""``pop3kit fetch``: where password and token come from, and the choice of the mechanism."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3client._authentication import _PASSWORD_MECHANISMS
from pop3kit._login import _PASSWORD
from pop3mock import MockServer

from ._fetching import mail, odd, one_line, printing, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


def test_apop(run: Run, out: Path) -> None:
    """--mechanism APOP logs in without sending the password."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--mechanism", "apop", password="secret")
        commands = server.journal.commands

    assert result.exit_code == 0
    assert "APOP alice ****" in commands
    assert not any(command.startswith("PASS") for command in commands)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_token(run: Run, out: Path, mechanism: str) -> None:
    """--oauth-token-command logs in with the token that the command prints; it is never shown."""
    text = f"server:\n  capabilities: [TOP, UIDL, SASL {mechanism}]\n"
    with odd(text) as server:
        result = run("fetch", url(server), "-o", out, "--oauth-token-command", printing("secret"))
        commands = server.journal.commands

    assert (result.exit_code, len(mail(out))) == (0, 4)
    assert any(command.startswith(f"AUTH {mechanism}") for command in commands)
    assert not any(command.startswith("PASS") for command in commands)


def test_token_command_fails(run: Run, out: Path) -> None:
    """A command that gives no token ends with 64, and nobody is logged in."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--oauth-token-command", "false")
        commands = server.journal.commands

    assert result.exit_code == 64
    assert "--oauth-token-command ended with status 1" in one_line(result)
    assert not any(command.startswith("AUTH") for command in commands)


def test_mechanisms() -> None:
    """Each mechanism of the client that takes a password can be chosen, and no other."""
    assert set(_PASSWORD) == set(_PASSWORD_MECHANISMS)


def test_wrong_password(run: Run, out: Path) -> None:
    """A refused login ends with 77 and the server's reason, never with the password or a folder."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, password="gehe1m")

    assert result.exit_code == 77
    assert "password is wrong" in one_line(result)
    assert not out.exists()
    assert "gehe1m" not in result.output
    assert "nothing fetched" in result.stdout


def test_insecure(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password crosses a network unencrypted only if that is asked for."""
    monkeypatch.setattr("pop3client._blocking.is_local", lambda _: False)
    with MockServer() as server:
        refused = run("fetch", url(server), "-o", out, password="secret")
        sent = server.journal.commands
        allowed = run("fetch", url(server), "-o", out, "--allow-insecure-auth", password="secret")

    assert (refused.exit_code, sent, allowed.exit_code) == (64, [], 0)
    assert "--allow-insecure-auth" in one_line(refused)


def test_password_sources(run: Run, out: Path, tmp_path: Path) -> None:
    """The password comes from a file or a command as well as from the environment."""
    file = tmp_path / "password"
    file.write_bytes(b"secret\n")
    with MockServer() as server:
        by_file = run("fetch", url(server), "-o", out, "--password-file", file)
        echo = printing("secret")
        by_command = run("fetch", url(server), "-o", out, "--password-command", echo)
        nothing = run("fetch", url(server), "-o", out)

    assert (by_file.exit_code, by_command.exit_code, nothing.exit_code) == (0, 0, 64)
    assert "--password-file" in one_line(nothing)


@pytest.mark.parametrize("name", ["user", "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_mechanism(run: Run, out: Path, name: str) -> None:
    """--mechanism logs in by that one and no other, in whatever case it is written."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--mechanism", name, password="secret")
        commands = server.journal.commands

    logins = [each.split() for each in commands if each.startswith(("AUTH", "USER", "APOP"))]
    expected = ["USER", "alice"] if name == "user" else ["AUTH", name]
    assert (result.exit_code, [words[:2] for words in logins]) == (0, [expected])


@pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER"])
def test_mechanism_for_a_token(run: Run, out: Path, name: str) -> None:
    """--mechanism chooses between the two ways to send a token, whatever is offered."""
    with odd("server:\n  capabilities: [TOP, UIDL, SASL OAUTHBEARER XOAUTH2]\n") as server:
        command = printing("secret")
        options = ["--mechanism", name, "--oauth-token-command", command]
        result = run("fetch", url(server), "-o", out, *options)
        commands = server.journal.commands

    assert result.exit_code == 0
    assert any(each.startswith(f"AUTH {name}") for each in commands)
