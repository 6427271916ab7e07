"""How a line fits a template: as a regular expression has it, and in bounded time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pop3scenarios import Hole, Template, parse_line
from pop3scenarios._fit import MOST_TRIES
from pop3scenarios._holes import HOLE_TYPES

pytestmark = pytest.mark.once

CHARACTERS = " aA1=<@>+"


def by_expression(template: Template, line: str, bindings: dict[str, str]) -> dict[str, str] | None:
    """The same, said as one regular expression, which may take for ever."""
    seen = set(bindings)
    pattern = ""
    for i, part in enumerate(template.parts):
        if isinstance(part, str):
            head, space, tail = part.partition(" ")
            folded = f"(?i:{re.escape(head)})" if i == 0 else re.escape(head)
            pattern += folded + re.escape(space + tail)
        elif part.name in bindings:
            pattern += re.escape(bindings[part.name])
        elif part.name in seen:
            pattern += f"(?P={part.name})"
        else:
            pattern += f"(?P<{part.name}>{HOLE_TYPES[part.type]})"
            seen.add(part.name)
    if template.open_ended:
        pattern += "(?: .*)?" if template.parts else ".*"
    found = re.fullmatch(pattern, line, re.DOTALL)
    return None if found is None else found.groupdict()


PART = st.one_of(
    st.text(CHARACTERS, min_size=1, max_size=2),
    st.builds(Hole, st.sampled_from("abcd"), st.sampled_from(sorted(HOLE_TYPES))),
)


@settings(max_examples=1000)
@given(
    parts=st.lists(PART, max_size=6),
    open_ended=st.booleans(),
    line=st.text(CHARACTERS, max_size=12),
    bindings=st.dictionaries(st.sampled_from("ab"), st.text(CHARACTERS, max_size=2)),
)
@example([Hole("a", "text"), Hole("a", "int")], False, "xx", {})
@example([Hole("a", "word"), "-", Hole("b", "word"), "-", Hole("a", "word")], False, "1-1-1-1", {})
@example([Hole("a", "base64"), "=", Hole("b", "base64")], False, "a===", {})
@example(["", "A"], False, "a", {})
def test_as_a_regular_expression(
    parts: list[str | Hole], open_ended: bool, line: str, bindings: dict[str, str]
) -> None:
    """Each hole takes the most it can, the first first; equal holes and bound ones agree."""
    template = Template("", tuple(parts), open_ended)

    assert by_expression(template, line, bindings) == template.match(line, bindings)


@settings(max_examples=1000)
@given(parts=st.lists(PART, max_size=6), open_ended=st.booleans(), data=st.data())
def test_what_it_makes(parts: list[str | Hole], open_ended: bool, data: st.DataObject) -> None:
    """A line that was made from the template is found in it as a regular expression finds it."""
    template = Template("", tuple(parts), open_ended)
    values = {
        hole.name: data.draw(st.from_regex(re.compile(f"[{CHARACTERS}]{{1,4}}"), fullmatch=True))
        for hole in template.holes
    }
    line = template.fill(lambda hole: values[hole.name])

    assert by_expression(template, line, {}) == template.match(line, {})


HARD = [
    ("FOO {a:text} {b:text} {c:text} x", "FOO" + " a" * 8000),
    ("{a:base64}{b:base64}{c:base64}x", "a" * 16000),
    ("{a:word}{b:word}{c:word} x", "a" * 16000),
    ("{a:uid}{b:uid}{c:uid}{d:uid}{e:uid}x", "a" * 16000),
    ("{a:text}{b:int}{c:text}{d:int}{e:text}x", "1" * 16000),
    ("{a:msgid}{b:text}{c:msgid}{d:text}{e:msgid}x", "<a@b>" * 3000),
    ("{a:text}{b:text}{a:text}{b:text}x", "a" * 16000),
    ("".join(f"{{h{i}:text}}a" for i in range(40)) + "x", "a" * 4000),
]

PROGRAM = """
import sys
from pop3scenarios import difference, likeness, parse_line

template, line = parse_line(sys.argv[1]), sys.argv[2]
assert template.match(line, {}) is None
assert difference(template, line, {})
assert likeness(template, line, {}) < 1
"""


@pytest.mark.parametrize(("template", "line"), HARD)
def test_long_line_ends(template: str, line: str) -> None:
    """No line of 16,000 octets holds up who looks whether it fits."""
    program = [sys.executable, "-c", PROGRAM, template, line]

    assert subprocess.run(program, timeout=60, check=False).returncode == 0


def steps(template: Template, line: str) -> int:
    """How many functions of the matching are called, and generators gone on with."""
    counted: Counter[str] = Counter()

    def count(frame: object, event: str, argument: object) -> None:
        counted[event] += 1

    sys.setprofile(count)
    try:
        template.match(line, {})
    finally:
        sys.setprofile(None)
    return counted.total()


@pytest.mark.parametrize("source", ["FOO {a:text} {b:text} {c:text} x", "{a:word}{b:word} {c}x"])
def test_work_grows_as_the_line(source: str) -> None:
    """A line that is four times as long takes no more than five times the work."""
    template = parse_line(source)
    short, long = "FOO" + " a" * 100, "FOO" + " a" * 400

    assert steps(template, long) <= 5 * steps(template, short)


def test_tries_are_bounded() -> None:
    """A line of which a hole stands twice is another one when it has been tried often enough."""
    template = parse_line("{a:text}{b:text}{c:text}{a}{b}{c}x")

    assert steps(template, "a" * 2000 + "x") < 40 * MOST_TRIES
