"""AUTH and the SASL mechanisms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape
from pop3mock._tls import client_context

from ._wire import accepted, b64, cram_md5, lines_of, plain, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Line, Wire
    from .conftest import Connect, Dial, Play

GREETED = (b"", b"+OK ready\r\n")


def mechanisms(capa: bytes) -> list[bytes]:
    """The mechanisms that a reply to CAPA names."""
    return next(line.split(b" ")[1:] for line in lines_of(capa) if line.startswith(b"SASL"))


def in_transaction_state(wire: Wire) -> bool:
    """Whether somebody is logged in."""
    return wire.ask(b"STAT").startswith(b"+OK ")


@pytest.fixture
def secure(dial: Dial, server: MockServer) -> Line:
    """A connection to the default server, inside TLS by STLS."""
    line = dial(server)
    line.line()
    line.ask(b"STLS")
    line.wrap(server.client_context())
    return line


# AUTH (RFC 5034)


@pytest.mark.parametrize("way", [b"AUTH PLAIN " + plain(), b"USER alice\r\nPASS secret"])
def test_rfc5034_3_01_sasl_stays_announced(before: Wire, way: bytes) -> None:
    """SASL is announced after a login too, with the same mechanisms."""
    first = mechanisms(before.ask(b"CAPA"))
    before.ask(way)
    assert in_transaction_state(before)

    assert mechanisms(before.ask(b"CAPA")) == first


def test_rfc5034_3_02_list_may_grow_after_stls(secure: Line, before: Wire) -> None:
    """After STLS all mechanisms are there that were there before, and some that need TLS."""
    clear = set(mechanisms(before.ask(b"CAPA")))
    inside = set(mechanisms(secure.ask_for_lines(b"CAPA")))

    assert clear < inside
    assert all(name.endswith(b"-PLUS") for name in inside - clear)


@pytest.mark.parametrize("name", [b"X-NONE", b"PLAI", b"PLAINX", b"GSSAPI"])
def test_rfc5034_4_01_unsupported_mechanism(before: Wire, name: bytes) -> None:
    """AUTH with a mechanism that is not there is refused."""
    assert refused(before.ask(b"AUTH " + name))
    assert refused(before.ask(b"AUTH " + name + b" " + plain()))
    assert accepted(before.log_in())


@pytest.mark.parametrize("line", [b"AUTH", b"AUTH "])
def test_rfc5034_4_02_auth_without_a_mechanism(before: Wire, line: bytes) -> None:
    """AUTH without a mechanism is refused."""
    assert refused(before.ask(line))


@pytest.mark.parametrize("line", [b"AUTH plain ", b"auth Plain ", b"Auth PLAIN "])
def test_rfc5034_4_03_case_of_mechanisms(before: Wire, line: bytes) -> None:
    """Names of mechanisms are case-insensitive."""
    assert accepted(before.ask(line + plain()))


def test_rfc5034_4_04_empty_challenge(before: Wire) -> None:
    """Where the client has to begin and has not, the challenge is + and a space, and no more."""
    assert before.ask(b"AUTH PLAIN") == b"+ \r\n"
    assert accepted(before.ask(plain()))


@pytest.mark.parametrize("challenge", [b"+ go on\r\n", b"+\r\n", b"+ AAA\r\n", b"+ =\r\n"])
def test_rfc5034_4_05_challenges_are_base64(tour: list[Tape], challenge: bytes) -> None:
    """A challenge is +, a space, and base64."""
    legal = Tape.of(GREETED, (b"AUTH LOGIN\r\n", b"+ VXNlcm5hbWU6\r\n"))

    assert breaches("RFC5034-4-05", *tour, legal) == []
    assert breaches("RFC5034-4-05", Tape.of(GREETED, (b"AUTH X\r\n", challenge)))


@pytest.mark.parametrize("name", [b"PLAIN", b"LOGIN", b"CRAM-MD5", b"SCRAM-SHA-256", b"XOAUTH2"])
def test_rfc5034_4_06_asterisk_cancels(before: Wire, name: bytes) -> None:
    """An asterisk in place of a response cancels the exchange."""
    assert before.ask(b"AUTH " + name).startswith(b"+ ")

    assert refused(before.ask(b"*"))


@pytest.mark.parametrize("response", [b"*", b"!!!!", b"", plain(password=b"wrong")])
def test_rfc5034_4_07_as_if_auth_had_not_been_sent(before: Wire, response: bytes) -> None:
    """After an exchange that was cancelled or failed the session is what it was."""
    before.ask(b"AUTH PLAIN")
    before.ask(response)

    assert before.ended is None
    assert refused(before.ask(b"STAT"))
    assert accepted(before.ask(b"AUTH PLAIN " + plain()))


def test_rfc5034_4_08_initial_response(before: Wire) -> None:
    """An initial response with the right credentials logs in."""
    assert accepted(before.ask(b"AUTH PLAIN " + plain()))
    assert in_transaction_state(before)


def test_rfc5034_4_09_equals_sign_is_an_empty_response(before: Wire) -> None:
    """An equals sign is an empty response and not a missing one: PLAIN fails, with no challenge."""
    assert refused(before.ask(b"AUTH PLAIN ="))
    assert refused(before.ask(b"NOOP"))


def test_rfc5034_4_10_empty_initial_response_works(dial: Dial, play: Play) -> None:
    """A mechanism that allows an empty response works with an equals sign."""
    server = play("tls: {client-certificate: required}", tls="implicit")
    line = dial(server, client_context("alice"))
    line.line()
    assert b"EXTERNAL" in mechanisms(line.ask_for_lines(b"CAPA"))

    assert accepted(line.ask(b"AUTH EXTERNAL ="))
    assert line.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("name", [b"CRAM-MD5", b"LOGIN"])
def test_rfc5034_4_11_initial_response_where_the_server_begins(before: Wire, name: bytes) -> None:
    """An initial response to a mechanism in which the server begins is refused."""
    assert refused(before.ask(b"AUTH " + name + b" AAAA"))
    assert accepted(before.log_in())


@pytest.mark.parametrize("response", [b"!!!!", b"not base64", b"AAA", b"A", b"\xff\xff\xff\xff"])
def test_rfc5034_4_12_response_that_is_not_base64(before: Wire, response: bytes) -> None:
    """A response that is not base64 is refused."""
    before.ask(b"AUTH PLAIN")

    assert refused(before.ask(response))


@pytest.mark.parametrize("response", [b"=AAA", b"AAA=BBB", b"AA=A", b"AAAA=", b"AA==AA=="])
def test_rfc5034_4_13_pad_elsewhere(before: Wire, response: bytes) -> None:
    """A pad character elsewhere than at the end is refused."""
    before.ask(b"AUTH PLAIN")

    assert refused(before.ask(response))


@pytest.mark.parametrize("stray", [b" ", b"-", b"_", b"\t", b"\xe9", b"\r"])
def test_rfc5034_4_14_octets_outside_the_alphabet(before: Wire, stray: bytes) -> None:
    """Octets outside the alphabet are refused, and not skipped."""
    response = plain()
    before.ask(b"AUTH PLAIN")

    assert refused(before.ask(response[:4] + stray + response[4:]))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("response", [b"!!!!", b"AAA", b"=AAA", b"==", plain() + b"="])
def test_rfc5034_4_15_initial_response_that_is_not_base64(before: Wire, response: bytes) -> None:
    """An initial response that is not base64 is refused."""
    assert refused(before.ask(b"AUTH PLAIN " + response))
    assert refused(before.ask(b"STAT"))


def test_rfc5034_4_16_auth_after_auth(before: Wire) -> None:
    """AUTH after an AUTH that has logged in is refused."""
    before.ask(b"AUTH PLAIN " + plain())

    assert refused(before.ask(b"AUTH PLAIN " + plain()))
    assert refused(before.ask(b"AUTH PLAIN"))
    assert in_transaction_state(before)


def test_rfc5034_4_17_auth_after_pass(wire: Wire) -> None:
    """AUTH after a login by USER and PASS is refused."""
    assert refused(wire.ask(b"AUTH PLAIN " + plain()))
    assert in_transaction_state(wire)


@pytest.mark.parametrize("password", [b"p" * 255, b"x" * 255])
def test_rfc5034_4_18_long_responses(connect: Connect, play: Play, password: bytes) -> None:
    """A response longer than 255 octets is taken."""
    wire = connect(play(users={"u" * 255: "p" * 255}))
    response = plain(b"u" * 255, password, authzid=b"u" * 255)
    wire.ask(b"AUTH PLAIN")

    said = wire.ask(response)

    assert len(response) > 1000
    assert accepted(said) is (password == b"p" * 255)
    assert wire.ended is None


def test_rfc5034_4_19_long_initial_response(connect: Connect, play: Play) -> None:
    """An initial response of more than 255 octets: the default server takes it."""
    wire = connect(play(users={"alice": "t" * 1000}))

    assert accepted(wire.ask(b"AUTH PLAIN " + plain(password=b"t" * 1000)))


@pytest.mark.parametrize("user", [b"alice", b"nobody"])
def test_rfc5034_4_20_failed_authentication(before: Wire, user: bytes) -> None:
    """An authentication that fails is refused."""
    assert refused(before.ask(b"AUTH PLAIN " + plain(user, b"wrong")))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("name", [b"PLAIN", b"CRAM-MD5"])
def test_rfc5034_4_21_no_data_with_success(before: Wire, name: bytes) -> None:
    """The line that tells success carries no SASL data: its text is that of PASS."""
    challenge = before.ask(b"AUTH " + name)[2:]

    said = before.ask(plain() if name == b"PLAIN" else cram_md5(challenge))

    assert re.fullmatch(rb"\+OK maildrop has 4 messages \(\d+ octets\)\r\n", said)


def test_rfc5034_4_22_plain_inside_tls(secure: Line) -> None:
    """PLAIN is there inside TLS, and works."""
    assert b"PLAIN" in mechanisms(secure.ask_for_lines(b"CAPA"))
    assert accepted(secure.ask(b"AUTH PLAIN " + plain()))


def test_rfc5034_4_24_mechanism_that_keeps_the_password(before: Wire) -> None:
    """There is a mechanism that does not send the password."""
    assert {b"CRAM-MD5", b"SCRAM-SHA-256"} <= set(mechanisms(before.ask(b"CAPA")))


@pytest.mark.parametrize("line", [b"AUTH PLAIN = x", b"AUTH PLAIN " + plain() + b" x"])
def test_rfc5034_4_25_third_word(before: Wire, line: bytes) -> None:
    """A third word behind AUTH is refused."""
    assert refused(before.ask(line))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("authzid", [b"", b"alice"])
def test_rfc5034_4_26_empty_authorization_identity(before: Wire, authzid: bytes) -> None:
    """An empty authorization identity is that of the user himself."""
    assert accepted(before.ask(b"AUTH PLAIN " + plain(authzid=authzid)))
    assert before.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("line", [b"AUTH  PLAIN ", b"AUTH\tPLAIN ", b"AUTH PLAIN  "])
def test_rfc1734_3_01_one_space_behind_auth(before: Wire, line: bytes) -> None:
    """Older grammar allowed several spaces or tabs; the default server goes by RFC 5034."""
    assert refused(before.ask(line + plain()))
    assert refused(before.ask(b"STAT"))


# PLAIN (RFC 4616)


@pytest.mark.parametrize("response", [b"alicesecret", b"alice\0secret", b"\0alice\0secret\0", b""])
def test_rfc4616_2_01_two_nuls(before: Wire, response: bytes) -> None:
    """PLAIN has two NUL octets: with none, one or three it is refused."""
    before.ask(b"AUTH PLAIN")

    assert refused(before.ask(b64(response)))
    assert refused(before.ask(b"STAT"))


def test_rfc4616_2_02_fields_of_255_octets(connect: Connect, play: Play) -> None:
    """Each field may have 255 octets."""
    wire = connect(play(users={"u" * 255: "p" * 255}))
    wire.ask(b"AUTH PLAIN")

    assert accepted(wire.ask(plain(b"u" * 255, b"p" * 255, authzid=b"u" * 255)))


@pytest.mark.parametrize(("user", "password"), [(b"", b""), (b"alice", b""), (b"", b"secret")])
def test_rfc4616_2_03_empty_fields(
    connect: Connect, play: Play, user: bytes, password: bytes
) -> None:
    """An empty user name or password fails, even where the user has none."""
    for users in ({"alice": "secret"}, {"alice": "", "": "secret"}):
        wire = connect(play(users=users))

        assert refused(wire.ask(b"AUTH PLAIN " + plain(user, password)))
        assert refused(wire.ask(b"STAT"))


@pytest.mark.parametrize("authzid", [b"bob", b"nobody", b"Alice"])
def test_rfc4616_2_04_identity_of_another_user(before: Wire, authzid: bytes) -> None:
    """Nobody may act as somebody else."""
    assert refused(before.ask(b"AUTH PLAIN " + plain(authzid=authzid)))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("response", [b"\0\xff\0x", b"\0alice\0\xff", b"\xff\0alice\0secret"])
def test_rfc4616_2_05_malformed_utf8(before: Wire, response: bytes) -> None:
    """What is no UTF-8 is refused, and not as wrong credentials."""
    said = before.ask(b"AUTH PLAIN " + b64(response))

    assert refused(said)
    assert b"[AUTH]" not in said


# CRAM-MD5 (RFC 2195)


def test_rfc2195_2_01_challenge_is_a_message_id(before: Wire) -> None:
    """The challenge of CRAM-MD5 is a msg-id."""
    challenge = base64.b64decode(before.ask(b"AUTH CRAM-MD5")[2:])

    assert re.fullmatch(rb"<[A-Za-z0-9.]+@[A-Za-z0-9.]+>", challenge)


def test_rfc2195_2_02_challenge_is_new_every_time(connect: Connect, play: Play) -> None:
    """The challenge is new every time: on each connection, and where there is no APOP."""
    for change in ("", "server: {greeting: hello}"):
        server = play(change)

        challenges = {connect(server).ask(b"AUTH CRAM-MD5") for _ in range(20)}

        assert len(challenges) == 20


def test_rfc2195_2_02_challenge_is_new_on_one_connection(before: Wire) -> None:
    """The challenge of a second exchange on one connection is another one too."""
    first = before.ask(b"AUTH CRAM-MD5")
    before.ask(b"*")

    assert before.ask(b"AUTH CRAM-MD5") != first


def test_rfc2195_2_03_digest(before: Wire) -> None:
    """The right digest logs in, and another does not."""
    wrong = before.ask(cram_md5(before.ask(b"AUTH CRAM-MD5")[2:], password=b"wrong"))
    unknown = before.ask(cram_md5(before.ask(b"AUTH CRAM-MD5")[2:], user=b"nobody"))
    right = before.ask(cram_md5(before.ask(b"AUTH CRAM-MD5")[2:]))

    assert refused(wrong)
    assert unknown == wrong
    assert accepted(right)


# SCRAM (RFC 5802, RFC 7677)


class Scram(NamedTuple):
    """A client's side of SCRAM, without channel binding.

    Attributes:
        hash_name: The hash.
        nonce: The client's nonce.
        password: The password.
    """

    hash_name: str
    nonce: bytes = b"fyko+d2lbbFgONRv9qkxdawL"
    password: bytes = b"secret"

    @property
    def name(self) -> bytes:
        """The mechanism's name."""
        return b"SCRAM-SHA-1" if self.hash_name == "sha1" else b"SCRAM-SHA-256"

    @property
    def first(self) -> bytes:
        """The client's first message."""
        return b"n,," + self._bare

    @property
    def _bare(self) -> bytes:
        return b"n=alice,r=" + self.nonce

    def last(self, challenge: bytes) -> tuple[bytes, bytes]:
        """The client's last message, and what the server's must then be."""
        fields = fields_of(challenge)
        bare = b"c=biws,r=" + fields[b"r"]
        said = b",".join((self._bare, challenge, bare))
        salt, rounds = base64.b64decode(fields[b"s"]), int(fields[b"i"])
        salted = hashlib.pbkdf2_hmac(self.hash_name, self.password, salt, rounds)
        key = self._hmac(salted, b"Client Key")
        mask = self._hmac(hashlib.new(self.hash_name, key).digest(), said)
        proof = bytes(a ^ b for a, b in zip(key, mask, strict=True))
        signature = self._hmac(self._hmac(salted, b"Server Key"), said)
        return bare + b",p=" + b64(proof), b"v=" + b64(signature)

    def _hmac(self, key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, self.hash_name).digest()


