"""SASL as RFC 5034 has it: each mechanism, each way to get it wrong, and what CAPA says of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pop3mock import MockServer
from pop3mock._actions import Send
from pop3mock._channel import Channel
from pop3mock._sasl import MECHANISMS
from pop3mock._tls import authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]

IN = b"+OK maildrop has "
WRONG = b"-ERR [AUTH] user name or password is wrong\r\n"
#: What a client can choose from in the clear, and what comes on top inside TLS.
CLEAR = b"PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER".split()
PLUS = {b"SCRAM-SHA-1-PLUS", b"SCRAM-SHA-256-PLUS"}
HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


def b64(data: bytes | str) -> bytes:
    """Base64 of octets or text."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data)


def greeted(raw: Raw, server: MockServer, tls: str = "none", **context: str) -> RawClient:
    """A client that has read the greeting, and is inside TLS if it is to be."""
    client = raw(server)
    if tls == "implicit":
        client.wrap(server.client_context(**context))
    client.line()
    if tls == "stls":
        client.ask(b"STLS")
        client.wrap(server.client_context(**context))
    return client


def mechanisms(client: RawClient) -> list[bytes]:
    """What CAPA lists behind SASL."""
    for line in client.listing(b"CAPA").split(b"\r\n"):
        if line.startswith(b"SASL"):
            return line.split()[1:]
    return []


def exchange(client: RawClient, *lines: bytes) -> bytes:
    """Send one line after the other; gives the answer to the last."""
    said = b""
    for line in lines:
        said = client.ask(line)
    return said


@dataclass
class Scram:
    """A client of SCRAM that shares no code with the server's (RFC 5802, section 3).

    Attributes:
        mechanism: Its name.
        user: The user name.
        password: The password.
        header: The GS2 header: whether the channel is bound to, and who one wants to be.
        data: The data of the channel binding.
        last: What it answers to the server's proof; nothing is right.
    """

    mechanism: str
    user: str = "alice"
    password: str = "secret"
    header: str = "n,,"
    data: bytes = b""
    last: bytes = b""

    def login(self, client: RawClient) -> bytes:
        """Log in; gives the last answer, and checks what the server has to prove."""
        bare = f"n={self.user},r=a-nonce"
        said = client.ask(b"AUTH " + self.mechanism.encode() + b" " + b64(self.header + bare))
        if not said.startswith(b"+ "):
            return said
        server_first = base64.b64decode(said[2:]).decode()
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        assert fields["r"].startswith("a-nonce")
        assert len(fields["r"]) > len("a-nonce")
        without_proof = f"c={b64(self.header.encode() + self.data).decode()},r={fields['r']}"
        message = f"{bare},{server_first},{without_proof}".encode()
        proof, signature = self._reckon(fields, message)
        said = client.ask(b64(f"{without_proof},p={b64(proof).decode()}"))
        if not said.startswith(b"+ "):
            return said
        assert b"v=" + b64(signature) == base64.b64decode(said[2:])
        return client.ask(self.last)

    def _reckon(self, fields: dict[str, str], message: bytes) -> tuple[bytes, bytes]:
        kind = HASHES[self.mechanism.removesuffix("-PLUS")]
        salt = base64.b64decode(fields["s"])
        salted = hashlib.pbkdf2_hmac(kind, self.password.encode(), salt, int(fields["i"]))
        client_key = hmac.digest(salted, b"Client Key", kind)
        stored = hashlib.new(kind, client_key).digest()
        mask = hmac.digest(stored, message, kind)
        proof = bytes(a ^ b for a, b in zip(client_key, mask, strict=True))
        return proof, hmac.digest(hmac.digest(salted, b"Server Key", kind), message, kind)


def end_point(client: RawClient) -> bytes:
    """The channel binding ``tls-server-end-point`` (RFC 5929, section 4.1)."""
    assert isinstance(client.socket, ssl.SSLSocket)
    certificate = client.socket.getpeercert(binary_form=True)
    assert certificate is not None
    return hashlib.sha256(certificate).digest()


