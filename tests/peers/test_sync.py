"""Leaving mail on a real Dovecot."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import DeletePolicy, SeenStore

from . import _mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pop3client import Message, SyncResult

    from ._clients import Account
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once


@pytest.fixture
def store() -> Iterator[SeenStore]:
    """An empty store."""
    with SeenStore(":memory:") as one:
        yield one


@pytest.fixture(params=["blocking", "asyncio"])
def sync(request: pytest.FixtureRequest) -> Any:
    """A session that fetches what is new over TLS, with either client."""

    def run(
        account: Account, store: SeenStore, deliver: Callable[[Message], object], **options: Any
    ) -> SyncResult:
        context = ssl.create_default_context(cafile=str(account.ca))
        url = f"pop3+stls://{account.user}@{account.host}:{account.port}/?timeout=20"
        if request.param == "blocking":
            with pop3client.POP3Client.from_url(
                url, account.password, ssl_context=context
            ) as client:
                return client.sync(store, deliver, **options)

        async def main() -> SyncResult:
            async with pop3client.AsyncPOP3Client.from_url(
                url, account.password, ssl_context=context
            ) as client:
                return await client.sync(store, deliver, **options)

        return asyncio.run(main())

    return run


def test_each_message_once(sync: Any, store: SeenStore, dovecot: Dovecot) -> None:
    """A run that breaks off is completed by the next; what was delivered is deleted when due."""
    account = dovecot.account(_mail.messages().values(), "stls")
    everything = [_mail.canonical(message) for message in _mail.messages().values()]
    delivered: list[bytes] = []

    def fail_at_the_third(message: Message) -> None:
        if len(delivered) == 2:
            raise OSError("disk full")
        delivered.append(message.raw)

    def deliver(message: Message) -> None:
        delivered.append(message.raw)

    with pytest.raises(OSError, match="disk full"):
        sync(account, store, fail_at_the_third, delete=DeletePolicy(after=0))
    second = sync(account, store, deliver)
    third = sync(account, store, deliver, delete=DeletePolicy(after=0))
    fourth = sync(account, store, deliver)

    assert delivered == everything
    assert (len(second.fetched), len(second.skipped)) == (len(everything) - 2, 2)
    assert len(third.skipped) == len(third.deleted) == len(everything)
    assert (fourth.fetched, fourth.skipped) == ((), ())
    assert (second.duplicates, second.blank, second.reused, second.failed) == ((), (), (), ())
