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

pytestmark = pytest.mark.once

BEGIN = b"+OK begin TLS\r\n"
#: A fatal alert: handshake_failure (RFC 8446, section 6).
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
VARIANTS = expand("stls-broken")

#: What a client that checks certificates says of each.
REASONS = {
    "stls-broken[expired]": "certificate has expired",
    "stls-broken[not-yet-valid]": "certificate is not yet valid",
    "stls-broken[wrong-host]": "Hostname mismatch",
    "stls-broken[self-signed]": "self.signed certificate",
    "stls-broken[unknown-ca]": "unable to get local issuer certificate",
    "tls-broken[expired]": "certificate has expired",
    "tls-broken[not-yet-valid]": "certificate is not yet valid",
    "tls-broken[wrong-host]": "Hostname mismatch",
    "tls-broken[self-signed]": "self.signed certificate",
    "tls-broken[unknown-ca]": "unable to get local issuer certificate",
}


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


def about_to_shake_hands(raw: Raw, server: MockServer) -> RawClient:
    """A client whose next octets are those of TLS."""
    if server.tls == "implicit":
        return raw(server)
    client, answer = asked_for_tls(raw, server)
    assert answer == BEGIN
    return client


# stls-broken and tls-broken


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


def test_alert(raw: Raw) -> None:
    """What answers the client's whole first message of TLS is a fatal alert, and a FIN."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = permissive_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with MockServer("stls-broken[alert]") as server:
        client, answer = asked_for_tls(raw, server)
        client.send(outgoing.read())

        assert answer == BEGIN
        assert client.ending() == (HANDSHAKE_FAILURE, "fin")


def test_alert_is_heard(raw: Raw) -> None:
    """A TLS client hears that the server has refused the handshake."""
    with MockServer("stls-broken[alert]") as server:
        client, _ = asked_for_tls(raw, server)

        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
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


@pytest.mark.parametrize(("reference", "reason"), REASONS.items())
def test_certificate(raw: Raw, reference: str, reason: str) -> None:
    """A client that checks refuses the certificate, for the one reason that is meant."""
    with MockServer(reference) as server:
        client = about_to_shake_hands(raw, server)

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.wrap()


@pytest.mark.parametrize(
    ("reference", "version"),
    [*((reference, "TLSv1.3") for reference in REASONS), ("stls-broken[old-version]", "TLSv1.1")],
)
def test_nothing_else_is_wrong(raw: Raw, reference: str, version: str) -> None:
    """A client that checks nothing gets its handshake, and POP3 inside it."""
    with MockServer(reference) as server:
        client = about_to_shake_hands(raw, server)

        assert client.wrap(permissive_context()) == version
        greeted = server.tls == "stls" or client.line().startswith(b"+OK POP3 server ready <")
        assert greeted
        assert client.ask(b"QUIT") == b"+OK bye\r\n"
        server.verify()


@pytest.mark.parametrize("reference", expand("tls-broken"))
def test_trust_misplaced(raw: Raw, reference: str) -> None:
    """A client that does not check the certificate and logs in breaks what the file expects."""
    with MockServer(reference) as server:
        client = raw(server)
        client.wrap(permissive_context())
        answer = client.login()
        broken = server.broken_expectations()

    assert answer.startswith(b"+OK maildrop has ")
    assert [fault.partition(": ")[2] for fault in broken] == ["the scenario forbids it (never)"] * 2


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
    handshakes = "refused not-offered injected garbage alert closed reset silent"
    certificates = "expired not-yet-valid wrong-host self-signed unknown-ca"

    assert [load(reference).variant for reference in VARIANTS] == [
        *handshakes.split(),
        *certificates.split(),
        "old-version",
    ]
    assert [load(each).variant for each in expand("tls-broken")] == certificates.split()


# How TLS ends


def test_no_close_notify(raw: Raw) -> None:
    """All answers come whole, QUIT removes what was marked, and TLS just breaks off."""
    context = permissive_context()
    with MockServer("no-close-notify") as server:
        message = server.maildrop[0]
        client, _ = asked_for_tls(raw, server)
        client.socket = context.wrap_socket(client.socket, suppress_ragged_eofs=False)
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        first = client.listing(b"RETR 1")
        client.ask(b"DELE 1")
        farewell = client.ask(b"QUIT")
        with pytest.raises(ssl.SSLEOFError):
            client.rest()
        left = len(server.maildrop)

    assert first.split(b"\r\n", 1)[1] == message.replace(b"\n.", b"\n..") + b".\r\n"
    assert (farewell, left) == (b"+OK bye\r\n", 3)


def test_no_close_notify_alone() -> None:
    """The quirk changes nothing else; TLS is had as the server has it."""
    assert load("no-close-notify").tls.mode == load("default").tls.mode
    assert load("no-close-notify").rules == load("default").rules


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