# What CAPA says


def test_capa_in_the_clear(raw: Raw) -> None:
    """Outside TLS no mechanism is listed that needs it, and each that is can be begun."""
    with MockServer() as server:
        client = greeted(raw, server)

        listed = mechanisms(client)

        assert listed == CLEAR
        for name in listed:
            assert client.ask(b"AUTH " + name).startswith(b"+ ")
            assert client.ask(b"*").startswith(b"-ERR ")


@pytest.mark.parametrize("tls", ["stls", "implicit"])
def test_capa_inside_tls(playing: Playing, raw: Raw, tls: str) -> None:
    """Inside TLS the mechanisms that bind to it are listed too, and can be begun."""
    with playing(f"tls: {{mode: {tls}}}") as server:
        client = greeted(raw, server, tls)

        listed = mechanisms(client)

        assert set(CLEAR) | PLUS == set(listed)
        for name in PLUS:
            assert client.ask(b"AUTH " + name) == b"+ \r\n"
            assert client.ask(b"*").startswith(b"-ERR ")


def test_capa_after_login(raw: Raw) -> None:
    """The SASL capability stays after login (RFC5034-3-01)."""
    with MockServer() as server:
        client = greeted(raw, server)
        client.ask(b"AUTH PLAIN " + b64("\0alice\0secret"))

        assert mechanisms(client) == CLEAR


@pytest.mark.parametrize("name", [b"SCRAM-SHA-1-PLUS", b"SCRAM-SHA-256-PLUS", b"EXTERNAL"])
def test_what_needs_tls_is_not_there_without(raw: Raw, name: bytes) -> None:
    """A mechanism that CAPA does not list is refused, and asking for it is no fault."""
    with MockServer() as server:
        client = greeted(raw, server)

        assert b"-ERR no mechanism " + name + b"\r\n" == client.ask(b"AUTH " + name)
        assert server.broken_expectations() == []


def test_a_capability_of_which_nothing_is_left(playing: Playing, raw: Raw) -> None:
    """Where no mechanism can be had, CAPA has no SASL line (RFC2449-6.3-01)."""
    with playing("server: {capabilities: [SASL EXTERNAL, USER, TOP]}") as server:
        client = greeted(raw, server)

        assert client.listing(b"CAPA").split(b"\r\n")[1:] == [b"USER", b"TOP", b".", b""]


def test_a_capability_of_which_nothing_was_there(playing: Playing, raw: Raw) -> None:
    """A scenario may announce SASL and name no mechanism."""
    with playing("server: {capabilities: [SASL, USER]}") as server:
        client = greeted(raw, server)

        assert b"\r\nSASL\r\n" in client.listing(b"CAPA")


def test_a_hidden_mechanism(playing: Playing, raw: Raw) -> None:
    """A mechanism can be there although CAPA does not list it."""
    text = "server: {capabilities: [SASL LOGIN, USER], hidden: [SASL PLAIN]}"
    with playing(text) as server:
        client = greeted(raw, server)

        assert mechanisms(client) == [b"LOGIN"]
        assert client.ask(b"AUTH PLAIN " + b64("\0alice\0secret")).startswith(IN)


# SCRAM


@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
@pytest.mark.parametrize("mechanism", HASHES)
def test_scram(playing: Playing, raw: Raw, mechanism: str, tls: str) -> None:
    """Both sides prove that they know the password, which does not go over the wire (RFC 5802)."""
    with playing(f"tls: {{mode: {tls}}}") as server:
        client = greeted(raw, server, tls)

        assert Scram(mechanism).login(client).startswith(IN)
        assert client.ask(b"NOOP") == b"+OK\r\n"
        assert server.broken_expectations() == []


