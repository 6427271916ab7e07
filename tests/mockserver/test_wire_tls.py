"""TLS as a socket sees it: how it fails, how it ends, and what goes over from before it."""

from __future__ import annotations

import socket
import ssl
import struct
import warnings
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]

BEGIN = b"+OK begin TLS\r\n"
#: A fatal alert: handshake_failure (RFC 5246, section 7.2).
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
MODES = ["stls", "implicit"]


def connected(raw: Raw, server: MockServer) -> RawClient:
    """A client that is about to shake hands."""
    client = raw(server)
    if server.tls == "stls":
        client.line()
        assert client.ask(b"STLS") == BEGIN
    return client


def inside(raw: Raw, server: MockServer, context: ssl.SSLContext | None = None) -> RawClient:
    """A client inside TLS that has read the greeting."""
    client = connected(raw, server)
    client.wrap(context)
    if server.tls == "implicit":
        client.line()
    return client


def strictly_inside(raw: Raw, server: MockServer) -> RawClient:
    """A client inside TLS to which an end without ``close_notify`` is an error."""
    client = connected(raw, server)
    client.socket = server.client_context().wrap_socket(
        client.socket, server_hostname="localhost", suppress_ragged_eofs=False
    )
    if server.tls == "implicit":
        client.line()
    return client


def end_of(client: RawClient) -> bytes:
    """All that comes up to the end of the connection, which may be a RST."""
    came = b""
    try:
        while data := client.socket.recv(65536):
            came += data
    except ConnectionResetError:
        return came + b" (reset)"
    return came


def client_hello() -> bytes:
    """What a client of TLS says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def shake_hands(
    tls: ssl.SSLObject,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
    client: RawClient,
    size: int,
) -> None:
    """A client's side of the handshake, in segments of so many octets."""
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            words = outgoing.read()
            for at in range(0, len(words), size):
                client.send(words[at : at + size])
            incoming.write(client.socket.recv(65536))
        else:
            return


# Handshakes that fail


@pytest.mark.parametrize("mode", MODES)
def test_alert(playing: Playing, raw: Raw, mode: str) -> None:
    """After the whole ClientHello comes a fatal alert, and then a FIN."""
    with playing(f"tls: {{mode: {mode}, handshake: alert}}") as server:
        client = connected(raw, server)
        hello = client_hello()
        client.send(hello[:-1])
        assert client.silent()
        client.send(hello[-1:])

        assert client.rest() == HANDSHAKE_FAILURE
        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


def test_alert_is_what_a_client_of_tls_sees(playing: Playing, raw: Raw) -> None:
    """A TLS client hears that nothing is in common."""
    with playing("tls: {handshake: alert}") as server:
        client = connected(raw, server)

        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            client.wrap()


def test_alert_to_what_is_no_tls(playing: Playing, raw: Raw) -> None:
    """A client that goes on in the clear gets the alert too."""
    with playing("tls: {handshake: alert}") as server:
        client = connected(raw, server)
        client.send(b"CAPA\r\n")

        assert client.rest() == HANDSHAKE_FAILURE


def test_failed_handshake_that_is_answered(playing: Playing, raw: Raw) -> None:
    """A server may say in the clear that the handshake has failed, and stay."""
    rules = "rules: [{when: handshake-failed, reply: -ERR no TLS today}]"
    with playing(f"tls: {{handshake: alert}}\n{rules}") as server:
        client = connected(raw, server)
        client.send(client_hello())

        assert client.line() == HANDSHAKE_FAILURE + b"-ERR no TLS today\r\n"
        assert client.ask(b"USER alice").startswith(b"+OK ")
        assert not server.journal.exchanges[-1].tls


def test_true_failure_that_is_answered(playing: Playing, raw: Raw) -> None:
    """The same holds for a handshake that has failed by what the client sent."""
    with playing("rules: [{when: handshake-failed, reply: -ERR that was no TLS}]") as server:
        client = connected(raw, server)
        client.send(b"NOOP\r\n")

        assert client.until(b"-ERR that was no TLS\r\n").endswith(b"-ERR that was no TLS\r\n")
        assert client.ask(b"QUIT") == b"+OK bye\r\n"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("words", [b"CAPA\r\nQUIT\r\n", b"\x16\x03\x01\x00\x06xxxxxx", b"\0" * 9])
