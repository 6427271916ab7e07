"""Clients that nobody here wrote, recorded before Dovecot, and then before the mock."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pop3check import Limits, Proxy, RecordedConversation, Recording, Target, certificate, check_all
from pop3kit._linting import findings
from pop3kit._scenariofile import put
from pop3mock import MockServer
from pop3scenarios import load

from . import _mail

if TYPE_CHECKING:
    from pathlib import Path

    from ._clients import Account, Client, TLSMode
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once

#: Mail that every one of the clients gets unharmed.
MAIL = [message for name, message in _mail.messages().items() if name[:2] in ("01", "02", "03")]


def target(account: Account) -> Target:
    """An account as the checker's side has it."""
    return Target(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        tls="implicit" if account.tls == "implicit" else "none",
        ca=account.ca,
    )


def record(
    client: Client, account: Account, folder: Path, *, delete: bool = False
) -> tuple[Path, list[bytes]]:
    """A file of what a client and the server say, and the mail that the client got."""
    shown, recording = certificate(), Recording()
    ca = folder / "proxy.pem"
    ca.write_bytes(shown.authority)
    home = folder / "before"
    home.mkdir()
    with Proxy(target(account), recording, shown=shown) as proxy:
        through = dataclasses.replace(account, port=proxy.port, ca=ca)
        fetched = client.fetch(through, home, delete=delete)
    assert proxy.failure == ""
    path = folder / "seen.pop3.yaml"
    put(RecordedConversation(recording, "seen", "Dovecot").written(), path)
    return path, fetched


@pytest.mark.parametrize("delete", [False, True], ids=["keep", "delete"])
@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
def test_same_client_gets_the_same_mail(
    client: Client, tls: TLSMode, delete: bool, dovecot: Dovecot, tmp_path: Path
) -> None:
    """What was recorded is played to the client that made it: the same mail, and no fault."""
    account = dovecot.account(MAIL, tls)
    path, first = record(client, account, tmp_path, delete=delete)
    home = tmp_path / "after"
    home.mkdir()

    with MockServer(path) as mock:
        ca = tmp_path / "mock.pem"
        ca.write_bytes(mock.ca_pem)
        again = client.fetch(
            dataclasses.replace(account, port=mock.port, ca=ca), home, delete=delete
        )
        mock.wait_closed()
        faults = mock.broken_expectations()

    assert len(MAIL) == len(first)
    assert first == again
    assert faults == []
    assert findings([path]) == []


def test_dovecot_passes_what_was_recorded(client: Client, dovecot: Dovecot, tmp_path: Path) -> None:
    """The checker holds the very server to the file, and finds that it still speaks so."""
    account = dovecot.account(MAIL)
    path, _ = record(client, account, tmp_path)

    report = check_all(target(account), [load(path)], limits=Limits())

    assert [f"{v.outcome.value}{v.actual}" for v in report.verdicts] == ["PASS"]
