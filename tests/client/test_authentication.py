"""Which way to log in is chosen, when the next one is tried, and what no one may see."""

from __future__ import annotations

import base64
import importlib.util
import subprocess
import sys
import traceback
from typing import Any

import pytest

import pop3client
from pop3client import TLSInfo

STAMP = b"<1896.697170952@dbc.mtview.ca.us>"
TLS_UP = TLSInfo("TLSv1.2", "X", {}, b"", b"unique")
SASL = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN"]
PLAIN = b"AUTH PLAIN " + base64.b64encode(b"\0alice\0secret") + b"\r\n"
USER = [b"USER alice\r\n", b"PASS secret\r\n"]


def capa(*mechanisms: str, user: bool = True) -> bytes:
    """An answer to CAPA with these mechanisms."""
    sasl = b"SASL " + " ".join(mechanisms).encode() + b"\r\n" if mechanisms else b""
    return b"+OK\r\nUIDL\r\n" + sasl + b"USER\r\n" * user + b".\r\n"


def client_of(server: Any, *, tls: TLSInfo | None, **options: Any) -> Any:
    """A client that is not logged in, as after a TLS handshake."""
    client = server.client(**options)
    client._session.tls = tls
    return client


def tried(server: Any) -> list[str]:
    """The mechanisms that the client has begun."""
    words = [line.decode().split() for line in server.sent]
    return [
        line[1] if line[0] == "AUTH" else line[0] for line in words if line[0] in {"AUTH", "USER"}
    ]


@pytest.mark.parametrize(
    ("offered", "tls", "order"),
    [
        (SASL, TLS_UP, [*SASL, "USER"]),
        (SASL, TLSInfo("TLSv1.3", "X", {}, b""), [*SASL[1:2], *SASL[3:], "USER"]),
        (SASL, None, ["SCRAM-SHA-256", "SCRAM-SHA-1", "USER", "PLAIN", "LOGIN"]),
        (["CRAM-MD5", "PLAIN", "NTLM"], TLS_UP, ["PLAIN", "USER"]),
        (["CRAM-MD5", "PLAIN", "NTLM"], None, ["USER", "PLAIN"]),
        (["cram-md5", "login"], TLS_UP, ["LOGIN", "USER"]),
        ([], TLS_UP, ["USER"]),
        ([], None, ["USER"]),
    ],
)
def test_the_safest_first(
    fake: Any, cut: int | None, offered: list[str], tls: TLSInfo | None, order: list[str]
) -> None:
    """What the server offers is tried from the safest on, as long as it does not work."""
    no = b"-ERR this is not supported here\r\n"
    server = fake(
        {"CAPA": capa(*offered), "USER": no}, exchanges={name: [no] for name in SASL}, cut=cut
    )
    client = client_of(server, tls=tls)

    with pytest.raises(pop3client.AuthenticationError, match="not supported"):
        client.login("alice", "secret")

    assert order == tried(server)
    broken = [each.where for each in client.deviations if each.quirk == "mech-advertised-broken"]
    assert order[:-1] == broken


def test_user_that_is_not_announced_comes_last(fake: Any) -> None:
    """A server that announces mechanisms, and no USER, is asked for USER when nothing else is."""
    server = fake(
        {"CAPA": capa("PLAIN", user=False)}, exchanges={"PLAIN": [b"-ERR not supported\r\n"]}
    )
    server.connect().close()

    assert tried(server) == ["PLAIN", "USER"]


def test_without_capa_there_is_user(fake: Any) -> None:
    """A server without CAPA is logged in to with USER and PASS."""
    server = fake({"CAPA": b"-ERR\r\n"})
    server.connect().close()

    assert server.sent == [b"CAPA\r\n", *USER, b"STAT\r\n", b"QUIT\r\n"]


@pytest.mark.parametrize(
    "refusal",
    [
        b"-ERR [AUTH] no",
        b"-ERR [AUTH] mechanism not supported",
        b"-ERR Logon failure: unknown user name or bad password.",
        b"-ERR Authentication failed.",
        b"-ERR Invalid login or password",
        b"-ERR access denied",
        b"-ERR your account has been locked",
        b"-ERR [IN-USE] busy",
        b"-ERR [LOGIN-DELAY] wait",
        b"-ERR [SYS/TEMP] protocol error",
        b"-ERR [SYS/PERM] no",
        b"-ERR could not get lock",
    ],
)
def test_a_refusal_of_the_user_is_final(fake: Any, cut: int | None, refusal: bytes) -> None:
    """What speaks of the user, or of the maildrop, is not tried again by other means."""
    server = fake(
        {"CAPA": capa("PLAIN", "LOGIN")}, exchanges={"PLAIN": [refusal + b"\r\n"]}, cut=cut
    )
    client = client_of(server, tls=TLS_UP)

    with pytest.raises(pop3client.CommandError) as caught:
        client.login("alice", "secret")

    assert caught.value.command == "AUTH PLAIN"
    assert tried(server) == ["PLAIN"]
    assert client.deviations == ()


