"""A scenario as one text: all its layers laid over each other, and where each part comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._model import ExpectSection, FetchSection, ServerSection, TLSSection
from ._plain import plain, to_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._model import Fragment
    from ._rule import Source
    from ._scenario import Layer, Scenario
    from ._yaml import Data

#: Sections that are merged key by key, with those in which they stand.
_SECTIONS = {
    ServerSection: ("server",),
    TLSSection: ("tls",),
    ExpectSection: ("expect",),
    FetchSection: ("expect", "fetch"),
}

#: What only the file itself says of itself.
_HEAD = ("pop3", "name", "summary", "why", "references", "breaks", "requires")


def merged(scenario: Scenario) -> str:
    """A scenario as YAML: what its layers make together, each part with its origin as a comment.

    It is for reading. Rules stand layer by layer: of each layer the first that matches has a say,
    which a single file cannot express.

    Args:
        scenario: The scenario.
    """
    return "\n".join(_lines(scenario)) + "\n"


def _lines(scenario: Scenario) -> Iterator[str]:
    yield f"# {scenario.name}, merged. Its layers, the strongest first:"
    for layer in scenario.layers:
        kind = " (quirk)" if layer.quirk else ""
        yield f"#   {layer.name}{kind}  {_origin(layer.fragment.source())}"
    yield from _head(scenario)
    yield "server:"
    yield from _indented(_server(scenario))
    own = [layer for layer in scenario.layers if not layer.quirk]
    yield from _part("tls", _section(scenario.layers, scenario.tls))
    yield from _mail([layer.fragment for layer in own])
    yield from _rules(scenario.layers)
    if scenario.script is not None:
        holder = next(layer.fragment for layer in own if layer.fragment.script is not None)
        yield from _entry("script", scenario.script.source, holder.source("script"))
    yield from _part("expect", _expect(own, scenario))


def _head(scenario: Scenario) -> Iterator[str]:
    data = plain(scenario.file)
    for key in _HEAD:
        if key in data:
            yield from _entry(key, data[key], scenario.file.source(key))
    if scenario.summary != scenario.file.summary:
        variant = scenario.layers[0].fragment
        yield f"# [{scenario.variant}] {scenario.summary}  # {_origin(variant.source('summary'))}"


def _server(scenario: Scenario) -> Iterator[str]:
    yield from _section(scenario.layers, scenario.server, leave_out="capabilities")
    capabilities = scenario.server.capabilities or ()
    yield "capabilities:" if capabilities else "capabilities: []"
    for entry in capabilities:
        lines = to_yaml([entry]).splitlines()
        yield f"  {lines[0]}  # {_origin(_who_lists(entry, scenario.layers))}"
    for keyword, source in _taken_away(scenario.layers).items():
        yield f"  # -{keyword}  {_origin(source)}"


def _who_lists(entry: str, layers: Sequence[Layer]) -> Source:
    """Where an entry of the list comes from: the strongest layer that has it."""
    for layer in layers:
        for index, text in enumerate(layer.fragment.server.capabilities or ()):
            if text.lstrip("+-") == entry and not text.startswith("-"):
                return layer.fragment.source("server", "capabilities", index)
    raise AssertionError(entry)


def _taken_away(layers: Sequence[Layer]) -> dict[str, Source]:
    """The capabilities of which the last word is that they are not there, and who says so."""
    last: dict[str, tuple[bool, Source]] = {}
    for layer in layers:
        listed = layer.fragment.server.capabilities or ()
        for index, text in enumerate(listed):
            keyword = text.lstrip("+-").split(" ", 1)[0].upper()
            source = layer.fragment.source("server", "capabilities", index)
            last.setdefault(keyword, (text.startswith("-"), source))
        if listed and not listed[0].startswith(("+", "-")):
            break  # a whole list: what weaker layers say is gone
    return {keyword: source for keyword, (gone, source) in last.items() if gone}


def _section(
    layers: Sequence[Layer], section: ServerSection | TLSSection | ExpectSection | FetchSection,
    *, leave_out: str = "",
) -> Iterator[str]:  # fmt: skip
    path = _SECTIONS[type(section)]
    for key, value in plain(section).items():
        if key != leave_out:
            yield from _entry(key, value, _who_sets(path, key, layers))


def _who_sets(path: tuple[str, ...], key: str, layers: Sequence[Layer]) -> Source:
    for layer in layers:
        data: Data = plain(layer.fragment)
        for name in path:
            data = data.get(name, {}) if isinstance(data, dict) else {}
        if isinstance(data, dict) and key in data:
            return layer.fragment.source(*path, key)
    raise AssertionError(key)


def _expect(own: Sequence[Layer], scenario: Scenario) -> Iterator[str]:
    yield from _section(own, scenario.expect, leave_out="fetch")
    yield from _part("fetch", _section(own, scenario.expect.fetch))


def _mail(own: Sequence[Fragment]) -> Iterator[str]:
    """The maildrops: of each user the strongest file that has one for them, or one for all."""
    singles: dict[str, list[str]] = {}
    for fragment in own:
        data = plain(fragment)
        others = data.get("maildrops", {})
        for user, items in others.items() if isinstance(others, dict) else ():
            entry = _entry(user, items, fragment.source("maildrops", user))
            singles.setdefault(user, list(entry))
        if "maildrop" in data:
            yield from _entry("maildrop", data["maildrop"], fragment.source("maildrop"))
            break
    yield from _part("maildrops", (line for lines in singles.values() for line in lines))


def _rules(layers: Sequence[Layer]) -> Iterator[str]:
    rules = [rule for layer in layers for rule in layer.fragment.rules]
    if rules:
        yield "rules:"
    for rule in rules:
        yield f"  # {_origin(rule.source)}"
        yield from _indented(iter(to_yaml([plain(rule)]).splitlines()))


def _part(key: str, lines: Iterator[str]) -> Iterator[str]:
    inside = list(lines)
    if inside:
        yield f"{key}:"
        yield from _indented(iter(inside))


def _entry(key: str, value: Data, source: Source) -> Iterator[str]:
    first, *others = to_yaml({key: value}).splitlines()
    yield f"{first}  # {_origin(source)}"
    yield from others


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" if line else "" for line in lines)


def _origin(source: Source) -> str:
    return f"{source.file}:{source.line}"
