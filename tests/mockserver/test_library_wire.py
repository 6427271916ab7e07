"""The faults of the library that stand in a certain place, by what a socket sees of them."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3mock import MockServer
from pop3scenarios import expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

pytestmark = pytest.mark.once

LOGIN = (b"USER alice", b"PASS secret")
FAREWELL = b"+OK bye\r\n"
LISTING = b"+OK 3 messages (3000 octets)\r\n1 1000\r\n2 1000\r\n3 1000\r\n.\r\n"
FILES = ("cut-at", "reset-at", "hang-at", "half-close-at", "delay-at")


class Fault(NamedTuple):
    """What a file does.

    Attributes:
        commands: What the client says; only the last is answered otherwise than it should be.
        octets: How many octets of the right answer to the last come; all if None.
        ending: How it ends then.
    """

    commands: tuple[bytes, ...]
    octets: int | None
    ending: str


LIST = (*LOGIN, b"LIST")
RETR_2 = (*LOGIN, b"RETR 2")
QUIT = (*LOGIN, b"DELE 1", b"QUIT")
FAULTS = {
    "cut-at[no-greeting]": Fault((), 0, "fin"),
    "cut-at[in-greeting]": Fault((), 8, "fin"),
    "cut-at[at-login]": Fault(LOGIN, 0, "fin"),
    "cut-at[in-listing]": Fault(LIST, len(LISTING) - 15, "fin"),
    "cut-at[in-status-line]": Fault(RETR_2, len(b"+OK 10"), "fin"),
    "cut-at[between-cr-and-lf]": Fault(RETR_2, len(b"+OK 1000 octets\r"), "fin"),
    "cut-at[before-terminator]": Fault(RETR_2, len(b"+OK 1000 octets\r\n") + 1000, "fin"),
    "cut-at[in-terminator]": Fault(RETR_2, len(b"+OK 1000 octets\r\n.") + 1000, "fin"),
    "cut-at[at-farewell]": Fault(QUIT, 0, "fin"),
    "reset-at[no-greeting]": Fault((), 0, "rst"),
    "reset-at[in-greeting]": Fault((), 8, "rst"),
    "reset-at[at-login]": Fault(LOGIN, 0, "rst"),
    "reset-at[in-status-line]": Fault(RETR_2, len(b"+OK 10"), "rst"),
    "reset-at[at-farewell]": Fault(QUIT, 0, "rst"),
    "hang-at[no-greeting]": Fault((), 0, "silence"),
    "hang-at[in-greeting]": Fault((), 8, "silence"),
    "hang-at[at-login]": Fault(LOGIN, 0, "silence"),
    "hang-at[in-message]": Fault(RETR_2, 400, "silence"),
    "hang-at[in-terminator]": Fault(RETR_2, len(b"+OK 1000 octets\r\n.") + 1000, "silence"),
    "hang-at[at-farewell]": Fault(QUIT, 0, "silence"),
    "hang-at[after-farewell]": Fault(QUIT, None, "silence"),
    "half-close-at[after-message]": Fault(RETR_2, None, "fin"),
    "half-close-at[in-message]": Fault(RETR_2, 400, "fin"),
    "half-close-at[after-farewell]": Fault(QUIT, None, "fin"),
}  # fmt: skip


def right(server: MockServer, fault: Fault) -> bytes:
    """The answer to the last command that a correct server would have given."""
    mail = b"+OK 1000 octets\r\n" + server.maildrop[1] + b".\r\n"
    answers = {RETR_2: mail, QUIT: FAREWELL, LIST: LISTING}
    # The rest of a timestamp differs from connection to connection.
    return answers.get(fault.commands, b"+OK POP3 server ready <")


def connected(raw: Raw, server: MockServer) -> RawClient:
    """A client of a server that may reset the connection before ``connect`` has returned."""
    for _ in range(100):
        with contextlib.suppress(ConnectionResetError):
            return raw(server)
    raise AssertionError("each of 100 connections was reset before it could be used")


@pytest.mark.parametrize(("reference", "fault"), FAULTS.items(), ids=FAULTS)
def test_fault(raw: Raw, reference: str, fault: Fault) -> None:
    """Right up to a certain octet, and then FIN, RST or silence."""
    with MockServer(reference) as server:
        wanted = right(server, fault)
        client = connected(raw, server)
        before = [client.line()] if fault.commands else []
        before += [client.ask(command) for command in fault.commands[:-1]]
        for command in fault.commands[-1:]:
            client.send(command + b"\r\n")
        said, ending = client.ending()

    assert all(line.startswith(b"+OK ") for line in before)
    assert said.startswith(wanted) if fault.octets is None else said == wanted[: fault.octets]
    assert ending == fault.ending


@pytest.mark.parametrize(
    "reference", ["half-close-at[after-message]", "half-close-at[after-farewell]"]
)
def test_half_closed_connection_takes_more(raw: Raw, reference: str) -> None:
    """The server's side alone has ended: what the client sends raises no RST."""
    with MockServer(reference) as server:
        client = raw(server)
        last = b"RETR 2" if "message" in reference else b"QUIT"
        client.send(b"USER alice\r\nPASS secret\r\n" + last + b"\r\n")
        said = client.rest()
        for _ in range(3):
            client.send(b"NOOP\r\n")
            server.settle()

        assert client.ending() == (b"", "fin")

    assert said.endswith(b"\r\n.\r\n" if "message" in reference else FAREWELL)


#: Seconds that a session of CAPA, login, RETR 1 and QUIT must take at least, and the segments in
#: which the answer to RETR 1 comes.
DELAYS = {
    "delay-at[greeting]": (0.05, 1),
    "delay-at[answers]": (5 * 0.02, 1),
    "delay-at[within]": (3 * 0.02, 4),
    "delay-at[between-cr-and-lf]": (3 * 0.02, 4),
}


@pytest.mark.parametrize(("reference", "delay"), DELAYS.items(), ids=DELAYS)
def test_delay(raw: Raw, reference: str, delay: tuple[float, int]) -> None:
    """All octets come, in their order, in as many pieces as there are waits, and not before."""
    seconds, pieces = delay
    with MockServer(reference) as server:
        start = time.monotonic()
        client = raw(server)
        client.login()
        client.listing(b"CAPA")
        segments = client.segments()
        message = client.listing(b"RETR 1")
        segments = client.segments() - segments
        farewell = client.ask(b"QUIT")
        elapsed = time.monotonic() - start

    assert message.removeprefix(b"+OK").removeprefix(b" 1000 octets") == (
        b"\r\n" + server.maildrop[0] + b".\r\n"
    )
    assert farewell == FAREWELL
    assert segments == pieces
    assert elapsed >= seconds


def test_one_octet_segments_are_segments(raw: Raw) -> None:
    """Each octet of the greeting and of a message has a segment of its own."""
    with MockServer("one-octet-segments") as server:
        client = raw(server)
        greeting = client.line()
        greeted = client.segments()
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        before = client.segments()
        message = client.listing(b"RETR 1")

        assert greeted == len(greeting)
        assert client.segments() - before == len(message)


def test_variants() -> None:
    """The places in which things go wrong are these; their names are ids."""
    shipped = [reference for name in FILES for reference in expand(name)]

    assert shipped == [*FAULTS, *DELAYS]