@pytest.mark.parametrize(
    "refusal",
    [
        b"-ERR",
        b"-ERR unknown command",
        b"-ERR Protocol error. 14",
        b"-ERR mechanism not supported for this user",
        b"-ERR internal server error",
        b"-ERR AUTH: Invalid command AUTH",
    ],
)
def test_a_mechanism_that_does_not_work(fake: Any, cut: int | None, refusal: bytes) -> None:
    """What does not speak of the user is the mechanism's fault, and the next one is tried."""
    server = fake(
        {"CAPA": capa("PLAIN", "LOGIN")},
        exchanges={
            "PLAIN": [refusal + b"\r\n"],
            "LOGIN": [b"+ VXNlcm5hbWU6\r\n", b"+ UGFzc3dvcmQ6\r\n", b"+OK\r\n"],
        },
        cut=cut,
    )
    client = client_of(server, tls=TLS_UP)

    client.login("alice", "secret")

    assert server.sent[1:5] == [PLAIN, b"AUTH LOGIN\r\n", b"YWxpY2U=\r\n", b"c2VjcmV0\r\n"]
    (entry,) = client.deviations
    assert (entry.quirk, entry.where) == ("mech-advertised-broken", "PLAIN")


@pytest.mark.parametrize("how", ["CLOSE", "RESET"])
def test_a_server_that_hangs_up_at_a_mechanism(fake: Any, cut: int | None, how: str) -> None:
    """Nobody can go on over a connection that is gone; the error says what to do."""
    server = fake({"CAPA": capa("PLAIN")}, exchanges={"PLAIN": [getattr(fake.End, how)]}, cut=cut)
    client = client_of(server, tls=TLS_UP)

    with pytest.raises(pop3client.ConnectionClosed, match="connect anew, with another") as caught:
        client.login("alice", "secret")

    assert caught.value.step == "AUTH PLAIN"
    assert tried(server) == ["PLAIN"]


def test_a_refusal_and_then_no_connection(fake: Any) -> None:
    """A server that refuses and hangs up has refused; no other mechanism can be tried."""
    server = fake(
        {"CAPA": capa("PLAIN", "LOGIN")},
        exchanges={"PLAIN": [(b"-ERR not supported\r\n", fake.End.CLOSE)]},
    )
    client = client_of(server, tls=TLS_UP)

    with pytest.raises(pop3client.AuthenticationError, match="not supported"):
        client.login("alice", "secret")

    assert tried(server) == ["PLAIN"]
    assert [entry.quirk for entry in client.deviations] == ["close-on-bad-auth"]


@pytest.mark.parametrize("name", ["APOP", "apop", "CRAM-MD5", "USER", "PLAIN", "LOGIN"])
def test_a_mechanism_by_name(fake: Any, cut: int | None, name: str) -> None:
    """A mechanism that is asked for is used, whatever the server offers, and no other."""
    server = fake(
        greeting=b"+OK " + STAMP + b"\r\n",
        exchanges={
            "CRAM-MD5": [b"+ " + base64.b64encode(STAMP) + b"\r\n", b"+OK\r\n"],
            "PLAIN": [b"+OK\r\n"],
            "LOGIN": [b"+ \r\n", b"+ \r\n", b"+OK\r\n"],
        },
        cut=cut,
    )
    with server.client() as client:
        client.login("alice", "secret", mechanism=name)

    first = {"APOP": b"APOP alice", "USER": USER[0], "PLAIN": PLAIN}
    assert server.sent[0].startswith(first.get(name.upper(), f"AUTH {name}".encode()))
    assert server.sent[-2:] == [b"STAT\r\n", b"QUIT\r\n"]


def test_cram_md5_signs_as_in_its_rfc(fake: Any) -> None:
    """The digest is that of the example of RFC 2195."""
    challenge = base64.b64encode(STAMP.replace(b"dbc.mtview.ca.us", b"postoffice.reston.mci.net"))
    server = fake(exchanges={"CRAM-MD5": [b"+ " + challenge + b"\r\n", b"+OK\r\n"]})
    with server.client() as client:
        client.login("tim", "tanstaaftanstaaf", "CRAM-MD5")

    assert base64.b64decode(server.sent[1]) == b"tim b913a602c7eda7a495b4e6e7334d3890"


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "SCRAM", "", "NTLM", "SCRAM-SHA-512"])
def test_names_that_take_no_password(fake: Any, mechanism: str) -> None:
    """A name that login does not know is refused before anything is sent."""
    server = fake()

    with pytest.raises(pop3client.InvalidArgument, match="CRAM-MD5"):
        server.connect(mechanism=mechanism)
    with server.client() as client, pytest.raises(pop3client.InvalidArgument, match="mechanism"):
        client.login("alice", "secret", mechanism)

    assert server.sent == [b"QUIT\r\n"]


