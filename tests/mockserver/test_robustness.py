"""Whatever clients send, and however often servers start, nothing breaks and nothing is left."""

from __future__ import annotations

import base64
import contextlib
import errno
import gc
import json
import os
import socket
import ssl
import struct
import tempfile
import threading
import tracemalloc
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pop3mock import Engine, MockServer
from pop3mock._actions import End, Send, StartTLS, Trickle
from pop3mock._flow import held
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import RawClient

    from pop3mock._session import Session

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]

#: Making a failing example small takes a while.
pytestmark = [pytest.mark.timeout(600), pytest.mark.once]

WORDS = st.sampled_from(
    [b"USER alice", b"PASS secret", b"APOP alice x", b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH XOAUTH2",
     b"AGFsaWNlAHNlY3JldA==", b"*", b"=", b"", b"STAT", b"LIST", b"LIST 1", b"UIDL", b"RETR 1",
     b"TOP 1 1", b"DELE 1", b"RSET", b"NOOP", b"CAPA", b"LAST", b"QUIT", b"\xff\xfe", b"\0", b"{n}",
     b"RETR 99999999999999999999999", b"TOP 1 99999999999999999999999", b"..", b"+OK", b"AUTH"]
)  # fmt: skip

#: A password of words that stand nowhere else, and how it comes in SASL PLAIN.
SECRET = "sesame-4711 and agrajag"
PLAIN = base64.b64encode(b"\0alice\0" + SECRET.encode())
LOGIN = b"USER alice\r\nPASS %b\r\n" % SECRET.encode()

#: Lines, whole and broken, and octets that are neither.
NOISE = st.lists(
    st.one_of(
        st.binary(max_size=60),
        WORDS.map(lambda word: word + b"\r\n"),
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n", b"\0\r\n", b"\xc3\r\n\xbc"]),
        st.integers(250, 17_000).map(lambda size: b"x" * size),
        st.sampled_from([b"\x16\x03\x01\x00\x05\x01\0\0\1\0", b"\x15\x03\x03\x00\x02\x02\x28"]),
    ),
    max_size=12,
)

SCRIPT = """\
script: |
  S: +OK ready {stamp:msgid=<1@example.com>}
  C: USER {user}
  S: +OK
  C?: CAPA
  S: <default>
  C: PASS {password}
  S: +OK
  C: RETR {n:int}
  S: +OK {octets}
  <message {n}>
  S: .
"""

#: Each step of a session: the scenario, and what the client says before the noise begins.
STEPS = {
    "greeted": ("", b""),
    "named": ("", b"USER alice\r\n"),
    "after an AUTH that is refused": ("", b"AUTH LOGIN YWxpY2U=\r\n%b\r\n" % PLAIN),
    "in PLAIN": ("", b"AUTH PLAIN\r\n"),
    "in LOGIN": ("", b"AUTH LOGIN\r\nYWxpY2U=\r\n"),
    "in CRAM-MD5": ("", b"AUTH CRAM-MD5\r\n"),
    "in SCRAM": ("", b"AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==\r\n"),
    "in XOAUTH2": ("", b"AUTH XOAUTH2\r\n"),
    "logged in": ("", LOGIN),
    "marked": ("", LOGIN + b"DELE 1\r\n"),
    "in a script": (SCRIPT, b"USER alice\r\n"),
    "at the end of a script": (SCRIPT, b"USER alice\r\nPASS x\r\nRETR 1\r\n"),
    "on a server that ends lines in CR": ("server: {line-ends: cr}", b""),
    "on a server that wants CRLF": ("server: {line-ends: crlf, line-limit: 64}", b""),
    "on a server that repeats what was said": (
        "rules: [{when: '*', reply: '-ERR {command} {argument} {line}'}]", b""
    ),
}  # fmt: skip


def serving(rules: str = "") -> MockServer:
    """A server whose user has the secret for a password."""
    scenario = loads(f"pop3: 1\nname: test\nsummary: test\n{rules}\n")
    return MockServer(scenario, users={"alice": SECRET})


def told(server: MockServer) -> str:
    """All that the server tells afterwards, by whichever way."""
    lines = server.journal.to_json_lines()
    for line in lines.splitlines():
        json.loads(line)
    pieces = (server.transcript(), lines, server.journal.commands, server.journal.faults)
    return "".join(map(str, pieces)) + repr(server.journal)


def secrets_in(text: str) -> list[str]:
    """What a text shows of the password, as it is or in base64."""
    return [word for word in ("sesame", "agrajag", PLAIN.decode()) if word in text]


