"""A proxy before a real server that keeps what goes through; TLS ends at it on both sides.

One thread takes connections, and one carries each of them; every wait on a socket is bounded, and
:meth:`Proxy.close` ends them all.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ._dialogue import positive
from ._recording import Connection, Recording, Unrecordable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ._target import Target

_CHUNK = 65536

#: Seconds after which somebody who waits looks whether the end has come.
_LOOK = 0.1

#: Commands that carry a secret in themselves, or are followed by one.
_LOGINS = (b"PASS ", b"AUTH ")


class Certificate(NamedTuple):
    """What the proxy shows to clients.

    Attributes:
        context: The server's side of TLS.
        authority: The certificate of its authority, in PEM, that clients have to trust.
    """

    context: ssl.SSLContext
    authority: bytes


def certificate(*names: str) -> Certificate:
    """A fresh authority, and a certificate of it.

    Args:
        names: The names and addresses by which clients know the proxy.
    """
    import trustme  # only recordings need it

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    hosts = dict.fromkeys(("localhost", "127.0.0.1", "::1", *names))
    # Some clients read only the common name.
    authority.issue_cert(*hosts, common_name="localhost").configure_cert(context)
    return Certificate(context, authority.cert_pem.bytes())


class Proxy:
    """Carries connections to a server and keeps what goes through; a context manager.

    Args:
        target: The server: with TLS from the first octet on both sides, or without; STLS is ended
            on both sides when a client asks for it. Nobody logs in but the client.
        recording: What is told of everything.
        host: The address to listen on.
        port: The port; 0 takes one that is free.
        shown: What TLS shows to clients; needed where it is used.
        connections: Take so many connections and no more; None: any number.

    Attributes:
        finished: Set once the last of a given number of connections has ended.
        failure: Why what went through cannot be used; empty if it can.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(
        self,
        target: Target,
        recording: Recording,
        *,
        shown: Certificate,
        host: str = "127.0.0.1",
        port: int = 0,
        connections: int | None = None,
    ) -> None:
        self._target = target
        self._recording = recording
        self._shown = shown
        self._left = connections
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._carriers: list[threading.Thread] = []
        self.finished = threading.Event()
        self.failure = ""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        self._listener.settimeout(_LOOK)
        self.host, self.port = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="pop3-proxy")
        self._acceptor.start()

    def close(self) -> None:
        """Take no more connections and end those that are open."""
        self._stopped.set()
        self._acceptor.join()
        for carrier in self._carriers:
            carrier.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        with self._listener:
            while not self._stopped.is_set() and self._left != 0:
                try:
                    client, _ = self._listener.accept()
                except OSError:
                    continue  # nobody came meanwhile, or has gone again
                self._left = None if self._left is None else self._left - 1
                with self._lock:
                    heard = self._recording.open(implicit=self._target.tls == "implicit")
                carrier = threading.Thread(target=self._carry, args=(client, heard))
                self._carriers.append(carrier)
                carrier.start()
        for carrier in self._carriers:
            carrier.join()
        self.finished.set()

    def _carry(self, client: socket.socket, heard: Connection) -> None:
        with contextlib.closing(_Carrier(self._target, self._shown, client, heard)) as carrier:
            reached = False
            try:
                carrier.connect()
                reached = True
                carrier.run(self._stopped, self._lock)
            except (OSError, Unrecordable) as error:
                # A reset by either side is an end too; what was said up to it counts.
                if not (reached and isinstance(error, ConnectionError)):
                    self.failure = self.failure or f"connection {heard.number + 1}: {error}"
            finally:
                heard.ended("client")


