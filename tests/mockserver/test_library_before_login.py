"""Quirks that show before anybody has logged in: greetings, CAPA, APOP; by their octets."""

from __future__ import annotations

import pytest

from pop3mock import MockServer

from ._spoken import Case, spoken

LOGIN = b"USER alice\r\nPASS secret\r\n"
CAPA_OF_DEFAULT = b"+OK capability list follows\r\n"
HOST = b"UwBDADEAUABSADAAMQBDAEEAMAAwADEAMQA="
DIGEST = b"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n"


def greeting_of(scenario: str) -> tuple[bytes, str]:
    """The greeting, and how the connection ends with it."""
    return spoken(MockServer(scenario).session().connected())


@pytest.mark.parametrize(
    ("scenario", "greeting", "ending"),
    [
        ("greeting-err", b"-ERR Permission denied - do not try again\r\n", "close"),
        (
            "greeting-other-service",
            b"220 mail.example.com Microsoft ESMTP MAIL Service ready\r\n",
            "",
        ),
        ("greeting-angle-not-apop", b"+OK E.Novation POP3 server ready <a.b.c>\r\n", ""),
        (
            "greeting-bracket",
            b"+OK The Microsoft Exchange POP3 service is ready. [" + HOST + b"]\r\n",
            "",
        ),
    ],
)
def test_greeting(scenario: str, greeting: bytes, ending: str) -> None:
    """The greeting is exactly this line."""
    assert greeting_of(scenario) == (greeting, ending)


def test_greeting_apop_late() -> None:
    """The timestamp is the last thing in the line, behind other brackets."""
    greeting, _ = greeting_of("greeting-apop-late")

    assert greeting.startswith(b"+OK mail.example.com POP3 server (version 2.53) is ready ")
    assert greeting.endswith(b"@localhost>\r\n")


def listing(*lines: bytes) -> bytes:
    """A positive answer to CAPA with these lines."""
    return CAPA_OF_DEFAULT + b"".join(line + b"\r\n" for line in lines) + b".\r\n"


CASES = [
    Case("greeting-other-service", b"CAPA\r\n", b"500 5.3.3 Unrecognized command\r\n"),
    Case("greeting-angle-not-apop", DIGEST, b"-ERR Unknown command\r\n"),
    Case("apop-broken[closes]", DIGEST, b"-ERR authentication failed\r\n", "close"),
    Case(
        "apop-broken[unprefixed]",
        DIGEST,
        b"warning: auth_error: authorization failed\r\n",
        "close",
    ),
    Case(
        "apop-broken[stays]",
        DIGEST + b"USER alice\r\n",
        b"-ERR authentication failed\r\n+OK now the password for alice\r\n",
    ),
    Case(
        "apop-double-reply",
        DIGEST,
        b'-ERR [AUTH] Password supplied for "alice" is incorrect.\r\n'
        b"+OK Pop server at mail.example.com signing off.\r\n",
        "close",
    ),
    Case("capa-hangs", b"CAPA\r\n", b"", "hang"),
    Case("capa-sasl-empty", b"CAPA\r\n", listing(b"TOP", b"UIDL", b"USER", b"SASL")),
    Case(
        "capa-case",
        b"CAPA\r\n",
        listing(b"Top", b"Uidl", b"User", b"Resp-Codes", b"sasl plain", b"expire never", b"stls"),
    ),
    Case("capa-understates", b"CAPA\r\n", listing(b"USER", b"RESP-CODES")),
    Case("capa-uidl-after-auth", b"CAPA\r\n", listing(b"USER", b"RESP-CODES")),
    Case(
        "auth-lists-mechanisms",
        b"AUTH\r\nAUTH PLAIN\r\n",
        b"+OK\r\nPLAIN\r\nLOGIN\r\nCRAM-MD5\r\n.\r\n+ \r\n",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_octets(case: Case) -> None:
    """The quirk shows in exactly these octets."""
    session = MockServer(case.scenario).session()
    session.connected()

    assert spoken(session.receive(case.sent)) == (case.comes, case.ending)


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_only_by_the_file(case: Case) -> None:
    """The default server shows none of this."""
    session = MockServer().session()
    session.connected()

    assert spoken(session.receive(case.sent)) != (case.comes, case.ending)


def capa_in_both_states(scenario: str) -> tuple[list[bytes], list[bytes]]:
    """The lines of CAPA's answer before login and after it."""
    session = MockServer(scenario).session()
    session.connected()
    before, _ = spoken(session.receive(b"CAPA\r\n"))
    session.receive(LOGIN)
    after, _ = spoken(session.receive(b"CAPA\r\n"))
    return before.split(b"\r\n")[:-1], after.split(b"\r\n")[:-1]


def test_capa_err_after_auth() -> None:
    """CAPA lists PIPELINING, is refused after login, and whoever then pipelines is cut off."""
    before, after = capa_in_both_states("capa-err-after-auth")
    session = MockServer("capa-err-after-auth").session()
    session.receive(LOGIN)

    assert b"PIPELINING" in before
    assert after == [b"-ERR unknown command"]
    assert spoken(session.receive(b"STAT\r\nSTAT\r\n")) == (b"", "close")


def test_capa_changes_after_auth() -> None:
    """PIPELINING comes with login, SASL goes."""
    before, after = capa_in_both_states("capa-changes-after-auth")

    assert b"SASL PLAIN XOAUTH2 OAUTHBEARER" in before
    assert b"PIPELINING" not in before
    assert after[1:] == [b"USER", b"RESP-CODES", b"PIPELINING", b"TOP", b"UIDL", b"."]


def test_capa_uidl_after_auth() -> None:
    """UIDL and TOP come with login."""
    before, after = capa_in_both_states("capa-uidl-after-auth")

    assert not {b"UIDL", b"TOP"} & set(before)
    assert {b"UIDL", b"TOP"} <= set(after)


def test_capa_expire_user() -> None:
    """What may differ from user to user says so before login, and has other values after it."""
    before, after = capa_in_both_states("capa-expire-user")

    assert {b"EXPIRE 31 USER", b"LOGIN-DELAY 10 USER"} <= set(before)
    assert {b"EXPIRE NEVER", b"LOGIN-DELAY 5"} <= set(after)


def test_capa_xoauth2_missing() -> None:
    """A mechanism that is not listed can be begun."""
    session = MockServer("capa-xoauth2-missing").session()
    session.connected()

    listed, _ = spoken(session.receive(b"CAPA\r\n"))

    assert b"\r\nSASL PLAIN\r\n" in listed
    assert spoken(session.receive(b"AUTH XOAUTH2\r\n")) == (b"+ \r\n", "")


def test_capa_understates() -> None:
    """TOP and UIDL work although nobody said so."""
    session = MockServer("capa-understates").session()
    session.receive(LOGIN)

    octets, _ = spoken(session.receive(b"UIDL 1\r\nTOP 1 0\r\n"))

    assert octets.startswith(b"+OK 1 ")
    assert b"\r\n+OK top of message 1\r\n" in octets


def test_capa_endless() -> None:
    """The list has no dot at its end, and nothing more ever comes."""
    session = MockServer("capa-endless").session()
    session.connected()

    octets, ending = spoken(session.receive(b"CAPA\r\n"))

    assert octets.startswith(CAPA_OF_DEFAULT)
    assert not octets.endswith(b"\r\n.\r\n")
    assert ending == "hang"
