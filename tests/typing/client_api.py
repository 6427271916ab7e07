"""The client's typed API, as a user's code sees it. Read by type checkers, never run."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import assert_type

import pop3client
from pop3client import (
    TLS,
    AsyncPOP3Client,
    Backoff,
    Capabilities,
    CapabilitySnapshots,
    CommandError,
    Config,
    ConnectionClosed,
    DeletePolicy,
    Deviation,
    DeviationError,
    Expire,
    Language,
    Limits,
    Listing,
    LoginDelay,
    Maildrop,
    MaildropURL,
    Mechanism,
    Message,
    OAuthError,
    POP3Client,
    POP3Error,
    Reconnection,
    Response,
    RetrMode,
    ScanListing,
    SeenMessage,
    SeenStore,
    SeenStoreError,
    Settings,
    SyncFailure,
    SyncResult,
    TLSError,
    TLSInfo,
    UniqueId,
    WireLine,
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
        mechanism="SCRAM-SHA-256",
        strict=True,
        limits=Limits(message_octets=10_000_000, pipeline_message_octets=100_000),
        ignored_capabilities=["PIPELINING"],
        keepalive=60,
        rset_before_quit=True,
    )
    assert_type(client, POP3Client)
    assert_type(client.stat(), Maildrop)
    assert_type(client.status(), Maildrop)
    assert_type(client.stat().count, int)
    count, octets = client.stat()
    assert_type(count, int)
    assert_type(octets, int)
    assert_type(client.last(), int)
    assert_type(client.list(), Listing[ScanListing])
    assert_type(client.list(None), Listing[ScanListing])
    assert_type(client.list()[0], ScanListing)
    assert_type(client.list()[1:], list[ScanListing])
    assert_type(client.list([1, 2]), list[ScanListing])
    assert_type(client.list(1), ScanListing)
    assert_type(client.list(1).octets, int)
    assert_type(client.uidl(), Listing[UniqueId])
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
    assert_type(client.messages(), Iterator[Message])
    assert_type(client.iter_retr(1), Iterator[bytes])
    assert_type(client.delete("end"), list[int])
    failures: dict[int, POP3Error] = {}
    client.retrieve("start", "end", on_error=failures.__setitem__, progress=report)
    client.delete("start", "end", on_error=failures.__setitem__)
    assert_type(client.supports("TOP"), bool | None)
    assert_type(client.lang(), list[Language])
    assert_type(client.lang("de"), Language)
    assert_type(client.command("XTND XLST", multiline=True), Response)
    assert_type(client.capability_snapshots, CapabilitySnapshots)
    assert_type(client.capability_snapshots.after_login, Capabilities | None)
    assert_type(client.tls, TLSInfo | None)
    client.utf8()
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
    with client.keeping_alive() as same:
        assert_type(same, POP3Client)
    with client.keeping_alive(30):
        assert_type(client.config.keepalive, float | None)
    client.quit()
    client.close()
    client.abort()


def report(number: int, octets: int, total: int | None) -> None:
    """A progress callback."""


async def everything_awaited() -> None:
    """The same with the asyncio client, where it differs."""
    settings: Settings = {"tls": TLS.STLS, "timeout": 10}
    client = await pop3client.connect_async("pop.example", "alice", "secret", **settings)
    assert_type(client, AsyncPOP3Client)
    assert_type(await client.stat(), Maildrop)
    assert_type(await client.list(), Listing[ScanListing])
    assert_type(await client.list(1), ScanListing)
    assert_type(await client.uidl(1), UniqueId)
    assert_type(await client.lang("de"), Language)
    assert_type(await client.retr(1), Message)
    assert_type(await client.retrieve("start", "end"), list[Message])
    assert_type(client.iter_retrieve(1), AsyncIterator[Message])
    assert_type(client.messages(), AsyncIterator[Message])
    assert_type(client.iter_retr(1), AsyncIterator[bytes])
    async for message in client.messages(progress=report):
        assert_type(message, Message)
    async with client.keeping_alive(30) as same:
        assert_type(same, AsyncPOP3Client)
    async with pop3client.AsyncPOP3Client("pop.example", port=110) as other:
        assert_type(other, AsyncPOP3Client)
        await other.login("alice", "secret")
        await other.authenticate(pop3client.OAuthBearer("alice", fresh_token))
    client.abort()


async def fresh_token() -> str:
    """A token that has to be awaited."""
    return "token"


class Own:
    """A mechanism of a user's own."""

    name = "X-OWN"
    clear = False
    secrets: tuple[bytes, ...] = ()
    finished = True

    def initial(self) -> bytes | None:
        """Say all there is to say."""
        return b""

    def respond(self, challenge: bytes) -> bytes:
        """Say it again."""
        return challenge


