"""The response codes of RFC 3206."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import lines_of, plain

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Connect

GREETED = (b"", b"+OK ready\r\n")


@pytest.mark.parametrize("code", [b"SYS", b"SYS/OTHER"])
def test_rfc3206_4_01_sys_is_temp_or_perm(tour: list[Tape], code: bytes) -> None:
    """SYS is always SYS/TEMP or SYS/PERM."""
    legal = Tape.of(GREETED, (b"STAT\r\n", b"-ERR [SYS/PERM/QUOTA] full\r\n"))
    illegal = Tape.of(GREETED, (b"STAT\r\n", b"-ERR [%b] later\r\n" % code))

    assert breaches("RFC3206-4-01", *tour, legal) == []
    assert breaches("RFC3206-4-01", illegal)


def test_rfc3206_4_02_sys_is_not_for_credentials(before: Wire) -> None:
    """Wrong credentials get no SYS code."""
    assert b"[SYS" not in before.log_in(password=b"wrong")
    assert b"[SYS" not in before.ask(b"AUTH PLAIN " + plain(password=b"wrong"))


def test_rfc3206_5_01_auth_is_of_credentials_only(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """Neither the lock nor wrong syntax gets [AUTH]."""
    second = connect(server)

    assert b"[AUTH]" not in second.log_in()
    for line in (b"PASS x", b"USER", b"AUTH", b"AUTH X-NONE", b"APOP", b"AUTH PLAIN !", b"STAT"):
        assert b"[AUTH]" not in second.ask(line), line


def test_rfc3206_6_01_auth_on_pass(before: Wire) -> None:
    """A wrong password has [AUTH]."""
    assert before.log_in(password=b"wrong").startswith(b"-ERR [AUTH] ")


def test_rfc3206_6_02_auth_for_an_unknown_user(before: Wire) -> None:
    """An unknown user has [AUTH], and the same text."""
    wrong = before.log_in(password=b"wrong")

    assert before.log_in(user=b"nobody") == wrong


def test_rfc3206_6_03_auth_on_auth_plain(before: Wire) -> None:
    """AUTH PLAIN with wrong credentials has [AUTH]."""
    assert before.ask(b"AUTH PLAIN " + plain(password=b"wrong")).startswith(b"-ERR [AUTH] ")


def test_rfc3206_6_04_auth_on_apop(before: Wire) -> None:
    """APOP with a wrong digest has [AUTH]."""
    assert before.ask(b"APOP alice " + b"0" * 32).startswith(b"-ERR [AUTH] ")


@pytest.mark.parametrize("login", [False, True])
def test_rfc3206_6_05_auth_resp_code_is_announced(before: Wire, login: bool) -> None:
    """AUTH-RESP-CODE is announced together with RESP-CODES, in both states."""
    if login:
        before.log_in()

    assert {b"AUTH-RESP-CODE", b"RESP-CODES"} <= set(lines_of(before.ask(b"CAPA")))
