"""One scenario file to its model, with every problem in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ._errors import Problem, UnknownScenario, did_you_mean
from ._library import find, split_reference
from ._lines import Hole, Template
from ._model import Fragment, Rule, ScenarioFile, Source
from ._script import Reply
from ._yaml import Data, Document, Path, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path as FilePath

#: What the mock server knows at any time, so that a reply may name it without an example.
STATE_HOLES = frozenset({
    "user", "password", "count", "octets", "number", "n", "uid", "last", "stamp", "host",
    "argument", "text",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file of the language, read on its own.

    Attributes:
        path: The file.
        shown: The file as it is named to the user.
        model: What it says.
    """

    path: FilePath
    shown: str
    model: ScenarioFile


def parse(text: str, file: str, path: FilePath) -> tuple[ParsedFile | None, list[Problem]]:
    """Read a scenario from its text.

    Args:
        text: The text of the file.
        file: The name to give in problems.
        path: Where the file is, or would be: paths in it are relative to its folder.

    Returns:
        The file, or None if it cannot be used; and everything that is wrong with it.
    """
    document = read(text, file)
    problems = document.problems
    if document.data is None:
        return None, problems
    if not isinstance(document.data, dict):
        problems.append(document.problem((), "expected a mapping with pop3, name and summary"))
        return None, problems
    model: ScenarioFile | None = None
    context = {"base": path.parent}
    try:
        model = ScenarioFile.model_validate(document.data, context=context)
    except ValidationError as error:
        problems.extend(_translate(error, document))
    for prefix, fragment in _fragments(document.data):
        rules = _salvage(fragment, context)
        problems.extend(_check_rules(rules, prefix, document))
        problems.extend(_check_references(fragment, prefix, document, path.parent))
    if model is not None:
        _place(model, document)
    if problems or model is None:
        return None, problems
    return ParsedFile(path, file, model), problems


def _fragments(data: dict[str, Data]) -> Iterator[tuple[Path, dict[str, Data]]]:
    yield (), data
    variants = data.get("variants")
    for name, fragment in variants.items() if isinstance(variants, dict) else ():
        if isinstance(fragment, dict):
            yield ("variants", name), fragment


def _salvage(fragment: dict[str, Data], context: dict[str, Any]) -> list[Rule | None]:
    """The rules that are right by themselves, so that an error elsewhere hides none of theirs."""
    result: list[Rule | None] = []
    items = fragment.get("rules")
    for item in items if isinstance(items, list) else ():
        try:
            result.append(Rule.model_validate(item, context=context))
        except ValidationError:
            result.append(None)
    return result


def _check_rules(rules: list[Rule | None], prefix: Path, document: Document) -> Iterator[Problem]:
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        path = (*prefix, "rules", i)
        for j, earlier in enumerate(rules[:i]):
            if earlier is not None and earlier.covers(rule):
                line = document.line((*prefix, "rules", j))
                yield document.problem(
                    path,
                    f"unreachable rule: the rule on line {line} always answers first",
                    "put the narrower rule first, or give the wider one nth, state or arguments",
                )
                break
        yield from _check_holes(rule, path, document)


def _check_holes(rule: Rule, path: Path, document: Document) -> Iterator[Problem]:
    bound = {hole.name for pattern in rule.when for hole in pattern.holes} | STATE_HOLES
    for key in ("text", "error", "entry", "reply"):
        value = getattr(rule, key)
        items = value.items if isinstance(value, Reply) else (value,)
        for row, item in enumerate(items):
            for hole in item.holes if isinstance(item, Template) else ():
                if hole.name not in bound and hole.example is None:
                    offset = (row, 0) if key == "reply" else None
                    yield _unbound(hole, bound, document, (*path, key), offset)


def _unbound(
    hole: Hole, bound: Iterable[str], document: Document, path: Path, offset: tuple[int, int] | None
) -> Problem:
    return document.problem(
        path,
        f"bad hole {{{hole.name}}}: nothing binds it and it has no example",
        did_you_mean(hole.name, bound) or f"write {{{hole.name}:{hole.type}=…}}",
        offset=offset,
    )