@pytest.mark.parametrize("mechanism", HASHES)
@pytest.mark.parametrize(("user", "password"), [("alice", "wrong"), ("nobody", "secret")])
def test_scram_refused(raw: Raw, mechanism: str, user: str, password: str) -> None:
    """A wrong password and an unknown user are refused alike, and another login works."""
    with MockServer() as server:
        client = greeted(raw, server)

        assert Scram(mechanism, user, password).login(client) == WRONG
        assert server.broken_expectations() == []
        assert Scram(mechanism).login(client).startswith(IN)


def test_scram_without_initial_response(raw: Raw) -> None:
    """A mechanism in which the client begins is answered by an empty challenge (RFC5034-4-04)."""
    with MockServer() as server:
        client = greeted(raw, server)

        assert client.ask(b"AUTH SCRAM-SHA-256") == b"+ \r\n"
        assert client.ask(b64("n,,n=alice,r=x")).startswith(b"+ ")


def test_scram_salt_stays(raw: Raw) -> None:
    """The salt belongs to the user, and the nonce to the exchange."""
    with MockServer() as server:
        client = greeted(raw, server)
        firsts = []
        for _ in range(2):
            said = client.ask(b"AUTH SCRAM-SHA-256 " + b64("n,,n=alice,r=x"))
            firsts.append(base64.b64decode(said[2:]).decode().split(","))
            client.ask(b"*")

    assert firsts[0][1:] == firsts[1][1:]
    assert firsts[0][0] != firsts[1][0]


@pytest.mark.parametrize(
    "first", ["", "n,,", "n,,n=alice", "x,,n=alice,r=y", "n,,n==41,r=y", "n,,n=alice,r=y z", "\xff"]
)
def test_scram_malformed(raw: Raw, first: str) -> None:
    """What is no message of SCRAM is refused as such, not as a wrong password (RFC3206-5-01)."""
    with MockServer() as server:
        client = greeted(raw, server)

        client.ask(b"AUTH SCRAM-SHA-1")
        said = client.ask(b64(first.encode("latin-1")))

        assert said.startswith(b"-ERR ")
        assert b"[AUTH]" not in said
        assert "unexpected (SASL response): SCRAM" in str(server.broken_expectations())


def test_scram_last_answer_is_empty(raw: Raw) -> None:
    """With success comes no data, so the server's proof is a challenge, answered by nothing."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = Scram("SCRAM-SHA-1", last=b64("x")).login(client)

        assert said == b"-ERR the answer to SCRAM's last message is an empty one\r\n"
        assert client.ask(b"NOOP").startswith(b"-ERR ")


def test_scram_password_that_nobody_can_know(raw: Raw) -> None:
    """A password with a character that RFC 4013 prohibits is refused, and breaks nothing."""
    with MockServer(users={"alice": "a\x07b"}) as server:
        client = greeted(raw, server)

        assert Scram("SCRAM-SHA-256", password="a\x07b").login(client) == WRONG


@pytest.mark.parametrize("tls", ["stls", "implicit"])
@pytest.mark.parametrize("mechanism", HASHES)
def test_scram_bound_to_the_certificate(
    playing: Playing, raw: Raw, mechanism: str, tls: str
) -> None:
    """``-PLUS`` binds to the server's certificate (RFC 5929, section 4)."""
    with playing(f"tls: {{mode: {tls}}}") as server:
        client = greeted(raw, server, tls)

        scram = Scram(f"{mechanism}-PLUS", header="p=tls-server-end-point,,")
        scram.data = end_point(client)

        assert scram.login(client).startswith(IN)
        assert server.broken_expectations() == []


@pytest.mark.parametrize("maximum", ["TLSv1.2", "TLSv1.3"])
def test_scram_bound_to_the_connection(playing: Playing, raw: Raw, maximum: str) -> None:
    """``tls-unique`` is there in TLS 1.2, and not defined in TLS 1.3 (RFC 9266, section 3)."""
    with playing(f"tls: {{mode: implicit, maximum: {maximum}}}") as server:
        client = greeted(raw, server, "implicit")
        assert isinstance(client.socket, ssl.SSLSocket)
        scram = Scram("SCRAM-SHA-256-PLUS", header="p=tls-unique,,")
        scram.data = client.socket.get_channel_binding("tls-unique") or b""

        said = scram.login(client)

        if maximum == "TLSv1.2":
            assert said.startswith(IN)
        else:
            assert said == b"-ERR SCRAM: unsupported-channel-binding-type\r\n"


