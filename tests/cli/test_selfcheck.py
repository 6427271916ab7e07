"""Conversations held against themselves: what the checker says, against what the mock plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from pop3kit._selfcheck import is_fault_free, self_check
from pop3scenarios import Scenario, expand, kind_of, load, loads, shipped

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: own\nsummary: own\n"
LOGIN = "  S: +OK ...\n  C: USER {user}\n  S: +OK ...\n  C: PASS {password}\n  S: +OK ...\n"

CONVERSATIONS = [
    reference
    for name, path in shipped().items()
    if kind_of(path) == "conversations"
    for reference in expand(name)
]


def scenario(lines: str, more: str = "") -> Scenario:
    """A conversation that begins with a login."""
    rest = "".join(f"  {line}\n" for line in lines.splitlines())
    return loads(f"{HEAD}{more}script: |\n{LOGIN}{rest}", file="own.pop3.yaml")


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_shipped(name: str) -> None:
    """Each shipped conversation in which nothing breaks says the same to checker and mock."""
    file = load(name)

    assert is_fault_free(file)
    assert self_check(file, file.path) is None


@pytest.mark.parametrize(
    ("lines", "more", "free"),
    [
        ("C: QUIT\nS: +OK", "", True),
        ("C?: CAPA\n<default>\nC: QUIT\nS: +OK", "", True),
        ("C: QUIT\nS: +OK", "rules: [{when: NOOP, text: x}]\n", True),
        ("C: QUIT\nS: +OK", "rules: [{when: NOOP, then: close}]\n", False),
        ("C: QUIT\nS: +OK", "rules: [{when: RETR, cut: 5}]\n", False),
        ("C: QUIT\nS: +OK", "quirks: [capa-closes]\n", False),
        ("C: QUIT\nS: +OK", "rules: [{when: NOOP, reply: <close>}]\n", False),
        ("C: QUIT\nS: +OK", "tls: {handshake: hang}\n", False),
        ("C: CAPA\n<default>\nC: QUIT\nS: +OK", "", False),
        ("C: QUIT\nS: +OK\n<hang>", "", False),
        ("C: QUIT\nS: +OK\n<close>", "", True),
        ("C: RETR 1\nS: +OK\n<message 1 first 5 octets>\n<reset>", "", False),
    ],
)
def test_fault_free(lines: str, more: str, free: bool) -> None:
    """A conversation is played if neither it nor a layer of it breaks, hangs or cuts."""
    assert free is is_fault_free(scenario(lines, more))


def test_scenario_without_conversation() -> None:
    """Where nothing is said there is nothing to play."""
    assert not is_fault_free(load("gmail"))


def test_agreement() -> None:
    """A conversation whose lines fit together says the same to both."""
    lines = (
        "C?: CAPA\n<default>\nC: STAT\nS: +OK 2 {all:int=720}\nC: STAT\nS: +OK 2 {all}\n"
        "C: QUIT\nS: +OK ..."
    )

    assert self_check(scenario(lines), Path("own.pop3.yaml")) is None


@pytest.mark.parametrize("mode", ["stls", "implicit"])
def test_agreement_inside_tls(mode: str) -> None:
    """A conversation is played inside TLS where the scenario has it so."""
    lines = "C: NOOP\nS: +OK ...\nC: QUIT\nS: +OK ..."

    assert self_check(scenario(lines, f"tls: {{mode: {mode}}}\n"), Path("own.pop3.yaml")) is None


def test_contradiction() -> None:
    """Where the mock sends what the checker refuses, the line of the file is told."""
    lines = "C: LIST\nS: +OK ...\nS: {number} {size:int=120}\nS: ...\nS: .\nC: QUIT\nS: +OK"

    problem = self_check(scenario(lines), Path("own.pop3.yaml"))

    assert problem is not None
    assert (problem.file, problem.line, problem.kind) == ("own.pop3.yaml", 12, "error")
    assert problem.message.startswith("own: checker and mock do not agree: expected ")


def test_nobody_to_log_in() -> None:
    """A conversation with a login for which there is no user cannot be played."""
    problem = self_check(scenario("C: QUIT\nS: +OK", "server: {users: {}}\n"), Path("f"))

    assert problem is not None
    assert "login" in problem.message
