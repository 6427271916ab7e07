"""In what two scenarios differ."""

from __future__ import annotations

import pytest

from pop3scenarios import Scenario, load, loads
from pop3scenarios.tools import Difference, contrast, contrast_text

from ._shipped import NAMES

HEAD = "pop3: 1\nname: {}\nsummary: own\n"


def scenario(text: str, name: str = "own") -> Scenario:
    """A scenario of a few lines."""
    return loads(HEAD.format(name) + text)


@pytest.mark.parametrize("name", NAMES)
def test_same(name: str) -> None:
    """A scenario does not differ from itself."""
    assert contrast(load(name), load(name)) == []


def test_names_and_reasons_do_not_count() -> None:
    """Only what is done is compared, not what is said about it."""
    first = scenario("why: one\nreferences: [a]\n")
    second = scenario("why: two\nbreaks: x\n", "other")

    assert contrast(first, second) == []


DIFFERENT = [
    (
        "server: {capabilities: [TOP, SASL PLAIN]}",
        "server: {capabilities: [SASL LOGIN, UIDL, top]}",
        [
            ("capabilities", "TOP", "TOP", "top"),
            ("capabilities", "SASL", "SASL PLAIN", "SASL LOGIN"),
            ("capabilities", "UIDL", None, "UIDL"),
        ],
    ),
    (
        "server: {greeting: hello, lock: none}",
        "server: {greeting: hi, lock: none}",
        [("server", "greeting", "hello", "hi")],
    ),
    ("tls: {mode: none}", "tls: {mode: implicit}", [("tls", "mode", "none", "implicit")]),
    (
        "rules: [{when: RETR, text: a}, {when: STAT, text: x}]",
        "rules: [{when: RETR, text: b}, {when: LIST 1, state: transaction, nth: 2, cut: 5}]",
        [
            ("rules", "RETR", {"text": "a"}, {"text": "b"}),
            ("rules", "STAT", {"text": "x"}, None),
            ("rules", "LIST 1, state: transaction, nth: 2", None, {"cut": "5"}),
        ],
    ),
    (
        "rules: [{when: RETR 1, text: a}, {when: RETR, text: b}]",
        "rules: [{when: 'RETR {n}', text: b}, {when: 'LIST {n}', text: a}]",
        [
            ("rules", "RETR 1", {"text": "a"}, None),
            ("rules", "RETR", {"text": "b"}, None),
            ("rules", "RETR {n}", None, {"text": "b"}),
            ("rules", "LIST {n}", None, {"text": "a"}),
        ],
    ),
    (
        "rules: [{when: RETR ..., nth: 1, text: a}, {when: '*', nth: 1, text: b}]",
        "rules: [{when: '*', nth: 1, text: b}, {when: RETR ..., nth: 1, text: a}]",
        [("rules", "order", ["RETR ..., nth: 1", "*, nth: 1"], ["*, nth: 1", "RETR ..., nth: 1"])],
    ),
    (
        "script: |\n  S: +OK\n  C: QUIT\n",
        "{}",
        [("script", "script", "S: +OK\nC: QUIT\n", None)],
    ),
    (
        "expect: {never: [DELE], fetch: {ends: partial}}",
        "expect: {never: [DELE, RETR], fetch: {ends: refused}}",
        [
            ("expect", "never", "DELE", ["DELE", "RETR"]),
            ("expect", "fetch.ends", "partial", "refused"),
        ],
    ),
]


@pytest.mark.parametrize(("first", "second", "expected"), DIFFERENT)
def test_differences(first: str, second: str, expected: list[tuple[object, ...]]) -> None:
    """Each part that differs is told once, with what either has."""
    texts = [text if text != "{}" else "" for text in (first, second)]

    found = contrast(*map(scenario, texts))

    assert [Difference(*each) for each in expected] == found  # type: ignore[arg-type]


def test_mail() -> None:
    """Messages are compared one by one, by their octets and unique-ids."""
    first = scenario("maildrop: [{subject: One, body: x}, {octets: 300, uid: a}]")
    second = scenario("maildrop: [{subject: Two, body: x}, {octets: 300, uid: b}]\n")

    found = contrast(first, second)

    keys = ["alice 1", "alice 2", "bob 1", "bob 2"]
    assert keys == [each.key for each in found]
    assert {"maildrop"} == {each.part for each in found}
    assert str(found[1].first).endswith(", uid a")
    assert str(found[0].first).partition(",")[0] == str(found[0].second).partition(",")[0]


def test_order_of_capabilities_does_not_count() -> None:
    """CAPA may list its lines in any order."""
    first = scenario("server: {capabilities: [TOP, UIDL]}")

    assert contrast(first, scenario("server: {capabilities: [UIDL, TOP]}")) == []


def test_stronger_layer_wins() -> None:
    """Where a file and its quirk change the same under the same selectors, the file counts."""
    plain = "rules: [{when: RETR, text: mine}]\n"

    assert contrast(scenario("quirks: [retr-without-size]\n" + plain), scenario(plain)) == []


def test_text() -> None:
    """As text the parts stand one below the other, - before the first and + before the second."""
    differences = [
        Difference("server", "greeting", "hello", "hi"),
        Difference("server", "users", {"a": "b"}, None),
        Difference("script", "script", "S: +OK\nC: QUIT\nS: +OK\n", "S: +OK\nC: NOOP\nS: +OK\n"),
    ]

    assert contrast_text(differences) == (
        "server:\n"
        "  greeting:\n"
        "    - hello\n"
        "    + hi\n"
        "  users:\n"
        "    - {a: b}\n"
        "script:\n"
        "  script:\n"
        "    - C: QUIT\n"
        "    + C: NOOP\n"
    )
