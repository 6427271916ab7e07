"""Work that goes on although the connection is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import pop3client
from pop3client import Backoff, InvalidArgument, Reconnection, SeenStore

PATIENT = Backoff(first=1, factor=3, most=20)


class Attempts:
    """``reconnecting``, of either kind, in a time that passes only when it waits."""

    def __init__(self, facade: Any, server: Any) -> None:
        self._facade = facade
        self.server = server
        self.events: list[Reconnection] = []
        self.slept: list[float] = []

    def __call__(self, work: Any, **options: Any) -> Any:
        options = {"backoff": PATIENT, "on_lost": self.events.append} | options
        options |= {"clock": self.server.clock, "sleep": self.sleep}
        settings = {
            "socket_factory": self.server.socket,
            "clock": self.server.clock,
            "mechanism": "USER",
        }
        address = "localhost", "alice", "secret"
        if self._facade.kind == "blocking":
            return pop3client.reconnecting(
                lambda: pop3client.connect(*address, **settings), work, **options
            )

        async def sleep(seconds: float) -> None:
            self.sleep(seconds)

        async def connect() -> Any:
            return await pop3client.connect_async(*address, **settings)

        options["sleep"] = sleep
        return self._facade.run(pop3client.reconnecting_async(connect, work, **options))

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.server.clock.now += seconds


@pytest.fixture
def attempts(fake: Any) -> Any:
    """Make ``reconnecting`` for a server; of a list each connection gets the next answer."""

    class Server(fake):  # type: ignore[misc]
        turns: dict[str, Any]

        def socket(self, *address: Any) -> Any:
            turn = len(self.connections)
            for key, answers in self.turns.items():
                self.answers[key] = answers[min(turn, len(answers) - 1)]
            return super().socket(*address)

    def make(answers: dict[str, Any] | None = None) -> Attempts:
        server = Server(answers)
        server.turns = {key: each for key, each in server.answers.items() if type(each) is list}
        return Attempts(fake.facade, server)

    return make


def both(kind: str, *names: str) -> Any:
    """Work for either client: these methods without arguments; gives the last one's result."""

    def blocking(client: Any) -> Any:
        return [getattr(client, name)() for name in names][-1]

    async def on_a_loop(client: Any) -> Any:
        return [await getattr(client, name)() for name in names][-1]

    return blocking if kind == "blocking" else on_a_loop


def logins(server: Any) -> int:
    """How often the password was sent."""
    return sum(line.startswith(b"PASS") for line in server.sent)


def test_nothing_is_lost(attempts: Any, kind: str) -> None:
    """If all goes well, the work is done once, and QUIT ends the session."""
    run = attempts()

    assert run(both(kind, "stat")).count == 3
    assert (logins(run.server), run.events, run.slept) == (1, [], [])
    assert run.server.sent[-1] == b"QUIT\r\n"
    assert run.server.connection.closed


def test_lost_in_the_middle(attempts: Any, kind: str) -> None:
    """A lost connection begins the work again, after a while, in a new session."""
    run = attempts({"NOOP": [(b"", "<close>"), b"+OK\r\n"]})

    assert run(both(kind, "noop", "stat")).count == 3
    (event,) = run.events
    assert (event.attempt, event.seconds, event.marks_lost) == (1, 1.0, ())
    assert isinstance(event.error, pop3client.ConnectionClosed)
    assert run.slept == [1.0]
    assert all(connection.closed for connection in run.server.connections)


def test_marks_are_lost(attempts: Any, kind: str) -> None:
    """It is said which messages were marked in the session that was lost."""
    run = attempts({"NOOP": [(b"", "<close>"), b"+OK\r\n"]})

    async def on_a_loop(client: Any) -> None:
        await client.delete(2, 3)
        await client.noop()

    def blocking(client: Any) -> None:
        client.delete(2, 3)
        client.noop()

    run(blocking if kind == "blocking" else on_a_loop)

    (event,) = run.events
    assert (event.marks_lost, event.quit_sent) == ((2, 3), False)


def test_quit_without_an_answer(attempts: Any, kind: str) -> None:
    """If QUIT was sent, the marks may have done their work; it is said so."""
    run = attempts({"QUIT": [(b"", "<close>"), b"+OK\r\n"]})

    async def on_a_loop(client: Any) -> None:
        await client.delete(1)

    run((lambda client: client.delete(1)) if kind == "blocking" else on_a_loop)

    (event,) = run.events
    assert (event.marks_lost, event.quit_sent) == ((1,), True)


def test_backs_off_and_gives_up(attempts: Any, kind: str) -> None:
    """Each wait is longer, up to a limit; after so many attempts the error is raised."""
    run = attempts({"NOOP": (b"", "<close>")})

    with pytest.raises(pop3client.ConnectionClosed, match="NOOP"):
        run(both(kind, "noop"), attempts=6)

    assert run.slept == [1, 3, 9, 20, 20]
    assert [event.attempt for event in run.events] == [1, 2, 3, 4, 5]
    assert logins(run.server) == 6
    assert all(connection.closed for connection in run.server.connections)


