"""The mock server before clients that nobody here wrote."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Protocol

import pytest
import trustme

from pop3mock import MockServer
from pop3scenarios import loads

from . import _mail
from ._clients import Account, ClientFailed, Curl, Fetchmail, Mpop
from .conftest import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pop3mock import Exchange

    from ._clients import Client, TLSMode

pytestmark = pytest.mark.once

MODES = ["none", "stls", "implicit"]
SECURE = ["stls", "implicit"]
#: What a client may say outside TLS when it is to use STLS: nothing that is worth hearing.
BEFORE_STLS = {"CAPA", "STLS"}
HEAD = "pop3: 1\nname: {name}\nsummary: a test\n"

#: The ways in which each client can log in, and the command by which each of them shows; a client
#: that is left the choice shows by any.
WAYS = {
    "curl": {
        "any": "",
        "apop": "APOP",
        "plain": "AUTH PLAIN",
        "login": "AUTH LOGIN",
        "cram-md5": "AUTH CRAM-MD5",
        "xoauth2": "AUTH XOAUTH2",
        "oauthbearer": "AUTH OAUTHBEARER",
    },
    "fetchmail": {
        "any": "",
        "apop": "APOP",
        "password": "PASS",
        "cram-md5": "AUTH CRAM-MD5",
    },
    "mpop": {
        "on": "",
        "user": "PASS",
        "apop": "APOP",
        "plain": "AUTH PLAIN",
        "login": "AUTH LOGIN",
        "cram-md5": "AUTH CRAM-MD5",
        "scram-sha-1": "AUTH SCRAM-SHA-1",
        "scram-sha-256": "AUTH SCRAM-SHA-256",
        "xoauth2": "AUTH XOAUTH2",
        "oauthbearer": "AUTH OAUTHBEARER",
    },
}

LOGINS = [(name, auth) for name, ways in WAYS.items() for auth in ways]

#: fetchmail says APOP in the clear, and never STLS before it.
NO_STLS = ("fetchmail", "apop", "stls")

#: curl takes OAUTHBEARER if it is offered, whatever it was told.
ONLY = {("curl", "xoauth2"): HEAD + "server: {{capabilities: [+SASL XOAUTH2]}}\n"}


class Serve(Protocol):
    """Starts a mock server, and says how a client reaches it."""

    def __call__(self, scenario: str, tls: TLSMode = ...) -> tuple[MockServer, Account]:
        """Play the text of a scenario."""
        ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts mock servers; when the test is over, no client may have done anything wrong."""
    servers: list[MockServer] = []

    def start(scenario: str, tls: TLSMode = "none") -> tuple[MockServer, Account]:
        server = MockServer(loads(scenario), tls=tls).start()
        servers.append(server)
        ca = tmp_path / "ca.pem"
        ca.write_bytes(server.ca_pem)
        user, password = server.credentials
        return server, Account(port=server.port, user=user, password=password, tls=tls, ca=ca)

    yield start
    for server in servers:
        server.stop()
    for server in servers:
        server.verify()


@pytest.fixture
def mpop() -> Mpop:
    """The client that pipelines, and that can be told how to log in."""
    need(shutil.which("mpop"), "the Debian package mpop")
    return Mpop()


@pytest.fixture
def fetchmail() -> Fetchmail:
    """The client that remembers by UIDL, and fetches with TOP when it does."""
    need(shutil.which("fetchmail"), "the Debian package fetchmail")
    return Fetchmail(only_new=True)


@pytest.fixture
def curl() -> Curl:
    """The client that makes a session for each kind of transfer."""
    need(shutil.which("curl"), "the Debian package curl")
    return Curl()


def login_of(exchange: Exchange) -> str:
    """The command, with the mechanism, if it is one that logs in; else nothing."""
    words = exchange.line.split(" ")
    if exchange.command == "AUTH":
        return " ".join(words[:2])
    return exchange.command if exchange.command in ("PASS", "APOP") else ""


def awkward_for(client: Client) -> list[bytes]:
    """The awkward messages, but for lines that the client is known not to take."""
    return [m for m in _mail.messages().values() if _mail.longest_line(m) <= client.longest_line]


