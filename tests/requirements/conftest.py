"""Opens conversations with a server, and holds all that it ever said to the passive rows."""

from __future__ import annotations

import contextlib
import time
from functools import cache
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape
from pop3mock import Engine, MockServer
from pop3scenarios import loads

from ._wire import Line, Wire, accepted, cram_md5, plain

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from pop3scenarios import Scenario

    Play = Callable[..., MockServer]
    Connect = Callable[[MockServer], Wire]
    Dial = Callable[..., Line]
    Holding = Callable[..., Wire]

#: A secret of so few letters stands in words by chance, and is not looked for.
_A_FEW = 4

_HEAD = "pop3: 1\nname: test\nsummary: test\n"


@cache
def _scenario(text: str) -> Scenario:
    """A scenario; nothing alters it, and most tests have the same one."""
    return loads(text)


@pytest.fixture
def play() -> Play:
    """Makes a server that plays the default scenario with some changes, or with none.

    The changes are sections of a scenario file; messages, if given, take the place of its mail.
    """

    def make(changes: str = "", *messages: bytes, **options: object) -> MockServer:
        text = _HEAD + changes + ("\nmaildrop: []\n" if messages else "")
        server = MockServer(_scenario(text), **options)  # type: ignore[arg-type]
        for message in messages:
            server.deliver(message)
        return server

    return make


@pytest.fixture
def server(play: Play) -> MockServer:
    """The default server; it does not run."""
    return play()


def tape_for(server: MockServer) -> Tape:
    """A tape that knows the server's secrets; those of a few letters stand in words by chance."""
    return Tape(tuple(secret for secret in server.users.values() if len(secret) > _A_FEW))


class Tapes:
    """All conversations of a test."""

    def __init__(self) -> None:
        self._all: list[Tape] = []

    def new(self, server: MockServer) -> Tape:
        """A tape for one more connection."""
        self._all.append(tape_for(server))
        return self._all[-1]

    def breaches(self) -> list[str]:
        """What in them breaks a passive row."""
        return breaches("*", *self._all)


@pytest.fixture
def tapes() -> Iterator[Tapes]:
    """Records each conversation; in the end every octet that the server said is judged."""
    all_tapes = Tapes()
    yield all_tapes
    assert all_tapes.breaches() == []


@pytest.fixture
def connect(tapes: Tapes) -> Connect:
    """Opens a conversation with a server, without a socket."""

    def open_one(server: MockServer) -> Wire:
        return Wire(server, tapes.new(server))

    return open_one


@pytest.fixture
def enter(connect: Connect) -> Connect:
    """Opens a conversation with a server and logs in."""

    def log_in(server: MockServer) -> Wire:
        wire = connect(server)
        said = wire.log_in()
        assert accepted(said), said
        return wire

    return log_in


@pytest.fixture
def holding(enter: Connect, play: Play) -> Holding:
    """Logs in to a maildrop that holds some messages and no others."""

    def log_in(*messages: bytes) -> Wire:
        return enter(play("", *messages))

    return log_in


@pytest.fixture
def dial(tapes: Tapes) -> Iterator[Dial]:
    """Opens a connection through a socket; starts the server if it does not run."""
    with contextlib.ExitStack() as stack:

        def open_one(
            server: MockServer, context: ssl.SSLContext | None = None, *, narrow: bool = False
        ) -> Line:
            with contextlib.suppress(RuntimeError):  # it runs already
                server.start()
                stack.callback(server.stop)
            line = Line(server, tapes.new(server), context, narrow=narrow)
            stack.callback(line.close)
            return line

        yield open_one


class Clock:
    """Time that passes when a test says so.

    Attributes:
        ahead: Seconds that it is ahead of the real one.
    """

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        """The time in seconds."""
        return time.monotonic() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead += seconds


@pytest.fixture
def clock() -> Clock:
    """Time that passes when a test says so."""
    return Clock()


@pytest.fixture
def loop_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Clock]:
    """The same, for the event loop on which servers run: their timers go by it."""
    with Engine() as engine:
        monkeypatch.setattr(engine.loop, "time", clock.now)
        yield clock


@pytest.fixture
def before(connect: Connect, server: MockServer) -> Wire:
    """A conversation with the default server, in the authorization state."""
    return connect(server)


@pytest.fixture
def wire(before: Wire) -> Wire:
    """A conversation with the default server, in the transaction state."""
    before.log_in()
    return before


#: Every command there is, right and wrong, in both states.
_TOUR_BEFORE = (
    b"CAPA", b"STAT", b"XYZZ", b"", b"USER", b"PASS x", b"AUTH", b"AUTH X-NONE", b"AUTH PLAIN",
    b"*", b"AUTH PLAIN =", b"AUTH PLAIN !!!!", b"AUTH CRAM-MD5", b"AAAA", b"AUTH LOGIN", b"!!",
    b"APOP alice 00", b"USER nobody", b"PASS nothing", b"UTF8 x", b"LANG", b"LANG x-none",
)  # fmt: skip
_TOUR_AFTER = (
    b"CAPA", b"STAT", b"LIST", b"LIST 1", b"LIST 9", b"LIST x", b"UIDL", b"UIDL 1", b"UIDL 9",
    b"RETR 1", b"RETR 2", b"RETR 3", b"RETR 4", b"RETR 9", b"RETR", b"TOP 1 0", b"TOP 1 99",
    b"TOP 3 1", b"TOP 9 1", b"TOP 1", b"NOOP", b"NOOP x", b"DELE 1", b"DELE 1", b"RETR 1",
    b"LIST", b"UIDL", b"RSET", b"LAST", b"XYZZ", b"USER x", b"AUTH PLAIN", b"STLS", b"LANG",
    b"UTF8", b"QUIT",
)  # fmt: skip


@pytest.fixture
def tour(connect: Connect, server: MockServer) -> list[Tape]:
    """Conversations with the default server that hold every command, right and wrong."""
    tapes = []
    for way in (b"USER", b"PLAIN", b"CRAM-MD5"):
        tape = tape_for(server)
        wire = Wire(server, tape)
        for line in _TOUR_BEFORE:
            wire.ask(line)
        _enter(wire, way)
        waiting = connect(server)
        assert waiting.log_in().startswith(b"-ERR [IN-USE] ")
        for line in _TOUR_AFTER:
            wire.ask(line)
        tapes.append(tape)
    return tapes


def _enter(wire: Wire, way: bytes) -> None:
    if way == b"USER":
        said = wire.log_in()
    elif way == b"PLAIN":
        said = wire.ask(b"AUTH PLAIN " + plain())
    else:
        said = wire.ask(cram_md5(wire.ask(b"AUTH " + way)[2:]))
    assert said.startswith(b"+OK "), said
