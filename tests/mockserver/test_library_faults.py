"""Each fault of the library, by what a socket sees of it."""

from __future__ import annotations

import math
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Trickle
from pop3scenarios import expand, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

BEGIN = b"+OK begin TLS\r\n"
VARIANTS = expand("stls-broken")


def header(subject: str) -> bytes:
    """The header of a generated message of these scenarios."""
    return (
        b"From: sender@example.com\r\nTo: alice@example.com\r\n"
        b"Subject: " + subject.encode() + b"\r\nDate: Mon, 02 Jan 2023 10:00:00 +0000\r\n\r\n"
    )


def permissive_context() -> ssl.SSLContext:
    """A client that takes any version and any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def asked_for_tls(raw: Raw, server: MockServer) -> tuple[RawClient, bytes]:
    """A client that has asked for TLS, and the answer."""
    client = raw(server)
    client.line()
    return client, client.ask(b"STLS")


def until_reset(client: RawClient) -> tuple[bytes, bool]:
    """All that comes, and whether it ends in a RST rather than a FIN."""
    came = b""
    try:
        while data := client.socket.recv(65536):
            came += data
    except ConnectionResetError:
        return came, True
    return came, False


# stls-broken


def test_refused(raw: Raw) -> None:
    """STLS is listed and answered -ERR; the session goes on in the clear."""
    with MockServer("stls-broken[refused]") as server:
        client = raw(server)
        client.line()

        assert b"\r\nSTLS\r\n" in client.listing(b"CAPA")
        assert client.ask(b"STLS") == b"-ERR TLS is not available just now\r\n"
        assert client.ask(b"QUIT") == b"+OK bye\r\n"


def test_not_offered(raw: Raw) -> None:
    """STLS is neither listed nor there."""
    with MockServer("stls-broken[not-offered]") as server:
        client = raw(server)
        client.line()

        assert b"STLS" not in client.listing(b"CAPA")
        assert client.ask(b"STLS") == b"-ERR STLS is not available here\r\n"


def test_injected(raw: Raw) -> None:
    """A second reply comes in the clear behind +OK, and the handshake works nevertheless."""
    with MockServer("stls-broken[injected]") as server:
        client, answer = asked_for_tls(raw, server)

        assert answer == BEGIN
        assert client.line() == b"+OK somebody else has written this\r\n"
        assert client.wrap() == "TLSv1.3"
        assert client.ask(b"QUIT") == b"+OK bye\r\n"


def test_garbage(raw: Raw) -> None:
    """What answers the client's first words of TLS is text."""
    with MockServer("stls-broken[garbage]") as server:
        client, answer = asked_for_tls(raw, server)

        assert answer == BEGIN
        assert client.silent()
        client.send(b"\x16\x03\x01")
        assert client.rest() == b"This is not a TLS handshake.\r\n"


def test_garbage_is_no_tls(raw: Raw) -> None:
    """A TLS client sees that this is not TLS."""
    with MockServer("stls-broken[garbage]") as server:
        client, _ = asked_for_tls(raw, server)

        with pytest.raises(ssl.SSLError, match=r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE"):
            client.wrap()


def test_closed(raw: Raw) -> None:
    """In place of the handshake comes a FIN."""
    with MockServer("stls-broken[closed]") as server:
        client, answer = asked_for_tls(raw, server)

        assert answer == BEGIN
        assert client.rest() == b""


def test_reset(raw: Raw) -> None:
    """In place of the handshake comes a RST."""
    with MockServer("stls-broken[reset]") as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\n")

        with pytest.raises(ConnectionResetError):
            client.rest()


def test_silent(raw: Raw) -> None:
    """In place of the handshake comes nothing, whatever the client says."""
    with MockServer("stls-broken[silent]") as server:
        client, answer = asked_for_tls(raw, server)
        client.send(b"this is no TLS\r\n")

        assert answer == BEGIN
        assert client.silent()


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("stls-broken[expired]", "certificate has expired"),
        ("stls-broken[wrong-host]", "Hostname mismatch"),
        ("stls-broken[unknown-ca]", "unable to get local issuer certificate"),
    ],
)
def test_certificate(raw: Raw, reference: str, reason: str) -> None:
    """A client that checks refuses the certificate, for the one reason that is meant."""
    with MockServer(reference) as server:
        client, answer = asked_for_tls(raw, server)

        assert answer == BEGIN
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.wrap()


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("stls-broken[expired]", "TLSv1.3"),
        ("stls-broken[wrong-host]", "TLSv1.3"),
        ("stls-broken[unknown-ca]", "TLSv1.3"),
        ("stls-broken[old-version]", "TLSv1.1"),
    ],
)
def test_nothing_else_is_wrong(raw: Raw, reference: str, version: str) -> None:
    """A client that checks nothing gets its handshake, and POP3 inside it."""
    with MockServer(reference) as server:
        client, answer = asked_for_tls(raw, server)

        assert answer == BEGIN
        assert client.wrap(permissive_context()) == version
        assert client.ask(b"QUIT") == b"+OK bye\r\n"


