"""What is not wrong with a scenario file and still not as it should be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from ._errors import Problem
from ._library import kind_of, shipped
from ._loader import follow, identity, open_right, scenarios_of
from ._mistakes import fragments, mistakes
from ._oddities import oddities
from ._plain import plain
from ._rule import SELECTORS
from ._secrets import is_real_password, said_passwords, secrets_in
from ._shadow import effect, idle, shadowed
from ._yaml import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ._model import Fragment
    from ._parse import ParsedFile, Reference
    from ._rule import Rule, Source
    from ._scenario import Layer, Scenario
    from ._yaml import Data, Document
    from ._yaml import Path as DataPath

#: The warnings, and what each is about.
WARNINGS = {
    "shadowed-quirk": "all that a quirk sets is overridden by the file that names it",
    "idle-quirk": "a quirk changes answers of commands that the server does not have",
    "repeated-quirk": "a quirk is listed more than once",
    "unused-quirk": "no file that was looked at names a file of the folder quirks",
    "unnamed-deviation": "rules are those of a shipped quirk, which is not named",
    "real-secret": "something looks like a secret that opens something",
    "near-miss": "a command, an event, a capability or a mechanism is nearly a known one",
    "no-effect": "a rule changes nothing, nor keeps a later one from doing so",
    "no-login": "a user has a name or a password that USER and PASS cannot bring",
    "double-status": "a text brings with it the +OK or -ERR that is sent anyway",
    "unknown-user": "a rule or a maildrop is of a user whom the server does not have",
    "not-offered": "the server does not offer itself what the file requires",
    "file-name": "a file is called otherwise than the scenario in it",
    "odd-script": "a conversation holds what no client and server would say",
    "undocumented": "a shipped file does not say why it is there, or on what it rests",
}

#: Text that people write for people: a long word in it is a link, not a key.
_PROSE = frozenset({"why", "references", "summary", "breaks"})

#: A server, and a file of one's own, say what a server does; quirks and faults are deviations.
_DESCRIBES_A_SERVER = frozenset({"servers", "own"})


def review(paths: Iterable[Path]) -> list[Problem]:
    """What deserves a second look in scenario files that have no errors.

    Args:
        paths: Files of the language. One that has errors is passed over: they come first.

    Returns:
        The warnings, each with its name in :attr:`Problem.kind`, in the order of the files.
    """
    files = [file for path in paths if (file := open_right(path)) is not None]
    found = [warning for file in files for warning in _review(file)]
    return list(dict.fromkeys([*found, *_unused(files)]))


def _review(file: ParsedFile) -> Iterator[Problem]:
    scenarios = scenarios_of(file)
    yield from _quirks(file, scenarios)
    yield from _repeated(file, scenarios)
    if kind_of(file.path) in _DESCRIBES_A_SERVER:
        yield from _unnamed(scenarios)
    if kind_of(file.path) != "own":
        yield from _undocumented(file)
    document = read(file.path.read_text(encoding="utf-8"), file.shown)
    for kind, path, message, hint in mistakes(file, scenarios):
        yield _warning(document.problem(path, message, hint), kind)
    yield from _odd_scripts(file, document)
    yield from _secrets(document)


def _warning(problem: Problem, kind: str) -> Problem:
    return replace(problem, kind=kind)


# Quirks


def _quirks(file: ParsedFile, scenarios: Sequence[Scenario]) -> Iterator[Problem]:
    """Quirks of the file that have no effect in any of its variants."""
    for reference in file.references:
        if reference.what != "quirk":
            continue
        uses = [use for scenario in scenarios for use in _uses(file, reference, scenario)]
        for kind, holds, message in _WITHOUT_EFFECT:
            if uses and all(holds(*use) for use in uses):
                problem = reference.problem(f"the quirk {reference.text!r} {message}")
                yield _warning(problem, kind)
                break


#: How a quirk can be without effect.
_WITHOUT_EFFECT: tuple[tuple[str, Callable[[Scenario, Layer], bool], str], ...] = (
    ("shadowed-quirk", shadowed, "changes nothing: all that it sets is overridden here"),
    ("idle-quirk", idle, "changes nothing: the server does not have the command"),
)


def _uses(
    file: ParsedFile, reference: Reference, scenario: Scenario
) -> Iterator[tuple[Scenario, Layer]]:
    fragment = _meant(file, reference)
    for layer in scenario.layers:
        if layer.quirk and layer.fragment is fragment:
            yield scenario, layer


def _meant(file: ParsedFile, reference: Reference) -> Fragment:
    """The part of a file that a reference means."""
    named, variant = follow(reference.text, file)
    return named.model if variant is None else named.model.variants[variant]


def _repeated(file: ParsedFile, scenarios: Sequence[Scenario]) -> Iterator[Problem]:
    for variant in [None, *(scenario.variant for scenario in scenarios)]:
        seen: dict[tuple[str, str | None], Reference] = {}
        for reference in file.references:
            if reference.what != "quirk" or reference.within not in (None, variant):
                continue
            named, which = follow(reference.text, file)
            first = seen.setdefault((identity(named), which), reference)
            if first is not reference:
                message = f"the quirk {reference.text!r} is listed twice"
                hint = f"also on line {first.line}"
                yield _warning(replace(reference.problem(message), suggestion=hint),
                               "repeated-quirk")  # fmt: skip


def _unused(files: Sequence[ParsedFile]) -> Iterator[Problem]:
    """Files in a folder ``quirks`` of one's own that none of the files looked at names."""
    named = {
        identity(follow(reference.text, file)[0])
        for file in files
        for reference in file.references
        if reference.what == "quirk"
    }
    for file in files:
        own_quirk = kind_of(file.path) == "own" and file.path.parent.name == "quirks"
        if own_quirk and identity(file) not in named:
            yield Problem(
                file.shown, 1, 1, "no other file names this quirk",
                "name it in quirks: of a scenario, or leave it out", "unused-quirk",
            )  # fmt: skip


