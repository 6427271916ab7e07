"""RSET before QUIT, for servers that mark each message that is retrieved."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3mock import MockServer


def connect(facade: Any, server: MockServer, **options: Any) -> Any:
    """Log in."""
    return facade.connect(server.host, *server.credentials, port=server.port, **options)


@pytest.mark.parametrize("setting", [False, True])
def test_what_was_only_read_stays(facade: Any, setting: bool) -> None:
    """The server deletes what was retrieved, unless RSET has taken its marks back."""
    with MockServer("retr-deletes[marks]") as server:
        with connect(facade, server, rset_before_quit=setting) as client:
            client.retrieve("start", "end")

        assert len(server.maildrop) == (2 if setting else 0)


def test_what_was_to_be_deleted_is(facade: Any) -> None:
    """What the caller has marked is marked again, and nothing else is."""
    with MockServer("retr-deletes[marks]") as server:
        first, _ = server.maildrop
        with connect(facade, server, rset_before_quit=True) as client:
            client.retrieve("start", "end")
            client.rset()
            client.dele(2)

        assert list(server.maildrop) == [first]
        assert server.journal.commands[-4:] == ["DELE 2", "RSET", "DELE 2", "QUIT"]


def test_sync(facade: Any) -> None:
    """A sync that leaves mail on the server leaves it there; one that deletes, deletes."""
    with MockServer("retr-deletes[marks]") as server, pop3client.SeenStore(":memory:") as store:
        connect(facade, server, rset_before_quit=True).sync(store, lambda _: None)
        assert len(server.maildrop) == 2
        result = connect(facade, server, rset_before_quit=True).sync(
            store, lambda _: None, delete=pop3client.DeletePolicy(after=0)
        )

        assert len(result.deleted) == 2
        assert len(server.maildrop) == 0


def test_sync_that_deletes_at_once(facade: Any) -> None:
    """What the server has marked, and would not mark again, is deleted by the same run."""
    with MockServer("retr-deletes[marks]") as server, pop3client.SeenStore(":memory:") as store:
        result = connect(facade, server, rset_before_quit=True).sync(
            store, lambda _: None, delete=pop3client.DeletePolicy(larger_than=0)
        )

        assert (len(result.deleted), result.failed) == (2, ())
        assert len(server.maildrop) == 0


def test_before_login(fake: Any) -> None:
    """Before login there is nothing to take back."""
    server = fake()
    server.client(rset_before_quit=True).close()

    assert server.sent == [b"QUIT\r\n"]


@pytest.mark.parametrize("refused", ["RSET", "DELE"])
def test_it_is_refused(fake: Any, refused: str) -> None:
    """Who cannot know what would be deleted does not QUIT: then nothing is."""
    answers: Any = {"RSET": b"-ERR no\r\n"}
    if refused == "DELE":
        answers = {"DELE": [b"+OK\r\n", b"-ERR no\r\n"]}
    server = fake(answers)
    client = server.connect(rset_before_quit=True)
    client.dele(2)

    with pytest.raises(pop3client.CommandError, match=refused):
        client.close()

    assert b"QUIT\r\n" not in server.sent
    assert server.connection.closed
    with pytest.raises(pop3client.StateError, match="QUIT was not sent"):
        client.noop()


def test_the_connection_is_lost(fake: Any) -> None:
    """Marks that are lost with the connection are told to who connects anew."""
    server = fake({"RSET": [fake.End.CLOSE, b"+OK\r\n"]})
    lost: list[pop3client.Reconnection] = []

    def connect() -> Any:
        client = server.connect(rset_before_quit=True)
        server.answers["RSET"] = b"+OK\r\n" if lost else server.answers["RSET"]
        return client

    pop3client.reconnecting(
        connect, lambda client: client.dele(2), on_lost=lost.append, sleep=lambda _: None
    )

    assert [(each.marks_lost, each.quit_sent) for each in lost] == [((2,), False)]
    assert server.connection.sent[-4:] == [b"DELE 2\r\n", b"RSET\r\n", b"DELE 2\r\n", b"QUIT\r\n"]
