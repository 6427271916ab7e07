"""The client before a real Dovecot."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

import pop3client
from pop3client import TLS, OAuthBearer, RetrMode, XOAuth2

from . import _mail
from ._clients import Poplib
from ._dovecot import token

if TYPE_CHECKING:
    from pathlib import Path

    from pop3client import Mechanism, POP3Client, Settings

    from ._clients import Account, TLSMode
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once

MODES = ["none", "stls", "implicit"]
SECURE = ["stls", "implicit"]
#: The deviation of Dovecot that a mode of retrieval comes across, and the mode that follows: the
#: last line of 08-no-final-newline gets a line end that is not in the announced sizes.
NOTICED = {
    RetrMode.RETR: ("retr-size-too-small", RetrMode.LIST),
    RetrMode.LIST: ("list-sizes-wrong", RetrMode.SLOW),
    RetrMode.SLOW: (None, RetrMode.SLOW),
}


def settings(account: Account) -> Settings:
    """How to connect to an account."""
    return {
        "port": account.port,
        "tls": TLS(account.tls),
        "ssl_context": ssl.create_default_context(cafile=str(account.ca)),
        "timeout": 20.0,
    }


def connect(
    account: Account, retr_mode: RetrMode = RetrMode.RETR, *, mechanism: str | None = None
) -> POP3Client:
    """Log in to an account."""
    return pop3client.connect(
        account.host,
        account.user,
        account.password,
        mechanism=mechanism,
        retr_mode=retr_mode,
        **settings(account),
    )


def sent() -> list[bytes]:
    """The awkward messages as Dovecot sends them."""
    return [_mail.canonical(message) for message in _mail.messages().values()]


@pytest.mark.parametrize("retr_mode", list(RetrMode))
@pytest.mark.parametrize("tls", MODES)
def test_every_message_comes_exactly(tls: TLSMode, retr_mode: RetrMode, dovecot: Dovecot) -> None:
    """In each mode of retrieval, with TLS and without, the octets are those that Dovecot has."""
    account = dovecot.account(_mail.messages().values(), tls)

    with connect(account, retr_mode) as client:
        fetched = client.retrieve("start", "end")

    assert sent() == [message.raw for message in fetched]


@pytest.mark.parametrize("retr_mode", list(RetrMode))
def test_what_dovecot_does_is_noticed(retr_mode: RetrMode, dovecot: Dovecot) -> None:
    """A size that is two octets short is named, and not looked at again."""
    quirk, fallen_to = NOTICED[retr_mode]
    account = dovecot.account(_mail.messages().values())

    with connect(account, retr_mode) as client:
        client.retrieve("start", "end")

    assert ([quirk] if quirk else []) == [each.quirk for each in client.deviations]
    assert fallen_to is client.config.retr_mode


def test_dovecot_keeps_to_the_letter_otherwise(dovecot: Dovecot) -> None:
    """With mail whose lines all end, nothing at all is noticed, and a strict client is content."""
    mail = {**_mail.messages()}
    del mail["08-no-final-newline"]
    account = dovecot.account(mail.values())

    with connect(account) as client:
        sizes = [each.octets for each in client.list()]
        fetched = client.retrieve("start", "end")
        client.uidl()
        client.top(1, 0)

    assert sizes == [message.octets for message in fetched]
    assert client.deviations == ()
    assert RetrMode.RETR is client.config.retr_mode


@pytest.mark.parametrize("mechanism", [None, "APOP"])
def test_a_wrong_password_is_refused(mechanism: str | None, dovecot: Dovecot) -> None:
    """The error is the one for credentials, and has the server's response code (RFC 3206)."""
    account = dataclasses.replace(dovecot.account([]), password="not-it")

    with pytest.raises(pop3client.AuthenticationError) as caught:
        connect(account, mechanism=mechanism)

    assert caught.value.code == "AUTH"
    assert "not-it" not in str(caught.value)


