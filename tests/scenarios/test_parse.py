"""Every kind of problem in a file: its place, its words, its suggestion; all of them at once."""

from __future__ import annotations

import re

import pytest

from pop3scenarios import ScenarioError, loads

HEAD = "pop3: 1\nname: x\nsummary: s\n"

#: Words of the schema library, which an author need not know.
JARGON = re.compile(
    r"(?i)input|valid|string|integer|dict|tuple|instance|pydantic|pathlib|pattern '|(?-i:None)|"
    r"class|parse|greater|argument of|boolean|literal"
)


def problems(text: str) -> list[str]:
    """The problems of a text, as they are shown to the user, without the file."""
    with pytest.raises(ScenarioError) as caught:
        loads(text, file="f")
    return [str(problem).removeprefix("f:") for problem in caught.value.problems]


def test_unknown_key() -> None:
    """An unknown key is told where it stands, with the nearest one that may stand there."""
    assert problems(HEAD + "qirks: [a]\n") == ["4:1: unknown key 'qirks' (did you mean 'quirks'?)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server:\n  greting: x\n", "5:3: unknown key 'greting' (did you mean 'greeting'?)"),
        ("tls: {mod: stls}\n", "4:7: unknown key 'mod' (did you mean 'mode'?)"),
        (
            "rules:\n  - when: RETR\n    txt: ''\n",
            "6:5: unknown key 'txt' (did you mean 'text'?)",
        ),
        (
            "rules: [{when: A, efect: skip}]\n",
            "4:19: unknown key 'efect' (did you mean 'effect'?)",
        ),
        ("maildrop:\n  - {form: a}\n", "5:6: unknown key 'form' (did you mean 'from'?)"),
        (
            "maildrops:\n  file:\n    - {body: a, conut: 1}\n",
            "6:17: unknown key 'conut' (did you mean 'count'?)",
        ),
        (
            "expect: {never_in_clear: USER}\n",
            "4:10: unknown key 'never_in_clear' (did you mean 'never-in-clear'?)",
        ),
        (
            "expect:\n  fetch:\n    ens: complete\n",
            "6:5: unknown key 'ens' (did you mean 'ends'?)",
        ),
        (
            "variants:\n  rules:\n    rulse: []\n",
            "6:5: unknown key 'rulse' (did you mean 'rules'?)",
        ),
        (
            "variants:\n  rules:\n    rules:\n      - {when: A, txet: a}\n",
            "7:19: unknown key 'txet' (did you mean 'text'?)",
        ),
        (
            "variants: {a: {name: b}}\n",
            (
                "4:16: unknown key 'name' (known here: summary, quirks, server, tls, maildrop, "
                "maildrops, rules, script, expect)"
            ),
        ),
        (
            "tls: {zzz: 1}\n",
            (
                "4:7: unknown key 'zzz' (known here: mode, certificate, minimum, maximum, "
                "handshake, pipelined, forgets, close-notify, client-certificate)"
            ),
        ),
        ("<<: {name: y}\n", "4:1: unknown key '<<' (known here: "),
    ],
)
def test_unknown_key_anywhere(text: str, expected: str) -> None:
    """The keys suggested are those of the section in which the wrong one stands."""
    (found, *_) = [line for line in problems(HEAD + text) if "unknown key" in line]

    assert expected == found[: len(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\nsummary: s\n", "1:1: the key 'pop3' is missing"),
        ("pop3: 1\nsummary: s\n", "1:1: the key 'name' is missing"),
        ("pop3: 1\nname: x\n", "1:1: the key 'summary' is missing"),
        (HEAD + "rules:\n  - text: a\n", "5:5: the key 'when' is missing"),
        ("pop3: 2\nname: x\nsummary: s\n", "1:7: expected '1', got '2'"),
        (
            "pop3: 1\nname: My Name\nsummary: s\n",
            "2:7: expected a name: lower-case letters, digits, dots and hyphens, got 'My Name'",
        ),
        ("pop3: 1\nname: x\nsummary: ''\n", "3:10: expected some text, got ''"),
        ("- a\n", "1:1: expected a mapping with pop3, name and summary"),
        ("hello\n", "1:1: expected a mapping with pop3, name and summary"),
        ("", "1:1: the file is empty"),
        (HEAD + "name: y\n", "4:1: duplicate key 'name' (first on line 2)"),
    ],
)
def test_head(text: str, expected: str) -> None:
    """A file says the version of the language, its name, and what it is."""
    assert [expected] == problems(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quirks: no-apop", "4:9: expected a list, got 'no-apop' (write [no-apop])"),
        ("quirks: {a: b}", "4:9: expected a list, got a mapping"),
        ("quirks: [[a]]", "4:10: expected text, got a list"),
        ("why: [a]", "4:6: expected text, got a list"),
        ("references: RFC 1939", "4:13: expected a list, got 'RFC 1939' (write [RFC 1939])"),
        ("extends: [default]", "4:10: expected text, got a list"),
        ("server: gmail", "4:9: expected a mapping, got 'gmail'"),
        ("server: [a]", "4:9: expected a mapping, got a list"),
        ("server: {greeting: [a]}", "4:20: expected text, got a list"),
        ("server: {capabilities: TOP}", "4:24: expected a list, got 'TOP' (write [TOP])"),
        ("server: {capabilities: [+TOP, UIDL]}", "4:24: either every entry has + or - in front"),
        ("server: {capabilities: ['', TOP]}", "4:24: an entry of the list is empty"),
        ("server: {users: [alice]}", "4:17: expected a mapping, got a list"),
        ("server: {users: {alice: [a]}}", "4:25: expected text, got a list"),
        ("server: {lock: exclusiv}", "4:16: expected 'exclusive' or 'none', got 'exclusiv' (did"),
        ("tls: on", "4:6: expected a mapping, got 'on'"),
        ("tls: {mode: {a: b}}", "4:13: expected 'none', 'stls' or 'implicit', got a mapping"),
        ("tls: {minimum: TLSv1.4}", "4:16: expected 'TLSv1', 'TLSv1.1', 'TLSv1.2' or 'TLSv1.3'"),
        ("maildrop: x", "4:11: expected a list, got 'x'"),
        ("maildrop: [x]", "4:12: expected a mapping, got 'x'"),
        ("maildrops: []", "4:12: expected a mapping, got a list"),
        ("maildrop: [{octets: many}]", "4:21: expected a whole number, got 'many'"),
        ("maildrop: [{octets: 5}]", "4:21: expected 100 or more, got '5'"),
        ("maildrop: [{octets: 1.5}]", "4:21: expected a whole number, got '1.5'"),
        ("maildrop: [{body: a, count: 0}]", "4:29: expected 1 or more, got '0'"),
        ("maildrop: [{body: a, count: 1000001}]", "4:29: expected 1000000 or less, got '1000001'"),
        (f"maildrop: [{{octets: {'9' * 5000}}}]", "4:21: expected a whole number of reasonable"),
        ("maildrop: [{file: [a]}]", "4:19: expected text, got a list"),
        ("maildrop: [{body: [a]}]", "4:19: expected text, got a list"),
        ("maildrop: [{headers: [a]}]", "4:22: expected a mapping, got a list"),
        ("maildrop: [{headers: {a: [b]}}]", "4:26: expected text, got a list"),
        ("rules: {when: A}", "4:8: expected a list, got a mapping"),
        ("rules: [RETR]", "4:9: expected a mapping, got 'RETR'"),
        ("rules: [{when: {a: b}}]", "4:16: expected text, got a mapping"),
        ("rules: [{when: [A, [B]]}]", "4:20: expected text, got a list"),
        ("rules: [{when: []}]", "4:16: this can never match: the list is empty"),
        ("rules: [{when: '{x} 1'}]", "4:16: this can never match: begin with a command"),
        ("rules: [{when: 'RE{x}'}]", "4:16: this can never match: begin with a command"),
        ("rules: [{when: '* 2'}]", "4:16: this can never match: '*' stands alone"),
        ("rules: [{when: greeting x}]", "4:16: this can never match: 'greeting' stands alone"),
        ("rules: [{when: A, state: update}]", "4:26: expected 'authorization' or 'transaction'"),
        ("rules: [{when: A, tls: maybe}]", "4:24: expected yes or no, got 'maybe'"),
        ("rules: [{when: A, tls: [a]}]", "4:24: expected yes or no, got a list"),
        ("rules: [{when: A, user: [a]}]", "4:25: expected text, got a list"),
        ("rules: [{when: A, nth: 0}]", "4:24: '0' counts nothing: occurrences count from 1"),
        ("rules: [{when: A, nth: {a: b}}]", "4:24: expected occurrences: write 2, 2.."),
        ("rules: [{when: A, nth: []}]", "4:24: an empty list counts nothing"),
        (
            "rules: [{when: A, scope: all}]",
            "4:26: expected 'connection', 'in-a-row', 'user' or 'server'",
        ),
        ("rules: [{when: A, reply: [a]}]", "4:26: expected text, got a list"),
        ("rules: [{when: A, text: {a: b}}]", "4:25: expected text, got a mapping"),
        ("rules: [{when: A, octets: [a]}]", "4:27: expected text, got a list"),
        ("rules: [{when: A, stuffing: 3}]", "4:29: expected yes or no, got '3'"),
        (
            "rules: [{when: A, eol: [a]}]",
            "4:24: expected 'crlf', 'lf', 'crcrlf', 'lf-lines' or 'stored', got a list",
        ),
        ("rules: [{when: A, body: [x]}]", "4:25: expected text, got a list"),
        (
            "rules: [{when: A, effect: no}]",
            "4:27: expected 'apply', 'skip', 'retrieve', 'mark', 'remove' or 'empty', got 'no'",
        ),
        ("rules: [{when: A, effect: }]", "4:19: the key 'effect' has no value (leave the key"),
        ("rules: [{when: A, delay: soon}]", "4:26: 'soon' is no duration: write for example 2s"),
        ("rules: [{when: A, delay: [1s]}]", "4:26: expected text, got a list"),
        ("rules: [{when: A, dribble: 0}]", "4:28: '0' is no dribble: write for example 1 every"),
        ("rules: [{when: A, cut: x}]", "4:24: expected a whole number, got 'x'"),
        ("rules: [{when: A, cut: -1}]", "4:24: expected 0 or more, got '-1'"),
        ("rules: [{when: A, then: clsoe}]", "4:25: expected 'close', 'reset', 'half-close' or"),
        ("script: [a]", "4:9: expected text, got a list"),
        ("expect: 3", "4:9: expected a mapping, got '3'"),
        ("expect: {never: {a: b}}", "4:17: expected text, got a mapping"),
        ("expect: {counts: [RETR]}", "4:18: expected a mapping, got a list"),
        ("expect: {counts: {RE TR: 1}}", "4:19: expected a command: letters, digits and hyphens"),
        ("expect: {counts: {RETR: few}}", "4:25: 'few' counts nothing: write 2, 2.."),
        ("expect: {fetch: {msex: maybe}}", "4:24: expected yes or no, got 'maybe'"),
        ("expect: {fetch: {intact: -2}}", "4:26: expected 0 or more, got '-2'"),
        ("expect: {fetch: {notices: x}}", "4:27: expected a list, got 'x'"),
        ("variants: [a]", "4:11: expected a mapping, got a list"),
        ("variants: {a: b}", "4:15: expected a mapping, got 'b'"),
        ("variants: {Bad Name: {}}", "4:12: expected a name: lower-case letters, digits, dots"),
        ("server:", "4:1: the key 'server' has no value (leave the key out"),
        ("quirks:\n  -", "5:4: an entry of the list is empty"),
    ],
)
def test_wrong_type(text: str, expected: str) -> None:
    """A value of a wrong type says what was expected and what is there, and no jargon."""
    (found,) = problems(HEAD + text)

    assert expected == found[: len(expected)]
    assert not JARGON.search(re.sub(r"'[^']*'", "", found))


