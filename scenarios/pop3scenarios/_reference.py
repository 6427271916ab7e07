"""The reference of the language as a page, made of the model and of the tables in the code."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from ._actions import ACTIONS
from ._case import CaseSection
from ._fields import WORDS_FOR_PATTERN, Section
from ._holes import HOLE_MEANINGS, HOLE_TYPES, type_by_name
from ._lint import STATE_HOLES
from ._loader import load
from ._mailitem import MailItem
from ._model import ExpectSection, FetchSection, Fragment, ScenarioFile, ServerSection, TLSSection
from ._notation import EVENT_MEANINGS, NOTATIONS, OUTCOME_MEANINGS, Notation
from ._plain import plain, to_yaml
from ._rule import SELECTORS, Rule
from ._warnings import WARNINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic.fields import FieldInfo

    from ._yaml import Data

_HEAD = """\
<!-- Generated: pop3kit scenarios reference > docs/reference.md -->

# Reference of the scenario language

Every key of a `*.pop3.yaml` file, generated from the model that the loader uses. [The scenario
language](scenarios.md) explains how they work together. `pop3kit scenarios schema` gives the same
to an editor.

Text is any scalar: the loader keeps it as it was written, so `007` and `off` need no quotes. What
holds `:`, `#` or braces at its begin does.
"""

#: The page's sections: the heading of each, what it says first, and whose keys it lists.
_SECTIONS: Mapping[type[Section], tuple[str, str]] = {
    ScenarioFile: ("The file", ""),
    Fragment: (
        "A variant",
        "What stands under a name in `variants`; the file's own keys hold too.",
    ),
    ServerSection: ("server", "The default is what the scenario `default` has."),
    TLSSection: ("tls", "The default is what the scenario `default` has."),
    CaseSection: ("case", ""),
    MailItem: ("An entry of a maildrop", ""),
    Rule: ("A rule", ""),
    ExpectSection: ("expect", ""),
    FetchSection: ("expect.fetch", ""),
}

_KEYS = ("key", "written as", "default", "meaning", "example")


def reference() -> str:
    """The page, in Markdown."""
    lines = [_HEAD, *_keys(), *_notations(), *_line_language(), *_lint()]
    return "\n".join(lines).rstrip("\n") + "\n"


# Keys


def _keys() -> Iterator[str]:
    standing = load("default")
    defaults = {ServerSection: plain(standing.server), TLSSection: plain(standing.tls)}
    for section, (title, words) in _SECTIONS.items():
        yield f"## {title}\n"
        yield _prose(f"{_first_line(section)} {words}".strip()) + "\n"
        for heading, fields in _groups(section):
            if heading:
                yield f"### {heading}\n"
            rows = (_row(field, defaults.get(section)) for field in fields)
            yield from _table(_KEYS, rows)


def _first_line(section: type[Section]) -> str:
    return " ".join((section.__doc__ or "").replace("``", "`").split())


def _groups(section: type[Section]) -> Iterator[tuple[str, list[FieldInfo]]]:
    fields = section.model_fields
    if section is not Rule:
        # What a section adds to another stands first: version and name before all others.
        own = [name for name in section.__annotations__ if name in fields]
        yield "", [fields[name] for name in dict.fromkeys([*own, *fields])]
        return
    yield "Which command", [field for name, field in fields.items() if name in SELECTORS]
    yield "What changes", [field for name, field in fields.items() if name not in SELECTORS]


def _row(field: FieldInfo, standing: Mapping[str, Data] | None) -> Sequence[str]:
    key = field.alias or ""
    default = _default(field) if standing is None else _code(standing.get(key))
    example = example_of(field)
    shown = (
        "" if example is None else f"`{to_yaml({key: _as_text(example)}, flow=True).strip()[1:-1]}`"
    )
    meaning = _prose(field.description or "")
    return f"`{key}`", _written(field.annotation, field.metadata), default, meaning, shown


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return f"`{value}`" if isinstance(value, str | int) and value != "" else ""


def example_of(field: FieldInfo) -> object:
    """A value of a key as an author could write it; None for a key with keys of its own.

    Args:
        field: The field of the model.
    """
    if field.examples:
        return field.examples[0]
    return _example(field.annotation, field.metadata)


def _example(annotation: Any, metadata: Iterable[object]) -> object:  # noqa: ANN401 - a type
    for item in metadata:
        if isinstance(item, Notation):
            return item.examples[0]
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _example(arguments[0], arguments[1:])
        case origin if origin in (Union, UnionType):
            return _example(arguments[0], ())
        case origin if origin is Literal:
            return arguments[0]
        case origin if origin is tuple:
            item = _example(arguments[0], ())
            return None if item is None else [item]
    return "yes" if annotation is bool else None


def _written(annotation: Any, metadata: Iterable[object] = ()) -> str:  # noqa: ANN401 - a type
    """How values of a type are written, with a link to where that is explained."""
    metadata = list(metadata)
    for item in metadata:
        if isinstance(item, Notation):
            return f"[{item.name}](#notations)"
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _written(arguments[0], arguments[1:])
        case origin if origin in (Union, UnionType):
            kinds = (each for each in arguments if each is not type(None))
            return " or ".join(_written(each, metadata) for each in kinds)
        case origin if origin is Literal:
            return ", ".join(f"`{word}`" for word in arguments)
        case origin if origin is tuple:
            return f"list of {_written(arguments[0])}"
        case origin if origin is dict:
            return f"mapping of {_written(arguments[0])} to {_written(arguments[1])}"
    return _simple(annotation, metadata)


def _simple(annotation: type, metadata: list[object]) -> str:
    if issubclass(annotation, Section):
        title = _SECTIONS[annotation][0]
        return (
            f"[{title[0].lower()}{title[1:]}](#{title.lower().replace(' ', '-').replace('.', '')})"
        )
    if annotation is bool:
        return "[switch](#notations)"
    if annotation is int:
        low, high = _fact(metadata, "ge"), _fact(metadata, "le")
        return f"number from {low}{f' to {high}' if high is not None else ''}"
    if annotation is Path:
        return "path, relative to the file"
    pattern = _fact(metadata, "pattern")
    return "text" if pattern is None else WORDS_FOR_PATTERN[pattern].partition(":")[0]


def _fact(metadata: Iterable[object], name: str) -> Any:  # noqa: ANN401 - a number or a pattern
    """What the metadata of a type says about one of its bounds."""
    for item in metadata:
        value = getattr(item, name, None)
        if value is None:
            value = _fact(getattr(item, "metadata", ()), name)
        if value is not None:
            return value
    return None


# Notations and the line language


def _notations() -> Iterator[str]:
    yield "## Notations\n"
    rows = (
        (
            each.name,
            _prose(each.meaning),
            ", ".join(_code(_as_text(example)) for example in each.examples),
        )
        for each in NOTATIONS.values()
    )
    yield from _table(("notation", "meaning", "examples"), rows)
    yield "## Outcomes\n"
    yield "What the RFC-correct answer is, for `outcome` of a rule.\n"
    yield from _table(("outcome", "meaning"), _described(OUTCOME_MEANINGS))
    yield "## Events\n"
    yield "What `when` of a rule can be about beside commands.\n"
    yield from _table(("event", "meaning"), _described(EVENT_MEANINGS))


def _line_language() -> Iterator[str]:
    yield "## The line language\n"
    yield (
        "A line goes over the wire as it is written, plus CRLF. `{name:type=example}` is a hole:"
        " type and\nexample may be left out. `{{` and `}}` are braces. ` ...` at the end stands"
        " for any text; in a reply it\ngives the text of the right answer.\n"
    )
    yield "### Types of holes\n"
    types = (
        (f"`{name}`", _prose(HOLE_MEANINGS[name]), f"`{HOLE_TYPES[name]}`") for name in HOLE_TYPES
    )
    yield from _table(("type", "may hold", "as a pattern"), types)
    yield "### Holes that are always filled\n"
    yield "What the server knows by itself, so that a reply may name it.\n"
    known = (
        (f"`{{{name}}}`", f"`{type_by_name(name)}`", _prose(meaning))
        for name, meaning in STATE_HOLES.items()
    )
    yield from _table(("hole", "type", "holds"), known)
    yield "### Actions\n"
    yield "A line that is only `<…>` is done instead of being sent.\n"
    actions = ((f"`{form}`", _prose(meaning)) for form, meaning in ACTIONS.values())
    yield from _table(("action", "does"), actions)


def _lint() -> Iterator[str]:
    yield "## Warnings of lint\n"
    yield "`pop3kit scenarios lint` tells them; with `--strict` they count as errors.\n"
    yield from _table(("warning", "meaning"), _described(WARNINGS))


def _described(meanings: Mapping[str, str]) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", _prose(meaning)) for name, meaning in meanings.items())


# Markdown


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def _code(value: object) -> str:
    """A value as an author writes it, on one line."""
    if value is None:
        return ""
    text = to_yaml(_as_text(value), flow=True).strip()
    return f"`{text}`"


def _as_text(value: object) -> Data:
    match value:
        case dict():
            return {str(key): _as_text(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_text(item) for item in value]
        case bool():
            return "true" if value else "false"
    return str(value)


def _prose(text: str) -> str:
    """Text of which Markdown must not take any for its own."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        for char in "<>*|":
            parts[i] = parts[i].replace(char, {"<": "&lt;", ">": "&gt;"}.get(char, "\\" + char))
    return "`".join(parts)
