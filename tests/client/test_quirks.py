"""Servers of the scenario library whose oddity is in the login, played by the mock."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import OAuthBearer, Plain, XOAuth2
from pop3mock import MockServer
from pop3scenarios import expand, loads

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.once

USER, PASSWORD = "alice", "secret"


def open_client(facade: Any, server: MockServer, **options: Any) -> Any:
    """A client that is connected to the server."""
    return facade.client(server.host, port=server.port, timeout=5.0, **options)


def quirks(client: Any) -> list[str]:
    """What the client has put up with."""
    return [deviation.quirk for deviation in client.deviations]


def fetch_all(facade: Any, reference: str) -> Any:
    """Fetch all mail from a mock that plays a scenario: what came, and how it ended."""
    with MockServer(reference) as server:
        expect = server.scenario.expect.fetch
        options: dict[str, Any] = {
            "port": server.port,
            "tls": pop3client.TLS(expect.tls or "none"),
            "msex": bool(expect.msex),
            "retr_mode": pop3client.RetrMode(expect.start or "retr"),
            "timeout": 0.6,
        }
        if expect.tls not in (None, "none"):
            options["ssl_context"] = server.client_context()
        failures: dict[int, pop3client.POP3Error] = {}
        messages: Sequence[pop3client.Message] = []
        notices: Sequence[pop3client.Deviation] = []
        error, mode = "", ""
        try:
            client = facade.connect(server.host, *server.credentials, mechanism="USER", **options)
        except pop3client.POP3Error as refused:
            error, notices = type(refused).__name__, refused.deviations
        else:
            try:
                messages = client.retrieve("start", "end", on_error=failures.__setitem__)
                client.close()
            except pop3client.POP3Error as broken:
                messages, error = messages or broken.retrieved, type(broken).__name__
            client.abort()
            mode, notices = client.config.retr_mode, client.deviations
        noted = [(entry.quirk, entry.where, entry.count) for entry in notices]
        failed = {number: type(why) for number, why in failures.items()}
        return [message.raw for message in messages], failed, error, mode, noted


REFERENCES = [ref for folder in ("servers", "quirks", "faults") for ref in expand(f"{folder}/*")]


@pytest.mark.parametrize("reference", REFERENCES)
def test_both_clients_end_alike(facades: Any, reference: str) -> None:
    """Under every scenario that ships both clients get the same messages and the same errors."""
    with ThreadPoolExecutor(2) as both:  # at the same time, for some of the servers hang
        blocking, asynchronous = both.map(lambda facade: fetch_all(facade, reference), facades)

    assert blocking == asynchronous


SURVIVED: list[tuple[str, Any, list[str]]] = [
    ("capa-changes-after-auth", lambda c: c.login(USER, PASSWORD), []),
    ("capa-err-after-auth", lambda c: c.login(USER, PASSWORD), ["no-capa"]),
    ("capa-expire-user", lambda c: c.login(USER, PASSWORD), []),
    ("capa-sasl-empty", lambda c: c.login(USER, PASSWORD), []),
    ("capa-case", lambda c: c.login(USER, PASSWORD), []),
    ("capa-xoauth2-missing", lambda c: c.authenticate(XOAuth2(USER, PASSWORD)), []),
    ("sasl-text-challenge", lambda c: c.login(USER, PASSWORD, "PLAIN"), []),
    ("sasl-plus-no-space", lambda c: c.authenticate(Late(USER, PASSWORD)), ["sasl-plus-no-space"]),
    (
        "sasl-text-challenge",
        lambda c: c.authenticate(Late(USER, PASSWORD)),
        ["sasl-text-challenge"],
    ),
    ("sasl-bare-ok", lambda c: c.login(USER, PASSWORD, "PLAIN"), []),
    ("greeting-apop-late", lambda c: c.login(USER, PASSWORD, "APOP"), []),
    ("greeting-angle-not-apop", lambda c: c.login(USER, PASSWORD), []),
    ("oauth-two-step", lambda c: c.authenticate(OAuthBearer(USER, PASSWORD)), []),
]


class Late(Plain):
    """PLAIN that waits for the challenge, as a long password makes it do."""

    def initial(self) -> bytes | None:
        """Say nothing yet."""
        self._late = super().initial()
        return None

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        """Say all there is to say."""
        return self._late or b""


@pytest.mark.parametrize(("scenario", "log_in", "noted"), SURVIVED)
def test_logged_in_all_the_same(facade: Any, scenario: str, log_in: Any, noted: list[str]) -> None:
    """The oddity is put up with, noted, and the mail is there."""
    with MockServer(scenario) as server:
        with open_client(facade, server) as client:
            log_in(client)
            assert client.stat().count == len(server.maildrop)
            assert noted == quirks(client)
        server.verify()


@pytest.mark.parametrize("offer", ["refused", "refused-late"])
def test_a_mechanism_that_is_announced_and_broken(facade: Any, offer: str) -> None:
    """What does not work is passed by; what fails for a while is an error that says so."""
    with MockServer(f"mech-advertised-broken[{offer}]") as server:
        client = open_client(facade, server, tls=pop3client.TLS.STLS,
                             ssl_context=server.client_context())  # fmt: skip
        if offer == "refused":
            client.login(USER, PASSWORD)
            assert quirks(client) == ["mech-advertised-broken"] * 2
        else:
            with pytest.raises(pop3client.TemporaryError):
                client.login(USER, PASSWORD)
        client.close()


def test_a_mechanism_that_closes(facade: Any) -> None:
    """The connection is gone, and the error says what to do."""
    with MockServer("mech-advertised-broken[closes]") as server:
        client = open_client(facade, server)
        with pytest.raises(pop3client.ConnectionClosed, match="connect anew, with another"):
            client.login(USER, PASSWORD, "PLAIN")


REFUSED: list[tuple[str, Any, type, str]] = [
    ("apop-broken[closes]", "APOP", pop3client.AuthenticationError, ""),
    ("apop-broken[stays]", "APOP", pop3client.AuthenticationError, ""),
    ("apop-broken[unprefixed]", "APOP", pop3client.BadStatusLine, ""),
    ("apop-double-reply", "APOP", pop3client.AuthenticationError, "AUTH"),
    ("no-apop", "APOP", pop3client.ChallengeError, ""),
    ("greeting-angle-not-apop", "APOP", pop3client.ChallengeError, ""),
    ("in-use-code", "USER", pop3client.MailboxInUse, "IN-USE"),
    ("lock-no-code", "USER", pop3client.MailboxInUse, "ALICE"),
    ("intermail-wait", "USER", pop3client.MailboxInUse, ""),
]


@pytest.mark.parametrize(("scenario", "mechanism", "kind", "code"), REFUSED)
def test_refused(facade: Any, scenario: str, mechanism: str, kind: type, code: str) -> None:
    """A refusal is typed, says what the server said, and shows no secret."""
    with MockServer(scenario) as server:
        client = open_client(facade, server)
        with pytest.raises(kind) as caught:
            client.login(USER, PASSWORD, mechanism)
        client.close()

    assert code == getattr(caught.value, "code", "")
    assert PASSWORD not in str(caught.value)


def test_a_plus_that_is_no_success(facade: Any) -> None:
    """A line that begins with +ERR is neither success nor a challenge."""
    with MockServer("plus-err") as server:
        client = open_client(facade, server)
        with pytest.raises(pop3client.BadStatusLine):
            client.login(USER, PASSWORD, "USER")


@pytest.mark.parametrize("kind", [XOAuth2, OAuthBearer])
@pytest.mark.parametrize("at_once", [False, True], ids=["two steps", "initial response"])
def test_why_a_token_is_refused(facade: Any, kind: Any, at_once: bool) -> None:
    """The reason comes as a challenge and is in the error; the session can go on."""
    with MockServer("oauth-error-as-challenge") as server, open_client(facade, server) as client:
        with pytest.raises(pop3client.OAuthError) as caught:
            client.authenticate(kind(USER, "token", initial_response=at_once))
        client.login(USER, PASSWORD, "USER")

    assert caught.value.details["status"] == "400"
    assert caught.value.details["scope"] == "https://mail.google.com/"


def test_a_token_that_is_too_long(facade: Any) -> None:
    """The error says how long the token was, which is what the user has to know."""
    with MockServer("oauth-token-long") as server:
        client = open_client(facade, server)
        with pytest.raises(pop3client.OAuthError, match="the token has 5000 octets"):
            client.authenticate(XOAuth2(USER, "x" * 5000))


def test_a_token_at_once_where_two_steps_are_due(facade: Any) -> None:
    """Who insists on an initial response is told of the server's refusal."""
    with MockServer("oauth-two-step") as server:
        client = open_client(facade, server)
        with pytest.raises(pop3client.OAuthError, match="Protocol error"):
            client.authenticate(XOAuth2(USER, PASSWORD, initial_response=True))