def test_long_value_is_cut() -> None:
    """A message does not repeat pages of what is wrong."""
    (found,) = problems(HEAD + f"server: {'x' * 5000}\n")

    assert f"4:9: expected a mapping, got '{'x' * 60}'…" == found


@pytest.mark.parametrize("value", ["yes", "on", "true", "off", "no", "false"])
def test_yes_and_no(value: str) -> None:
    """Both ways of saying yes and no hold, though YAML's own typing is not used."""
    (rule,) = loads(HEAD + f"rules: [{{when: RETR, stuffing: {value}}}]\n").file.rules

    assert (value in ("yes", "on", "true")) is rule.stuffing


def test_wire_text_is_not_converted() -> None:
    """What YAML would make a number or a truth value stays the text it is."""
    scenario = loads(
        HEAD + "server: {users: {007: off}}\nrules:\n  - when: RETR\n    octets: 007\n"
        "  - when: LIST\n    text: |\n      see #1: {{x}}\n"
    )

    octets, text = scenario.file.rules
    assert scenario.users == {"007": "off"}
    assert octets.octets is not None
    assert octets.octets.of(5) == "007"
    assert text.text is not None
    assert text.text.fill(lambda _: "") == "see #1: {x}"


def test_all_problems_at_once() -> None:
    """Everything wrong in a file is told, in the order of the file."""
    text = """\
pop3: 1
name: x
name: y
sumary: s
quirks: [no-such-quirk]
server: {lock: off}
rules:
  - when: RETR
    text: "{size}"
  - when: RETR 1
    cut: many
  - when: RETR {n}
    text: ""
variants:
  a:
    quirks: [neither]
    rules:
      - {when: "*"}
      - {when: STAT}
script: |
  S: +OK {nobody}
  hello
"""

    found = problems(text)

    expected = [
        "1:1: the key 'summary' is missing",
        "3:1: duplicate key 'name' (first on line 2)",
        "4:1: unknown key 'sumary' (did you mean 'summary'?)",
        "5:10: unknown quirk 'no-such-quirk' (",
        "6:16: expected 'exclusive' or 'none', got 'off'",
        "9:12: bad hole {size}: nothing binds it and it has no example (write {size:word=…})",
        "11:10: expected a whole number, got 'many'",
        "12:5: unreachable rule: the rule on line 8 always answers first (put the narrower",
        "16:14: unknown quirk 'neither' (",
        "19:9: unreachable rule: the rule on line 18 always answers first (put the narrower",
        "22:3: expected a line beginning 'S:', 'C:', 'C?:' or 'C*:', or an <action>",
    ]
    assert expected == [line[: len(start)] for line, start in zip(found, expected, strict=True)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rules: [{when: RETR, text: 'a {b'}]\n", "4:31"),
        ('rules: [{when: RETR, text: "a {b"}]\n', "4:31"),
        ("rules:\n  - {when: 'RETR {n'}\n", "5:18"),
        ("rules:\n  - when: [STAT, 'RETR {n']\n", "5:24"),
        ("rules:\n  - when: RETR\n    text: a {b\n", "6:13"),
        ("rules:\n  - when: RETR\n    text: |\n      a {b\n", "7:9"),
        ("rules:\n  - when: RETR\n    reply: |\n      +OK\n        x {b\n      .\n", "8:11"),
        ("rules:\n  - when: RETR\n    reply: |\n        S: +OK {b\n", "7:16"),
        ("rules:\n  - when: RETR\n    reply: |2\n        +OK {b\n", "7:13"),
        ("script: |\n  S: +OK\n\n  C: RETR {n\n", "7:11"),
        ("script: |\n    S: +OK\n    C?: RETR {n\n", "6:14"),
        ("variants:\n  a:\n    script: |\n      S: +OK {b\n", "7:14"),
        ("variants:\n  a: {rules: [{when: A, error: '{b'}]}\n", "5:33"),
        ("expect:\n  never: [USER, 'PASS {']\n", "5:23"),
        ("server:\n  greeting: |\n    hello }\n", "6:11"),
        ("rules:\n  - when: RETR\n    entry: '{number} {b'\n", "6:22"),
        ("rules:\n  - when: RETR\n    text: one\n      two {b\n", "6:11"),
    ],
)
def test_place_of_a_bad_hole(text: str, place: str) -> None:
    """A hole that is wrong is pointed at, in whatever form its line is written."""
    (found,) = problems(HEAD + text)

    assert found.startswith(f"{place}: ")
    assert "'{' is never closed" in found or "'}' without '{'" in found


