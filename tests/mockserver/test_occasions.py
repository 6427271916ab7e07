"""What lint takes for possible, held to what the server does."""

from __future__ import annotations

import pytest

from pop3mock._commands import COMMANDS
from pop3mock._sasl import MECHANISMS
from pop3scenarios import _occasions as occasions

AUTH = {"AUTH"}


def test_commands_are_the_same() -> None:
    """Lint knows the commands that the server knows; AUTH is an exchange of its own there."""
    assert occasions.COMMANDS.keys() == COMMANDS.keys() | AUTH


@pytest.mark.parametrize("keyword", COMMANDS)
def test_row_is_the_same(keyword: str) -> None:
    """Lint knows where each command belongs, with how many arguments, and whether it is optional.

    A password may have spaces, each of which looks like an argument more. APOP and LAST are refused
    without a capability that would name them.
    """
    row, command = occasions.COMMANDS[keyword], COMMANDS[keyword]

    assert row.states == {state.word for state in command.states}
    assert row.arguments == ((1, None) if keyword == "PASS" else command.arguments)
    assert row.optional == (bool(command.capability) or keyword in ("APOP", "LAST"))


def test_mechanisms_are_known() -> None:
    """Lint takes no mechanism of the server's for a misspelt one."""
    assert MECHANISMS.keys() <= occasions.MECHANISMS
