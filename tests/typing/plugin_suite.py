"""A user's test file, read by type checkers only: the fixtures with the types they really have."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, assert_type

import pytest

from pop3mock import Credentials, Journal, MockServer, ServerFactory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def pop3_listen_address() -> tuple[str, int]:
    """Overrides the plugin's."""
    return ("::1", 0)


@pytest.fixture(scope="module")
def gmail(pop3_server_factory: ServerFactory) -> Iterator[MockServer]:
    """A server that the module shares."""
    with pop3_server_factory("gmail", tls="implicit", users={"a": "b"}, strict=False) as server:
        assert_type(server, MockServer)
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
    assert_type(pop3_server.transcript(), str)
    assert pop3_server.journal == ["USER alice", "QUIT"]


def test_tls(pop3_ca: Path, pop3_client_context: ssl.SSLContext) -> None:
    """A client learns whom to trust by a file or by a context."""
    context = ssl.create_default_context(cafile=pop3_ca)
    assert_type(pop3_ca.read_bytes(), bytes)
    assert context.check_hostname
    assert pop3_client_context.check_hostname


def test_wrong_calls(pop3_server_factory: ServerFactory) -> None:
    """A misspelt keyword or mode is found before the test runs."""
    pop3_server_factory("gmail", tsl="implicit")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pop3_server_factory("gmail", tls="ssl")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
