"""One connection without a socket: lines go out, lines come in, TLS begins.

Everything here is a generator of wants; see :mod:`._wants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._findings import Inconclusive, Skipped, Unmet
from ._wants import HangUp, Receive, Send, StartTLS, Wants

if TYPE_CHECKING:
    from ._target import Target
    from ._wirelog import WireLog

#: Security limit: RFC 2449 allows 512 octets; message lines may be longer.
MAX_LINE = 1 << 20

#: Security limit: octets of one message that are read.
MAX_MESSAGE = 64 << 20

#: Security limit: octets that are read and thrown away when a connection is left.
_MAX_REST = 1 << 20


class Dialogue:
    """The checker's side of one connection.

    Args:
        target: Who logs in, and whether the password may go out in the clear.
        log: Where every line is written down.
        connection: Its name where there are several.

    Attributes:
        tls: Whether TLS is on.
        log: Where every line is written down.
    """

    def __init__(self, target: Target, log: WireLog, connection: str = "") -> None:
        self._target = target
        self._connection = connection
        self._buffer = bytearray()
        self._unread: str | None = None
        self.tls = target.tls == "implicit"
        self.log = log

    def send(self, line: str, *, secret: bool = False) -> Wants[None]:
        """Send a line.

        Args:
            line: The line without its line end.
            secret: Whether the password is in it.

        Raises:
            Skipped: It would send the password unencrypted over a network.
        """
        if secret and not self.tls and not self._target.may_send_secrets_in_clear:
            raise Skipped("the password would cross the network in the clear")
        data = line.encode("utf-8", "surrogateescape") + b"\r\n"
        self.log.sent(data, tls=self.tls, connection=self._connection)
        yield Send(data)

    def line(self, expected: str = "a line") -> Wants[str]:
        """The next line, without its line end.

        Args:
            expected: What the line should be, for the finding.

        Raises:
            Unmet: The server closed, or the line ends in a bare LF (RFC 1939, section 3).
        """
        if self._unread is not None:
            line, self._unread = self._unread, None
            return line
        data = yield from self._raw_line(expected)
        self._received(data)
        if not data.endswith(b"\r\n"):
            shown = self.log.lines[-1].text
            raise Unmet(f"{expected}, ended by CRLF", f"{shown} ended by a bare LF")
        return data[:-2].decode("utf-8", "surrogateescape")

    def unread(self, line: str) -> None:
        """Put a line back: the next reader gets it."""
        self._unread = line

    def listing(self, expected: str = "the rest of a listing") -> Wants[list[str]]:
        """The lines of a multi-line response after its first, without the terminator."""
        lines: list[str] = []
        while (line := (yield from self.line(expected))) != ".":
            lines.append(line)
            if len(lines) > MAX_LINE:
                raise Unmet(expected, f"more than {MAX_LINE} lines")
        return lines

    def octets(self, count: int, expected: str) -> Wants[bytes]:
        """So many octets, whatever they are.

        Raises:
            Unmet: The server closed before.
        """
        while len(self._buffer) < count:
            yield from self._more(expected)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._received(data)
        return data

    def message(self, expected: str) -> Wants[bytes]:
        """A message as it is on the wire, dot-stuffed; its terminator is not read.

        Raises:
            Unmet: The server closed before the terminator, or a line ends in a bare LF.
            Inconclusive: The message is larger than is read.
        """
        data = bytearray()
        while (line := (yield from self._raw_line(expected))) != b".\r\n":
            data += line
            if not line.endswith(b"\r\n"):
                self._received(bytes(data))
                raise Unmet("message lines ended by CRLF", "a line ended by a bare LF")
            if len(data) > MAX_MESSAGE:
                raise Inconclusive(f"the message has more than {MAX_MESSAGE} octets")
        self._received(bytes(data))
        self._buffer[:0] = line
        return bytes(data)

    def end(self, expected: str) -> Wants[None]:
        """The end of the connection, with nothing before it.

        Raises:
            Unmet: Octets come instead.
        """
        data = bytes(self._buffer) or (yield Receive())
        if data:
            self._received(data)
            raise Unmet(expected, f"the server goes on: {self.log.lines[-1].text}")

    def start_tls(self) -> Wants[None]:
        """The TLS handshake.

        Raises:
            Unmet: Octets stand behind the reply to STLS, where an attacker could have put them.
        """
        if self._buffer:
            self._received(bytes(self._buffer))
            raise Unmet("the TLS handshake, nothing before it", f"{len(self._buffer)} octets")
        yield StartTLS()
        self.tls = True

    def upgrade(self) -> Wants[None]:
        """STLS, where the target asks for it and the script does not say it.

        Raises:
            Inconclusive: The server refuses.
        """
        yield from self.send("STLS")
        answer = yield from self.line("the answer to STLS")
        if not positive(answer):
            raise Inconclusive(f"STLS is refused: {self.log.masked(answer)}")
        yield from self.start_tls()

    def leave(self) -> Wants[None]:
        """QUIT, and whatever comes until the server closes; only where nothing is marked."""
        yield from self.send("QUIT")
        yield from self.drain()

    def hang_up(self) -> Wants[None]:
        """End our side, and wait until the server has let go of the maildrop and closed."""
        yield HangUp()
        yield from self.drain()

    def drain(self) -> Wants[None]:
        """Read and drop octets until the server closes."""
        dropped = 0
        while dropped < _MAX_REST and (data := (yield Receive())):
            dropped += len(data)

    def _received(self, data: bytes) -> None:
        self.log.received(data, tls=self.tls, connection=self._connection)

    def _raw_line(self, expected: str) -> Wants[bytes]:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE:
                raise Unmet(expected, f"a line of more than {MAX_LINE} octets")
            yield from self._more(expected)
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def _more(self, expected: str) -> Wants[None]:
        data = yield Receive()
        if data:
            self._buffer += data
            return
        rest = f"{len(self._buffer)} octets and " if self._buffer else ""
        if self._buffer:
            self._received(bytes(self._buffer))
        raise Unmet(expected, f"{rest}the end of the connection", closed=True)


def positive(line: str) -> bool:
    """Whether a status line is ``+OK`` (RFC 1939, section 3: in upper case, then SP or nothing)."""
    return line == "+OK" or line.startswith("+OK ")
