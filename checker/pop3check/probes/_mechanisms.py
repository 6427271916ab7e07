"""Single SASL mechanisms: PLAIN, CRAM-MD5, SCRAM, bearer tokens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pop3check._dialogue import is_challenge
from pop3check._findings import Skipped
from pop3check._sasl import (
    SCRAM,
    Scram,
    b64,
    challenge_of,
    cram_md5,
    fields_of,
    oauthbearer,
    plain,
    xoauth2,
)
from pop3check._talk import WRONG

from ._exchange import NOBODY, admitted, anew, begin, begun, by_scram, pick, refused
from ._registry import probe
from ._sasl import refused_long

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Octets that each field of PLAIN may have (RFC 4616, section 2).
_LONGEST = 255

#: A msg-id, as RFC 2195 wants it.
_MESSAGE_ID = re.compile(rb"<[^<>@\s]+@[^<>@\s]+>")

#: Challenges that are compared.
_CHALLENGES = 5

#: How often SCRAM hashes at least (RFC 7677, section 4).
_ITERATIONS = 4096

#: A token that opens nothing.
_STALE = "stale-on-purpose"

#: A lone control-A, by which a client takes note of an error (RFC 7628, section 3.2.3).
_NOTED = b64("\x01")


# PLAIN (RFC 4616)


@probe("RFC4616-2-01", logs_in=True)
def two_nuls(talk: Talk) -> Wants[None]:
    """The right name and password with none, one and three NUL octets."""
    user, password = talk.target.user, talk.target.password
    wrong = (f"{user}{password}", f"{user}\0{password}", f"\0{user}\0{password}\0")
    for count, response in zip((0, 1, 3), wrong, strict=True):
        if count:
            yield from anew(talk, f"{count}")
        yield from begun(talk, "PLAIN")
        answer = yield from talk.respond(b64(response), secret=True)
        yield from refused(talk, answer, f"PLAIN with {count} NUL octets")


@probe("RFC4616-2-02")
def long_fields(talk: Talk) -> Wants[None]:
    """Three fields of 255 octets, all wrong."""
    yield from refused_long(talk, plain("u" * _LONGEST, "p" * _LONGEST, "u" * _LONGEST))


@probe("RFC4616-2-03")
def empty_fields(talk: Talk) -> Wants[None]:
    """Neither name nor password, and a name without a password."""
    for number, (user, what) in enumerate((("", "name"), (talk.target.user or NOBODY, "password"))):
        if number:
            yield from anew(talk, f"{number}")
        yield from begun(talk, "PLAIN")
        yield from refused(talk, (yield from talk.respond(plain(user, ""))), f"an empty {what}")


@probe("RFC4616-2-04", logs_in=True)
def identity_of_another(talk: Talk) -> Wants[None]:
    """The right name and password, to act as somebody else."""
    yield from begun(talk, "PLAIN")
    response = plain(talk.target.user, talk.target.password, authzid=NOBODY)
    answer = yield from talk.respond(response, secret=True)
    yield from refused(talk, answer, f"{talk.target.user} who wants to act as {NOBODY}")


@probe("RFC4616-2-05")
def invalid_utf8(talk: Talk) -> Wants[None]:
    """A name that is no UTF-8."""
    yield from begun(talk, "PLAIN")
    yield from refused(
        talk, (yield from talk.respond(b64(b"\0\xff\0x"))), "a name that is no UTF-8"
    )


# CRAM-MD5 (RFC 2195)


def _cram_challenge(talk: Talk) -> Wants[bytes]:
    """The challenge of an exchange that is called off."""
    answer = yield from begun(talk, "CRAM-MD5")
    yield from talk.respond("*")
    return challenge_of(answer, "a msg-id")


@probe("RFC2195-2-01")
def challenge_is_a_message_id(talk: Talk) -> Wants[None]:
    """The challenge of CRAM-MD5."""
    challenge = yield from _cram_challenge(talk)
    found = _MESSAGE_ID.fullmatch(challenge)
    talk.require(found is not None, "a challenge of the form <local@domain>", repr(challenge)[1:])


@probe("RFC2195-2-02")
def challenge_is_new(talk: Talk) -> Wants[None]:
    """The challenges of some exchanges, two of them on one connection."""
    challenges = [(yield from _cram_challenge(talk))]
    for number in range(1, _CHALLENGES):
        if number > 1:
            yield from anew(talk, f"{number}")
        challenges.append((yield from _cram_challenge(talk)))
    again = next((each for each in challenges if challenges.count(each) > 1), b"")
    talk.require(not again, f"{_CHALLENGES} challenges, all different", f"{again!r} again")


@probe("RFC2195-2-03", logs_in=True)
def digests(talk: Talk) -> Wants[None]:
    """A wrong digest, and on another connection the right one."""
    user = talk.target.user
    challenge = challenge_of((yield from begun(talk, "CRAM-MD5")), "a challenge")
    answer = yield from talk.respond(cram_md5(challenge, user, WRONG))
    yield from refused(talk, answer, "a wrong digest")
    yield from anew(talk, "right")
    challenge = challenge_of((yield from begun(talk, "CRAM-MD5")), "a challenge")
    answer = yield from talk.respond(cram_md5(challenge, user, talk.target.password))
    admitted(talk, answer, "the right digest")
    yield from talk.stat()


# SCRAM (RFC 5802, RFC 7677)


def _server_first(talk: Talk, name: str) -> Wants[tuple[Scram, dict[str, str]]]:
    """The fields of the server's first message; the exchange is called off."""
    client = Scram(name, talk.target.user, talk.target.password)
    answer = yield from begin(talk, name, client.first)
    if is_challenge(answer):
        yield from talk.respond("*")
    return client, fields_of(challenge_of(answer, "the server's first message"))