def test_crlf_file() -> None:
    """A file with CRLF line ends reads the same, and has the same places."""
    text = HEAD + "rules:\n  - when: RETR\n    reply: |\n      +OK\n      {b\n      .\n"

    assert problems(text) == problems(text.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("text: 'a {x}'", "6:14: bad hole {x}: nothing binds it and it has no example (write"),
        (
            "error: '{octtes}'",
            "6:13: bad hole {octtes}: nothing binds it and it has no example (did",
        ),
        ("entry: '{number} {size}'", "6:22: bad hole {size}: nothing binds it"),
        ("text: '{{x}} {x}'", "6:18: bad hole {x}: nothing binds it"),
        ("reply: |\n      +OK\n      a {b} {x}\n", "8:9: bad hole {b}: nothing binds it"),
        ("reply: |\n      <message {x}>\n", "7:16: bad hole {x}: nothing binds it"),
        ("reply: |\n      <message {user}>\n", "7:16: bad hole {user}: a number is needed, and"),
    ],
)
def test_hole_that_nothing_fills(rule: str, expected: str) -> None:
    """An answer names only what is bound, known to the server, or has an example."""
    found = problems(HEAD + f"rules:\n  - when: LIST\n    {rule}\n")[0]

    assert expected == found[: len(expected)]


