"""A maildrop that lasts, and what fetches from it, for the tests of ``sync``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pop3client
from pop3client import DeletePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pop3client import Message, SeenStore, SyncResult

AT_ONCE = DeletePolicy(after=0)


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Maildrop:
    """A maildrop that lasts, and the server that shows it, in memory.

    Args:
        *mail: unique-id and octets of each message.

    Attributes:
        fuse: octets that the server still sends, and then the connection is lost; None: endless.
        refuse: commands that are answered with the refusal.
        quit_answer: what is said to QUIT.
        silent: true if QUIT is carried out and not answered.
        sizes: what LIST says, if not the truth.
        capa: the capabilities.
        commands: what was asked, over all sessions.
    """

    def __init__(self, *mail: tuple[bytes, bytes]) -> None:
        self.mail = list(mail)
        self.fuse: int | None = None
        self.refuse: set[str] = set()
        self.refusal = b"-ERR no\r\n"
        self.quit_answer = b"+OK\r\n"
        self.silent = False
        self.sizes: dict[bytes, int] = {}
        self.capa = b"+OK\r\nUIDL\r\n.\r\n"
        self.commands: list[str] = []
        self.clock = Clock()

    def socket(self, *_: object) -> Any:
        """The client's socket_factory."""
        return Line(self)

    def size(self, uid: bytes, raw: bytes) -> int:
        """What LIST says of a message."""
        return self.sizes.get(uid, len(raw))


class Line:
    """One connection with a maildrop; stands where the client expects a socket."""

    family = getattr(socket, "AF_UNIX", socket.AF_INET)

    def __init__(self, maildrop: Maildrop) -> None:
        self._maildrop = maildrop
        self._mail = list(enumerate(maildrop.mail, 1))
        self._marked: set[int] = set()
        self._inbox = bytearray()
        self._over = False
        self._say(b"+OK\r\n")

    def _say(self, data: bytes) -> None:
        fuse = self._maildrop.fuse
        if fuse is not None:
            data, self._maildrop.fuse = data[:fuse], fuse - len(data[:fuse])
            self._over |= self._maildrop.fuse == 0
        self._inbox += data

    def setsockopt(self, *_: int) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass

    def close(self) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        if self._over:
            raise BrokenPipeError
        for line in data.decode().splitlines():
            self._hear(line)

    def _hear(self, line: str) -> None:
        self._maildrop.commands.append(line)
        keyword, *numbers = line.split()
        if {line, keyword} & self._maildrop.refuse:
            self._say(self._maildrop.refusal)
        else:
            answer = getattr(self, f"_{keyword.lower()}", lambda *_: b"+OK\r\n")
            self._say(answer(*map(int, numbers if keyword in {"RETR", "DELE", "LIST"} else ())))

    def _capa(self) -> bytes:
        return self._maildrop.capa

    def _stat(self) -> bytes:
        return b"+OK %d 0\r\n" % len(self._mail)

    def _list(self, number: int | None = None) -> bytes:
        size = self._maildrop.size
        if number is not None:
            return b"+OK %d %d\r\n" % (number, size(*self._mail[number - 1][1]))
        return self._listing(b"%d %d" % (number, size(*mail)) for number, mail in self._mail)

    def _uidl(self) -> bytes:
        return self._listing(b"%d %s" % (number, uid) for number, (uid, _) in self._mail)

    def _listing(self, lines: Iterator[bytes]) -> bytes:
        return b"\r\n".join([b"+OK", *lines, b".", b""])

    def _retr(self, number: int) -> bytes:
        raw = self._maildrop.mail[number - 1][1]
        return b"+OK %d octets\r\n" % len(raw) + raw + b".\r\n"

    def _dele(self, number: int) -> bytes:
        self._marked.add(number)
        return b"+OK\r\n"

    def _quit(self) -> bytes:
        if self._maildrop.quit_answer.startswith(b"+OK"):
            self._maildrop.mail = [mail for n, mail in self._mail if n not in self._marked]
        self._over = True
        return b"" if self._maildrop.silent else self._maildrop.quit_answer

    def recv_into(self, view: memoryview) -> int:
        if not self._inbox and not self._over:
            raise BlockingIOError
        count = min(len(view), len(self._inbox))
        view[:count] = self._inbox[:count]
        del self._inbox[:count]
        return count

    async def receive(self, view: memoryview) -> int:
        """What the event loop does where nothing is there yet."""
        return self.recv_into(view)


class Run:
    """Runs ``sync`` and keeps what was delivered, over all runs.

    Args:
        facade: the client.
        store: what remembers.
        pipelining: whether messages are fetched ahead.
    """

    def __init__(self, facade: Any, store: SeenStore, *, pipelining: bool = False) -> None:
        self._facade = facade
        self._pipelining = pipelining
        self.store = store
        self.clock: Any = store.now
        self.delivered: list[bytes] = []

    def __call__(
        self, maildrop: Maildrop, deliver: Callable[[Message], object] | None = None, **options: Any
    ) -> SyncResult:
        client = self._facade.connect(
            "localhost",
            "alice",
            "secret",
            mechanism="USER",
            socket_factory=maildrop.socket,
            clock=maildrop.clock,
            pipelining=self._pipelining,
            **options.pop("settings", {}),
        )
        try:
            result: SyncResult = client.sync(self.store, deliver or self.keep, **options)
        finally:
            assert client._session.state.name == "CLOSED"
        return result

    def keep(self, message: Message) -> None:
        """Deliver a message."""
        self.delivered.append(message.raw)


def mail(*names: str) -> list[tuple[bytes, bytes]]:
    """Messages with these unique-ids."""
    return [(name.encode(), b"Subject: %s\r\n\r\nBody.\r\n" % name.encode()) for name in names]


def uids(items: Any) -> list[bytes]:
    """The unique-ids of a part of a result."""
    return [each.uid for each in items]


def raws(maildrop: Maildrop) -> list[bytes]:
    """The messages in a maildrop."""
    return [raw for _, raw in maildrop.mail]


def known(store: SeenStore) -> list[pop3client.SeenMessage]:
    """What the store knows of the maildrop."""
    return store.maildrop("localhost", 110, "alice").messages()
