"""From a reference (a name, ``name[variant]``, a path) to a scenario ready to be played."""

from __future__ import annotations

import os
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ._errors import Problem, ScenarioError, UnknownScenario, did_you_mean
from ._library import (
    find,
    is_glob,
    is_path,
    kind_of,
    own_files,
    places,
    shipped,
    split_reference,
)
from ._parse import ParsedFile, parse
from ._scenario import Layer, Scenario
from ._yaml import position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model import Fragment, ScenarioFile

_DEFAULT = "default"


def load(reference: str | Path, variant: str | None = None) -> Scenario:
    """Load a scenario with everything it is made of.

    Args:
        reference: A shipped name, ``name[variant]``, or the path of a ``*.pop3.yaml`` file.
        variant: The variant, if the reference does not name it.

    Raises:
        UnknownScenario: There is no such scenario or variant, or two variants are named.
        ScenarioError: Files are wrong; every problem in all of them is told.
    """
    name, variant = _asked(str(reference), variant)
    path = find(name)
    if kind_of(path) != "own":
        return _load_shipped(path, variant)
    return _ready(_read(path, _shown(name, path)), variant)


@lru_cache(maxsize=512)
def _load_shipped(path: Path, variant: str | None) -> Scenario:
    # What is shipped does not change while a process lasts, and most tests play the same.
    return _ready(_read(path, _shown("", path)), variant)


def loads(text: str, *, file: str = "<string>", variant: str | None = None) -> Scenario:
    """Load a scenario from YAML text.

    Args:
        text: The text of a scenario file; paths in it are relative to the working directory.
        file: The name to give in problems.
        variant: The variant, if it has any.

    Raises:
        UnknownScenario: It has no such variant, or has variants and none was named.
        ScenarioError: The text, or a file that it names, is wrong.
    """
    return _ready(parse(text, file, Path.cwd() / file), variant)


def check(path: Path) -> list[Problem]:
    """Everything that is wrong with a file and with the files it is made of.

    Args:
        path: A ``*.pop3.yaml`` file.
    """
    parsed = _read(Path.cwd() / path, str(path))
    problems = set(_survey(parsed))
    if parsed.content is not None and kind_of(parsed.path) != "own":
        text = parsed.path.read_text(encoding="utf-8")
        problems.update(parse(text, parsed.shown, parsed.path).problems)
    return sorted(problems)


def open_right(path: Path) -> ParsedFile | None:
    """A file that, with all files it is made of, has no problems; None if it has any.

    Args:
        path: A ``*.pop3.yaml`` file.
    """
    parsed = _read(Path.cwd() / path, str(path))
    return None if _survey(parsed) else parsed


def scenarios_of(parsed: ParsedFile) -> list[Scenario]:
    """The scenarios that a file without problems holds: one for each variant, if it has any."""
    return [_ready(parsed, variant) for variant in parsed.model.variants or [None]]


def files(reference: str | Path) -> tuple[Path, ...]:
    """The scenario files that a scenario is made of, near and far, right or wrong.

    Args:
        reference: A shipped name, ``name[variant]``, or the path of a ``*.pop3.yaml`` file.

    Returns:
        The files; those that are named and are not there stand where they would be.

    Raises:
        UnknownScenario: There is no such scenario.
    """
    name, _ = split_reference(str(reference))
    path = find(name)
    walked = [file for file, _ in _walk(_read(path, _shown(name, path)))]
    lacking = [place for file in walked for place in _lacking(file)]
    return tuple(dict.fromkeys([*(file.path for file in walked), *lacking, shipped()[_DEFAULT]]))


def expand(pattern: str, variant: str | None = None, *, beside: Path | None = None) -> list[str]:
    """The references that a name or a glob such as ``faults/*`` stands for.

    Args:
        pattern: A name, ``name[variant]``, a path, a glob over ``folder/name``, or, if it begins
            with a dot or a slash or ends as scenario files do, one over paths; a scenario with
            variants stands for each of them.
        variant: The variant of the one scenario, if the pattern does not name it.
        beside: The folder from which paths and names are looked up; the working directory if None.

    Returns:
        What ``load`` takes: what is found beside a folder is told by its whole path.

    Raises:
        UnknownScenario: Nothing matches, or two variants are named.
    """
    if not is_glob(pattern):
        name, variant = _asked(pattern, variant)
        name = _located(name, beside)
        if variant is None:
            return _variants(name)
        _check_variant(_open(name).model, variant)
        return [f"{name}[{variant}]"]
    if variant is not None:
        raise UnknownScenario(f"variant={variant!r} needs one scenario, not {pattern!r}")
    names = own_files(pattern, beside) if is_path(pattern) else _matching(pattern)
    return [reference for name in names for reference in _variants(_located(name, beside))]


