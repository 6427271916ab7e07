"""Conversations of real clients and servers: who talks as the library says, and who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3check import Limits, Outcome, Target, check
from pop3mock import BrokenExpectation, MockServer
from pop3scenarios import load

from ._clients import CLIENTS, Account

if TYPE_CHECKING:
    from pathlib import Path

    from ._clients import Client
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once

NAMES = {id(client): name for name, client in CLIENTS.items()}


def account_of(server: MockServer, home: Path) -> Account:
    """Where a client finds a mock server."""
    ca = home / "ca.pem"
    ca.write_bytes(server.ca_pem)
    return Account(port=server.port, **server.credentials._asdict(), tls="none", ca=ca)


def test_a_client_talks_as_its_conversation_says(client: Client, home: Path) -> None:
    """The library has what each client sends to fetch all mail and delete it, to the letter."""
    with MockServer(f"{NAMES[id(client)]}-fetches-all") as server:
        count = len(server.maildrop)

        delivered = client.fetch(account_of(server, home), home, delete=True)

        server.wait_closed()
        server.verify()
        left = len(server.maildrop)

    assert (count, 0) == (len(delivered), left)


def test_a_client_that_only_fetches_leaves_out_the_rest(client: Client, home: Path) -> None:
    """What may come any number of times need not come at all; curl then opens no third session."""
    name = NAMES[id(client)]
    with MockServer(f"{name}-fetches-all") as server:
        client.fetch(account_of(server, home), home)
        server.wait_closed()
        faults = server.broken_expectations()
        left = len(server.maildrop)

    assert left == 4
    assert [fault.partition(";")[0] for fault in faults] == (
        ["script not finished: the connection never came"] if name == "curl" else []
    )


def test_a_client_of_another_kind_is_told(client: Client, home: Path) -> None:
    """Nobody but poplib leaves CAPA out, and poplib sends it nowhere."""
    other = "mpop" if NAMES[id(client)] == "poplib" else "poplib"
    with MockServer(f"{other}-fetches-all") as server:
        client.fetch(account_of(server, home), home)
        server.wait_closed()

        with pytest.raises(BrokenExpectation, match="CAPA"):
            server.verify()


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("sizes-agree", Outcome.PASS),
        ("delete-and-quit", Outcome.PASS),
        ("login-refused", Outcome.PASS),
        ("deleted-stays-gone", Outcome.PASS),
        ("dropped-deletes-nothing", Outcome.PASS),
        ("maildrop-lock", Outcome.NON_STRICT),
        ("poplib-fetches-all", Outcome.PASS),
        ("fetchmail-fetches-all", Outcome.PASS),
        ("mpop-fetches-all", Outcome.PASS),
        ("curl-fetches-all", Outcome.PASS),
    ],
)
def test_dovecot_talks_as_the_conversation_says(
    name: str, outcome: Outcome, dovecot: Dovecot
) -> None:
    """Dovecot keeps to every conversation, but has no lock unless it is configured to have one."""
    scenario = load(name)
    account = dovecot.account(mail.data for mail in scenario.mail("alice"))
    target = Target(
        host="127.0.0.1", port=account.port, user=account.user, password=account.password
    )

    verdict = check(target, scenario, limits=Limits(mode="destructive", any_message=True))

    assert outcome == verdict.outcome, verdict.actual or verdict.reason
    assert ("" if outcome is Outcome.PASS else "conversations/maildrop-lock.pop3.yaml:25") == (
        verdict.step
    )