def serves_the_next(server: MockServer) -> bool:
    """Whether a client that comes now is greeted, and nobody has kept the maildrop from it."""
    session = server.session()
    greeting, *_ = session.connected()
    session.lost()
    return isinstance(greeting, Send) and not server.maildrop.locked


# Octets


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(WORDS, st.binary(max_size=40)), max_size=25))
def test_any_octets_get_answers(lines: list[bytes]) -> None:
    """Each line gets one answer that begins with +OK, -ERR or +, and no line breaks the session."""
    session = MockServer().session()
    session.connected()

    for line in lines:
        if session.over:
            break
        for piece in line.replace(b"\n", b"").split(b"\n"):
            actions = session.receive(piece + b"\r\n")
            assert isinstance(actions[0], Send)
            assert held([actions[0].data]).startswith((b"+OK", b"-ERR ", b"+ "))
    session.lost()


@pytest.mark.parametrize(("rules", "before"), STEPS.values(), ids=STEPS)
@settings(max_examples=40, deadline=None)
@given(noise=NOISE)
def test_noise_at_every_step(rules: str, before: bytes, noise: list[bytes]) -> None:
    """No octets break a session at any step, keep a maildrop locked, or bring a secret to light."""
    server = serving(rules)
    session = server.session()
    session.connected()
    session.receive(before)

    for octets in noise:
        session.receive(octets)
    session.receive(b"\r\nPASS %b\r\nAUTH PLAIN %b\r\n" % (SECRET.encode(), PLAIN))
    session.lost()

    assert secrets_in(told(server)) == []
    assert serves_the_next(server)


def outcome(session: Session, pieces: list[bytes]) -> tuple[bytes, str]:
    """What a session says to octets that come in these pieces, and how it ends."""
    said, ended = b"", ""
    actions = session.connected()
    for piece in pieces:
        actions += session.receive(piece)
    session.lost()
    for action in actions:
        if isinstance(action, (Send, Trickle)):
            said += held([action.data])
        elif isinstance(action, (End, StartTLS)):
            ended += type(action).__name__
    return said, ended


@settings(max_examples=100, deadline=None)
@given(NOISE, st.integers(1, 20))
def test_noise_in_any_segments(noise: list[bytes], size: int) -> None:
    """The same octets get the same answers, in whatever segments they come."""
    octets = LOGIN + b"".join(noise)
    rules = "server: {greeting: ready}"
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]

    whole = outcome(serving(rules).session(), [octets])

    assert outcome(serving(rules).session(), pieces) == whole


@pytest.mark.parametrize("before", [b"", b"AUTH PLAIN\r\n", LOGIN])
@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 16_386, 100_000])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b""])
def test_huge_line_in_any_segments(before: bytes, size: int, end: bytes) -> None:
    """A line is too long, or is not, whether or not its end comes together with it."""
    octets = before + b"x" * size + end + b"NOOP\r\n" * bool(end)
    pieces = [octets[at : at + 1000] for at in range(0, len(octets), 1000)]
    single = [octets[:-9], *(bytes([octet]) for octet in octets[-9:])]
    rules = "server: {greeting: ready}"

    whole = outcome(serving(rules).session(), [octets])

    assert outcome(serving(rules).session(), pieces) == whole
    assert outcome(serving(rules).session(), single) == whole


@pytest.mark.parametrize(
    "line",
    [b"\0" * 40, b"USER \0alice", b"\xff\xfe\xfd", b"USER \xc3\x28", b"NOOP\0", b"NOOP \0", b"\r\r",
     b"\rNOOP", b"NO\rOP", b"NOOP\r", b"\x1b[2J", b"%s%n", b"x" * 2000, b"NOOP " + b"x" * 2000],
)  # fmt: skip
def test_odd_line_is_refused(raw: Raw, line: bytes) -> None:
    """NULs, stray CRs, octets that are no text, long lines: one -ERR, and the session lives."""
    with MockServer() as server:
        client = raw(server)
        client.login()

        assert client.ask(line).startswith(b"-ERR ")
        assert client.ask(b"NOOP") == b"+OK\r\n"
        assert json.loads(server.journal.to_json_lines().splitlines()[-1])


def test_thousands_of_empty_lines(raw: Raw) -> None:
    """Each of them is answered, and none is one too many."""
    with MockServer() as server:
        client = raw(server)
        client.send(b"\r\n" * 5000 + b"QUIT\r\n")
        _, *answers = client.rest().splitlines()

    assert [answer[:5] for answer in answers] == [b"-ERR "] * 5000 + [b"+OK b"]


# Octets on the wire