def test_words_that_are_no_handshake(playing: Playing, raw: Raw, mode: str, words: bytes) -> None:
    """What is no handshake ends the connection; nothing is answered in the clear (RFC2595-4-17)."""
    with playing(f"tls: {{mode: {mode}}}") as server:
        client = connected(raw, server)
        client.send(words)

        came = end_of(client)

        assert b"+OK" not in came
        assert b"-ERR" not in came
        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


@pytest.mark.parametrize("mode", MODES)
def test_client_that_goes_in_the_handshake(playing: Playing, raw: Raw, mode: str) -> None:
    """A client that leaves in the middle of the handshake leaves nothing behind."""
    with playing(f"tls: {{mode: {mode}}}") as server:
        client = connected(raw, server)
        client.send(client_hello()[:40])
        client.close()

        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


def test_hang_ends_with_the_server(playing: Playing, raw: Raw) -> None:
    """A handshake that hangs is over when the server stops, and not before."""
    with playing("tls: {handshake: hang}") as server:
        client = connected(raw, server)
        client.send(client_hello())
        assert client.silent()

    assert end_of(client) in (b"", b" (reset)")


def test_handshake_octet_by_octet(raw: Raw) -> None:
    """However small the segments in which it comes, the handshake works."""
    with MockServer() as server:
        client = connected(raw, server)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = server.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        shake_hands(tls, incoming, outgoing, client, 1)
        tls.write(b"CAPA\r\n")
        client.send(outgoing.read())
        server.wait_for("CAPA")

    assert server.journal.connections[0].tls == "TLSv1.3"


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("not-yet-valid", "certificate is not yet valid"),
        ("self-signed", "self[- ]signed certificate"),
    ],
)
def test_certificate_after_stls(playing: Playing, raw: Raw, certificate: str, reason: str) -> None:
    """A bad certificate is bad for its one reason after STLS too."""
    with playing(f"tls: {{certificate: {certificate}}}") as server:
        client = connected(raw, server)

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.wrap()


def test_client_that_is_too_old(raw: Raw) -> None:
    """A client of an older version than the server takes is told by an alert (RFC8996-1-01)."""
    with MockServer() as server:
        client = connected(raw, server)
        old = server.client_context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1

        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            client.wrap(old)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_versions(playing: Playing, raw: Raw, version: str) -> None:
    """Both versions of today are spoken (RFC8314-4-01)."""
    with playing(f"tls: {{minimum: {version}, maximum: {version}}}") as server:
        client = connected(raw, server)

        assert version == client.wrap()
        assert client.ask(b"QUIT") == b"+OK bye\r\n"


# How TLS ends


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("commands", [b"QUIT\r\n", b"USER alice\r\nPASS secret\r\nXX\r\nQUIT\r\n"])
def test_close_notify(playing: Playing, raw: Raw, mode: str, version: str, commands: bytes) -> None:
    """The server ends TLS before it ends the connection (RFC8314-3.4-01)."""
    with playing(f"tls: {{mode: {mode}, maximum: {version}}}") as server:
        client = strictly_inside(raw, server)
        client.send(commands)

        assert client.rest().endswith(b"+OK bye\r\n")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_no_close_notify(playing: Playing, raw: Raw, mode: str, version: str) -> None:
    """Without it the client cannot tell an end from a cut: all came, and a bare FIN."""
    text = f"tls: {{mode: {mode}, maximum: {version}, close-notify: no}}"
    with playing(text) as server:
        client = strictly_inside(raw, server)
        farewell = client.ask(b"QUIT")

        with pytest.raises(ssl.SSLEOFError):
            client.rest()

    assert farewell == b"+OK bye\r\n"


def test_everything_comes_before_a_bare_fin(playing: Playing, raw: Raw) -> None:
    """An answer that is bigger than any buffer comes whole, close_notify or not."""
    text = "tls: {close-notify: no}\nmaildrop: [{octets: 3000000}]"
    with playing(text) as server:
        client = inside(raw, server)
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        client.send(b"RETR 1\r\nQUIT\r\n")

        said = client.rest()

    assert len(b"+OK 3000000 octets\r\n.\r\n+OK bye\r\n") + 3_000_000 == len(said)


@pytest.mark.parametrize("notify", ["yes", "no"])
def test_half_close_inside_tls(playing: Playing, raw: Raw, notify: str) -> None:
    """A half-close is a FIN, with close_notify in front of it or without."""
    text = f"rules: [{{when: NOOP, then: half-close}}]\ntls: {{close-notify: {notify}}}"
    with playing(text) as server:
        client = strictly_inside(raw, server)
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        assert client.ask(b"NOOP") == b"+OK\r\n"

        if notify == "yes":
            assert client.socket.recv(1) == b""
        else:
            with pytest.raises(ssl.SSLEOFError):
                client.socket.recv(1)
        assert server.journal.connections[0].ended == "half-close"


