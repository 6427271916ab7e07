"""The gateway against mocks of poplib: quick to write, and all of it passes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from unittest.mock import MagicMock, call, patch

import pytest

from mailgate.gateway import run
from mailgate.mailbox import Mailbox, session
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.ticket import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = b"From: ann@example.com\r\nSubject: Printer\r\n\r\nIt is on fire.\r\n.\r\n"
SETTINGS = Settings(host="mail.example", user="support", password="secret", database=":memory:")


@pytest.fixture
def pop() -> Iterator[MagicMock]:
    """What poplib.POP3() gives."""
    with patch("mailgate.mailbox.poplib.POP3", autospec=True) as kind:
        pop = kind.return_value
        pop.uidl.return_value = (b"+OK", [b"1 uid-1"], 9)
        pop.file = io.BytesIO(MESSAGE)
        yield pop


@pytest.fixture
def store() -> Iterator[Store]:
    """A database without tickets."""
    with Store(":memory:") as store:
        yield store


def test_mail_becomes_a_ticket(pop: MagicMock, store: Store) -> None:
    """A message becomes a ticket, and is deleted."""
    assert run(SETTINGS, store) == 1
    assert store.tickets() == [Ticket("ann@example.com", "Printer", "It is on fire.")]
    pop.dele.assert_called_once_with(1)


def test_tls_comes_before_the_password(pop: MagicMock) -> None:
    """STLS is asked for before the password is sent."""
    with session(SETTINGS):
        pass

    names = [name for name, _, _ in pop.method_calls]
    assert names.index("stls") < names.index("user") < names.index("pass_")


def test_quit_comes_last(pop: MagicMock, store: Store) -> None:
    """The session ends with QUIT, so that what was deleted is gone."""
    run(SETTINGS, store)

    assert pop.method_calls[-2:] == [call.quit(), call.close()]


def test_lost_connection(pop: MagicMock, store: Store) -> None:
    """Nothing is deleted if the connection is lost before a message is there."""
    pop.file = io.BytesIO(MESSAGE[:20])

    with pytest.raises(EOFError):
        run(SETTINGS, store)

    pop.dele.assert_not_called()
    pop.quit.assert_not_called()


def test_no_second_ticket(pop: MagicMock, store: Store) -> None:
    """A message that could not be deleted becomes no second ticket."""
    run(SETTINGS, store)

    assert run(SETTINGS, store) == 0
    assert len(store.tickets()) == 1


def test_lines_that_begin_with_a_dot(pop: MagicMock) -> None:
    """Only a line that is a dot and nothing else ends a message."""
    pop.file = io.BytesIO(b"Subject: Dots\r\n\r\n.profile is gone\r\n.\r\n")

    assert Mailbox(pop).retrieve(1) == b"Subject: Dots\r\n\r\n.profile is gone\r\n"


def test_long_lines(pop: MagicMock) -> None:
    """A line that is too long for poplib is no reason to give up."""
    pop.file = io.BytesIO(b"x" * 5000 + b"\r\n.\r\n")

    assert Mailbox(pop).retrieve(1) == b"x" * 5000 + b"\r\n"
