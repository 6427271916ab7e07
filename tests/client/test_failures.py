"""Servers that fall silent, dribble, hang up, or send too much: every wait ends."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

import pop3client
from pop3client._patience import Patience

STEPS = [
    "greeting",
    "CAPA",
    "USER",
    "PASS",
    "STAT",
    "LIST",
    "UIDL",
    "RETR 1",
    "TOP 1 0",
    "DELE 1",
    "NOOP",
    "RSET",
    "LAST",
    "QUIT",
]
HALVES = {
    "LIST": b"+OK\r\n1 1",
    "UIDL": b"+OK\r\n1 a\r\n",
    "RETR 1": b"+OK 9 octets\r\n..xy\r\n.",
    "TOP 1 0": b"+OK\r\na",
    "CAPA": b"+OK\r\nTOP",
}


def serve(fake: Any, step: str, answer: Any, **options: Any) -> Any:
    """A server whose answer at one step is this."""
    answers = {
        "LIST": b"+OK\r\n.\r\n",
        "UIDL": b"+OK\r\n.\r\n",
        "LAST": b"+OK 0\r\n",
        "TOP 1 0": b"+OK\r\n.\r\n",
    }
    if step == "greeting":
        return fake(answers, greeting=answer, **options)
    return fake(answers | {step: answer}, **options)


def session(server: Any, **options: Any) -> None:
    """Say everything once."""
    client = server.connect(**options)
    client.list()
    client.uidl()
    client.retr(1)
    client.top(1, 0)
    client.dele(1)
    client.noop()
    client.last()
    client.rset()
    client.dele(2)
    client.quit()


def test_the_session_itself_works(fake: Any) -> None:
    """Without a fault the session runs through."""
    server = serve(fake, "NOOP", b"+OK\r\n")
    session(server)

    assert server.sent[-1] == b"QUIT\r\n"


@pytest.mark.parametrize("half", [False, True], ids=["nothing", "half a reply"])
@pytest.mark.parametrize("step", STEPS)
def test_silence(fake: Any, cut: int | None, step: str, half: bool) -> None:
    """A server that falls silent is given up after the time limit, and the error names the step."""
    part = HALVES.get(step, b"+OK wai") if half else b""
    server = serve(fake, step, (part, fake.End.HANG), cut=cut)

    with pytest.raises(pop3client.POP3TimeoutError) as caught:
        session(server, timeout=30.0)

    limit = 3.0 if step == "QUIT" else 30.0
    assert caught.value.step == step
    assert caught.value.seconds == limit
    assert server.clock.now - 1000 <= limit
    expected = part.split(b"\r\n", 1)[1] if half and step in {"RETR 1", "TOP 1 0"} else part
    assert caught.value.received == expected
    assert server.connection.closed


@pytest.mark.parametrize("half", [False, True], ids=["nothing", "half a reply"])
@pytest.mark.parametrize("how", ["CLOSE", "RESET"])
@pytest.mark.parametrize("step", STEPS)
def test_hanging_up(fake: Any, cut: int | None, step: str, how: str, half: bool) -> None:
    """A server that hangs up is noticed at once, and the error has what had arrived."""
    part = HALVES.get(step, b"+OK wai") if half else b""
    server = serve(fake, step, (part, getattr(fake.End, how)), cut=cut)
    if step == "CAPA":
        server.answers["USER"] = fake.End.CLOSE  # the second connection does no better

    with pytest.raises(pop3client.ConnectionClosed) as caught:
        session(server)

    if step != "CAPA":
        assert caught.value.step == step
        expected = part.split(b"\r\n", 1)[1] if half and step in {"RETR 1", "TOP 1 0"} else part
        assert caught.value.received == expected
    assert server.clock.now == 1000
    assert server.connection.closed


@pytest.mark.parametrize("step", STEPS)
def test_dribble(fake: Any, step: str) -> None:
    """An octet now and then extends no wait for a reply, and none for a message for ever."""
    endless = HALVES.get(step, b"+OK") + b"x" * 5000
    server = serve(fake, step, endless, cut=1)
    clock = server.clock

    class Slow(dict):  # type: ignore[type-arg]
        def __getitem__(self, key: str) -> Any:
            server.pace = 1.0 if key == step else 0.0
            return super().__getitem__(key)

    server.answers = Slow(server.answers)
    server.pace = 1.0 if step == "greeting" else 0.0

    with pytest.raises(pop3client.POP3TimeoutError) as caught:
        session(server, timeout=30.0)

    limit = 3.0 if step == "QUIT" else 30.0
    assert caught.value.step == step
    # A message may take a little longer: each octet is worth 1/256 s; its status line has a
    # limit of its own.
    slack = 32.0 if step in {"RETR 1", "TOP 1 0"} else 1.0
    assert clock.now - 1000 <= limit + slack


def test_no_time_is_left() -> None:
    """A wait whose time is up before it begins is over at once."""
    now = [0.0]
    patience = Patience(lambda: now[0])
    patience.start("NOOP", 5.0)
    assert patience.seconds() == 5.0

    now[0] = 5.0
    with pytest.raises(pop3client.POP3TimeoutError, match=r"NOOP: .* within 5 s"):
        patience.seconds()


def test_a_long_message_may_take_long(fake: Any) -> None:
    """A message that keeps coming is waited for, though it takes longer than the time limit."""
    raw = b"x" * 100_000 + b"\r\n"
    server = fake({"RETR 1": fake.message(raw)}, cut=1000)
    client = server.connect(timeout=10.0)
    server.pace = 1.0

    assert client.retr(1).raw == raw
    assert server.clock.now - 1000 > 100


def test_silence_inside_a_long_message(fake: Any) -> None:
    """However much has come, no silence in a message is longer than the time limit."""
    server = fake({"RETR 1": (b"+OK\r\n" + b"x" * 1_000_000, fake.End.HANG)})
    client = server.connect(timeout=10.0)
    before = server.clock.now

    with pytest.raises(pop3client.POP3TimeoutError) as caught:
        client.retr(1)

    assert server.clock.now - before == 10.0
    assert len(caught.value.received) == 1_000_000


@pytest.mark.parametrize(
    "command", ["stat", "noop", "capa", "list", "uidl", "rset", "last", "quit"]
)
def test_a_poisoned_session(fake: Any, command: str) -> None:
    """After a timeout nothing is sent: the answer might still come, to another command."""
    server = fake({"NOOP": fake.End.HANG})
    client = server.connect()
    with pytest.raises(pop3client.POP3TimeoutError):
        client.noop()
    before = list(server.sent)

    with pytest.raises(pop3client.StateError, match="NOOP"):
        getattr(client, command)()

    client.close()
    assert server.sent == before
    assert server.connection.closed


def test_an_interruption_poisons_too(fake: Any) -> None:
    """Ctrl-C in the middle of a reply leaves a session that cannot be used."""
    server = fake()
    client = server.connect()
    connection = server.connection

    def interrupted(view: memoryview) -> int:
        if connection.sent[-1] != b"RETR 1\r\n":
            raise BlockingIOError
        raise KeyboardInterrupt

    connection.recv_into = interrupted
    with pytest.raises(KeyboardInterrupt):
        client.retr(1)

    assert connection.closed
    with pytest.raises(pop3client.StateError, match="KeyboardInterrupt"):
        client.retr(1)


def test_a_sink_that_raises(fake: Any) -> None:
    """A full disk ends the session: the rest of the message is still to come."""

    class Full:
        def write(self, _data: bytes) -> None:
            raise OSError("disk full")

    server = fake()
    client = server.connect()
    with pytest.raises(OSError, match="disk full"):
        client.retr_to(1, Full())

    assert server.connection.closed


@pytest.mark.parametrize(
    "surplus", [b"+OK\r\n", b"x", b"\r\n", b"-ERR Disconnected for inactivity.\r\n"]
)
def test_surplus_octets(fake: Any, cut: int | None, surplus: bytes) -> None:
    """Octets that nobody asked for are found before the next command is sent."""
    server = fake({"NOOP": b"+OK\r\n" + surplus}, cut=cut)
    client = server.connect()
    client.noop()
    before = list(server.sent)

    with pytest.raises(pop3client.OutOfStep) as caught:
        client.retr(1)

    assert isinstance(caught.value, pop3client.ProtocolError)
    assert surplus.startswith(caught.value.received)
    assert server.sent == before
    assert server.connection.closed


def test_two_replies_at_once_are_not_taken_for_two_commands(fake: Any) -> None:
    """A second +OK behind the first does not answer the next command."""
    server = fake({"DELE 1": b"+OK\r\n+OK\r\n"})
    client = server.connect()
    client.dele(1)
    with pytest.raises(pop3client.OutOfStep):
        client.quit()


def test_closed_while_idle(fake: Any) -> None:
    """A connection closed between commands is noticed before anything is sent."""
    server = fake({"NOOP": (b"+OK\r\n", fake.End.CLOSE)})
    client = server.connect()
    client.noop()

    with pytest.raises(pop3client.ConnectionClosed, match="before RETR 1"):
        client.retr(1)


def test_reset_while_sending(fake: Any) -> None:
    """A connection that breaks under a send is closed, not a bare OSError."""
    server = fake()
    client = server.connect()

    def broken(data: bytes) -> None:
        raise BrokenPipeError

    server.connection.sendall = broken
    with pytest.raises(pop3client.ConnectionClosed, match="NOOP"):
        client.noop()


def test_send_that_blocks(fake: Any) -> None:
    """A send that does not get through in time is a timeout."""
    server = fake()
    client = server.connect()

    def stuck(data: bytes) -> None:
        raise TimeoutError

    server.connection.sendall = stuck
    with pytest.raises(pop3client.POP3TimeoutError, match="NOOP"):
        client.noop()


@pytest.mark.parametrize("how", ["CLOSE", "HANG", "RESET"])
def test_silent_quit(fake: Any, how: str) -> None:
    """No answer to QUIT matters only if something was marked as deleted."""
    server = fake({"QUIT": getattr(fake.End, how)})
    with server.connect() as client:
        client.dele(1)
        client.rset()
    assert [entry.quirk for entry in client.deviations] == ["quit-silent"]
    assert server.connection.closed

    client = server.connect()
    client.dele(1)
    with pytest.raises(pop3client.POP3ConnectionError):
        client.quit()
    assert server.connection.closed


def test_quit_waits_three_seconds(fake: Any) -> None:
    """QUIT's answer is waited for 3 s, or less if the client's limit is less."""
    for timeout, waited in ((60.0, 3.0), (1.0, 1.0)):
        server = fake({"QUIT": fake.End.HANG})
        server.connect(timeout=timeout).close()
        assert server.clock.now - 1000 == waited


@pytest.mark.parametrize("octets", [8192, 8193, 9000])
def test_long_lines(fake: Any, cut: int | None, octets: int) -> None:
    """A reply line has at most Limits.line_octets, line end included."""
    line = b"+OK " + b"x" * (octets - 6) + b"\r\n"
    client = fake({"NOOP": line}, cut=cut).connect()

    if octets <= 8192:
        client.noop()
        return
    with pytest.raises(pop3client.LineTooLong, match="8192"):
        client.noop()
    with pytest.raises(pop3client.StateError):
        client.noop()


def test_a_line_without_an_end(fake: Any, cut: int | None) -> None:
    """A line is given up as soon as it is too long, not when it ends."""
    client = fake({"NOOP": b"+OK " + b"x" * 200}, cut=cut).connect(
        limits=pop3client.Limits(line_octets=100)
    )
    with pytest.raises(pop3client.LineTooLong):
        client.noop()


@pytest.mark.parametrize(
    ("limit", "answers", "call"),
    [
        ("capa_lines", {"CAPA": b"+OK\r\n" + b"X\r\n" * 4 + b".\r\n"}, None),
        ("listing_lines", {"LIST": b"+OK\r\n" + b"1 1\r\n" * 4 + b".\r\n"}, lambda c: c.list()),
        ("listing_lines", {"UIDL": b"+OK\r\n" + b"1 1\r\n" * 4 + b".\r\n"}, lambda c: c.uidl()),
        ("messages", {"STAT": b"+OK 4 4\r\n"}, None),
        ("message_octets", {"RETR 1": b"+OK\r\n1234\r\n.\r\n"}, lambda c: c.retr(1)),
        ("message_octets", {"TOP 1 0": b"+OK\r\n1234\r\n.\r\n"}, lambda c: c.top(1, 0)),
        ("message_octets", {"RETR 1": b"+OK\r\n1234\r\n.\r\n"}, lambda c: c.retr_to(1, Null())),
    ],
)
def test_limits(fake: Any, cut: int | None, limit: str, answers: dict[str, Any], call: Any) -> None:
    """More than a limit is a typed error; as much as the limit is none."""
    small, enough = (5, 6) if limit == "message_octets" else (3, 4)

    def run(allowed: int) -> None:
        client = fake(answers, cut=cut).connect(limits=pop3client.Limits(**{limit: allowed}))
        if call:
            call(client)

    run(enough)
    with pytest.raises(pop3client.LimitExceeded, match=limit) as caught:
        run(small)
    assert caught.value.limit == limit


class Null:
    """Takes octets and forgets them."""

    def write(self, data: bytes) -> None:
        """Forget."""


def test_an_endless_message(fake: Any, cut: int | None) -> None:
    """A message above the limit is given up before it ends."""
    server = fake({"RETR 1": b"+OK\r\n" + b"x" * 1000}, cut=cut)
    client = server.connect(limits=pop3client.Limits(message_octets=100))
    with pytest.raises(pop3client.LimitExceeded):
        client.retr(1)


def test_a_silent_greeting_may_be_tls(fake: Any) -> None:
    """A TLS server waits for the client to begin; the error says so."""
    with pytest.raises(pop3client.POP3TimeoutError, match=r"TLS\.IMPLICIT"):
        fake(greeting=fake.End.HANG).client()


def test_connect_errors(facade: Any) -> None:
    """What the network says about connecting becomes one typed error."""

    def refuse(host: str, port: int, timeout: float) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    def stall(host: str, port: int, timeout: float) -> Any:
        raise TimeoutError

    with pytest.raises(pop3client.ConnectError, match=r"h port 110.*refused") as caught:
        facade.connect("h", "u", "p", socket_factory=refuse)
    assert caught.value.step == "connect"
    with pytest.raises(pop3client.POP3TimeoutError, match="connect"):
        facade.connect("h", "u", "p", socket_factory=stall)


PASSWORD = "hunter2-geheim"
ECHO = PASSWORD.encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"-ERR bad password " + ECHO + b"\r\n",
        b"-ERR [AUTH] " + ECHO + b"\r\n",
        ECHO + b"\r\n",
        b"+OKAY " + ECHO + b"\r\n",
        (b"+OK " + ECHO, "<close>"),
        (b"+OK " + ECHO, "<hang>"),
        (b"-ERR " + ECHO + b"\r\n", "<close>"),
        b"-ERR " + ECHO + b"\r\n+OK " + ECHO + b"\r\n",
        b"\r\n-ERR " + ECHO + b"\n",
        b"+OK " + ECHO + b"\n-ERR " + ECHO + b"\r\n",
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_secrets_are_never_shown(fake: Any, cut: int | None, answer: Any, strict: bool) -> None:
    """A server that echoes the password does not get it into an error, a repr or a deviation."""
    client = fake({"PASS": answer}, cut=cut).client(strict=strict)

    with pytest.raises(pop3client.POP3Error) as caught:
        client.login("alice", PASSWORD)

    error: BaseException | None = caught.value
    texts = [repr(client), repr(client.deviations), repr(client.config)]
    while error is not None:
        texts += [
            str(error),
            repr(error),
            repr(vars(error)),
            *traceback.format_exception_only(error),
        ]
        error = error.__cause__ or error.__context__
    with pytest.raises(pop3client.POP3Error) as after:
        client.stat()
    texts += [str(after.value), repr(vars(after.value))]
    assert not [text for text in texts if PASSWORD in text]


def test_wants_do_not_show_what_is_sent() -> None:
    """The repr of a Send, which a debugger may log, has no octets in it."""
    from pop3client._wants import Send

    assert repr(Send(b"PASS " + ECHO, "PASS", 1.0)) == "Send(PASS)"
