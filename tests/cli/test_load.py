"""``pop3kit load``: output, exit status, the ladder of safety, and where passwords come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Run

SCENARIO = """\
pop3: 1
name: loaded
summary: loaded
server: {users: {alice: secret-a, bob: secret-b}}
"""

#: Few sessions, however slow the machine.
FEW = ("--sessions", "20", "--concurrency", "4", "--duration", "10")


@pytest.fixture
def server() -> Iterator[MockServer]:
    """A correct server with two users."""
    with MockServer(loads(SCENARIO)) as server:
        yield server


def url(server: MockServer, user: str = "alice@") -> str:
    """Where the server is."""
    return f"pop3://{user}127.0.0.1:{server.port}"


def test_fine(server: MockServer, run: Run) -> None:
    """A run in which every rule was kept ends with 0, and shows latencies and the seed."""
    result = run("load", url(server), *FEW, "--seed-value", "5", password="secret-a")

    assert result.exit_code == 0, result.output
    assert "p99" in result.output
    assert "\nLOGIN  " in result.output
    assert "0 violations, 0 errors, seed 5" in result.output


def test_violation(run: Run) -> None:
    """A broken rule ends with 1; the rule, the seed and the last lines are shown, no secret."""
    with MockServer(loads(SCENARIO + "rules: [{when: STAT, reply: +OK few}]")) as server:
        result = run("load", url(server), *FEW, password="secret-a")

    assert result.exit_code == 1
    assert "FAIL  reply: each command is answered" in result.output
    assert "S: +OK few" in result.output
    assert "secret-a" not in result.output


def test_json(server: MockServer, run: Run, tmp_path: Path) -> None:
    """The result can be had as JSON."""
    file = tmp_path / "load.json"

    run("load", url(server), *FEW, "--json", file, password="secret-a")

    data = json.loads(file.read_text())
    assert (data["load"], data["exit_status"], data["mode"]) == (1, 0, "read-only")
    assert data["latencies"]["STAT"]["count"] > 0


def test_accounts(server: MockServer, run: Run, tmp_path: Path) -> None:
    """Several accounts come from a file."""
    file = tmp_path / "accounts"
    file.write_text("alice:secret-a\n\nbob:secret-b\n")

    result = run("load", url(server, ""), *FEW, "--accounts", file)

    assert result.exit_code == 0, result.output
    assert {"alice", "bob"} == set(server.journal.users)


def test_destructive(server: MockServer, run: Run) -> None:
    """Mail of the checker's own is deleted, once the account has been typed again."""
    for n in range(5):
        server.deliver(b"X-Conformance-Id: t-%d\r\n\r\ntext\r\n" % n)
    before = len(server.maildrop)

    ladder = ("--destructive", "--yes-delete-in", "alice@127.0.0.1")
    result = run("load", url(server), *FEW, *ladder, password="secret-a")

    assert result.exit_code == 0, result.output
    assert before - 5 <= len(server.maildrop) < before


def test_unreachable(run: Run) -> None:
    """A server that cannot be reached is inconclusive."""
    with MockServer(loads(SCENARIO)) as server:
        place = url(server)

    result = run("load", place, *FEW, password="secret-a")

    assert result.exit_code == 2
    assert "cannot connect" in result.output


@pytest.mark.parametrize("command", ["load", "fingerprint"])
def test_untrusted(server: MockServer, run: Run, command: str) -> None:
    """Where the certificate is not trusted, the option that helps is told, not its Python name."""
    few = FEW if command == "load" else ()

    place = url(server).replace("pop3:", "pop3+stls:")
    result = run(command, place, *few, password="secret-a")

    assert result.exit_code == 2, result.output
    assert "(--cafile names the authority to trust)" in result.output
    assert "ca=" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["pop3://127.0.0.1"],
        ["pop3://alice:secret-a@127.0.0.1"],
        ["http://alice@127.0.0.1"],
        ["pop3://alice@127.0.0.1", "--concurrency", "0"],
        ["pop3://alice@127.0.0.1", "--rate", "0"],
        ["pop3://alice@127.0.0.1", "--any-message"],
        ["pop3://alice@127.0.0.1", "--destructive"],
        ["pop3://alice@127.0.0.1", "--destructive", "--yes-delete-in", "bob@127.0.0.1"],
    ],
)
def test_usage(arguments: list[str], run: Run) -> None:
    """Wrong usage ends with 64, before anything is connected to."""
    result = run("load", *arguments, password="secret-a")

    assert result.exit_code == 64, result.output
    assert "secret-a" not in result.output


@pytest.mark.parametrize("text", ["", "alice\n", "alice:\n", ":secret-a\n", "\xff:secret-a\n"])
def test_accounts_that_are_none(text: str, run: Run, tmp_path: Path) -> None:
    """A file that holds no accounts is wrong usage; what is in it is not shown."""
    file = tmp_path / "accounts"
    file.write_bytes(text.encode("latin-1"))

    result = run("load", "pop3://127.0.0.1", "--accounts", file)

    assert result.exit_code == 64
    assert "secret-a" not in result.output