@pytest.mark.parametrize("tls", SECURE)
def test_an_unknown_authority_is_refused(tls: TLSMode, dovecot: Dovecot, tmp_path: Path) -> None:
    """A server that shows a certificate of somebody else's is not told who we are."""
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    account = dataclasses.replace(dovecot.account([], tls), ca=stranger)

    with pytest.raises(pop3client.TLSError) as caught:
        connect(account)

    assert caught.value.step == "handshake"


async def fetch(account: Account, mechanism: Mechanism) -> list[bytes]:
    """Fetch all mail with the asyncio client."""
    client = pop3client.AsyncPOP3Client(account.host, **settings(account))
    async with client:
        await client.authenticate(mechanism)
        assert client.deviations == ()
        return [message.raw async for message in client.messages()]


@pytest.mark.parametrize("tls", MODES)
@pytest.mark.parametrize("kind", [XOAuth2, OAuthBearer])
@pytest.mark.parametrize("at_once", [False, True], ids=["two steps", "initial response"])
def test_tokens(
    tls: TLSMode, kind: type[XOAuth2 | OAuthBearer], at_once: bool, full_dovecot: Dovecot
) -> None:
    """A token logs in, with either client, given after a challenge or along with the command."""
    for attempt in ("blocking", "asyncio"):
        account = full_dovecot.account(_mail.messages().values(), tls)
        mechanism = kind(account.user, token(account.user), initial_response=at_once)
        if attempt == "asyncio":
            assert sent() == asyncio.run(fetch(account, mechanism))
            continue
        with pop3client.POP3Client(account.host, **settings(account)) as client:
            client.authenticate(mechanism)
            assert sent() == [message.raw for message in client.messages()]


@pytest.mark.parametrize("kind", [XOAuth2, OAuthBearer])
def test_a_token_that_is_too_old(kind: type[XOAuth2 | OAuthBearer], full_dovecot: Dovecot) -> None:
    """What Dovecot says of the token is in the error; a fresh one is asked for, and works."""
    account = full_dovecot.account([], "stls")
    old, new = token(account.user, lasts=-60.0), token(account.user)

    with pop3client.POP3Client(account.host, **settings(account)) as client:
        with pytest.raises(pop3client.OAuthError) as caught:
            client.authenticate(kind(account.user, old))
        tokens = iter([old, new])
        client.authenticate(kind(account.user, lambda: next(tokens)))
        assert client.stat().count == 0

    assert caught.value.code == "AUTH"
    assert caught.value.details["status"] in {"401", "invalid_token"}
    assert old not in str(caught.value)


def test_capabilities_of_each_stage(full_dovecot: Dovecot) -> None:
    """CAPA is asked before TLS, after it and after login, and the answers differ."""
    account = full_dovecot.account([], "stls")

    with connect(account) as client:
        before, inside, after = client.capability_snapshots
        assert client.supports("UIDL") is True

    assert before is not None
    assert before.stls
    assert inside is not None
    assert "SCRAM-SHA-256" in inside.sasl
    assert after is not None
    assert after.sasl == ()


def test_opportunistic_tls(dovecot: Dovecot) -> None:
    """Dovecot offers STLS, so the connection is encrypted."""
    account = dovecot.account([], "stls")

    with pop3client.connect(
        account.host,
        account.user,
        account.password,
        **{**settings(account), "tls": TLS.OPPORTUNISTIC},
    ) as client:
        assert client.tls is not None


@pytest.mark.parametrize("tls", MODES)
def test_poplib_sees_the_same(tls: TLSMode, dovecot: Dovecot, tmp_path: Path) -> None:
    """That the messages come from Dovecot as they should is also what another client says."""
    readable = [m for m in sent() if _mail.longest_line(m) <= Poplib.longest_line]
    account = dovecot.account(readable, tls)

    fetched = Poplib().fetch(account, tmp_path)

    assert readable == fetched
