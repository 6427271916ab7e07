"""Mail that a test puts into maildrops, and what is left in them."""

from __future__ import annotations

import pickle
from email.message import EmailMessage
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