def test_reset_inside_tls(playing: Playing, raw: Raw) -> None:
    """A reset inside TLS is a true RST."""
    with playing("rules: [{when: NOOP, cut: 0, then: reset}]") as server:
        client = inside(raw, server)
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        client.send(b"NOOP\r\n")

        # Python's own reading of TLS takes a RST for an end.
        with pytest.raises(ConnectionResetError):
            socket.socket.recv(client.socket, 1)


def test_client_that_has_said_all(raw: Raw) -> None:
    """A client may end its side of TLS, and still read every answer."""
    with MockServer(tls="implicit") as server:
        client = connected(raw, server)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = server.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        shake_hands(tls, incoming, outgoing, client, len(client_hello()))
        tls.write(b"USER alice\r\nPASS secret\r\nRETR 4\r\n")
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        client.send(outgoing.read())
        client.socket.shutdown(socket.SHUT_WR)
        octets = len(end_of(client))

        assert octets > 20_000
        assert server.journal.commands == ["USER alice", "PASS ****", "RETR 4"]


@pytest.mark.parametrize("how", ["close_notify", "fin", "rst"])
def test_a_lost_tls_session_removes_nothing(raw: Raw, how: str) -> None:
    """Without QUIT no message is removed, however TLS ends (RFC1939-6-09)."""
    with MockServer(tls="implicit") as server:
        client = inside(raw, server)
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        client.ask(b"DELE 1")
        if how == "close_notify":
            assert isinstance(client.socket, ssl.SSLSocket)
            client.socket.unwrap().close()
        elif how == "rst":
            linger = struct.pack("ii", 1, 0)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()
        server.wait_closed()

        assert len(server.maildrop) == 4


def test_garbage_inside_tls(raw: Raw) -> None:
    """What is no TLS record ends a connection that was inside TLS, and the alert says so."""
    with MockServer(tls="implicit") as server:
        client = inside(raw, server)
        socket.socket.sendall(client.socket, b"CAPA\r\n" * 10)

        with pytest.raises(ssl.SSLError, match="ALERT"):
            client.rest()
        server.wait_closed()
        assert server.journal.connections[0].ended == "TLS failed"


# What goes over from before TLS


def test_capabilities_change_with_tls(raw: Raw) -> None:
    """Inside TLS CAPA is another: no STLS, and mechanisms that need TLS (RFC2595-4-02, 4-04)."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        before = set(client.listing(b"CAPA").split(b"\r\n"))
        client.ask(b"STLS")
        client.wrap()
        after = set(client.listing(b"CAPA").split(b"\r\n"))

    changed = before ^ after
    assert b"STLS" in before - after
    assert {b"STLS"} == {line for line in changed if not line.startswith(b"SASL ")}
    assert any(b"-PLUS" in line for line in after - before)


@pytest.mark.parametrize("behind", [b"CAPA\r\n", b"USER alice\r\nPASS secret\r\n", b"US"])
@pytest.mark.parametrize("text", ["", "tls: {pipelined: discard}"])
def test_pipelined_is_discarded(playing: Playing, raw: Raw, text: str, behind: bytes) -> None:
    """What stands behind STLS in the clear is never run inside TLS (RFC2595-4-13, 4-14)."""
    with playing(text) as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\n" + behind)
        assert client.line() == BEGIN
        client.wrap()

        assert client.ask(b"STAT").startswith(b"-ERR ")
        assert server.journal == ["STLS", "STAT"]


def test_pipelined_is_executed(playing: Playing, raw: Raw) -> None:
    """A server with the hole of CVE-2011-0411 answers inside TLS what came in the clear."""
    with playing("tls: {pipelined: execute}") as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\nUSER alice\r\nNOOP\r\nUS")
        assert client.line() == BEGIN
        client.wrap()

        assert client.line() == b"+OK now the password for alice\r\n"
        assert client.line().startswith(b"-ERR ")
        client.send(b"ER bob\r\n")
        assert client.line() == b"+OK now the password for bob\r\n"
        asked = [(each.line, each.tls) for each in server.journal.exchanges]

    assert asked == [("STLS", False), ("USER alice", True), ("NOOP", True), ("USER bob", True)]


def test_pipelined_login_is_executed(playing: Playing, raw: Raw) -> None:
    """Whoever sits in between can so log the client in as somebody else (CVE-2021-38084)."""
    with playing("tls: {pipelined: execute}") as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\nUSER bob\r\nPASS hunter2\r\n")
        client.line()
        client.wrap()
        client.line()

        assert client.line() == b"+OK maildrop has 0 messages (0 octets)\r\n"


def test_pipelined_belongs_to_the_handshake(playing: Playing, raw: Raw) -> None:
    """Where it is taken for the ClientHello, the handshake fails."""
    with playing("tls: {pipelined: handshake}") as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\nCAPA\r\n")

        assert client.line() == BEGIN
        assert b"+OK" not in end_of(client)
        server.wait_closed()
        assert server.journal == ["STLS"]
        assert server.journal.connections[0].ended == "handshake failed"


@pytest.mark.parametrize("policy", ["discard", "handshake"])
def test_client_hello_that_comes_with_stls(playing: Playing, raw: Raw, policy: str) -> None:
    """A ClientHello that did not wait for STLS's answer is heard only where nothing is dropped."""
    with playing(f"tls: {{pipelined: {policy}}}") as server:
        client = raw(server)
        client.line()
        client.send(b"STLS\r\n" + client_hello())
        assert client.line() == BEGIN

        if policy == "handshake":
            assert client.until(b"\x16\x03\x03") == b"\x16\x03\x03"  # a ServerHello's record
        else:
            assert client.silent()


