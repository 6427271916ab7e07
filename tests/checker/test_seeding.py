"""The run's own messages: how they are brought, and that the run waits for them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from poplib import POP3
from socketserver import StreamRequestHandler, TCPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from pop3check import (
    Limits,
    Outcome,
    SeedingError,
    by_command,
    by_maildir,
    by_smtp,
    check_all,
    select,
)
from pop3check._fixtures import ARRIVING
from pop3check._pace import Pace
from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pop3check import Target

MESSAGES = [b"Subject: 1\r\n\r\n.one\r\n", b"Subject: 2\r\n\r\ncaf\xe9\r\n"]

#: Keeps what it is given in a file of its own; refuses what holds "caf".
KEEPER = """
import pathlib, sys
message = sys.stdin.buffer.read()
folder = pathlib.Path(sys.argv[1])
if b"caf" in message:
    sys.exit("no coffee")
(folder / str(len(list(folder.iterdir())))).write_bytes(message)
"""


def test_command(tmp_path: Path) -> None:
    """A command gets each message as it is; one that it refuses does not keep back the others."""
    seed = by_command([sys.executable, "-c", KEEPER, str(tmp_path)])

    with pytest.raises(SeedingError) as caught:
        seed([MESSAGES[1], MESSAGES[0], MESSAGES[0]])

    assert caught.value.failed == {0: "the command ended with status 1: no coffee"}
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [MESSAGES[0]] * 2


def test_command_without_shell(tmp_path: Path) -> None:
    """What a shell would read is an argument like any other, unless a shell was asked for."""
    there, quoted = tmp_path / "there", tmp_path / "quoted"
    quoted.mkdir()

    by_command([sys.executable, "-c", KEEPER, str(quoted), f"; touch {there}"])(MESSAGES[:1])
    without = there.exists()
    by_command([f"cat > {there}"], shell=True)(MESSAGES[:1])  # noqa: S604 - what is tested

    assert not without
    assert there.read_bytes() == MESSAGES[0]


def test_command_in_a_folder(tmp_path: Path) -> None:
    """A command runs where it is told to."""
    by_command([sys.executable, "-c", KEEPER, "."], folder=tmp_path)(MESSAGES[:1])

    assert [file.read_bytes() for file in tmp_path.iterdir()] == MESSAGES[:1]


def test_command_that_is_not_there() -> None:
    """A command that cannot be run is told for each message."""
    with pytest.raises(SeedingError) as caught:
        by_command(["/nowhere/at/all"])(MESSAGES)

    assert caught.value.failed == dict.fromkeys((0, 1), "No such file or directory")


class MailServer(StreamRequestHandler):
    """So much of SMTP and LMTP as it takes to send a message to alice."""

    kept: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        """Answer until QUIT."""
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb in (b"EHLO", b"LHLO"):
                self.wfile.write(b"250-here\r\n250 8BITMIME\r\n")
            elif verb == b"RCPT" and b"<alice" not in line:
                self.wfile.write(b"550 nobody of that name\r\n")
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.kept.append(b"".join(line.removeprefix(b".") for line in lines))
                self.wfile.write(b"250 fine\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def smtp() -> Iterator[int]:
    """The port of a mail server."""
    MailServer.kept.clear()
    with TCPServer(("127.0.0.1", 0), MailServer) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever, 0.01)
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("lmtp", [False, True])
def test_smtp(smtp: int, lmtp: bool) -> None:
    """Each message arrives as it is, dots and octets above 127 among it."""
    by_smtp("127.0.0.1", smtp, "alice@example.com", lmtp=lmtp)(MESSAGES)

    assert MailServer.kept == MESSAGES


def test_smtp_refuses(smtp: int) -> None:
    """What the mail server says is told."""
    with pytest.raises(SeedingError) as caught:
        by_smtp("127.0.0.1", smtp, "bob@example.com")(MESSAGES[:1])

    assert caught.value.failed == {0: "the recipient was refused: 550 nobody of that name"}


def test_maildir(tmp_path: Path) -> None:
    """A message is in new, whole, under a name of its own, and tmp is empty again."""
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()

    by_maildir(tmp_path)(MESSAGES + MESSAGES)

    assert sorted(f.read_bytes() for f in (tmp_path / "new").iterdir()) == sorted(MESSAGES * 2)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(("there", "missing"), [("tmp", "new"), ("new", "tmp")])
def test_maildir_that_is_none(tmp_path: Path, there: str, missing: str) -> None:
    """A message goes through tmp into new; a folder without both takes none, and keeps nothing."""
    (tmp_path / there).mkdir()

    with pytest.raises(SeedingError) as caught:
        by_maildir(tmp_path)(MESSAGES[:1])

    assert caught.value.failed == {0: "No such file or directory"}
    assert list((tmp_path / there).iterdir()) == []
    assert not (tmp_path / missing).exists()


def test_attempts() -> None:
    """Attempts are made at once, then more and more seldom, and none after the time is over."""
    now, rests = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        now[0] += seconds

    pace = Pace(Limits(), clock=lambda: now[0], sleep=sleep)
    made = [now[0] for _ in pace.attempts(30.0)]

    assert made[0] == 0.0
    assert made[-1] == 30.0
    assert rests[:4] == [0.1, 0.2, 0.4, 0.8]
    assert max(rests) == 5.0


def test_arrival_is_awaited(target_of: Callable[..., Target]) -> None:
    """What arrives late is waited for, and then asked for."""
    with MockServer() as server, ThreadPoolExecutor(1) as pool:

        def later(messages: list[bytes]) -> None:
            server.wait_for("UIDL", times=2)  # somebody has looked once more, in vain
            for message in messages:
                server.deliver(message, user="alice")

        def seed(messages: list[bytes]) -> None:
            pool.submit(later, messages)

        report = check_all(target_of(server), select(["rfc1939-5-20"]), seed=seed)

    assert report.facts is not None
    assert report.facts.undelivered == {}
    assert set(ARRIVING) == set(report.facts.fixtures)
    assert report.verdicts[0].outcome is Outcome.PASS
    assert report.lost == ()


def test_what_never_arrives(target_of: Callable[..., Target]) -> None:
    """The wait is bounded; then what needs the messages is skipped, and the run inconclusive."""
    with MockServer() as server:
        report = check_all(
            target_of(server),
            select(["rfc1939-5-20", "rfc1939-5-35"]),
            limits=Limits(arrival=0.05),
            seed=lambda messages: None,  # noqa: ARG005 - a mail server that swallows them
        )

    skipped, passed = report.verdicts
    assert skipped.outcome is Outcome.SKIP
    assert skipped.reason.endswith("the run's own has not arrived within 0.05 s")
    assert passed.outcome is Outcome.PASS
    assert report.exit_status == 2


def test_what_is_refused(target_of: Callable[..., Target]) -> None:
    """A message that is refused is not waited for; its cases are skipped, and say why."""
    with MockServer() as server:

        def seed(messages: list[bytes]) -> None:
            for message in messages[1:]:
                server.deliver(message, user="alice")
            raise SeedingError({0: "refused: 550 sesame-open is no"})

        target = replace(target_of(server), password=server.users["alice"])
        report = check_all(target, select(["rfc1939-5-20", "rfc1939-5-25"]), seed=seed)

    refused, other = report.verdicts
    assert refused.reason.endswith("could not be delivered: refused: 550 sesame-open is no")
    assert other.outcome is Outcome.PASS
    assert report.exit_status == 0


def test_nothing_is_brought_where_we_are_not_let_in(target_of: Callable[..., Target]) -> None:
    """Who is refused the login gets no mail from us."""
    brought: list[bytes] = []
    with MockServer() as server:
        target = replace(target_of(server), password="wrong")

        report = check_all(target, select(["rfc1939-5-20"]), seed=brought.extend)

    assert report.verdicts[0].outcome is Outcome.SKIP
    assert brought == []


def test_loss_while_bringing(target_of: Callable[..., Target]) -> None:
    """Mail that goes while the messages come is lost all the same."""
    with MockServer() as server:
        target = target_of(server)

        def seed(messages: list[bytes]) -> None:
            for message in messages:
                server.deliver(message, user="alice")
            with poplib(server) as session:
                session.dele(1)

        report = check_all(target, select(["rfc1939-5-35"]), seed=seed)

    assert len(report.lost) == 1
    assert report.exit_status == 3


@contextmanager
def poplib(server: MockServer) -> Iterator[POP3]:
    """Somebody else's session."""
    session = POP3(server.host, server.port, timeout=5)
    session.user("alice")
    session.pass_(server.users["alice"])
    yield session
    session.quit()