def test_old_version(raw: Raw) -> None:
    """A client of today has no version in common with the server."""
    with MockServer("stls-broken[old-version]") as server:
        client, _ = asked_for_tls(raw, server)

        with pytest.raises(ssl.SSLError) as caught:
            client.wrap()

    assert not isinstance(caught.value, ssl.SSLCertVerificationError)


@pytest.mark.parametrize("reference", VARIANTS)
@pytest.mark.parametrize(
    "secret",
    [
        b"USER alice",
        b"PASS secret",
        b"APOP alice c4c9334bac560ecc979e58001b3e22fb",
        b"AUTH PLAIN AGFsaWNlAHNlY3JldA==",
    ],
)
def test_secret_in_the_clear(raw: Raw, reference: str, secret: bytes) -> None:
    """A client that sends a secret before the handshake breaks what the file expects."""
    with MockServer(reference) as server:
        client = raw(server)
        client.line()
        client.ask(secret)
        broken = server.broken_expectations()

    assert any("forbids it outside TLS" in fault for fault in broken)


def test_variants() -> None:
    """The ways in which STLS can fail are these; their names are ids."""
    names = "refused not-offered injected garbage closed reset silent expired wrong-host"

    assert [load(reference).variant for reference in VARIANTS] == [
        *names.split(),
        "unknown-ca",
        "old-version",
    ]


# In the middle of a message


def test_cut_mid_message(raw: Raw) -> None:
    """Message 1 is whole; of the answer for message 2 come 400 octets and a FIN."""
    with MockServer("cut-mid-message") as server:
        client = raw(server)
        client.login()
        first = client.listing(b"RETR 1")
        client.send(b"RETR 2\r\n")
        second = client.rest()

    assert first == b"+OK 1000 octets\r\n" + server.maildrop[0] + b".\r\n"
    assert second == (b"+OK 1000 octets\r\n" + server.maildrop[1])[:400]
    assert second.startswith(b"+OK 1000 octets\r\n" + header("The second"))


def test_reset_mid_message(raw: Raw) -> None:
    """Message 1 is whole; the answer for message 2 ends in a RST."""
    with MockServer("reset-mid-message") as server:
        client = raw(server)
        client.login()
        first = client.listing(b"RETR 1")
        client.send(b"RETR 2\r\n")
        second, reset = until_reset(client)

    assert reset
    assert first == b"+OK 1000 octets\r\n" + server.maildrop[0] + b".\r\n"
    assert second == (b"+OK 1000 octets\r\n" + server.maildrop[1])[:400]


def test_hang_after_retr(raw: Raw) -> None:
    """Message 1 is whole; for message 2 the status line comes, and silence."""
    with MockServer("hang-after-retr") as server:
        client = raw(server)
        client.login()
        first = client.listing(b"RETR 1")
        status = client.ask(b"RETR 2")
        client.send(b"NOOP\r\n")

        assert first == b"+OK 1000 octets\r\n" + server.maildrop[0] + b".\r\n"
        assert status == b"+OK 1000 octets\r\n"
        assert client.silent()


# Timing and segments


def test_slow_dribble(raw: Raw) -> None:
    """A message comes right, in pieces of eight octets."""
    with MockServer("slow-dribble") as server:
        client = raw(server)
        client.login()
        before = client.segments()
        wanted = b"+OK %d octets\r\n%s.\r\n" % (len(server.maildrop[1]), server.maildrop[1])

        assert client.listing(b"RETR 2") == wanted
        assert client.segments() - before == math.ceil(len(wanted) / 8)


def test_slow_dribble_is_slower_than_it_may_be_fast() -> None:
    """Eight octets every 10 ms: 800 a second, for RETR and nothing else."""
    session = MockServer("slow-dribble").session()
    session.connected()
    said = session.receive(b"USER alice\r\nPASS secret\r\nRETR 2\r\n")

    assert [(a.size, a.every) for a in said if isinstance(a, Trickle)] == [(8, 0.01)]


def test_one_octet_segments() -> None:
    """Greeting and answers, one and all, go out octet by octet."""
    session = MockServer("one-octet-segments").session()
    said = session.connected()
    said += session.receive(b"CAPA\r\nUSER alice\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n")
    *answers, farewell = said

    assert [(a.size, a.every) for a in answers if isinstance(a, Trickle)] == [(1, 0.001)] * 6
    assert len(answers) == 6
    assert farewell == End("close")


def test_one_octet_segments_on_the_wire(raw: Raw) -> None:
    """The octets are the same as ever: dots stuffed, everything in its order."""
    with MockServer("one-octet-segments") as server:
        client = raw(server)
        client.send(b"USER alice\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n")
        greeting, *answers = client.rest().split(b"\r\n")

    assert greeting.startswith(b"+OK POP3 server ready <")
    assert answers[:3] == [
        b"+OK now the password for alice",
        b"+OK maildrop has 2 messages (226 octets)",
        b"+OK 120 octets",
    ]
    assert answers[-7:] == [b"", b"..", b"...", b"..hidden", b".", b"+OK bye", b""]