def hang_up(sock: socket.socket) -> None:
    """Send a FIN, unless the server has ended the connection already."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise


@pytest.mark.parametrize(("rules", "before"), STEPS.values(), ids=STEPS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(noise=NOISE)
def test_noise_on_the_wire(rules: str, before: bytes, noise: list[bytes]) -> None:
    """A server that was told anything serves the next client and can be stopped."""
    with serving(rules) as server:
        for _ in range(2):
            with socket.create_connection((server.host, server.port), 5) as sock:
                assert sock.recv(3) == b"+OK"
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    sock.sendall(before)
                    for octets in noise:
                        sock.sendall(octets)
                    hang_up(sock)
                    while sock.recv(65536):
                        pass
        server.wait_closed()

        assert secrets_in(told(server)) == []
        assert serves_the_next(server)


@pytest.mark.parametrize("mode", ["stls", "implicit"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(noise=NOISE, inside=st.booleans())
def test_noise_in_tls(mode: str, noise: list[bytes], inside: bool) -> None:
    """In place of a handshake, among the records of TLS, and inside them, anything may come."""
    with serving(f"tls: {{mode: {mode}}}") as server:
        context = server.client_context()
        with socket.create_connection((server.host, server.port), 5) as sock:
            if mode == "stls":
                sock.sendall(b"STLS\r\n")
                while not sock.recv(65536).endswith(b"begin TLS\r\n"):
                    pass
            with contextlib.suppress(OSError):
                if inside:
                    with context.wrap_socket(sock, server_hostname="localhost") as secure:
                        secure.sendall(b"".join(noise) + b"\r\n")
                        os.write(secure.fileno(), b"".join(noise) or b"\0")
                else:
                    sock.sendall(b"".join(noise))
        server.wait_closed()

        with socket.create_connection((server.host, server.port), 5) as sock:
            if mode == "implicit":
                with context.wrap_socket(sock, server_hostname="localhost") as secure:
                    assert secure.recv(3) == b"+OK"
            else:
                assert sock.recv(3) == b"+OK"
        assert told(server)


# Clients that take too much


def test_line_without_an_end(raw: Raw) -> None:
    """Of a line that never ends no more is kept than a line may have, and the connection ends."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        tracemalloc.start()
        try:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                for _ in range(200):
                    client.send(b"x" * 100_000)
            server.wait_closed()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert server.journal.exchanges[-1].reply.startswith("-ERR ")
        assert peak < 4 << 20


@pytest.mark.parametrize("tls", ["none", "implicit"])
@pytest.mark.parametrize("mail", ["count: 1, octets: 100000", "count: 2000, octets: 100"])
def test_client_that_never_reads(playing: Playing, raw: Raw, tls: str, mail: str) -> None:
    """A client that asks and asks and reads nothing is not heard any more: nothing piles up."""
    with playing(f"maildrop: [{{{mail}}}]\ntls: {{mode: {tls}}}") as server:
        client = raw(server)
        if tls == "implicit":
            client.wrap()
        client.login()
        client.socket.settimeout(0.2)
        asked = 0
        tracemalloc.start()
        try:
            with contextlib.suppress(TimeoutError, ssl.SSLWantWriteError):
                while asked < 1 << 26:
                    client.send(b"RETR 1\r\nLIST\r\n" * 1000)
                    asked += 15_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert asked < 1 << 26
        assert len(server.journal.commands) < 50_000
        assert peak < 16 << 20
        assert raw(server).socket.fileno() > 0


# Clients that come and go


@pytest.mark.parametrize("linger", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_clients_that_leave_at_once(
    playing: Playing, caplog: pytest.LogCaptureFixture, tls: str, linger: bool
) -> None:
    """A client that connects and leaves, by FIN or by RST, leaves nothing behind."""
    with playing(f"tls: {{mode: {tls}}}") as server:
        for _ in range(100):
            with socket.create_connection((server.host, server.port), 5) as sock:
                if linger:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.settle()
        server.wait_closed()

        assert all(log.ended for log in server.journal.connections)
    assert caplog.records == []


def test_burst_of_connections() -> None:
    """Five hundred clients that come before anybody is greeted are all served."""
    with MockServer() as server, contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((server.host, server.port), 30))
            for _ in range(500)
        ]
        for client in clients:
            client.sendall(b"QUIT\r\n")
        said = [client.makefile("rb").read() for client in clients]

        assert all(each.startswith(b"+OK ") and each.endswith(b"+OK bye\r\n") for each in said)
        server.wait_closed()


# Starts and stops


