"""The JSON Schema of scenario files: it takes what the loader takes, and says what is what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pop3scenarios import ScenarioError, _yaml, loads, shipped
from pop3scenarios.tools import SCHEMA_FILE, schema, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: own\nsummary: own\n"
SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)

#: Files that are right, in notations that are easily forgotten.
RIGHT = [
    "",
    "why: 007\nreferences: [1, 2.5, yes]\n",
    'rules: [{when: RETR, nth: "2..", text: 5}]\n',
    "rules: [{when: RETR, nth: [1, 3..4]}]\n",
    "rules: [{when: [RETR, 'LIST {n}'], delay: 2}]\n",
    "rules: [{when: RETR, delay: 1.5, stuffing: off}]\n",
    "rules: [{when: RETR, delay: 10 ms, stuffing: OFF}]\n",
    "rules: [{when: RETR, stuffing: n}]\n",
    'rules: [{when: "*", tls: "1"}]\n',
    "rules: [{when: GREETING, dribble: 16}]\n",
    "rules: [{when: handshake-failed, effect: skip}]\n",
    "rules: [{when: XYZZY, dribble: 1 every 10ms}]\n",
    "rules: [{when: RETR, octets: 200%}]\n",
    "rules: [{when: RETR, octets: -5}]\n",
    "rules: [{when: RETR, outcome: missing}]\n",
    "rules: [{when: RETR, outcome: [missing, deleted]}]\n",
    "rules: [{when: RETR, reply: +OK}]\n",
    "rules:\n  - when: STAT\n    reply: |\n      +OK 1 2\n      <close>\n",
    'rules: [{when: RETR, cut: "60"}]\n',
    "rules: [{when: RETR, cut: 1_000}]\n",
    "server: {users: {alice: 007, bob: yes}, capabilities: [+UTF8, -TOP]}\n",
    "server: {greeting: hello, hidden: []}\n",
    "tls: {mode: none, minimum: TLSv1.2}\n",
    "maildrop: [{subject: 5, body: 6}, {raw: x}, {octets: 4096, count: 3}, {headers: {X: 1}}]\n",
    "maildrops: {bob: []}\n",
    "expect: {never: DELE, always: [STAT, UIDL], counts: {RETR: 3, NOOP: ..2}}\n",
    "variants: {a: {}, b.c: {summary: x, tls: {mode: implicit}}}\n",
    "script: |\n  # first\n  S: +OK\n  C: QUIT\n  S: +OK\n",
    "quirks: [no-top]\nextends: gmail\nrequires: [TOP]\n",
]

#: Files that are wrong, and where the schema says so.
WRONG = [
    ("pop3: 2\nname: own\nsummary: own\n", "$.pop3"),
    ("pop3: 1\nsummary: own\n", "$"),
    ("pop3: 1\nname: Own Name\nsummary: own\n", "$.name"),
    ('pop3: 1\nname: own\nsummary: ""\n', "$.summary"),
    (HEAD + "quirk: [no-top]\n", "$"),
    (HEAD + "quirks: no-top\n", "$.quirks"),
    (HEAD + "rules: [{text: x}]\n", "$.rules[0]"),
    (HEAD + "rules: [{when: RETR, wen: x}]\n", "$.rules[0]"),
    (HEAD + "rules: [{when: [], text: x}]\n", "$.rules[0].when"),
    (HEAD + "rules: [{when: '{x} y'}]\n", "$.rules[0].when"),
    (HEAD + "rules: [{when: RETR, nth: 0}]\n", "$.rules[0].nth"),
    (HEAD + "rules: [{when: RETR, nth: second}]\n", "$.rules[0].nth"),
    (HEAD + "rules: [{when: RETR, state: update}]\n", "$.rules[0].state"),
    (HEAD + "rules: [{when: RETR, delay: soon}]\n", "$.rules[0].delay"),
    (HEAD + "rules: [{when: RETR, delay: -1}]\n", "$.rules[0].delay"),
    (HEAD + "rules: [{when: RETR, dribble: 0}]\n", "$.rules[0].dribble"),
    (HEAD + "rules: [{when: RETR, dribble: slowly}]\n", "$.rules[0].dribble"),
    (HEAD + "rules: [{when: RETR, cut: -1}]\n", "$.rules[0].cut"),
    (HEAD + "rules: [{when: RETR, cut: many}]\n", "$.rules[0].cut"),
    (HEAD + "rules: [{when: RETR, stuffing: maybe}]\n", "$.rules[0].stuffing"),
    (HEAD + "rules: [{when: RETR, text: [a]}]\n", "$.rules[0].text"),
    (HEAD + "rules: [{when: RETR, outcome: lost}]\n", "$.rules[0].outcome"),
    (HEAD + "rules: [{when: RETR, then: explode}]\n", "$.rules[0].then"),
    (HEAD + 'rules: [{when: RETR, text: "a\\nb"}]\n', "$.rules[0].text"),
    (HEAD + "server: [TOP]\n", "$.server"),
    (HEAD + "server: {users: [alice]}\n", "$.server.users"),
    (HEAD + "tls: {certificate: old}\n", "$.tls.certificate"),
    (HEAD + "maildrop: [{}]\n", "$.maildrop[0]"),
    (HEAD + "maildrop: [{raw: x, body: y}]\n", "$.maildrop[0]"),
    (HEAD + "maildrop: [{octets: 200, body: y}]\n", "$.maildrop[0]"),
    (HEAD + "maildrop: [{octets: 99}]\n", "$.maildrop[0].octets"),
    (HEAD + "maildrop: [{octets: 4096, count: 0}]\n", "$.maildrop[0].count"),
    (HEAD + "expect: {counts: {RETR: often}}\n", "$.expect.counts.RETR"),
    (HEAD + "expect: {counts: {R T: 1}}\n", "$.expect.counts"),
    (HEAD + "variants: {A B: {}}\n", "$.variants"),
    (HEAD + "variants: {a: {name: x}}\n", "$.variants.a"),
    (HEAD + "script: hello\n", "$.script"),
]


def readings(text: str) -> Iterator[object]:
    """A file as readers of YAML give it: one that makes numbers of text, and one that does not."""
    yield _with_text_keys(yaml.safe_load(text))
    yield _yaml.read(text, "f").data


def _with_text_keys(data: Any) -> object:
    if isinstance(data, dict):
        return {str(key): _with_text_keys(value) for key, value in data.items()}
    return [_with_text_keys(item) for item in data] if isinstance(data, list) else data


def test_is_in_step() -> None:
    """The committed schema is the one that the model gives."""
    committed = SCHEMA_FILE.read_text(encoding="utf-8")

    assert schema_text() == committed, (
        "write it anew: pop3kit scenarios schema > "
        "scenarios/pop3scenarios/schema/pop3-scenario.schema.json"
    )


def test_is_a_schema() -> None:
    """It is right by the rules of its own draft, and is in the package."""
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA_FILE.parent.parent.name == "pop3scenarios"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_file(name: str) -> None:
    """Every shipped file keeps to it, whichever reader has read it."""
    text = shipped()[name].read_text(encoding="utf-8")

    wrong = [
        f"{error.json_path}: {error.message}"
        for data in readings(text)
        for error in VALIDATOR.iter_errors(data)
    ]

    assert wrong == []


@pytest.mark.parametrize("text", RIGHT)
def test_takes_what_the_loader_takes(text: str) -> None:
    """What the loader takes the schema takes, whichever reader has read it."""
    loads(HEAD + text, variant="a" if "variants" in text else None)

    wrong = [
        error.json_path for data in readings(HEAD + text) for error in VALIDATOR.iter_errors(data)
    ]

    assert wrong == []


@pytest.mark.parametrize(("text", "where"), WRONG)
def test_refuses_what_the_loader_refuses(text: str, where: str) -> None:
    """A wrong file is refused by both, and the schema says where."""
    with pytest.raises(ScenarioError):
        loads(text)

    typed, _ = readings(text)
    assert where in {error.json_path for error in VALIDATOR.iter_errors(typed)}


def test_every_key_is_explained() -> None:
    """Each key, and each thing that it refers to, has a description for the editor to show."""
    silent = []
    for path, node in _nodes(SCHEMA, "$"):
        for key, value in node.get("properties", {}).items():
            target = SCHEMA["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
            if not (value.get("description") or target.get("description")):
                silent.append(f"{path}.{key}")

    assert silent == []


def _nodes(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        yield from _nodes(value, f"{path}.{key}")


def test_every_reference_leads_somewhere() -> None:
    """No reference of the schema dangles, and nothing of the generator is left in it."""
    text = json.dumps(SCHEMA)
    references = {node["$ref"] for _, node in _nodes(SCHEMA, "$") if "$ref" in node}

    assert {f"#/$defs/{name}" for name in SCHEMA["$defs"]} == references
    assert '"notation"' not in text


def test_completes_words() -> None:
    """Where the language has words, the schema lists them: an editor offers no others."""
    rule = SCHEMA["$defs"]["Rule"]["properties"]
    pattern = SCHEMA["$defs"]["pattern"]["anyOf"][0]["enum"]

    assert rule["state"]["enum"] == ["authorization", "transaction"]
    assert {"RETR", "greeting", "*"} <= set(pattern)
