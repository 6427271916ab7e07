"""Values of a loaded scenario, written again as a scenario file has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import Announced, Dribble, Nth, Reply, Script, Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3scenarios import ExpectSection, FetchSection, Rule, ServerSection, TLSSection

    Section = ExpectSection | FetchSection | Rule | ServerSection | TLSSection

#: Rule fields in which a yes or no is written as off or on.
_SWITCHES = frozenset({"stuffing"})
_SECONDS = frozenset({"delay"})


def section_lines(section: Section) -> Iterator[str]:
    """A line, or several, for each field that a section sets.

    Args:
        section: A part of a scenario.
    """
    fields = type(section).model_fields
    for name in (name for name in fields if name in section.model_fields_set):
        value = getattr(section, name)
        key = fields[name].alias or name
        block = _block(value)
        if block is not None:
            yield f"{key}: |"
            yield from (f"  {line}" for line in block.rstrip("\n").split("\n"))
        elif hasattr(type(value), "model_fields"):
            nested = list(section_lines(value))
            yield from [f"{key}:", *(f"  {line}" for line in nested)] if nested else []
        else:
            yield f"{key}: {_scalar(name, value)}"


def _block(value: object) -> str | None:
    """The text of a value that is written as a literal block; None for others."""
    if isinstance(value, Reply | Script):
        return value.source
    return value if isinstance(value, str) and "\n" in value else None


def _scalar(name: str, value: object) -> str:
    if name in _SWITCHES:
        return "on" if value else "off"
    if name in _SECONDS:
        return f"{value}s"
    return _text(value)


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Template():
            return value.source or '""'
        case str():
            return value or '""'
        case tuple():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_text(item)}' for key, item in value.items())}}}"
        case Nth():
            return _nth(value)
        case Announced():
            return _announced(value)
        case Dribble(octets, every):
            return f"{octets} every {every:g}s" if every else str(octets)
    return str(value)


def _nth(value: Nth) -> str:
    ranges = [
        f"{low}.." if high is None else str(low) if low == high else f"{low}..{high}"
        for low, high in value.ranges
    ]
    return ranges[0] if len(ranges) == 1 else f"[{', '.join(ranges)}]"


def _announced(value: Announced) -> str:
    match value.kind:
        case "omitted":
            return "omitted"
        case "add":
            return f"{value.amount:+d}"
        case "percent":
            return f"{value.amount}%"
        case "text":
            return f"={value.text}"