def descriptors() -> int:
    """How many file descriptors the process has."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting is all that is wanted


@pytest.fixture
def nothing_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Fails a test that leaves a thread, a file descriptor or a temporary file."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to count descriptors")
    with MockServer(tls="implicit") as warm:
        warm.client_context()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gc.collect()
    before = (threading.active_count(), descriptors())

    yield

    gc.collect()
    assert (threading.active_count(), descriptors()) == before
    assert list(tmp_path.iterdir()) == []


#: What a server is when its client has come: its TLS, its rules, whether the client begins TLS.
STOPPED = {
    "plain": ("none", "", False),
    "TLS": ("implicit", "", True),
    "in the handshake": ("implicit", "", False),
    "hanging": ("none", "rules: [{when: greeting, cut: 3, then: hang}]", False),
    "waiting": ("none", "rules: [{when: greeting, dribble: 3 every 1000s}]", False),
}

#: One in so many servers is worked with before it stops.
WORKED_WITH = 4


def connected(server: MockServer, stack: contextlib.ExitStack, *, begins: bool) -> socket.socket:
    """A client that leaves with the stack, inside TLS if it begins it."""
    sock = stack.enter_context(socket.create_connection((server.host, server.port), 5))
    if not begins:
        return sock
    context = server.client_context()
    return stack.enter_context(context.wrap_socket(sock, server_hostname="localhost"))


def work_with(
    server: MockServer, sock: socket.socket, another: str, connect: Callable[[], socket.socket]
) -> None:
    """Log in, fetch, see another scenario put on in the middle of it, delete, and fetch again.

    Args:
        server: The server.
        sock: Its client.
        another: What it plays in the middle of it.
        connect: Makes another client, which gets that.
    """
    with sock.makefile("rwb", buffering=0) as file:

        def ask(command: bytes, end: bytes = b"\n") -> bytes:
            file.write(command + b"\r\n")
            answer = b""
            while not answer.endswith(end):
                answer += file.readline()
            return answer

        file.readline()
        ask(b"USER alice")
        assert ask(b"PASS secret").startswith(b"+OK")
        fetched = ask(b"RETR 1", b"\r\n.\r\n")
        server.play(another)
        assert connect().recv(3) == b"+OK"
        # Who was there before goes on with what he has.
        assert ask(b"RETR 1", b"\r\n.\r\n") == fetched
        assert ask(b"DELE 1").startswith(b"+OK")
    first, second = server.journal.connections
    assert first.retrieved == [1, 1]
    assert (first.scenario, second.scenario) == ("test", another)


@pytest.mark.parametrize(("tls", "rules", "begins"), STOPPED.values(), ids=STOPPED)
@pytest.mark.usefixtures("nothing_left")
def test_a_thousand_starts_and_stops(
    tls: Literal["none", "implicit"], rules: str, begins: bool
) -> None:
    """A thousand servers that stop while a client is there, or after it has gone, leave nothing.

    Whatever has been done with them: every fourth is logged in to, fetched from, and made to play
    another scenario in the middle of a session.
    """
    scenario = loads(f"pop3: 1\nname: test\nsummary: test\n{rules}\n")
    others = cycle(["no-top", "retr-without-size", "default"])
    for turn in range(1000 // len(STOPPED)):
        with MockServer(scenario, tls=tls) as server, contextlib.ExitStack() as stack:
            connect = partial(connected, server, stack, begins=begins)
            sock = connect()
            speaks = begins or tls == "none"
            if speaks and not rules and turn % WORKED_WITH == 0:
                work_with(server, sock, next(others), connect)
            elif speaks:
                assert sock.recv(3) == b"+OK"
            if turn % 2:
                server.stop()


def test_leases_keep_the_loop() -> None:
    """While anybody holds a lease, servers come and go on one thread; the last lease ends it."""
    with Engine():
        with MockServer():
            first = next(t for t in threading.enumerate() if t.name == "pop3mock")
        with MockServer():
            second = next(t for t in threading.enumerate() if t.name == "pop3mock")

    assert first is second
    assert not first.is_alive()


def test_lease_is_given_back_once() -> None:
    """Giving a lease back twice does not take somebody else's."""
    one, other = Engine(), Engine()

    one.release()
    one.release()

    assert other.loop.is_running()
    other.release()
    assert other.loop.is_closed()


def test_many_threads_start_servers() -> None:
    """Servers can be started and stopped from many threads at once."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                with (
                    MockServer() as server,
                    socket.create_connection((server.host, server.port), 5) as client,
                ):
                    assert client.recv(3) == b"+OK"
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
