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
        (1, None, False),
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
        ("S: +OK\nQUIT\n", 1, 0, "expected a line beginning 'S:', 'C:', 'C?:' or 'C*:'"),
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


TWO = """\
[A] S: +OK
[A] C: STAT
[B] S: +OK
[B] C?: NOOP
[B] S: +OK
[A] S: +OK 1 2
[A] S: more
[A] <wait 1s>
[B] C*: RETR {n}
[B] S: +OK
[A] C: <close>
"""


def test_connections_of_a_script() -> None:
    """Steps stand in one order, and each knows its connection; an answer may stand further down."""
    script = parse_script(TWO)

    told = [(step.row, step.source, step.optional, step.repeated) for step in script.steps]
    assert told == [
        (0, "[A] S: +OK", False, False),
        (1, "[A] C: STAT", False, False),
        (2, "[B] S: +OK", False, False),
        (3, "[B] C: NOOP", True, False),
        (5, "[A] S: +OK 1 2", False, False),
        (8, "[B] C: RETR {n}", False, True),
        (10, "[A] C: <close>", False, False),
    ]
    assert script.connections == ("A", "B")
    assert [step.leaves for step in script.steps] == [False] * 6 + [True]
    assert [step.rows for step in script.steps] == [(0,), (), (2,), (4,), (5, 6, 7), (9,), ()]


def test_one_connection_has_no_name() -> None:
    """A script that names no connection has one."""
    script = parse_script("S: +OK\nC: QUIT\n")

    assert script.connections == ("",)
    assert [step.source for step in script.steps] == ["S: +OK", "C: QUIT"]


def test_answer_of_an_optional_exchange_is_optional() -> None:
    """What is left out leaves no answer behind that must come."""
    script = parse_script("[A] S: +OK\n[A] C?: NOOP\n[B] S: +OK\n[A] S: +OK\n")

    assert [step.must_come for step in script.steps] == [True, False, True, False]


def test_source_of_a_step_of_actions() -> None:
    """A step in which the server only does something has a name too."""
    assert parse_script("<wait 1s>\n").steps[0].source == "S: <…>"


@pytest.mark.parametrize(
    ("text", "row", "column", "message"),
    [
        ("[A] S: +OK\nC: QUIT\n", 1, 0, "either every line names its connection or none does"),
        ("S: +OK\n[A] C: QUIT\n", 1, 0, "either every line names its connection or none does"),
        ("[A B] S: +OK\n", 0, 0, "expected a line beginning"),
        ("[A]\n", 0, 0, "expected a line beginning"),
        ("[A] S: +OK {x:y}\n", 0, 11, "bad hole"),
        ("[A] <hagn>\n", 0, 4, "there is no action <hagn>"),
        ("C: QUIT\nS: +OK\nC: <hang>\n", 2, 3, "all that a client can do beside talking"),
        ("C?: <close>\n", 0, 4, "all that a client can do beside talking"),
        ("C*: <close>\n", 0, 4, "all that a client can do beside talking"),
        ("C: <close>\nS: +OK\n", 1, 3, "nothing can follow here: the client has gone away"),
        ("[A] C: <close>\n[B] S: +OK\n[A] C: QUIT\n", 2, 7, "nothing can follow here"),
        (
            "[A] C: LIST\n[A] S: +OK\n[B] S: +OK\n[A] S: .\n", 3, 7,
            "the answer of [A] was begun before another connection's lines",
        ),
    ],
)  # fmt: skip
def test_wrong_connections(text: str, row: int, column: int, message: str) -> None:
    """A line that is in no place of a connection says why."""
    with pytest.raises(LineErrors) as caught:
        parse_script(text)

    (error,) = caught.value.errors
    assert (row, column) == (error.row, error.column)
    assert error.message.startswith(message)