@pytest.mark.parametrize("name", ["UIDL", "TOP"])
@pytest.mark.parametrize("scenario", ["capa-understates", "capa-uidl-after-auth", "default"])
def test_what_capa_does_not_say(facade: Any, scenario: str, name: str) -> None:
    """UIDL and TOP are found though CAPA does not list them, or not yet."""
    with MockServer(scenario) as server, open_client(facade, server) as client:
        client.login(USER, PASSWORD)
        assert client.supports(name) is True


@pytest.mark.parametrize(("scenario", "name"), [("no-uidl", "UIDL"), ("no-top", "TOP")])
def test_what_is_not_there(facade: Any, scenario: str, name: str) -> None:
    """What is refused is not there, and that is noted once."""
    with MockServer(scenario) as server, open_client(facade, server) as client:
        client.login(USER, PASSWORD)
        assert client.supports(name) is False
        assert client.supports(name) is False
        assert [scenario] == quirks(client)


@pytest.mark.parametrize("tls", list(pop3client.TLS))
@pytest.mark.parametrize(
    "mechanism",
    [None, "USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"],
)
def test_a_correct_server(facade: Any, tls: pop3client.TLS, mechanism: str | None) -> None:
    """The mock's own server, in every mode of TLS and by every mechanism that it offers."""
    scenario = """\
pop3: 1
name: all
summary: all mechanisms
server:
  capabilities: [+SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256]
tls: {mode: MODE}
"""
    mode = "implicit" if tls is pop3client.TLS.IMPLICIT else "stls"
    with MockServer(loads(scenario.replace("MODE", mode))) as server:
        context = server.client_context()
        with open_client(facade, server, tls=tls, ssl_context=context, strict=True) as client:
            client.login(USER, PASSWORD, mechanism)
            assert len(list(client.messages())) == len(server.maildrop)
            assert (client.tls is None) == (tls is pop3client.TLS.NONE)
            assert quirks(client) == []
        server.verify()


