"""Claims on what clients did: when they hold, and what they say when they do not."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer, VerificationFailed
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    from pop3mock import Journal

    Raw = Callable[[MockServer], RawClient]

HEAD = "pop3: 1\nname: test\nsummary: test\n"
LOGIN = b"USER alice\r\nPASS secret\r\n"


def after(*connections: bytes, rules: str = "", gone: bool = True) -> Journal:
    """The journal of a server after clients without a socket have said this, one by one."""
    server = MockServer(loads(HEAD + rules))
    for octets in connections:
        session = server.session()
        session.connected()
        session.receive(octets)
        if gone:
            session.log.end("close" if octets.endswith(b"QUIT\r\n") else "client closed")
            session.lost()
    return server.journal


# Fetched


def test_fetched() -> None:
    """Exactly these messages, in whatever order; what was refused is not fetched."""
    journal = after(LOGIN + b"RETR 2\r\nRETR 1\r\nRETR 9\r\n")

    journal.assert_fetched(1, 2)
    journal.last.assert_fetched(2, 1)


@pytest.mark.parametrize(
    ("claimed", "detail"),
    [
        ((1,), "fetched: 1, 1, 3; too many: 1, 3"),
        ((1, 1, 2, 3), "fetched: 1, 1, 3; missing: 2"),
        ((1, 2, 3), "fetched: 1, 1, 3; missing: 2; too many: 1"),
        ((), "fetched: 1, 1, 3; too many: 1, 1, 3"),
    ],
)
def test_not_fetched(claimed: tuple[int, ...], detail: str) -> None:
    """What is missing, and what is too many, is told, with each RETR and its answer."""
    journal = after(LOGIN + b"RETR 1\r\nRETR 1\r\nRETR 3\r\nRETR 9\r\n")

    with pytest.raises(VerificationFailed) as caught:
        journal.assert_fetched(*claimed)

    assert caught.value.details[0] == detail
    assert caught.value.details[-2] == "#1 C: RETR 9"
    assert caught.value.details[-1].startswith("#1 S: -ERR no such message")
    assert not any("PASS" in line for line in caught.value.details)
    assert "C: PASS ****" in caught.value.transcript


# Deleted


def test_deleted() -> None:
    """A message is deleted when DELE has marked it and QUIT has come."""
    journal = after(LOGIN + b"DELE 2\r\nQUIT\r\n", LOGIN + b"RETR 1\r\nQUIT\r\n")

    journal.assert_deleted(2)
    journal.connection(2).assert_nothing_deleted()
    with pytest.raises(VerificationFailed, match="#1 removed message 2"):
        journal.assert_nothing_deleted()


@pytest.mark.parametrize("claim", ["assert_deleted", "assert_nothing_deleted"])
def test_marked_without_quit(claim: str) -> None:
    """A mark that stays without effect is neither a deletion nor none; the message says so."""
    journal = after(LOGIN + b"DELE 1\r\n")
    numbers = (1,) if claim == "assert_deleted" else ()

    with pytest.raises(VerificationFailed) as caught:
        getattr(journal, claim)(*numbers)

    kept = "#1 marked message 1 (DELE); the server kept it, since no QUIT came (client closed)"
    assert kept in caught.value.details
    journal.assert_deleted()


def test_mark_on_a_connection_that_is_up() -> None:
    """What is marked on a connection that is still up will be deleted."""
    journal = after(LOGIN + b"DELE 1\r\n", gone=False)

    with pytest.raises(VerificationFailed, match="QUIT will remove it"):
        journal.assert_nothing_deleted()


def test_mark_that_was_taken_back() -> None:
    """RSET takes marks back, and those alone that stand before it."""
    after(LOGIN + b"DELE 1\r\nRSET\r\nQUIT\r\n").assert_nothing_deleted()
    journal = after(LOGIN + b"DELE 1\r\nRSET\r\nDELE 3\r\n")

    with pytest.raises(VerificationFailed, match="marked message 3 "):
        journal.assert_nothing_deleted()


def test_server_that_keeps_what_was_deleted() -> None:
    """A scenario may answer DELE and delete nothing: that is told from a QUIT that never came."""
    journal = after(
        LOGIN + b"DELE 1\r\nQUIT\r\n", rules="rules: [{when: DELE, text: so be it, effect: skip}]"
    )

    with pytest.raises(VerificationFailed, match="in spite of QUIT"):
        journal.assert_deleted(1)


# Secrets

PLAIN = base64.b64encode(b"\0alice\0secret")
SASL = "server: {capabilities: [USER, APOP, SASL PLAIN LOGIN CRAM-MD5]}\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"USER alice\r\n",
        b"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n",
        b"AUTH CRAM-MD5\r\nYWxpY2UgMDAw\r\n",
        b"AUTH CRAM-MD5 YWxpY2UgMDAw\r\n",
        b"AUTH PLAIN\r\n",
        b"PASS\r\n",
    ],
)
def test_no_secret(octets: bytes) -> None:
    """A name, a proof, and a command without its argument are no secrets."""
    after(octets, rules=SASL).assert_no_plaintext_secret()


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (LOGIN, "PASS ****"),
        (b"XPASS hunter2\r\n", "XPASS ****"),
        (b"auth plain " + PLAIN + b"\r\n", "auth plain ****"),
        (b"AUTH PLAIN\r\n" + PLAIN + b"\r\n", "(SASL response)"),
        (b"AUTH XOAUTH2 dXNlcj0=\r\n", "AUTH XOAUTH2 ****"),
        (b"AUTH UNHEARD-OF dXNlcj0=\r\n", "AUTH UNHEARD-OF ****"),
        (b"STLS\r\nUSER alice\r\nPASS secret\r\n", "PASS **** (behind STLS, not heard)"),
    ],
)
def test_secret_in_the_clear(octets: bytes, shown: str) -> None:
    """A password, also one that nobody heard, and what a mechanism sends bare, are told, masked."""
    stls = SASL.replace("USER,", "USER, STLS,") + "tls: {mode: stls}\n"
    journal = after(octets, rules=stls)

    with pytest.raises(VerificationFailed) as caught:
        journal.assert_no_plaintext_secret()

    assert caught.value.details == (f"#1 sent outside TLS: {shown}",)
    for secret in ("PASS secret", "hunter2", PLAIN.decode()):
        assert secret not in f"{caught.value} {caught.value.transcript}"


def test_secret_inside_tls(raw: Raw) -> None:
    """Inside TLS a password may go over the wire."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.wrap()
        client.ask(b"USER alice")
        client.ask(b"PASS secret")

        server.journal.assert_no_plaintext_secret()


# In time


def test_client_that_does_not_wait(raw: Raw) -> None:
    """A claim is judged by all that a client has sent, also where it awaits no answer."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n" * 3000 + b"DELE 1\r\n")
        client.close()

        with pytest.raises(VerificationFailed, match="marked message 1"):
            server.journal.last.assert_nothing_deleted()


# Equality


def test_connection_equals_its_commands() -> None:
    """A connection compares with the list of its command lines, as the journal does."""
    journal = after(b"CAPA\r\n", b"NOOP\r\n")

    assert journal.last == ["NOOP"]
    assert journal.last != ["CAPA"]
    assert journal == ["CAPA", "NOOP"]
    assert journal.last in journal.connections
    assert journal.commands + ["QUIT"] == ["CAPA", "NOOP", "QUIT"]  # noqa: RUF005
