"""Greeting, capabilities, login: what is said before there is any mail."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

import pop3client

STAMP = b"<1896.697170952@dbc.mtview.ca.us>"


@pytest.mark.parametrize(
    "line", [b"Grumble", b"220 mx ESMTP ready", b"* OK IMAP4", b"", b"+OKready"]
)
def test_greeting_of_something_else(fake: Any, cut: int | None, line: bytes) -> None:
    """A greeting that is none of POP3's is an error that quotes it."""
    server = fake(greeting=(line + b"\r\n", fake.End.CLOSE), cut=cut)

    with pytest.raises(pop3client.POP3Error) as caught:
        server.connect()

    if line:
        assert isinstance(caught.value, pop3client.BadStatusLine)
        assert line.decode() in str(caught.value)
    assert server.sent == []
    assert server.connection.closed


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"-ERR Permission denied - do not try again", pop3client.CommandError),
        (b"-ERR [SYS/TEMP] come back later", pop3client.TemporaryError),
        (b"-ERR [IN-USE] busy", pop3client.MailboxInUse),
        (b"-ERR", pop3client.CommandError),
    ],
)
def test_greeting_refuses(fake: Any, cut: int | None, line: bytes, kind: type) -> None:
    """A greeting of -ERR is a typed error that quotes it; nothing is sent."""
    server = fake(greeting=line + b"\r\n", cut=cut)

    with pytest.raises(kind, match="greeting: the server refused") as caught:
        server.connect()

    assert type(caught.value) is kind
    assert server.sent == []
    assert server.connection.closed


def test_greeting_with_a_host_in_base64(fake: Any) -> None:
    """What stands in brackets at the end of a greeting is no response code."""
    with fake(
        greeting=b"+OK The Microsoft Exchange POP3 service is ready. [UwBD=]\r\n"
    ).client() as client:
        assert client.greeting.endswith("[UwBD=]")


def test_capa_refused(fake: Any, cut: int | None) -> None:
    """A server without CAPA is put up with; its capabilities are empty."""
    server = fake({"CAPA": b"-ERR unknown command\r\n"}, cut=cut)

    with server.connect() as client:
        assert not client.capabilities
        assert [entry.quirk for entry in client.deviations] == ["no-capa"]


@pytest.mark.parametrize("how", ["CLOSE", "RESET"])
def test_capa_closes(fake: Any, cut: int | None, how: str) -> None:
    """A server that closes on CAPA is connected to once more, and not asked again."""
    server = fake({"CAPA": getattr(fake.End, how)}, cut=cut)

    with server.connect() as client:
        assert [entry.quirk for entry in client.deviations] == ["capa-closes"]
        assert not client.capabilities

    assert [connection.closed for connection in server.connections] == [True, True]
    assert server.sent == [
        b"CAPA\r\n",
        b"USER alice\r\n",
        b"PASS secret\r\n",
        b"STAT\r\n",
        b"QUIT\r\n",
    ]


def test_closed_before_capa(fake: Any) -> None:
    """A connection that is closed before CAPA is sent was not closed because of it."""
    server = fake(greeting=(b"+OK\r\n", fake.End.CLOSE))

    with pytest.raises(pop3client.ConnectionClosed, match="before CAPA") as caught:
        server.connect()

    assert [entry.quirk for entry in caught.value.deviations] == ["greeting-bare"]
    assert len(server.connections) == 1


def test_capa_closes_and_then_nobody_answers(fake: Any) -> None:
    """The second connection is the last one."""
    server = fake({"CAPA": fake.End.CLOSE, "USER": fake.End.CLOSE})

    with pytest.raises(pop3client.ConnectionClosed):
        server.connect()

    assert len(server.connections) == 2
    assert all(connection.closed for connection in server.connections)


def test_apop(fake: Any, cut: int | None) -> None:
    """APOP signs the timestamp, wherever it stands in the greeting; the password is not sent."""
    server = fake(greeting=b"+OK POP3 <not one> server ready " + STAMP + b" hello\r\n", cut=cut)

    server.connect("mrose", "tanstaaf", mechanism="APOP").close()

    assert server.sent[1] == b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"
    assert not any(b"tanstaaf" in data for data in server.sent)


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"<a.b.c>",
        b"<a b@c>",
        b"<@c>",
        b"<a@>",
        b"<a@b",
        b"a@b>",
        b"<a\x80@b>",
        b"<a\0@b>",
        b"<a\x01@b>",
        b"<a@b\xff>",
        b"<a@b@\xc3\xa9>",
    ],
)
def test_apop_signs_nothing_else(fake: Any, cut: int | None, stamp: bytes) -> None:
    """Only a msg-id of printable ASCII with an @ is signed (CVE-2007-1558)."""
    server = fake(greeting=b"+OK ready " + stamp + b"\r\n", cut=cut)

    with pytest.raises(pop3client.ChallengeError, match="timestamp"):
        server.connect(mechanism="APOP")

    assert not any(data.startswith(b"APOP") for data in server.sent)
    assert server.connection.closed


