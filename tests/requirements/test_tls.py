"""TLS: STLS (RFC 2595), and TLS from the first octet (RFC 8314)."""

from __future__ import annotations

import datetime
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest

from pop3mock._tls import client_context

from ._wire import accepted, lines_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3mock import MockServer

    from ._wire import Line, Wire
    from .conftest import Connect, Dial, Play

    Secure = Callable[[MockServer], Line]


@pytest.fixture
def implicit(play: Play) -> MockServer:
    """The default server, with TLS from the first octet."""
    return play(tls="implicit")


@pytest.fixture
def secure(dial: Dial) -> Secure:
    """Opens a connection and upgrades it by STLS."""

    def upgrade(server: MockServer) -> Line:
        line = dial(server)
        line.line()
        assert accepted(line.ask(b"STLS"))
        line.wrap(server.client_context())
        return line

    return upgrade


@pytest.fixture
def inside(before: Wire) -> Wire:
    """A conversation with the default server, inside TLS, in the authorization state."""
    before.ask(b"STLS")
    before.secure()
    return before


# STLS


def test_rfc2595_4_01_capa_where_there_is_stls(before: Wire) -> None:
    """A server with STLS has CAPA."""
    assert b"STLS" in lines_of(before.ask(b"CAPA"))
    assert accepted(before.ask(b"STLS"))


def test_rfc2595_4_02_stls_is_announced_where_it_may_come(connect: Connect, play: Play) -> None:
    """STLS is announced before login and outside TLS, by a server that has it."""
    for mode, there in (("stls", True), ("none", False)):
        wire = connect(play(tls=mode))

        assert (b"STLS" in lines_of(wire.ask(b"CAPA"))) is there
        assert accepted(wire.ask(b"STLS")) is there


def test_rfc2595_4_03_stls_is_not_announced_after_login(wire: Wire) -> None:
    """STLS is not announced in the transaction state."""
    assert b"STLS" not in lines_of(wire.ask(b"CAPA"))


def test_rfc2595_4_04_stls_is_not_announced_inside_tls(inside: Wire) -> None:
    """STLS is not announced once TLS is on."""
    assert b"STLS" not in lines_of(inside.ask(b"CAPA"))


def test_rfc2595_4_05_handshake_follows_stls(secure: Secure, server: MockServer) -> None:
    """STLS is answered +OK, and the handshake begins right behind it."""
    line = secure(server)

    assert isinstance(line.socket, ssl.SSLSocket)
    assert line.socket.version() in ("TLSv1.2", "TLSv1.3")


def test_rfc2595_4_06_no_new_greeting(secure: Secure, server: MockServer) -> None:
    """After the handshake the server waits: what it says first answers the first command."""
    line = secure(server)
    server.settle()

    assert refused(line.ask(b"XYZZ"))


def test_rfc2595_4_07_authorization_state_after_stls(secure: Secure, server: MockServer) -> None:
    """After STLS the session is in the authorization state still."""
    line = secure(server)

    assert refused(line.ask(b"STAT"))


def test_rfc2595_4_08_capa_after_stls(secure: Secure, server: MockServer) -> None:
    """CAPA works after STLS."""
    line = secure(server)

    assert b"USER" in lines_of(line.ask_for_lines(b"CAPA"))


def test_rfc2595_4_09_stls_after_login(dial: Dial, server: MockServer) -> None:
    """STLS after login is refused, and the session goes on in the clear."""
    line = dial(server)
    line.log_in()

    assert refused(line.ask(b"STLS"))
    assert line.ask(b"NOOP") == b"+OK\r\n"


def test_rfc2595_4_10_stls_twice(secure: Secure, server: MockServer) -> None:
    """STLS inside TLS is refused, and the session goes on."""
    line = secure(server)

    assert refused(line.ask(b"STLS"))
    line.ask(b"USER alice")
    assert accepted(line.ask(b"PASS secret"))


def test_rfc2595_4_11_stls_takes_no_argument(before: Wire) -> None:
    """STLS with an argument is refused, and no handshake is awaited."""
    assert refused(before.ask(b"STLS x"))
    assert not before.starts_tls


@pytest.mark.parametrize("mode", ["stls", "implicit"])
def test_rfc2595_4_12_certificate_alone_does_not_log_in(dial: Dial, play: Play, mode: str) -> None:
    """A client that shows a certificate is not logged in by that."""
    server = play("tls: {client-certificate: required}", tls=mode)
    context = client_context("alice")
    if mode == "implicit":
        line = dial(server, context)
        line.line()
    else:
        line = dial(server)
        line.line()
        line.ask(b"STLS")
        line.wrap(context)

    assert refused(line.ask(b"STAT"))


def test_rfc2595_4_13_injected_command_is_dropped(dial: Dial, server: MockServer) -> None:
    """A command that comes with STLS in one segment is never answered."""
    line = dial(server)
    line.line()
    line.send(b"STLS\r\nCAPA\r\n")
    said = line.line()
    line.wrap(server.client_context())

    assert accepted(said)
    assert refused(line.ask(b"XYZZ"))


def test_rfc2595_4_14_injected_user_is_dropped(dial: Dial, server: MockServer) -> None:
    """A USER that comes with STLS is not that of the session inside TLS."""
    line = dial(server)
    line.line()
    line.send(b"STLS\r\nUSER alice\r\n")
    line.line()
    line.wrap(server.client_context())

    assert refused(line.ask(b"PASS secret"))
    assert refused(line.ask(b"STAT"))


