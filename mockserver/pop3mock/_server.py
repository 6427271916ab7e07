"""The mock server as a test uses it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from pop3scenarios import Scenario, load

from . import _tls
from ._connection import Connection
from ._engine import Engine
from ._errors import UnknownUser
from ._expectations import BrokenExpectation, broken
from ._incoming import octets_of
from ._journal import Journal
from ._performance import Performance
from ._quirk_users import QuirkUsers

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType
    from typing import Self, Unpack

    from ._events import Fault
    from ._incoming import MailFields, Ready
    from ._maildrop import Maildrop
    from ._message import StoredMessage
    from ._performance import TLSMode
    from ._session import Session
    from ._transcript import Transcript

_UID = re.compile(r"[\x21-\x7e]{1,70}")

#: Connections that may wait to be accepted: a test may open thousands at once, and the kernel lets
#: one that finds no room wait for seconds.
_BACKLOG = 4096

#: Turns of the event loop in which nothing happens, after which all that clients have done so far
#: has been heard: data, the end of it inside TLS, and that of the connection take a turn or two.
_QUIET = 10

#: The same where nobody has come yet: a connection takes one turn to be accepted, one to be opened.
_UNVISITED = 3


class Credentials(NamedTuple):
    """A user name and a password."""

    user: str
    password: str


class MockServer:
    """A POP3 server that plays a scenario, in this process.

    Use it as a context manager, or call ``start`` and ``stop``. It listens on
    ``127.0.0.1`` on a port that is free, and serves clients in this thread, in others, on asyncio,
    and in other processes alike.

    Args:
        scenario: A name, ``name[variant]``, a path, or a loaded scenario.
        variant: The variant, if the name does not say it.
        tls: ``none``, ``stls`` or ``implicit`` in place of what the scenario says.
        users: User names and passwords in place of the scenario's.
        host: The address to listen on.
        port: The port to listen on; 0 takes one that is free.
        clock: Gives the time in seconds by which LOGIN-DELAY is kept.
        quirk_users: Whether ``quirk+NAME`` and ``fault+NAME`` are users, to whom that quirk or
            fault is played too. They have the first user's password, and maildrops of their own;
            in a conversation (``script:``) there are none.

    Attributes:
        journal: What happens on all connections.

    Raises:
        pop3scenarios.ScenarioError: The scenario is wrong or unknown, or two variants are named;
            nothing was started.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario = "default",
        *,
        variant: str | None = None,
        tls: TLSMode | None = None,
        users: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        quirk_users: bool = False,
    ) -> None:
        if not isinstance(scenario, Scenario):
            scenario = load(scenario, variant)
        self.journal = Journal(scenario.name)
        self._overridden: Mapping[str, str] | None = None if users is None else dict(users)
        self._tls: TLSMode | None = tls
        self._clock = clock
        self._has_quirk_users = quirk_users
        self._address = (host, port)
        self._performance = self._perform(scenario)
        self.journal.owed = self._owed
        self.journal.settle = self.settle
        self._connections: set[Connection] = set()
        self._gone: asyncio.Event | None = None
        self._engine: Engine | None = None
        self._listening: Future[asyncio.Server] | None = None

    def _perform(self, scenario: Scenario, before: Performance | None = None) -> Performance:
        users = scenario.users if self._overridden is None else self._overridden
        performance = Performance(
            scenario, tls=self._tls, users=users, clock=self._clock, before=before
        )
        if self._has_quirk_users and scenario.script is None:
            performance.quirk_users = QuirkUsers(performance)
        return performance

    @property
    def scenario(self) -> Scenario:
        """What is played."""
        return self._performance.scenario

    def _owed(self) -> list[Fault]:
        return self._performance.owed()

    def play(self, scenario: str | Path | Scenario, *, variant: str | None = None) -> None:
        """Play another scenario to all that connect from now on.

        Connections that are open go on with what they have. A maildrop is kept as it is, with what
        was delivered and without what was deleted, if both scenarios give its user the same mail;
        else it begins anew.

        Args:
            scenario: A name, ``name[variant]``, a path, or a loaded scenario.
            variant: The variant, if the name does not say it.

        Raises:
            pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing has changed.
        """
        if not isinstance(scenario, Scenario):
            scenario = load(scenario, variant)
        self._performance = self._perform(scenario, self._performance)

    # Life

    def start(self) -> Self:
        """Start listening.

        Raises:
            OSError: The address cannot be listened on.
            RuntimeError: The server is running already, or the system gives it no thread.
        """
        if self._engine is not None:
            raise RuntimeError("the server is running already")
        self._gone = None
        with contextlib.ExitStack() as undo:
            sock = undo.enter_context(self._bound())
            engine = undo.enter_context(Engine())
            # Not waited for: the socket listens already, and keeps for the loop whoever comes.
            self._listening = engine.begin(self._listen(sock))
            undo.pop_all()
        self._address = sock.getsockname()[:2]
        self._engine = engine
        return self

    def _bound(self) -> socket.socket:
        """A socket that listens on the address."""
        host, port = self._address
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(_BACKLOG)
        except OSError:
            sock.close()
            raise
        return sock

    def stop(self) -> None:
        """Stop listening and end every connection; hangs end here. Does nothing if not running."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        try:
            engine.run(self._shut())
        finally:
            engine.release()

    async def _listen(self, sock: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._connect, sock=sock, backlog=_BACKLOG)

    async def _shut(self) -> None:
        assert self._listening is not None
        if not self._listening.done():  # it has only just been started
            await asyncio.wrap_future(self._listening)
        listener = self._listening.result()
        self._listening = None
        # A connection that has just been accepted gets its transport in the next turn of the loop;
        # from a listener that is closed it would get none, and would never be over. So first nobody
        # is accepted any more, and the listener is closed when all have what they need.
        loop = asyncio.get_running_loop()
        for sock in listener.sockets:
            with contextlib.suppress(NotImplementedError):  # loops that have no readers
                loop.remove_reader(sock.fileno())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        listener.close()
        self._gone = asyncio.Event()
        # It hears of its transport one turn later still.
        await asyncio.sleep(0)
        for connection in tuple(self._connections):
            connection.abort()
        if self._connections:
            await self._gone.wait()

    def session(self) -> Session:
        """A session without a socket: octets go in by ``receive``, actions come out.

        What the server does for each connection; also works while the server is stopped.
        """
        return self._session(self._performance)

    def _session(self, performance: Performance) -> Session:
        scenario = performance.scenario
        return performance.session(self.journal.open(scenario.name, scenario.expect))

    def _connect(self) -> Connection:
        performance = self._performance
        connection = Connection(self._session(performance), performance.policy, self._forget)
        self._connections.add(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._gone is not None and not self._connections:
            self._gone.set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What a client needs to know

    @property
    def host(self) -> str:
        """The address that the server listens on."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self._address[1]

    @property
    def tls(self) -> TLSMode:
        """How a client gets TLS: not at all, by STLS, or from the first octet."""
        return self._performance.policy.mode or "none"

    @property
    def credentials(self) -> Credentials:
        """The first user's name and password."""
        return Credentials(*next(iter(self._performance.users.items())))

    @property
    def users(self) -> Mapping[str, str]:
        """All user names and passwords."""
        return dict(self._performance.users)

    @property
    def ca_pem(self) -> bytes:
        """The certificate, in PEM form, of the authority that the client has to trust."""
        return _tls.ca_pem()

    def client_context(self, *, user: str | None = None) -> ssl.SSLContext:
        """A new context that trusts the server's authority and checks host names.

        Args:
            user: Whom the certificate names that the client shows when the server asks for one
                (``tls: {client-certificate: required}``); None for no certificate.
        """
        return _tls.client_context(user)

    def client_pem(self, user: str) -> bytes:
        """A private key and a certificate of the server's authority, for clients that want a file.

        Args:
            user: Whom the certificate names.
        """
        return _tls.client_pem(user)

    # The mail

    @property
    def maildrop(self) -> Maildrop:
        """The first user's maildrop: what is in it now."""
        return self.maildrops[self.credentials.user]

    @property
    def maildrops(self) -> Mapping[str, Maildrop]:
        """The maildrops of all users."""
        return self._performance.all_maildrops

    def deliver(
        self,
        message: Ready | None = None,
        *,
        user: str | None = None,
        uid: str | None = None,
        **fields: Unpack[MailFields],
    ) -> StoredMessage:
        """Put a message into a maildrop; open sessions do not see it.

        For example ``server.deliver(path)``, or ``server.deliver(subject="Hello", body="World")``.

        Args:
            message: Its octets, its text, the path of a file, or an email message.
            user: Whose maildrop; the first user's if None.
            uid: Its unique-id, or None to make one.
            fields: In place of a message, what is to stand in one: ``from_``, ``to``, ``subject``,
                ``body``, ``headers``.

        Returns:
            The message as it is in the maildrop; its ``uid`` is what UIDL tells.

        Raises:
            UnknownUser: There is no such user.
            TypeError: The message is none of these, or there is no such field.
            ValueError: The unique-id is none (RFC 1939, section 7), or a field cannot stand in a
                header.
            OSError: The file cannot be read.
        """
        data = octets_of(message, fields)
        if uid is not None and not _UID.fullmatch(uid):
            raise ValueError(f"expected a unique-id of 1 to 70 printable characters, got {uid!r}")
        owner = self.credentials.user if user is None else user
        if owner not in self.maildrops:
            raise UnknownUser(owner, self.maildrops)
        return self.maildrops[owner].deliver(data, uid)

    # What happened

    def transcript(self) -> Transcript:
        """All conversations, with times, TLS and the rule that answered; secrets masked."""
        return self.journal.transcript()

    def wait_for(self, command: str, *, timeout: float = 5.0, times: int = 1) -> None:
        """Wait until a command has come and its answer is on its way.

        Args:
            command: A command line pattern: ``QUIT``, ``DELE 2``.
            timeout: Seconds to wait at most.
            times: How often it must have come.

        Raises:
            TimeoutError: It has not come in time; says what came instead.
            ValueError: The pattern is empty, or spells out a secret, which is not kept.
        """
        if not self.journal.wait_until(lambda: self.journal.count(command) >= times, timeout):
            came = ", ".join(self.journal.commands) or "nothing"
            where = "".join(f"\n  {each}" for each in self.stalls())
            raise TimeoutError(f"no {command} within {timeout:g} s; came: {came}{where}")

    def wait_closed(self, *, timeout: float = 5.0) -> None:
        """Wait until no connection is open.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: Connections are still open.
        """
        if not self.journal.wait_until(lambda: not self._connections, timeout):
            where = "".join(f"\n  {each}" for each in self.stalls())
            raise TimeoutError(
                f"{len(self._connections)} connection(s) open after {timeout:g} s{where}"
            )

    def stalls(self) -> list[str]:
        """Where each connection that is up stands: at which step, who waits, and what for."""
        return [] if self._engine is None else self._engine.run(self._stalls())

    async def _stalls(self) -> list[str]:
        connections = sorted(self._connections, key=lambda each: each.number)
        return [f"#{each.number} {each.stall()}" for each in connections]

    def settle(self) -> None:
        """Hear everything that clients have already sent, and that they have gone."""
        if self._engine is not None:
            self._engine.run(self._quiet())

    async def _quiet(self) -> None:
        before, turns = -1, 0
        logs = self.journal.connections
        while turns < (_QUIET if logs else _UNVISITED):
            await asyncio.sleep(0)
            now = sum(log.length + 1 for log in logs)
            turns = turns + 1 if now == before else 0
            before = now

    def broken_expectations(self) -> list[str]:
        """What clients did wrong so far: unexpected commands, and ``expect:`` not kept."""
        self.settle()
        return [str(fault) for fault in broken(self.scenario.expect, self.journal)]

    def verify(self) -> None:
        """Check what clients did against the scenario.

        Raises:
            BrokenExpectation: They did what they must not, or left out what they must do; tells
                everything, with the conversation.
        """
        faults = self.broken_expectations()
        if faults:
            raise BrokenExpectation(self.scenario.name, faults, self.transcript())

    def __repr__(self) -> str:
        where = f"on {self.host}:{self.port}" if self._engine else "stopped"
        return f"<MockServer {self.scenario.name!r} {where}>"