def fields_of(message: bytes) -> dict[bytes, bytes]:
    """The fields of a message of SCRAM."""
    pairs = (field.partition(b"=") for field in message.split(b","))
    return {name: value for name, _, value in pairs}


def challenge_of(said: bytes) -> bytes:
    """A challenge, decoded."""
    assert said.startswith(b"+ "), said
    return base64.b64decode(said[2:])


HASHES = ["sha1", "sha256"]


@pytest.mark.parametrize("hash_name", HASHES)
def test_rfc5802_5_01_nonce(before: Wire, hash_name: str) -> None:
    """The server's nonce begins with the client's, and adds something of its own, new each time."""
    client = Scram(hash_name)
    nonces = set()
    for _ in range(5):
        said = before.ask(b"AUTH " + client.name + b" " + b64(client.first))
        before.ask(b"*")
        nonces.add(fields_of(challenge_of(said))[b"r"])

    assert all(nonce.startswith(client.nonce) for nonce in nonces)
    assert all(len(nonce) >= len(client.nonce) + 16 for nonce in nonces)
    assert len(nonces) == 5


@pytest.mark.parametrize("hash_name", HASHES)
def test_rfc7677_4_01_iteration_count(before: Wire, hash_name: str) -> None:
    """The iteration count is 4096 or more."""
    client = Scram(hash_name)

    said = before.ask(b"AUTH " + client.name + b" " + b64(client.first))

    assert int(fields_of(challenge_of(said))[b"i"]) >= 4096


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("initial", [True, False])
def test_rfc5802_3_01_last_message_is_a_challenge(
    before: Wire, hash_name: str, initial: bool
) -> None:
    """The server's last message comes as a challenge, and success behind an empty response."""
    client = Scram(hash_name)
    if initial:
        said = before.ask(b"AUTH " + client.name + b" " + b64(client.first))
    else:
        assert before.ask(b"AUTH " + client.name) == b"+ \r\n"
        said = before.ask(b64(client.first))

    last, signature = client.last(challenge_of(said))
    said = before.ask(b64(last))

    assert challenge_of(said) == signature
    assert accepted(before.ask(b""))
    assert in_transaction_state(before)