def mailbox_of(messages: list[bytes], folder: Path) -> str:
    """A scenario whose maildrop is made of files with these octets.

    A server with UTF8 keeps back headers that are not ASCII until the client asks for them (RFC
    6856, section 2.1), and these clients do not.
    """
    folder.mkdir()
    for number, message in enumerate(messages, 100):
        (folder / f"{number}.eml").write_bytes(message)
    return (
        HEAD.format(name="awkward")
        + f"server: {{capabilities: [-UTF8]}}\nmaildrop: [files: {folder}/*.eml]\n"
    )


@pytest.mark.parametrize("tls", MODES)
def test_every_message_arrives_exactly(
    client: Client, tls: TLSMode, serve: Serve, tmp_path: Path, home: Path
) -> None:
    """What the client delivers is what a correct server sends, octet for octet."""
    messages = awkward_for(client)
    server, account = serve(mailbox_of(messages, tmp_path / "mail"), tls)

    delivered = client.fetch(account, home)

    assert [client.delivers(_mail.canonical(m)) for m in messages] == delivered
    assert len(messages) == len(server.maildrop)


@pytest.mark.parametrize("tls", SECURE)
def test_no_secret_in_the_clear(client: Client, tls: TLSMode, serve: Serve, home: Path) -> None:
    """Where there is TLS the client logs in inside it, and says nothing else outside."""
    server, account = serve(HEAD.format(name="secure"), tls)

    client.fetch(account, home)

    in_the_clear = {each.command for each in server.journal.exchanges if not each.tls}
    assert (BEFORE_STLS if tls == "stls" else set()) == in_the_clear


@pytest.mark.parametrize("tls", SECURE)
def test_an_unknown_authority_is_refused(
    client: Client, tls: TLSMode, serve: Serve, tmp_path: Path, home: Path
) -> None:
    """A client that does not know the mock's authority goes away before it says who it is."""
    server, account = serve(HEAD.format(name="stranger"), tls)
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))

    with pytest.raises(ClientFailed, match=r"(?i)certificate"):
        client.fetch(dataclasses.replace(account, ca=stranger), home)

    said = {each.command for each in server.journal.exchanges}
    assert said <= (BEFORE_STLS if tls == "stls" else set())


def test_deleted_messages_are_gone(client: Client, serve: Serve, home: Path) -> None:
    """What the client deletes is gone when its session has ended with QUIT."""
    server, account = serve(HEAD.format(name="emptied"), "stls")
    expected = [client.delivers(message) for message in server.maildrop]

    delivered = client.fetch(account, home, delete=True)

    assert expected == delivered
    assert list(server.maildrop) == []


def test_an_empty_maildrop_is_no_error(client: Client, serve: Serve, home: Path) -> None:
    """Where there is no mail the client says so in its own way, and goes."""
    _, account = serve(HEAD.format(name="empty") + "maildrop: []\n")

    assert client.fetch(account, home) == []


def test_the_lock_is_free_after_quit(curl: Curl, serve: Serve, home: Path) -> None:
    """Sessions that follow each other at once all get the maildrop (RFC 1939, section 6)."""
    server, account = serve(HEAD.format(name="in-turn"))

    for _ in range(5):
        curl.fetch(account, home)

    sessions = server.journal.connections
    assert len(sessions) == 10
    assert [session.exchanges[-1].command for session in sessions] == ["QUIT"] * 10


@pytest.mark.parametrize(
    ("name", "auth", "tls"),
    [(name, auth, tls) for name, auth in LOGINS for tls in MODES if (name, auth, tls) != NO_STLS],
)
def test_every_way_to_log_in(
    name: str, auth: str, tls: TLSMode, serve: Serve, home: Path, request: pytest.FixtureRequest
) -> None:
    """The digests and SASL exchanges of the mock are those that others reckon with."""
    client = dataclasses.replace(request.getfixturevalue(name), auth=auth)
    server, account = serve(ONLY.get((name, auth), HEAD).format(name="log-in"), tls)
    expected = [client.delivers(message) for message in server.maildrop]

    delivered = client.fetch(account, home)

    assert sorted(expected) == sorted(delivered)
    logins = {login_of(each) for log in server.journal.connections for each in log.exchanges}
    wanted = WAYS[name][auth]
    assert {"", wanted} == logins if wanted else len(logins) == 2