def test_apop_refused(fake: Any) -> None:
    """A refused APOP is a refused login, and shows neither digest nor password."""
    digest = hashlib.md5(STAMP + b"secret").hexdigest()
    server = fake(
        {"APOP": b"-ERR no " + digest.encode() + b" secret\r\n"}, greeting=b"+OK " + STAMP + b"\r\n"
    )

    with pytest.raises(pop3client.AuthenticationError) as caught:
        server.connect(mechanism="APOP")

    assert digest not in str(caught.value)
    assert "secret" not in repr(vars(caught.value)) + str(caught.value)


def test_exchange_has_no_apop(fake: Any) -> None:
    """With msex APOP is never sent, and the password does not go out instead."""
    server = fake(greeting=b"+OK " + STAMP + b"\r\n")

    with pytest.raises(pop3client.InvalidArgument, match="Exchange"):
        server.connect(mechanism="APOP", msex=True)

    assert not any(data.startswith((b"APOP", b"USER")) for data in server.sent)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "nonsense"])
def test_password_over_a_network(fake: Any, address: str) -> None:
    """Without TLS a password goes to this machine only; nothing at all is sent."""
    server = fake(address=address)

    with pytest.raises(pop3client.InsecureAuthError, match="clear"):
        server.connect()

    assert server.sent == []
    assert server.connection.closed


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_password_to_this_machine(fake: Any, address: str) -> None:
    """Loopback and AF_UNIX are no network."""
    server = fake(address=address)
    server.connect().close()

    assert b"PASS secret\r\n" in server.sent


def test_password_through_a_proxy(fake: Any) -> None:
    """A peer on this machine is no proof, if the socket was made elsewhere for another host."""
    server = fake(address="127.0.0.1")

    with pytest.raises(pop3client.InsecureAuthError, match="clear"):
        server.connect(host="mail.example")

    assert server.sent == []


def test_insecure_on_request(fake: Any) -> None:
    """allow_insecure_auth sends it all the same; APOP needs no such leave."""
    fake(address="192.0.2.1").connect(allow_insecure_auth=True).close()
    fake(address="192.0.2.1", greeting=b"+OK " + STAMP + b"\r\n").connect(mechanism="APOP").close()


def test_login_step_by_step_is_as_careful(fake: Any) -> None:
    """login() itself refuses to send a password over a network."""
    server = fake(address="192.0.2.1")
    with server.client() as client:
        with pytest.raises(pop3client.InsecureAuthError):
            client.login("alice", "secret")

        assert server.sent == []


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "a\r\nDELE 1", "\udc80"])
@pytest.mark.parametrize("where", ["user", "password"])
@pytest.mark.parametrize("apop", [False, True])
def test_no_line_end_in_an_argument(fake: Any, where: str, bad: str, apop: bool) -> None:
    """CR, LF, NUL and what is no text are refused before a connection is made, unquoted."""
    server = fake(greeting=b"+OK " + STAMP + b"\r\n")

    with pytest.raises(pop3client.InvalidArgument) as caught:
        server.connect(**{where: bad}, mechanism="APOP" if apop else None)

    assert isinstance(caught.value, ValueError)
    assert server.connections == []
    assert bad not in str(caught.value)
    assert caught.value.__context__ is None
    with server.client() as client:
        with pytest.raises(pop3client.InvalidArgument):
            (client.apop if apop else client.login)(*("bad\n", "x"))
        assert server.sent == []


def test_no_user(fake: Any) -> None:
    """A user without a name is a mistake."""
    with pytest.raises(pop3client.InvalidArgument, match="user"):
        fake().connect("")


def test_names_outside_ascii(fake: Any) -> None:
    """User and password are sent as UTF-8."""
    server = fake()
    server.connect("jürgen", "ß").close()

    assert server.sent[1:3] == ["USER jürgen\r\n".encode(), "PASS ß\r\n".encode()]


def test_refused_user(fake: Any) -> None:
    """A refused USER is a refused login; the password is not sent."""
    server = fake({"USER": b"-ERR unknown\r\n"})

    with pytest.raises(pop3client.AuthenticationError) as caught:
        server.connect()

    assert caught.value.command == "USER"
    assert not any(data.startswith(b"PASS") for data in server.sent)


