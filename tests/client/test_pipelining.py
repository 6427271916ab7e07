"""Commands for many messages at once: how many, what becomes of errors, and when it goes wrong."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client import Limits, RetrMode, _retrieval
from pop3client._config import Config
from pop3client._session import Session
from pop3client._states import State
from pop3client._wants import Ask, Receive, Send
from pop3mock import MockServer
from pop3scenarios import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

PIPELINING = b"+OK\r\nPIPELINING\r\n.\r\n"
MANY = tuple(b"message %d\r\n" % number for number in range(1, 41))


def commands(server: Any, keyword: bytes) -> list[list[bytes]]:
    """The commands that went out together, for each write that has such a command."""
    lines = [data.splitlines() for data in server.sent]
    return [together for together in lines if together[0].startswith(keyword)]


def together(server: Any, keyword: bytes) -> list[int]:
    """How many commands went out at each write."""
    return [len(lines) for lines in commands(server, keyword)]


def test_several_at_once(fake: Any, cut: int | None) -> None:
    """What CAPA announces is used: the first message alone, and the others with few writes."""
    server = fake({"CAPA": PIPELINING}, mail=MANY, cut=cut)
    with server.connect() as client:
        messages = client.retrieve("start", "end")

        assert tuple(message.raw for message in messages) == MANY
        assert [message.number for message in messages] == list(range(1, 41))
        assert together(server, b"RETR")[0] == 1
        assert sum(together(server, b"RETR")) == 40
        assert len(together(server, b"RETR")) <= 4
        assert client.delete("start", "end") == list(range(1, 41))
        assert len(together(server, b"DELE")) <= 4


@pytest.mark.parametrize(
    ("capa", "setting", "used"),
    [
        (b"+OK\r\n.\r\n", None, False),
        (b"-ERR\r\n", None, False),
        (PIPELINING, None, True),
        (PIPELINING, False, False),
        (b"-ERR\r\n", True, True),
    ],
)
def test_who_decides(fake: Any, capa: bytes, setting: bool | None, used: bool) -> None:
    """CAPA decides, unless the caller does."""
    server = fake({"CAPA": capa}, mail=MANY)
    with server.connect(pipelining=setting) as client:
        client.retrieve("start", "end")

    assert (max(together(server, b"RETR")) > 1) == used


def test_capa_after_login_decides(fake: Any) -> None:
    """What was announced before the login counts for nothing if CAPA is refused after it."""
    server = fake({"CAPA": [PIPELINING, b"-ERR\r\n"]}, mail=MANY)
    with server.connect() as client:
        client.retrieve("start", "end")

    assert max(together(server, b"RETR")) == 1


@pytest.mark.parametrize(
    ("most_commands", "most_octets"), [(100, 1024), (7, 1024), (100, 64), (1, 1024), (100, 1)]
)
def test_the_window(most_commands: int, most_octets: int) -> None:
    """No more commands and octets are under way than the limits say; half of it is refilled."""
    limits = Limits(pipeline_commands=most_commands, pipeline_octets=most_octets)
    session = Session(Config(host="h", port=110, pipelining=True, limits=limits))
    session.state, session.count = State.TRANSACTION, 300
    steps = _retrieval.delete(session, "start", "end", None)
    under_way: list[bytes] = []
    most: list[int] = []
    writes = 0
    want: Any = next(steps)
    while True:
        answer: Any = None
        if type(want) in (Ask, Send):
            writes += 1
            under_way += want.data.splitlines(keepends=True)
            most.append(len(under_way))
            assert len(under_way) <= most_commands
            assert len(b"".join(under_way)) <= most_octets or len(under_way) == 1
        if type(want) in (Ask, Receive):
            under_way.pop(0)
            want.into[:5] = b"+OK\r\n"
            answer = (True, 5) if type(want) is Ask else 5
        try:
            want = steps.send(answer)
        except StopIteration as stop:
            marked = stop.value
            break

    assert marked == list(range(1, 301))
    wide = min(most_commands, max(1, most_octets // len(b"DELE 300\r\n")))
    assert max(most) >= wide
    assert writes <= 300 / max(1, wide / 2 - 1) + 3


def test_a_refused_message(fake: Any, cut: int | None) -> None:
    """The first error ends the range; what was under way is read, and comes with the error."""
    answers = {"CAPA": PIPELINING, "RETR 3": b"-ERR no\r\n", "DELE 3": b"-ERR no\r\n"}
    server = fake(answers, mail=MANY, cut=cut)
    with server.connect(limits=Limits(pipeline_commands=10)) as client:
        with pytest.raises(pop3client.CommandError, match="RETR 3") as caught:
            client.retrieve("start", "end")

        numbers = [message.number for message in caught.value.retrieved]
        assert numbers == [number for number in range(1, 12) if number != 3]
        assert all(m.raw == MANY[m.number - 1] for m in caught.value.retrieved)

        with pytest.raises(pop3client.CommandError, match="DELE 3") as caught:
            client.delete("start", "end")

        assert caught.value.marked == tuple(n for n in range(1, 12) if n != 3)
        assert set(caught.value.marked) == client._session.marked
        assert client.stat().count == 40


def test_errors_of_single_messages(fake: Any, cut: int | None) -> None:
    """With a listener the range goes on, and every message that can be had is."""
    answers = {"CAPA": PIPELINING, "RETR 3": b"-ERR no\r\n", "RETR 40": b"-ERR no\r\n"}
    failures: dict[int, pop3client.POP3Error] = {}
    with fake(answers, mail=MANY, cut=cut).connect() as client:
        messages = client.retrieve("start", "end", on_error=failures.__setitem__)

        assert [m.number for m in messages] == [n for n in range(1, 41) if n not in failures]
        assert list(failures) == [3, 40]
        assert client.stat().count == 40


def test_strict(fake: Any, cut: int | None) -> None:
    """What a strict client does not accept is an error after which the session is in step."""
    answers = {"CAPA": PIPELINING, "RETR 3": b"+OK 4 octets\r\n.x\r\n.\r\n"}
    with fake(answers, mail=MANY, cut=cut).connect(strict=True) as client:
        with pytest.raises(pop3client.DeviationError, match="no-stuffing") as caught:
            client.retrieve("start", "end")

        numbers = [message.number for message in caught.value.retrieved]
        assert numbers == list(range(1, len(numbers) + 1))
        assert caught.value.retrieved[2].raw == b".x\r\n"
        assert client.retr(4).raw == MANY[3]


@pytest.mark.parametrize(
    "wrong", [b"what\r\n", b"+OK\r\nmixed\r\n.\r\nup\r\n", "<close>", "<hang>"]
)
def test_it_goes_wrong(fake: Any, cut: int | None, wrong: Any) -> None:
    """Who loses the server over it says so, and does without it from then on."""
    answers = {"CAPA": PIPELINING, "RETR": "<hang>", "RETR 9": wrong}
    answers |= {f"RETR {number}": "<hang>" for number in range(10, 41)}
    client = fake(answers, mail=MANY, cut=cut).connect()

    with pytest.raises(pop3client.POP3Error, match="pipelining=False") as caught:
        client.retrieve("start", "end", on_error=lambda *_: None)

    assert caught.value.ends_session
    assert [message.raw for message in caught.value.retrieved] == list(MANY[:8])
    assert [entry.quirk for entry in caught.value.deviations][-1] == "pipelined-race"
    assert client.config.pipelining is False


def test_mixed_up_messages_are_not_kept(fake: Any, cut: int | None) -> None:
    """A message that another one came into passes for one, until the next answer is looked at."""
    mixed = b"+OK\r\nhead 2\r\n+OK\r\nmessage 3\r\n.\r\n\r\nbody 2\r\n.\r\n"
    answers = {"CAPA": PIPELINING, "RETR 2": mixed, "RETR 3": b""}
    client = fake(answers, cut=cut).connect()

    with pytest.raises(pop3client.BadStatusLine) as caught:
        client.retrieve("start", "end")

    assert [message.raw for message in caught.value.retrieved] == [b"one\r\n"]


def test_alone_nothing_is_blamed(fake: Any) -> None:
    """A connection that is lost while one command is under way says nothing of pipelining."""
    client = fake({"CAPA": PIPELINING, "RETR 1": "<close>"}).connect()

    with pytest.raises(pop3client.ConnectionClosed):
        client.retrieve("start", "end")

    assert client.deviations == ()
    assert client.config.pipelining is None


def test_modes(fake: Any, cut: int | None) -> None:
    """Before the window opens, the mode has settled; with LIST each RETR has its LIST before it."""
    answers: dict[str, Any] = {"CAPA": PIPELINING}
    answers |= {f"RETR {n}": fake.message(raw) for n, raw in enumerate(MANY, 1)}
    server = fake(answers, mail=MANY, cut=cut)
    with server.connect() as client:
        assert tuple(message.raw for message in client.retrieve("start", "end")) == MANY

        assert client.config.retr_mode is RetrMode.LIST
        assert [entry.quirk for entry in client.deviations] == ["retr-without-size"]
        assert commands(server, b"RETR")[0] == [b"RETR 1"]
        assert commands(server, b"LIST")[0] == [b"LIST 2"]
        pairs = [b"LIST %d\r\nRETR %d\r\n" % (number, number) for number in range(2, 41)]
        assert b"".join(pairs) in b"".join(server.sent)
        assert max(together(server, b"LIST")) > 2


def test_a_mode_that_falls_late(fake: Any, cut: int | None) -> None:
    """A size that lies in the middle of a window is noted; each later message still comes right."""
    answers: dict[str, Any] = {"CAPA": PIPELINING}
    for number in (5, 6, 7):
        answers[f"RETR {number}"] = fake.message(MANY[number - 1], b"1 octets")
    server = fake(answers, mail=MANY, cut=cut)
    with server.connect(limits=Limits(pipeline_commands=10)) as client:
        assert tuple(message.raw for message in client.retrieve("start", "end")) == MANY

        assert client.config.retr_mode is RetrMode.LIST
        assert [(e.quirk, e.count) for e in client.deviations] == [("retr-size-too-small", 3)]
        assert len(commands(server, b"LIST")) > 0


@pytest.mark.parametrize("pipelining", [True, False])
def test_list_and_uidl_of_many(fake: Any, cut: int | None, pipelining: bool) -> None:
    """LIST and UIDL of several messages: one entry each, errors one by one."""
    answers = {f"UIDL {n}": b"+OK %d id%d\r\n" % (n, n) for n in range(1, 41)}
    answers |= {"LIST 4": b"-ERR no\r\n", "UIDL 4": b"-ERR no\r\n"}
    failures: dict[int, pop3client.POP3Error] = {}
    server = fake(answers, mail=MANY, cut=cut)
    with server.connect(pipelining=pipelining) as client:
        sizes = client.list([5, 4, 40], on_error=failures.__setitem__)
        assert sizes == [(5, len(MANY[4])), (40, len(MANY[39]))]
        assert list(failures) == [4]

        with pytest.raises(pop3client.CommandError) as caught:
            client.uidl(iter([1, 2, 4]))
        assert caught.value.listed == ((1, b"id1"), (2, b"id2"))

        assert client.uidl([]) == []
        with pytest.raises(pop3client.InvalidArgument):
            client.uidl([1, 0])
        client.uidl(range(5, 41))
    assert (max(together(server, b"UIDL")) > 1) == pipelining


def test_the_buffer_does_not_grow(fake: Any) -> None:
    """However many messages come ahead, no more of them is held than the buffer holds."""
    mail = tuple(b"x" * 3000 + b"\r\n" for _ in range(400))
    with fake({"CAPA": PIPELINING}, mail=mail).connect() as client:
        assert len(client.retrieve("start", "end")) == 400

        assert len(client._session.wire._buffer) <= 2 * 65536


def test_progress(fake: Any) -> None:
    """Each message is told when it has come, with the size that was announced."""
    told: list[tuple[int, int, int | None]] = []
    with fake({"CAPA": PIPELINING}, mail=MANY).connect() as client:
        client.retrieve("start", "end", progress=lambda *what: told.append(what))

    assert told == [(n, len(raw), len(raw)) for n, raw in enumerate(MANY, 1)]


def test_a_listener_that_raises(fake: Any) -> None:
    """What the caller's function raises in the middle of a window ends the session."""

    class EnoughError(Exception):
        pass

    def raising(*_: object) -> None:
        raise EnoughError

    server = fake({"CAPA": PIPELINING, "RETR 5": b"-ERR\r\n"}, mail=MANY)
    client = server.connect()
    with pytest.raises(EnoughError):
        client.retrieve("start", "end", on_error=raising)

    assert server.connection.closed


