"""For the tests of the command: a way to give it, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from click.testing import CliRunner

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


class Run(Protocol):
    """Give ``pop3kit`` these arguments, with this password in the environment."""

    def __call__(self, *arguments: object, password: str | None = None) -> Result: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """``pop3kit`` in this process, without a terminal."""
    from pop3kit._group import cli

    monkeypatch.delenv("POP3KIT_PASSWORD", raising=False)

    def invoke(*arguments: object, password: str | None = None) -> Result:
        env = {} if password is None else {"POP3KIT_PASSWORD": password}
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=env)

    return invoke


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the messages are to be kept; it is not there yet."""
    return tmp_path / "mail"