def _asked(reference: str, variant: str | None) -> tuple[str, str | None]:
    """The name and the variant that are asked for, in brackets or beside them."""
    name, named = split_reference(reference)
    if None not in (variant, named) and variant != named:
        raise UnknownScenario(
            f"{reference!r} names the variant {named!r}, and variant={variant!r} another one",
            f"name one: {name}[{variant}]",
        )
    return name, variant or named


def _located(name: str, beside: Path | None) -> str:
    """The name of a scenario, from wherever it is looked up."""
    if beside is None:
        return name
    path = find(name, beside)
    return name if kind_of(path) != "own" else str(path)


def _matching(pattern: str) -> list[str]:
    """The shipped scenarios whose ``folder/name``, or name, matches a glob."""
    names = [
        name
        for name, path in shipped().items()
        if fnmatchcase(f"{kind_of(path)}/{name}", pattern) or fnmatchcase(name, pattern)
    ]
    if not names:
        raise UnknownScenario(
            f"no scenario matches {pattern!r}", "globs go over folder/name: faults/*"
        )
    return names


def _variants(name: str) -> list[str]:
    return [f"{name}[{variant}]" for variant in _open(name).model.variants] or [name]


def _open(name: str) -> ParsedFile:
    path = find(name)
    parsed = _read(path, _shown(name, path))
    if parsed.problems:
        raise ScenarioError(_survey(parsed))
    return parsed


def _ready(parsed: ParsedFile, variant: str | None) -> Scenario:
    problems = _survey(parsed)
    if problems:
        raise ScenarioError(problems)
    _check_variant(parsed.model, variant)
    return Scenario(
        parsed.model, parsed.path, parsed.shown, variant, tuple(_layers(parsed, variant))
    )


def _check_variant(model: ScenarioFile, variant: str | None) -> None:
    if model.variants and variant is None:
        raise UnknownScenario(
            f"{model.name!r} has variants and none was named",
            "write " + " or ".join(f"{model.name}[{name}]" for name in list(model.variants)[:3]),
        )
    if variant is not None and variant not in model.variants:
        raise UnknownScenario(
            f"{model.name!r} has no variant {variant!r}",
            did_you_mean(variant, model.variants)
            or (f"it has {', '.join(model.variants)}" if model.variants else "it has none"),
        )


# Reading


def _shown(name: str, path: Path, beside: str = "") -> str:
    """How to name a file to the user: shipped ones by folder and name, others as they said.

    Args:
        name: The name by which it was found.
        path: The file.
        beside: The file, as it is shown, in which the name stands.
    """
    kind = kind_of(path)
    if kind != "own":
        return f"{kind}/{path.name}"
    said = name if path.name == Path(name).name else name + path.name[len(Path(name).name) :]
    return str(Path(beside).parent / said) if beside else said


class _Wrong(Exception):
    """Carries a file with problems past the cache: what it lacks may be there the next time."""

    def __init__(self, parsed: ParsedFile) -> None:
        super().__init__()
        self.parsed = parsed


def _read(path: Path, shown: str) -> ParsedFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = Problem(shown, 1, 1, f"cannot be read: {error.strerror}")
        return ParsedFile(path, shown, None, (problem,))
    try:
        return _parse(path, shown, data.decode())
    except UnicodeDecodeError as error:
        line, column = position(data[: error.start].decode())
        problem = Problem(shown, line, column, f"not UTF-8: the octet {data[error.start]:#04x}")
        return ParsedFile(path, shown, None, (problem,))
    except _Wrong as wrong:
        return wrong.parsed


