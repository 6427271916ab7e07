"""What lint takes for a mistake, although it can be played."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3scenarios import check
from pop3scenarios.tools import review

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What SASL PLAIN says: a password that looks real, and one that does not.
REAL, EXAMPLE = "\0a\0Tr0ub4dor&3xyz", "\0alice\0secret"

HEAD = "pop3: 1\nname: own\nsummary: own\n"


@pytest.fixture
def warned(tmp_path: Path) -> Callable[..., list[str]]:
    """The warnings of a file with some text behind its head."""

    def make(text: str, name: str = "own") -> list[str]:
        path = tmp_path / f"{name}.pop3.yaml"
        path.write_text(HEAD + text + "\n", encoding="utf-8")
        assert check(path) == []
        return [
            f"{each.line}:{each.column}: {each.kind}: {each.message} ({each.suggestion})"
            for each in review([path])
        ]

    return make


def encoded(text: str) -> str:
    """Text in base64."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Names
        ("rules: [{when: RTER, delay: 1}]", "4:16: near-miss: there is no command 'RTER' in any"),
        ("rules: [{when: [STAT, DELLE], delay: 1}]", "4:23: near-miss: there is no command 'DELLE"),
        ("rules: [{when: autologuot, delay: 1}]", "4:16: near-miss: there is no command 'AUTOLOGU"),
        ("rules: [{when: 'C: RETR', delay: 1}]", "4:16: near-miss: 'C:' is taken for the command"),
        ("rules: [{when: 'LIST  1', delay: 1}]", "4:16: near-miss: this means a command with two"),
        ("rules: [{when: AUTH, mechanism: PLAINN, delay: 1}]",
         "4:33: near-miss: the mechanism 'PLAINN' is neither offered nor known (did you mean 'PLA"),
        ("server: {capabilities: [USER, TOPP]}", "4:31: near-miss: there is no capability 'TOPP'"),
        ("server: {capabilities: [+SASL PLAINN]}", "4:25: near-miss: there is no mechanism 'PLAIN"),
        ("server: {hidden: [UIDLL]}", "4:19: near-miss: there is no capability 'UIDLL'"),
        ("requires: [TOPP]", "4:12: near-miss: there is no capability 'TOPP' in any RFC (did you"),
        ("expect: {never: [PAAS]}", "4:18: near-miss: there is no command 'PAAS'"),
        ("expect: {never-in-clear: [PAAS]}", "4:27: near-miss: there is no command 'PAAS'"),
        ("expect: {counts: {RTER: 1}}", "4:25: near-miss: there is no command 'RTER'"),
        ("variants: {a: {rules: [{when: RTER, delay: 1}]}}", "4:31: near-miss: there is no comman"),
        ("requires: [STLS]\nserver: {capabilities: [USER]}", "4:12: not-offered: the server itsel"),
        # What has no effect
        ("rules: [{when: LIST}]", "4:9: no-effect: the rule changes nothing (say what it changes)"),
        ("rules: [{when: LIST 1}, {when: RETR, delay: 1}]", "4:9: no-effect: the rule changes"),
        ("rules: [{when: LIST 1, as: LIST 1}]", "4:9: no-effect: the rule changes nothing"),
        ("rules: [{when: LIST, arguments: 0, as: LIST}]", "4:9: no-effect: the rule changes"),
        # Users
        ("server: {users: {a b: c}}", "4:23: no-login: the user 'a b' cannot log in with"),
        ("server: {users: {alice: ''}}", "4:25: no-login: the user 'alice' cannot log in"),
        ("maildrops: {nobody: []}", "4:21: unknown-user: the server has no user 'nobody'"),
        ("rules: [{when: RETR, user: nobody, delay: 1}]", "4:28: unknown-user: the server has no "),
        ("rules: [{when: '*', state: transaction, user: nobody, delay: 1}]", "4:47: unknown-user:"),
        # Status
        ("server: {greeting: -ERR no}", "4:20: double-status: -ERR would be sent behind the statu"),
        ("rules: [{when: NOOP, text: +OK fine}]", "4:28: double-status: +OK would be sent behind"),
        ("rules: [{when: RETR, error: -ERR no}]", "4:29: double-status: -ERR would be sent behind"),
        # Conversations
        ("script: |\n  S: +OK\n  C: PASS a\n  S: +OK\n  C: LIST\n  S: +OK\n  S: 1 5",
         "10:3: odd-script: the answer to LIST has no end (end it with S: .)"),
        ("script: |\n  S: +OK\n  C: NOOP\n  S: OK whatever",
         "7:3: odd-script: the answer begins without +OK, -ERR or +"),
        ("script: |\n  S: OK whatever", "5:3: odd-script: the answer begins without +OK, -ERR or "),
        ("script: |\n  S: +OK\n  C: STAT\n  S: +OK 1 5",
         "6:3: odd-script: STAT is answered +OK before anybody has logged in (log in first)"),
        ("script: |\n  [A] S: +OK\n  [B] C: CAPA\n  [B] S: -ERR",
         "6:3: odd-script: [B] begins without a greeting (begin with [B] S: +OK)"),
        ("script: |\n  S: +OK\n  C: XX {n:int}\n  S: +OK {n:word=2}",
         "7:3: odd-script: {n} is word here, and was int before (a hole has one type"),
        # Secrets
        ("script: |\n  S: +OK\n  C: PASS Tr0ub4dor&3xyz\n  S: +OK",
         "6:11: real-secret: this looks like a real password"),
        (f"script: |\n  S: +OK\n  C: AUTH PLAIN {encoded(REAL)}\n  S: +OK",
         "6:17: real-secret: this looks like a real password, in base64"),
        (f"script: |\n  S: +OK\n  C: AUTH LOGIN\n  S: +\n  C: {encoded(REAL[3:])}\n  S: +OK",
         "8:6: real-secret: this looks like a real password, in base64"),
    ],
)  # fmt: skip
def test_mistake(warned: Callable[..., list[str]], text: str, expected: str) -> None:
    """What looks like a mistake is told with its place, and nothing else is."""
    (found,) = warned(text)

    assert found[: len(expected)] == expected
    assert "Tr0ub4dor" not in found


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{when: [XTND, XLST, RPOP, HELP], delay: 1}]",
        'rules: [{when: "STAT\\0", delay: 1}]',
        "rules: [{when: 'LIST  1', reply: -ERR two spaces}]",
        "rules: [{when: 'LIST  {n}', as: 'LIST {n}'}]",
        "rules: [{when: AUTH, mechanism: GSSAPI, delay: 1}]",
        "rules: [{when: AUTH, mechanism: X-OWN, delay: 1}]\nserver: {capabilities: [SASL X-OWN]}",
        "server: {capabilities: [TOP, USER, X-TOPP, XOIP, PIPELINE]}",
        "requires: [TOP]",
        "requires: [TOP]\nserver: {capabilities: [-TOP], hidden: [TOP]}",
        "rules: [{when: LIST 1}, {when: LIST, delay: 1}]",
        "rules: [{when: LIST 1}, {when: '*', delay: 1}]",
        "rules: [{when: LIST, as: LIST}]",
        "rules: [{when: PASS, user: nobody, delay: 1}]",
        "rules: [{when: RETR, user: alice, delay: 1}]",
        "maildrops: {bob: []}",
        "rules: [{when: greeting, reply: -ERR no}]",
        "script: |\n  S: +OK\n  C: PASS a\n  S: +OK\n  C: LIST\n  S: +OK\n  S: 1 5\n  S: .",
        "script: |\n  S: +OK\n  C: PASS a\n  S: +OK\n  C: LIST 1\n  S: +OK 1 5",
        "script: |\n  S: +OK\n  C: PASS a\n  S: +OK\n  C: RETR 1\n  S: +OK\n  <close>",
        "script: |\n  S: +OK\n  C: AUTH LOGIN\n  S: +\n  C: {x}\n  S: +OK\n  C: STAT\n  S: +OK 1 5",
        "script: |\n  S: +OK\n  C: STAT\n  S: -ERR log in first",
        "script: |\n  [A] S: +OK\n  [B] S: +OK\n  [B] C: CAPA\n  [B] S: -ERR",
        "script: |\n  S: +OK\n  C: XX {a:int}\n  S: +OK {a}",
        "script: |\n  S: +OK\n  C: PASS secret\n  S: +OK",
        f"script: |\n  S: +OK\n  C: AUTH PLAIN {encoded(EXAMPLE)}\n  S: +OK",
    ],
)  # fmt: skip
def test_no_mistake(warned: Callable[..., list[str]], text: str) -> None:
    """What is meant as it stands is not taken for a mistake."""
    assert warned(text) == []


def test_file_of_another_name(warned: Callable[..., list[str]]) -> None:
    """A scenario is found by the name of its file, so that should be its own."""
    (found,) = warned("", name="wrongname")

    assert found.startswith("2:7: file-name: the scenario is called 'own', and its file wrongname.")