@pytest.mark.parametrize(
    ("mechanism", "allowed"),
    [
        ("USER", False),
        ("PLAIN", False),
        ("LOGIN", False),
        (None, False),
        ("CRAM-MD5", True),
        ("APOP", True),
        ("SCRAM-SHA-256", True),
    ],
)
def test_what_may_cross_a_network(fake: Any, mechanism: str | None, allowed: bool) -> None:
    """Without TLS only what does not show the password goes out, and only if asked for."""
    server = fake(
        {"CAPA": capa(*SASL), "APOP": b"-ERR no\r\n"},
        greeting=b"+OK " + STAMP + b"\r\n",
        address="192.0.2.1",
    )
    client = server.client()
    kind = pop3client.AuthenticationError if allowed else pop3client.InsecureAuthError

    with pytest.raises(kind):
        client.login("alice", "secret", mechanism)

    assert bool(server.sent) == allowed
    client.abort()


@pytest.mark.parametrize(
    "mechanism",
    [
        pop3client.Plain("alice", "secret"),
        pop3client.Login("alice", "secret"),
        pop3client.XOAuth2("alice", "secret"),
        pop3client.OAuthBearer("alice", lambda: "secret"),
    ],
)
def test_objects_that_show_a_secret(fake: Any, mechanism: Any) -> None:
    """What shows a secret is not sent over a network in the clear, unless that is allowed."""
    server = fake(address="192.0.2.1")
    with server.client() as client, pytest.raises(pop3client.InsecureAuthError):
        client.authenticate(mechanism)
    assert server.sent == [b"QUIT\r\n"]

    with (
        server.client(allow_insecure_auth=True) as client,
        pytest.raises(pop3client.AuthenticationError),
    ):
        client.authenticate(mechanism)


def test_capa_is_asked_again_after_login(fake: Any, cut: int | None) -> None:
    """What was announced before login does not count after it; each stage is kept."""
    server = fake({"CAPA": [capa("PLAIN"), b"+OK\r\nPIPELINING\r\nEXPIRE NEVER\r\n.\r\n"]}, cut=cut)
    with server.connect() as client:
        before, inside, after = client.capability_snapshots

        assert client.capabilities == after
        assert (before.sasl, before.pipelining) == (("PLAIN",), False)
        assert (after.sasl, after.pipelining) == ((), True)
        assert inside is None


def test_capa_refused_after_login(fake: Any) -> None:
    """A server that knows CAPA only before login announces nothing after it."""
    server = fake({"CAPA": [b"+OK\r\nPIPELINING\r\n.\r\n", b"-ERR\r\n"]})
    with server.connect() as client:
        assert not client.capabilities.pipelining
        assert client.capability_snapshots.after_login is None


def test_capabilities_that_are_ignored(fake: Any, cut: int | None) -> None:
    """A capability or a mechanism that the caller does not want is not there."""
    server = fake({"CAPA": capa("PLAIN", "LOGIN", "CRAM-MD5")}, cut=cut)
    ignored = ["uidl", "SASL PLAIN", "sasl cram-md5", "SASL X", "STLS", "X Y"]
    client = client_of(server, tls=TLS_UP, ignored_capabilities=ignored)

    with pytest.raises(pop3client.AuthenticationError):
        client.login("alice", "secret", "PLAIN")
    client.capa()

    assert dict(client.capabilities) == {"SASL": ("LOGIN",), "USER": ()}
    client.close()


SECRET = "hunter2-geheim"


class Own:
    """A mechanism of a user's own."""

    name = "X-OWN"
    clear = False
    secrets = (SECRET.encode(),)
    finished = False

    def initial(self) -> bytes | None:
        """Let the server begin."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Say it with a secret."""
        if challenge == b"stop":
            raise pop3client.ChallengeError("X-OWN: expected another challenge")
        self.finished = True
        return SECRET.encode() + challenge


def test_a_mechanism_of_ones_own(fake: Any, cut: int | None) -> None:
    """Any object that has what Mechanism asks for will do."""
    server = fake(exchanges={"X-OWN": [b"+ YWI=\r\n", b"+OK\r\n"]}, cut=cut)
    with server.client() as client:
        client.authenticate(Own())
        assert client.retr(1).raw == b"one\r\n"

    assert base64.b64decode(server.sent[1]) == SECRET.encode() + b"ab"


