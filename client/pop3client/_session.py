"""One session with one server: what is known, and the exchange of a command for a reply."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from . import _replies
from ._capabilities import Capabilities, CapabilitySnapshots
from ._deviations import DeviationLog
from ._exceptions import (
    ConnectionClosed,
    LimitExceeded,
    OutOfStep,
    POP3ConnectionError,
    POP3Error,
    StateError,
)
from ._masking import mask_octets
from ._states import State, after_err, after_ok, require
from ._wants import Ask, Call, Expect, Send, Steps
from ._wire import Body, Wire
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._config import Config, RetrMode
    from ._reading import Reading
    from ._replies import Reply
    from ._tls import TLSInfo
    from ._wire import Line

__all__ = ["Session"]

T = TypeVar("T")


class Session:
    """The protocol's side of a connection. Does no I/O, knows no clock.

    Args:
        config: the settings.

    Attributes:
        config: the settings in force; ``retr_mode`` falls in the course of a session.
        state: where the session stands.
        ended: why the session is closed, or ``""``.
        busy: true while an operation is under way.
        greeting: the greeting's text, as octets.
        user: the name of the maildrop, if the login said it.
        tls: what was agreed in the handshake; None without TLS.
        peer_is_local: true if the peer is this machine, so that nobody can listen in.
        capabilities: the last answer to CAPA; empty before, and after a refusal.
        snapshots: the last answer to CAPA in each stage of the session.
        capa_asked: true if CAPA was sent, or must not be.
        probed: what probing has shown about commands on which CAPA is silent.
        count: messages run from 1 to this number, deleted ones included.
        numbers: the messages' numbers, if a listing has shown that they are not 1 to ``count``;
            else empty.
        gaps_sought: true once LIST was asked because a message was refused.
        last_read: highest number retrieved in this session.
        has_last: false once the server has shown that it has no LAST worth asking.
        marked: numbers of the messages marked as deleted.
        secrets: octets that no error and no deviation may quote.
        deviations: what was put up with.
        log: tells what goes over the wire.
        ahead: the reading whose next messages are under way, if any are.
        lent: true while an operation waits for a function of the caller's, so that the
            connection is free for others.
        failure: what went wrong while the caller was at work; the next command raises it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.wire = Wire()
        self.state = State.UNOPENED
        self.ended = ""
        self.busy = False
        self.greeting = b""
        self.user = ""
        self.tls: TLSInfo | None = None
        self.peer_is_local = False
        self.capabilities = Capabilities()
        self.snapshots = CapabilitySnapshots()
        self.capa_asked = False
        self.probed: dict[str, bool] = {}
        self.count = 0
        self.numbers: tuple[int, ...] = ()
        self.gaps_sought = False
        self.last_read = 0
        self.has_last = not config.msex  # Exchange has none
        self.marked: set[int] = set()
        self.secrets: tuple[bytes, ...] = ()
        self.deviations = DeviationLog(strict=config.strict)
        self.log = WireLog(self)
        self.ahead: Reading | None = None
        self.lent = False
        self.failure: Exception | None = None
        self._expecting = False

    def guarded(self, steps: Steps[T], own: Reading | None = None) -> Steps[T]:
        """Run an operation so that what goes wrong leaves the session in a known state.

        What a reading has under way is read to its end before. Errors learn what had arrived and
        lose what is secret. After an error that leaves client and server out of step, or an
        interruption in the middle, the session is over: the next reply to be read would be the
        wrong one.

        Args:
            steps: the operation.
            own: the reading whose operation it is.

        Raises:
            StateError: another operation is under way; nothing was sent.
        """
        if self.busy and self.state is not State.CLOSED:
            # Its reply would go to the wrong one of the two.
            raise StateError(
                "another command is under way, or a message has not been read to its end"
            )
        self.busy = True
        try:
            if self.ahead is not None and self.ahead is not own:
                yield from self.ahead.drain()
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
            self.busy = False
            self.secrets = ()
            self.deviations.excuse()
        return result

    def end(self, why: str) -> None:
        """Close the session; every later command is refused and told why."""
        if self.state is not State.CLOSED:
            self.state, self.ended = State.CLOSED, why
            self.ahead = None

    def keep(self, *secrets: bytes) -> None:
        """Remember what no error and no deviation of this operation may quote."""
        self.secrets += secrets

    def require(self, command: str) -> None:
        """See that the command is allowed now.

        Raises:
            StateError: it is not.
            POP3Error: something went wrong since the last command.
        """
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        require(command, self.state, self.ended)

    def lend(self, function: Callable[[], object]) -> Steps[None]:
        """Have a function of the caller's called, which may take its time."""
        self.lent = True
        try:
            yield Call(function)
        finally:
            self.lent = False

    def note(self, quirk: str, where: str, detail: bytes = b"") -> None:
        """Take note of a deviation, without secrets."""
        for secret in filter(None, self.secrets):
            detail = mask_octets(detail, secret)
        self.deviations.note(quirk, where, detail)

    def fall_to(self, mode: RetrMode) -> None:
        """Use a slower retrieval mode from now on."""
        self.config = replace(self.config, retr_mode=mode)

    @property
    def pipelines(self) -> bool:
        """True if commands may be sent before earlier ones are answered (RFC 2449 section 6.6)."""
        asked = self.config.pipelining
        return self.capabilities.pipelining if asked is None else asked

    @property
    def reads_ahead(self) -> bool:
        """True if messages may be retrieved before they are asked for."""
        # RFC 2449 section 6.7: with EXPIRE 0 the server may delete what was retrieved, even if
        # nobody has got it.
        expire = self.capabilities.expire
        return self.pipelines and (expire is None or expire.days != 0)

    def one_at_a_time(self, where: str, detail: bytes) -> None:
        """Pipelining has gone wrong: do without from now on, and say so."""
        self.note("pipelined-race", where, detail)
        self.stop_pipelining()

    def stop_pipelining(self) -> None:
        """Wait for each answer from now on."""
        self.config = replace(self.config, pipelining=False)

    def command(
        self,
        keyword: str,
        *arguments: bytes | int,
        step: str = "",
        seconds: float | None = None,
    ) -> Steps[Reply]:
        """Send a command and read its status line.

        Args:
            keyword: the command.
            arguments: numbers, and octets that ``encoded`` made; only numbers are named in
                errors.
            step: the name of the wait; by default the keyword and the numbers.
            seconds: how long to wait; by default the session's timeout.

        Returns:
            The +OK reply.

        Raises:
            StateError: not allowed now; nothing was sent.
            OutOfStep: something arrived unasked; nothing was sent.
            CommandError: the server answered -ERR.
        """
        seconds = self.config.timeout if seconds is None else seconds
        step = yield from self.ask(keyword, *arguments, step=step, seconds=seconds)
        return (yield from self.answer(keyword, step, seconds))

    def ask(
        self,
        keyword: str,
        *arguments: bytes | int,
        step: str = "",
        seconds: float | None = None,
    ) -> Steps[str]:
        """Send a command, whose answer is for others to read; see ``command``.

        Returns:
            The name of the wait.
        """
        if not step:
            numbers = [str(argument) for argument in arguments if isinstance(argument, int)]
            step = " ".join([keyword, *numbers])
        words = [b"%d" % item if isinstance(item, int) else item for item in arguments]
        line = b" ".join([keyword.encode(), *words]) + self.line_end
        self.require(keyword)
        yield from self.exchange(line, step, self.config.timeout if seconds is None else seconds)
        return step

    def exchange(self, lines: bytes, step: str, seconds: float) -> Steps[None]:
        """Send whole lines, and wait until a reply begins, which then is expected.

        They go out at one go: some servers cannot put a line together from two segments.
        """
        want = self.asking(lines, step, seconds)
        self.asked(step, (yield want))

    def about(self, keyword: str, number: int) -> Ask:
        """Say what ``ask`` wants for a command about one message; see ``asking``."""
        self.require(keyword)
        step = f"{keyword} {number}"
        return self.asking(step.encode() + self.line_end, step, self.config.timeout)

    def asking(self, lines: bytes, step: str, seconds: float) -> Ask:
        """Say what ``exchange`` wants, for an operation that is to have one generator less.

        The answer is for ``asked``.
        """
        self.wire.begin()
        self.log.sent(lines, step)
        if self.wire.unread:
            raise OutOfStep(step, self.wire.pending)
        return Ask(lines, step, seconds, self.wire.first_room())

    def asked(self, step: str, answer: tuple[bool, int]) -> None:
        """Take in how what ``asking`` gave was answered."""
        sent, count = answer
        self.wire.first_came(count)
        if not sent:
            self._refuse(count, step)
        self._expecting = True  # an end of the stream is still there for the next to read

    def answer(self, keyword: str, step: str, seconds: float) -> Steps[Reply]:
        """Read the status line with which a command is answered; see ``command``."""
        reply = yield from self.status(step, seconds)
        self.moved(keyword, reply, step)
        return reply

    def send(self, line: bytes, step: str, seconds: float) -> Steps[None]:
        """Send a line."""
        yield from self.send_ahead(line + self.line_end, step, seconds)

    def send_ahead(self, lines: bytes, step: str, seconds: float) -> Steps[None]:
        """Send whole lines, whatever lies unread."""
        self.log.sent(lines, step)
        yield Send(lines, step, seconds)

    @property
    def line_end(self) -> bytes:
        """How commands end."""
        # RFC 1939 section 3: "keyword, possibly followed by arguments, all ended by CRLF".
        return b"\n" if self.config.lf_commands else b"\r\n"

    def moved(self, keyword: str, reply: Reply, step: str) -> None:
        """Follow the server to the state in which its reply puts the session.

        Raises:
            CommandError: the reply is -ERR.
            StateError: the session was aborted while the reply was on its way.
        """
        self.require(keyword)
        if not reply.ok:
            self.state = after_err(keyword, self.state)
            raise _replies.command_error(step, reply.text)
        self.state = after_ok(keyword, self.state)

    def expect_silence(self, step: str) -> Steps[None]:
        """See that nothing lies unread before a command is sent.

        Raises:
            OutOfStep: something does.
            ConnectionClosed: the server has hung up.
        """
        self.wire.begin()
        self._refuse((yield from self.wire.poll()), step)

    def _refuse(self, count: int | None, step: str) -> None:
        if count:
            raise OutOfStep(step, self.wire.pending)
        if count == 0:
            message = f"before {step}: expected an open connection, but the server has closed it"
            raise ConnectionClosed(message, step=f"before {step}")

    def status(self, step: str, seconds: float) -> Steps[Reply]:
        """Read a status line."""
        line = yield from self.line(step, seconds)
        return _replies.status(line.text, line.end, step)

    def expect(self, step: str, seconds: float) -> Steps[None]:
        """A reply begins here, and is waited for so long."""
        self.wire.begin()
        if not self.is_expected():
            yield Expect(step, seconds)

    def is_expected(self) -> bool:
        """Tell, once, whether a reply is waited for already: its command was told to."""
        expecting, self._expecting = self._expecting, False
        return expecting

    def line(self, step: str, seconds: float) -> Steps[Line]:
        """Read the line with which a reply begins."""
        yield from self.expect(step, seconds)
        where = step.partition(" ")[0]
        line = yield from self.wire.read_line(step, self.config.limits.line_octets)
        if not line.text:
            # Exchange Online now and then sends an empty line first. One, so that the wait for
            # the rest has an end.
            self.note("reply-blank-line", where)
            line = yield from self.wire.read_line(step, self.config.limits.line_octets)
        if line.end == b"\n":
            self.note("lf-only", where, line.text)
        self.log.received(line.text, step)
        return line

    def listing(self, step: str, reply: Reply, limit: str) -> Steps[list[bytes]]:
        """Read the lines of a listing, up to the line that is a dot; see ``entries``."""
        return (yield from self.entries(step, reply, limit, bytes))

    def entries(
        self,
        step: str,
        reply: Reply,
        limit: str,
        parse: Callable[[bytes], T],
        plain: _replies.Plain | None = None,
    ) -> Steps[list[T | bytes]]:
        """Read the entries of a listing, up to the line that is a dot.

        Args:
            step: the name of the wait, for errors.
            reply: its status line.
            limit: the name of the limit for the number of lines.
            parse: reads a line; called when the listing has come to its end.
            plain: knows lines that need no such care.

        Returns:
            The entries; lines that ``plain`` knows stay together as they came, each with its end.

        Raises:
            LimitExceeded: there are more lines.
        """
        where = step.partition(" ")[0]
        limits = self.config.limits
        allowed: int = getattr(limits, limit)
        entries: list[Any] = []
        odd: list[int] = []
        count = 0
        ends = {reply.line_end}
        if plain is not None and (plain.octets > limits.line_octets or self.log.active):
            plain = None
        while True:
            if plain is not None and (lines := self.wire.take_lines(plain.lines)):
                entries.append(lines)
                count += lines.count(b"\n")
                ends.add(b"\r\n")
                if count > allowed:
                    raise LimitExceeded(step, limit, allowed)
            text, end = yield from self.wire.read_line(step, limits.line_octets)
            self.log.received(text, step)
            if text == b".":
                break
            if not text:
                self.note("first-line-blank", where)
            elif count == allowed:
                raise LimitExceeded(step, limit, allowed)
            else:
                count += 1
                if plain is not None and plain.lines.fullmatch(text + end):
                    entries.append(text + end)  # it was only cut in two on its way
                else:
                    odd.append(len(entries))
                    entries.append(text[1:] if text.startswith(b"..") else text)
            ends.add(end)
        self._note_line_ends(where, ends, end)
        for place in odd:
            entries[place] = parse(entries[place])
        return entries

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
        stream: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> Steps[Body]:
        """Read a message, after its status line; see ``Wire.read_body``."""
        where = step.partition(" ")[0]
        limits = self.config.limits
        yield Expect(step, self.config.timeout, limits.minimum_rate)
        body = yield from self.wire.read_body(
            step,
            reply.line_end,
            hint=hint,
            limit=limits.message_octets,
            stream=stream,
            progress=progress,
        )
        if body.dot_lf:
            self.note("dot-lf", where, b".\n")
        if body.unstuffed:
            self.note("no-stuffing", where, body.unstuffed)
        self.log.body(body.octets)
        return body