@pytest.mark.parametrize(
    ("mechanism", "header", "data", "reason"),
    [
        ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", b"other", "channel-bindings-dont-match"),
        ("SCRAM-SHA-256-PLUS", "n,,", b"", "server-does-support-channel-binding"),
        ("SCRAM-SHA-256-PLUS", "y,,", b"", "server-does-support-channel-binding"),
        ("SCRAM-SHA-256", "y,,", b"", "server-does-support-channel-binding"),
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", b"x", "unsupported-channel-binding-type"),
    ],
)
def test_scram_not_bound(raw: Raw, mechanism: str, header: str, data: bytes, reason: str) -> None:
    """Whoever sits between the two, or takes ``-PLUS`` off the list, is found out (RFC 5802, 6)."""
    with MockServer() as server:
        client = greeted(raw, server, "stls")

        said = Scram(mechanism, header=header, data=data).login(client)

        assert f"-ERR SCRAM: {reason}\r\n".encode() == said


def test_scram_could_bind_but_was_not_offered_to(playing: Playing, raw: Raw) -> None:
    """``y`` is right where no mechanism that binds was offered (RFC 5802, section 6)."""
    with playing("server: {capabilities: [SASL SCRAM-SHA-256]}") as server:
        client = greeted(raw, server)

        assert Scram("SCRAM-SHA-256", header="y,,").login(client).startswith(IN)


def test_scram_binding_needs_plus(raw: Raw) -> None:
    """A mechanism without ``-PLUS`` takes no channel binding."""
    with MockServer() as server:
        client = greeted(raw, server, "stls")
        scram = Scram("SCRAM-SHA-1", header="p=tls-server-end-point,,", data=end_point(client))

        assert scram.login(client) == b"-ERR channel binding needs SCRAM-SHA-1-PLUS\r\n"