@pytest.mark.parametrize("name", ["", "X OWN", "x-own", "X\r\nDELE 1", "X" * 21])
def test_names_that_are_none(fake: Any, name: str) -> None:
    """A name that cannot stand in a command is refused."""
    mechanism = Own()
    mechanism.name = name
    server = fake()
    with server.client() as client, pytest.raises(pop3client.InvalidArgument, match="SASL"):
        client.authenticate(mechanism)

    assert server.sent == [b"QUIT\r\n"]


@pytest.mark.parametrize("answer", [b"-ERR cancelled\r\n", b"+OK then\r\n"])
def test_a_mechanism_that_gives_up(fake: Any, cut: int | None, answer: bytes) -> None:
    """An exchange that is given up is cancelled with an asterisk; then login may be tried anew."""
    server = fake(exchanges={"X-OWN": [b"+ c3RvcA==\r\n", answer]}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.ChallengeError, match="another challenge"):
        client.authenticate(Own())

    assert server.sent == [b"AUTH X-OWN\r\n", b"*\r\n"]
    if answer.startswith(b"-ERR"):
        client.login("alice", "secret")
        client.close()
    else:  # logged in by a server that should not have done it
        with pytest.raises(pop3client.StateError, match="cancelled"):
            client.login("alice", "secret")


def decoded(word: str) -> bytes:
    """What a word is in base64, if it is that."""
    try:
        return base64.b64decode(word, validate=True)
    except ValueError:
        return b""


def echo_after(challenges: int) -> Any:
    """Ask for so many responses, then refuse, and quote all that came, decoded too."""

    def script(line: str) -> Any:
        seen = [line]
        while len(seen) <= challenges:
            seen += [(yield b"+ \r\n")]
        octets = b" ".join(decoded(each.split()[-1]) for each in seen if each)
        text = " ".join(seen).encode() + b" " + octets.replace(b"\0", b" ").replace(b"\1", b" ")
        return b"-ERR " + text + b"\r\n"

    return script


@pytest.mark.parametrize(
    "log_in",
    [
        lambda c: c.login("alice", SECRET, "PLAIN"),
        lambda c: c.login("alice", SECRET, "LOGIN"),
        lambda c: c.login("alice", SECRET, "SCRAM-SHA-256"),
        lambda c: c.login("alice", SECRET),
        lambda c: c.authenticate(Own()),
        lambda c: c.authenticate(pop3client.XOAuth2("alice", SECRET)),
        lambda c: c.authenticate(pop3client.OAuthBearer("alice", SECRET, initial_response=True)),
    ],
)
@pytest.mark.parametrize("challenges", [0, 1, 2])
def test_secrets_are_never_shown(fake: Any, log_in: Any, challenges: int) -> None:
    """A server that echoes what it was sent gets no secret into an error, repr or deviation."""
    names = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "X-OWN", "XOAUTH2", "OAUTHBEARER"]
    server = fake(
        {"CAPA": capa(*names), "PASS": b"-ERR " + SECRET.encode() + b"\r\n"},
        exchanges=dict.fromkeys(names, echo_after(challenges)),
    )
    client = client_of(server, tls=TLS_UP)

    with pytest.raises(pop3client.POP3Error) as caught:
        log_in(client)

    error: BaseException | None = caught.value
    texts = [repr(client), repr(client.deviations), repr(client.config)]
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        texts += traceback.format_exception_only(error)
        error = error.__cause__ or error.__context__
    responses = [word.decode() for line in server.sent for word in line.split()[-1:]]
    hidden = [SECRET, *(each for each in responses if decoded(each) and each not in names)]
    assert not [(word, text) for word in hidden for text in texts if word in text]


def test_scram_without_its_extra(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scramp SCRAM is not chosen; asked for, it is an error that names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    server = fake({"CAPA": capa("SCRAM-SHA-256", "PLAIN")})

    with server.connect() as client:
        assert tried(server) == ["USER"]
    client = server.client()
    with pytest.raises(pop3client.InvalidArgument, match=r"pip install .*pop3kit\[scram\]"):
        client.login("alice", "secret", "SCRAM-SHA-256")

    client.login("alice", "secret")
    client.close()
    with pytest.raises(pop3client.InvalidArgument, match=r"pop3kit\[scram\]"):
        pop3client.Scram("SCRAM-SHA-1", "alice", "secret")


def test_the_client_loads_nothing_but_the_standard_library() -> None:
    """Without its extra the client has to work, so it loads scramp only to use it."""
    code = "import sys, pop3client; print({'scramp', 'asn1crypto'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
