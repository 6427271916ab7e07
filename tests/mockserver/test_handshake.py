"""TLS as a client gets it, and the handshakes that go wrong."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]


def test_stls(raw: Raw) -> None:
    """STLS upgrades, and the client's context checks name and authority."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")

        version = client.wrap()
        said = client.ask(b"USER alice")

        assert version in ("TLSv1.2", "TLSv1.3")
        assert said.startswith(b"+OK ")
        assert server.journal.exchanges[-1].tls
        assert server.journal.connections[0].tls == version


def test_implicit_tls(raw: Raw) -> None:
    """With implicit TLS the greeting comes inside TLS, and CAPA has no STLS."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        client.wrap()

        assert client.line().startswith(b"+OK ")
        assert b"STLS" not in client.listing(b"CAPA")


def test_no_tls(raw: Raw) -> None:
    """Without TLS there is no STLS, in CAPA or else."""
    with MockServer(tls="none") as server:
        client = raw(server)
        client.line()

        assert b"STLS" not in client.listing(b"CAPA")
        assert client.ask(b"STLS").startswith(b"-ERR ")


def test_certificate_has_a_common_name(raw: Raw) -> None:
    """The certificate has a CN beside its SANs, for clients that read only that."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        client.wrap()
        assert isinstance(client.socket, ssl.SSLSocket)
        certificate = client.socket.getpeercert()

    assert certificate
    assert ((("commonName", "localhost"),)) in certificate["subject"]
    assert ("DNS", "localhost") in certificate["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in certificate["subjectAltName"]


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("expired", "certificate has expired"),
        ("not-yet-valid", "certificate is not yet valid"),
        ("wrong-host", "Hostname mismatch|doesn't match"),
        ("self-signed", "self[- ]signed certificate"),
        ("unknown-ca", "unable to get local issuer certificate|self[- ]signed certificate"),
    ],
)
def test_bad_certificate(playing: Playing, raw: Raw, certificate: str, reason: str) -> None:
    """Each kind of bad certificate is refused by a client that checks, for its own reason."""
    with playing(f"tls: {{mode: implicit, certificate: {certificate}}}") as server:
        client = raw(server)

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.wrap()

        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


@pytest.mark.parametrize(
    ("handshake", "error"),
    [
        ("garbage", ssl.SSLError),
        ("close", (ssl.SSLEOFError, ConnectionResetError)),
    ],
)
def test_bad_handshake(
    playing: Playing, raw: Raw, handshake: str, error: type[OSError] | tuple[type[OSError], ...]
) -> None:
    """What stands in place of the handshake is seen by the client as what it is."""
    with playing(f"tls: {{mode: implicit, handshake: {handshake}}}") as server:
        client = raw(server)

        with pytest.raises(error):
            client.wrap()


def test_handshake_that_is_reset(playing: Playing, raw: Raw) -> None:
    """A handshake can be answered by a true RST."""
    with (
        playing("tls: {mode: implicit, handshake: reset}") as server,
        pytest.raises(ConnectionResetError),  # it can come as early as in connect()
    ):
        raw(server).rest()


def test_handshake_that_hangs(playing: Playing, raw: Raw) -> None:
    """A handshake that is never answered ends by the client's patience."""
    with playing("tls: {mode: implicit, handshake: hang}") as server:
        client = raw(server)
        client.socket.settimeout(0.1)

        with pytest.raises(TimeoutError):
            client.wrap()


def test_stopping_in_the_handshake(raw: Raw) -> None:
    """A client that never begins its handshake does not keep the server from stopping."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        assert client.silent()

    assert client.rest() == b""


@pytest.mark.parametrize("tls", ["{mode: implicit}", "{mode: implicit, handshake: alert}"])
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
def test_silence_where_tls_is_to_begin(playing: Playing, raw: Raw, tls: str, said: bytes) -> None:
    """A client that says no more than the beginning of a ClientHello is logged out too."""
    with playing(f"server: {{autologout: 50ms}}\ntls: {tls}") as server:
        client = raw(server)
        client.send(said)

        rest = client.rest()
        server.wait_closed()
        log = server.journal.last

    assert (rest, log.ended, log.ended_by) == (b"", "autologout", "server")
    assert "TLS handshake failed: autologout" in server.transcript()


def test_silence_behind_stls(playing: Playing, raw: Raw) -> None:
    """A client that has asked for TLS, and then says nothing, is logged out; nothing goes on."""
    rules = "rules: [{when: handshake-failed, reply: +OK}]"
    with playing(f"server: {{autologout: 50ms}}\ntls: {{mode: stls}}\n{rules}") as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")

        rest = client.rest()
        server.wait_closed()

    assert (rest, server.journal.last.ended) == (b"", "autologout")


def test_silence_inside_tls(playing: Playing, raw: Raw) -> None:
    """Inside TLS too the patience is another one as soon as the client has logged in."""
    times = "server: {autologout: 50ms, autologout-before-login: 60s}"
    with playing(f"{times}\ntls: {{mode: implicit}}") as server:
        client = raw(server)
        client.wrap()
        client.login()

        rest = client.rest()
        server.wait_closed()

    assert (rest, server.journal.last.ended) == (b"", "autologout")
