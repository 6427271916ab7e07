"""The gateway against a POP3 server that is one, and that can be as bad as they come."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailgate.ticket import Ticket
    from pop3mock import MockServer


def mail(subject: str, text: str) -> EmailMessage:
    """A message to the support address."""
    message = EmailMessage()
    message["From"] = "ann@example.com"
    message["Subject"] = subject
    message.set_content(text)
    return message


@pytest.mark.pop3("./no-mail.pop3.yaml")
def test_mail_becomes_tickets(
    pop3_server: MockServer, mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]
) -> None:
    """Each message becomes a ticket, and is gone from the server."""
    pop3_server.deliver(mail("Printer", "It is on fire.\n"))
    pop3_server.deliver(mail("Door", "It is stuck.\n"))

    assert mailgate() == 0

    assert [ticket.subject for ticket in tickets()] == ["Printer", "Door"]
    assert len(pop3_server.maildrop) == 0


@pytest.mark.pop3("./no-mail.pop3.yaml")
def test_lines_that_begin_with_a_dot(
    pop3_server: MockServer, mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]
) -> None:
    """A ticket has the text that was sent, also where a line begins with a dot."""
    pop3_server.deliver(mail("Shell", "I lost\n.profile\n.\nand more.\n"))

    assert mailgate() == 0

    assert tickets()[0].text.splitlines() == ["I lost", ".profile", ".", "and more."]


@pytest.mark.pop3("./no-mail.pop3.yaml")
def test_long_lines(
    pop3_server: MockServer, mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]
) -> None:
    """A line that is too long for poplib becomes a ticket all the same."""
    pop3_server.deliver(b"Subject: Newsletter\r\n\r\n" + b"x" * 5000 + b"\r\n")

    assert mailgate() == 0

    assert tickets()[0].text == "x" * 5000


@pytest.mark.pop3("./lost-once.pop3.yaml")
def test_lost_connection(
    pop3_server: MockServer, mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]
) -> None:
    """What a lost connection has kept from one run becomes a ticket in the next."""
    assert mailgate() == 1
    assert mailgate() == 0

    assert [ticket.subject for ticket in tickets()] == ["One", "Two", "Three"]
    assert len(pop3_server.maildrop) == 0


@pytest.mark.pop3("quit-err")
def test_quit_refused(
    pop3_server: MockServer, mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]
) -> None:
    """If the server refuses to delete, the next run makes no ticket twice."""
    assert mailgate() == 1
    made = tickets()

    assert mailgate() == 1

    assert tickets() == made


@pytest.mark.pop3("stls-broken[refused]")
def test_stls_refused(pop3_server: MockServer, mailgate: Callable[[], int]) -> None:
    """No password goes over a connection that is not encrypted: the scenario forbids it."""
    mailgate()


@pytest.mark.pop3("stls-broken[wrong-host]")
def test_wrong_certificate(pop3_server: MockServer, mailgate: Callable[[], int]) -> None:
    """Another host's certificate ends the run before the password is sent."""
    assert mailgate() == 1

    assert pop3_server.journal == ["CAPA", "STLS"]


@pytest.mark.pop3("hang-after-retr")
def test_silent_server(mailgate: Callable[[], int], tickets: Callable[[], list[Ticket]]) -> None:
    """A server that says nothing more is given up, and what came before is kept."""
    assert mailgate() == 1

    assert [ticket.subject for ticket in tickets()] == ["The first"]


@pytest.mark.pop3("quirks/retr-size-*")
def test_odd_sizes(pop3_server: MockServer, mailgate: Callable[[], int]) -> None:
    """Sizes that are wrong do no harm."""
    assert mailgate() == 0

    assert len(pop3_server.maildrop) == 0
