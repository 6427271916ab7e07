"""The words about the language: each key and each notation is explained, and its examples hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from pop3scenarios import EVENTS, Announced, loads
from pop3scenarios._actions import ACTIONS, is_action, parse_action
from pop3scenarios._case import CaseSection
from pop3scenarios._fields import Outcome, Section
from pop3scenarios._holes import HOLE_MEANINGS, HOLE_TYPES
from pop3scenarios._mailitem import MailItem
from pop3scenarios._model import (
    ExpectSection,
    FetchSection,
    Fragment,
    ScenarioFile,
    ServerSection,
    TLSSection,
)
from pop3scenarios._notation import EVENT_MEANINGS, NOTATIONS, OUTCOME_MEANINGS
from pop3scenarios._plain import to_yaml
from pop3scenarios._reference import _as_text, example_of
from pop3scenarios._rule import Rule
from pop3scenarios._yaml import read
from pop3scenarios.tools import schema

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic.fields import FieldInfo

SCHEMA = schema()

#: Where a key of a section stands in a file, and what has to stand beside it.
PLACES: dict[type[Section], str] = {
    ScenarioFile: "{}",
    Fragment: "variants: {{v: {{{}}}}}",
    ServerSection: "server: {{{}}}",
    TLSSection: "tls: {{{}}}",
    CaseSection: "case: {{{}}}",
    MailItem: "maildrop: [{{{}}}]",
    Rule: "rules: [{{{}}}]",
    ExpectSection: "expect: {{{}}}",
    FetchSection: "expect: {{fetch: {{{}}}}}",
}

#: Keys that need another beside them.
BESIDE = {"count": "octets: 4096", "uid": "subject: One", "sessions": "subject: One",
          "update": "mbox: inbox.mbox", "line-ends": "subject: One"}  # fmt: skip

#: Keys that every case has.
CASE = ("requirement", "level")

#: What a rule is about whose key means nothing where others do.
WHEN = {"mechanism": "AUTH", "entry": "LIST", "numbering": "LIST"}

FIELDS = [
    pytest.param(section, field, id=f"{section.__name__}.{field.alias}")
    for section in PLACES
    for field in section.model_fields.values()
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the mail that the examples name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mails").mkdir()
    for name in ("mail.eml", "mails/one.eml"):
        (tmp_path / name).write_bytes(b"Subject: One\r\n\r\nHello.\r\n")
    (tmp_path / "inbox.mbox").write_bytes(b"From x\nSubject: One\n\nHello.\n")
    for part in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    return tmp_path


def test_every_section_is_looked_at() -> None:
    """The tests here know all parts of a file."""
    waiting, found = [Section], set()
    while waiting:
        found |= set(waiting[-1].__subclasses__())
        waiting = [*waiting[:-1], *waiting.pop().__subclasses__()]

    assert found == set(PLACES)


@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_key_is_explained(section: type[Section], field: FieldInfo) -> None:
    """Each key says what it means, in a sentence or a phrase with its end."""
    assert field.description
    assert field.description.endswith(".")


@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_example_loads(section: type[Section], field: FieldInfo, folder: Path) -> None:
    """Each example of a key stands in a file that loads, and that the schema takes."""
    examples = field.examples or [example_of(field)]
    if examples == [None]:
        assert issubclass(field.annotation or int, Section)  # it has keys of its own
        return
    for example in examples:
        text = _file_with(section, field, example)

        scenario = loads(text, variant=_variant(text))

        assert scenario.layers
        wrong = Draft202012Validator(SCHEMA).iter_errors(read(text, "f").data)
        assert [error.message for error in wrong] == []


def _file_with(section: type[Section], field: FieldInfo, example: object) -> str:
    """A small file in which a key has a value."""
    key = field.alias or ""
    head = {"pop3": "1", "name": "own", "summary": "own"}
    if section is ScenarioFile:
        return to_yaml(head | {key: _as_text(example)})
    entry = to_yaml({key: _as_text(example)}, flow=True).strip()[1:-1]
    beside = [f"when: {WHEN.get(key, 'RETR')}"] if section is Rule and key != "when" else []
    beside += [f"{name}: must" for name in CASE if name != key] if section is CaseSection else []
    beside += [BESIDE[key]] if section is MailItem and key in BESIDE else []
    if section is Rule and key == "scope":
        beside.append("nth: 1")
    return to_yaml(head) + PLACES[section].format(", ".join([entry, *beside])) + "\n"


def _variant(text: str) -> str | None:
    return "v" if "variants: {v" in text else "slow" if "variants:" in text else None


@pytest.mark.parametrize("name", NOTATIONS)
def test_notation(name: str) -> None:
    """Each notation is explained, and its own schema takes its examples."""
    notation = NOTATIONS[name]
    whole = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}

    wrong = [
        error.message
        for example in notation.examples
        for error in Draft202012Validator(whole).iter_errors(
            list(example) if isinstance(example, tuple) else example
        )
    ]

    assert notation.meaning.endswith(".")
    assert wrong == []


def test_outcomes_are_explained() -> None:
    """Every outcome has its meaning."""
    assert set(get_args(Outcome)) == set(OUTCOME_MEANINGS)


def test_words_for_sizes_are_offered() -> None:
    """Every word that can stand for a size is offered to an editor, and is in the explanation."""
    kinds = set(get_args(get_type_hints(Announced)["kind"])) - {"add", "percent", "rounded", "text"}

    assert kinds == set(SCHEMA["$defs"]["size"]["anyOf"][0]["enum"])
    assert all(kind in NOTATIONS["size"].meaning for kind in kinds)


def test_events_are_explained() -> None:
    """Every event has its meaning."""
    assert {name.lower() for name in EVENTS} == set(EVENT_MEANINGS)


def test_types_of_holes_are_explained() -> None:
    """Every type of a hole has its meaning."""
    assert set(HOLE_TYPES) == set(HOLE_MEANINGS)


@pytest.mark.parametrize("name", ACTIONS)
def test_action_is_written_so(name: str) -> None:
    """What stands as the form of an action is one, of that name."""
    form, meaning = ACTIONS[name]

    assert is_action(form)
    assert parse_action(form)
    assert form.startswith(f"<{name}")
    assert meaning
