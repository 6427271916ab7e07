"""Two ways to talk to the server in octets: with a session of it, and through a socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
import struct
from typing import TYPE_CHECKING

from pop3mock._actions import End, Pause, Send, StartTLS, Trickle
from pop3mock._flow import held

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from pop3check._tape import Tape
    from pop3mock import MockServer
    from pop3mock._actions import Action
#: Seconds until a server that says nothing is given up.
DEADLINE = 5.0

#: SO_LINGER, on, zero seconds: close() then sends RST instead of FIN.
_LINGER_NOTHING = struct.pack("ii", 1, 0)


def b64(octets: bytes) -> bytes:
    """Base64, without line ends."""
    return base64.b64encode(octets)


def plain(user: bytes = b"alice", password: bytes = b"secret", authzid: bytes = b"") -> bytes:
    """A response of the mechanism PLAIN (RFC 4616), in base64."""
    return b64(authzid + b"\0" + user + b"\0" + password)


def stamp_of(greeting: bytes) -> bytes:
    """The timestamp of a greeting, its angle brackets included (RFC 1939, section 7)."""
    found = re.search(rb"<[^>]*>", greeting)
    assert found is not None, f"no timestamp in {greeting!r}"
    return found[0]


def apop_digest(stamp: bytes, password: bytes = b"secret") -> bytes:
    """The digest that APOP wants."""
    return hashlib.md5(stamp + password).hexdigest().encode()


def cram_md5(challenge: bytes, user: bytes = b"alice", password: bytes = b"secret") -> bytes:
    """The response to a challenge of CRAM-MD5 (RFC 2195), both in base64."""
    digest = hmac.new(password, base64.b64decode(challenge), "md5").hexdigest()
    return b64(user + b" " + digest.encode())


def accepted(said: bytes) -> bool:
    """Whether that is one line, and positive."""
    return re.fullmatch(rb"\+OK( [^\r\n]*)?\r\n", said) is not None


def refused(said: bytes) -> bool:
    """Whether that is one line, and negative."""
    return re.fullmatch(rb"-ERR( [^\r\n]*)?\r\n", said) is not None


def lines_of(reply: bytes) -> list[bytes]:
    """The data lines of a reply of several lines, unstuffed, without line ends."""
    assert reply.startswith(b"+OK"), reply
    assert reply.endswith(b"\r\n.\r\n"), reply
    lines = reply.split(b"\r\n")[1:-2]
    return [line[1:] if line.startswith(b".") else line for line in lines]


def data_of(reply: bytes) -> bytes:
    """The octets of the message in a reply to RETR or TOP, unstuffed."""
    return b"".join(line + b"\r\n" for line in lines_of(reply))


class Wire:
    """A conversation with a session of the server: octets go in and come out, without a socket.

    What the session does not say at once it does not say at all: silence needs no waiting.

    Args:
        server: The server; it need not run.
        tape: What records the conversation.

    Attributes:
        greeting: What the server said first.
        ended: How the server ended the connection; None if it has not.
        starts_tls: Whether the server waits for the TLS handshake.
        waited: Seconds that the server has let pass before it answered.
    """

    def __init__(self, server: MockServer, tape: Tape) -> None:
        self.session = server.session()
        self.ended: str | None = None
        self.starts_tls = False
        self.waited = 0.0
        self._tape = tape
        self.greeting = self._said(self.session.connected())

    def send(self, octets: bytes) -> bytes:
        """Send octets in one segment; gives all that the server says to them."""
        self._tape.client(octets)
        return self._said(self.session.receive(octets))

    def ask(self, line: bytes) -> bytes:
        """Send one line and its line end; gives all that the server says to it."""
        return self.send(line + b"\r\n")

    def log_in(self, user: bytes = b"alice", password: bytes = b"secret") -> bytes:
        """Log in with USER and PASS; gives the answer to PASS."""
        self.ask(b"USER " + user)
        return self.ask(b"PASS " + password)

    def secure(self) -> None:
        """The TLS handshake is done."""
        assert self.starts_tls, "the server does not begin TLS"
        self.starts_tls = False
        self._tape.secured()
        self.session.secured()

    def lose(self) -> None:
        """The connection goes down without QUIT."""
        self._tape.end()
        self.session.lost()

    def _said(self, actions: Sequence[Action]) -> bytes:
        said = b""
        for action in actions:
            match action:
                case Send(data) | Trickle(data):
                    said += held([data])
                case Pause(seconds):
                    self.waited += seconds
                case StartTLS():
                    self.starts_tls = True
                case End(how):
                    self.ended = how
                    self._tape.end()
        self._tape.server(said)
        return said


class Line:
    """A connection through a socket.

    Args:
        server: The server, which runs.
        tape: What records the conversation.
        context: TLS from the first octet, with this context.
        narrow: Let the kernel hold little of what the server sends ahead.
    """

    def __init__(
        self,
        server: MockServer,
        tape: Tape,
        context: ssl.SSLContext | None = None,
        *,
        narrow: bool = False,
    ) -> None:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self.socket: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        if narrow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((server.host, server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tape = tape
        self._buffer = b""
        if context is not None:
            self.wrap(context, greets=True)

    def send(self, octets: bytes) -> None:
        """Send octets in one segment."""
        self._tape.client(octets)
        self.socket.sendall(octets)

    def line(self) -> bytes:
        """One line with its line end, or what came before the connection ended."""
        return self.until(b"\n")

    def ask(self, line: bytes) -> bytes:
        """Send one line and its line end; gives one line of the reply."""
        self.send(line + b"\r\n")
        return self.line()

    def ask_for_lines(self, line: bytes) -> bytes:
        """Send one line; gives a whole reply of several lines."""
        return self.ask(line) + self.until(b"\r\n.\r\n")

    def log_in(self, user: bytes = b"alice", password: bytes = b"secret") -> bytes:
        """Read the greeting and log in with USER and PASS; gives the answer to PASS."""
        self.line()
        self.ask(b"USER " + user)
        return self.ask(b"PASS " + password)

    def until(self, end: bytes, *, piece: int = 65536) -> bytes:
        """Everything up to and with ``end``, or what came before the connection ended.

        Args:
            end: The octets to read up to.
            piece: How many octets to take from the socket at once, at most.
        """
        found = bytearray(self._buffer)
        searched = 0
        while (at := found.find(end, searched)) < 0:
            searched = max(0, len(found) - len(end))
            data = self._receive(piece)
            if not data:
                self._buffer = b""
                return bytes(found)
            found += data
        self._buffer = bytes(found[at + len(end) :])
        return bytes(found[: at + len(end)])

    def rest(self) -> bytes:
        """Everything that comes until the server ends the connection by FIN; RST is an error."""
        pieces, self._buffer = [self._buffer], b""
        while data := self._receive(65536):
            pieces.append(data)
        self._tape.end()
        return b"".join(pieces)

    def wrap(self, context: ssl.SSLContext, *, greets: bool = False) -> str | None:
        """Go on inside TLS; gives the version.

        Args:
            context: The client's context.
            greets: Whether the server has yet to greet.
        """
        secure = context.wrap_socket(
            self.socket, server_hostname="localhost", suppress_ragged_eofs=False
        )
        self.socket = secure
        self._tape.secured(greets=greets)
        return secure.version()

    def half_close(self) -> None:
        """Send FIN, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self.close()

    def close(self) -> None:
        """End the connection without QUIT; inside TLS without close_notify."""
        self._tape.end()
        self.socket.close()

    def _receive(self, piece: int) -> bytes:
        data = self.socket.recv(piece)
        self._tape.server(data)
        return data