def test_scram_library_is_loaded_when_needed() -> None:
    """A server that is not asked for SCRAM does not pay for its library."""
    code = (
        "import sys; from pop3mock import MockServer; s = MockServer().session(); s.connected();"
        "s.receive(b'AUTH PLAIN AGFsaWNlAHNlY3JldA==\\r\\n'); print('scramp' in sys.modules);"
        "s = MockServer().session(); s.connected(); s.receive(b'AUTH SCRAM-SHA-1 eA==\\r\\n');"
        "print('scramp' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


# EXTERNAL


@pytest.mark.parametrize("tls", ["stls", "implicit"])
@pytest.mark.parametrize("policy", ["optional", "required"])
@pytest.mark.parametrize("initial", [b"AUTH EXTERNAL =", b"AUTH EXTERNAL " + b64("alice")])
def test_external(playing: Playing, raw: Raw, tls: str, policy: str, initial: bytes) -> None:
    """The certificate's common name says who it is; the client may say so too (RFC 4422, A)."""
    with playing(f"tls: {{mode: {tls}, client-certificate: {policy}}}") as server:
        client = greeted(raw, server, tls, user="alice")

        assert b"EXTERNAL" in mechanisms(client)
        assert client.ask(initial).startswith(IN)
        assert server.broken_expectations() == []


def test_external_empty_challenge(playing: Playing, raw: Raw) -> None:
    """Without an initial response there is an empty challenge, and an empty line answers it."""
    with playing("tls: {client-certificate: optional}") as server:
        client = greeted(raw, server, "stls", user="alice")

        assert client.ask(b"AUTH EXTERNAL") == b"+ \r\n"
        assert client.ask(b"").startswith(IN)


def test_external_by_address(playing: Playing, raw: Raw) -> None:
    """An e-mail address among the alternative names says who it is, whatever the common name."""
    text = "server: {users: {alice@example.com: x}}\ntls: {client-certificate: required}"
    with playing(text) as server:
        context = server.client_context()
        certificate = authority().issue_cert("alice@example.com", common_name="Alice Example")
        certificate.configure_cert(context)
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.wrap(context)

        assert client.ask(b"AUTH EXTERNAL =").startswith(IN)


@pytest.mark.parametrize(
    ("user", "addresses"), [("alice", []), ("a@example.com", ["a@example.com"])]
)
def test_client_pem(user: str, addresses: list[str]) -> None:
    """A user's file holds his key and a certificate with his name, which may be an address."""
    pem = MockServer().client_pem(user)

    found = x509.load_pem_x509_certificate(pem)
    common = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    alternatives = [
        name
        for each in found.extensions
        if isinstance(each.value, x509.SubjectAlternativeName)
        for name in each.value.get_values_for_type(x509.RFC822Name)
    ]
    assert pem.startswith(b"-----BEGIN")
    assert b"PRIVATE KEY" in pem
    assert [user] == [each.value for each in common]
    assert addresses == alternatives


@pytest.mark.parametrize(
    ("user", "wanted"), [("mallory", b"="), ("mallory", b64("alice")), ("alice", b64("bob"))]
)
def test_external_refused(playing: Playing, raw: Raw, user: str, wanted: bytes) -> None:
    """Nobody gets in by a certificate that names no user, or as somebody whom it does not name."""
    with playing("tls: {client-certificate: optional}") as server:
        client = greeted(raw, server, "stls", user=user)

        assert client.ask(b"AUTH EXTERNAL " + wanted) == WRONG


@pytest.mark.parametrize("policy", ["none", "optional"])
def test_external_without_certificate(playing: Playing, raw: Raw, policy: str) -> None:
    """EXTERNAL is neither listed nor there for a client that has shown no certificate."""
    with playing(f"tls: {{client-certificate: {policy}}}") as server:
        client = greeted(raw, server, "stls")

        assert b"EXTERNAL" not in mechanisms(client)
        assert client.ask(b"AUTH EXTERNAL =") == b"-ERR no mechanism EXTERNAL\r\n"


def test_certificate_alone_does_not_log_in(playing: Playing, raw: Raw) -> None:
    """A client certificate by itself leaves the session where it is (RFC2595-4-12)."""
    with playing("tls: {client-certificate: required}") as server:
        client = greeted(raw, server, "stls", user="alice")

        assert client.ask(b"STAT").startswith(b"-ERR ")


# Who acts as whom


@pytest.mark.parametrize(
    ("policy", "authzid", "expected"),
    [("refused", "bob", WRONG), ("refused", "alice", IN), ("refused", "", IN),
     ("ignored", "bob", IN), ("ignored", "nobody", IN)],
)  # fmt: skip
def test_authzid(playing: Playing, raw: Raw, policy: str, authzid: str, expected: bytes) -> None:
    """Somebody else's name is refused, or ignored where the scenario says so (RFC4616-2-04)."""
    with playing(f"server: {{authzid: {policy}}}") as server:
        client = greeted(raw, server)

        said = client.ask(b"AUTH PLAIN " + b64(f"{authzid}\0alice\0secret"))

        assert said.startswith(expected)
        if expected == IN:
            assert client.ask(b"STAT").startswith(b"+OK 4 ")  # bob has no mail


def test_authzid_ignored_is_not_a_password_ignored(playing: Playing, raw: Raw) -> None:
    """The password is the authenticating user's, whoever he wants to be."""
    with playing("server: {authzid: ignored}") as server:
        client = greeted(raw, server)

        assert client.ask(b"AUTH PLAIN " + b64("bob\0alice\0hunter2")) == WRONG


# PLAIN, LOGIN, CRAM-MD5


@pytest.mark.parametrize(
    "response",
    [b"", b"alice", b"\0alice", b"alice\0secret", b"\0\0", b"\0alice\0", b"\0\0secret",
     b"\0alice\0secret\0", b"\0\xff\0secret"],
)  # fmt: skip
def test_plain_malformed(raw: Raw, response: bytes) -> None:
    """PLAIN has two NULs, UTF-8, a user and a password (RFC4616-2-01, 2-03, 2-05)."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = client.ask(b"AUTH PLAIN " + (b64(response) or b"="))

        assert said.startswith(b"-ERR ")
        assert b"[AUTH]" not in said
        assert server.broken_expectations()


@pytest.mark.parametrize(
    "exchanged",
    [
        [b"AUTH PLAIN " + b64("\0alice\0wrong")],
        [b"AUTH PLAIN", b64("\0nobody\0secret")],
        [b"AUTH LOGIN", b64("alice"), b64("wrong")],
        [b"AUTH CRAM-MD5", b64("alice 0123456789abcdef0123456789abcdef")],
        [b"AUTH CRAM-MD5", b64("nobody 0123456789abcdef0123456789abcdef")],
        [b"AUTH XOAUTH2 " + b64("user=alice\x01auth=Bearer stale\x01\x01"), b""],
        [b"AUTH XOAUTH2 " + b64("user=alice\x01\x01"), b""],
        [b"AUTH OAUTHBEARER " + b64("n,a=alice,\x01auth=Bearer stale\x01\x01"), b64("\x01")],
        [b"AUTH OAUTHBEARER " + b64("n,a=bob,\x01auth=Bearer secret\x01\x01"), b64("\x01")],
        [b"AUTH OAUTHBEARER " + b64("n,,\x01auth=Basic secret\x01\x01"), b64("\x01")],
    ],
    ids=lambda lines: lines[0].split()[1].decode(),
)
def test_wrong_credentials(raw: Raw, exchanged: list[bytes]) -> None:
    """Credentials that are wrong are refused with [AUTH], and the session lives (RFC3206-6-03)."""
    with MockServer() as server:
        client = greeted(raw, server)

        assert exchange(client, *exchanged) == WRONG
        assert server.broken_expectations() == []
        assert client.ask(b"AUTH PLAIN " + b64("\0alice\0secret")).startswith(IN)


def test_cram_challenge_is_new_each_time(playing: Playing, raw: Raw) -> None:
    """A digest that somebody has heard is worth nothing later, stamp in the greeting or not."""
    with playing("rules: [{when: greeting, text: hello}]\nserver: {greeting: hello}") as server:
        challenges = [greeted(raw, server).ask(b"AUTH CRAM-MD5") for _ in range(2)]

    assert challenges[0] != challenges[1]


def test_cram_malformed(raw: Raw) -> None:
    """What has no user name in front of the digest is no answer to CRAM-MD5."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = exchange(client, b"AUTH CRAM-MD5", b64("0123456789abcdef"))

    assert said == b"-ERR CRAM-MD5 is user name, space, digest\r\n"


# Bearer tokens


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"AUTH XOAUTH2 " + b64("user=alice\x01auth=Bearer stale\x01\x01"), b'"status": "401"'),
        (b"AUTH OAUTHBEARER " + b64("n,a=alice,\x01auth=Bearer stale\x01\x01"), b'"invalid_token"'),
    ],
)
def test_bearer_error_is_a_challenge(raw: Raw, line: bytes, status: bytes) -> None:
    """What is wrong with a token comes as JSON in a challenge (RFC 7628, section 3.2.2)."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = client.ask(line)

        assert said.startswith(b"+ ")
        assert status in base64.b64decode(said[2:])


@pytest.mark.parametrize("header", ["n,a=alice,", "y,a=alice,", "n,,"])
def test_oauthbearer(raw: Raw, header: str) -> None:
    """The token is the user's password, and says whose it is if the client does not."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = client.ask(
            b"AUTH OAUTHBEARER "
            + b64(f"{header}\x01host=localhost\x01port=110\x01auth=Bearer secret\x01\x01")
        )

        assert said.startswith(IN)


