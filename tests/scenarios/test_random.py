"""Files that are nearly right: whatever is wrong, it is told, and nothing else comes out."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pop3scenarios import Problem, ScenarioError, UnknownScenario, loads, shipped

pytestmark = pytest.mark.once

ALL_OF_IT = """\
pop3: 1
name: all-of-it
summary: says a bit of everything
why: |
  Because.
references: [RFC 1939, "a: b"]
extends: default
quirks: [no-apop, 'stls-broken[expired]']
server:
  greeting: ready {stamp}
  capabilities: [+X-FOO, -TOP]
  users: {alice: secret}
tls: {mode: stls, minimum: TLSv1.2}
maildrop:
  - {from: a@b, subject: "x", body: "y"}
  - {octets: 200, count: 2}
  - raw: |
      Subject: z

      .dot
maildrops: {bob: []}
rules:
  - when: [RETR 1, 'TOP 1 {lines}']
    nth: 2..
    octets: +37
    dribble: 1 every 10ms
  - when: RETR {n}
    state: transaction
    reply: |
      +OK {n} {x:int=3} octets
      <message {n} first 50%>
      <bytes "\\xff\\r\\n">
      .
script: |
  # a comment
  S: +OK {stamp:msgid=<1.2@example.com>}
  C: USER {user}
  S: +OK ...
  C?: CAPA
  <default>
  <close>
expect:
  never-in-clear: [USER, PASS]
  counts: {RETR: 1.., QUIT: 1}
  fetch: {ends: partial, intact: 1, notices: []}
variants:
  one:
    rules:
      - {when: STAT, text: "", delay: 10ms}
  two: &two
    tls: {certificate: expired}
  three: *two
"""

TEXTS = [ALL_OF_IT, *(path.read_text(encoding="utf-8") for path in shipped().values())]

KEYS = (
    "extends", "quirks", "server", "tls", "maildrop", "maildrops", "rules", "script", "expect",
    "variants", "why",
)  # fmt: skip
INNER_KEYS = (
    "when", "reply", "file", "files", "octets", "count", "name", "from", "body", "nth", "fetch",
)  # fmt: skip


def outcome(text: str) -> None:
    """Load a text; what is wrong must have a place in it or just behind."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text.removeprefix("\ufeff"))
    problems = problems_of(text)

    for problem in problems:
        assert problem.message
        if problem.file == "f":
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def problems_of(text: str) -> tuple[Problem, ...]:
    """The problems of a text; none if it loads, or would if a variant were named."""
    try:
        loads(text, file="f")
    except UnknownScenario:
        return ()
    except ScenarioError as error:
        return error.problems or (Problem("f", 0, 0, "an error without a problem"),)
    return ()


def test_all_of_it_is_right() -> None:
    """The text that is altered below is right as it stands."""
    assert {"one", "two", "three"} == set(loads(ALL_OF_IT, variant="one").file.variants)


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A right text with a few characters or lines deleted, inserted, doubled or swapped."""
    pieces: list[str] = list(draw(st.sampled_from(TEXTS)))
    if draw(st.booleans()):
        pieces = "".join(pieces).splitlines(keepends=True)
    inserts = st.sampled_from(
        [*"{}[]:,-#&*!|>'\"%@`\t\n\r \\~?<0é\0\ufeff\u2028", "- ", ": ", "...", "---\n"]
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(pieces) - 1, 0)))
        match draw(st.sampled_from(["delete", "insert", "double", "swap", "cut"])):
            case "delete":
                pieces[at : at + 1] = []
            case "insert":
                pieces.insert(at, draw(inserts))
            case "double":
                pieces[at:at] = pieces[at : at + 1]
            case "swap":
                pieces[at : at + 2] = reversed(pieces[at : at + 2])
            case "cut":
                pieces[at:] = []
    return "".join(pieces)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=nearly())
def test_nothing_but_problems_comes_out(text: str) -> None:
    """A text with accidents either loads or says what is wrong and where."""
    outcome(text)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text(text: str) -> None:
    """So does any text at all."""
    outcome(text)


@settings(max_examples=200, deadline=None)
@given(
    key=st.sampled_from(
        [
            "extends",
            "quirks",
            "server",
            "tls",
            "maildrop",
            "maildrops",
            "rules",
            "script",
            "expect",
            "variants",
            "why",
        ]
    ),
    value=st.recursive(
        st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "when",
                        "reply",
                        "file",
                        "files",
                        "octets",
                        "count",
                        "name",
                        "from",
                        "body",
                        "nth",
                        "fetch",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
)
def test_any_value_under_any_key(key: str, value: object) -> None:
    """So does any value where another was expected."""
    outcome(f"pop3: 1\nname: x\nsummary: s\n{key}: {_flow(value)}\n")


def _flow(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    return "'" + str(value).replace("'", "''") + "'"


@pytest.mark.parametrize("text", TEXTS, ids=["all-of-it", *shipped()])
def test_cut_anywhere(text: str) -> None:
    """A file that was cut short at the end of any line loads or says what is wrong."""
    lines = text.splitlines(keepends=True)

    for end in range(len(lines)):
        outcome("".join(lines[:end]))
