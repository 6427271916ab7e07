"""A client that knows nothing of POP3: it sends octets and reads octets."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from pop3mock import MockServer


#: Where ``tcpi_data_segs_in`` stands in Linux's ``struct tcp_info``.
_DATA_SEGMENTS_IN = 152


class RawClient:
    """A socket with a deadline and a buffer."""

    def __init__(self, server: MockServer, timeout: float = 5.0) -> None:
        self.server = server
        self.socket: socket.socket = socket.create_connection((server.host, server.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(data)

    def line(self) -> bytes:
        """One line with its line end, or what came before the connection ended."""
        return self.until(b"\n")

    def until(self, end: bytes) -> bytes:
        """Everything up to and with ``end``, or what came before the connection ended."""
        while end not in self._buffer:
            data = self.socket.recv(65536)
            if not data:
                found, self._buffer = self._buffer, b""
                return found
            self._buffer += data
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    def rest(self) -> bytes:
        """Everything that comes until the connection ends."""
        pieces, self._buffer = [self._buffer], b""
        while data := self.socket.recv(65536):
            pieces.append(data)
        return b"".join(pieces)

    def ask(self, command: bytes) -> bytes:
        """Send one command and read one line."""
        self.send(command + b"\r\n")
        return self.line()

    def listing(self, command: bytes) -> bytes:
        """Send one command and read a multi-line answer."""
        self.send(command + b"\r\n")
        status = self.line()
        if not status.startswith(b"+OK"):
            return status
        rest = self.line()
        return status + (rest if rest == b".\r\n" else rest + self.until(b"\r\n.\r\n"))

    def login(self) -> bytes:
        """Read the greeting and log in as the first user; gives the answer to PASS."""
        self.line()
        user, password = self.server.credentials
        self.ask(b"USER " + user.encode())
        return self.ask(b"PASS " + password.encode())

    def silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes, and the connection stays up, for a moment."""
        if self._buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK) and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(5.0)

    def ending(self) -> tuple[bytes, str]:
        """All that comes, and how it ends: by ``fin``, by ``rst``, or, for a moment, in silence."""
        came, self._buffer = self._buffer, b""
        self.socket.settimeout(0.1)
        try:
            while data := self.socket.recv(65536):
                came += data
        except TimeoutError:
            return came, "silence"
        except ConnectionResetError:
            return came, "rst"
        finally:
            self.socket.settimeout(5.0)
        return came, "fin"

    def segments(self) -> int:
        """How many TCP segments with data have come; skips the test where nobody counts them."""
        if sys.platform != "linux":
            pytest.skip("segments are counted on Linux")
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        if len(info) < _DATA_SEGMENTS_IN + 4:
            pytest.skip("this kernel does not count segments with data")
        return int.from_bytes(info[_DATA_SEGMENTS_IN : _DATA_SEGMENTS_IN + 4], sys.byteorder)

    def wrap(self, context: ssl.SSLContext | None = None) -> str | None:
        """Go on inside TLS; gives the version."""
        context = context or self.server.client_context()
        secure = context.wrap_socket(self.socket, server_hostname="localhost")
        self.socket = secure
        return secure.version()

    def close(self) -> None:
        """Close without QUIT."""
        self.socket.close()


@pytest.fixture
def raw() -> Iterator[Callable[[MockServer], RawClient]]:
    """Opens raw connections to a server, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def connect(server: MockServer) -> RawClient:
            client = RawClient(server)
            stack.callback(client.close)
            return client

        yield connect


@pytest.fixture
def playing() -> Callable[[str], MockServer]:
    """Makes a server that plays a scenario, given by its YAML without the head."""
    from pop3mock import MockServer
    from pop3scenarios import loads

    return lambda rules: MockServer(loads("pop3: 1\nname: test\nsummary: test\n" + rules))


@pytest.fixture
def talk() -> Callable[[str, bytes], bytes]:
    """Feed a session of a scenario (YAML rules, or a name) with octets; gives all it says.

    No socket: the sans-I/O session alone. The client logs in first.
    """
    from pop3mock._actions import Send, Trickle
    from pop3mock._flow import held
    from pop3mock._server import MockServer
    from pop3scenarios import loads

    def run(rules: str, commands: bytes) -> bytes:
        head = "pop3: 1\nname: test\nsummary: test\n"
        server = MockServer(loads(head + rules))
        session = server.session()
        actions = session.connected()
        actions += session.receive(b"USER alice\r\nPASS secret\r\n")
        before = len(actions)
        actions += session.receive(commands)
        return held(a.data for a in actions[before:] if isinstance(a, (Send, Trickle)))

    return run
