"""Rules that can never match, that others leave nothing to, and that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3scenarios import ScenarioError, Template, _library, _loader, _reach, check, loads
from pop3scenarios._rule import includes

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "pop3: 1\nname: x\nsummary: s\n"


def problems(*rules: str) -> list[str]:
    """What is wrong with rules, each on a line of its own from line 5."""
    try:
        loads(HEAD + "rules:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))
    except ScenarioError as error:
        return [f"{each.line}:{each.column}: {each.message}" for each in error.problems]
    return []


# Rules that can never match

IMPOSSIBLE = [
    "when: greeting, nth: 2",
    "when: greeting, nth: 2.., scope: in-a-row",
    "when: greeting, state: transaction",
    "when: greeting, outcome: unknown",
    "when: greeting, user: alice",
    "when: greeting, marked: yes",
    "when: greeting, arguments: 1",
    "when: disconnect, state: authorization",
    "when: disconnect, outcome: ok",
    "when: overlong, outcome: missing",
    "when: response, arguments: 0",
    "when: RETR, state: authorization, outcome: ok",
    "when: RETR, state: transaction, outcome: state",
    "when: RETR, outcome: unknown",
    "when: RETR, arguments: 2, outcome: ok",
    "when: RETR, mechanism: PLAIN",
    "when: RETR, state: transaction, user: ''",
    "when: USER, state: authorization, marked: yes",
    "when: NOOP, outcome: missing",
    "when: NOOP, arguments: 0, outcome: syntax",
    "when: STAT, outcome: not-offered",
    "when: LAST, outcome: ok",
    "when: STLS, tls: yes, outcome: ok",
    "when: STLS, tls: no, state: authorization, outcome: state",
    "when: XTND, outcome: ok",
    "when: LIST 1, arguments: 0",
    "when: 'LIST {n}', arguments: 2..",
    "when: TOP 1 ..., arguments: 0",
    "when: [RETR, TOP], outcome: locked",
    "when: '*', mechanism: PLAIN, outcome: missing",
    "when: '*', state: authorization, outcome: deleted",
    "when: AUTH PLAIN, mechanism: PLAIN, as: NOOP",
]  # fmt: skip

POSSIBLE = [
    "when: greeting, nth: 2, scope: server",
    "when: greeting, nth: 1..",
    "when: greeting, tls: yes",
    "when: disconnect, state: transaction, marked: yes, effect: apply",
    "when: RETR, state: authorization, outcome: state",
    "when: RETR, state: authorization, outcome: refused",
    "when: RETR, arguments: 2, outcome: syntax",
    "when: PASS, arguments: 3, outcome: ok",
    "when: PASS, state: authorization, outcome: state",
    "when: PASS, user: nobody, outcome: credentials",
    "when: STLS, tls: yes, outcome: state",
    "when: STAT, arguments: 1.., outcome: syntax",
    "when: AUTH, mechanism: X-OWN, outcome: not-offered",
    "when: response, mechanism: PLAIN, outcome: cancelled",
    "when: USER, outcome: no-user",
    "when: XTND, outcome: unknown, arguments: 3",
    "when: '', outcome: unknown",
    "when: 'LIST {rest:text}', arguments: 4",
    "when: TOP 1 ..., arguments: 5",
    "when: [RETR, PASS], outcome: locked",
    "when: '*', mechanism: PLAIN, outcome: challenge",
    "when: RETR, pipelined: yes, marked: yes, outcome: utf8",
]  # fmt: skip


@pytest.mark.parametrize("rule", IMPOSSIBLE)
def test_rule_that_can_never_match(rule: str) -> None:
    """Selectors that never hold at once are an error at the rule."""
    (found,) = problems(rule if "as:" in rule else f"{rule}, delay: 1")

    assert found == "5:5: this can never match: what it selects does not happen together"


@pytest.mark.parametrize("rule", POSSIBLE)
def test_rule_that_can_match(rule: str) -> None:
    """Selectors that hold at once, however rarely, are right."""
    assert problems(rule) == []


def test_what_keeps_a_rule_from_matching() -> None:
    """The selectors without which the rule could match are named, and no others."""
    with pytest.raises(ScenarioError) as caught:
        loads(HEAD + "rules: [{when: RETR, tls: yes, state: authorization, outcome: ok}]\n")

    assert caught.value.problems[0].suggestion == "leave out outcome or state"


# Rules to which earlier ones together leave nothing

COVERED = [
    ("when: RETR, nth: 1", "when: RETR, nth: 2..", "when: RETR"),
    ("when: RETR, nth: 1..2", "when: RETR, nth: [3, 4..]", "when: RETR"),
    ("when: RETR, nth: 1", "when: RETR, nth: 2", "when: RETR, nth: 1..2"),
    ("when: RETR, tls: yes", "when: RETR, tls: no", "when: RETR"),
    ("when: '*', tls: yes", "when: RETR, tls: no", "when: RETR 1"),
    ("when: RETR, marked: yes", "when: RETR, marked: no", "when: RETR"),
    ("when: QUIT, state: authorization", "when: QUIT, state: transaction", "when: QUIT"),
    ("when: '*', outcome: [ok, challenge, gone]", "when: '*', outcome: refused", "when: RETR"),
    ("when: '*', outcome: [ok, challenge, gone]", "when: '*', outcome: refused", "when: '*'"),
    ("when: RETR, outcome: [ok, gone]", "when: RETR, outcome: refused", "when: RETR"),
    ("when: NOOP, outcome: ok", "when: NOOP, outcome: refused", "when: NOOP"),
    ("when: LIST, arguments: 0", "when: LIST, arguments: 1..", "when: LIST"),
    ("when: RETR, user: ''", "when: RETR, user: '*'", "when: RETR"),
]  # fmt: skip

NOT_COVERED = [
    ("when: RETR, nth: 1", "when: RETR, nth: 3..", "when: RETR"),
    ("when: RETR, nth: 1", "when: RETR, nth: 2.., scope: server", "when: RETR"),
    ("when: RETR, tls: yes", "when: RETR, marked: no", "when: RETR"),
    ("when: RETR, outcome: ok", "when: RETR, outcome: refused", "when: RETR"),
    ("when: RETR, user: alice", "when: RETR, user: bob", "when: RETR"),
    ("when: LIST, arguments: 0", "when: LIST, arguments: 2..", "when: LIST"),
    ("when: RETR, tls: yes", "when: TOP, tls: no", "when: RETR"),
    ("when: '*', outcome: ok", "when: '*', outcome: refused", "when: response"),
    ("when: '*', tls: yes, as: NOOP", "when: '*', tls: no, as: NOOP", "when: RETR"),
]  # fmt: skip


@pytest.mark.parametrize("rules", COVERED)
def test_rule_to_which_others_leave_nothing(rules: tuple[str, ...]) -> None:
    """A rule is unreachable if earlier ones share out all its occasions; their lines are told."""
    *earlier, last = rules

    (found,) = problems(*(f"{rule}, delay: 1" for rule in earlier), last)

    assert found == "7:5: unreachable rule: the rules on lines 5, 6 together always answer first"


@pytest.mark.parametrize("rules", NOT_COVERED)
def test_rule_to_which_others_leave_something(rules: tuple[str, ...]) -> None:
    """A rule is right if one occasion is left, whatever earlier rules have taken."""
    assert problems(*rules) == []


def test_greeting_comes_once() -> None:
    """A rule for the first greeting of a connection takes all of them."""
    (found,) = problems("when: greeting, nth: 1", "when: greeting")

    assert found.startswith("6:5: unreachable rule: the rule on line 5 always answers first")


def test_many_rules_are_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules for single messages are not compared with each other, nor rules for single users."""
    compared: list[Template] = []

    def counting(first: Template, later: Template) -> bool:
        compared.append(first)
        return includes(first, later)

    monkeypatch.setattr(_reach, "includes", counting)
    messages = [f"when: RETR {n}, delay: 1" for n in range(1, 401)]
    users = [f"when: NOOP, user: u{n}, delay: 1" for n in range(400)]

    assert problems("when: '*', tls: yes, delay: 1", *messages, *users, "when: NOOP") == []
    assert len(compared) <= 2 * (len(messages) + len(users))


