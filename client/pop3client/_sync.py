"""Mail that stays on the server: fetch what is new, once, and delete what has been kept enough.

The rule by which nothing is lost: a unique-id is believed to be that of a message delivered before
only if no other message of the listing has it, if the message has the size that it had, and if it
was in every listing since. Every other message is fetched, and delivered unless its very octets
were delivered under its unique-id before.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from ._arguments import check_number
from ._commands import dele, list_all, quit_, rset, uidl_all
from ._exceptions import (
    CommandError,
    EmptyMessage,
    InvalidArgument,
    LimitExceeded,
    NoUniqueIds,
    POP3ConnectionError,
    POP3Error,
)
from ._memory import Listed, Memory, fingerprint
from ._reading import Reading
from ._retrieval import present
from ._wants import Aside, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._results import Message, UniqueId
    from ._retrieval import Progress
    from ._seen import SeenMaildrop, SeenMessage, SeenStore
    from ._session import Session

__all__ = ["DeletePolicy", "SyncFailure", "SyncResult", "sync"]

_NUMBER = itemgetter(0)
"""What results are sorted by: the number of the message, or what begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolicy:
    """Which of the messages that were delivered are to be deleted from the server.

    A message is deleted if any of the conditions holds.

    Attributes:
        after: how long after its delivery: a ``timedelta``, or seconds. 0 means at once, None
            means that age is no reason.
        larger_than: messages of more octets than this, as soon as they are delivered. None means
            that size is no reason.

    Raises:
        InvalidArgument: a negative or endless time, or a negative size.
    """

    after: timedelta | float | None = None
    larger_than: int | None = None

    def __post_init__(self) -> None:
        seconds = self._seconds()
        if seconds is not None and not 0 <= seconds < math.inf:
            raise InvalidArgument("after: expected None, or a time that is finite and not negative")
        if self.larger_than is not None:
            check_number(self.larger_than, "larger_than", 0)

    def _seconds(self) -> float | None:
        return self.after.total_seconds() if isinstance(self.after, timedelta) else self.after

    def applies(self, message: SeenMessage, now: float) -> bool:
        """Tell whether a message is to be deleted.

        Args:
            message: what the store knows of it.
            now: seconds since 1970.
        """
        seconds = self._seconds()
        if seconds is not None and now - message.first_seen >= seconds:
            return True
        return self.larger_than is not None and message.octets > self.larger_than


