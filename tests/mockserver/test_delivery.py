"""Mail that a test puts into maildrops, and what is left in them."""

from __future__ import annotations

import pickle
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest

from pop3mock import MockServer, UnknownUser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]


def test_deliver(playing: Playing, raw: Raw, tmp_path: Path) -> None:
    """Octets, text, a file and an email message can be delivered, to any user."""
    message = EmailMessage()
    message["Subject"] = "object"
    message.set_content("hello\n")
    (tmp_path / "mail.eml").write_bytes(b"Subject: file\r\n\r\nx\r\n")

    with playing("maildrop: []") as server:
        server.deliver(b"Subject: bytes\n\nx\n")
        server.deliver("Subject: text\n\nx\n", uid="my-own")
        server.deliver(tmp_path / "mail.eml")
        server.deliver(message, user="bob")
        client = raw(server)
        client.login()
        listing = client.listing(b"UIDL")

    assert listing.split(b"\r\n")[2] == b"2 my-own"
    assert [mail.split(b"\r\n")[0] for mail in server.maildrop] == [
        b"Subject: bytes",
        b"Subject: text",
        b"Subject: file",
    ]
    assert server.maildrops["bob"][0].startswith(b"Subject: object\r\n")


def test_deliver_fields() -> None:
    """What is to stand in a message is said by keywords; the rest is the same in every run."""
    servers = [MockServer(), MockServer()]

    first, second = (
        server.deliver(
            from_="Zoë <zoe@example.com>",
            to="alice@example.com",
            subject="Grüße",
            body="Hello.\n.dot\n",
            headers={"x-one": "1", "date": "Tue, 03 Jan 2023 10:00:00 +0000"},
        )
        for server in servers
    )

    message = message_from_bytes(servers[0].maildrop[-1], policy=SMTP)
    assert (message["From"], message["Subject"]) == ("Zoë <zoe@example.com>", "Grüße")
    assert (message["To"], message["X-One"]) == ("alice@example.com", "1")
    assert message.get_all("Date") == ["Tue, 03 Jan 2023 10:00:00 +0000"]
    assert message.get_content() == "Hello.\r\n.dot\r\n"
    assert first.data == second.data == servers[0].maildrop[-1]
    assert first.uid == second.uid


WRONG_FIELDS = {
    "unknown": ({"subjct": "x"}, TypeError, "no field 'subjct' .did you mean 'subject'"),
    "text": ({"body": b"x"}, TypeError, "body has to be text, got bytes"),
    "headers": ({"headers": "x"}, TypeError, "headers has to be a mapping of names to texts"),
    "both": ({"message": "x", "body": "y"}, TypeError, "a message or fields of one, got both"),
    "neither": ({}, TypeError, "or fields of one, got NoneType"),
    "line end": ({"subject": "x\r\nBcc: y"}, ValueError, "linefeed or carriage return"),
}


@pytest.mark.parametrize(("fields", "error", "text"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_deliver_wrong_fields(fields: Any, error: type[Exception], text: str) -> None:
    """What cannot stand in a message is refused, and nothing is delivered."""
    server = MockServer()
    before = len(server.maildrop)

    with pytest.raises(error, match=text):
        server.deliver(**fields)

    assert len(server.maildrop) == before


def test_maildrop_after_update(raw: Raw) -> None:
    """``server.maildrop`` is what is left as soon as QUIT is answered."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        assert len(server.maildrop) == 4
        client.ask(b"QUIT")

        assert len(server.maildrop) == 3


def test_users() -> None:
    """Users can be given in place of the scenario's; the first one's are the credentials."""
    with MockServer(users={"zoe": "pw", "yan": "pw2"}) as server:
        assert server.credentials == ("zoe", "pw")
        assert server.credentials.password == "pw"
        assert set(server.maildrops) == {"zoe", "yan"}


@pytest.mark.parametrize(
    ("message", "uid", "error"),
    [(None, None, TypeError), (b"a: b\r\n", "a b", ValueError), (b"a: b\r\n", "", ValueError),
     (b"a: b\r\n", "x" * 71, ValueError)],
)  # fmt: skip
def test_deliver_refuses(message: Any, uid: str | None, error: type[Exception]) -> None:
    """What is no message, and what is no unique-id, is refused with what was expected."""
    with pytest.raises(error, match="expected"):
        MockServer().deliver(message, uid=uid)


@pytest.mark.parametrize("user", ["nobody", ""])
def test_deliver_to_nobody(user: str) -> None:
    """Mail for a user who is none is refused, and the error says who there is."""
    server = MockServer(users={"alice": "secret", "bob": "hunter2"})

    with pytest.raises(KeyError) as caught:
        server.deliver("Subject: x\n\n", user=user)

    error = caught.value
    assert isinstance(error, UnknownUser)
    assert (error.user, error.users) == (user, ("alice", "bob"))
    assert str(error) == f"there is no user {user!r}: expected 'alice' or 'bob'"


def test_unknown_user_travels() -> None:
    """The error gets whole from one process of a test run to another, also where nobody is."""
    error = UnknownUser("joe", [])

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

    assert (copy.user, copy.users) == ("joe", ())
    assert str(copy) == "there is no user 'joe', nor any other"
