"""The client before real servers, in every mode of TLS and of authentication that they offer."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import pop3client
from pop3client import AuthenticationError

from ._entry import KINDS, connected, enter, with_wrong_secret
from ._peers import PATIENCE, PEERS, SMALL_MAIL

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from typing import BinaryIO

    from ._clients import TLSMode
    from ._peers import Drop

pytestmark = pytest.mark.once

MODES = [(name, tls) for name, peer in PEERS.items() for tls in peer.offers]
WAYS_IN = [
    (name, tls, one)
    for name, peer in PEERS.items()
    for tls in peer.offers
    for one in peer.offers[tls].split()
]


def ids(words: object) -> str:
    """Put a name to a parameter."""
    return str(words)


@pytest.mark.parametrize(("name", "tls"), MODES, ids=ids, indirect=["name"])
def test_nothing_else_is_offered(name: str, tls: TLSMode, drop: Drop) -> None:
    """The table has all that the server announces: a way in that it gains fails this test."""
    assert set(PEERS[name].offers[tls].split()) == what_is_offered(drop, tls)


@pytest.mark.parametrize("name", PEERS, indirect=True)
def test_tls_that_is_offered(name: str, drop: Drop) -> None:
    """The table has STLS if and only if the server announces it."""
    with drop.dial("none") as connection:
        lines = ask(connection, b"CAPA")

    assert ("stls" in PEERS[name].offers) == (b"STLS" in lines)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "tls", "mechanism"), WAYS_IN, ids=ids, indirect=["name"])
def test_every_way_in(name: str, tls: TLSMode, mechanism: str, kind: str, drop: Drop) -> None:
    """Each mechanism lets in, and then each message comes as the server has it."""
    peer = PEERS[name]
    with connected(kind, drop, tls, known=mechanism == "EXTERNAL") as client:
        if not peer.lets_in(mechanism, tls):
            with pytest.raises(AuthenticationError):
                enter(client, drop, mechanism)
            return
        enter(client, drop, mechanism)
        fetched = [peer.as_sent(message.raw) for message in client.messages()]
        noticed = {each.quirk for each in client.deviations}
        assert (client.tls is None) == (tls == "none")

    assert fetched == ([] if mechanism in peer.elsewhere else peer.serves(SMALL_MAIL))
    assert noticed == (peer.notices if fetched else set())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "tls"), MODES, ids=ids, indirect=["name"])
def test_a_wrong_secret(name: str, tls: TLSMode, kind: str, drop: Drop) -> None:
    """Every mechanism refuses it as one of the credentials, and the error shows none of them."""
    peer = PEERS[name]
    asked = [each for each in peer.offers[tls].split() if peer.asks(each)]
    stranger = with_wrong_secret(drop)

    # All at once, since servers take their time over a refusal.
    with ThreadPoolExecutor(len(asked)) as threads:
        refusals = list(threads.map(lambda each: refusal(kind, stranger, tls, each), asked))

    assert all(isinstance(each, AuthenticationError) for each in refusals)
    assert not [each for each in refusals if stranger.password in str(each)]
    assert not [each for each in refusals if stranger.token and stranger.token in str(each)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "tls"), MODES, ids=ids, indirect=["name"])
def test_the_safest_is_chosen(name: str, tls: TLSMode, kind: str, drop: Drop) -> None:
    """Left to itself the client logs in, by SCRAM where that is offered."""
    sent: list[str] = []

    with connected(kind, drop, tls, wire_log=lambda line: sent.append(line.text)) as client:
        client.login(drop.user, drop.password)
        assert client.stat().count == len(PEERS[name].serves(SMALL_MAIL))

    scram = "SCRAM-SHA-256" in PEERS[name].offers[tls]
    assert any("AUTH SCRAM-SHA-256" in line for line in sent) is scram


def refusal(kind: str, drop: Drop, tls: TLSMode, mechanism: str) -> pop3client.POP3Error | None:
    """Why somebody is not let in; None if he is."""
    with connected(kind, drop, tls) as client:
        try:
            enter(client, drop, mechanism)
        except pop3client.POP3Error as error:
            return error
    return None


def what_is_offered(drop: Drop, tls: TLSMode) -> set[str]:
    """What a server says of its ways in, to CAPA, to AUTH alone, and by its greeting."""
    with contextlib.ExitStack() as until_the_end:
        stay = until_the_end.enter_context
        connection = stay(drop.dial(tls))
        if tls == "implicit":
            connection = stay(secured(drop, connection))
        stream = stay(connection.makefile("rb"))
        greeting = stream.readline()
        if tls == "stls":
            say(connection, b"STLS")
            assert stream.readline().startswith(b"+OK")
            connection = stay(secured(drop, connection))
            stream = stay(connection.makefile("rb"))
        return offers(connection, stream, greeting)


def secured(drop: Drop, connection: socket.socket) -> ssl.SSLSocket:
    """The connection, with TLS."""
    return drop.context().wrap_socket(connection, server_hostname="localhost")


def offers(connection: socket.socket, stream: BinaryIO, greeting: bytes) -> set[str]:
    """What a server says of its ways in, in a session that has begun."""
    capabilities = list(answer(connection, stream, b"CAPA"))
    mechanisms = set(answer(connection, stream, b"AUTH"))
    for line in capabilities:
        keyword, *words = line.split()
        if keyword == b"SASL":
            mechanisms |= set(words)
    # Who has no CAPA has USER, which RFC 1939 has.
    if not capabilities or b"USER" in capabilities:
        mechanisms.add(b"USER")
    if re.search(rb"<[^<> ]+@[^<> ]+>", greeting):
        mechanisms.add(b"APOP")
    return {mechanism.decode() for mechanism in mechanisms}


def ask(connection: socket.socket, command: bytes) -> list[bytes]:
    """What a server answers to a first command."""
    with connection.makefile("rb") as stream:
        stream.readline()
        return list(answer(connection, stream, command))


def answer(connection: socket.socket, stream: BinaryIO, command: bytes) -> Iterator[bytes]:
    """The lines behind the first line of an answer; none if it is a refusal."""
    say(connection, command)
    if stream.readline().startswith(b"+OK"):
        for line in iter(stream.readline, b".\r\n"):
            yield line.rstrip()


def say(connection: socket.socket, command: bytes) -> None:
    """Send a command."""
    connection.settimeout(PATIENCE)
    connection.sendall(command + b"\r\n")
