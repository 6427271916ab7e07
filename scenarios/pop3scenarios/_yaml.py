"""YAML text to plain data in which every scalar is a string and knows its place.

YAML's own typing is what spoils wire text (``007`` becomes 7, ``off`` becomes False, of two equal
keys the last one wins in silence), so none of it is used: the schema converts, not the syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from ._errors import Problem

_LoaderClass = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Security limit: aliases may make a small file unfold into a huge one.
MAX_NODES = 100_000

Path = tuple[str | int, ...]
Data = None | str | list["Data"] | dict[str, "Data"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins: ``line`` and ``column`` from 1, and whether it is a literal block."""

    line: int
    column: int
    block: bool = False


@dataclass(slots=True)
class Document:
    """A YAML file as plain data, with the place of each key and value.

    Attributes:
        file: The file as the user named it.
        text: The text as read.
        data: The content: dictionaries, lists, strings and None.
        problems: What could not be read at all.
    """

    file: str
    text: str
    data: Data = None
    problems: list[Problem] = field(default_factory=list)
    _values: dict[Path, Place] = field(default_factory=dict)
    _keys: dict[Path, Place] = field(default_factory=dict)

    def problem(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at_key: bool = False,
        offset: tuple[int, int] | None = None,
    ) -> Problem:
        """A problem at the value under ``path``, or at the nearest enclosing value.

        Args:
            path: Keys and indices from the top of the document.
            message: What is wrong.
            suggestion: What to write instead.
            at_key: Point at the key rather than at its value.
            offset: Line and column, both from 0, inside a value of several lines.
        """
        place = self._place(path, at_key=at_key)
        line, column = place.line, place.column
        if offset is not None:
            row, col = offset
            if place.block:
                line += 1 + row
                column = self._indent(line) + col + 1
            else:
                column += col
        return Problem(self.file, line, column, message, suggestion)

    def line(self, path: Path) -> int:
        """The line, from 1, on which the value under ``path`` begins."""
        return self._place(path, at_key=False).line

    def _place(self, path: Path, *, at_key: bool) -> Place:
        if at_key and path in self._keys:
            return self._keys[path]
        while path:
            if path in self._values:
                return self._values[path]
            path = path[:-1]
        return self._values.get((), Place(1, 1))

    def _indent(self, line: int) -> int:
        lines = self.text.splitlines()
        for text in lines[line - 1 : line]:
            return len(text) - len(text.lstrip(" "))
        return 0


def read(text: str, file: str) -> Document:
    """Read YAML text; what is wrong stands in ``Document.problems``, nothing is raised.

    Args:
        text: The YAML text, one document.
        file: The name to give in problems.
    """
    document = Document(file, text)
    try:
        node = yaml.compose(text, Loader=_LoaderClass)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not YAML: {error.problem or error.context}"
        hint = "put wire text in a literal block: key: |" if "mapping values" in message else ""
        document.problems.append(Problem(file, line, column, message, hint))
        return document
    except yaml.YAMLError as error:
        document.problems.append(Problem(file, 1, 1, f"not YAML: {error}"))
        return document
    if node is None:
        document.problems.append(Problem(file, 1, 1, "the file is empty"))
        return document
    document.data = _Builder(document).build(node, ())
    return document


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def build(self, node: yaml.Node, path: Path) -> Data:
        self.count += 1
        mark = node.start_mark
        block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
        self.document._values[path] = Place(mark.line + 1, mark.column + 1, block)
        if self.count > MAX_NODES:
            if self.count == MAX_NODES + 1:
                self.document.problems.append(
                    self.document.problem(path, f"more than {MAX_NODES} values (aliases count)")
                )
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        value: str = node.value
        return None if node.style is None and value in ("", "~", "null") else value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Data]:
        result: dict[str, Data] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            place = Place(mark.line + 1, mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(place, "a key must be a word")
                continue
            key: str = key_node.value
            if key in result:
                first = self.document._keys[*path, key]
                self._complain(place, f"duplicate key {key!r}", f"first on line {first.line}")
                continue
            self.document._keys[*path, key] = place
            result[key] = self.build(value_node, (*path, key))
        return result

    def _complain(self, place: Place, message: str, suggestion: str = "") -> None:
        self.document.problems.append(
            Problem(self.document.file, place.line, place.column, message, suggestion)
        )
