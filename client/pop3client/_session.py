"""One session with one server: what is known, and the exchange of a command for a reply."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from . import _replies
from ._capabilities import Capabilities
from ._deviations import DeviationLog
from ._exceptions import (
    ConnectionClosed,
    InvalidArgument,
    LimitExceeded,
    OutOfStep,
    POP3ConnectionError,
    POP3Error,
)
from ._states import State, after_err, after_ok, require
from ._wants import Expect, Send, Steps
from ._wire import Body, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._config import Config, RetrMode
    from ._replies import Reply

__all__ = ["Session", "encoded"]

T = TypeVar("T")


def encoded(value: str, name: str) -> bytes:
    """Encode an argument as UTF-8.

    Args:
        value: the argument.
        name: what it is, for the error; the error never quotes the value.

    Raises:
        InvalidArgument: it would end the line (CR, LF), end a C string (NUL), or is no text.
    """
    # RFC 1939 section 3: a command is one line. An argument with a line end is two commands.
    if any(character in value for character in "\r\n\0"):
        raise InvalidArgument(f"{name}: expected text without CR, LF and NUL")
    octets = value.encode("utf-8", "replace")
    if octets.decode("utf-8") != value:
        raise InvalidArgument(f"{name}: expected text that UTF-8 can encode")
    return octets


class Session:
    """The protocol's side of a connection. Does no I/O, knows no clock.

    Args:
        config: the settings.

    Attributes:
        config: the settings in force; ``retr_mode`` falls in the course of a session.
        state: where the session stands.
        ended: why the session is closed, or ``""``.
        greeting: the greeting's text, as octets.
        encrypted: true once TLS stands.
        peer_is_local: true if the peer is this machine, so that nobody can listen in.
        capabilities: the last answer to CAPA; empty before, and after a refusal.
        capa_asked: true if CAPA was sent, or must not be.
        count: messages run from 1 to this number, deleted ones included.
        last_read: highest number retrieved in this session.
        has_last: false once the server has shown that it has no LAST worth asking.
        marked: numbers of the messages marked as deleted.
        secrets: octets that no error and no deviation may quote.
        deviations: what was put up with.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.wire = Wire()
        self.state = State.AUTHORIZATION
        self.ended = ""
        self.greeting = b""
        self.encrypted = False
        self.peer_is_local = False
        self.capabilities = Capabilities()
        self.capa_asked = False
        self.count = 0
        self.last_read = 0
        self.has_last = not config.msex  # Exchange has none
        self.marked: set[int] = set()
        self.secrets: tuple[bytes, ...] = ()
        self.deviations = DeviationLog(strict=config.strict)

    def guarded(self, steps: Steps[T]) -> Steps[T]:
        """Run an operation so that what goes wrong leaves the session in a known state.

        Errors learn what had arrived and lose what is secret. After an error that leaves client
        and server out of step, or an interruption in the middle, the session is over: the next
        reply to be read would be the wrong one.
        """
        try:
            result = yield from steps
            self.deviations.settle()
        except POP3Error as error:
            if isinstance(error, POP3ConnectionError) and not error.received:
                error.received = self.wire.reply
            error.hide(self.secrets)
            error.deviations = self.deviations.entries
            if error.ends_session:
                self.end(str(error))
            raise
        except BaseException as error:
            self.end(f"interrupted by {type(error).__name__}")
            raise
        finally:
            self.secrets = ()
            self.deviations.excuse()
        return result

    def end(self, why: str) -> None:
        """Close the session; every later command is refused and told why."""
        if self.state is not State.CLOSED:
            self.state, self.ended = State.CLOSED, why

    def require(self, command: str) -> None:
        """Raise StateError if the command is not allowed now."""
        require(command, self.state, self.ended)

    def note(self, quirk: str, where: str, detail: bytes = b"") -> None:
        """Take note of a deviation, without secrets."""
        for secret in filter(None, self.secrets):
            detail = detail.replace(secret, b"*****")
        self.deviations.note(quirk, where, detail)

    def fall_to(self, mode: RetrMode) -> None:
        """Use a slower retrieval mode from now on."""
        self.config = replace(self.config, retr_mode=mode)

    def command(
        self, keyword: str, *arguments: bytes | int, seconds: float | None = None
    ) -> Steps[Reply]:
        """Send a command and read its status line.

        Args:
            keyword: the command.
            arguments: numbers, and octets that ``encoded`` made; only numbers are named in
                errors.
            seconds: how long to wait; by default the session's timeout.

        Returns:
            The +OK reply.

        Raises:
            StateError: not allowed now; nothing was sent.
            OutOfStep: something arrived unasked; nothing was sent.
            CommandError: the server answered -ERR.
        """
        self.require(keyword)
        seconds = self.config.timeout if seconds is None else seconds
        numbers = [str(argument) for argument in arguments if isinstance(argument, int)]
        step = " ".join([keyword, *numbers])
        words = [b"%d" % item if isinstance(item, int) else item for item in arguments]
        yield from self.expect_silence(step)
        # RFC 1939 section 3: "keyword, possibly followed by arguments, all ended by CRLF". Sent
        # at one go: some servers cannot put a command together from two segments.
        line_end = b"\n" if self.config.lf_commands else b"\r\n"
        yield Send(b" ".join([keyword.encode(), *words]) + line_end, step, seconds)
        reply = yield from self.status(step, seconds)
        if not reply.ok:
            self.state = after_err(keyword, self.state)
            raise _replies.command_error(step, reply.text)
        self.state = after_ok(keyword, self.state)
        return reply

    def expect_silence(self, step: str) -> Steps[None]:
        """See that nothing lies unread before a command is sent.

        Raises:
            OutOfStep: something does.
            ConnectionClosed: the server has hung up.
        """
        self.wire.begin()
        count = yield from self.wire.poll()
        if count:
            raise OutOfStep(step, self.wire.pending)
        if count == 0:
            message = f"before {step}: expected an open connection, but the server has closed it"
            raise ConnectionClosed(message, step=step)

    def status(self, step: str, seconds: float) -> Steps[Reply]:
        """Read a status line."""
        where = step.partition(" ")[0]
        self.wire.begin()
        yield Expect(step, seconds)
        line = yield from self.wire.read_line(step, self.config.limits.line_octets)
        if not line.text:
            # Exchange Online now and then sends an empty line first. One, so that the wait for
            # the rest has an end.
            self.note("reply-blank-line", where)
            line = yield from self.wire.read_line(step, self.config.limits.line_octets)
        if line.end == b"\n":
            self.note("lf-only", where, line.text)
        return _replies.status(line.text, line.end, step)

    def listing(self, step: str, reply: Reply, limit: str) -> Steps[list[bytes]]:
        """Read the lines of a listing, up to the line that is a dot.

        Args:
            step: the name of the wait, for errors.
            reply: its status line.
            limit: the name of the limit for the number of lines.

        Raises:
            LimitExceeded: there are more lines.
        """
        where = step.partition(" ")[0]
        limits = self.config.limits
        allowed: int = getattr(limits, limit)
        lines: list[bytes] = []
        ends = {reply.line_end}
        while True:
            text, end = yield from self.wire.read_line(step, limits.line_octets)
            if text == b".":
                break
            if not text:
                self.note("first-line-blank", where)
            elif len(lines) == allowed:
                raise LimitExceeded(step, limit, allowed)
            else:
                lines.append(text[1:] if text.startswith(b"..") else text)
            ends.add(end)
        self._note_line_ends(where, ends, end)
        return lines

    def _note_line_ends(self, where: str, ends: set[bytes], last: bytes) -> None:
        if ends == {b"\r\n"}:
            if last == b"\n":
                self.note("dot-lf", where, b".\n")
        elif b"\r\n" in ends:  # else the status line has told
            self.note("lf-only", where, b"some lines of the listing")

    def body(
        self,
        step: str,
        reply: Reply,
        *,
        hint: int = 0,
        sink: Callable[[bytes], object] | None = None,
    ) -> Steps[Body]:
        """Read a message, after its status line."""
        where = step.partition(" ")[0]
        limits = self.config.limits
        yield Expect(step, self.config.timeout, limits.minimum_rate)
        body = yield from self.wire.read_body(
            step, reply.line_end, hint=hint, limit=limits.message_octets, sink=sink
        )
        if body.dot_lf:
            self.note("dot-lf", where, b".\n")
        if body.unstuffed:
            self.note("no-stuffing", where, body.unstuffed)
        return body