def test_second_try_after_a_refusal(fake: Any) -> None:
    """A refused login leaves the session where a login may be tried again."""
    server = fake({"PASS": [b"-ERR no\r\n", b"+OK\r\n"]})
    with server.client() as client:
        with pytest.raises(pop3client.AuthenticationError):
            client.login("alice", "wrong")

        client.login("alice", "secret")
        assert client.retr(1).raw == b"one\r\n"


@pytest.mark.parametrize("how", ["CLOSE", "RESET"])
def test_close_after_a_refused_login(fake: Any, cut: int | None, how: str) -> None:
    """A server that hangs up on a wrong password is still understood: it refused the login."""
    server = fake(
        {"PASS": (b"-ERR Invalid login or password\r\n", getattr(fake.End, how))}, cut=cut
    )
    client = server.client()

    with pytest.raises(pop3client.AuthenticationError, match="Invalid login or password"):
        client.login("alice", "wrong")

    assert [entry.quirk for entry in client.deviations] == ["close-on-bad-auth"]
    with pytest.raises(pop3client.StateError, match="refused the login"):
        client.login("alice", "secret")


@pytest.mark.parametrize("more", [b"+OK Pop server signing off.\r\n", b"x" * 9000])
def test_two_answers_to_a_refused_login(fake: Any, cut: int | None, more: bytes) -> None:
    """A second answer would pass for the next command's; the session is over."""
    server = fake({"PASS": b"-ERR [AUTH] no\r\n" + more}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.AuthenticationError):
        client.login("alice", "wrong")

    with pytest.raises(pop3client.StateError):
        client.login("alice", "secret")
    assert server.connection.closed


def test_stat_refused_after_login(fake: Any) -> None:
    """A server may say yes to PASS and mean no."""
    server = fake({"STAT": b"-ERR login allowed only every 15 minutes\r\n"})

    with pytest.raises(pop3client.CommandError, match="15 minutes"):
        server.connect()

    assert server.connection.closed


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"port": -1},
        {"port": 65536},
        {"ignored_capabilities": "UTF8"},
    ],
)
def test_settings_that_make_no_sense(fake: Any, options: dict[str, Any]) -> None:
    """Every wait is bounded, and a port is a port."""
    server = fake()
    with pytest.raises(pop3client.InvalidArgument):
        server.client(**options)

    assert server.connections == []


@pytest.mark.parametrize("host", ["", "a b", "a\r\nb", "a\0b"])
def test_hosts_that_make_no_sense(facade: Any, host: str) -> None:
    """A host has no white space in it."""
    with pytest.raises(pop3client.InvalidArgument, match="host"):
        facade.client(host)


@pytest.mark.parametrize(
    "name", ["line_octets", "capa_lines", "listing_lines", "messages", "minimum_rate"]
)
def test_limits_that_make_no_sense(name: str) -> None:
    """A limit of nothing is a mistake."""
    with pytest.raises(pop3client.InvalidArgument, match=name):
        pop3client.Limits(**{name: 0})
    with pytest.raises(pop3client.InvalidArgument, match="message_octets"):
        pop3client.Limits(message_octets=-1)


def test_settings_are_those_of_config() -> None:
    """What can be set can be looked up under the same name, and what is unknown is refused."""
    settings = set(pop3client.Settings.__annotations__)

    assert {field.name for field in dataclasses.fields(pop3client.Config)} - {"host"} == settings
    with pytest.raises(TypeError, match="apop"):
        pop3client.connect("h", "u", "p", apop=True)  # type: ignore[call-arg]


def test_config(fake: Any, facade: Any) -> None:
    """Property config tells the settings in force; ports follow TLS."""
    config = fake().client(timeout=5, port=1110).config

    assert (config.host, config.port, config.timeout) == ("localhost", 1110, 5)
    assert (config.msex, config.tls, config.limits) == (
        False,
        pop3client.TLS.NONE,
        pop3client.Limits(),
    )
    assert fake().client().config.port == 110
    seen: list[tuple[str, int, float]] = []

    def factory(host: str, port: int, timeout: float) -> Any:
        seen.append((host, port, timeout))
        raise ConnectionRefusedError

    for tls in pop3client.TLS:
        with pytest.raises(pop3client.ConnectError, match=r"::1 port"):
            facade.client("[::1]", tls=tls, socket_factory=factory, timeout=7)
    assert seen == [("::1", 110, 7), ("::1", 110, 7), ("::1", 110, 7), ("::1", 995, 7)]
