"""One scenario file to its model, with every problem in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from ._complaints import complaints
from ._errors import Problem
from ._lint import check_expect, check_greeting, check_rules, check_script
from ._model import ExpectSection, Fragment, ScenarioFile, ServerSection
from ._rule import Rule, Source
from ._script import LineErrors, Script, parse_script
from ._yaml import Data, Document, Path, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path as FilePath

_Section = TypeVar("_Section", Rule, ServerSection, ExpectSection)


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of another file, in a file.

    Attributes:
        text: The name as it was written, with its variant if it has one.
        what: ``quirk`` or ``scenario``.
        file: The file in which it stands.
        line: Its line, from 1.
        column: Its column, from 1.
        within: The variant in which it stands; None for the file itself.
    """

    text: str
    what: str
    file: str
    line: int
    column: int
    within: str | None = None

    def problem(self, message: str) -> Problem:
        """A problem with what is named here."""
        return Problem(self.file, self.line, self.column, message)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file of the language, read on its own.

    Attributes:
        path: The file.
        shown: The file as it is named to the user.
        content: What it says; None if there are problems.
        problems: Everything that is wrong with it.
        references: The files that it names.
    """

    path: FilePath
    shown: str
    content: ScenarioFile | None
    problems: tuple[Problem, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def model(self) -> ScenarioFile:
        """What the file says; only if it has no problems."""
        assert self.content is not None
        return self.content


def parse(text: str, file: str, path: FilePath, *, lint: bool = True) -> ParsedFile:
    """Read a scenario from its text.

    Args:
        text: The text of the file.
        file: The name to give in problems.
        path: Where the file is, or would be: paths in it are relative to its folder.
        lint: Whether to look also for what is wrong although each value is right by itself.
    """
    document = read(text, file)
    problems = document.problems
    if not isinstance(document.data, dict):
        if document.data is not None:
            problems.append(document.problem((), "expected a mapping with pop3, name and summary"))
        return ParsedFile(path, file, None, tuple(problems))
    model: ScenarioFile | None = None
    context = {"base": path.parent}
    try:
        model = ScenarioFile.model_validate(document.data, context=context)
    except ValidationError as error:
        problems.extend(complaints(error, document))
    references: list[Reference] = []
    for prefix, fragment in _fragments(document.data):
        if lint:
            right = _right(fragment, context) if model is None else _part(model, prefix)
            problems.extend(_lint(right, prefix, document))
        references += _references(fragment, prefix, document)
    if problems or model is None:
        return ParsedFile(path, file, None, tuple(problems), tuple(references))
    _place(model, document)
    return ParsedFile(path, file, model, (), tuple(references))


def _fragments(data: dict[str, Data]) -> Iterator[tuple[Path, dict[str, Data]]]:
    yield (), data
    variants = data.get("variants")
    for name, fragment in variants.items() if isinstance(variants, dict) else ():
        if isinstance(fragment, dict):
            yield ("variants", name), fragment


class _Right(NamedTuple):
    """What of a fragment is right by itself; None where it is wrong, or is not there."""

    rules: Sequence[Rule | None]
    server: ServerSection | None
    expect: ExpectSection | None
    script: Script | None


def _part(model: ScenarioFile, prefix: Path) -> _Right:
    """A fragment of a file in which nothing is wrong."""
    part = model.variants[str(prefix[1])] if prefix else model
    return _Right(part.rules, part.server, part.expect, part.script)


def _right(fragment: dict[str, Data], context: dict[str, Any]) -> _Right:
    """What is right in a fragment of a file in which something is wrong."""
    items, text = fragment.get("rules"), fragment.get("script")
    rules = [_valid(Rule, item, context) for item in (items if isinstance(items, list) else ())]
    script: Script | None = None
    if isinstance(text, str):
        with suppress(LineErrors):
            script = parse_script(text)
    server = _valid(ServerSection, fragment.get("server"), context)
    return _Right(rules, server, _valid(ExpectSection, fragment.get("expect"), context), script)


def _valid(kind: type[_Section], data: Data, context: dict[str, Any]) -> _Section | None:
    try:
        return kind.model_validate(data, context=context)
    except ValidationError:
        return None


def _lint(part: _Right, prefix: Path, document: Document) -> Iterator[Problem]:
    """Check what is right by itself, so that an error elsewhere in the file hides none here."""
    yield from check_rules(part.rules, prefix, document)
    if part.server is not None and part.server.greeting is not None:
        path = (*prefix, "server", "greeting")
        yield from check_greeting(part.server.greeting, path, document)
    if part.expect is not None:
        yield from check_expect(part.expect, (*prefix, "expect"), document)
    if part.script is not None:
        yield from check_script(part.script, (*prefix, "script"), document)


def _references(fragment: dict[str, Data], prefix: Path, document: Document) -> Iterator[Reference]:
    quirks = fragment.get("quirks")
    named: list[tuple[Path, str, Data]] = [
        ((*prefix, "quirks", i), "quirk", name)
        for i, name in enumerate(quirks if isinstance(quirks, list) else ())
    ]
    if not prefix:
        named.append((("extends",), "scenario", fragment.get("extends")))
    for path, what, name in named:
        if isinstance(name, str):
            place = document.problem(path, "")
            within = str(prefix[1]) if prefix else None
            yield Reference(name, what, place.file, place.line, place.column, within)


def _place(model: ScenarioFile, document: Document) -> None:
    fragments: list[tuple[Path, str, Fragment]] = [((), model.name, model)]
    for name, variant in model.variants.items():
        fragments.append((("variants", name), f"{model.name}[{name}]", variant))
    for prefix, name, fragment in fragments:
        fragment._where = partial(_source, name, document, prefix)
        for i, rule in enumerate(fragment.rules):
            line = document.line((*prefix, "rules", i))
            rule._source = Source(scenario=name, file=document.file, line=line)
        if fragment.script is not None:
            fragment._script_line = document.line((*prefix, "script"), 0)


def _source(name: str, document: Document, prefix: Path, path: Path) -> Source:
    line = document.problem((*prefix, *path), "", at_key=True).line
    return Source(scenario=name, file=document.file, line=line)