class _Carrier:
    """One connection through the proxy."""

    def __init__(
        self, target: Target, shown: Certificate, client: socket.socket, heard: Connection
    ) -> None:
        self._target = target
        self._shown = shown
        self._client = client
        self._server: socket.socket | None = None
        self._heard = heard
        self._wants_tls = False
        self._line = b""

    def close(self) -> None:
        for each in (self._client, self._server):
            if isinstance(each, ssl.SSLSocket):
                # Tells the other side by close_notify that this is the end, and waits for nothing.
                each.settimeout(0)
                with contextlib.suppress(OSError, ValueError):
                    each.unwrap()
            if each is not None:
                each.close()

    def connect(self) -> None:
        """Reach the server, by TLS where it begins at once; then the client may begin it too."""
        target = self._target
        self._client.settimeout(target.timeout)
        self._server = socket.create_connection((target.host, target.port), target.timeout)
        if target.tls == "implicit":
            self._secure()

    def run(self, stopped: threading.Event, lock: threading.Lock) -> None:
        """Carry octets both ways until one side ends."""
        deadline = time.monotonic() + self._target.timeout
        while not stopped.is_set():
            ready = self._ready()
            for source in ready:
                with lock:
                    ended = self._move(source)
                if ended:
                    return
            if ready:
                deadline = time.monotonic() + max(self._target.timeout, _IDLE)
            elif time.monotonic() > deadline:
                raise Unrecordable("nothing was said for too long")

    def _ready(self) -> list[socket.socket]:
        assert self._server is not None
        both: list[socket.socket] = [self._server, self._client]
        waiting = [s for s in both if isinstance(s, ssl.SSLSocket) and s.pending()]
        return list(waiting) or select.select(both, [], [], _LOOK)[0]

    def _move(self, source: socket.socket) -> bool:
        """Carry what has come from one side; tells whether that was its end."""
        assert self._server is not None
        # Inside TLS what has come may be no data: a session ticket, a part of a record.
        source.settimeout(0)
        try:
            octets = source.recv(_CHUNK)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLEOFError:
            octets = b""
        finally:
            source.settimeout(self._target.timeout)
        if source is self._server:
            return self._from_server(octets)
        return self._from_client(octets)

    def _from_client(self, octets: bytes) -> bool:
        assert self._server is not None
        if not octets:
            self._drain()
            self._heard.ended("client")
            return True
        self._line = (self._line + octets)[-_CHUNK:]
        *lines, self._line = self._line.split(b"\n")
        self._keep_secret([*lines, self._line])
        self._wants_tls = bool(lines) and lines[-1].strip().upper() == b"STLS"
        self._heard.client(octets)
        self._server.sendall(octets)
        return False

    def _keep_secret(self, lines: list[bytes]) -> None:
        """The client may trust this machine; that does not stand for the network behind it."""
        if isinstance(self._server, ssl.SSLSocket) or self._target.may_send_secrets_in_clear:
            return
        if any(line.upper().startswith(_LOGINS) for line in lines):
            raise Unrecordable("the client would send its password unencrypted over a network")

    def _from_server(self, octets: bytes) -> bool:
        if not octets:
            self._heard.ended("server")
            return True
        if self._wants_tls and not octets.endswith(b"\n"):
            assert self._server is not None
            octets += self._rest_of_line(self._server)
        self._heard.server(octets)
        upgrades = self._wants_tls and positive(octets.decode("latin-1").rstrip("\r\n"))
        self._wants_tls = False
        self._client.sendall(octets)
        if upgrades:
            self._secure()
            self._heard.secured()
        return False

    def _rest_of_line(self, server: socket.socket) -> bytes:
        octets = bytearray()
        while not octets.endswith(b"\n") and len(octets) < _CHUNK:
            more = server.recv(1)
            if not more:
                break
            octets += more
        return bytes(octets)

    def _secure(self) -> None:
        """Begin TLS with the server, which is verified, and then with the client."""
        assert self._server is not None
        target = self._target
        context = target.context()
        self._server = context.wrap_socket(self._server, server_hostname=target.host)
        self._client = self._shown.context.wrap_socket(self._client, server_side=True)
        self._client.settimeout(target.timeout)

    def _drain(self) -> None:
        """The client has gone; what the server still says to its last line is heard."""
        assert self._server is not None
        self._server.settimeout(_LAST_WORDS)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._server, socket.SHUT_WR)
            while octets := self._server.recv(_CHUNK):
                self._heard.server(octets)


#: Seconds in which a client may say nothing; it may be a person.
_IDLE = 600.0

#: Seconds in which a server has to say its last words to a client that has gone.
_LAST_WORDS = 1.0
