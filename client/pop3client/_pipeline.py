"""Commands for many messages, sent ahead of the answers to earlier ones (RFC 2449 section 6.6).

How many are under way is bounded by number and by octets, so that what is under way fits into the
buffers between client and server: else each could wait for ever for the other to read. The window
opens when a first command has been answered alone, and has shown nothing that changes what is to
be sent for the next messages. A server that cannot be trusted with PIPELINING has it at one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ._exceptions import LimitExceeded, POP3ConnectionError, POP3Error, ProtocolError
from ._states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._config import RetrMode
    from ._session import Session
    from ._wants import Steps

__all__ = ["Asked", "OnError", "Pipeline", "Take", "report"]

OnError: TypeAlias = "Callable[[int, POP3Error], object]"
"""Told the number of a message and why it failed; the range goes on with the next."""


class Asked(NamedTuple):
    """A command about one message.

    Attributes:
        keyword: the command.
        number: the message.
        mode: the retrieval mode in which it was sent.
    """

    keyword: str
    number: int
    mode: RetrMode


Take: TypeAlias = "Callable[[Asked, bool], Steps[bool]]"
"""Reads the answer to a command, and is told whether no other one is under way. Gives true if the
answer has told nothing new about what is to be sent for other messages."""


AtHand: TypeAlias = "Callable[[Asked, bool], bool | None]"
"""Does what ``Take`` does if the answer has come already and is a plain one; else gives None."""


class Pipeline:
    """The commands that were sent and have not been answered.

    Args:
        session: the session.
        commands: what to send, in this order; each is asked for just before it is sent. None
            means that there is more, but not before another answer.
        on_error: see ``OnError``; None: nothing more is sent after the first error, and it is
            raised when everything that was sent before has been answered.
        stops: tells of an error whether it is raised so although somebody listens.
    """

    def __init__(
        self,
        session: Session,
        commands: Iterator[Asked | None],
        on_error: OnError | None,
        stops: Callable[[POP3Error], bool] = lambda _error: False,
    ) -> None:
        self._session = session
        self._commands = commands
        self._on_error = on_error
        self._stops = stops
        self._sent: deque[tuple[Asked, int]] = deque()
        self._octets = 0
        self._most_commands = self._most_octets = 1
        self._left: Asked | None = None
        self._failure: POP3Error | None = None

    def run(self, take: Take, at_hand: AtHand = lambda _asked, _alone: None) -> Steps[None]:
        """Send all, and have each answer read in its turn.

        Args:
            take: see ``Take``.
            at_hand: does the same with an answer that has come already; see ``AtHand``.

        Raises:
            POP3Error: what ``take`` raised, if there is no ``on_error`` or it ends the session.
        """
        while True:
            if self._failure is None and self._is_low():
                yield from self._refill()
            if not self._sent:
                break
            asked, _ = self._sent[0]
            alone = self._most_commands == 1
            try:
                settled = at_hand(asked, alone)
                if settled is None:
                    settled = yield from take(asked, alone)
            except POP3Error as error:
                self._fail(asked, error)
            else:
                if settled and alone:
                    self._open()
            if self._sent:
                self._answered()
        if self._failure is not None:
            raise self._failure

    def _is_low(self) -> bool:
        """Tell whether half of what may be under way is answered."""
        return len(self._sent) * 2 <= self._most_commands and self._octets * 2 <= self._most_octets

    def _answered(self) -> None:
        _, octets = self._sent.popleft()
        self._octets -= octets

    def _fail(self, asked: Asked, error: POP3Error) -> None:
        """Decide what becomes of an error: raise it, keep it for the end, or report it."""
        self._notice_race(error, asked.keyword)
        if self._failure is None:
            if error.ends_session:
                raise error
            self._failure = self._excuse(asked.number, error)
        elif error.ends_session:
            self._session.end(str(error))
            self._sent.clear()
        else:
            self._session.deviations.excuse()

    def _excuse(self, number: int, error: POP3Error) -> POP3Error | None:
        """Report an error; give it back if it is to be raised."""
        if self._on_error is None or self._stops(error):
            self._session.deviations.excuse()
            return error
        report(self._session, number, error, self._on_error)
        return None

    def _open(self) -> None:
        if self._session.pipelines:
            limits = self._session.config.limits
            self._most_commands = limits.pipeline_commands
            self._most_octets = limits.pipeline_octets

    def _refill(self) -> Steps[None]:
        """Send as much as may be sent."""
        session, idle = self._session, not self._sent
        lines = list(self._ready())
        if not lines:
            return
        first, _ = self._sent[-len(lines)]
        step = f"{first.keyword} {first.number}"
        session.require(first.keyword)
        send = session.exchange if idle else session.send_ahead
        try:
            yield from send(b"".join(lines), step, session.config.timeout)
        except POP3Error as error:
            self._notice_race(error, first.keyword)
            raise

    def _ready(self) -> Iterator[bytes]:
        """Take the commands that may be sent now, at least one if none is under way."""
        line_end = self._session.line_end.decode()
        sent = self._sent
        # The next command is asked for only now: the last answer may have changed what it is.
        while len(sent) < self._most_commands:
            asked = self._left or next(self._commands, None)
            if asked is None:
                return
            line = f"{asked.keyword} {asked.number}{line_end}".encode()
            octets = len(line)
            if sent and self._octets + octets > self._most_octets:
                self._left = asked
                return
            self._left = None
            sent.append((asked, octets))
            self._octets += octets
            yield line

    def _notice_race(self, error: POP3Error, keyword: str) -> None:
        """Blame pipelining if client and server have lost each other while it was in use."""
        lost = isinstance(error, (POP3ConnectionError, ProtocolError)) and error.ends_session
        if not lost or isinstance(error, LimitExceeded) or len(self._sent) < 2:
            return
        if self._session.state is State.CLOSED:
            return  # aborted by the caller
        self._session.one_at_a_time(keyword, str(error).encode())
        error.args = (f"{error}; {len(self._sent)} commands were under way, try pipelining=False",)


def report(session: Session, number: int, error: POP3Error, on_error: OnError | None) -> None:
    """Tell the listener of an error, or raise it if there is none or the session is over."""
    if on_error is None or error.ends_session:
        raise error
    session.deviations.excuse()
    on_error(number, error)