@lru_cache(maxsize=512)
def _parse(path: Path, shown: str, text: str) -> ParsedFile:
    # That the rules of shipped files are right is tested, so that nobody need wait for it.
    parsed = parse(text, shown, path, lint=kind_of(path) == "own")
    if parsed.problems:
        raise _Wrong(parsed)
    return parsed


def follow(text: str, parsed: ParsedFile) -> tuple[ParsedFile, str | None]:
    """The file, and the variant, that a reference in a file means."""
    name, variant = split_reference(text)
    path = find(name, parsed.path.parent)
    return _read(path, _shown(name, path, parsed.shown)), variant


def identity(parsed: ParsedFile) -> str:
    """What two ways to the same file have in common; shipped files have one way only."""
    shipped_file = kind_of(parsed.path) != "own"
    return str(parsed.path) if shipped_file else os.path.realpath(parsed.path)


# Checking a file with all the files it is made of


def _survey(parsed: ParsedFile) -> list[Problem]:
    """The problems in a file and in every file that it names, near or far."""
    problems: list[Problem] = []
    for file, wrong in _walk(parsed):
        problems += file.problems
        if _in_circle(file):
            problems += [
                reference.problem("extends goes in a circle")
                for reference in file.references
                if reference.what == "scenario"
            ]
        problems += wrong
    return problems


def _walk(parsed: ParsedFile) -> Iterator[tuple[ParsedFile, list[Problem]]]:
    """A file and every file that it names, near or far; with each, what it names in vain."""
    seen: set[str] = set()
    waiting = [parsed]
    while waiting:
        file = waiting.pop()
        if identity(file) in seen:
            continue
        seen.add(identity(file))
        wrong: list[Problem] = []
        for reference in file.references:
            try:
                named, variant = follow(reference.text, file)
                waiting.append(named)
                if named.content is not None:
                    _check_variant(named.content, variant)
            except UnknownScenario as error:
                wrong.append(reference.problem(str(error).replace("scenario", reference.what, 1)))
        yield file, wrong


def _lacking(file: ParsedFile) -> Iterator[Path]:
    """Where the files would be that a file names in vain."""
    for reference in file.references:
        try:
            name, _ = split_reference(reference.text)
        except UnknownScenario:
            continue
        try:
            find(name, file.path.parent)
        except UnknownScenario:
            yield from places(name, file.path.parent)


def _in_circle(file: ParsedFile) -> bool:
    """Whether a file extends itself in the end."""
    seen: set[str] = set()
    current: ParsedFile | None = file
    while current is not None and identity(current) not in seen:
        seen.add(identity(current))
        current = _parent(current)
    return current is not None and identity(current) == identity(file)


def _parent(file: ParsedFile) -> ParsedFile | None:
    """What a file says it extends, if that can be found."""
    for reference in file.references:
        if reference.what == "scenario":
            try:
                return follow(reference.text, file)[0]
            except UnknownScenario:
                return None
    return None


# Laying the files over each other


def _layers(parsed: ParsedFile, variant: str | None) -> list[Layer]:
    """A variant, its file, their quirks (the variant's first), then what the file extends."""
    own = _own(parsed, variant)
    layers = list(own)
    have = {(identity(parsed), variant)}
    for layer in own:
        layers += _quirks(layer.fragment, parsed, have)
    extends = parsed.model.extends
    if extends is None and parsed.path != shipped()[_DEFAULT]:
        extends = _DEFAULT
    return layers if extends is None else layers + _layers(*follow(extends, parsed))


def _own(parsed: ParsedFile, variant: str | None) -> list[Layer]:
    model = parsed.model
    file = Layer(model.name, model)
    if variant is None:
        return [file]
    return [Layer(f"{model.name}[{variant}]", model.variants[variant]), file]


def _quirks(
    fragment: Fragment, parsed: ParsedFile, have: set[tuple[str, str | None]]
) -> list[Layer]:
    layers: list[Layer] = []
    for reference in fragment.quirks:
        named, variant = follow(reference, parsed)
        if (identity(named), variant) in have:
            continue
        have.add((identity(named), variant))
        own = [replace(layer, quirk=True) for layer in _own(named, variant)]
        layers += own
        for layer in own:
            layers += _quirks(layer.fragment, named, have)
    return layers