@pytest.mark.parametrize(
    "rule",
    [
        "{when: 'RETR {n}', text: 'number {n}'}",
        "{when: 'XX {thing}', error: 'thing {thing}'}",
        "{when: RETR, text: '{octets} {count} {user} {stamp} {last} {host} {argument} {text}'}",
        "{when: RETR, text: '{x:int=3} octets'}",
        "{when: 'XX {thing:int}', reply: '<message {thing}>'}",
        "{when: RETR, reply: '<message {n}>'}",
        "{when: RETR, text: '{{not a hole}}'}",
    ],
)
def test_hole_that_is_filled(rule: str) -> None:
    """What the pattern binds, what the server knows, and what has an example is no problem."""
    assert len(loads(HEAD + f"rules: [{rule}]\n").file.rules) == 1


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("S: +OK {x}", "5:10: bad hole {x}: nothing binds it and it has no example"),
        ("C: A {y}\n  S: +OK {x}", "6:10: bad hole {x}: nothing binds it"),
        ("S: +OK\n  C: A\n  S: +OK {x}\n  C: B {x}", "7:10: bad hole {x}: nothing binds it"),
        ("C: A\n  S: +OK\n  S: {{x}} {x}", "7:12: bad hole {x}: nothing binds it"),
        ("C: A {x}\n  <message {x}>", "6:12: bad hole {x}: a number is needed"),
    ],
)
def test_script_hole_that_nothing_fills(script: str, expected: str) -> None:
    """What a server says in a script is bound before it is said, or has an example."""
    found = problems(HEAD + f"script: |\n  {script}\n")[0]

    assert expected == found[: len(expected)]