@probe("RFC5802-5-01", logs_in=True)
def nonce(talk: Talk) -> Wants[None]:
    """The nonces of two exchanges."""
    name = pick(talk, *SCRAM)
    added = []
    for _ in range(2):
        client, fields = yield from _server_first(talk, name)
        came = fields.get("r", "")
        talk.require(came.startswith(client.nonce), "a nonce that begins with ours", came)
        added.append(came.removeprefix(client.nonce))
        talk.require(bool(added[-1]), "a part of the nonce that is the server's own", "ours alone")
    talk.require(
        added[0] != added[1], "another nonce of the server's each time", f"{added[0]} twice"
    )


@probe("RFC7677-4-01", logs_in=True)
def iterations(talk: Talk) -> Wants[None]:
    """The iteration count of SCRAM-SHA-256."""
    _, fields = yield from _server_first(talk, "SCRAM-SHA-256")
    count = fields.get("i", "")
    enough = count.isascii() and count.isdigit() and int(count) >= _ITERATIONS
    talk.require(enough, f"{_ITERATIONS} iterations or more", count or "no count")


@probe("RFC5802-3-01", logs_in=True)
def last_message_is_a_challenge(talk: Talk) -> Wants[None]:
    """A whole exchange."""
    name = pick(talk, *SCRAM)
    client = Scram(name, talk.target.user, talk.target.password)
    answer = yield from by_scram(talk, client, name)
    admitted(talk, answer, "an empty response to the server's signature")
    signature = "the server's signature in a challenge, before +OK"
    talk.require(client.proven, signature, "+OK without it")
    yield from talk.stat()


# Bearer tokens (RFC 7628, and what Google describes)


def _status(talk: Talk, answer: str) -> str:
    """The status of the error that a challenge holds.

    Raises:
        Unmet: It holds none.
    """
    data = challenge_of(answer, "JSON with a status").decode("utf-8", "replace")
    try:
        error = json.loads(data)
    except ValueError:
        error = None
    status = error.get("status") if isinstance(error, dict) else None
    talk.require(bool(status), "JSON with a status", data)
    return str(status)


def _told(talk: Talk) -> Wants[None]:
    """Send a token that opens nothing, and hear the error.

    Raises:
        Skipped: There is no error that could be answered.
    """
    answer = yield from begin(talk, "OAUTHBEARER", oauthbearer(_STALE, NOBODY))
    if not is_challenge(answer):
        raise Skipped(f"a bad token is answered {answer}, so there is nothing to answer")


@probe("RFC7628-3.1-01")
def unknown_pairs(talk: Talk) -> Wants[None]:
    """A bad token, without and with a pair that nobody knows."""
    told = []
    for more in ((), ("xx=1",)):
        if more:
            yield from anew(talk, "unknown-pair")
        answer = yield from begin(talk, "OAUTHBEARER", oauthbearer(_STALE, NOBODY, *more))
        if is_challenge(answer):
            yield from talk.respond(_NOTED)
            told.append(f"status {_status(talk, answer)}")
        else:
            told.append(answer.split(" ")[0])
    talk.require(told[0] == told[1], f"{told[0]}, as without the pair", told[1])


@probe("RFC7628-3.2.2-01")
def error_in_a_challenge(talk: Talk) -> Wants[None]:
    """A bad token."""
    answer = yield from begin(talk, "OAUTHBEARER", oauthbearer(_STALE, NOBODY))
    if is_challenge(answer):
        yield from talk.respond(_NOTED)
    _status(talk, answer)


@probe("RFC7628-3.2.3-01")
def refusal_after_the_error(talk: Talk) -> Wants[None]:
    """A bad token, and a control-A in answer to the error."""
    yield from _told(talk)
    yield from refused(talk, (yield from talk.respond(_NOTED)), "what answers the error")


@probe("RFC7628-3.2.3-02")
def cancelled_after_the_error(talk: Talk) -> Wants[None]:
    """A bad token, and an asterisk in answer to the error."""
    yield from _told(talk)
    yield from refused(talk, (yield from talk.respond("*")), "* in answer to the error")


@probe("IOP-XOAUTH2-01")
def xoauth2_with_a_bad_token(talk: Talk) -> Wants[None]:
    """A bad token, and an empty line in answer to the error."""
    answer = yield from begin(talk, "XOAUTH2", xoauth2(_STALE, NOBODY))
    after = (yield from talk.respond("")) if is_challenge(answer) else ""
    _status(talk, answer)
    yield from refused(talk, after, "an empty line in answer to the error")