def test_oauthbearer_name_with_a_comma(raw: Raw) -> None:
    """Comma and equals sign stand escaped in the GS2 header (RFC 5801, section 4)."""
    with MockServer(users={"a,b=c": "secret"}) as server:
        client = greeted(raw, server)

        said = client.ask(
            b"AUTH OAUTHBEARER " + b64("n,a=a=2Cb=3Dc,\x01auth=bearer secret\x01\x01")
        )

        assert said.startswith(IN)


@pytest.mark.parametrize("header", ["", "n,a=alice", "x,a=alice,", "n,a=alice,x"])
def test_oauthbearer_malformed(raw: Raw, header: str) -> None:
    """What does not begin with a GS2 header is refused at once."""
    with MockServer() as server:
        client = greeted(raw, server)

        said = client.ask(b"AUTH OAUTHBEARER " + b64(f"{header}\x01auth=Bearer secret\x01\x01"))

        assert said.startswith(b"-ERR OAUTHBEARER begins with")


def test_a_malformed_response_can_be_allowed(playing: Playing, raw: Raw) -> None:
    """What the scenario allows is no fault; what it does not say is one."""
    for text, faults in (("", 1), ("expect: {allow: [response]}", 0)):
        with playing(text) as server:
            exchange(greeted(raw, server), b"AUTH PLAIN", b"!!!!")

            assert len(server.broken_expectations()) == faults


