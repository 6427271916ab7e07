"""The client before real servers: what it does with a maildrop, in every mode of TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import DeletePolicy, SeenStore

from . import _mail
from ._entry import KINDS, connected
from ._peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._clients import TLSMode
    from ._peers import Drop, Open

pytestmark = pytest.mark.once

MODES = [(name, tls) for name, peer in PEERS.items() for tls in peer.offers]
#: Each server once, by the mode that a client has to do most for.
HARDEST = [
    (name, "stls" if "stls" in peer.offers else [*peer.offers][-1]) for name, peer in PEERS.items()
]

#: Messages that every server sends as they are, but for what it writes into them.
PLAIN = {key: _mail.messages()[key] for key in ("01-plain", "02-dots", "07-trailing-blank")}

either = pytest.mark.parametrize("kind", KINDS)
every_mode = pytest.mark.parametrize(("name", "tls"), MODES, ids=str, indirect=["name"])
every_server = pytest.mark.parametrize(("name", "tls"), HARDEST, ids=str, indirect=["name"])


@pytest.fixture
def three(maildrop_of: Open) -> Iterator[Drop]:
    """A maildrop of three messages."""
    with maildrop_of(PLAIN.values()) as drop:
        yield drop


def logged_in(client: Any, drop: Drop) -> Any:
    """Log in, by USER and PASS, which every server has."""
    client.login(drop.user, drop.password, "USER")
    return client


@either
@every_mode
def test_all_at_once(name: str, tls: TLSMode, kind: str, maildrop_of: Open) -> None:
    """Commands sent ahead bring what the server has, a large message among them."""
    peer, mail = PEERS[name], _mail.messages()
    with (
        maildrop_of(mail.values()) as drop,
        connected(kind, drop, tls, pipelining=True) as client,
    ):
        messages = logged_in(client, drop).retrieve("start", "end")
        assert client.config.pipelining

    assert [peer.as_sent(message.raw) for message in messages] == peer.serves(mail)


@either
@every_server
def test_listings(name: str, tls: TLSMode, kind: str, three: Drop) -> None:
    """LIST and UIDL agree with themselves, for all, for one, and for many sent ahead."""
    with connected(kind, three, tls, pipelining=True) as client:
        uids = logged_in(client, three).uidl()
        sizes = client.list()

        assert [1, 2, 3] == [each.number for each in uids] == [each.number for each in sizes]
        assert len({each.uid for each in uids}) == 3
        assert uids == client.uidl([1, 2, 3]) == [client.uidl(number) for number in (1, 2, 3)]
        assert sizes == client.list([1, 2, 3]) == [client.list(number) for number in (1, 2, 3)]
        assert client.stat().octets == sum(each.octets for each in sizes)
        with pytest.raises(pop3client.CommandError):
            client.list(4)
        with pytest.raises(pop3client.CommandError):
            client.retr(4)


@either
@every_mode
def test_top(name: str, tls: TLSMode, kind: str, drop: Drop) -> None:
    """TOP is the header and so many lines, unstuffed."""
    header, _, body = PLAIN["02-dots"].partition(b"\r\n\r\n")

    with connected(kind, drop, tls) as client:
        logged_in(client, drop)
        tops = [PEERS[name].as_sent(client.top(2, lines).raw) for lines in (0, 3)]

    begin = header + b"\r\n\r\n"
    lines = PEERS[name].before_body + b"".join(body.splitlines(keepends=True)[:3])
    assert tops == [begin, begin + lines]


@either
@every_server
def test_deleting(name: str, tls: TLSMode, kind: str, three: Drop) -> None:
    """RSET and a lost connection bring back what was marked; QUIT does not."""
    with connected(kind, three, tls) as client:
        logged_in(client, three).delete("start", "end")
        client.rset()
        assert client.stat().count == 3
        client.delete(2)
        client.abort()
    left = subjects(kind, three, tls)
    with connected(kind, three, tls) as client:
        logged_in(client, three).dele(1)
    after = subjects(kind, three, tls)

    assert left == (["01", "07"] if PEERS[name].deletes_at_once else ["01", "02", "07"])
    assert after == left[1:]


def subjects(kind: str, drop: Drop, tls: TLSMode) -> list[str]:
    """Which messages there are."""
    with connected(kind, drop, tls) as client:
        messages = list(logged_in(client, drop).messages())
    return [str(message.parse()["X-Seed"])[:2] for message in messages]


@either
@every_server
def test_leaving_mail(name: str, tls: TLSMode, kind: str, three: Drop) -> None:
    """Each message is delivered once over many sessions, and deleted when that is due."""
    delivered: list[bytes] = []

    def fail_at_the_second(message: pop3client.Message) -> None:
        if delivered:
            raise OSError("disk full")
        delivered.append(message.raw)

    with SeenStore(":memory:") as store:

        def run(deliver: Any, **options: Any) -> pop3client.SyncResult:
            with connected(kind, three, tls) as client:
                result = logged_in(client, three).sync(store, deliver, **options)
            assert isinstance(result, pop3client.SyncResult)
            return result

        with pytest.raises(OSError, match="disk full"):
            run(fail_at_the_second)
        second = run(lambda message: delivered.append(message.raw))
        third = run(delivered.append, delete=DeletePolicy(after=0))
        fourth = run(delivered.append)

    assert [PEERS[name].as_sent(each) for each in delivered] == list(PLAIN.values())
    assert (len(second.fetched), len(second.skipped)) == (2, 1)
    assert (len(third.fetched), len(third.deleted)) == (0, 3)
    assert (fourth.fetched, fourth.skipped) == ((), ())


@pytest.mark.parametrize("name", ["dovecot-full", "popa3d", "twisted"], indirect=True)
@either
def test_last(name: str, kind: str, three: Drop) -> None:
    """LAST is the highest message that was read, where there is LAST."""
    with connected(kind, three, "none") as client:
        before = logged_in(client, three).last()
        client.retr(2)
        after = client.last()

    assert (before, after) == (0, 2)
