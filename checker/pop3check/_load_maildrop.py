"""What is known of a maildrop that many sessions use: who is in, what is there, what is gone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ._load_rules import Broken, Rule, named


@dataclass(eq=False, slots=True)
class Visit:
    """One session, as its maildrop knows it.

    Attributes:
        present: Unique-ids that had to be there when the login was sent.
        gone: Unique-ids that had been deleted when the login was sent.
        contested: Whether another session may have had the maildrop while this one asked for it.
        inside: Whether the login was accepted and the end has not begun.
        deleting: Unique-ids that its QUIT deletes.
    """

    present: frozenset[str]
    gone: frozenset[str]
    contested: bool
    inside: bool = False
    deleting: frozenset[str] = field(default=frozenset())


class Maildrop:
    """The state of one maildrop, as far as the sessions that are told to it determine it.

    Sessions may tell it from several threads. What is in doubt, since a QUIT is under way or was
    never answered, is not judged.

    Args:
        alone: Whether nobody else uses the account, so that what we have not done is not done.
        present: Unique-ids of all messages that are there at first.
        own: Unique-ids of those that the exercise may delete.
        settle: Seconds after which a dropped connection must have let go of the maildrop.
        delay: Seconds between two logins (RFC 2449, section 6.5).
        exclusive: Whether two sessions at a time break a rule, and are not only counted.

    Attributes:
        own: As above.
        overlaps: Sessions that were let in while another one was in.
        queued: Sessions that were let in while another one was at the door, and none was in.
    """

    def __init__(
        self,
        *,
        alone: bool = True,
        present: frozenset[str] = frozenset(),
        own: frozenset[str] = frozenset(),
        settle: float = 60.0,
        delay: float = 0.0,
        exclusive: bool = False,
    ) -> None:
        self.own = own
        self.overlaps = 0
        self.queued = 0
        self._alone = alone
        self._settle = settle
        self._delay = delay
        self._exclusive = exclusive
        self._mutex = threading.Lock()
        self._visits: set[Visit] = set()
        self._present = set(present)
        self._gone: set[str] = set()
        self._doubtful: set[str] = set()
        self._digests: dict[str, bytes] = {}
        self._sizes: dict[str, int] = {}
        self._free_from = float("-inf")
        self._next_login = float("-inf")
        self._last_login = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until the account's next login may be sent; that login is then taken."""
        with self._mutex:
            at = max(now, self._next_login)
            self._next_login = at + self._delay
            return at - now

    def note_login(self, now: float) -> None:
        """A login was sent, before or after all sessions."""
        with self._mutex:
            self._last_login = now
            self._next_login = max(self._next_login, now + self._delay)

    def until_login(self, now: float) -> float:
        """Seconds until a login may be sent if no other session waits for its own."""
        with self._mutex:
            return max(0.0, self._last_login + self._delay - now)

    # Who is in

    def knock(self, now: float) -> Visit:
        """A login is about to be sent."""
        with self._mutex:
            self._last_login = now
            contested = bool(self._visits) or now < self._free_from
            visit = Visit(frozenset(self._present), frozenset(self._gone), contested)
            for other in self._visits:
                other.contested = True
            self._visits.add(visit)
            return visit

    def enter(self, visit: Visit) -> None:
        """The login was accepted.

        Raises:
            Broken: Another session is in, and that must not be.
        """
        with self._mutex:
            visit.inside = True
            others = sum(other.inside for other in self._visits) - 1
            self.overlaps += others > 0
            self.queued += others == 0 and len(self._visits) > 1
        if others and self._exclusive:
            raise Broken(Rule.LOCK, "a refusal while another session is open", "+OK")

    def refuse(self, visit: Visit, answer: str) -> None:
        """The login was refused, not for a while and not for its password.

        Raises:
            Broken: Nobody could have had the maildrop.
        """
        with self._mutex:
            wrong = self._alone and not visit.contested
        if wrong:
            raise Broken(Rule.RELEASE, "+OK, since every session before has ended", answer)

    def begin_end(self, visit: Visit, deleting: frozenset[str] = frozenset()) -> None:
        """The session is about to end; from here on its marks may be deleted.

        Args:
            visit: The session.
            deleting: Unique-ids of what is marked, if it ends by QUIT.
        """
        with self._mutex:
            visit.inside = False
            visit.deleting = deleting
            self._doubtful |= deleting

    def deleted(self, visit: Visit) -> None:
        """QUIT was accepted: what was marked is gone."""
        with self._mutex:
            self._gone |= visit.deleting
            self._doubtful -= visit.deleting
            self._present -= visit.deleting

    def leave(self, visit: Visit, now: float, *, closed: bool) -> None:
        """The session has ended.

        Args:
            visit: The session.
            now: When.
            closed: Whether the server has closed the connection, after QUIT or a refusal.
        """
        with self._mutex:
            visit.inside = False
            self._visits.discard(visit)
            if not closed:
                self._free_from = max(self._free_from, now + self._settle)

    # What is there

    def see(self, visit: Visit, uids: set[str]) -> None:
        """A session has seen for the first time what there is.

        Raises:
            Broken: Something is missing, or has come back.
        """
        with self._mutex:
            known = self._doubtful | self._gone
            missing = set(visit.present) - uids - known
            back = uids & visit.gone
            # Said once: the next session goes on from what there is.
            self._present -= missing
            self._gone -= back
            self._present |= uids - known
        if back:
            raise Broken(Rule.GONE, "no message that QUIT has deleted", named(back))
        if missing and self._alone:
            raise Broken(
                Rule.KEPT, f"all of {len(visit.present)} unique-ids", f"no {named(missing)}"
            )

    def may_be_gone(self, uid: str) -> bool:
        """Whether another session has deleted a message, or is about to."""
        with self._mutex:
            return uid in self._doubtful or uid in self._gone

    def accounted_for(self, uids: set[str]) -> set[str]:
        """Those of the unique-ids that a QUIT may have deleted."""
        with self._mutex:
            return uids & (self._doubtful | self._gone)

    def size(self, uid: str, octets: int) -> None:
        """Judge the octets that LIST gives for a message.

        Raises:
            Broken: Another session was told something else.
        """
        with self._mutex:
            known = self._sizes.setdefault(uid, octets)
        if known != octets:
            raise Broken(Rule.CONTENT, f"{known} octets for {uid}, as before", str(octets))

    def content(self, uid: str, digest: bytes) -> None:
        """Judge the octets of a message.

        Args:
            uid: Its unique-id.
            digest: Of its octets.

        Raises:
            Broken: Another session got something else.
        """
        with self._mutex:
            known = self._digests.setdefault(uid, digest)
        if known != digest:
            raise Broken(Rule.CONTENT, f"the same octets of {uid} as before", "other octets")
