"""One connection without a socket: lines go out, lines come in, TLS begins.

Everything here is a generator of wants; see :mod:`._wants`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._findings import Inconclusive, Skipped, Unmet
from ._tape import Tape
from ._wants import AskTLS, Drop, Handshake, HangUp, Lost, Receive, Send, Silence, StartTLS, Wants

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
        implicit: Whether TLS began with the first octet; None: as the target has it.

    Attributes:
        tls: Whether TLS is on.
        log: Where every line is written down.
        tape: Every octet, for what is judged of all of them; holds secrets.
        greeting: The first line of all; empty until it is read.
        strangers: Whether a DELE was sent for a message that is none of the run's own.
        marked: Whether a DELE was sent and no RSET after it that is known to work.
        challenged: Whether the server waits for a SASL response: what is sent next is no command.
    """

    def __init__(
        self, target: Target, log: WireLog, connection: str = "", *, implicit: bool | None = None
    ) -> None:
        self._target = target
        self._connection = connection
        self._buffer = bytearray()
        self._unread: str | None = None
        self.tls = target.tls == "implicit" if implicit is None else implicit
        self.log = log
        self.tape = Tape(target.secrets)
        self.greeting = ""
        self.marked = False
        self.strangers = False
        self.challenged = False

    def send(self, line: str, *, secret: bool = False) -> Wants[None]:
        """Send a line.

        Args:
            line: The line without its line end.
            secret: Whether the password is in it.

        Raises:
            Skipped: It would send the password unencrypted over a network.
        """
        self._keep(secret=secret)
        data = line.encode("utf-8", "surrogateescape") + b"\r\n"
        self.marked = self.marked or deletes(line)
        yield from self._send(data)

    def respond(self, response: str, *, secret: bool = False) -> Wants[None]:
        """Send a line of a SASL exchange (RFC 5034, section 4), which is not shown.

        Args:
            response: Base64, or ``*`` to call the exchange off; without its line end.
            secret: Whether the password can be read from it.

        Raises:
            Skipped: It would send the password unencrypted over a network.
        """
        self._keep(secret=secret)
        yield from self._send(response.encode("utf-8", "surrogateescape") + b"\r\n", proof=True)

    def send_octets(self, data: bytes, *, secret: bool = False) -> Wants[None]:
        """Send octets as they are: several lines, parts of one, or no line at all.

        Whoever reads the answers knows what they belong to; what is judged of every reply of the
        run leaves this connection out.

        Raises:
            Skipped: It would send the password unencrypted over a network.
        """
        self._keep(secret=secret)
        self.tape.odd = True
        self.marked = self.marked or deletes(data.decode("latin-1"))
        yield from self._send(data)

    @property
    def has_more(self) -> bool:
        """Whether something has come that nobody has read."""
        return bool(self._buffer) or self._unread is not None

    def forget(self) -> None:
        """Drop what has come and nobody has read."""
        self._buffer.clear()

    def hello(self) -> Wants[str]:
        """The greeting."""
        return (yield from self.line("a greeting"))

    @property
    def stamp(self) -> str:
        """The timestamp of the greeting, by which a server shows that it has APOP; or nothing."""
        found = _STAMP.search(self.greeting)
        return found[0] if found else ""

    def ask(self, line: str, *, secret: bool = False) -> Wants[str]:
        """Send a line; gives the first line of the answer."""
        yield from self.send(line, secret=secret)
        return (yield from self.line(f"the answer to {line.split(' ', 1)[0]}"))

    def silent(self, seconds: float) -> Wants[bytes | None]:
        """Wait for what should not come.

        Returns:
            The octets that came all the same, none if the server closed; None for silence.
        """
        if self._buffer or self._unread is not None:
            return bytes(self._buffer)
        try:
            data = yield from self._receive(seconds)
        except Silence:
            return None
        self._buffer += data
        return data

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
        line = data[:-2].decode("utf-8", "surrogateescape")
        self.greeting = self.greeting or line
        self.challenged = is_challenge(line)
        return line

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
        data = bytes(self._buffer) or (yield from self._receive())
        if data:
            self._received(data)
            raise Unmet(expected, f"the server goes on: {self.log.lines[-1].text}")

    def start_tls(self, how: Handshake | None = None) -> Wants[None]:
        """The TLS handshake.

        Args:
            how: What to offer, if not the usual.

        Raises:
            Unmet: Octets stand behind the reply to STLS, where an attacker could have put them.
        """
        if self._buffer:
            self._received(bytes(self._buffer))
            raise Unmet("the TLS handshake, nothing before it", f"{len(self._buffer)} octets")
        yield StartTLS(how or Handshake())
        self.tls = True
        self.tape.secured()

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
        if self.challenged:
            yield from self.respond("*")  # a server takes QUIT for a response
            yield from self.line()
        yield from self._send(b"QUIT\r\n")
        yield from self.drain()

    def hang_up(self) -> Wants[None]:
        """End our side, and wait until the server has let go of the maildrop and closed."""
        yield HangUp()
        yield from self.drain()

    def drop(self, *, reset: bool = False) -> Wants[None]:
        """Close the connection without a word; by RST if wanted."""
        self.tape.odd = self.tape.odd or self.has_more
        self.tape.end()
        yield Drop(reset)

    def tls_version(self) -> Wants[str]:
        """The version of TLS, as OpenSSL names it; empty without TLS."""
        return (yield AskTLS("version")).decode()

    def drain(self) -> Wants[None]:
        """Read and drop octets until the server closes."""
        dropped = 0
        while dropped < _MAX_REST:
            data = yield from self._receive()
            if not data:
                return
            dropped += len(data)
        self.tape.odd = True  # the rest is not read

    def _keep(self, *, secret: bool) -> None:
        """Keep a secret from crossing a network unencrypted."""
        if secret and not self.tls and not self._target.may_send_secrets_in_clear:
            raise Skipped("the password would cross the network in the clear")

    def _send(self, data: bytes, *, proof: bool = False) -> Wants[None]:
        self.log.sent(data, tls=self.tls, connection=self._connection, proof=proof)
        self.challenged = False
        self.tape.client(data)
        try:
            yield Send(data)
        except Lost:
            self.tape.end()
            raise

    def _receive(self, within: float | None = None) -> Wants[bytes]:
        try:
            data = yield Receive(within)
        except Lost:
            self.tape.end()
            raise
        self.tape.server(data)
        if not data:
            self.tape.end()
        return data

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
        data = yield from self._receive()
        if data:
            self._buffer += data
            return
        rest = f"{len(self._buffer)} octets and " if self._buffer else ""
        if self._buffer:
            self._received(bytes(self._buffer))
        raise Unmet(expected, f"{rest}the end of the connection", closed=True)


#: RFC 1939, section 7: a msg-id in the banner greeting.
_STAMP = re.compile(r"<[^<>]*>")

_DELETE = re.compile(r"\bDELE\b", re.IGNORECASE)


def deletes(line: str) -> bool:
    """Whether a command line, however it is written, could mark a message as deleted."""
    return _DELETE.search(line) is not None


def positive(line: str) -> bool:
    """Whether a status line is ``+OK`` (RFC 1939, section 3: in upper case, then SP or nothing)."""
    return line == "+OK" or line.startswith("+OK ")


def is_challenge(line: str) -> bool:
    """Whether a line asks for a SASL response, in whatever form (RFC 5034, section 4)."""
    return line.startswith("+") and not line.startswith("+OK")