def test_rfc2595_4_15_injected_segment_is_no_command(dial: Dial, server: MockServer) -> None:
    """Octets in a segment of their own before the handshake are never taken for a command."""
    line = dial(server)
    line.line()
    line.ask(b"STLS")
    line.send(b"CAPA\r\n")
    server.settle()

    with pytest.raises((ssl.SSLError, ConnectionError)):
        line.wrap(server.client_context())

    assert "CAPA" not in server.transcript()


def test_rfc2595_4_16_user_before_stls_is_forgotten(dial: Dial, server: MockServer) -> None:
    """A USER from before STLS is forgotten."""
    line = dial(server)
    line.line()
    line.ask(b"USER alice")
    line.ask(b"STLS")
    line.wrap(server.client_context())

    assert refused(line.ask(b"PASS secret"))
    assert refused(line.ask(b"STAT"))


def test_rfc2595_4_17_failed_handshake_ends_the_connection(dial: Dial, server: MockServer) -> None:
    """After a handshake that failed the server does not go on in the clear."""
    line = dial(server)
    line.line()
    line.ask(b"STLS")
    line.send(b"This is no handshake.\r\n")

    said = line.until(b"never")

    assert b"+OK" not in said
    assert b"-ERR" not in said
    server.wait_closed()


def test_rfc2595_2_3_01_login_in_the_clear(connect: Connect, play: Play) -> None:
    """Login without TLS can be refused; the default server, which tests talk to, allows it."""
    lax = connect(play())
    strict = connect(play("rules: [{when: [USER, APOP, AUTH], tls: no, reply: '-ERR TLS first'}]"))

    assert accepted(lax.log_in())
    assert refused(strict.log_in())
    strict.ask(b"STLS")
    strict.secure()
    assert accepted(strict.log_in())


# Certificates, versions, ends


def test_rfc2595_2_4_01_certificate_is_good(dial: Dial, implicit: MockServer) -> None:
    """The certificate names the host, is in date, and comes from the authority."""
    line = dial(implicit, implicit.client_context())

    assert isinstance(line.socket, ssl.SSLSocket)
    certificate = line.socket.getpeercert()
    assert certificate is not None
    now = datetime.datetime.now(datetime.UTC).timestamp()
    since, until = str(certificate["notBefore"]), str(certificate["notAfter"])
    assert ssl.cert_time_to_seconds(since) < now < ssl.cert_time_to_seconds(until)
    assert ("DNS", "localhost") in tuple(certificate["subjectAltName"])


def test_rfc8314_3_1_01_greeting_comes_inside_tls(dial: Dial, implicit: MockServer) -> None:
    """With TLS from the first octet nothing is said in the clear."""
    silent = dial(implicit)
    implicit.settle()
    silent.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent.socket.recv(1)

    line = dial(implicit, implicit.client_context())

    assert accepted(line.line())


def test_rfc8314_3_1_02_authorization_state_after_the_greeting(
    dial: Dial, implicit: MockServer
) -> None:
    """After the greeting the session is in the authorization state."""
    line = dial(implicit, implicit.client_context())
    line.line()

    assert refused(line.ask(b"STAT"))


def test_rfc8314_3_1_03_no_stls_with_implicit_tls(dial: Dial, implicit: MockServer) -> None:
    """With TLS from the first octet STLS is neither announced nor accepted."""
    line = dial(implicit, implicit.client_context())
    line.line()

    assert b"STLS" not in lines_of(line.ask_for_lines(b"CAPA"))
    assert refused(line.ask(b"STLS"))


def test_rfc8314_4_02_implicit_tls_is_offered(dial: Dial, implicit: MockServer) -> None:
    """A whole session works with TLS from the first octet."""
    line = dial(implicit, implicit.client_context())

    assert accepted(line.log_in())
    assert line.ask(b"STAT").startswith(b"+OK 4 ")
    line.send(b"QUIT\r\n")
    assert accepted(line.rest())


@pytest.mark.parametrize("mode", ["stls", "implicit"])
def test_rfc8314_3_4_01_close_notify(dial: Dial, secure: Secure, play: Play, mode: str) -> None:
    """The server sends close_notify before it closes."""
    server = play(tls=mode)
    if mode == "implicit":
        line = dial(server, server.client_context())
        line.line()
    else:
        line = secure(server)

    line.send(b"QUIT\r\n")

    # A connection that ended without it would be an SSLEOFError.
    assert accepted(line.rest())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_rfc8314_4_01_tls_1_2_and_later(
    dial: Dial, implicit: MockServer, version: ssl.TLSVersion
) -> None:
    """TLS 1.2 and TLS 1.3 work."""
    context = implicit.client_context()
    context.minimum_version = context.maximum_version = version

    line = dial(implicit, context)

    assert isinstance(line.socket, ssl.SSLSocket)
    assert line.socket.version() == version.name.replace("_", ".")
    assert accepted(line.line())


@pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1"])
def test_rfc8996_1_01_older_tls_is_refused(dial: Dial, implicit: MockServer, name: str) -> None:
    """TLS 1.0 and TLS 1.1 are refused, by the server and not by this client."""
    context = implicit.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[name]

    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        dial(implicit, context)
