"""Dovecot asked how it answers, and recorded: the mock then answers as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pop3check import Fingerprint, Target
from pop3kit._group import cli
from pop3kit._linting import findings
from pop3kit._portrait import drift, painted
from pop3kit._scenariofile import put
from pop3mock import MockServer

from . import _mail

if TYPE_CHECKING:
    from pathlib import Path

    from pop3check import Observed
    from pop3kit._portrait import Picture

    from ._clients import Account
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once


def target(account: Account) -> Target:
    """An account as the checker's side has it."""
    return Target(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        tls=account.tls,
        ca=account.ca,
    )


@pytest.fixture(scope="module")
def observed(dovecot: Dovecot) -> Observed:
    """What Dovecot answered to all questions."""
    mail = [message for message in _mail.messages().values() if b"\0" not in message][:4]
    return Fingerprint(target(dovecot.account(mail))).take()


@pytest.fixture(scope="module")
def picture(observed: Observed) -> Picture:
    """The scenario that was made of it."""
    return painted(observed, "seen", "a host")


def test_fingerprint_of_dovecot_passes_the_comparison(picture: Picture, tmp_path: Path) -> None:
    """The mock, playing the file, is asked over a socket and answers as the file says: no drift."""
    path = tmp_path / "seen.pop3.yaml"
    put(picture.written, path)

    with MockServer(path) as server:
        user, password = server.credentials
        asked = CliRunner().invoke(
            cli,
            ["fingerprint", f"pop3://{user}@{server.host}:{server.port}", "--compare", str(path)],
            env={"POP3KIT_PASSWORD": password},
        )

    assert asked.exit_code == 0, asked.output


def test_mock_answers_as_dovecot(picture: Picture) -> None:
    """Octet for octet, but for what is another each time."""
    assert list(map(str, picture.differences)) == []


def test_file_is_clean(picture: Picture, tmp_path: Path) -> None:
    """What was made deserves no warning."""
    path = tmp_path / "seen.pop3.yaml"
    put(picture.written, path)

    assert findings([path]) == []


def test_dovecot_is_told_from_others(observed: Observed) -> None:
    """It answers nearly as its own file says, and not at all as Courier's does."""
    own = len(drift(observed, "dovecot"))
    other = len(drift(observed, "courier"))

    assert own < 25  # its greeting is another: APOP is on
    assert other > len(observed.probes) // 2
