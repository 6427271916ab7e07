"""From a reference (a name, ``name[variant]``, a path) to a scenario ready to be played."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ._errors import Problem, ScenarioError, UnknownScenario, did_you_mean
from ._library import find, kind_of, shipped, split_reference
from ._parse import ParsedFile, parse
from ._scenario import Layer, Scenario

if TYPE_CHECKING:
    from ._model import Fragment

_DEFAULT = "default"


def load(reference: str | Path, variant: str | None = None) -> Scenario:
    """Load a scenario with everything it is made of.

    Args:
        reference: A shipped name, ``name[variant]``, or the path of a ``*.pop3.yaml`` file.
        variant: The variant, if the reference does not name it.

    Raises:
        UnknownScenario: There is no such scenario or variant.
        ScenarioError: Files are wrong; every problem in all of them is told.
    """
    name, named = split_reference(str(reference))
    path = find(name)
    return _compose(_read(path, _shown(reference, path)), variant or named)


def loads(text: str, *, file: str = "<string>", variant: str | None = None) -> Scenario:
    """Load a scenario from YAML text.

    Args:
        text: The text of a scenario file; paths in it are relative to the working directory.
        file: The name to give in problems.
        variant: The variant, if it has any.

    Raises:
        ScenarioError: The text, or a file that it names, is wrong.
    """
    parsed, problems = parse(text, file, Path.cwd() / file)
    if parsed is None:
        raise ScenarioError(problems)
    return _compose(parsed, variant)


def check(path: Path) -> list[Problem]:
    """Everything that is wrong with a file and with the files it is made of.

    Args:
        path: A ``*.pop3.yaml`` file.
    """
    try:
        parsed = _read(path, str(path))
        for variant in parsed.model.variants or (None,):
            _compose(parsed, variant)
    except UnknownScenario as error:
        return [Problem(str(path), 1, 1, str(error))]
    except ScenarioError as error:
        return list(error.problems)
    return []


def expand(pattern: str) -> list[str]:
    """The references that a name or a glob such as ``faults/*`` stands for.

    Args:
        pattern: A name, ``name[variant]``, a path, or a glob over ``folder/name``; a scenario with
            variants stands for each of them.

    Raises:
        UnknownScenario: Nothing matches.
    """
    if not set(pattern) & set("*?"):
        name, variant = split_reference(pattern)
        return [pattern] if variant else _variants(name)
    names = [
        name
        for name, path in shipped().items()
        if fnmatchcase(f"{kind_of(path)}/{name}", pattern) or fnmatchcase(name, pattern)
    ]
    if not names:
        raise UnknownScenario(
            f"no scenario matches {pattern!r}", "globs go over folder/name: faults/*"
        )
    return [reference for name in names for reference in _variants(name)]


def _variants(name: str) -> list[str]:
    path = find(name)
    variants = _read(path, _shown(name, path)).model.variants
    return [f"{name}[{variant}]" for variant in variants] or [name]


def _shown(reference: str | Path, path: Path) -> str:
    """How to name a file to the user: shipped ones by folder and name, others as they said."""
    kind = kind_of(path)
    return f"{kind}/{path.name}" if kind != "own" else split_reference(str(reference))[0]


def _read(path: Path, shown: str) -> ParsedFile:
    try:
        stat = path.stat()
        return _read_cached(path, shown, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise ScenarioError([Problem(shown, 1, 1, f"cannot be read: {error.strerror}")]) from None


@lru_cache(maxsize=512)
def _read_cached(path: Path, shown: str, _mtime: int, _size: int) -> ParsedFile:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError([Problem(shown, 1, 1, f"not UTF-8: {error.reason}")]) from None
    parsed, problems = parse(text, shown, path)
    if parsed is None:
        raise ScenarioError(problems)
    return parsed


def _compose(parsed: ParsedFile, variant: str | None) -> Scenario:
    model = parsed.model
    if model.variants and variant is None:
        raise UnknownScenario(
            f"{model.name!r} has variants and none was named",
            "write " + " or ".join(f"{model.name}[{name}]" for name in list(model.variants)[:3]),
        )
    layers: list[Layer] = []
    if variant is not None:
        if variant not in model.variants:
            raise UnknownScenario(
                f"{model.name!r} has no variant {variant!r}",
                did_you_mean(variant, model.variants)
                or (f"it has {', '.join(model.variants)}" if model.variants else "it has none"),
            )
        layers.append(Layer(f"{model.name}[{variant}]", model.variants[variant]))
    layers += _chain(parsed, layers, ())
    return Scenario(model, parsed.path, parsed.shown, variant, tuple(layers))


def _chain(parsed: ParsedFile, above: list[Layer], seen: tuple[Path, ...]) -> list[Layer]:
    """The layers of a file: itself, the quirks (its variant's first), then what it extends."""
    model = parsed.model
    if parsed.path in seen:
        problem = Problem(model.name, 1, 1, "extends goes in a circle")
        raise ScenarioError([problem])
    own = Layer(model.name, model)
    layers = [own]
    for layer in (*above, own):
        layers += _quirks(layer.fragment, parsed.path.parent, {entry.name for entry in layers})
    parent = model.extends or (None if model.name == _DEFAULT else _DEFAULT)
    if parent is not None:
        path = find(split_reference(parent)[0], parsed.path.parent)
        layers += _chain(_read(path, _shown(parent, path)), [], (*seen, parsed.path))
    return layers


def _quirks(fragment: Fragment, beside: Path, have: set[str]) -> list[Layer]:
    layers: list[Layer] = []
    for reference in fragment.quirks:
        name, variant = split_reference(reference)
        path = find(name, beside)
        model = _read(path, _shown(name, path)).model
        if model.name in have:
            continue
        have.add(model.name)
        part: Fragment = model
        if variant is not None:
            chosen = _compose(_read(path, _shown(name, path)), variant)
            layers.append(Layer(chosen.name, chosen.layers[0].fragment, quirk=True))
        layers.append(Layer(model.name, part, quirk=True))
        layers += _quirks(model, path.parent, have)
    return layers
