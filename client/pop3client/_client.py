"""The blocking client: each method is one operation of the protocol, run on a socket."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, overload

from . import _authentication, _commands, _extensions, _opening, _retrieval, _sync
from ._blocking import SocketShell
from ._exceptions import StateError
from ._facade import (
    Facade,
    Languages,
    Messages,
    Numbers,
    ScanListings,
    SizeListing,
    UniqueIdListing,
    UniqueIds,
    Writable,
)
from ._indexes import End, Start, check, select
from ._keepalive import Keeper, beat, pause_of
from ._reading import Reading
from ._states import State
from ._url import MaildropURL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from ._capabilities import Capabilities
    from ._config import Settings
    from ._results import Language, Maildrop, Message, Response, ScanListing, UniqueId
    from ._retrieval import OnError, Progress
    from ._sasl import Mechanism
    from ._seen import SeenStore
    from ._sync import DeletePolicy, SyncResult
    from ._wants import Steps

__all__ = ["POP3Client"]

T = TypeVar("T")


class POP3Client(Facade):
    """A session with a POP3 server; blocking.

    Constructing connects, reads the greeting, and secures the connection if ``tls`` says so.
    Then ``login``, ``apop`` or ``authenticate``. As a context manager it ends with QUIT, or, if
    the block raises, closes the connection without QUIT, so that nothing is deleted.

    A session does one thing at a time: a command while another is under way, or while a message
    of ``iter_retr`` is not read to its end, is a StateError.

    Args:
        host: name or address (IPv6 with or without brackets); its certificate must be for it.
        **settings: see ``Settings``.

    Raises:
        ConnectError: no connection.
        TLSError: the connection cannot be secured; ``step`` says where it failed.
        CommandError: the greeting is -ERR.
        BadStatusLine: the greeting is not one of POP3.
        POP3TimeoutError: a step took longer than ``timeout``.
        InvalidArgument: a setting makes no sense.
    """

    def __init__(self, host: str, **settings: Unpack[Settings]) -> None:
        super().__init__(host, settings)
        self._shell = SocketShell(self._session.config)
        self._keeper = Keeper(self._beat)
        self._beating = False
        self._run_or_close(_opening.open_session(self._session))

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

    @classmethod
    def from_url(cls, url: str, password: str | None = None, **settings: Unpack[Settings]) -> Self:
        """Connect to the maildrop that a URL names, and log in if the password is known.

        Args:
            url: ``pop3://user@host:port``, ``pop3s://…`` (TLS from the first octet) or
                ``pop3+stls://…`` (STLS required). ``?`` may be followed by ``mechanism``,
                ``timeout``, ``retr_mode``, ``msex`` and ``strict``, and there may be a password.
            password: the password, which goes before that of the URL. If there is none, nobody
                is logged in, and ``authenticate`` is yours.
            **settings: see ``Settings``; they go before those of the URL.

        Raises:
            InvalidArgument: no such URL; the message does not quote it.
            POP3Error: see ``POP3Client`` and ``login``.
        """
        place = MaildropURL.parse(url)
        login = place.login(password)
        client = cls(place.host, **place.settings(settings))
        if login is not None:
            client._run_or_close(_authentication.sign_on(client._session, *login))
        return client

    def _run(
        self,
        steps: Steps[T],
        sink: Callable[[bytes], object] | None = None,
        own: Reading | None = None,
    ) -> T:
        self._keeper.begin()
        try:
            return self._shell.run(self._session.guarded(steps, own), sink)
        finally:
            self._keeper.end()
            self._close_if_over()

    def _stream(self, steps: Steps[object]) -> Iterator[bytes]:
        self._keeper.begin()
        try:
            yield from self._shell.stream(self._session.guarded(steps))
        finally:
            self._keeper.end()
            self._close_if_over()

    def _each(self, reading: Reading) -> Iterator[Message]:
        try:
            with self._kept_alive():
                while (message := self._run(reading.next(), own=reading)) is not None:
                    yield message
        finally:
            reading.close()

    def _kept_alive(self) -> AbstractContextManager[object]:
        return nullcontext() if self.config.keepalive is None else self.keeping_alive()

    def _beat(self) -> None:
        self._beating = True
        try:
            self._shell.run(beat(self._session))
        finally:
            self._beating = False
            self._close_if_over()

    def _close_if_over(self) -> None:
        if self._session.state is State.CLOSED:
            if self._beating:  # in another thread, which then closes
                self._shell.wake()
            else:
                self._shell.close()
            self._keeper.stop()

    def _run_or_close(self, steps: Steps[T]) -> T:
        try:
            return self._run(steps)
        except BaseException:
            self.abort()
            raise

    def login(self, user: str, password: str, mechanism: str | None = None) -> None:
        """Log in, then ask CAPA again and STAT (RFC 1939 sections 5 and 7, RFC 5034).

        The number of messages is needed for index words and ranges; STAT also shows whether a
        server that accepted the login means it.

        Args:
            user: name of the maildrop.
            password: its password.
            mechanism: ``"USER"`` (USER and PASS), ``"APOP"``, or the name of a SASL mechanism
                that takes a password: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, and
                the latter two with -PLUS. None takes the safest that the server offers: SCRAM
                (with the extra ``scram``), then PLAIN, LOGIN, USER; without TLS USER before
                PLAIN and LOGIN. A mechanism that turns out not to work is followed by the next;
                a refusal that speaks of the user is final. APOP and CRAM-MD5 are never chosen.

        Raises:
            InsecureAuthError: the password would cross a network in the clear. APOP, CRAM-MD5
                and SCRAM, asked for by name, do not send it.
            AuthenticationError: refused.
            MailboxInUse: another session holds the maildrop.
            CommandError: refused for another reason, see its subclasses.
            ChallengeError: what the server wants signed is nothing that may be signed.
            ServerProofError: the server does not know the password (SCRAM).
            InvalidArgument: CR, LF or NUL in user or password, an unknown mechanism, SCRAM
                without its extra, or APOP with ``msex``; nothing was sent.
        """
        self._run(_authentication.login(self._session, user, password, mechanism))

    def apop(self, user: str, password: str) -> None:
        """Log in with APOP, then ask CAPA again and STAT (RFC 1939 sections 5 and 7).

        The password is not sent, so this needs no TLS; MD5 does not protect a weak one.

        Raises:
            ChallengeError: the greeting offers no APOP, or not safely.
            AuthenticationError: refused.
            InvalidArgument: as for ``login``; or ``msex=True``, for Exchange has no APOP.
        """
        self._run(_authentication.apop(self._session, user, password))

    def authenticate(self, mechanism: Mechanism) -> None:
        """Log in by a SASL mechanism, then ask CAPA again and STAT (RFC 5034 section 4).

        Whether the server announces the mechanism is not looked at.

        Args:
            mechanism: one of ``Plain``, ``Login``, ``CramMD5``, ``Scram``, ``External``,
                ``XOAuth2``, ``OAuthBearer``, or an object of your own, see ``Mechanism``.

        Raises:
            InsecureAuthError: it would show a secret to the network.
            AuthenticationError: refused; ``OAuthError`` for a token.
            ChallengeError: the mechanism cannot answer the server's challenge; the exchange was
                cancelled.
            ConnectionClosed: the server hung up rather than answer.
        """
        self._run(_authentication.authenticate(self._session, mechanism))

    def capa(self) -> Capabilities:
        """Ask CAPA (RFC 2449 section 5). ``capabilities`` changes with it.

        Raises:
            CommandError: the server has no CAPA; ``capabilities`` is empty then.
        """
        return self._run(_commands.capa(self._session))

    def supports(self, name: str) -> bool | None:
        """Tell whether the server can do something.

        Args:
            name: a capability, such as ``"PIPELINING"``. If CAPA says nothing of ``"TOP"`` or
                ``"UIDL"``, the command is tried once, on the first message.

        Returns:
            None if it cannot be told: there is no message to try it on.
        """
        return self._run(_extensions.supports(self._session, name))

    def utf8(self) -> None:
        """Ask for UTF-8 in headers and names; before login only (RFC 6856 section 2.1).

        Raises:
            CapabilityError: the server does not announce it; nothing was sent.
            CommandError: refused.
        """
        self._run(_extensions.utf8(self._session))

    @overload
    def lang(self, tag: None = None) -> Languages: ...
    @overload
    def lang(self, tag: str) -> Language: ...
    def lang(self, tag: str | None = None) -> Languages | Language:
        """Ask for the languages of the server's texts, or choose one (RFC 6856 section 3.2).

        Args:
            tag: a language, such as ``"de"``, or ``"*"`` for the server's choice.

        Raises:
            CapabilityError: the server does not announce it; nothing was sent.
            CommandError: it has no such language; the one in force stays.
        """
        if tag is None:
            return self._run(_extensions.languages(self._session))
        return self._run(_extensions.use_language(self._session, tag))

    def command(self, line: str, *, multiline: bool = False) -> Response:
        """Send a command that has no method here.

        Args:
            line: keyword and arguments.
            multiline: a reply of +OK is followed by lines, up to one that is a dot. Only the
                caller can know; if it is wrong, the session ends or the wait does.

        Raises:
            CommandError: the server answered -ERR.
            InvalidArgument: CR, LF or NUL in the line, or a command that changes what the client
                must know, such as DELE: use its method. Nothing was sent.
        """
        return self._run(_extensions.raw_command(self._session, line, multiline=multiline))

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
    def list(self, number: None = None) -> SizeListing: ...
    @overload
    def list(self, number: int) -> ScanListing: ...
    @overload
    def list(self, number: Iterable[int], *, on_error: OnError | None = None) -> ScanListings: ...
    def list(
        self, number: int | Iterable[int] | None = None, *, on_error: OnError | None = None
    ) -> SizeListing | ScanListings | ScanListing:
        """Ask LIST for the sizes of all messages, of one, or of several (RFC 1939 section 5).

        Args:
            number: message number, or several; by default all are listed by one command.
            on_error: called with number and error of one of several that fails, which is then
                left out. None: the first error is raised; its ``listed`` has what was told.

        Returns:
            For all messages a ``Listing``: a sequence whose entries are made when asked for.

        Raises:
            CommandError: no such message.
            MalformedReply: a line without two numbers.
        """
        if number is None:
            return self._run(_commands.list_all(self._session))
        if not isinstance(number, int):
            return self._run(_retrieval.list_many(self._session, number, on_error))
        return self._run(_commands.list_one(self._session, number))

    @overload
    def uidl(self, number: None = None) -> UniqueIdListing: ...
    @overload
    def uidl(self, number: int) -> UniqueId: ...
    @overload
    def uidl(self, number: Iterable[int], *, on_error: OnError | None = None) -> UniqueIds: ...
    def uidl(
        self, number: int | Iterable[int] | None = None, *, on_error: OnError | None = None
    ) -> UniqueIdListing | UniqueIds | UniqueId:
        """Ask UIDL for the unique-ids of all messages, of one, or of several (RFC 1939 section 7).

        Args:
            number: message number, or several; by default all are listed by one command.
            on_error: called with number and error of one of several that fails, which is then
                left out. None: the first error is raised; its ``listed`` has what was told.

        Returns:
            For all messages a ``Listing``: a sequence whose entries are made when asked for.

        Raises:
            CommandError: no such message, or the server has no UIDL.
            MalformedReply: a line without a message number.
        """
        if number is None:
            return self._run(_commands.uidl_all(self._session))
        if not isinstance(number, int):
            return self._run(_retrieval.uidl_many(self._session, number, on_error))
        return self._run(_commands.uidl_one(self._session, number))

    def retr(self, number: int, *, progress: Progress | None = None) -> Message:
        """Fetch one message (RFC 1939 section 5).

        Args:
            number: message number, from 1.
            progress: called with the number, the octets that have come so far, and how many
                were announced or None. Stuffed dots count until the last call, which is exact.

        Raises:
            CommandError: no such message.
            LimitExceeded: it is larger than ``Limits.message_octets``.
        """
        return self._run(_retrieval.retr(self._session, number, progress))

    def retr_to(self, number: int, file: Writable, *, progress: Progress | None = None) -> int:
        """Fetch one message into a file, in constant memory (RFC 1939 section 5).

        Args:
            number: message number, from 1.
            file: takes the octets by ``write``.
            progress: see ``retr``.

        Returns:
            The octets written. If it raises, the file holds a part of the message at most.
        """
        return self._run(_retrieval.retr_parts(self._session, number, progress), file.write)

    def iter_retr(self, number: int, *, progress: Progress | None = None) -> Iterator[bytes]:
        """Fetch one message in parts, each when it is asked for, in constant memory.

        Arguments and errors are those of ``retr``. An iterator that is given up before the end
        ends the session: the rest of the message is still to come.
        """
        _retrieval.check_retr(self._session, number)
        return self._stream(_retrieval.retr_parts(self._session, number, progress))

    def retrieve(
        self,
        start: Start,
        end: End = None,
        *,
        on_error: OnError | None = None,
        progress: Progress | None = None,
    ) -> Messages:
        """Fetch a range of messages.

        Args:
            start: a number from 1, ``"start"`` (1), ``"next"`` (one past the last message read)
                or ``"end"`` (the last message); 0 means 1.
            end: a number, ``"last"`` (the last message read) or ``"end"``; None or -1 mean only
                the message at ``start``. Numbers beyond the maildrop are clipped.
            on_error: called with number and error of a message that fails, which is then left
                out; ``failures.__setitem__`` fills a dict. None: the first error is raised. An
                error that ends the session is raised in any case.
            progress: see ``retr``.

        If a message is refused with no reason given, LIST is asked, once in a session: where the
        numbers of the maildrop have gaps, the range goes on with the messages that there are.
        That holds for ``iter_retrieve``, ``messages`` and ``delete`` as well.

        Returns:
            The messages in order; empty if ``start`` lies beyond the maildrop.

        Raises:
            InvalidArgument: a word that is none of these; nothing was sent.
            POP3Error: any error of ``retr``; its ``retrieved`` has the messages before it.
        """
        return self._run(_retrieval.retrieve(self._session, start, end, on_error, progress))

    def iter_retrieve(
        self,
        start: Start,
        end: End = None,
        *,
        on_error: OnError | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Message]:
        """Fetch a range of messages one by one, each when it is asked for.

        Arguments and errors are those of ``retrieve``. The range is fixed when the first message
        is asked for; other commands may be given between two messages.

        With PIPELINING (see ``Settings.pipelining``) LIST is asked, and the messages after the
        one asked for are on their way already: as many as ``Limits`` allows. Another command has
        them read into memory first, and they are handed out from there. They count as read for
        ``"next"`` and ``"last"``, and if the iterator is given up before its end, the next
        command reads and drops them. Where CAPA says EXPIRE 0, nothing is fetched ahead.
        """
        check(self._session, "RETR", start, end)
        session = self._session
        return self._each(
            Reading(session, lambda: select(session, "RETR", start, end), on_error, progress)
        )

    def messages(
        self, *, on_error: OnError | None = None, progress: Progress | None = None
    ) -> Iterator[Message]:
        """Fetch all messages that are not marked as deleted, each when it is asked for.

        Arguments and errors are those of ``retrieve``; for the rest see ``iter_retrieve``.
        """
        session = self._session
        session.require("RETR")
        return self._each(Reading(session, lambda: _retrieval.present(session), on_error, progress))

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

    def delete(self, start: Start, end: End = None, *, on_error: OnError | None = None) -> Numbers:
        """Mark a range of messages as deleted; arguments as for ``retrieve``.

        Numbers do not move within a session: after ``delete(1)`` the next message is still 2.

        Returns:
            The numbers that were marked.

        Raises:
            POP3Error: any error of ``dele``; its ``marked`` has the numbers before it.
        """
        return self._run(_retrieval.delete(self._session, start, end, on_error))

    def noop(self) -> None:
        """Do nothing, but keep the session alive (RFC 1939 section 5)."""
        self._run(_commands.noop(self._session))

    def rset(self) -> None:
        """Unmark all messages marked as deleted (RFC 1939 section 5).

        The memory of the last message read starts anew as well.
        """
        self._run(_commands.rset(self._session))

    def sync(
        self,
        store: SeenStore,
        deliver: Callable[[Message], object],
        *,
        delete: DeletePolicy | None = None,
        fingerprint: bool = False,
        user: str | None = None,
        progress: Progress | None = None,
    ) -> SyncResult:
        """Fetch what was not fetched before, leave it on the server, and end the session.

        The oldest message comes first. A message counts as seen when ``deliver`` has returned,
        and as deleted when the server has answered QUIT with +OK. So whatever interrupts this,
        nothing is lost; the next run goes on where this one ended, and repeats one message at
        most: the one that was being delivered.

        A unique-id is not trusted blindly. If several messages have it, if there is none, if the
        size is another one than before, or if it was missing from a listing since, the message is
        fetched and compared (by SHA-256) with what was delivered under that unique-id.

        Args:
            store: remembers what was delivered.
            deliver: is given each new message. It should return when the message is safe; if it
                raises, the message is not seen. While it works, the next messages may be on
                their way already, see ``iter_retrieve``.
            delete: what to delete from the server of that which was delivered; None: nothing.
            fingerprint: with a server that has no UIDL, fetch all messages each time, and know
                them by their octets.
            user: the name under which the store keeps the maildrop, by default that of the login.
            progress: see ``retr``.

        Returns:
            What was done. Messages that the server refuses, or of which nothing comes, are in
            its ``failed`` and do not end the run.

        Raises:
            NoUniqueIds: the server has no UIDL.
            SeenStoreError: the store cannot be read or written.
            InvalidArgument: neither ``user`` nor the login says the name of the maildrop.
            POP3Error: listing failed or the connection was lost. Whatever is raised, also by
                ``deliver``, the session is closed without QUIT, so that nothing is deleted.
        """
        deliver = self._keeper.around(deliver)
        with self._kept_alive():
            return self._run(
                _sync.sync(self._session, store, deliver, delete, user, progress, fingerprint)
            )

    @contextmanager
    def keeping_alive(self, seconds: float | None = None) -> Iterator[Self]:
        """Keep the session alive while the caller works, to the end of the block.

        ``with client.keeping_alive():`` says NOOP when nothing else has been said for some time,
        and again after that. It never does so in the middle of an answer, such as between the
        parts of ``iter_retr``. Before it, messages that are fetched ahead are read into memory.

        The blocking client does it in a thread, which lives as long as the block and calls
        ``wire_log`` too. A command waits for the answer to a NOOP that is under way. If a NOOP
        fails, the next command raises the error; if it gets no answer in time, the session is
        over. ``Settings.keepalive`` does the same where the client calls the caller.

        Args:
            seconds: of silence, before each NOOP. None: ``Settings.keepalive``, or else 60. A
                block inside another one changes nothing.

        Raises:
            InvalidArgument: not a time that is finite and above 0.
        """
        with self._keeper.on(pause_of(self._session, seconds)):
            yield self

    def quit(self) -> None:
        """End the session with QUIT, which deletes what was marked (RFC 1939 section 6).

        With ``Settings.rset_before_quit``, RSET takes back all marks before it, and what was
        marked by this client is marked again. If that fails, QUIT is not sent, and so nothing
        is deleted.

        The answer is waited for 3 seconds at most, and the connection is closed in any case.

        Raises:
            CommandError: the server could not delete, or refused RSET or DELE before QUIT.
            POP3ConnectionError: no answer, and messages were marked; whether they were deleted
                is not known. With nothing marked this is a deviation only.
            StateError: the session is over already.
        """
        self._run(_commands.quit_(self._session))

    def close(self) -> None:
        """End the session with QUIT as ``quit`` does; does nothing if it is over already.

        Raises:
            StateError: a command is under way. The connection is closed without QUIT.
        """
        if self._session.state is not State.CLOSED or self._session.failure is not None:
            try:
                self.quit()
            except StateError:
                self.abort()
                raise
