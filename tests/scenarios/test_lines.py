"""One line of the language: holes, escapes, open ends; filling, matching, saying a difference."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3scenarios import Hole, LineError, Template, difference, likeness, parse_line
from pop3scenarios._holes import HOLE_TYPES


@pytest.mark.parametrize(
    ("text", "parts", "open_ended"),
    [
        ("", (), False),
        ("QUIT", ("QUIT",), False),
        ("RETR {n}", ("RETR ", Hole("n", "int")), False),
        ("{x}", (Hole("x", "word"),), False),
        ("{x:int=7}", (Hole("x", "int", "7"),), False),
        ("{x=}", None, False),
        ("{t:text=}", (Hole("t", "text", ""),), False),
        ("{t:text=a b: #c}", (Hole("t", "text", "a b: #c"),), False),
        ("{a}{b}", (Hole("a", "word"), Hole("b", "word")), False),
        ("a {{b}} c", ("a {b} c",), False),
        ("{{{n}}}", ("{", Hole("n", "int"), "}"), False),
        ("+OK ...", ("+OK",), True),
        ("...", (), True),
        ("+OK...", ("+OK...",), False),
        ("+OK ... x", ("+OK ... x",), False),
        ("{stamp}", (Hole("stamp", "msgid"),), False),
        ("{uid}", (Hole("uid", "uid"),), False),
        ("{password}", (Hole("password", "text"),), False),
        ("{n:word}", (Hole("n", "word"),), False),
    ],
)
def test_parts(text: str, parts: tuple[str | Hole, ...] | None, open_ended: bool) -> None:
    """A line is literal text and holes; well-known names have their type."""
    if parts is None:
        with pytest.raises(LineError, match="its example '' is no word"):
            parse_line(text)
        return

    template = parse_line(text)

    assert Template(text, parts, open_ended) == template
    assert tuple(part for part in parts if isinstance(part, Hole)) == template.holes


@pytest.mark.parametrize(
    ("text", "column", "message", "suggestion"),
    [
        ("RETR {n", 5, "'{' is never closed", "write '{{' for a brace"),
        ("a } b", 2, "'}' without '{'", "write '}}' for a brace"),
        ("x {N}", 2, "bad hole {N}: a hole is {name}, {name:type} or {name:type=example}", ""),
        ("x {}", 2, "bad hole {}: a hole is", ""),
        ("x {a b}", 2, "bad hole {a b}: a hole is", ""),
        ("{n:itn}", 0, "bad hole {n:itn}: there is no type 'itn'", "did you mean 'int'?"),
        ("{n:q}", 0, "bad hole {n:q}: there is no type 'q'", "types: int, word, text"),
        ("ab {n:int=x}", 3, "bad hole {n:int=x}: its example 'x' is no int", ""),
        ("{s:msgid=x}", 0, "bad hole {s:msgid=x}: its example 'x' is no msgid", ""),
        ("one\ntwo", 0, "expected one line, got 2", ""),
    ],
)
def test_wrong_line(text: str, column: int, message: str, suggestion: str) -> None:
    """A wrong line says what is wrong, at which column, and what to write."""
    with pytest.raises(LineError) as caught:
        parse_line(text)

    assert column == caught.value.column
    assert caught.value.message.startswith(message)
    assert caught.value.suggestion.startswith(suggestion)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", ["0", "007", "9" * 30], ["", "-1", "1a", "٣", " 1"]),
        ("word", ["a", "ä", "<x>"], ["", "a b"]),
        ("text", ["", "a b", " "], []),
        ("msgid", ["<a@b>", "<1.2@x.example>"], ["a@b", "<a>", "<a @b>", "<a@b@c>"]),
        ("uid", ["a", "!" * 70, "~"], ["", "a b", "!" * 71, "ä"]),
        ("base64", ["", "YWI=", "YQ=="], ["YQ===", "a b", "-"]),
    ],
)
def test_hole_types(kind: str, good: list[str], bad: list[str]) -> None:
    """A hole holds what is of its type, and nothing else."""
    template = parse_line(f"X {{x:{kind}}}")

    assert [{"x": value} for value in good] == [template.match(f"X {v}", {}) for v in good]
    assert [None] * len(bad) == [template.match(f"X {value}", {}) for value in bad]


@pytest.mark.parametrize(
    ("template", "line", "bindings", "expected"),
    [
        ("QUIT", "quit", {}, {}),
        ("USER alice", "uSeR alice", {}, {}),
        ("USER alice", "USER Alice", {}, None),
        ("USER {user}", "user Alice", {}, {"user": "Alice"}),
        ("PASS {password}", "PASS a b  c", {}, {"password": "a b  c"}),
        ("RETR {n}", "RETR 2", {"n": "2"}, {}),
        ("RETR {n}", "RETR 3", {"n": "2"}, None),
        ("{a} {a}", "x x", {}, {"a": "x"}),
        ("{a} {a}", "x y", {}, None),
        ("+OK ...", "+OK", {}, {}),
        ("+OK ...", "+OK any text", {}, {}),
        ("+OK ...", "+OKAY", {}, None),
        ("...", "whatever there is", {}, {}),
        ("...", "", {}, {}),
        ("TOP {n} ...", "TOP 1 99", {}, {"n": "1"}),
        ("a.c", "abc", {}, None),
        ("{{n}}", "{n}", {}, {}),
        ("QUIT", "QUIT ", {}, None),
        ("QUIT", "QUIT\n", {}, None),
    ],
)
def test_match(
    template: str, line: str, bindings: dict[str, str], expected: dict[str, str] | None
) -> None:
    """Keywords match in any case, arguments exactly; a hole once bound must agree."""
    assert expected == parse_line(template).match(line, bindings)


def _values() -> st.SearchStrategy[list[tuple[str, str]]]:
    typed = st.sampled_from(sorted(HOLE_TYPES)).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.from_regex(re.compile(HOLE_TYPES[kind]), fullmatch=True).filter(
                lambda value: "\n" not in value and "{" not in value and "}" not in value
            ),
        )
    )
    return st.lists(typed, min_size=1, max_size=3)


@given(values=_values(), literal=st.text(max_size=8).filter(lambda text: "\n" not in text))
def test_what_is_filled_in_matches(values: list[tuple[str, str]], literal: str) -> None:
    """A line that a template makes is a line that it recognises."""
    escaped = literal.replace("{", "{{").replace("}", "}}")
    holes = " ".join(f"{{h{i}:{kind}={value}}}" for i, (kind, value) in enumerate(values))
    template = parse_line(f"X {escaped} {holes}")

    line = template.fill(lambda hole: hole.example or "")

    assert template.match(line, {}) is not None
    assert not difference(template, line, {})


@given(text=st.text(max_size=30))
def test_only_line_errors(text: str) -> None:
    """Whatever is written, nothing but a LineError comes out, and its column is in the line."""
    try:
        source, column = parse_line(text).source, 0
    except LineError as error:
        source, column = text, error.column

    assert source == text
    assert 0 <= column <= len(text)


@given(text=st.text(st.characters(exclude_characters="{}\n"), max_size=30))
def test_plain_text_stays_plain(text: str) -> None:
    """Text with no braces and no open end is what goes over the wire."""
    line = f"{text}!"

    assert line == parse_line(line).fill(lambda _: "")


@pytest.mark.parametrize(
    ("template", "line", "bindings", "words"),
    [
        ("RETR {n}", "DELE 1", {}, "the command is 'DELE', not 'RETR'"),
        ("RETR {n}", "RETR x", {}, "argument 1 is 'x', which is no int"),
        ("RETR {n}", "RETR 3", {"n": "2"}, "argument 1 is '3', not '2'"),
        ("TOP 1 {n}", "TOP 2 0", {}, "argument 1 is '2', not '1'"),
        ("RETR {n}", "RETR", {}, "it has 0 arguments, not 1"),
        ("RETR {n}", "RETR 1 2", {}, "it has 2 arguments, not 1"),
        ("STAT", "STAT 1", {}, "it has 1 argument, not 0"),
        ("TOP {n} ...", "TOP", {}, "it has 0 arguments, not 1 or more"),
        ("+OK ...", "-ERR no", {}, "the status is '-ERR', not '+OK'"),
        ("X a{n}", "X ab", {}, "argument 1 is 'ab', not 'a{n:int}'"),
        ("X {{a}}", "X b", {}, "argument 1 is 'b', not '{a}'"),
        ("X {a} {a}", "X b c", {}, "argument 2 is 'c', not 'b'"),
        ("X abc", "X ABC", {}, "argument 1 is 'ABC', not 'abc'"),
        ("X {text} y", "X a b", {}, "'a b' is not '{text:text}'"),
        ("RETR {n}", "RETR  1", {}, "argument 1 is '', which is no int"),
        ("QUIT", "", {}, "the command is '', not 'QUIT'"),
        ("QUIT", "quit", {}, ""),
    ],
)
def test_difference(template: str, line: str, bindings: dict[str, str], words: str) -> None:
    """The difference is said in words, at the first word that differs."""
    assert words == difference(parse_line(template), line, bindings)


@given(
    template=st.sampled_from(
        ["RETR {n}", "TOP {n} {lines}", "USER {user}", "+OK ...", "X {a} {a}"]
    ),
    line=st.text(st.sampled_from("RETOPUSX+K .123ab"), max_size=12),
)
def test_difference_is_empty_only_for_a_match(template: str, line: str) -> None:
    """There is a difference exactly if the line does not match."""
    parsed = parse_line(template)

    assert (parsed.match(line, {}) is not None) == (difference(parsed, line, {}) == "")


def test_keyword_and_literal() -> None:
    """The keyword is the first word in upper case; a literal line has no freedom."""
    keywords = [parse_line(t).keyword for t in ("retr {n}", "QUIT", "{x} y", "", "+ok ...")]

    assert keywords == ["RETR", "QUIT", "", "", "+OK"]
    assert [parse_line(t).literal for t in ("QUIT", "X {n}", "X ...")] == [True, False, False]


@pytest.mark.parametrize(
    ("line", "nearer", "further"),
    [
        ("RETR 3", "RETR 2", "DELE 3"),
        ("RTER 3", "RETR 3", "LIST 3"),
        ("retr 3", "RETR 2", "LIST"),
        ("TOP 1 5", "TOP 1 {k:int}", "TOP 2 0"),
        ("LIST 1", "LIST", "UIDL 1"),
        ("STAT", "STAT", "STAT ..."),
    ],
)
def test_likeness(line: str, nearer: str, further: str) -> None:
    """The keyword weighs more than the arguments, and a line that matches is as near as can be."""
    near, far = (likeness(parse_line(text), line, {}) for text in (nearer, further))

    assert near > far or near == far == 1.0
    assert (near == 1.0) is (parse_line(nearer).match(line, {}) is not None)


def test_difference_says_where_a_hole_was_bound() -> None:
    """A hole that disagrees tells what it holds, and since which line."""
    template = parse_line("UIDL {uid}")

    told = difference(template, "UIDL b", {"uid": "a"}, {"uid": 17})

    assert told == "argument 1 is 'b', not 'a' ({uid} was bound to 'a' on line 17)"