# Deviations without a name


def _unnamed(scenarios: Sequence[Scenario]) -> Iterator[Problem]:
    for scenario in scenarios:
        quirks = [layer.fragment.rules for layer in scenario.layers if layer.quirk]
        named = {_effect(rule) for rules in quirks for rule in rules}
        for layer in scenario.layers[: 2 if scenario.variant else 1]:
            rules = {_effect(rule): rule.source for rule in layer.fragment.rules}
            found: dict[Source, list[str]] = {}
            for name, effects in _shipped_effects().items():
                if effects <= rules.keys() and not effects <= named:
                    first = min((rules[each] for each in effects), key=lambda source: source.line)
                    found.setdefault(first, []).append(name)
            for source, names in found.items():
                message = f"this is the quirk {' or '.join(map(repr, names))}"
                hint = f"name it: quirks: [{names[0]}]"
                yield Problem(source.file, source.line, 1, message, hint, "unnamed-deviation")


@cache
def _shipped_effects() -> dict[str, frozenset[str]]:
    """What the rules of each shipped quirk do."""
    files = [open_right(path) for path in shipped().values() if kind_of(path) == "quirks"]
    effects = {file.model.name: frozenset(map(_effect, file.model.rules)) for file in files if file}
    return {name: rules for name, rules in effects.items() if rules}


def _effect(rule: Rule) -> str:
    when = {key: value for key, value in plain(rule).items() if key in SELECTORS}
    return f"{sorted(when.items())} {effect(rule)}"


# What should be there


def _undocumented(file: ParsedFile) -> Iterator[Problem]:
    for key in ("why", "references"):
        if not getattr(file.model, key):
            message = f"a shipped file has to have {key!r}"
            yield Problem(file.shown, 1, 1, message, kind="undocumented")


# Conversations


def _odd_scripts(file: ParsedFile, document: Document) -> Iterator[Problem]:
    case = file.model.case
    logged_in = case is not None and case.state == "transaction"
    for prefix, fragment in fragments(file):
        if fragment.script is None:
            continue
        for row, message, hint in oddities(fragment.script, logged_in=logged_in):
            problem = document.problem((*prefix, "script"), message, hint, offset=(row, 0))
            yield _warning(problem, "odd-script")


# Secrets


def _secrets(document: Document) -> Iterator[Problem]:
    for path, text in _texts(document.data, ()):
        if len(path) > 1 and path[-2] == "users":
            if is_real_password(text):
                message = f"the password of {path[-1]!r} looks like a real one"
                yield _secret(document, path, message)
            continue
        found = dict(said_passwords(text)) if path and path[-1] == "script" else {}
        for start, kind in {**found, **dict(secrets_in(text))}.items():
            if not (path and path[0] in _PROSE and kind == "a random key"):
                row = text.count("\n", 0, start)
                column = start - (text.rfind("\n", 0, start) + 1)
                yield _secret(document, path, f"this looks like {kind}", (row, column))


def _secret(
    document: Document, path: DataPath, message: str, offset: tuple[int, int] | None = None
) -> Problem:
    hint = "put an example in its place, and if it was real, have it revoked"
    return _warning(document.problem(path, message, hint, offset=offset), "real-secret")


def _texts(data: Data, path: DataPath) -> Iterator[tuple[DataPath, str]]:
    match data:
        case str():
            yield path, data
        case list():
            for index, item in enumerate(data):
                yield from _texts(item, (*path, index))
        case dict():
            for key, item in data.items():
                yield from _texts(item, (*path, key))