class SyncFailure(NamedTuple):
    """A message that could not be fetched or deleted. The next ``sync`` tries it again.

    Attributes:
        number: its number in this session.
        uid: its unique-id.
        error: why; its ``command`` tells whether RETR, DELE or QUIT failed.
    """

    number: int
    uid: bytes
    error: POP3Error


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What ``sync`` did. Messages are named by number and unique-id.

    Attributes:
        fetched: delivered in this run, in that order.
        skipped: delivered in an earlier run.
        deleted: deleted from the server, which has confirmed it.
        duplicates: have a unique-id that others in the maildrop have as well.
        blank: have no unique-id.
        reused: have the unique-id of another message that was delivered earlier.
        failed: what went wrong with single messages.
    """

    fetched: tuple[UniqueId, ...]
    skipped: tuple[UniqueId, ...]
    deleted: tuple[UniqueId, ...]
    duplicates: tuple[UniqueId, ...]
    blank: tuple[UniqueId, ...]
    reused: tuple[UniqueId, ...]
    failed: tuple[SyncFailure, ...]


def sync(
    session: Session,
    store: SeenStore,
    deliver: Callable[[Message], object],
    delete: DeletePolicy | None,
    user: str | None,
    progress: Progress | None,
    fingerprint: bool,
) -> Steps[SyncResult]:
    """Fetch what is new and delete what is due; see ``POP3Client.sync``."""
    session.require("UIDL")
    session.require("RETR")
    user = user or session.user
    if not user:
        raise InvalidArgument("user: expected a name, since the login did not say one")
    run = _Sync(session, store, deliver, delete or DeletePolicy(), user, progress)
    try:
        yield from run.steps(fingerprint=fingerprint)
    except POP3Error as error:
        session.end(str(error))
        raise
    return run.result()


class _Sync:
    """One run."""

    def __init__(
        self,
        session: Session,
        store: SeenStore,
        deliver: Callable[[Message], object],
        policy: DeletePolicy,
        user: str,
        progress: Progress | None,
    ) -> None:
        self._session = session
        self._store = store
        self._deliver = deliver
        self._policy = policy
        self._user = user
        self._progress = progress
        self._copies: Counter[tuple[bytes, bytes]] = Counter()
        self._due: list[tuple[Listed, SeenMessage]] = []
        self._fetched: list[UniqueId] = []
        self._skipped: list[UniqueId] = []
        self._deleted: list[UniqueId] = []
        self._duplicates: list[UniqueId] = []
        self._blank: list[UniqueId] = []
        self._reused: list[UniqueId] = []
        self._failed: list[SyncFailure] = []

    def result(self) -> SyncResult:
        """Say what was done."""
        return SyncResult(
            tuple(self._fetched),
            tuple(sorted(self._skipped)),
            tuple(self._deleted),
            tuple(self._duplicates),
            tuple(self._blank),
            tuple(self._reused),
            tuple(sorted(self._failed, key=_NUMBER)),
        )

    def steps(self, *, fingerprint: bool) -> Steps[None]:
        """Do it all."""
        listing = yield from self._listing(fingerprint=fingerprint)
        config = self._session.config
        maildrop: SeenMaildrop = yield Aside(
            lambda: self._store.maildrop(config.host, config.port, self._user)
        )
        memory = Memory(maildrop, listing)
        yield Aside(memory.load)
        wanted = {each.number: each for each in listing if self._is_wanted(each, memory)}
        reading = self._reading(wanted)
        while (came := (yield from reading.next())) is not None:
            yield from self._received(wanted[came.number], came, memory)
        yield from self._delete(maildrop)

    def _is_wanted(self, message: Listed, memory: Memory) -> bool:
        """Tell whether a message has to be fetched; if not, see to it."""
        self._sort(message, memory)
        row = memory.believed.get(message.number)
        if row is not None:
            self._skipped.append(message.id)
            self._consider(message, row)
            return False
        limit = self._session.config.limits.message_octets
        if limit is not None and message.octets is not None and message.octets > limit:
            # To try it would end the session, in every run.
            self._fail(message, LimitExceeded(f"LIST {message.number}", "message_octets", limit))
            return False
        return True

    def _sort(self, message: Listed, memory: Memory) -> None:
        if not message.uid:
            self._blank.append(message.id)
        elif memory.is_shared(message.uid):
            self._duplicates.append(message.id)

    def _consider(self, message: Listed, row: SeenMessage) -> None:
        if self._policy.applies(row, self._store.now()):
            self._due.append((message, row))

    def _fail(self, message: Listed, error: POP3Error) -> None:
        self._failed.append(SyncFailure(*message.id, error))

    # The listing.

    def _listing(self, *, fingerprint: bool) -> Steps[list[Listed]]:
        # LIST comes first: of mail that arrives between the two, only the size is not known.
        sizes = yield from self._sizes()
        uids = yield from self._uids(fingerprint=fingerprint)
        self._session.deviations.settle()
        numbers = sorted(sizes.keys() | uids.keys())
        if not numbers:
            numbers = yield from present(self._session)
        return [Listed(each, uids.get(each, b""), sizes.get(each)) for each in numbers]

    def _sizes(self) -> Steps[dict[int, int]]:
        try:
            entries = yield from list_all(self._session)
        except POP3Error as error:
            if error.ends_session:
                raise
            return {}  # without sizes it has to do
        return dict(entries)

    def _uids(self, *, fingerprint: bool) -> Steps[dict[int, bytes]]:
        try:
            entries = yield from uidl_all(self._session)
        except CommandError as error:
            if "UIDL" in self._session.capabilities:
                raise  # it has UIDL, and it will be back
            if not fingerprint:
                raise NoUniqueIds(error.text) from error
            return {}
        return dict(entries)

    # One message.

    def _reading(self, wanted: Mapping[int, Listed]) -> Reading:
        """Fetch these messages, the next on their way while one is delivered."""

        def numbers() -> Steps[list[int]]:
            yield from ()
            return list(wanted)

        return Reading(
            self._session,
            numbers,
            lambda number, error: self._fail(wanted[number], error),
            self._progress,
            {each.number: each.octets for each in wanted.values() if each.octets is not None},
        )

    def _received(self, message: Listed, came: Message, memory: Memory) -> Steps[None]:
        if not came.raw and message.octets != 0:
            self._fail(message, EmptyMessage(message.number, message.octets))
            return
        came = replace(came, uid=message.uid)
        mark = fingerprint(came.raw)
        key = message.uid, mark
        self._copies[key] += 1
        if self._copies[key] <= memory.copies(*key):
            self._skipped.append(message.id)
        else:
            # It counts as seen only after ``deliver`` has returned: who is interrupted before the
            # store knows gets it once more, and nobody loses it.
            yield from self._session.lend(lambda: self._deliver(came))
            self._fetched.append(message.id)
            if memory.is_reused(message.uid):
                self._reused.append(message.id)
        octets = came.octets if message.octets is None else message.octets
        known: SeenMessage = yield Aside(lambda: memory.note(*key, octets, self._copies[key]))
        self._consider(message, known)

    # The end.

    def _delete(self, maildrop: SeenMaildrop) -> Steps[None]:
        marked: list[tuple[Listed, SeenMessage]] = []
        yield from self._unmark()
        for message, row in sorted(self._due, key=_NUMBER):
            try:
                yield from dele(self._session, message.number)
            except CommandError as error:
                self._session.deviations.excuse()
                self._fail(message, error)
            else:
                marked.append((message, row))
        try:
            yield from quit_(self._session)
        except (CommandError, POP3ConnectionError) as error:
            # Nobody knows what was deleted; the next listing will show it.
            for message, _ in marked:
                self._fail(message, error)
            return
        yield Aside(lambda: maildrop.deleted(row for _, row in marked))
        self._deleted = [message.id for message, _ in marked]

    def _unmark(self) -> Steps[None]:
        """Take back what the server has marked of its own, so that DELE finds it unmarked."""
        if not (self._due and self._session.config.rset_before_quit):
            return
        try:
            yield from rset(self._session)
        except CommandError:
            self._session.deviations.excuse()  # QUIT is going to fail by it
