"""YAML as the language reads it: every scalar is text, and everything knows its place."""

from __future__ import annotations

import pytest
import yaml

from pop3scenarios import _yaml
from pop3scenarios._yaml import MAX_DEPTH, MAX_NODES, read


@pytest.fixture(params=["C", "Python"])
def both_loaders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both loaders of the YAML library, which word and mark some things differently."""
    if request.param == "Python":
        monkeypatch.setattr(_yaml, "_LoaderClass", yaml.SafeLoader)


@pytest.mark.usefixtures("both_loaders")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k: 007", "007"),
        ("k: off", "off"),
        ("k: 1.10", "1.10"),
        ("k: 12:30:00", "12:30:00"),
        ("k: 2024-01-01", "2024-01-01"),
        ("k: ~", "~"),
        ("k: null", "null"),
        ("k: ''", ""),
        ('k: ""', ""),
        ("k: 'a: b #c'", "a: b #c"),
        ("k: +OK #1", "+OK"),
        ("k: |\n  +OK #1\n  a: b\n", "+OK #1\na: b\n"),
        ("k: a#b", "a#b"),
        ("k: [1, [a]]", ["1", ["a"]]),
        ("k: {}", {}),
        ("a: &x [1]\nk: *x", ["1"]),
        ("k: &x v", "v"),
    ],
)
def test_scalars_are_text(text: str, value: object) -> None:
    """Nothing is converted; a literal block keeps what YAML would eat."""
    document = read(text, "f")

    assert document.problems == []
    assert isinstance(document.data, dict)
    assert value == document.data["k"]


@pytest.mark.usefixtures("both_loaders")
@pytest.mark.parametrize(
    ("text", "line", "column", "message", "suggestion"),
    [
        ("", 1, 1, "the file is empty", ""),
        ("# only a comment\n", 1, 1, "the file is empty", ""),
        ("---\n", 1, 1, "the file is empty", ""),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key 'a'", "first on line 1"),
        ("x:\n  a: {b: 1,  b: 2}\n", 2, 14, "duplicate key 'b'", "first on line 2"),
        ("[a]: b\n", 1, 1, "a key must be a word", ""),
        ("a:\nb: 1\n", 1, 1, "the key 'a' has no value", 'leave the key out, or write ""'),
        ("a: {b: , c: 1}\n", 1, 5, "the key 'b' has no value", 'leave the key out, or write ""'),
        ("a:\n  - x\n  -\n", 3, 4, "an entry of the list is empty", 'an empty text is ""'),
        ("a: 1\n---\nb: 1\n", 2, 1, "a second document begins here", "a file holds one scenario"),
        ("a: b: c\n", 1, 5, "not YAML: a second ':'", "put wire text in a literal block"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML: no value begins with this", "indent with spaces, not"),
        (
            "a: @b\n",
            1,
            4,
            "not YAML: no value begins with this character",
            "indent with spaces, not with tabs, and put other",
        ),
        ("a: 1\nb: \x00\n", 2, 4, "the character U+0000 cannot stand in YAML", "write it as"),
        ("a: 1\nbc: \ud800\n", 2, 5, "the character U+D800 cannot stand in YAML", "write it as"),
        ("a: &x [*x]\n", 1, 4, f"nested more than {MAX_DEPTH} deep", ""),
        ("a: " + "[" * 50, 1, 4 + MAX_DEPTH - 1, f"nested more than {MAX_DEPTH} deep", ""),
    ],
)
def test_problems(text: str, line: int, column: int, message: str, suggestion: str) -> None:
    """What cannot be read is told at its place, in words that say what to do."""
    (problem, *_) = read(text, "f").problems

    assert message in problem.message
    assert problem.suggestion.startswith(suggestion)
    assert (line, column) == (problem.line, problem.column)


@pytest.mark.parametrize(
    "text", ["a: *\n", "a: *x\n", "a: 'x\n", "a: [1\n", "a: %x\n", "- a\nb: c\n"]
)
def test_other_text_that_is_no_yaml(text: str) -> None:
    """Whatever else is no YAML is one problem in the text."""
    (problem,) = read(text, "f").problems

    assert problem.message.startswith("not YAML: ")
    assert 1 <= problem.line <= text.count("\n") + 1


def test_asterisk_wants_quotes() -> None:
    """``when: *`` is what an author writes who means any command; the hint says how."""
    (problem,) = read("a: *\n", "f").problems

    assert problem.suggestion == "put it in quotes, as in '*'"


@pytest.mark.parametrize("depth", [1000, 200_000])
@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(opening: str, depth: int) -> None:
    """A text nested so deep that the YAML library would end the process is refused before."""
    (problem,) = read(opening * depth + "x", "f").problems

    assert f"nested more than {MAX_DEPTH} deep" == problem.message


def test_aliases_do_not_explode() -> None:
    """A few lines of aliases that unfold into thousands of millions of values are one problem."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]

    document = read("\n".join(lines), "f")

    assert [f"more than {MAX_NODES} values (aliases count)"] == [
        problem.message for problem in document.problems
    ]
    assert document.data is None