def mechanisms(client: POP3Client) -> None:
    """What authenticate takes."""
    own: Mechanism = Own()
    client.authenticate(own)
    client.authenticate(pop3client.Plain("alice", "secret", "bob"))
    client.authenticate(pop3client.Login("alice", "secret"))
    client.authenticate(pop3client.CramMD5("alice", "secret"))
    client.authenticate(pop3client.External())
    client.authenticate(pop3client.Scram("SCRAM-SHA-256-PLUS", "alice", "secret", client.tls))
    client.authenticate(pop3client.XOAuth2("alice", lambda: "token", initial_response=True))
    client.authenticate("PLAIN")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def keep(message: Message) -> None:
    """Deliver a message."""
    assert_type(message.uid, bytes | None)


async def keep_later(message: Message) -> None:
    """Deliver a message, some time."""


def lost(event: Reconnection) -> None:
    """What on_lost is told."""
    assert_type(event.marks_lost, tuple[int, ...])
    assert_type(event.quit_sent, bool)


def log(line: WireLine) -> None:
    """What wire_log is told."""
    assert_type(line.text, str)


def leave_on_server() -> None:
    """What remembers, and what is remembered."""
    policy = DeletePolicy(after=timedelta(days=3), larger_than=1_000_000)
    with SeenStore(Path("seen.db")) as store:
        client = POP3Client.from_url("pop3s://alice@pop.example", "secret", wire_log=log)
        assert_type(client, POP3Client)
        result = client.sync(store, keep, delete=policy, fingerprint=True, user="alice")
        assert_type(result, SyncResult)
        assert_type(result.fetched, tuple[UniqueId, ...])
        assert_type(result.failed, tuple[SyncFailure, ...])
        assert_type(store.maildrop("h", 110, "alice").messages(), list[SeenMessage])
        assert_type(store.forget(86400), int)
        again = pop3client.reconnecting(
            lambda: pop3client.connect("h", "alice", "secret"),
            lambda client: client.sync(store, keep),
            backoff=Backoff(most=10),
            on_lost=lost,
        )
        assert_type(again, SyncResult)
    assert_type(MaildropURL.parse("pop3://alice@h").port, int | None)


async def leave_on_server_async() -> None:
    """The same, awaited."""
    with SeenStore(":memory:") as store:
        client = await AsyncPOP3Client.from_url("pop3://alice@h", "secret")
        assert_type(client, AsyncPOP3Client)
        assert_type(await client.sync(store, keep_later), SyncResult)

        async def connect() -> AsyncPOP3Client:
            return await pop3client.connect_async("h", "alice", "secret")

        again = await pop3client.reconnecting_async(
            connect, lambda client: client.sync(store, keep), on_lost=lost
        )
        assert_type(again, SyncResult)


def wrong_settings() -> None:
    """Settings are known by name and type."""
    POP3Client("h", prot=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    POP3Client("h", port="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def wrong_words(client: POP3Client) -> None:
    """What a type checker must refuse."""
    client.retrieve("begin")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.retrieve(1, "start")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.retr("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def step_by_step() -> None:
    """The steps that connect takes at once."""
    with POP3Client("pop.example", tls=TLS.STLS) as client:
        assert_type(client, POP3Client)
        client.login("alice", "secret", mechanism="PLAIN")
        client.apop("alice", "secret")


def errors() -> None:
    """The facts that errors carry."""
    try:
        step_by_step()
    except SeenStoreError as error:
        assert_type(error.path, str)
        assert_type(error.reason, str)
    except OAuthError as error:
        assert_type(error.details, dict[str, str])
        assert_type(error.token_octets, int)
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
        assert_type(error.marked, tuple[int, ...])