def test_no_connection(attempts: Any, kind: str) -> None:
    """A server that cannot be reached is tried again."""
    run = attempts()
    real, refusals = run.server.socket, [ConnectionRefusedError(), ConnectionRefusedError()]

    def refuse(*address: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(*address)

    run.server.socket = refuse

    assert run(both(kind, "stat")).count == 3
    assert [type(event.error) for event in run.events] == [pop3client.ConnectError] * 2


@pytest.mark.parametrize(
    ("refusal", "again"),
    [
        (b"-ERR [IN-USE] locked\r\n", True),
        (b"-ERR [LOGIN-DELAY] too soon\r\n", True),
        (b"-ERR [SYS/TEMP] try later\r\n", True),
        (b"-ERR [SYS/PERM] no\r\n", False),
        (b"-ERR [AUTH] wrong password\r\n", False),
        (b"-ERR no\r\n", False),
        ((b"", "<close>"), False),
        ((b"-ERR no\r\n", "<close>"), False),
        ((b"", "<hang>"), False),
    ],
    ids=str,
)
def test_refused_logins(attempts: Any, kind: str, refusal: Any, again: bool) -> None:
    """A login that is refused for now is repeated; a password that may be wrong never is."""
    run = attempts({"PASS": [refusal, b"+OK\r\n"]})

    if again:
        assert run(both(kind, "stat")).count == 3
    else:
        with pytest.raises((pop3client.CommandError, pop3client.POP3ConnectionError)):
            run(both(kind, "stat"))

    assert logins(run.server) == 1 + again
    assert all(connection.closed for connection in run.server.connections)


def test_login_delay(attempts: Any, kind: str) -> None:
    """The pause between logins that the server announces is kept, less the time that passed."""
    run = attempts(
        {"CAPA": b"+OK\r\nLOGIN-DELAY 300\r\n.\r\n", "NOOP": [(b"", "<close>"), b"+OK\r\n"]}
    )

    async def on_a_loop(client: Any) -> None:
        run.server.clock.now += 100
        await client.noop()

    def blocking(client: Any) -> None:
        run.server.clock.now += 100
        client.noop()

    run(blocking if kind == "blocking" else on_a_loop)

    assert run.slept == [200]


def test_login_delay_again(attempts: Any, kind: str) -> None:
    """If the server finds it too soon all the same, the whole pause is made once more."""
    run = attempts(
        {
            "CAPA": b"+OK\r\nLOGIN-DELAY 300\r\n.\r\n",
            "NOOP": [(b"", "<close>"), b"+OK\r\n"],
            "PASS": [b"+OK\r\n", b"-ERR [LOGIN-DELAY] too soon\r\n", b"+OK\r\n"],
        }
    )

    run(both(kind, "noop"))

    assert run.slept == [300, 300]


def test_login_delay_beyond_patience(attempts: Any, kind: str) -> None:
    """A pause that is longer than the caller's patience is not made."""
    run = attempts({"CAPA": b"+OK\r\nLOGIN-DELAY 99999\r\n.\r\n", "NOOP": (b"", "<close>")})

    with pytest.raises(pop3client.ConnectionClosed):
        run(both(kind, "noop"))

    assert (run.slept, logins(run.server)) == ([], 1)


@pytest.mark.parametrize("error", [ValueError, pop3client.StateError, KeyboardInterrupt])
def test_errors_of_the_work(attempts: Any, kind: str, error: type[BaseException]) -> None:
    """Other errors come out at once, and the session ends without QUIT."""
    run = attempts()

    async def on_a_loop(_: Any) -> None:
        raise error("x")

    def blocking(_: Any) -> None:
        raise error("x")

    with pytest.raises(error):
        run(blocking if kind == "blocking" else on_a_loop)

    assert b"QUIT\r\n" not in run.server.sent
    assert run.server.connection.closed


def test_a_refusal_in_the_work(attempts: Any, kind: str) -> None:
    """A command that is refused, even for now, has lost no connection."""
    run = attempts({"LAST": b"-ERR [SYS/TEMP] later\r\n"})

    with pytest.raises(pop3client.TemporaryError):
        run(both(kind, "last"))

    assert logins(run.server) == 1


def test_sync(attempts: Any, kind: str) -> None:
    """``sync`` goes on where it was: each message is delivered once."""
    listing = b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n"
    run = attempts({"UIDL": listing, "RETR 2": [(b"+OK\r\nhal", "<close>"), b"+OK\r\n2\r\n.\r\n"]})
    delivered: list[int] = []
    with SeenStore(":memory:") as store:

        def sync(client: Any) -> Any:
            return client.sync(store, lambda message: delivered.append(message.number))

        result = run(sync)

    assert delivered == [1, 2, 3]
    assert [each.uid for each in result.fetched] == [b"b", b"c"]


def test_arguments(attempts: Any, kind: str) -> None:
    """What makes no sense is refused before anything is sent."""
    run = attempts()

    with pytest.raises(InvalidArgument, match="attempts"):
        run(both(kind, "stat"), attempts=0)
    with pytest.raises(InvalidArgument, match="Backoff"):
        Backoff(first=2, most=1)

    assert run.server.sent == []


def test_coroutines_in_the_blocking_one(fake: Any, kind: str) -> None:
    """The blocking function says that it cannot await."""
    if kind == "asyncio":
        return
    server = fake()

    async def work(client: Any) -> None:
        await asyncio.sleep(0)

    with pytest.raises(InvalidArgument, match="reconnecting_async"):
        pop3client.reconnecting(
            lambda: server.connect(mechanism="USER"),
            work,  # type: ignore[arg-type]
        )


def test_a_long_row_of_failures() -> None:
    """The wait is finite after any number of failures."""
    assert Backoff(most=60).seconds(10**6) == 60
