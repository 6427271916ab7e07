"""Exchanges of AUTH: initial responses, odd challenges, SCRAM and its proofs, tokens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest
import scramp
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import pop3client
from pop3client import CramMD5, External, Login, OAuthBearer, Plain, Scram, TLSInfo, XOAuth2
from pop3client._scram import channel_binding

USER, PASSWORD, TOKEN = "alice", "secret", "ya29.token"
STAMP = b"<1896.697170952@dbc.mtview.ca.us>"


def b64(octets: bytes) -> bytes:
    """As a line of an exchange has it."""
    return base64.b64encode(octets)


def responses(server: Any) -> list[bytes]:
    """What the client answered to challenges, decoded."""
    lines = [line.rstrip(b"\r\n") for line in server.sent]
    ours = [line for line in lines if b" " not in line and line not in {b"CAPA", b"STAT", b"QUIT"}]
    return [line if line == b"*" else base64.b64decode(line, validate=True) for line in ours]


XOAUTH2 = b"user=alice\x01auth=Bearer ya29.token\x01\x01"
PLAIN = b"\0alice\0secret"
OK = b"+OK\r\n"


@pytest.mark.parametrize(
    ("mechanism", "line"),
    [
        (Plain(USER, PASSWORD), b"AUTH PLAIN " + b64(PLAIN)),
        (Plain(USER, PASSWORD, "bob"), b"AUTH PLAIN " + b64(b"bob" + PLAIN)),
        (External(), b"AUTH EXTERNAL ="),
        (External("bob"), b"AUTH EXTERNAL Ym9i"),
        (XOAuth2(USER, TOKEN, initial_response=True), b"AUTH XOAUTH2 " + b64(XOAUTH2)),
        (
            OAuthBearer("a=b,c", TOKEN, initial_response=True),
            b"AUTH OAUTHBEARER " + b64(b"n,a=a=3Db=2Cc,\x01auth=Bearer ya29.token\x01\x01"),
        ),
    ],
)
def test_initial_responses(fake: Any, cut: int | None, mechanism: Any, line: bytes) -> None:
    """What the client has to say first goes with the command; nothing to say is an equals sign."""
    server = fake(exchanges={mechanism.name: [OK]}, cut=cut)
    with server.client() as client:
        client.authenticate(mechanism)
        assert client.deviations == ()

    assert server.sent[0] == line + b"\r\n"


@pytest.mark.parametrize(("octets", "fits"), [(178, True), (179, False)])
def test_an_initial_response_that_is_too_long(fake: Any, octets: int, fits: bool) -> None:
    """A command line has 255 octets at most; what does not fit goes after a challenge."""
    server = fake(exchanges={"PLAIN": [OK] if fits else [b"+ \r\n", OK]})
    with server.client() as client:
        client.authenticate(Plain("", "x" * octets))

    line = b64(b"\0\0" + b"x" * octets)
    whole = b"AUTH PLAIN " + line + b"\r\n"
    assert (len(whole) <= 255) == fits
    expected = [whole, b"STAT\r\n"] if fits else [b"AUTH PLAIN\r\n", line + b"\r\n"]
    assert expected == server.sent[:2]


@pytest.mark.parametrize("mechanism", [XOAuth2(USER, TOKEN), OAuthBearer(USER, TOKEN)])
def test_tokens_wait_for_a_challenge(fake: Any, cut: int | None, mechanism: Any) -> None:
    """By default a token is not sent along with AUTH, at which Exchange Online hangs up."""
    server = fake(exchanges={mechanism.name: [b"+ \r\n", OK]}, cut=cut)
    with server.client() as client:
        client.authenticate(mechanism)

    assert server.sent[0] == f"AUTH {mechanism.name}\r\n".encode()
    assert b"auth=Bearer ya29.token" in responses(server)[0]


PLUS = "sasl-plus-no-space"
TEXT = "sasl-text-challenge"
OK_FOR_PLUS = "sasl-ok-for-plus"


@pytest.mark.parametrize(
    ("mechanism", "script", "said", "quirks"),
    [
        (XOAuth2(USER, TOKEN), [b"+\r\n", OK], [XOAUTH2], [PLUS]),
        (XOAuth2(USER, TOKEN), [b"+ \r\n", OK], [XOAUTH2], []),
        (XOAuth2(USER, TOKEN), [b"+ go ahead\r\n", OK], [XOAUTH2], [TEXT]),
        (XOAuth2(USER, TOKEN), [b"+OK\r\n", OK], [XOAUTH2], [OK_FOR_PLUS]),
        (XOAuth2(USER, TOKEN), [b"+OK go on, then\r\n", OK], [XOAUTH2], [OK_FOR_PLUS, TEXT]),
        (XOAuth2(USER, TOKEN), [b"\r\n+ \r\n", OK], [XOAUTH2], ["reply-blank-line"]),
        (XOAuth2(USER, TOKEN), [b"+ \n", OK], [XOAUTH2], ["lf-only"]),
        (XOAuth2(USER, TOKEN), [b"+ \r\n", b"+OK User successfully logged on.\r\n"], [XOAUTH2], []),
        (
            Login(USER, PASSWORD),
            [b"+ VXNlcg==\r\n", b"+ UGFzcw==\r\n", OK],
            [b"alice", b"secret"],
            [],
        ),
        (
            Login(USER, PASSWORD),
            [b"+ Your name:\r\n", b"+\r\n", OK],
            [b"alice", b"secret"],
            [TEXT, PLUS],
        ),
        (Login(USER, PASSWORD), [OK, OK, OK], [b"alice", b"secret"], [OK_FOR_PLUS]),
        (Plain("", "x" * 200), [b"+ what?!\r\n", OK], [b"\0\0" + b"x" * 200], [TEXT]),
    ],
)
def test_odd_challenges(
    fake: Any, cut: int | None, mechanism: Any, script: Any, said: list[bytes], quirks: list[str]
) -> None:
    """Every odd form of a challenge that is known is understood, and noted."""
    server = fake(exchanges={mechanism.name: script}, cut=cut)
    with server.client() as client:
        client.authenticate(mechanism)
        assert client.stat().count == 3

    assert said == responses(server)
    assert quirks == [entry.quirk for entry in client.deviations]
    assert {"AUTH"} >= {entry.where for entry in client.deviations}


@pytest.mark.parametrize("script", [[b"+OK\r\n", OK], [b"+\r\n", OK], [b"+ a b\r\n", OK]])
def test_odd_challenges_and_a_strict_client(fake: Any, script: Any) -> None:
    """A strict client logs in and then says what was wrong."""
    server = fake(exchanges={"XOAUTH2": script})
    with (
        server.client(strict=True) as client,
        pytest.raises(pop3client.DeviationError, match="RFC 5034"),
    ):
        client.authenticate(XOAuth2(USER, TOKEN))


@pytest.mark.parametrize("line", [b"+ERR no\r\n", b"* OK\r\n", b"+OKAY\r\n", b"++\r\n"])
def test_answers_that_are_none(fake: Any, cut: int | None, line: bytes) -> None:
    """What is neither a challenge nor a status line is an error, not a login."""
    server = fake(exchanges={"PLAIN": [line]}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.BadStatusLine):
        client.authenticate(Plain(USER, PASSWORD))

    assert server.connection.closed


@pytest.mark.parametrize(
    ("mechanism", "script"),
    [
        (Plain(USER, PASSWORD), [b"+ \r\n", b"-ERR\r\n"]),
        (External(), [b"+ \r\n", b"-ERR\r\n"]),
        (Login(USER, PASSWORD), [b"+ \r\n", b"+ \r\n", b"+ \r\n", b"-ERR\r\n"]),
        (CramMD5(USER, PASSWORD), [b"+ eA==\r\n", b"+ eA==\r\n", b"-ERR\r\n"]),
        (CramMD5(USER, PASSWORD), [b"+ \r\n", b"-ERR\r\n"]),
    ],
)
def test_one_challenge_too_many(fake: Any, cut: int | None, mechanism: Any, script: Any) -> None:
    """A challenge that the mechanism does not know cancels the exchange; nothing is said twice."""
    server = fake(exchanges={mechanism.name: script}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.ChallengeError, match="expected"):
        client.authenticate(mechanism)

    assert responses(server)[-1] == b"*"
    client.login(USER, PASSWORD, "USER")
    client.close()


def test_ok_that_is_none_and_an_answer_that_fails(fake: Any) -> None:
    """If +OK was no challenge after all, the server may think that we are logged in: it is over."""
    server = fake(exchanges={"CRAM-MD5": [OK]})
    client = server.client()

    with pytest.raises(pop3client.ChallengeError):
        client.authenticate(CramMD5(USER, PASSWORD))

    assert server.sent == [b"AUTH CRAM-MD5\r\n"]
    with pytest.raises(pop3client.StateError, match="not finished"):
        client.login(USER, PASSWORD)


# SCRAM


def scram_server(
    password: str, *, binding: Any = None, spoil: Any = None, more: bool = False
) -> Any:
    """A server's side of SCRAM by scramp; ``spoil`` may change its messages."""

    def script(line: str) -> Any:
        words = line.split(" ")
        mechanism = scramp.ScramMechanism(words[1])
        info = mechanism.make_auth_info(password, salt=b"salt-of-16-octet")
        server = mechanism.make_server(lambda _: info, channel_binding=binding)
        change = spoil or (lambda _, message: message)
        first = words[2] if len(words) > 2 else (yield b"+ \r\n")
        try:
            server.set_client_first(base64.b64decode(first).decode())
            answer = change(1, server.get_server_first())
            final = yield b"+ " + b64(answer.encode()) + b"\r\n"
            if final == "*":
                return b"-ERR cancelled\r\n"
            server.set_client_final(base64.b64decode(final).decode())
        except scramp.ScramException as error:
            return f"-ERR [AUTH] {error}\r\n".encode()
        answer = change(2, server.get_server_final())
        if answer is not None:
            last = yield b"+ " + b64(answer.encode()) + b"\r\n"
            assert last in {"", "*"}
            if last == "*" or answer.startswith("e="):
                return b"-ERR [AUTH] no\r\n"
        if more:
            assert (yield b"+ \r\n") == "*"
            return b"-ERR cancelled\r\n"
        return b"+OK logged in\r\n"

    return script