class Stubborn:
    """A server that reads nothing while it writes, with small buffers between it and the client."""

    MESSAGES = 2000
    BIG = b"y" * 300_000 + b"\r\n"

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb", buffering=0) as lines:
            connection.settimeout(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            try:
                connection.sendall(b"+OK\r\n")
                while line := lines.readline():
                    connection.sendall(self._answer(line))
            except OSError:
                return  # the client has given up; its test fails

    def _answer(self, line: bytes) -> bytes:
        if line == b"RETR 2\r\n":
            return b"+OK %d octets\r\n" % len(self.BIG) + self.BIG + b".\r\n"
        if line.startswith(b"RETR"):
            return b"+OK 3 octets\r\nx\r\n.\r\n"
        return {b"STAT\r\n": b"+OK %d 9\r\n" % self.MESSAGES}.get(line, b"+OK\r\n")

    def stop(self) -> None:
        self._listener.close()
        self._thread.join()


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    """One of those."""
    one = Stubborn()
    yield one
    one.stop()


def narrow(host: str, port: int, timeout: float) -> socket.socket:
    """Connect with small buffers."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(timeout)
    sock.connect((host, port))
    return sock


def test_a_server_that_does_not_read(facade: Any, stubborn: Stubborn) -> None:
    """A server that writes and does not read meanwhile never has the client wait to write."""
    client = facade.client(
        "127.0.0.1", port=stubborn.port, socket_factory=narrow, timeout=3.0, pipelining=True
    )
    client.login("u", "p", "USER")

    messages = client.retrieve("start", "end")

    assert len(messages) == Stubborn.MESSAGES
    assert messages[1].raw == Stubborn.BIG
    client.close()


@pytest.mark.parametrize("wrong", ["<close>", b"what\r\n"])
def test_a_new_session_does_without(fake: Any, wrong: Any) -> None:
    """What has gone wrong once is not tried again when the connection is made anew."""
    server = fake({"CAPA": PIPELINING, "RETR 9": [wrong]}, mail=MANY)

    def connect() -> Any:
        if server.connections:
            server.answers["RETR 9"] = fake.message(MANY[8], b"%d" % len(MANY[8]))
        return server.connect()

    messages = pop3client.reconnecting(
        connect, lambda client: client.retrieve("start", "end"), sleep=lambda _: None
    )

    assert tuple(message.raw for message in messages) == MANY
    second = [line for line in server.connection.sent if line.startswith(b"RETR")]
    assert second == [b"RETR %d\r\n" % number for number in range(1, 41)]


REFERENCES = [ref for folder in ("servers", "quirks", "faults") for ref in expand(f"{folder}/*")]


def fetched(reference: str, *, pipelining: bool | None) -> tuple[list[bytes], str]:
    """Fetch all mail from a mock that plays a scenario: what came, and how it ended."""
    with MockServer(reference) as server:
        expect = server.scenario.expect.fetch
        options: Any = {"port": server.port, "tls": pop3client.TLS(expect.tls or "none")}
        if expect.tls not in (None, "none"):
            options["ssl_context"] = server.client_context()
        try:
            with pop3client.connect(
                server.host,
                *server.credentials,
                mechanism="USER",
                timeout=0.6,
                pipelining=pipelining,
                **options,
            ) as client:
                messages = client.retrieve("start", "end", on_error=lambda *_: None)
        except pop3client.POP3Error as error:
            return [message.raw for message in error.retrieved], type(error).__name__
        return [message.raw for message in messages], ""


@pytest.mark.parametrize("reference", REFERENCES)
def test_no_scenario_gives_other_mail(reference: str) -> None:
    """Under every scenario that ships the messages are the same, or fewer and an error."""
    with ThreadPoolExecutor(2) as both:  # at the same time, for some of the servers hang
        one_by_one = both.submit(fetched, reference, pipelining=False)
        ahead, error = both.submit(fetched, reference, pipelining=True).result()
        plain, how = one_by_one.result()

    if error != how:
        assert error
        assert set(ahead) <= set(plain)
    else:
        assert ahead == plain


@pytest.mark.parametrize(
    ("variant", "kind"),
    [("mixed", pop3client.BadStatusLine), ("closes", pop3client.ConnectionClosed)],
)
def test_a_race_in_the_mock(facade: Any, variant: str, kind: type[pop3client.POP3Error]) -> None:
    """A server that announces PIPELINING and cannot do it is found out, and no message is mixed."""
    with MockServer(f"pipelined-race[{variant}]") as server:
        client = facade.connect(server.host, *server.credentials, port=server.port, timeout=2.0)
        with pytest.raises(kind, match="pipelining=False") as caught:
            client.retrieve("start", "end")

        assert [each.quirk for each in caught.value.deviations][-1] == "pipelined-race"
        mail = list(server.maildrop)
        assert [message.raw for message in caught.value.retrieved] == mail[:1]
        with facade.connect(
            server.host, *server.credentials, port=server.port, pipelining=False
        ) as client:
            assert [message.raw for message in client.retrieve("start", "end")] == mail
