"""Replies of several lines, and conversations."""

from __future__ import annotations

import pytest

from pop3scenarios import (
    Default,
    End,
    LineErrors,
    Octets,
    Template,
    Wait,
    parse_line,
    parse_reply,
    parse_script,
)


def test_reply_of_several_lines() -> None:
    """Each line is text or an action; ``S:`` in front and the last line end do not count."""
    reply = parse_reply("+OK\nS: one\nS:two\n<wait 1s>\n\n.\n")

    assert (
        parse_line("+OK"),
        parse_line("one"),
        parse_line("two"),
        Wait(1.0),
        parse_line(""),
        parse_line("."),
    ) == reply.items


def test_reply_keeps_what_is_written() -> None:
    """Spaces, ``#`` and leading dots go on the wire as they stand."""
    reply = parse_reply("+OK #1 \n  two spaces\n..x\n")

    lines = [item.fill(lambda _: "") for item in reply.items if isinstance(item, Template)]

    assert lines == ["+OK #1 ", "  two spaces", "..x"]


@pytest.mark.parametrize(
    ("text", "positive", "challenges", "by_default"),
    [
        ("+OK", True, False, False),
        ("+OK ready", True, False, False),
        ("-ERR no", False, False, False),
        ("+ ", False, True, False),
        ("+ PGFi", False, True, False),
        ("+OKAY", False, False, False),
        ("<wait 1s>\n+OK", True, False, False),
        ('<bytes "+OK x\\r\\n">', True, False, False),
        ('<bytes "">\n+OK', False, False, False),
        ("<close>", False, False, False),
        ("<default>\n<close>", False, False, True),
        ("<wait 1s>\n<default>", False, False, True),
        ("+OK\n<default>", True, False, False),
    ],
)
def test_status_of_a_reply(text: str, positive: bool, challenges: bool, by_default: bool) -> None:
    """The first thing sent says whether a command took effect; or the default answer does."""
    reply = parse_reply(text)

    assert (positive, challenges) == (reply.positive, reply.challenges) or by_default
    assert by_default == reply.by_default


def test_reply_tells_all_its_errors() -> None:
    """Each wrong line is told, with its row and its column behind ``S:``."""
    with pytest.raises(LineErrors) as caught:
        parse_reply("+OK {a\nS: {b:nat}\n<flood>\nfine\nS:}\n")

    places = [(error.row, error.column) for error in caught.value.errors]
    assert places == [(0, 4), (1, 3), (2, 0), (4, 2)]


def test_script_steps() -> None:
    """A step is a client's line with all that the server says until the next."""
    script = parse_script(
        "# a comment\n"
        "S: +OK ready\n"
        "\n"
        "C: USER {user}\n"
        "S: +OK\n"
        "S: more\n"
        "C?: CAPA\n"
        "<default>\n"
        "C:QUIT\n"
        "S: +OK\n"
        "<close>\n"
    )

    rows = [(step.row, step.expect and step.expect.source, step.optional) for step in script.steps]
    assert rows == [
        (0, None, False),
        (3, "USER {user}", False),
        (6, "CAPA", True),
        (8, "QUIT", False),
    ]
    assert [len(step.reply.items) for step in script.steps] == [1, 2, 1, 2]
    assert (Default(),) == script.steps[2].reply.items
    assert End("close") == script.steps[3].reply.items[1]


def test_script_may_begin_with_the_client() -> None:
    """Without ``S:`` before the first ``C:`` the greeting is the default one."""
    script = parse_script("C: QUIT\nS: +OK\n")

    assert [parse_line("QUIT")] == [step.expect for step in script.steps]


def test_script_octets() -> None:
    """An action may stand behind ``S:`` too."""
    script = parse_script('S: <bytes "+OK\\n">\n')

    assert (Octets(b"+OK\n"),) == script.steps[0].reply.items


@pytest.mark.parametrize(
    ("text", "row", "column", "message"),
    [
        ("", 0, 0, "the script is empty"),
        ("# nothing\n\n", 0, 0, "the script is empty"),
        ("S: +OK\nQUIT\n", 1, 0, "expected a line beginning 'S:', 'C:' or 'C?:', or an <action>"),
        ("S: +OK\n  C: QUIT\n", 1, 2, "expected a line beginning"),
        ("s: +OK\n", 0, 0, "expected a line beginning"),
        ("C: RETR {n\n", 0, 8, "'{' is never closed"),
        ("C?:   RETR }\n", 0, 11, "'}' without '{'"),
        ("S:{x:y}\n", 0, 2, "bad hole {x:y}: there is no type 'y'"),
        ("\n\nS: <hagn>\n", 2, 3, "there is no action <hagn>"),
        ("<hagn>\n", 0, 0, "there is no action <hagn>"),
    ],
)
def test_wrong_script(text: str, row: int, column: int, message: str) -> None:
    """A wrong line says where it is and what was expected."""
    with pytest.raises(LineErrors) as caught:
        parse_script(text)

    (error,) = caught.value.errors
    assert (row, column) == (error.row, error.column)
    assert error.message.startswith(message)


def test_script_tells_all_its_errors() -> None:
    """Nothing wrong hides what else is wrong."""
    with pytest.raises(LineErrors) as caught:
        parse_script("hello\nC: {\nS: }\n<x>\n")

    assert [error.row for error in caught.value.errors] == [0, 1, 2, 3]
    assert "; " in str(caught.value)