NAMES = ["SCRAM-SHA-256", "SCRAM-SHA-1"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("password", ["secret", "Grüße, ☃", "pa,ss=word"])
def test_scram(fake: Any, cut: int | None, name: str, password: str) -> None:
    """Client and server prove to each other that they know the password."""
    server = fake(exchanges={name: scram_server(password)}, cut=cut)
    with server.client() as client:
        client.login("al,ice=", password, name)
        assert client.stat().count == 3
        assert client.deviations == ()

    assert not any(password.encode() in line for line in server.sent)
    assert server.sent[2] == b"\r\n"  # the server's proof is answered by an empty line


@pytest.mark.parametrize("name", NAMES)
def test_scram_with_a_wrong_password(fake: Any, cut: int | None, name: str) -> None:
    """A proof that is wrong is a refused login."""
    server = fake(exchanges={name: scram_server("another")}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.AuthenticationError):
        client.login(USER, PASSWORD, name)

    client.close()


@pytest.mark.parametrize(
    "final", ["v=" + "A" * 40, "x", "v=", None, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="]
)
def test_a_server_that_does_not_know_the_password(
    fake: Any, cut: int | None, final: str | None
) -> None:
    """Who accepts without a proof may be anybody: the session is over, the password stays here."""
    spoil = lambda turn, message: final if turn == 2 else message  # noqa: E731
    server = fake(
        {"CAPA": b"+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n"},
        exchanges={"SCRAM-SHA-256": scram_server(PASSWORD, spoil=spoil)},
        cut=cut,
    )
    client = server.client()

    with pytest.raises(pop3client.ServerProofError, match="proof"):
        client.login(USER, PASSWORD)

    assert server.connection.closed
    assert not any(b"PLAIN" in line or b"PASS" in line for line in server.sent)


def test_scram_error_message(fake: Any, cut: int | None) -> None:
    """A server may say why it refuses; its -ERR is waited for, and is the error."""
    spoil = lambda turn, message: "e=invalid-proof" if turn == 2 else message  # noqa: E731
    server = fake(exchanges={"SCRAM-SHA-1": scram_server(PASSWORD, spoil=spoil)}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.AuthenticationError) as caught:
        client.login(USER, PASSWORD, "SCRAM-SHA-1")

    assert caught.value.code == "AUTH"
    client.close()


@pytest.mark.parametrize(
    "first",
    ["", "x", "r=a,s=QUJD,i=4096", "e=other-error", "\x00", "r=nonce,s=!,i=1", "m=x"],
)
def test_scram_first_messages_that_are_none(fake: Any, cut: int | None, first: str) -> None:
    """A first message that cannot be answered cancels the exchange; the next one is tried."""
    spoil = lambda turn, message: first if turn == 1 else message  # noqa: E731
    server = fake(
        {"CAPA": b"+OK\r\nUSER\r\nSASL SCRAM-SHA-256\r\n.\r\n"},
        exchanges={"SCRAM-SHA-256": scram_server(PASSWORD, spoil=spoil)},
        cut=cut,
    )
    with server.connect() as client:
        assert "mech-advertised-broken" in [entry.quirk for entry in client.deviations]

    assert b"*\r\n" in server.sent
    assert b"USER alice\r\n" in server.sent


def test_scram_and_one_challenge_too_many(fake: Any, cut: int | None) -> None:
    """After both proofs nothing is left to say."""
    server = fake(exchanges={"SCRAM-SHA-1": scram_server(PASSWORD, more=True)}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.ChallengeError, match="one more challenge"):
        client.login(USER, PASSWORD, "SCRAM-SHA-1")

    client.close()


@pytest.mark.parametrize("user", ["", "\u200e", "a\u0000b"])
def test_scram_names_that_are_not_allowed(user: str) -> None:
    """What SASLprep does not let through is an error before anything is sent."""
    with pytest.raises(pop3client.InvalidArgument):
        Scram("SCRAM-SHA-1", user, PASSWORD).initial()


def der(authority: trustme.CA) -> bytes:
    """A certificate."""
    pem = authority.issue_cert("mail.example").cert_chain_pems[0].bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def test_channel_bindings() -> None:
    """Up to TLS 1.2 it is the connection, from 1.3 on the certificate, hashed as it is signed."""
    certificate = der(trustme.CA())
    expected = hashlib.sha256(certificate).digest()

    assert channel_binding(TLSInfo("TLSv1.2", "", {}, certificate, b"u")) == ("tls-unique", b"u")
    assert channel_binding(TLSInfo("TLSv1.3", "", {}, certificate)) == (
        "tls-server-end-point",
        expected,
    )
    assert channel_binding(TLSInfo("TLSv1.3", "", {}, b"")) is None
    assert channel_binding(TLSInfo("TLSv1.3", "", {}, b"no certificate")) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("binding", ["tls-unique", "tls-server-end-point"])
def test_scram_plus(fake: Any, cut: int | None, name: str, binding: str) -> None:
    """A login is bound to the TLS connection; to another one it is refused."""
    certificate = der(trustme.CA())
    unique = b"of this connection" if binding == "tls-unique" else b""
    tls = TLSInfo("TLSv1.2" if unique else "TLSv1.3", "", {}, certificate, unique)
    octets = unique or hashlib.sha256(certificate).digest()
    capa = f"+OK\r\nUSER\r\nSASL {name}-PLUS {name}\r\n.\r\n".encode()

    def log_in(octets: bytes) -> Any:
        plus = scram_server(PASSWORD, binding=(binding, octets))
        server = fake({"CAPA": capa}, exchanges={f"{name}-PLUS": plus}, cut=cut)
        client = server.client()
        client._session.tls = tls
        client.login(USER, PASSWORD)
        client.close()
        return server

    server = log_in(octets)
    assert server.sent[1].startswith(f"AUTH {name}-PLUS ".encode())
    first = base64.b64decode(server.sent[1].split()[2])
    assert first.startswith(b"p=" + binding.encode() + b",,n=alice,r=")
    with pytest.raises(pop3client.AuthenticationError):
        log_in(b"of another connection")


@pytest.mark.parametrize(
    ("offered", "tls", "flag"),
    [
        ("SCRAM-SHA-1", TLSInfo("TLSv1.2", "", {}, b"", b"u"), b"y,,"),
        ("SCRAM-SHA-1", None, b"n,,"),
        ("SCRAM-SHA-1-PLUS SCRAM-SHA-1", TLSInfo("TLSv1.2", "", {}, b"", b"u"), b"n,,"),
    ],
)
def test_whoever_hides_the_offer_is_found_out(
    fake: Any, offered: str, tls: TLSInfo | None, flag: bytes
) -> None:
    """A client that could bind, and sees no offer to, says so (RFC 5802 section 6)."""
    capa = f"+OK\r\nUSER\r\nSASL {offered}\r\n.\r\n".encode()
    server = fake({"CAPA": capa}, exchanges={"SCRAM-SHA-1": scram_server(PASSWORD)})
    client = server.client()
    client._session.tls = tls
    client.capa()

    client.login(USER, PASSWORD, "SCRAM-SHA-1")

    assert base64.b64decode(server.sent[1].split()[2]).startswith(flag)
    client.close()


def test_plus_without_tls() -> None:
    """There is nothing to bind to."""
    with pytest.raises(pop3client.InvalidArgument, match="needs TLS"):
        Scram("SCRAM-SHA-1-PLUS", USER, PASSWORD)
    with pytest.raises(pop3client.InvalidArgument, match="expected one of"):
        Scram("SCRAM-MD5", USER, PASSWORD)


# Tokens

ERROR = {"status": "401", "schemes": "bearer", "scope": "mail"}


@pytest.mark.parametrize(
    ("kind", "end"), [(XOAuth2, b""), (OAuthBearer, b"\x01")], ids=["XOAUTH2", "OAUTHBEARER"]
)
@pytest.mark.parametrize("encode", [b64, lambda octets: octets], ids=["base64", "plain"])
def test_a_token_that_is_refused(
    fake: Any, cut: int | None, kind: Any, end: bytes, encode: Any
) -> None:
    """The error comes as a challenge, is answered as the mechanism has it, and is decoded."""
    challenge = b"+ " + encode(json.dumps(ERROR).encode()) + b"\r\n"
    script = [b"+ \r\n", challenge, b"-ERR [AUTH] Authentication failed.\r\n"]
    server = fake(exchanges={kind.name: script}, cut=cut)
    client = server.client()

    with pytest.raises(pop3client.OAuthError, match="status 401") as caught:
        client.authenticate(kind(USER, TOKEN))

    assert isinstance(caught.value, pop3client.AuthenticationError)
    assert (caught.value.code, caught.value.text) == ("AUTH", "Authentication failed.")
    assert (caught.value.details, caught.value.token_octets) == (ERROR, len(TOKEN))
    assert responses(server)[1:] == [end]
    assert TOKEN not in str(caught.value)
    client.close()


@pytest.mark.parametrize("challenge", [b"not JSON", b"[1]", b"\xff"])
def test_a_refusal_without_details(fake: Any, challenge: bytes) -> None:
    """What is no JSON object is no reason to lose the error."""
    script = [b"+ \r\n", b"+ " + b64(challenge) + b"\r\n", b"-ERR no\r\n"]
    client = fake(exchanges={"XOAUTH2": script}).client()

    with pytest.raises(pop3client.OAuthError, match="no details") as caught:
        client.authenticate(XOAuth2(USER, TOKEN))

    assert caught.value.details == {}
    client.close()


def test_a_token_in_the_details(fake: Any) -> None:
    """A server that throws the token back does not get it into the error."""
    echo = b"+ " + b64(json.dumps({"token": TOKEN}).encode()) + b"\r\n"
    client = fake(exchanges={"XOAUTH2": [b"+ \r\n", echo, b"-ERR no\r\n"]}).client()

    with pytest.raises(pop3client.OAuthError) as caught:
        client.authenticate(XOAuth2(USER, TOKEN))

    assert TOKEN not in str(caught.value) + repr(vars(caught.value))
    client.close()


def accepting(token: str) -> Any:
    """A server that accepts one token."""

    def script(_line: str) -> Any:
        response = base64.b64decode((yield b"+ \r\n"))
        if f"Bearer {token}\x01".encode() in response:
            return OK
        yield b"+ " + b64(json.dumps(ERROR).encode()) + b"\r\n"
        return b"-ERR [AUTH] no\r\n"

    return script


@pytest.mark.parametrize(
    ("tokens", "tries", "works"),
    [
        (["new"], 1, True),
        (["old", "new"], 2, True),
        (["old", "older"], 2, False),
        (["old", "old"], 1, False),
    ],
)
def test_a_token_is_refreshed_once(
    fake: Any, cut: int | None, tokens: list[str], tries: int, works: bool
) -> None:
    """A function is asked once more when its token is refused; no token is sent twice."""
    server = fake(exchanges={"XOAUTH2": accepting("new")}, cut=cut)
    client = server.client()
    left = iter(tokens)
    mechanism = XOAuth2(USER, lambda: next(left))

    if works:
        client.authenticate(mechanism)
        assert client.stat().count == 3
    else:
        with pytest.raises(pop3client.OAuthError):
            client.authenticate(mechanism)

    assert server.sent.count(b"AUTH XOAUTH2\r\n") == tries
    assert list(left) == []
    client.close()


def test_a_token_is_not_refreshed_for_other_reasons(fake: Any) -> None:
    """A maildrop that is in use, or a connection that is gone, needs no other token."""
    asked: list[int] = []

    def token() -> str:
        asked.append(1)
        return f"token{len(asked)}"

    client = fake(exchanges={"XOAUTH2": [b"+ \r\n", b"-ERR [IN-USE] busy\r\n"]}).client()
    with pytest.raises(pop3client.MailboxInUse):
        client.authenticate(XOAuth2(USER, token))
    client.close()
    gone = [b"+ \r\n", (b"-ERR [AUTH] no\r\n", "<close>")]
    client = fake(exchanges={"XOAUTH2": gone}).client()
    with pytest.raises(pop3client.OAuthError):
        client.authenticate(XOAuth2(USER, token))

    assert len(asked) == 2


@pytest.mark.parametrize("token", ["", "a\x01b", "a\r\nb", "ü", None, b"x"])
def test_tokens_that_are_none(fake: Any, token: Any) -> None:
    """What cannot be a token is not sent, nor shown."""
    server = fake()
    with (
        server.client() as client,
        pytest.raises(pop3client.InvalidArgument, match="token") as caught,
    ):
        client.authenticate(XOAuth2(USER, lambda: token))

    assert server.sent == [b"QUIT\r\n"]
    assert not token or str(token) not in str(caught.value)


def test_a_token_that_is_awaited(fake: Any, kind: str) -> None:
    """The asyncio client awaits a coroutine function; the blocking one says that it cannot."""

    async def token() -> str:
        await asyncio.sleep(0)
        return "new"

    server = fake(exchanges={"OAUTHBEARER": accepting("new")})
    client = server.client()

    if kind == "asyncio":
        client.authenticate(OAuthBearer(USER, token))
        assert client.stat().count == 3
    else:
        with pytest.raises(pop3client.InvalidArgument, match="AsyncPOP3Client"):
            client.authenticate(OAuthBearer(USER, token))
    client.close()