# Changes that have no effect

IDLE = [
    ("when: NOOP, octets: +37", "octets", "the answer to NOOP has no such thing"),
    ("when: NOOP, terminator: none", "terminator", "the answer to NOOP has no such thing"),
    ("when: NOOP, stuffing: off", "stuffing", "the answer to NOOP has no such thing"),
    ("when: greeting, body: x", "body", "the answer to greeting has no such thing"),
    ("when: STAT, entry: '{number}'", "entry", "the answer to STAT has no such thing"),
    ("when: RETR, numbering: dense", "numbering", "the answer to RETR has no such thing"),
    ("when: LIST, eol: crcrlf", "eol", "the answer to LIST has no such thing"),
    ("when: [STAT, NOOP], columns: 9", "columns", "the answer to STAT or NOOP has no such thing"),
    ("when: disconnect, reply: x", "reply", "the client has gone: only effect has a meaning"),
    ("when: RETR, reply: -ERR, text: a", "text", "the reply is the whole answer"),
    ("when: RETR, reply: -ERR, error: a", "error", "the reply is the whole answer"),
    ("when: RETR, reply: +OK, octets: +1", "octets", "the reply is the whole answer"),
    ("when: LAST, text: a", "text", "the right answer is never +OK here"),
    ("when: RETR, outcome: missing, text: a", "text", "the right answer is never +OK here"),
    ("when: RETR, outcome: ok, error: a", "error", "the right answer is never -ERR here"),
    ("when: greeting, error: a", "error", "the right answer is never -ERR here"),
    ("when: RETR, scope: user, delay: 1", "scope", "it says what nth counts over, and"),
]