@pytest.mark.parametrize(("forgets", "answer"), [("yes", b"-ERR USER"), ("no", b"+OK maildrop")])
def test_user_from_before_tls(playing: Playing, raw: Raw, forgets: str, answer: bytes) -> None:
    """Who was named in the clear is forgotten inside TLS, by a good server (RFC2595-4-16)."""
    with playing(f"tls: {{forgets: {forgets}}}") as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")
        client.ask(b"STLS")
        client.wrap()

        assert client.ask(b"PASS secret").startswith(answer)


def test_user_and_stls_that_is_refused(playing: Playing, raw: Raw) -> None:
    """A server that does not forget at STLS forgets at any other command between USER and PASS."""
    rules = "rules: [{when: STLS, reply: -ERR no}]"
    with playing(f"tls: {{forgets: no}}\n{rules}") as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")
        client.ask(b"STLS")

        assert client.ask(b"PASS secret").startswith(b"-ERR ")


# Client certificates


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", ["optional", "required"])
def test_client_certificate(playing: Playing, raw: Raw, mode: str, policy: str) -> None:
    """A certificate of the mock's authority is taken, and the session is as ever."""
    with playing(f"tls: {{mode: {mode}, client-certificate: {policy}}}") as server:
        client = inside(raw, server, server.client_context(user="alice"))

        assert client.ask(b"USER alice").startswith(b"+OK ")


@pytest.mark.parametrize("policy", ["none", "optional"])
def test_no_client_certificate_needed(playing: Playing, raw: Raw, policy: str) -> None:
    """Where none is required a client that shows none is served."""
    with playing(f"tls: {{client-certificate: {policy}}}") as server:
        client = inside(raw, server)

        assert client.ask(b"USER alice").startswith(b"+OK ")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("version", "alert"), [("TLSv1.2", "HANDSHAKE_FAILURE"), ("TLSv1.3", "CERTIFICATE_REQUIRED")]
)
def test_client_certificate_is_missing(
    playing: Playing, raw: Raw, mode: str, version: str, alert: str
) -> None:
    """Where one is required a client that shows none is told why it is not served."""
    text = f"tls: {{mode: {mode}, maximum: {version}, client-certificate: required}}"
    with playing(text) as server:
        client = connected(raw, server)

        # In TLS 1.3 the client is done before the server has looked.
        with pytest.raises(ssl.SSLError, match=alert):  # noqa: PT012 - either of them
            client.wrap()
            client.line()
        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


@pytest.mark.parametrize("policy", ["optional", "required"])
def test_client_certificate_of_somebody_else(playing: Playing, raw: Raw, policy: str) -> None:
    """A certificate that the mock's authority has not signed is refused."""
    import trustme

    with playing(f"tls: {{client-certificate: {policy}}}") as server:
        client = connected(raw, server)
        context = server.client_context()
        trustme.CA().issue_cert(common_name="alice").configure_cert(context)

        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):  # noqa: PT012 - either of them
            client.wrap(context)
            client.line()