@pytest.mark.parametrize("name", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", None])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("tls", [pop3client.TLS.STLS, pop3client.TLS.IMPLICIT])
def test_a_login_that_is_bound_to_tls(
    facade: Any, tls: pop3client.TLS, version: ssl.TLSVersion, name: str | None
) -> None:
    """Inside TLS a login is bound to it, and that is what is chosen unasked."""
    mode = "implicit" if tls is pop3client.TLS.IMPLICIT else "stls"
    head = "pop3: 1\nname: bound\nsummary: bound\n"
    with MockServer(loads(f"{head}tls: {{mode: {mode}}}\n")) as server:
        context = server.client_context()
        context.minimum_version = context.maximum_version = version
        with open_client(facade, server, tls=tls, ssl_context=context) as client:
            client.login(USER, PASSWORD, name)
            assert quirks(client) == []

        tried = [line.split()[1] for line in map(str, server.journal.commands) if "AUTH" in line]
        assert tried == [name or "SCRAM-SHA-256-PLUS"]


def test_a_login_by_certificate(facade: Any) -> None:
    """EXTERNAL says nothing but that the certificate has said it."""
    head = "pop3: 1\nname: external\nsummary: external\n"
    with MockServer(loads(f"{head}tls: {{mode: stls, client-certificate: required}}\n")) as server:
        context = server.client_context(user=USER)
        with open_client(facade, server, tls=pop3client.TLS.STLS, ssl_context=context) as client:
            client.authenticate(pop3client.External())
            assert client.stat().count == len(server.maildrop)
