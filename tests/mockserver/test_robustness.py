"""Whatever clients send, and however often servers start, nothing breaks and nothing is left."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop3mock import Engine, MockServer
from pop3mock._actions import Send

WORDS = st.sampled_from(
    [b"USER alice", b"PASS secret", b"APOP alice x", b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH XOAUTH2",
     b"AGFsaWNlAHNlY3JldA==", b"*", b"=", b"", b"STAT", b"LIST", b"LIST 1", b"UIDL", b"RETR 1",
     b"TOP 1 1", b"DELE 1", b"RSET", b"NOOP", b"CAPA", b"LAST", b"QUIT", b"\xff\xfe", b"\0", b"{n}",
     b"RETR 99999999999999999999999", b"TOP 1 99999999999999999999999", b"..", b"+OK", b"AUTH"]
)  # fmt: skip


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
            assert actions[0].data.startswith((b"+OK", b"-ERR ", b"+ "))
    session.lost()


def descriptors() -> int:
    """How many file descriptors the process has."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting is all that is wanted


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to count descriptors")
def test_starts_and_stops_leave_nothing() -> None:
    """Two hundred servers with open connections leave no thread and no descriptor."""
    with MockServer() as warm:
        assert warm.port
    gc.collect()
    before = (threading.active_count(), descriptors())

    for _ in range(200):
        with (
            MockServer() as server,
            contextlib.closing(socket.create_connection((server.host, server.port), 5)) as client,
        ):
            assert client.recv(3) == b"+OK"

    gc.collect()
    assert (threading.active_count(), descriptors()) == before


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