@pytest.mark.parametrize("hash_name", HASHES)
def test_rfc5802_3_01_wrong_password(before: Wire, hash_name: str) -> None:
    """A proof of another password is refused, with no signature of the server's."""
    client = Scram(hash_name, password=b"wrong")
    said = before.ask(b"AUTH " + client.name + b" " + b64(client.first))

    said = before.ask(b64(client.last(challenge_of(said))[0]))

    assert refused(said)
    assert refused(before.ask(b"STAT"))


# Bearer tokens (RFC 7628)


def bearer(token: bytes, rest: bytes = b"", user: bytes = b"alice") -> bytes:
    """A response of OAUTHBEARER, in base64."""
    return b64(b"n,a=" + user + b",\x01auth=Bearer " + token + b"\x01" + rest + b"\x01")


def test_rfc7628_3_1_01_unknown_pairs_are_ignored(before: Wire) -> None:
    """Pairs with unknown keys are ignored, and so are host and port."""
    rest = b"xx=1\x01host=localhost\x01port=110\x01"

    assert accepted(before.ask(b"AUTH OAUTHBEARER " + bearer(b"secret", rest)))
    assert in_transaction_state(before)


def test_rfc7628_3_2_2_01_bad_token(before: Wire) -> None:
    """A bad token gets a challenge that is JSON and has a status."""
    said = before.ask(b"AUTH OAUTHBEARER " + bearer(b"stale"))

    assert json.loads(challenge_of(said))["status"]


