"""Messages of a range that are handed out one by one, while the next are on their way.

Between two messages the caller may do anything. So what is under way is bounded by the sizes that
LIST gives, besides the bounds of every pipeline, and whatever else the session is to do first has
the rest of it read into memory, from where it is handed out later.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ._commands import list_all, shows_gaps
from ._exceptions import DeviationError, POP3Error, ProtocolError
from ._pipeline import Asked, Pipeline, report
from ._results import Message
from ._retrieval import Retrieval
from ._wants import Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ._pipeline import OnError
    from ._retrieval import Progress
    from ._session import Session
    from ._wants import Steps

__all__ = ["Choice", "Reading"]

Choice: TypeAlias = "Callable[[], Steps[Sequence[int]]]"
"""Says which messages there are to be read."""


class _Failure(NamedTuple):
    """A message that could not be had."""

    number: int
    error: POP3Error


class Reading(Retrieval):
    """Messages that are fetched ahead of a caller who takes them one by one.

    A message is handed out when it has the size that was announced for it or that LIST gives, or
    when the next answer is in its place: a server that mixes up its answers shows it there.

    Args:
        session: the session.
        choice: see ``Choice``.
        on_error: see ``OnError``; None: the first error ends the reading.
        progress: see ``Progress``.
        sizes: what LIST says, by number. None: LIST is asked, if anything is to be read ahead.
    """

    def __init__(
        self,
        session: Session,
        choice: Choice,
        on_error: OnError | None,
        progress: Progress | None,
        sizes: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(session, progress)
        self._choice = choice
        self._on_error = on_error
        self._told = progress
        self._sizes = sizes
        self._most = session.config.limits.pipeline_message_octets
        self._pipeline: Pipeline | None = None
        self._steps: Steps[None] | None = None
        self._ready: deque[Message | _Failure] = deque()
        self._unreported: set[int] = set()
        self._asked: set[int] = set()
        self._held: Message | None = None
        self._octets = 0
        self._draining = self._stopped = self._over = False

    def next(self) -> Steps[Message | None]:
        """Give the next message; None at the end.

        Raises:
            POP3Error: why a message failed, if there is no listener; ``retrieved`` has the
                messages that had been asked for and came after it. Or the end of the session.
        """
        if self._pipeline is None:
            self._pipeline = yield from self._begin()
        while True:
            while self._ready:
                item = self._ready.popleft()
                if isinstance(item, _Failure) and (yield from self._is_a_gap(item)):
                    continue
                message = self._hand_out(item)
                if message is not None:
                    return message
            if self._over:
                return None
            yield from self._go_on(self._pipeline)

    def drain(self) -> Steps[None]:
        """Have what is under way read to its end, so that another command may be given."""
        assert self._pipeline is not None  # else nothing is under way
        self._draining, self._progress = True, None
        try:
            yield from self._go_on(self._pipeline)
        finally:
            self._draining, self._progress = False, self._told

    def close(self) -> None:
        """Ask for no more; what is under way will be read and dropped. Sends nothing."""
        self._over = True
        self._ready.clear()
        self._held = None

    def take(self, asked: Asked, alone: bool) -> Steps[bool]:
        """Read one answer; see ``Take``. Pauses when there is something to hand out."""
        try:
            settled = yield from super().take(asked, alone)
        finally:
            if asked.keyword == "RETR":
                self._octets -= self._weight(asked.number)
        if self._ready and self._wants_more():
            yield Pause()
        return settled

    def _begin(self) -> Steps[Pipeline]:
        numbers = yield from self._choice()
        if not self._session.reads_ahead:
            self._sizes = {}
        elif self._sizes is None:
            self._sizes = {}
            if len(numbers) > 1:
                self._sizes = yield from self._listed_sizes(frozenset(numbers))
                numbers = yield from self._choice()  # LIST may have shown that there are others
        return Pipeline(self._session, self._sendable(numbers), self._fails)

    def _is_a_gap(self, failure: _Failure) -> Steps[bool]:
        """See whether the numbers have gaps; then there are other messages to ask for.

        Who reads ahead has asked LIST before. Else nothing is under way between two messages.
        """
        session = self._session
        if self._sizes or self._octets or not (yield from shows_gaps(session, failure.error)):
            return False
        there = yield from self._choice()
        if not there:
            return False
        try:
            session.deviations.settle()
        except DeviationError as error:
            error.retrieved = self._rest(error)
            self._over = True
            raise
        left = [number for number in there if number not in self._asked]
        self._pipeline = Pipeline(session, self._sendable(left), self._fails)
        self._steps = session.ahead = None
        self._stopped = self._over = False
        return True

    def _listed_sizes(self, numbers: frozenset[int]) -> Steps[dict[int, int]]:
        try:
            entries = yield from list_all(self._session)
        except POP3Error as error:
            if error.ends_session:
                raise
            self._session.deviations.excuse()
            return {}
        self._session.deviations.settle()
        return {number: octets for number, octets in entries if number in numbers}

    def _sendable(self, numbers: Iterable[int]) -> Iterator[Asked | None]:
        """Say what to send for each message; None as long as there is no room for it."""
        for number in numbers:
            while not self._has_room(number):
                yield None
            self._octets += self._weight(number)
            self._asked.add(number)
            yield from self.commands([number])

    def _has_room(self, number: int) -> bool:
        if not self._wants_more():
            return False
        return not self._octets or self._octets + self._weight(number) <= self._most

    def _wants_more(self) -> bool:
        return not (self._draining or self._stopped or self._over)

    def _weight(self, number: int) -> int:
        """Octets that a message counts for; if nobody knows its size, as many as there may be."""
        return max(1, (self._sizes or {}).get(number, self._most))

    def _go_on(self, pipeline: Pipeline) -> Steps[None]:
        """Read until there is something to hand out, or nothing is under way any more."""
        session = self._session
        session.require("RETR")
        if self._steps is None:
            self._steps = pipeline.run(self.take)
            session.ahead = self
        try:
            paused = yield from _until_pause(self._steps)
        except POP3Error as error:
            self._steps = session.ahead = None
            self._lose(error)
        else:
            if not paused:
                self._steps = session.ahead = None
                self._release()
                self._over = self._over or not self._draining

    def _lose(self, error: POP3Error) -> None:
        """Raise what has ended the session; what came before it goes with it."""
        if isinstance(error, ProtocolError):
            self._held = None
        self._release()
        if self._stopped:
            self._session.end(str(error))  # an earlier error is about to be raised
            return
        if not self._draining:  # else what has come can still be handed out
            error.retrieved = self._rest(error)
            self._over = True
        raise error

    def _keep(self, message: Message, sure: bool) -> None:
        if self._over:
            return
        if self._progress is not self._told:
            self._unreported.add(message.number)
        self._release()
        alone = self._octets == self._weight(message.number)
        if sure or alone or (self._sizes or {}).get(message.number) == message.octets:
            self._ready.append(message)
        else:
            self._held = message

    def _release(self) -> None:
        """Believe a message that was in doubt: the next answer is in its place."""
        if self._held is not None:
            self._ready.append(self._held)
            self._held = None

    def _fails(self, number: int, error: POP3Error) -> None:
        """Keep an error until it is its turn; with nobody to tell it to, ask for no more."""
        self._release()
        self._stopped = self._on_error is None
        if not self._over:
            self._ready.append(_Failure(number, error))

    def _hand_out(self, item: Message | _Failure) -> Message | None:
        if isinstance(item, _Failure):
            if self._on_error is None:
                item.error.retrieved = self._rest(item.error)
                self._over = True
            report(self._session, *item, self._on_error)
            return None
        if item.number in self._unreported and self._told is not None:
            self._told(item.number, item.octets, item.octets)
        return item

    def _rest(self, error: POP3Error) -> tuple[Message, ...]:
        """Empty the hands: messages go with the error, other errors to the listener."""
        fetched = [*error.retrieved]
        while self._ready:
            item = self._ready.popleft()
            if isinstance(item, Message):
                fetched.append(item)
            elif self._on_error is not None:
                self._on_error(*item)
        return tuple(sorted(fetched, key=lambda message: message.number))


def _until_pause(steps: Steps[None]) -> Steps[bool]:
    """Carry an operation on until it pauses.

    Returns:
        True if it pauses; false if it has come to its end.
    """
    try:
        want = next(steps)
        while not isinstance(want, Pause):
            try:
                answer = yield want
            except BaseException as error:  # noqa: BLE001 - the operation decides
                want = steps.throw(error)
            else:
                want = steps.send(answer)
    except StopIteration:
        return False
    return True