# The AUTH command


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"AUTH", b"-ERR which mechanism?\r\n"),
        (b"AUTH X-NONE", b"-ERR no mechanism X-NONE\r\n"),
        (b"AUTH ", b"-ERR AUTH takes a mechanism and at most an initial response\r\n"),
        (b"AUTH PLAIN ", b"-ERR AUTH takes a mechanism and at most an initial response\r\n"),
        (b"AUTH  PLAIN", b"-ERR AUTH takes a mechanism and at most an initial response\r\n"),
        (b"AUTH PLAIN = x", b"-ERR AUTH takes a mechanism and at most an initial response\r\n"),
        (b"AUTH LOGIN YWxpY2U=", b"-ERR LOGIN takes no initial response\r\n"),
        (b"AUTH CRAM-MD5 AAAA", b"-ERR CRAM-MD5 takes no initial response\r\n"),
        (b"AUTH CRAM-MD5 =", b"-ERR CRAM-MD5 takes no initial response\r\n"),
        (b"AUTH PLAIN =", b"-ERR PLAIN has 3 parts between NUL octets, not 1\r\n"),
        (b"AUTH PLAIN !!!!", b"-ERR that is not base64\r\n"),
    ],
)
def test_auth_refused(raw: Raw, line: bytes, answer: bytes) -> None:
    """An AUTH command that is wrong is refused, and the session lives (RFC 5034, section 4)."""
    with MockServer() as server:
        client = greeted(raw, server)

        assert answer == client.ask(line)
        assert client.ask(b"AUTH plain " + b64("\0alice\0secret")).startswith(IN)


@pytest.mark.parametrize(
    "response",
    [b"!!!!", b"=", b"=AAA", b"AAA=BBB", b"AGFsaWNl AHNlY3JldA==", b"AGFsaWNl-HNlY3JldA==",
     b"AGFsaWNlAHNlY3JldA", b"AGFsaWNlAHNlY3JldA===", b"AGFsaWNlAHNlY3JldA==x", b"\xff\xfe"],
)  # fmt: skip
def test_not_base64(raw: Raw, response: bytes) -> None:
    """What is not strictly base64 is refused, nothing of it skipped (RFC5034-4-12 to 4-14)."""
    with MockServer() as server:
        client = greeted(raw, server)
        client.ask(b"AUTH PLAIN")

        assert client.ask(response) == b"-ERR that is not base64\r\n"
        assert server.broken_expectations()


