"""Every requirement has a test that is named by its id, or a reason why it has none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import CHECKS

from ._catalogue import exempt, missing, names_of_tests, rows, unknown
from ._wire import Wire
from .conftest import Tapes

if TYPE_CHECKING:
    from .conftest import Play


def test_every_row_has_a_test_or_a_reason() -> None:
    """No row is left out silently."""
    assert missing(rows(), exempt(), names_of_tests()) == []


def test_no_test_names_an_unknown_row() -> None:
    """A test's name begins with the id of a row that there is."""
    assert unknown(rows(), names_of_tests()) == []


def test_no_test_hides_another() -> None:
    """Two tests of one name would be one."""
    names = names_of_tests()

    assert len(names) == len(set(names))


def test_reasons_are_for_rows_without_a_test() -> None:
    """A reason stands only where there is a row, and no test of it."""
    excused = exempt()

    assert set(excused) - set(rows()) == set()
    assert missing(excused, (), names_of_tests()) == sorted(excused)
    assert all(len(reason) > len("none") for reason in excused.values())


def test_passive_rows_are_rows() -> None:
    """What every conversation is held to is in the catalogue."""
    assert set(CHECKS) - set(rows()) == set()


@pytest.mark.parametrize(
    "said", ["+ok", "+OKready", "-ERR [SYS] no", "+OK secret", "+OK\n+OK again", "+OK " + "x" * 600]
)
def test_every_conversation_is_judged(play: Play, said: str) -> None:
    """What a server says against a passive row is found, whatever it was asked for."""
    tapes = Tapes()
    server = play(f"rules: [{{when: NOOP, reply: {json.dumps(said)}}}]")
    wire = Wire(server, tapes.new(server))

    wire.log_in()
    assert tapes.breaches() == []
    wire.ask(b"NOOP")

    assert tapes.breaches()


def test_what_is_missing_is_found() -> None:
    """A row without a test is missing, whatever the tests of rows with a similar id."""
    known = ["RFC1-3-01", "RFC1-3.1-01", "RFC1-3-012"]

    assert missing(known, ["RFC1-3-012"], ["test_rfc1_3_01_x"]) == ["RFC1-3.1-01"]
    assert unknown(known, ["test_rfc1_3_01_x", "test_rfc1_3_02_y"]) == ["test_rfc1_3_02_y"]
