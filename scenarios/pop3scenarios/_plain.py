"""Loaded parts of a scenario as plain data again, and as the YAML of a file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel
from yaml.emitter import Emitter
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver
from yaml.serializer import Serializer

from ._actions import Dribble
from ._lines import Template
from ._script import Reply, Script
from ._values import Announced, Nth

if TYPE_CHECKING:
    from yaml.emitter import ScalarAnalysis
    from yaml.nodes import ScalarNode

    from ._fields import Section
    from ._yaml import Data

#: Keys whose yes and no are written as on and off.
_ON_OR_OFF = frozenset({"stuffing"})


def plain(section: Section) -> dict[str, Data]:
    """What a section sets, as its author could have written it.

    Args:
        section: A part of a scenario.

    Returns:
        Its keys in the order of the model, with text, lists and mappings.
    """
    fields = type(section).model_fields
    keys = {name: fields[name].alias or name for name in fields if name in section.model_fields_set}
    made = {key: _value(getattr(section, name), key) for name, key in keys.items()}
    return {key: value for key, value in made.items() if value is not None and value != {}}


def _value(value: object, key: str = "") -> Data:  # noqa: C901 - a table
    match value:
        case None:
            return None
        case bool():
            return ("on" if value else "off") if key in _ON_OR_OFF else "yes" if value else "no"
        case float():
            return _duration(value)
        case str() | int() | Path():
            return str(value)
        case Template() | Reply() | Script():
            return value.source
        case Nth():
            return _ranges(value)
        case Announced():
            return _announced(value)
        case Dribble():
            every = f" every {_duration(value.every)}" if value.every else ""
            return f"{value.octets}{every}"
        case BaseModel():
            return plain(value)  # type: ignore[arg-type]  # every model here is a section
        case dict():
            return {str(name): _value(item) for name, item in value.items()}
        case tuple():
            items = [_value(item) for item in value]
            return items[0] if len(items) == 1 and isinstance(value[0], Template) else items
    raise AssertionError(value)


def _duration(seconds: float) -> str:
    if 0 < seconds < 1:
        return f"{seconds * 1000:.9g}ms"
    return f"{seconds / 60:.9g}min" if seconds and seconds % 60 == 0 else f"{seconds:.9g}s"


def _ranges(value: Nth) -> Data:
    ranges: list[Data] = [
        f"{low}.." if high is None else str(low) if low == high else f"{low}..{high}"
        for low, high in value.ranges
    ]
    return ranges[0] if len(ranges) == 1 else ranges


def _announced(value: Announced) -> str:
    match value.kind:
        case "add":
            return f"{value.amount:+d}"
        case "percent":
            return f"{value.amount}%"
        case "rounded":
            return f"rounded {value.amount}"
        case "text":
            return f"={value.text}"
    return value.kind


#: Blanks behind which a line ends.
_TRAILING = re.compile(r"(?<=[^ \n]) +(?=\n)")


class _Writer(Emitter, Serializer, SafeRepresenter, BaseResolver):
    """Writes text without quotes wherever YAML's syntax lets it: the loader guesses no types."""

    def __init__(self, stream: _Stream, *, flow: bool) -> None:
        Emitter.__init__(self, stream, width=sys.maxsize, allow_unicode=True)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=flow, sort_keys=False)
        BaseResolver.__init__(self)
        self._flow = flow

    def represent_str(self, data: str) -> ScalarNode:
        style = "|" if "\n" in data and not self._flow else None
        if not data or ("\n" in data and self._flow):
            style = '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def analyze_scalar(self, scalar: str) -> ScalarAnalysis:
        """Allow a block also where lines end in blanks, with which YAML has no quarrel."""
        analysis = super().analyze_scalar(scalar)
        if _TRAILING.search(scalar):
            analysis.allow_block = super().analyze_scalar(_TRAILING.sub("", scalar)).allow_block
        return analysis

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the library's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's
        return True


_Writer.add_representer(str, _Writer.represent_str)


class _Stream:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def to_yaml(data: Data, *, flow: bool = False) -> str:
    """Plain data as YAML that the loader reads as the same data.

    Args:
        data: The data.
        flow: On one line, in brackets and braces.
    """
    stream = _Stream()
    writer = _Writer(stream, flow=flow)
    writer.open()
    writer.represent(data)
    writer.close()
    # The end of a document, on a line of its own; the same dots may end a value.
    return re.sub(r"^\.\.\.\n\Z", "", stream.text, flags=re.MULTILINE)
