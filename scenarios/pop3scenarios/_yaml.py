"""YAML text to plain data in which every scalar is a string and knows its place.

YAML's own typing is what spoils wire text (``007`` becomes 7, ``off`` becomes False, of two equal
keys the last one wins in silence), so none of it is used: the schema converts, not the syntax.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field

import yaml

from ._errors import Problem

_LoaderClass = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Security limit: aliases may make a small file unfold into a huge one.
MAX_NODES = 100_000

#: Security limit: the YAML library recurses, and a deeply nested text would end the process.
MAX_DEPTH = 20
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"

#: What may begin a collection, and how many of these need no look at how deep they are nested: the
#: library recurses in C so deep at ease, and without its C part in Python.
_OPENER = re.compile(r"[\[{]|[-:?](?=[\s\[{\"'])")
_SHALLOW = 500 if hasattr(yaml, "CSafeLoader") else 100

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: What the YAML library says, in words for someone who does not know its insides.
_PHRASES = {
    "maximum nesting depth": (_TOO_DEEP, ""),  # some builds of the library stop by themselves
    "found another document": (
        "a second document begins here",
        "a file holds one scenario: make it two files",
    ),
    "mapping values are not allowed": (
        "not YAML: a second ':' on the line, or wrong indentation",
        "put wire text in a literal block: key: |",
    ),
    "cannot start any token": (
        "not YAML: no value begins with this character",
        "indent with spaces, not with tabs, and put other text in quotes",
    ),
    "expected alphabetic or numeric character": (
        "not YAML: no value begins with this character",
        "put it in quotes, as in '*'",
    ),
}

Path = tuple[str | int, ...]
Data = None | str | list["Data"] | dict[str, "Data"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in the file.

    Attributes:
        line: Its line, from 1.
        column: Its column, from 1.
        rows: Line and column, from 1, of the start of each of its lines, where that can be told:
            text with escapes, or text that YAML has folded, has none.
    """

    line: int
    column: int
    rows: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Document:
    """A YAML file as plain data, with the place of each key and value.

    Attributes:
        file: The file as the user named it.
        text: The text as read.
        data: The content: dictionaries, lists, strings, and None where a value is missing.
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
            offset: Line and column, both from 0, inside the text of the value.
        """
        place = self._place(path, at_key=at_key)
        line, column = place.line, place.column
        if offset is not None and offset[0] < len(place.rows):
            line, column = place.rows[offset[0]]
            column += offset[1]
        return Problem(self.file, line, column, message, suggestion)

    def line(self, path: Path, row: int | None = None) -> int:
        """The line, from 1, on which the value under ``path`` begins, or a row of its text."""
        place = self._place(path, at_key=False)
        return place.rows[row][0] if row is not None and row < len(place.rows) else place.line

    def _place(self, path: Path, *, at_key: bool) -> Place:
        if at_key and path in self._keys:
            return self._keys[path]
        while path:
            if path in self._values:
                return self._values[path]
            path = path[:-1]
        return self._values.get((), Place(1, 1))


def read(text: str, file: str) -> Document:
    """Read YAML text; what is wrong stands in ``Document.problems``, nothing is raised.

    Args:
        text: The YAML text, one document.
        file: The name to give in problems.
    """
    text = text.removeprefix("\ufeff")
    document = Document(file, text)
    unreadable = _UNREADABLE.search(text)
    if unreadable is not None:
        line, column = position(text[: unreadable.start()])
        message = f"the character U+{ord(unreadable[0]):04X} cannot stand in YAML"
        hint = 'write it as an escape in double quotes, or in <bytes "…">'
        document.problems.append(Problem(file, line, column, message, hint))
        return document
    try:
        node = _composed(text)
        document.data = None if node is None else _Builder(document).build(node, ())
        if document.data is None:
            document.problems.append(Problem(file, 1, 1, "the file is empty"))
    except _TooMuch as error:
        document.problems.append(Problem(file, error.line, error.column, str(error)))
    except yaml.YAMLError as error:
        document.problems.append(_not_yaml(error, document))
    return document


def position(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows ``before`` in a text."""
    lines = _LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


def _not_yaml(error: yaml.YAMLError, document: Document) -> Problem:
    mark: yaml.Mark | None = None
    said = str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "it cannot be read"
    known = (words for phrase, words in _PHRASES.items() if phrase in said)
    message, hint = next(known, (f"not YAML: {said}", ""))
    lines = _LINE_BREAK.split(document.text)
    line = min(mark.line, len(lines) - 1) if mark else 0
    column = min(mark.column, len(lines[line])) if mark else 0
    return Problem(document.file, line + 1, column + 1, message, hint)


class _TooMuch(Exception):
    def __init__(self, message: str, at: yaml.Node | yaml.Event) -> None:
        super().__init__(message)
        mark = at.start_mark
        self.line, self.column = (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _composed(text: str) -> yaml.Node | None:
    """The tree of a text; how deep it is, is looked at first if it may be deep, or is wrong."""
    if len(_OPENER.findall(text)) <= _SHALLOW:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=_LoaderClass)
    _check_depth(text)
    return yaml.compose(text, Loader=_LoaderClass)


def _check_depth(text: str) -> None:
    """Refuse deep nesting from the stream of events, which is read without recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_LoaderClass):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _TooMuch(_TOO_DEEP, event)


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.lines = _LINE_BREAK.split(document.text)
        self.count = 0

    def build(self, node: yaml.Node, path: Path) -> Data:
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooMuch(f"more than {MAX_NODES} values (aliases count)", node)
        # An alias may stand inside what it refers to.
        if len(path) >= MAX_DEPTH and isinstance(node, yaml.CollectionNode):
            raise _TooMuch(_TOO_DEEP, node)
        self.document._values[path] = self._place(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        value: str = node.value
        return None if not value and not node.style else value

    def _item(self, node: yaml.Node, path: Path) -> Data:
        value = self.build(node, path)
        if value is None:
            place = self.document._values[path]
            self._complain(place, "an entry of the list is empty", 'an empty text is ""')
        return value

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
            if result[key] is None:
                hint = 'leave the key out, or write "" for an empty text'
                self._complain(place, f"the key {key!r} has no value", hint)
        return result

    def _place(self, node: yaml.Node) -> Place:
        line, column = node.start_mark.line, node.start_mark.column
        rows: tuple[tuple[int, int], ...] = ()
        if isinstance(node, yaml.ScalarNode) and node.value:
            rows = self._block_rows(node) if node.style == "|" else self._row(node)
        return Place(line + 1, column + 1, rows)

    def _block_rows(self, node: yaml.ScalarNode) -> tuple[tuple[int, int], ...]:
        first = node.start_mark.line + 1
        texts = node.value.removesuffix("\n").split("\n")
        lines = self.lines[first : first + len(texts)]
        if not all(map(str.endswith, lines, texts)):
            return ()
        return tuple(
            (first + i + 1, len(line) - len(text) + 1)
            for i, (line, text) in enumerate(zip(lines, texts, strict=True))
        )

    def _row(self, node: yaml.ScalarNode) -> tuple[tuple[int, int], ...]:
        start, end = node.start_mark, node.end_mark
        # Escapes and folding make the value another text than the file's, and so not found.
        inset = self.lines[start.line][start.column : end.column].rfind(node.value)
        return ((start.line + 1, start.column + inset + 1),) if inset >= 0 else ()

    def _complain(self, place: Place, message: str, suggestion: str = "") -> None:
        self.document.problems.append(
            Problem(self.document.file, place.line, place.column, message, suggestion)
        )