def test_script_hole_that_is_filled() -> None:
    """An example holds from then on, and so does what the client said."""
    script = "S: +OK {x:word=a}\n  S: {x}\n  C: A {y}\n  S: +OK {y} {x} {octets}"

    assert loads(HEAD + f"script: |\n  {script}\n").script is not None


def test_rows_of_rules_and_scripts() -> None:
    """A rule and a script know the line on which they stand."""
    scenario = loads(HEAD + "rules:\n  - when: A\n  - when: B\nscript: |  # a comment\n  S: +OK\n")

    assert [rule.source.line for rule in scenario.file.rules] == [5, 6]
    assert str(scenario.file.rules[0].source) == "x:5"
    assert scenario.script_line == 8


def test_script_that_is_no_block() -> None:
    """A script in quotes stands on its own line."""
    assert loads(HEAD + 'script: "S: +OK"\n').script_line == 4


def test_problem_is_shown_as_compilers_do() -> None:
    """file:line:column: message (suggestion), one a line; the error holds them as facts."""
    with pytest.raises(ScenarioError) as caught:
        loads(HEAD + "nmae: y\nqirks: []\n", file="dir/x.pop3.yaml")

    first, second = caught.value.problems
    assert (first.line, first.column, first.file) == (4, 1, "dir/x.pop3.yaml")
    assert first.suggestion == "did you mean 'name'?"
    assert f"{first}\n{second}" == str(caught.value)
    assert str(second).startswith("dir/x.pop3.yaml:5:1: unknown key 'qirks' (did you mean")
