"""A user's test file, read by type checkers only: the fixtures with the types they really have."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import pytest

from pop3mock import (
    Credentials,
    Journal,
    MockServer,
    ServerFactory,
    StoredMessage,
    WatchedServer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def pop3_listen_address() -> tuple[str, int]:
    """Overrides the plugin's."""
    return ("::1", 0)


@pytest.fixture(scope="session")
def pop3_scenario_paths() -> list[Path]:
    """Overrides the plugin's."""
    return [Path(__file__).parent]


@pytest.fixture(scope="session")
def pop3_default_scenario() -> str:
    """Overrides the plugin's."""
    return "gmail"


@pytest.fixture(scope="module")
def gmail(pop3_server_factory: ServerFactory) -> Iterator[MockServer]:
    """A server that the module shares."""
    with pop3_server_factory("gmail", tls="implicit", users={"a": "b"}, strict=False) as server:
        assert_type(server, WatchedServer)
        yield server


def test_shared(gmail: MockServer) -> None:
    """What a server tells a client."""
    assert_type(gmail.host, str)
    assert_type(gmail.port, int)
    assert_type(gmail.credentials, Credentials)
    assert_type(gmail.ca_pem, bytes)
    assert_type(gmail.client_context(), ssl.SSLContext)


@pytest.mark.pop3("exchange-2003", users={"alice": "secret"}, tls="stls", strict=True)
def test_fresh(pop3_server: MockServer) -> None:
    """What a server tells a test."""
    pop3_server.deliver(b"Subject: Hello\r\n\r\n")
    pop3_server.wait_for("QUIT", timeout=1.0)
    assert_type(pop3_server.journal, Journal)
    text: str = pop3_server.transcript()
    assert_type(text.splitlines(), list[str])
    assert pop3_server.journal == ["USER alice", "QUIT"]


def test_several(pop3_server: WatchedServer) -> None:
    """One server starts others."""
    other = pop3_server.run("dovecot", tls="none", users={"a": "b"}, strict=False)
    assert_type(other, WatchedServer)
    with pop3_server.run(Path("odd.pop3.yaml"), variant="first") as third:
        assert_type(third, WatchedServer)


def test_deliver(pop3_server: MockServer) -> None:
    """A message is handed over in any form, or by what is to stand in it."""
    for message in (b"", bytearray(), "", Path("mail.eml"), EmailMessage()):
        pop3_server.deliver(message, user="alice")
    stored = pop3_server.deliver(from_="a", subject="b", body="c", headers={"X": "y"}, uid="1")
    assert_type(stored, StoredMessage)
    assert_type(stored.uid, str)


def test_tls(pop3_ca: Path, pop3_client_context: ssl.SSLContext) -> None:
    """A client learns whom to trust by a file or by a context."""
    context = ssl.create_default_context(cafile=pop3_ca)
    assert_type(pop3_ca.read_bytes(), bytes)
    assert context.check_hostname
    assert pop3_client_context.check_hostname


def test_wrong_calls(pop3_server_factory: ServerFactory, pop3_server: WatchedServer) -> None:
    """A misspelt keyword or mode is found before the test runs."""
    pop3_server_factory("gmail", tsl="implicit")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pop3_server_factory("gmail", tls="ssl")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pop3_server.run("gmail", tls="ssl")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pop3_server.deliver(subjct="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pop3_server.deliver(body=b"x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