@pytest.mark.parametrize("name", CLEAR)
def test_cancelled(raw: Raw, name: bytes) -> None:
    """``*`` ends an exchange, and the session is as if there had been none (RFC5034-4-06, 4-07)."""
    with MockServer() as server:
        client = greeted(raw, server)
        client.ask(b"AUTH " + name)

        assert client.ask(b"*") == b"-ERR authentication cancelled\r\n"
        assert client.ask(b"STAT").startswith(b"-ERR ")
        assert client.ask(b"AUTH PLAIN " + b64("\0alice\0secret")).startswith(IN)


def test_long_responses(raw: Raw) -> None:
    """255 octets in each field are taken; what no mechanism needs is refused (RFC5034-4-18)."""
    long = "x" * 255
    with MockServer(users={long: long}) as server:
        client = greeted(raw, server)

        client.ask(b"AUTH PLAIN")
        assert client.ask(b"A" * 12_292) == b"-ERR that response is too long\r\n"
        client.ask(b"AUTH PLAIN")
        assert client.ask(b64(f"{long}\0{long}\0{long}")).startswith(IN)


def test_auth_after_login(raw: Raw) -> None:
    """Who has logged in cannot do so again (RFC5034-4-16, 4-17)."""
    with MockServer() as server:
        client = greeted(raw, server)
        client.ask(b"AUTH PLAIN " + b64("\0alice\0secret"))

        assert client.ask(b"AUTH PLAIN " + b64("\0alice\0secret")).startswith(b"-ERR already")
        assert client.ask(b"NOOP") == b"+OK\r\n"


#: What the messages of the mechanisms are made of, rightly or wrongly put together.
WORDS = st.sampled_from(
    ["n,,", "y,,", "p=tls-server-end-point,,", "n=alice", "r=x", ",", "=", "c=biws", "p=eA==",
     "m=1", "a=alice", "\0", "alice", "secret", " ", "\x01", "auth=Bearer secret",
     "user=alice", "\u00e9"]
)  # fmt: skip
MESSAGES = st.one_of(st.binary(max_size=60), st.lists(WORDS).map(lambda w: "".join(w).encode()))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(MECHANISMS)), st.lists(MESSAGES, min_size=1, max_size=4))
def test_any_response_is_answered(name: str, responses: list[bytes]) -> None:
    """Whatever a client sends in an exchange, each line gets one answer, and nothing breaks."""
    session = MockServer().session()
    session.connected()
    certificate = authority().cert_pem.bytes().decode()
    session.secured(Channel(certificate=certificate, unique=b"x", names=("alice",)))

    for line in (f"AUTH {name}".encode(), *map(b64, responses)):
        (answer,) = session.receive(line + b"\r\n")

        assert isinstance(answer, Send)
        assert isinstance(answer.data, bytes)
        assert answer.data.startswith((b"+OK", b"-ERR ", b"+ "))
    session.lost()


# What is written down


def test_journal(raw: Raw) -> None:
    """The command and each response stand in the journal with their answers; no secret does."""
    with MockServer() as server:
        client = greeted(raw, server)
        exchange(client, b"AUTH LOGIN", b64("alice"), b64("wrong-one"))
        client.ask(b"AUTH PLAIN " + b64("\0alice\0secret"))
        server.settle()

        told = [(each.line, each.reply) for each in server.journal.exchanges]
        shown = server.transcript()

    assert told == [
        ("AUTH LOGIN", "+ VXNlcm5hbWU6"),
        ("(SASL response)", "+ UGFzc3dvcmQ6"),
        ("(SASL response)", "-ERR [AUTH] user name or password is wrong"),
        ("AUTH PLAIN ****", told[-1][1]),
    ]
    assert told[-1][1].startswith("+OK maildrop has 4 messages")
    for secret in ("wrong-one", "secret", b64("wrong-one").decode(), "AGFsaWNlAHNlY3JldA=="):
        assert secret not in shown
