"""Leaving mail on servers that are odd, as the scenario library plays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3mock import MockServer

from ._maildrop import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3client import SeenStore, SyncResult


@pytest.fixture
def odd(facade: Any, store: SeenStore) -> Callable[..., tuple[SyncResult, list[bytes]]]:
    """Fetch what is new from a mock server; gives the result and what was delivered now."""

    def run(server: MockServer, **options: Any) -> tuple[SyncResult, list[bytes]]:
        delivered: list[bytes] = []
        with facade.connect(server.host, *server.credentials, port=server.port) as client:
            result = client.sync(store, lambda message: delivered.append(message.raw), **options)
        return result, delivered

    return run


def test_uid_reused(odd: Any) -> None:
    """A unique-id that the server gives to another message later does not hide that message."""
    with MockServer("uid-reused") as server:
        _, first = odd(server)
        result, second = odd(server)

    assert (len(first), len(second)) == (1, 1)
    assert first != second
    assert len(result.reused) == 1


def test_uidl_duplicate(odd: Any) -> None:
    """All messages of a server that has one unique-id for all come once."""
    with MockServer("uidl-duplicate") as server:
        everything = list(server.maildrop)
        result, first = odd(server)
        _, second = odd(server)

    assert (first, second) == (everything, [])
    assert len(result.duplicates) == len(everything)


def test_uidl_blank(odd: Any) -> None:
    """A message without a unique-id comes once."""
    with MockServer("uidl-blank") as server:
        everything = list(server.maildrop)
        result, first = odd(server)
        _, second = odd(server)

    assert (first, second) == (everything, [])
    assert result.blank == ((2, b""),)


def test_retr_empty_on_the_wire(odd: Any) -> None:
    """A message of which nothing comes stays on the server."""
    with MockServer("retr-empty") as server:
        result, _ = odd(server, delete=AT_ONCE)
        left = len(server.maildrop)

    assert [type(each.error) for each in result.failed] == [pop3client.EmptyMessage]
    assert left == 1


def test_retr_quota(odd: Any) -> None:
    """When the server refuses the rest for the day, what came is kept and the rest can wait."""
    with MockServer("retr-quota") as server:
        everything = list(server.maildrop)
        result, delivered = odd(server, delete=AT_ONCE)
        left = list(server.maildrop)

    assert (delivered, left) == (everything[:2], everything[2:])
    assert len(result.failed) == len(left)


def test_uidl_list_race(odd: Any) -> None:
    """A number that only LIST has does not end the run."""
    with MockServer("uidl-list-race") as server:
        everything = list(server.maildrop)
        result, delivered = odd(server)

    assert delivered == everything
    assert [each.number for each in result.failed] == [5]


def test_no_uidl_on_the_wire(odd: Any) -> None:
    """A server without UIDL is a typed error; with fingerprints each message comes once."""
    with MockServer("no-uidl") as server:
        everything = list(server.maildrop)
        with pytest.raises(pop3client.NoUniqueIds):
            odd(server)
        _, first = odd(server, fingerprint=True)
        _, second = odd(server, fingerprint=True)

    assert (first, second) == (everything, [])
