"""The client before a real Dovecot."""

from __future__ import annotations

import dataclasses
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

import pop3client
from pop3client import TLS, RetrMode

from . import _mail
from ._clients import Poplib

if TYPE_CHECKING:
    from pathlib import Path

    from pop3client import POP3Client

    from ._clients import Account, TLSMode
    from ._dovecot import Dovecot

MODES = ["none", "stls", "implicit"]
SECURE = ["stls", "implicit"]
#: The deviation of Dovecot that a mode of retrieval comes across, and the mode that follows: the
#: last line of 08-no-final-newline gets a line end that is not in the announced sizes.
NOTICED = {
    RetrMode.RETR: ("retr-size-too-small", RetrMode.LIST),
    RetrMode.LIST: ("list-sizes-wrong", RetrMode.SLOW),
    RetrMode.SLOW: (None, RetrMode.SLOW),
}


def connect(
    account: Account, retr_mode: RetrMode = RetrMode.RETR, *, apop: bool = False
) -> POP3Client:
    """Log in to an account."""
    return pop3client.connect(
        account.host,
        account.user,
        account.password,
        port=account.port,
        tls=TLS(account.tls),
        ssl_context=ssl.create_default_context(cafile=str(account.ca)),
        retr_mode=retr_mode,
        apop=apop,
        timeout=20.0,
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


@pytest.mark.parametrize("tls", MODES)
def test_a_deleted_message_is_gone(tls: TLSMode, dovecot: Dovecot) -> None:
    """What was deleted before QUIT is not there in the next session; the rest is, by its ids."""
    account = dovecot.account(_mail.messages().values(), tls)

    with connect(account) as client:
        before = client.uidl()
        client.delete(2)
    with connect(account) as client:
        after = client.uidl()
        second = client.retr(2)

    assert [each.uid for each in before[:1] + before[2:]] == [each.uid for each in after]
    assert _mail.messages()["03-empty-body"] == second.raw


def test_nothing_is_deleted_without_quit(dovecot: Dovecot) -> None:
    """A connection that is dropped deletes nothing (RFC 1939, section 6)."""
    account = dovecot.account(_mail.messages().values())

    client = connect(account)
    client.delete("start", "end")
    client.abort()
    with connect(account) as client:
        left = client.stat().count

    assert len(_mail.messages()) == left


def test_top_is_the_header_and_so_many_lines(dovecot: Dovecot) -> None:
    """TOP comes unstuffed, and ends where it was asked to end."""
    account = dovecot.account([_mail.messages()["02-dots"]])

    with connect(account) as client:
        top = client.top(1, 3)

    header, _, body = _mail.messages()["02-dots"].partition(b"\r\n\r\n")
    assert header + b"\r\n\r\n" + b"".join(body.splitlines(keepends=True)[:3]) == top.raw


def test_apop_digest_is_right(dovecot: Dovecot) -> None:
    """The digest is the one that Dovecot reckons (RFC 1939, section 7)."""
    account = dovecot.account([])

    with connect(account, apop=True) as client:
        assert client.stat().count == 0


@pytest.mark.parametrize("tls", MODES)
@pytest.mark.parametrize("apop", [False, True], ids=["pass", "apop"])
def test_a_wrong_password_is_refused(tls: TLSMode, apop: bool, dovecot: Dovecot) -> None:
    """The error is the one for credentials, and has the server's response code (RFC 3206)."""
    account = dataclasses.replace(dovecot.account([], tls), password="not-it")

    with pytest.raises(pop3client.AuthenticationError) as caught:
        connect(account, apop=apop)

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


@pytest.mark.parametrize("tls", MODES)
def test_poplib_sees_the_same(tls: TLSMode, dovecot: Dovecot, tmp_path: Path) -> None:
    """That the messages come from Dovecot as they should is also what another client says."""
    readable = [m for m in sent() if _mail.longest_line(m) <= Poplib.longest_line]
    account = dovecot.account(readable, tls)

    fetched = Poplib().fetch(account, tmp_path)

    assert readable == fetched