@pytest.mark.parametrize("name", [b"OAUTHBEARER"])
def test_rfc7628_3_2_3_01_refusal_after_the_error(before: Wire, name: bytes) -> None:
    """What answers the error is refused: a client sends a lone control-A."""
    before.ask(b"AUTH " + name + b" " + bearer(b"stale"))

    said = before.ask(b64(b"\x01"))

    assert said.startswith(b"-ERR [AUTH] ")
    assert accepted(before.log_in())


def test_rfc7628_3_2_3_02_cancelled_after_the_error(before: Wire) -> None:
    """An asterisk in place of that is refused too."""
    before.ask(b"AUTH OAUTHBEARER " + bearer(b"stale"))

    assert refused(before.ask(b"*"))
    assert accepted(before.log_in())


def test_iop_xoauth2_01_bad_token(before: Wire) -> None:
    """XOAUTH2 with a bad token gets a challenge that is JSON, then -ERR; a good one logs in."""
    form = b"user=alice\x01auth=Bearer %b\x01\x01"

    said = before.ask(b"AUTH XOAUTH2 " + b64(form % b"stale"))

    assert json.loads(challenge_of(said))["status"]
    assert refused(before.ask(b""))
    assert accepted(before.ask(b"AUTH XOAUTH2 " + b64(form % b"secret")))