def _check_references(
    fragment: dict[str, Data], prefix: Path, document: Document, beside: FilePath
) -> Iterator[Problem]:
    named: list[tuple[Path, Data]] = []
    quirks = fragment.get("quirks")
    if isinstance(quirks, list):
        named += [((*prefix, "quirks", i), name) for i, name in enumerate(quirks)]
    if "extends" in fragment and not prefix:
        named.append((("extends",), fragment["extends"]))
    for path, name in named:
        if not isinstance(name, str):
            continue  # the schema has said so
        try:
            find(split_reference(name)[0], beside)
        except UnknownScenario as error:
            what = "quirk" if "quirks" in path else "scenario"
            message = str(error).replace("unknown scenario", f"unknown {what}", 1)
            yield document.problem(path, message)


def _place(model: ScenarioFile, document: Document) -> None:
    fragments: list[tuple[Path, str, Fragment]] = [((), model.name, model)]
    for name, variant in model.variants.items():
        fragments.append((("variants", name), f"{model.name}[{name}]", variant))
    for prefix, name, fragment in fragments:
        for i, rule in enumerate(fragment.rules):
            line = document.line((*prefix, "rules", i))
            rule._source = Source(scenario=name, file=document.file, line=line)
        if fragment.script is not None:
            fragment._script_line = document.line((*prefix, "script")) + 1


def _translate(error: ValidationError, document: Document) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        path = _real_path(item["loc"])
        context: dict[str, Any] = item.get("ctx", {})
        match item["type"]:
            case "lines":
                for wrong in context["errors"]:
                    offset = (wrong.row, wrong.column)
                    yield document.problem(path, wrong.message, wrong.suggestion, offset=offset)
            case "extra_forbidden":
                known = _fields_at(ScenarioFile, path[:-1])
                yield document.problem(
                    path, f"unknown key {path[-1]!r}", _known(str(path[-1]), known), at_key=True
                )
            case "missing":
                yield document.problem(path[:-1], f"the key {path[-1]!r} is missing")
            case "literal_error":
                yield document.problem(
                    path,
                    f"expected {context['expected']}, got {item['input']!r}",
                    did_you_mean(str(item["input"]), context["expected"].split("'")[1::2]),
                )
            case "value_error":
                yield document.problem(path, str(context["error"]))
            case _:
                yield document.problem(path, _plain(item["msg"], item["input"]))


def _plain(message: str, value: object) -> str:
    text = message[0].lower() + message[1:]
    for theirs, ours in (
        ("input should be a valid ", "expected a "),
        ("input should be ", "expected "),
        ("dictionary or instance of Fragment", "mapping"),
        ("dictionary", "mapping"),
        ("a tuple", "a list"),
        ("a integer", "a whole number"),
        (", unable to parse string as an integer", ""),
        ("a boolean, unable to interpret input", "yes or no"),
    ):
        text = text.replace(theirs, ours)
    if " or instance of " in text:
        text = text.split(" or instance of ")[0]
    return f"{text}, got {value!r}" if isinstance(value, str) else text


def _known(word: str, known: Iterable[str]) -> str:
    names = list(known)
    return did_you_mean(word, names) or f"known here: {', '.join(names)}"


def _real_path(loc: tuple[int | str, ...]) -> Path:
    """The place without the marks that pydantic puts in for keys and unions."""
    return tuple(part for part in loc if part != "[key]")


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand under ``path``."""
    current: Any = model
    for part in path:
        if not isinstance(current, type) or not issubclass(current, BaseModel):
            return []
        by_key = {f.alias or n: f.annotation for n, f in current.model_fields.items()}
        if isinstance(part, str) and part in by_key:
            current = _inner(by_key[part])
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """The model inside ``tuple[Model, ...]``, ``dict[str, Model]`` or ``Model | None``."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation
    for argument in get_args(annotation) if get_origin(annotation) else ():
        found = _inner(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return annotation
