"""The asyncio client: each method is one operation of the protocol, run on an event loop.

``POP3Client`` says what each method does; here is only what differs.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, overload

from . import _authentication, _commands, _extensions, _opening, _retrieval, _sync
from ._asyncio import AsyncSocketShell
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
from ._keepalive import AsyncKeeper, beat, pause_of
from ._reading import Reading
from ._states import State
from ._url import MaildropURL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Any

    from ._capabilities import Capabilities
    from ._config import Settings
    from ._results import Language, Maildrop, Message, Response, ScanListing, UniqueId
    from ._retrieval import OnError, Progress
    from ._sasl import Mechanism
    from ._seen import SeenStore
    from ._sync import DeletePolicy, SyncResult
    from ._wants import Steps

__all__ = ["AsyncPOP3Client"]

T = TypeVar("T")


class AsyncPOP3Client(Facade):
    """A session with a POP3 server, on the running event loop.

    The names are those of ``POP3Client``; what waits is awaited, and what iterates is iterated
    by ``async for``. Constructing does nothing yet: ``await AsyncPOP3Client(…)`` connects, and
    so does ``async with AsyncPOP3Client(…) as client``.

    A task that is cancelled in the middle of a command ends the session: the answer to that
    command would be taken for that to the next.

    Args:
        host: see ``POP3Client``.
        **settings: see ``Settings``.

    Raises:
        POP3Error: as ``POP3Client``; when it is awaited.
    """

    def __init__(self, host: str, **settings: Unpack[Settings]) -> None:
        super().__init__(host, settings)
        self._shell = AsyncSocketShell(self._session.config)
        self._keeper = AsyncKeeper(self._beat)
        self._to_open: list[Steps[None]] = [_opening.open_session(self._session)]

    def __await__(self) -> Generator[Any, None, Self]:
        return self._open().__await__()

    async def __aenter__(self) -> Self:
        return await self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.close()
        else:
            self.abort()

    @classmethod
    def from_url(cls, url: str, password: str | None = None, **settings: Unpack[Settings]) -> Self:
        """See ``POP3Client.from_url``; it connects when it is awaited."""
        place = MaildropURL.parse(url)
        login = place.login(password)
        client = cls(place.host, **place.settings(settings))
        if login is not None:
            client._to_open.append(_authentication.sign_on(client._session, *login))
        return client

    async def _open(self) -> Self:
        to_open, self._to_open = self._to_open, []
        for steps in to_open:
            await self._run_or_close(steps)
        return self

    async def _run(
        self,
        steps: Steps[T],
        sink: Callable[[bytes], object] | None = None,
        own: Reading | None = None,
    ) -> T:
        await self._keeper.begin()
        try:
            return await self._shell.run(self._session.guarded(steps, own), sink)
        finally:
            self._keeper.end()
            self._close_if_over()

    async def _stream(self, steps: Steps[object]) -> AsyncIterator[bytes]:
        await self._keeper.begin()
        try:
            async with aclosing(self._shell.stream(self._session.guarded(steps))) as parts:
                async for part in parts:
                    yield part
        finally:
            self._keeper.end()
            self._close_if_over()

    async def _each(self, reading: Reading) -> AsyncIterator[Message]:
        try:
            async with self._kept_alive():
                while (message := await self._run(reading.next(), own=reading)) is not None:
                    yield message
        finally:
            reading.close()

    def _kept_alive(self) -> AbstractAsyncContextManager[object]:
        return nullcontext() if self.config.keepalive is None else self.keeping_alive()

    async def _beat(self) -> None:
        try:
            await self._shell.run(beat(self._session))
        finally:
            self._close_if_over()

    def _close_if_over(self) -> None:
        if self._session.state is State.CLOSED:
            self._shell.close()
            self._keeper.stop()

    async def _run_or_close(self, steps: Steps[T]) -> T:
        try:
            return await self._run(steps)
        except BaseException:
            self.abort()
            raise

    async def login(self, user: str, password: str, mechanism: str | None = None) -> None:
        """See ``POP3Client.login``."""
        await self._run(_authentication.login(self._session, user, password, mechanism))

    async def apop(self, user: str, password: str) -> None:
        """See ``POP3Client.apop``."""
        await self._run(_authentication.apop(self._session, user, password))

    async def authenticate(self, mechanism: Mechanism) -> None:
        """See ``POP3Client.authenticate``."""
        await self._run(_authentication.authenticate(self._session, mechanism))

    async def capa(self) -> Capabilities:
        """See ``POP3Client.capa``."""
        return await self._run(_commands.capa(self._session))

    async def supports(self, name: str) -> bool | None:
        """See ``POP3Client.supports``."""
        return await self._run(_extensions.supports(self._session, name))

    async def utf8(self) -> None:
        """See ``POP3Client.utf8``."""
        await self._run(_extensions.utf8(self._session))

    @overload
    async def lang(self, tag: None = None) -> Languages: ...
    @overload
    async def lang(self, tag: str) -> Language: ...
    async def lang(self, tag: str | None = None) -> Languages | Language:
        """See ``POP3Client.lang``."""
        if tag is None:
            return await self._run(_extensions.languages(self._session))
        return await self._run(_extensions.use_language(self._session, tag))

    async def command(self, line: str, *, multiline: bool = False) -> Response:
        """See ``POP3Client.command``."""
        return await self._run(_extensions.raw_command(self._session, line, multiline=multiline))

    async def stat(self) -> Maildrop:
        """See ``POP3Client.stat``."""
        return await self._run(_commands.stat(self._session))

    status = stat

    async def last(self) -> int:
        """See ``POP3Client.last``."""
        return await self._run(_commands.last(self._session))

    @overload
    async def list(self, number: None = None) -> SizeListing: ...
    @overload
    async def list(self, number: int) -> ScanListing: ...
    @overload
    async def list(
        self, number: Iterable[int], *, on_error: OnError | None = None
    ) -> ScanListings: ...
    async def list(
        self, number: int | Iterable[int] | None = None, *, on_error: OnError | None = None
    ) -> SizeListing | ScanListings | ScanListing:
        """See ``POP3Client.list``."""
        if number is None:
            return await self._run(_commands.list_all(self._session))
        if not isinstance(number, int):
            return await self._run(_retrieval.list_many(self._session, number, on_error))
        return await self._run(_commands.list_one(self._session, number))

    @overload
    async def uidl(self, number: None = None) -> UniqueIdListing: ...
    @overload
    async def uidl(self, number: int) -> UniqueId: ...
    @overload
    async def uidl(
        self, number: Iterable[int], *, on_error: OnError | None = None
    ) -> UniqueIds: ...
    async def uidl(
        self, number: int | Iterable[int] | None = None, *, on_error: OnError | None = None
    ) -> UniqueIdListing | UniqueIds | UniqueId:
        """See ``POP3Client.uidl``."""
        if number is None:
            return await self._run(_commands.uidl_all(self._session))
        if not isinstance(number, int):
            return await self._run(_retrieval.uidl_many(self._session, number, on_error))
        return await self._run(_commands.uidl_one(self._session, number))

    async def retr(self, number: int, *, progress: Progress | None = None) -> Message:
        """See ``POP3Client.retr``."""
        return await self._run(_retrieval.retr(self._session, number, progress))

    async def retr_to(
        self, number: int, file: Writable, *, progress: Progress | None = None
    ) -> int:
        """See ``POP3Client.retr_to``; ``write`` may be a coroutine function."""
        return await self._run(_retrieval.retr_parts(self._session, number, progress), file.write)

    def iter_retr(self, number: int, *, progress: Progress | None = None) -> AsyncIterator[bytes]:
        """See ``POP3Client.iter_retr``."""
        _retrieval.check_retr(self._session, number)
        return self._stream(_retrieval.retr_parts(self._session, number, progress))

    async def retrieve(
        self,
        start: Start,
        end: End = None,
        *,
        on_error: OnError | None = None,
        progress: Progress | None = None,
    ) -> Messages:
        """See ``POP3Client.retrieve``."""
        return await self._run(_retrieval.retrieve(self._session, start, end, on_error, progress))

    def iter_retrieve(
        self,
        start: Start,
        end: End = None,
        *,
        on_error: OnError | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[Message]:
        """See ``POP3Client.iter_retrieve``."""
        check(self._session, "RETR", start, end)
        session = self._session
        return self._each(
            Reading(session, lambda: select(session, "RETR", start, end), on_error, progress)
        )

    def messages(
        self, *, on_error: OnError | None = None, progress: Progress | None = None
    ) -> AsyncIterator[Message]:
        """See ``POP3Client.messages``."""
        session = self._session
        session.require("RETR")
        return self._each(Reading(session, lambda: _retrieval.present(session), on_error, progress))

    async def top(self, number: int, lines: int) -> Message:
        """See ``POP3Client.top``."""
        return await self._run(_retrieval.top(self._session, number, lines))

    async def dele(self, number: int) -> None:
        """See ``POP3Client.dele``."""
        await self._run(_commands.dele(self._session, number))

    async def delete(
        self, start: Start, end: End = None, *, on_error: OnError | None = None
    ) -> Numbers:
        """See ``POP3Client.delete``."""
        return await self._run(_retrieval.delete(self._session, start, end, on_error))

    async def noop(self) -> None:
        """See ``POP3Client.noop``."""
        await self._run(_commands.noop(self._session))

    async def rset(self) -> None:
        """See ``POP3Client.rset``."""
        await self._run(_commands.rset(self._session))

    async def sync(
        self,
        store: SeenStore,
        deliver: Callable[[Message], object],
        *,
        delete: DeletePolicy | None = None,
        fingerprint: bool = False,
        user: str | None = None,
        progress: Progress | None = None,
    ) -> SyncResult:
        """See ``POP3Client.sync``; ``deliver`` may be a coroutine function."""
        deliver = self._keeper.around(deliver)
        async with self._kept_alive():
            return await self._run(
                _sync.sync(self._session, store, deliver, delete, user, progress, fingerprint)
            )

    @asynccontextmanager
    async def keeping_alive(self, seconds: float | None = None) -> AsyncIterator[Self]:
        """See ``POP3Client.keeping_alive``; it is ``async with``, and a task."""
        async with self._keeper.on(pause_of(self._session, seconds)):
            yield self

    async def quit(self) -> None:
        """See ``POP3Client.quit``."""
        await self._run(_commands.quit_(self._session))

    async def close(self) -> None:
        """See ``POP3Client.close``."""
        if self._session.state is not State.CLOSED or self._session.failure is not None:
            try:
                await self.quit()
            except StateError:
                self.abort()
                raise
