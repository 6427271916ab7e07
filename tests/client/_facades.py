"""One face for both clients: the asyncio client is driven so that it looks like the other."""

from __future__ import annotations

import asyncio
import inspect
import selectors
from typing import TYPE_CHECKING, Any, Self

import pop3client

from ._maildrop import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


class Facade:
    """The blocking client."""

    kind = "blocking"

    def client(self, host: str, **options: Any) -> Any:
        """Connect, without logging in."""
        return pop3client.POP3Client(host, **options)

    def connect(self, host: str, user: str, password: str, **options: Any) -> Any:
        """Connect and log in."""
        return pop3client.connect(host, user, password, **options)

    def from_url(self, url: str, *arguments: Any, **options: Any) -> Any:
        """Connect to what a URL names."""
        return pop3client.POP3Client.from_url(url, *arguments, **options)

    def close(self) -> None:
        """End what the tests have left."""


class AsyncFacade(Facade):
    """The asyncio client, on an event loop that runs while one of its methods does."""

    kind = "asyncio"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def client(self, host: str, **options: Any) -> Any:
        """Connect, without logging in."""
        return self._opened(lambda: pop3client.AsyncPOP3Client(host, **options), options)

    def connect(self, host: str, user: str, password: str, **options: Any) -> Any:
        """Connect and log in."""
        return self._opened(
            lambda: pop3client.connect_async(host, user, password, **options), options
        )

    def from_url(self, url: str, *arguments: Any, **options: Any) -> Any:
        """Connect to what a URL names."""
        return self._opened(
            lambda: pop3client.AsyncPOP3Client.from_url(url, *arguments, **options), options
        )

    def _opened(
        self, make: Callable[[], pop3client.AsyncPOP3Client], options: dict[str, Any]
    ) -> Any:
        if isinstance(self.loop, VirtualLoop):
            self.loop.clock = options.get("clock", self.loop.clock)
        return Driven(self.run(make()), self)

    def run(self, waiting: Awaitable[Any]) -> Any:
        """Run the loop until something is done."""

        async def wait() -> Any:
            return await waiting

        return self.loop.run_until_complete(wait())

    def close(self) -> None:
        """Close the loop."""
        self.run(self.loop.shutdown_asyncgens())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()


class Driven:
    """An asyncio client that looks like a blocking one."""

    def __init__(self, client: pop3client.AsyncPOP3Client, facade: AsyncFacade) -> None:
        self.driven = client
        self._facade = facade
        self._clock = client.config.clock

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.driven, name)
        if not inspect.ismethod(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            if isinstance(self._facade.loop, VirtualLoop):
                self._facade.loop.clock = self._clock
            answer = value(*arguments, **options)
            if hasattr(answer, "__aiter__"):
                return self._items(answer)
            return self._facade.run(answer) if inspect.isawaitable(answer) else answer

        return call

    def _items(self, items: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._facade.run(anext(items))
                except StopAsyncIteration:
                    return
        finally:
            self._facade.run(items.aclose())

    def __repr__(self) -> str:
        return repr(self.driven)

    def __enter__(self) -> Self:
        self._facade.run(self.driven.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self.__getattr__("__aexit__")(*error)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that knows fake sockets, and whose time passes only when somebody waits."""

    def __init__(self) -> None:
        self.clock: Any = Clock()
        super().__init__(_Selector(self))

    def time(self) -> float:
        return float(self.clock())

    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        count: int = await sock.receive(buf)
        return count

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        sock.sendall(data)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it goes to whoever awaits
            future.set_exception(error)
        return future


class _Selector(selectors.DefaultSelector):
    """Does not wait but turns the clock on."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events:
            assert timeout is not None, "every wait must be bounded"
            self._loop.clock.now += timeout
        return events