EFFECTIVE = [
    "when: NOOP, text: '{octets}', octets: +37",
    "when: [NOOP, RETR], terminator: none",
    "when: '*', entry: '{number}'",
    "when: XTND, numbering: dense",
    "when: NOOP, eol: lf",
    "when: disconnect, effect: apply",
    "when: RETR, reply: '+OK {octets}', octets: +1",
    "when: RETR, reply: <default>, text: a, terminator: none",
    'when: LIST, reply: "+OK\\n...\\n.", octets: +1',
    "when: DELE, outcome: deleted, deleted: counted, text: a",
    "when: QUIT, outcome: ok, error: not all removed",
    "when: USER, outcome: no-user, text: a",
]


@pytest.mark.parametrize(("rule", "key", "why"), IDLE)
def test_change_without_effect(rule: str, key: str, why: str) -> None:
    """A change that shows in no answer of the rule is an error at its value."""
    (found,) = problems(rule)

    place, message = found.split(": ", 1)
    assert message.startswith(f"{key!r} has no effect: {why}")
    assert place == f"5:{5 + rule.index(f'{key}: ') + len(key) + 3}"


@pytest.mark.parametrize("rule", EFFECTIVE)
def test_change_with_effect(rule: str) -> None:
    """A change that shows somewhere is right."""
    assert problems(rule) == []


# Other values that cannot be meant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: [{when: RETR, octets: rounded 0}]", "4:30: 'rounded 0' is no size: write +37"),
        ("rules: [{when: RETR, octets: rounded}]", "4:30: 'rounded' is no size: write +37"),
        ("rules: [{when: RETR, octets: '%'}]", "4:30: '%' is no size: write +37"),
        ("maildrop: [{subject: s, uid: a b}]", "4:30: expected a unique-id: 1 to 70"),
        ("maildrop: [{subject: s, uid: ''}]", "4:30: expected a unique-id: 1 to 70"),
        ("server: {hidden: [+TOP]}", "4:18: expected the capability alone, got '+TOP'"),
        ("server: {greeting: '{stamp} {foo}'}", "4:29: bad hole {foo}: nothing binds it"),
        ("server: {greeting: '{uid}'}", "4:21: bad hole {uid}: nothing binds it"),
        ("rules: [{when: USER, text: '{uid}'}]", "4:29: bad hole {uid}: nothing binds it"),
        ("rules: [{when: greeting, text: '{uid}'}]", "4:33: bad hole {uid}: nothing binds it"),
        ("expect: {never: [RETR], always: [RETR]}", "4:34: 'RETR' must come, and 'RETR' must"),
        ("expect: {never: [RETR], always: [RETR 1]}", "4:34: 'RETR 1' must come, and 'RETR'"),
        ("expect: {never: [RETR], counts: {RETR: 1..}}", "4:40: 'RETR' must come, and must never"),
        ("expect: {always: [RETR], counts: {RETR: 0}}", "4:41: 'RETR' must not come, and must"),
    ],
)
def test_value_that_cannot_be_meant(text: str, expected: str) -> None:
    """What would be sent or demanded as nobody wants it is an error at its place."""
    with pytest.raises(ScenarioError) as caught:
        loads(HEAD + text + "\n")

    (found,) = caught.value.problems
    assert f"{found.line}:{found.column}: {found.message}"[: len(expected)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{when: RETR, octets: =rounded}]",
        "rules: [{when: RETR, octets: =50%%}]",
        "server: {greeting: '{stamp} {x:word=a}'}",
        "rules: [{when: USER, text: '{user}'}]",
        "expect: {never: [RETR 1], always: [RETR]}",
        "expect: {never: [RETR], counts: {RETR: 0}}",
        "expect: {never: [RETR 1], counts: {RETR: 2}}",
    ],
)
def test_value_that_can_be_meant(text: str) -> None:
    """What is near to a mistake and is none is right."""
    assert loads(HEAD + text + "\n").name == "x"


def test_errors_elsewhere_hide_none() -> None:
    """What is wrong with greeting, expectations and rules is told although the file is wrong."""
    with pytest.raises(ScenarioError) as caught:
        loads(
            HEAD
            + "colour: red\nserver: {greeting: '{foo}'}\nrules: [{when: RETR, outcome: unknown}]\n"
            "expect: {never: [RETR], always: [RETR]}\n"
        )

    assert [each.line for each in caught.value.problems] == [4, 5, 6, 7]


def test_shipped_files_are_checked_but_not_at_each_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shipped loads without a look at its rules, and lint looks at them all the same."""
    monkeypatch.setattr(_library, "_ROOT", tmp_path)
    path = tmp_path / "quirks" / "x.pop3.yaml"
    path.parent.mkdir()
    path.write_text(HEAD + "rules: [{when: NOOP, outcome: missing}]\n", encoding="utf-8")

    parsed = _loader._read(path, "x")
    (found,) = check(path)

    assert parsed.problems == ()
    assert found.message.startswith("this can never match")