def test_byte_order_mark() -> None:
    """A byte order mark is no part of the text, nor of the first line's columns."""
    document = read("\ufeffa: 1\n", "f")

    assert document.data == {"a": "1"}
    assert _place(document, ("a",)) == (1, 4)


def test_all_problems_at_once() -> None:
    """Nothing wrong hides what else is wrong."""
    problems = read("a: 1\na: 2\nb:\n[x]: 1\n", "f").problems

    assert [(problem.line, problem.column) for problem in problems] == [(2, 1), (3, 1), (4, 1)]


def _place(document: _yaml.Document, path: _yaml.Path, *offset: int) -> tuple[int, int]:
    where = (offset[0], offset[1]) if offset else None
    problem = document.problem(path, "", offset=where)
    return problem.line, problem.column


@pytest.mark.usefixtures("both_loaders")
@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("k: abc", (0, 1), (1, 5)),
        ("k: 'abc'", (0, 1), (1, 6)),
        ('k: "abc"', (0, 1), (1, 6)),
        ("{k: abc, x: y}", (0, 2), (1, 7)),
        ("k: &a abc", (0, 1), (1, 8)),
        ("k: |\n  abc\n  def\n", (1, 1), (3, 4)),
        ("k: |-\n  abc\n    def\n", (1, 2), (3, 5)),
        ("k: |2\n    abc\n  def\n", (0, 2), (2, 5)),
        ("k: |\n\n  abc\n", (1, 0), (3, 3)),
        ("k: |  # why\n      abc\n", (0, 0), (2, 7)),
        ("k: |\r\n  abc\r\n  def\r\n", (1, 1), (3, 4)),
        # Where the text is not what stands in the file, the value's beginning must do.
        ('k: "a\\tbc"', (0, 2), (1, 4)),
        ("k: 'a''b'", (0, 2), (1, 4)),
        ("k: >\n  abc\n  def\n", (0, 5), (1, 4)),
        ("k: abc\n  def", (0, 5), (1, 4)),
        ("k: &a\n  |\n  abc\n", (0, 1), (1, 4)),
        ("k: |\n  abc\u2028  def\n  ghi\n", (1, 1), (1, 4)),
    ],
)
def test_place_inside_a_value(text: str, offset: tuple[int, int], place: tuple[int, int]) -> None:
    """A row and column of a value are found in the file, whatever the indentation."""
    assert place == _place(read(text, "f"), ("k",), *offset)


def test_place_of_what_is_missing() -> None:
    """A place that is not there is that of the nearest enclosing value."""
    document = read("a: 1\nb:\n  c: [x, y]\n", "f")

    assert _place(document, ("b", "c", 1)) == (3, 10)
    assert _place(document, ("b", "c", 7, "z")) == (3, 6)
    assert _place(document, ("b", "q")) == (3, 3)
    assert _place(document, ("q",)) == (1, 1)
    at_key = document.problem(("b", "c"), "", at_key=True)
    assert (at_key.line, at_key.column) == (3, 3)
