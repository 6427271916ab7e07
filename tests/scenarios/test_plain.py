"""Loaded parts of a scenario written as a file again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3scenarios import load, loads
from pop3scenarios._plain import plain, to_yaml
from pop3scenarios._yaml import read

from ._shipped import NAMES

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: own\nsummary: own\n"

RULES = """\
rules:
  - when: [RETR 1, LIST]
    state: transaction
    tls: yes
    nth: [1, 3..4, 7..]
    text: "{octets} octets"
    octets: -5
    stuffing: off
    dribble: 1 every 10ms
    delay: 2s
    then: reset
  - when: TOP
    octets: omitted
    delay: 0
    body: |
      one
      two
  - when: [UIDL]
    octets: 200%
    text: ""
    delay: 90s
  - when: QUIT
    reply: |
      +OK
      <hang>
  - when: STAT
    octets: "12"
    delay: 10min
    dribble: 16
    outcome: ok
  - when: LIST
    octets: rounded 1024
"""

#: Text that the loader could be given: what YAML cannot hold at all is an error of its own.
texts = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\x85\u2028\u2029\ufeff")
    | st.sampled_from("\n\t #:'\"-{}[]|>&*!%@`"),
    max_size=30,
)
values = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_notations() -> None:
    """Each value is written in the notation of its key."""
    written = [plain(rule) for rule in loads(HEAD + RULES).rules[0]]

    assert written == [
        {
            "when": ["RETR 1", "LIST"],
            "state": "transaction",
            "tls": "yes",
            "nth": ["1", "3..4", "7.."],
            "text": "{octets} octets",
            "octets": "-5",
            "stuffing": "off",
            "delay": "2s",
            "dribble": "1 every 10ms",
            "then": "reset",
        },
        {"when": "TOP", "octets": "omitted", "body": "one\ntwo\n", "delay": "0s"},
        {
            "when": "UIDL",
            "text": "",
            "octets": "200%",
            "delay": "90s",
        },
        {"when": "QUIT", "reply": "+OK\n<hang>\n"},
        {
            "when": "STAT",
            "outcome": ["ok"],
            "octets": "=12",
            "delay": "10min",
            "dribble": "16",
        },
        {"when": "LIST", "octets": "rounded 1024"},
    ]


@pytest.mark.parametrize("name", NAMES)
def test_shipped(name: str) -> None:
    """A part of a shipped file, written again, says what it said."""
    for layer in load(name).layers:
        data = plain(layer.fragment)
        rules = to_yaml({"rules": data["rules"]}) if "rules" in data else ""

        again = loads(HEAD + rules).layers[0].fragment

        assert data.get("rules") == plain(again).get("rules")


@given(st.dictionaries(texts, values, max_size=4), st.booleans())
def test_yaml_is_read_as_it_was(data: dict[str, object], flow: bool) -> None:
    """What is written, on one line or on many, the loader reads as the same data."""
    written = to_yaml(data, flow=flow)  # type: ignore[arg-type]

    document = read(written, "f")

    assert document.problems == []
    assert document.data == data
    assert not flow or written.count("\n") == 1


def test_value_that_ends_in_dots() -> None:
    """Dots at the end of the last value are not taken for the end of the document."""
    assert to_yaml({"text": "good-bye..."}) == "text: good-bye...\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("S: + \nC: x\n", True),
        ("C: x \nS: +\n", True),
        ("S: +  \n  y\n", True),
        ("a \n \n", False),
        ("S: + \nx\ty\n", False),
        ("S: + \nx ", False),
    ],
)
def test_lines_that_end_in_blanks(text: str, block: bool) -> None:
    """They stand in a block as others do; what YAML's writer cannot show for more is escaped."""
    written = to_yaml({"script": text})

    assert written.startswith("script: |\n") is block
    assert read(written, "f").data == {"script": text}


def test_quotes_only_where_needed() -> None:
    """Text that other readers take for a number or a truth value is left as it is."""
    data = {"password": "007", "stuffing": "off", "text": "", "reply": "+OK: {n}"}

    assert to_yaml(data) == "password: 007\nstuffing: off\ntext: \"\"\nreply: '+OK: {n}'\n"
