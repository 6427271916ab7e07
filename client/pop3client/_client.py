"""The blocking client: each method is one operation of the protocol, run on a socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias, TypeVar, overload

from . import _commands, _opening, _retrieval
from ._blocking import Clock, SocketFactory, SocketShell
from ._config import TLS, Config, Limits, RetrMode
from ._indexes import End, Start, select
from ._results import Maildrop, Message, ScanListing, UniqueId
from ._session import Session
from ._states import State

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from types import TracebackType

    from ._capabilities import Capabilities
    from ._deviations import Deviation
    from ._tls import TLSCallback
    from ._wants import Steps

__all__ = ["POP3Client", "Writable"]

T = TypeVar("T")
# Inside the class, ``list`` is the command.
_Messages: TypeAlias = list[Message]
_Numbers: TypeAlias = list[int]
_ScanListings: TypeAlias = list[ScanListing]
_UniqueIds: TypeAlias = list[UniqueId]


class Writable(Protocol):
    """A file opened for writing in binary, or anything like it."""

    def write(self, data: bytes, /) -> object:
        """Take the octets."""


class POP3Client:
    """A session with a POP3 server; blocking.

    Constructing connects, reads the greeting, and secures the connection if ``tls`` says so.
    Then ``login`` or ``apop``. As a context manager it ends with QUIT, or, if the block raises,
    closes the connection without QUIT, so that nothing is deleted.

    Args:
        host: name or address (IPv6 with or without brackets); its certificate must be for it.
        port: TCP port; by default 995 for ``TLS.IMPLICIT``, else 110.
        tls: when to encrypt.
        msex: the server is MS Exchange. LAST and APOP are not used, and sizes are not trusted:
            ``RetrMode.RETR`` is taken as ``RetrMode.SLOW``, while ``RetrMode.LIST`` is left as
            it was asked for.
        retr_mode: where to look for the size of a message first; see ``RetrMode``.
        socket_factory: makes the connected socket from host, port and timeout; the place for a
            proxy.
        ssl_context: the TLS policy; by default certificates and host names are verified and
            TLS is 1.2 or later.
        tls_callback: told what was agreed in the handshake, before any secret is sent. If it
            raises, the connection is closed and the exception goes to the caller.
        timeout: seconds for connecting, for the handshake, for sending, and for each reply. A
            message may take longer as long as it keeps coming, see ``Limits.minimum_rate``.
        allow_insecure_auth: let ``login`` send the password in the clear over a network.
        strict: raise DeviationError where the server breaks an RFC.
        limits: what the server may send at most.
        lf_commands: end commands in a bare LF, for servers that take CR for a part of the
            argument (what the classic client does with its ``-msex``).
        clock: gives seconds; for tests.

    Raises:
        ConnectError: no connection.
        TLSError: the connection cannot be secured; ``step`` says where it failed.
        CommandError: the greeting is -ERR.
        BadStatusLine: the greeting is not one of POP3.
        POP3TimeoutError: a step took longer than ``timeout``.
        InvalidArgument: a setting makes no sense.
    """

    def __init__(
        self,
        host: str,
        *,
        port: int | None = None,
        tls: TLS = TLS.NONE,
        msex: bool = False,
        retr_mode: RetrMode = RetrMode.RETR,
        socket_factory: SocketFactory | None = None,
        ssl_context: ssl.SSLContext | None = None,
        tls_callback: TLSCallback | None = None,
        timeout: float = 60.0,
        allow_insecure_auth: bool = False,
        strict: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        lf_commands: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        config = Config.for_server(
            host,
            port,
            tls=tls,
            msex=msex,
            retr_mode=retr_mode,
            limits=limits,
            timeout=timeout,
            strict=strict,
            allow_insecure_auth=allow_insecure_auth,
            lf_commands=lf_commands,
        )
        self._session = Session(config)
        self._shell = SocketShell(socket_factory, ssl_context, clock)
        self._tls_callback = tls_callback
        self._run_or_close(_opening.open_session(self._session, tls_callback))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def __repr__(self) -> str:
        config = self._session.config
        return f"<POP3Client {config.host}:{config.port} {self._session.state.value}>"

    def _run(self, steps: Steps[T]) -> T:
        try:
            return self._shell.run(self._session.guarded(steps))
        finally:
            if self._session.state is State.CLOSED:
                self._shell.close()

    def _run_or_close(self, steps: Steps[T]) -> T:
        try:
            return self._run(steps)
        except BaseException:
            self.abort()
            raise

    def _sign_on(self, user: str, password: str, *, use_apop: bool) -> None:
        # For connect(): what follows the constructor.
        self._run_or_close(
            _opening.sign_on(
                self._session,
                user,
                password,
                use_apop=use_apop,
                tls_callback=self._tls_callback,
            )
        )

    @property
    def config(self) -> Config:
        """The settings in force now; ``retr_mode`` may have fallen."""
        return self._session.config

    @property
    def greeting(self) -> str:
        """The text of the greeting."""
        return self._session.greeting.decode("utf-8", "backslashreplace")

    @property
    def capabilities(self) -> Capabilities:
        """The last answer to CAPA; empty if there was none."""
        return self._session.capabilities

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """What the server did that a client might not expect, and this one put up with."""
        return self._session.deviations.entries

    def login(self, user: str, password: str) -> None:
        """Log in with USER and PASS, then ask STAT (RFC 1939 sections 5 and 7).

        The number of messages is needed for index words and ranges; STAT also shows whether a
        server that answered +OK to PASS means it.

        Raises:
            InsecureAuthError: the password would cross a network in the clear.
            AuthenticationError: refused.
            MailboxInUse: another session holds the maildrop.
            CommandError: refused for another reason, see its subclasses.
            InvalidArgument: CR, LF or NUL in user or password; nothing was sent.
        """
        self._run(_opening.login(self._session, user, password))

    def apop(self, user: str, password: str) -> None:
        """Log in with APOP, then ask STAT (RFC 1939 sections 5 and 7).

        The password is not sent, so this needs no TLS; MD5 does not protect a weak one.

        Raises:
            ChallengeError: the greeting offers no APOP, or not safely.
            AuthenticationError: refused.
            InvalidArgument: as for ``login``; or ``msex=True``, for Exchange has no APOP.
        """
        self._run(_opening.apop(self._session, user, password))

    def capa(self) -> Capabilities:
        """Ask CAPA (RFC 2449 section 5). ``capabilities`` changes with it.

        Raises:
            CommandError: the server has no CAPA; ``capabilities`` is empty then.
        """
        return self._run(_commands.capa(self._session))

    def stat(self) -> Maildrop:
        """Ask STAT for number and size of the messages (RFC 1939 section 5)."""
        return self._run(_commands.stat(self._session))

    status = stat

    def last(self) -> int:
        """Ask LAST for the highest message number read (RFC 1460 section 5).

        With ``msex=True`` it is not asked: what this session has read is returned.

        Raises:
            CommandError: the server has no LAST; few have.
        """
        return self._run(_commands.last(self._session))

    @overload
    def list(self, number: None = None) -> _ScanListings: ...
    @overload
    def list(self, number: int) -> ScanListing: ...
    def list(self, number: int | None = None) -> _ScanListings | ScanListing:
        """Ask LIST for the sizes of all messages, or of one (RFC 1939 section 5).

        Raises:
            CommandError: no such message.
            MalformedReply: a line without two numbers.
        """
        if number is None:
            return self._run(_commands.list_all(self._session))
        return self._run(_commands.list_one(self._session, number))

    @overload
    def uidl(self, number: None = None) -> _UniqueIds: ...
    @overload
    def uidl(self, number: int) -> UniqueId: ...
    def uidl(self, number: int | None = None) -> _UniqueIds | UniqueId:
        """Ask UIDL for the unique-ids of all messages, or of one (RFC 1939 section 7).

        Raises:
            CommandError: no such message, or the server has no UIDL.
            MalformedReply: a line without a message number.
        """
        if number is None:
            return self._run(_commands.uidl_all(self._session))
        return self._run(_commands.uidl_one(self._session, number))

    def retr(self, number: int) -> Message:
        """Fetch one message (RFC 1939 section 5).

        Raises:
            CommandError: no such message.
            LimitExceeded: it is larger than ``Limits.message_octets``.
        """
        return self._run(_retrieval.retr(self._session, number))

    def retr_to(self, number: int, file: Writable) -> int:
        """Fetch one message into a file, in constant memory (RFC 1939 section 5).

        Returns:
            The octets written. If it raises, the file holds a part of the message at most.
        """
        return self._run(_retrieval.retr_to(self._session, number, file.write))

    def retrieve(self, start: Start, end: End = None) -> _Messages:
        """Fetch a range of messages.

        Args:
            start: a number from 1, ``"start"`` (1), ``"next"`` (one past the last message read)
                or ``"end"`` (the last message); 0 means 1.
            end: a number, ``"last"`` (the last message read) or ``"end"``; None or -1 mean only
                the message at ``start``. Numbers beyond the maildrop are clipped.

        Returns:
            The messages in order; empty if ``start`` lies beyond the maildrop.

        Raises:
            InvalidArgument: a word that is none of these; nothing was sent.
            POP3Error: any error of ``retr``; its ``retrieved`` has the messages before it.
        """
        return self._run(_retrieval.retrieve(self._session, start, end))

    def iter_retrieve(self, start: Start, end: End = None) -> Iterator[Message]:
        """Fetch a range of messages one by one, each when it is asked for.

        Arguments and errors are those of ``retrieve``. The range is fixed by this call; other
        commands may be given between two messages.
        """
        numbers = self._run(select(self._session, "RETR", start, end))
        return (self.retr(number) for number in numbers)

    def top(self, number: int, lines: int) -> Message:
        """Fetch the header of a message and the first lines of its body (RFC 1939 section 7).

        Args:
            number: message number, from 1.
            lines: lines of the body, from 0.

        Raises:
            CommandError: no such message, or the server has no TOP.
        """
        return self._run(_retrieval.top(self._session, number, lines))

    def dele(self, number: int) -> None:
        """Mark one message as deleted; QUIT deletes it (RFC 1939 section 5).

        Raises:
            CommandError: no such message.
        """
        self._run(_commands.dele(self._session, number))

    def delete(self, start: Start, end: End = None) -> _Numbers:
        """Mark a range of messages as deleted; arguments as for ``retrieve``.

        Numbers do not move within a session: after ``delete(1)`` the next message is still 2.

        Returns:
            The numbers that were marked.
        """
        return self._run(_retrieval.delete(self._session, start, end))

    def noop(self) -> None:
        """Do nothing, but keep the session alive (RFC 1939 section 5)."""
        self._run(_commands.noop(self._session))

    def rset(self) -> None:
        """Unmark all messages marked as deleted (RFC 1939 section 5).

        The memory of the last message read starts anew as well.
        """
        self._run(_commands.rset(self._session))

    def quit(self) -> None:
        """End the session with QUIT, which deletes what was marked (RFC 1939 section 6).

        The answer is waited for 3 seconds at most, and the connection is closed in any case.

        Raises:
            CommandError: the server could not delete.
            POP3ConnectionError: no answer, and messages were marked; whether they were deleted
                is not known. With nothing marked this is a deviation only.
            StateError: the session is over already.
        """
        self._run(_commands.quit_(self._session))

    def close(self) -> None:
        """End the session with QUIT as ``quit`` does; does nothing if it is over already."""
        if self._session.state is not State.CLOSED:
            self.quit()

    def abort(self) -> None:
        """Close the connection without QUIT: the server deletes nothing (RFC 1939 section 6)."""
        self._session.end("it was aborted")
        self._shell.close()
