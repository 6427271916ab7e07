"""The client's typed API, as a user's code sees it. Read by type checkers, never run."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import assert_type

import pop3client
from pop3client import (
    TLS,
    Capabilities,
    CommandError,
    Config,
    ConnectionClosed,
    Deviation,
    DeviationError,
    Expire,
    Limits,
    LoginDelay,
    Maildrop,
    Message,
    POP3Client,
    POP3Error,
    RetrMode,
    ScanListing,
    TLSError,
    TLSInfo,
    UniqueId,
)


def through_a_proxy(host: str, port: int, timeout: float) -> socket.socket:
    """A socket factory."""
    return socket.create_connection((host, port), timeout)


def look_at(info: TLSInfo) -> None:
    """A TLS callback."""
    assert_type(info.protocol, str)
    assert_type(info.cipher, str)
    assert_type(info.peer_certificate_der, bytes)


def everything() -> None:
    """Every method, and what it returns."""
    client = pop3client.connect(
        "pop.example",
        "alice",
        "secret",
        port=995,
        tls=TLS.IMPLICIT,
        msex=False,
        retr_mode=RetrMode.LIST,
        socket_factory=through_a_proxy,
        ssl_context=ssl.create_default_context(),
        tls_callback=look_at,
        timeout=10,
        allow_insecure_auth=False,
        apop=False,
        strict=True,
        limits=Limits(message_octets=10_000_000),
    )
    assert_type(client, POP3Client)
    assert_type(client.stat(), Maildrop)
    assert_type(client.status(), Maildrop)
    assert_type(client.stat().count, int)
    count, octets = client.stat()
    assert_type(count, int)
    assert_type(octets, int)
    assert_type(client.last(), int)
    assert_type(client.list(), list[ScanListing])
    assert_type(client.list(None), list[ScanListing])
    assert_type(client.list(1), ScanListing)
    assert_type(client.list(1).octets, int)
    assert_type(client.uidl(), list[UniqueId])
    assert_type(client.uidl(1), UniqueId)
    assert_type(client.uidl(1).uid, bytes)
    assert_type(client.retr(1), Message)
    assert_type(client.retr(1).raw, bytes)
    assert_type(client.retr(1).octets, int)
    assert_type(client.retr(1).parse(), EmailMessage)
    assert_type(client.top(1, 0), Message)
    assert_type(client.retrieve("start", "end"), list[Message])
    assert_type(client.retrieve("next"), list[Message])
    assert_type(client.retrieve(1, "last"), list[Message])
    assert_type(client.iter_retrieve(1, 2), Iterator[Message])
    assert_type(client.delete("end"), list[int])
    with Path("one.eml").open("wb") as file:
        assert_type(client.retr_to(1, file), int)
    client.dele(1)
    client.noop()
    client.rset()
    capabilities = client.capa()
    assert_type(capabilities, Capabilities)
    assert_type(capabilities["SASL"], tuple[str, ...])
    assert_type(capabilities.sasl, tuple[str, ...])
    assert_type(capabilities.stls, bool)
    assert_type(capabilities.login_delay, LoginDelay | None)
    assert_type(capabilities.expire, Expire | None)
    assert_type(capabilities.implementation, str | None)
    assert_type(client.capabilities, Capabilities)
    assert_type(client.config, Config)
    assert_type(client.config.retr_mode, RetrMode)
    assert_type(client.greeting, str)
    assert_type(client.deviations, tuple[Deviation, ...])
    client.quit()
    client.close()
    client.abort()


def wrong_words(client: POP3Client) -> None:
    """What a type checker must refuse."""
    client.retrieve("begin")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.retrieve(1, "start")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.retr("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def step_by_step() -> None:
    """The steps that connect takes at once."""
    with POP3Client("pop.example", tls=TLS.STLS) as client:
        assert_type(client, POP3Client)
        client.login("alice", "secret")
        client.apop("alice", "secret")


def errors() -> None:
    """The facts that errors carry."""
    try:
        step_by_step()
    except CommandError as error:
        assert_type(error.command, str)
        assert_type(error.text, str)
        assert_type(error.code, str)
        assert_type(error.retryable, bool)
    except ConnectionClosed as error:
        assert_type(error.step, str)
        assert_type(error.received, bytes)
    except TLSError as error:
        assert_type(error.step, str)
    except DeviationError as error:
        assert_type(error.deviation, Deviation)
    except POP3Error as error:
        assert_type(error.retrieved, tuple[Message, ...])
