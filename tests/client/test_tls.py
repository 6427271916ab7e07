"""TLS: every step that can fail, and that no secret is sent unless it stands."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme

import pop3client
from pop3client import TLS
from pop3client._tls import default_context, handshake, handshake_error

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "mail.example"
MODES = [TLS.STLS, TLS.OPPORTUNISTIC, TLS.IMPLICIT]
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """The authority that the client trusts in these tests."""
    return trustme.CA()


def server_context(ca: trustme.CA, host: str = HOST, **options: Any) -> ssl.SSLContext:
    """A server's context, with a certificate for the host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host, **options).configure_cert(context)
    return context


def client_context(ca: trustme.CA) -> ssl.SSLContext:
    """The default policy, with the tests' authority trusted."""
    context = default_context()
    ca.configure_trust(context)
    return context


class Peer:
    """A POP3 server on a socket pair, in a thread; remembers what was said, and whether in TLS."""

    def __init__(
        self,
        context: ssl.SSLContext | None,
        *,
        implicit: bool,
        capa_in_tls: bytes,
        instead: str,
        farewell: bool,
    ) -> None:
        self.client_end, self._end = socket.socketpair()
        self._end.settimeout(5)
        self._context = context
        self._implicit = implicit
        self._instead = instead
        self._farewell = farewell
        self._capa_in_tls = capa_in_tls
        self.said: list[tuple[str, bytes]] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def factory(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self.client_end

    def _run(self) -> None:
        connection = self._end
        secured = False
        try:
            if self._implicit:
                connection, secured = self._secure(connection), True
            connection.sendall(b"+OK ready\r\n")
            while line := self._line(connection):
                self.said.append(("tls" if secured else "clear", line))
                if line == b"XEND\r\n":
                    self._end_tls(connection)
                    return
                connection.sendall(self._answer(line, secured=secured))
                if line == b"STLS\r\n":
                    connection, secured = self._secure(connection), True
        except OSError:
            pass
        finally:
            connection.close()

    def _end_tls(self, connection: Any) -> None:
        if self._farewell:
            connection.settimeout(0)
            with contextlib.suppress(ssl.SSLWantReadError):  # ours is sent, theirs is not here
                connection.unwrap()

    def _secure(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            if not self._implicit and self._instead != "close":
                connection.recv(1)  # nothing may come before the client begins
            if self._instead == "garbage":
                connection.sendall(b"this is no TLS at all, as anybody can see\r\n")
                return connection
            while self._instead == "silence" and connection.recv(4096):
                pass
            raise OSError
        secured = self._context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        try:
            secured.do_handshake()
        except ssl.SSLError:
            # The alert is sent. To close with octets unread would take it back.
            with socket.socket(fileno=secured.detach()) as plain:
                plain.settimeout(5)
                while plain.recv(4096):
                    pass
            raise
        return secured

    def _line(self, connection: socket.socket) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            octet = connection.recv(1)
            if not octet:
                return b""
            line += octet
        return line

    def _answer(self, line: bytes, *, secured: bool) -> bytes:
        if line == b"CAPA\r\n":
            return self._capa_in_tls if secured else b"+OK\r\nSTLS\r\nX-FORGED\r\n.\r\n"
        return {b"STAT\r\n": b"+OK 0 0\r\n"}.get(line, b"+OK\r\n")


@pytest.fixture
def peer() -> Iterator[Any]:
    """Starts a Peer; its socket and thread are gone afterwards."""
    peers: list[Peer] = []

    def start(
        context: ssl.SSLContext | None,
        *,
        implicit: bool = False,
        capa_in_tls: bytes = b"+OK\r\nUIDL\r\n.\r\n",
        instead: str = "garbage",
        farewell: bool = False,
    ) -> Peer:
        peers.append(
            Peer(
                context,
                implicit=implicit,
                capa_in_tls=capa_in_tls,
                instead=instead,
                farewell=farewell,
            )
        )
        return peers[-1]

    yield start
    for one in peers:
        one.client_end.close()
        one.thread.join()


def secrets_sent(peer: Peer) -> list[bytes]:
    """What the peer was told that is secret, in TLS or not."""
    return [line for _, line in peer.said if line.startswith((b"USER", b"PASS", b"APOP"))]


@pytest.mark.parametrize("tls", MODES)
def test_it_works(facade: Any, peer: Any, ca: trustme.CA, tls: TLS) -> None:
    """Login happens inside TLS; CAPA is asked again there; the callback is told before."""
    one = peer(server_context(ca), implicit=tls is TLS.IMPLICIT)
    told: list[pop3client.TLSInfo] = []

    def callback(info: pop3client.TLSInfo) -> None:
        told.append(info)
        assert not secrets_sent(one)

    with facade.connect(
        HOST,
        "alice",
        "secret",
        tls=tls,
        socket_factory=one.factory,
        ssl_context=client_context(ca),
        tls_callback=callback,
        timeout=5,
    ) as client:
        assert list(client.capabilities) == ["UIDL"]

    clear = [] if tls is TLS.IMPLICIT else [b"CAPA\r\n", b"STLS\r\n"]
    login = [b"CAPA\r\n", b"USER alice\r\n", b"PASS secret\r\n", b"CAPA\r\n"]
    inside = [*login, b"STAT\r\n", b"QUIT\r\n"]
    one.thread.join()
    assert one.said == [("clear", line) for line in clear] + [("tls", line) for line in inside]
    (info,) = told
    assert info.protocol in {"TLSv1.2", "TLSv1.3"}
    assert info.cipher
    assert ("DNS", HOST) in info.peer_certificate["subjectAltName"]
    assert ssl.DER_cert_to_PEM_cert(info.peer_certificate_der).startswith("-----BEGIN")


def test_capa_is_forgotten(facade: Any, peer: Any, ca: trustme.CA) -> None:
    """What was said before TLS does not count after it, even if CAPA is refused there."""
    one = peer(server_context(ca), capa_in_tls=b"-ERR\r\n")
    with facade.client(
        HOST,
        tls=TLS.STLS,
        socket_factory=one.factory,
        ssl_context=client_context(ca),
        timeout=5,
    ) as client:
        assert not client.capabilities
        assert [entry.quirk for entry in client.deviations] == ["no-capa"]
        assert "X-FORGED" in client.capability_snapshots.before_tls
        assert client.capability_snapshots.after_tls is None


@pytest.mark.parametrize("tls", MODES)
def test_callback_refuses(facade: Any, peer: Any, ca: trustme.CA, tls: TLS) -> None:
    """What the callback raises goes to the caller; no secret is sent, the socket is closed."""
    one = peer(server_context(ca), implicit=tls is TLS.IMPLICIT)

    class NotThisOneError(Exception):
        pass

    def callback(info: pop3client.TLSInfo) -> None:
        raise NotThisOneError

    with pytest.raises(NotThisOneError):
        facade.connect(
            HOST,
            "alice",
            "secret",
            tls=tls,
            socket_factory=one.factory,
            ssl_context=client_context(ca),
            tls_callback=callback,
            timeout=5,
        )

    one.thread.join()
    assert not secrets_sent(one)


@pytest.mark.parametrize("tls", MODES)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("unknown-ca", "authority that is not known"),
        ("expired", "expired"),
        ("not-yet", "not valid yet"),
        ("wrong-host", "another host"),
        ("too-old", "no common TLS version"),
        ("not-tls", "not TLS"),
    ],
)
def test_handshake_fails(
    facade: Any, peer: Any, ca: trustme.CA, tls: TLS, fault: str, says: str
) -> None:
    """A handshake that fails says why and what to do; no secret is sent, the socket is closed."""
    trusted = client_context(ca)
    if fault == "unknown-ca":
        context = server_context(trustme.CA())
    elif fault == "expired":
        context = server_context(ca, not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    elif fault == "not-yet":
        context = server_context(ca, not_before=NOW + DAY, not_after=NOW + 9 * DAY)
    elif fault == "wrong-host":
        context = server_context(ca, "other.example")
    else:
        context = server_context(ca)
    if fault == "too-old":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        trusted.minimum_version = ssl.TLSVersion.TLSv1_3
    one = peer(None if fault == "not-tls" else context, implicit=tls is TLS.IMPLICIT)

    with pytest.raises(pop3client.TLSError, match=says) as caught:
        facade.connect(
            HOST,
            "alice",
            "secret",
            tls=tls,
            socket_factory=one.factory,
            ssl_context=trusted,
            timeout=5,
        )

    assert caught.value.step == "handshake"
    one.thread.join()
    assert not secrets_sent(one)


def test_default_policy(facade: Any, peer: Any, ca: trustme.CA) -> None:
    """Without a context: the system's authorities, host names checked, TLS 1.2 or later."""
    context = default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    one = peer(server_context(ca))
    with pytest.raises(pop3client.TLSError, match="authority"):
        facade.client(HOST, tls=TLS.STLS, socket_factory=one.factory, timeout=5)


@pytest.mark.parametrize("tls", MODES)
@pytest.mark.parametrize("silent", [False, True], ids=["closes", "silent"])
def test_nobody_shakes_hands(facade: Any, peer: Any, tls: TLS, silent: bool) -> None:
    """A server that closes, or falls silent, instead of a handshake."""
    one = peer(None, implicit=tls is TLS.IMPLICIT, instead="silence" if silent else "close")
    kind: Any = pop3client.POP3TimeoutError if silent else pop3client.TLSError

    with pytest.raises(kind, match="handshake") as caught:
        facade.client(HOST, tls=tls, socket_factory=one.factory, timeout=0.2 if silent else 5.0)

    assert caught.value.step == ("TLS handshake" if silent else "handshake")
    assert one.client_end.fileno() == -1


@pytest.mark.parametrize("farewell", [False, True])
def test_the_end_inside_tls(facade: Any, peer: Any, ca: trustme.CA, farewell: bool) -> None:
    """A connection that ends is one that ends, whether TLS says so or not."""
    one = peer(server_context(ca), farewell=farewell)
    client = facade.client(
        HOST,
        tls=TLS.STLS,
        socket_factory=one.factory,
        ssl_context=client_context(ca),
        timeout=5,
    )

    with pytest.raises(pop3client.ConnectionClosed, match="XEND"):
        client.command("XEND")

    assert one.client_end.fileno() == -1


@pytest.mark.parametrize("tls", MODES)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_server_wants_a_certificate(
    facade: Any, peer: Any, ca: trustme.CA, tls: TLS, version: ssl.TLSVersion
) -> None:
    """A server that wants the client's certificate says so, in TLS 1.3 only after the handshake."""
    context = server_context(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    ca.configure_trust(context)
    one = peer(context, implicit=tls is TLS.IMPLICIT)

    with pytest.raises(pop3client.TLSError, match="load_cert_chain"):
        facade.connect(
            HOST,
            "alice",
            "secret",
            tls=tls,
            socket_factory=one.factory,
            ssl_context=client_context(ca),
            timeout=5,
        )

    assert not secrets_sent(one)


def test_opportunistic_without_stls(fake: Any, cut: int | None) -> None:
    """A server that offers no STLS is spoken to in the clear; to this machine that is enough."""
    server = fake(cut=cut)
    with server.connect(tls=TLS.OPPORTUNISTIC) as client:
        assert client.tls is None

    assert server.sent[:2] == [b"CAPA\r\n", b"USER alice\r\n"]


@pytest.mark.parametrize(
    "answers",
    [
        {"CAPA": b"-ERR what?\r\n"},
        {"CAPA": "<close>"},
        {"CAPA": b"+OK\r\nUIDL\r\n.\r\n"},
        {"CAPA": b"+OK\r\nSTLS\r\n.\r\n", "STLS": b"-ERR not now\r\n"},
    ],
)
def test_opportunistic_over_a_network(fake: Any, cut: int | None, answers: Any) -> None:
    """Whatever keeps the connection in the clear, the password is not sent over it."""
    server = fake(answers, cut=cut, address="192.0.2.1")

    with pytest.raises(pop3client.InsecureAuthError):
        server.connect(tls=TLS.OPPORTUNISTIC)

    assert set(server.sent) <= {b"CAPA\r\n", b"STLS\r\n"}
    assert all(connection.closed for connection in server.connections)


@pytest.mark.parametrize(
    ("answers", "step"),
    [
        ({"CAPA": b"-ERR what?\r\n"}, "capa"),
        ({"CAPA": "<close>"}, "capa"),
        ({"CAPA": "<reset>"}, "capa"),
        ({"CAPA": b"+OK\r\nUIDL\r\n.\r\n"}, "not-offered"),
        ({"CAPA": b"+OK\r\nXSTLS\r\nSASL STLS\r\n.\r\n"}, "not-offered"),
        ({"CAPA": b"+OK\r\nSTLS\r\n.\r\n", "STLS": b"-ERR not now\r\n"}, "refused"),
    ],
)
def test_stls_fails_before_the_handshake(
    fake: Any, cut: int | None, answers: dict[str, Any], step: str
) -> None:
    """Each step that fails is named; the socket is closed, and no secret was sent."""
    server = fake(answers, cut=cut)

    with pytest.raises(pop3client.TLSError) as caught:
        server.connect(tls=TLS.STLS)

    assert caught.value.step == step
    assert all(connection.closed for connection in server.connections)
    assert set(server.sent) <= {b"CAPA\r\n", b"STLS\r\n"}


@pytest.mark.parametrize("cut", [None, 1, 5, 6])
@pytest.mark.parametrize(
    "injected", [b"x", b"+OK\r\n", b"\r\n", b"\x16\x03\x01", b"+OK\r\nSTLS\r\n.\r\n"]
)
@pytest.mark.parametrize("tls", [TLS.STLS, TLS.OPPORTUNISTIC])
def test_injected_octets(fake: Any, cut: int | None, injected: bytes, tls: TLS) -> None:
    """Any octet between STLS's reply and the handshake is an attack, buffered or not."""
    server = fake({"CAPA": b"+OK\r\nSTLS\r\n.\r\n", "STLS": b"+OK\r\n" + injected}, cut=cut)

    with pytest.raises(pop3client.InjectedDataError) as caught:
        server.connect(tls=tls)

    assert isinstance(caught.value, pop3client.TLSError)
    assert caught.value.step == "injected"
    assert injected.startswith(caught.value.received)
    assert server.sent == [b"CAPA\r\n", b"STLS\r\n"]
    assert server.connection.closed


def test_other_handshake_errors() -> None:
    """What has no better explanation keeps its own words."""
    assert "odd" in str(handshake_error(ValueError("odd name"), HOST))
    assert "closed" in str(handshake_error(ConnectionResetError(), HOST))
    assert "closed" in str(handshake_error(ssl.SSLEOFError(), HOST))
    assert "what" in str(handshake_error(ssl.SSLError(1, "what"), HOST))


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no common TLS version"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no common cipher suite"),
        ("NO_CIPHERS_AVAILABLE", "no common cipher suite"),
        ("DH_KEY_TOO_SMALL", "key is too short"),
        ("HTTP_REQUEST", "not TLS"),
        ("TLSV1_ALERT_UNKNOWN_CA", "load_cert_chain"),
    ],
)
def test_handshake_errors_say_what_to_do(reason: str, advice: str) -> None:
    """What OpenSSL says in its own words is said in others, with advice."""
    error = ssl.SSLError(1, "?")
    error.reason = reason

    assert advice in str(handshake_error(error, HOST))


def test_interrupted_handshake_closes() -> None:
    """An interrupt in the handshake closes the socket, which nobody else knows by then."""
    closed: list[str] = []

    class Interrupted:
        def do_handshake(self) -> None:
            raise KeyboardInterrupt

        def close(self) -> None:
            closed.append("secured")

    class Context:
        def wrap_socket(self, *_: object, **__: object) -> Interrupted:
            return Interrupted()

    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(KeyboardInterrupt):
        handshake(ours, "localhost", Context())  # type: ignore[arg-type]

    assert closed == ["secured"]