@pytest.mark.parametrize("tls", SECURE)
@pytest.mark.parametrize("name", ["curl", "mpop"])
def test_login_by_certificate(
    name: str,
    tls: TLSMode,
    serve: Serve,
    tmp_path: Path,
    home: Path,
    request: pytest.FixtureRequest,
) -> None:
    """A client that shows its certificate needs no password (RFC 4422, appendix A)."""
    client = dataclasses.replace(request.getfixturevalue(name), auth="external")
    server, account = serve(
        HEAD.format(name="certified") + "tls: {client-certificate: required}\n", tls
    )
    pem = tmp_path / "alice.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(server.client_pem("alice"))
    account = dataclasses.replace(account, pem=pem, password="unknown")

    delivered = client.fetch(account, home)

    assert len(server.maildrop) == len(delivered)
    assert "AUTH EXTERNAL" in server.journal.commands


@pytest.mark.parametrize(("name", "auth"), LOGINS)
def test_a_wrong_password_is_refused(
    name: str, auth: str, serve: Serve, home: Path, request: pytest.FixtureRequest
) -> None:
    """The client understands that it is refused, in each way in which it can be."""
    client = dataclasses.replace(request.getfixturevalue(name), auth=auth)
    server, account = serve(ONLY.get((name, auth), HEAD).format(name="refused"))

    with pytest.raises(ClientFailed):
        client.fetch(dataclasses.replace(account, password="not-it"), home)

    assert {"authorization"} == {each.state for each in server.journal.exchanges}
    refused = any(each.reply.startswith("-ERR [AUTH]") for each in server.journal.exchanges)
    assert refused or (name, auth) == ("curl", "xoauth2")  # it leaves when it has read the JSON
    assert "not-it" not in server.transcript()


def test_pipelined_commands_are_heard_at_once(mpop: Mpop, serve: Serve, home: Path) -> None:
    """A client that does not wait for an answer is answered in order (RFC 2449, section 6.6)."""
    delay = 0.5
    server, account = serve(
        HEAD.format(name="pipelined") + f"rules:\n  - when: RETR 1\n    delay: {delay}\n"
    )
    expected = [mpop.delivers(message) for message in server.maildrop]

    delivered = dataclasses.replace(mpop, pipelining="on").fetch(account, home)

    assert expected == delivered
    times = {each.line: each.time for each in server.journal.exchanges}
    assert times["RETR 2"] - times["RETR 1"] < delay


@pytest.mark.parametrize("pipelining", ["on", "off"])
def test_pipelining_changes_nothing(
    pipelining: str, mpop: Mpop, serve: Serve, tmp_path: Path, home: Path
) -> None:
    """The same messages come with and without pipelining."""
    messages = awkward_for(mpop)
    _, account = serve(mailbox_of(messages, tmp_path / "mail"), "implicit")

    delivered = dataclasses.replace(mpop, pipelining=pipelining).fetch(account, home)

    assert [mpop.delivers(_mail.canonical(m)) for m in messages] == delivered


def test_unique_ids_last(fetchmail: Fetchmail, serve: Serve, tmp_path: Path, home: Path) -> None:
    """A client that remembers unique-ids fetches each message once (RFC 1939, section 7)."""
    messages = awkward_for(fetchmail)
    server, account = serve(mailbox_of(messages[1:], tmp_path / "mail"))

    first = fetchmail.fetch(account, home)
    server.deliver(messages[0])
    second = fetchmail.fetch(account, home)

    assert [fetchmail.delivers(_mail.canonical(m)) for m in messages[1:]] == first
    assert [fetchmail.delivers(_mail.canonical(messages[0]))] == second
    assert {"TOP"} == {c.split()[0] for c in server.journal.commands if c.endswith(" 99999999")}
    assert "RETR" not in {each.command for each in server.journal.exchanges}
