"""What the sessions of an exercise of load share, and how one of them is played."""

from __future__ import annotations

import base64
import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ._connection import Connection, Connections
from ._dialogue import Dialogue, positive
from ._facts import Discovery
from ._findings import Finding, Inconclusive, Unmet
from ._fixtures import OWN
from ._load_maildrop import Maildrop
from ._load_report import Violation
from ._load_rules import Broken, Rule
from ._load_session import Session, Sink
from ._talk import Talk
from ._wants import Breakdown
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._facts import Facts
    from ._limits import Limits
    from ._load_plan import LoadPlan
    from ._target import Target
    from ._wants import Wants

#: Lines of a session that a violation shows.
_SHOWN = 40

_SECONDS = re.compile(r"[0-9]{1,6}")
_OWN = re.compile(rf"(?im)^{OWN}:")


class Judge(Sink, Protocol):
    """Who hears what comes of sessions, and how each ends."""

    def ended(self, *, admitted: bool) -> None:
        """A session has come to its end."""

    def failed(self, command: str, why: str) -> None:
        """A session could not be judged any further."""

    def violated(self, violation: Violation) -> None:
        """A session has met what breaks a rule."""


@dataclass(frozen=True, slots=True)
class _Account:
    target: Target
    facts: Facts
    maildrop: Maildrop


class Exercise:
    """What the sessions of an exercise share: the accounts, and what is known of them.

    Args:
        targets: The accounts.
        limits: How far it may go: read-only, marks that are never committed, deletion of messages
            that bear the checker's own header field.
        plan: How much is asked of the server.
    """

    def __init__(self, targets: Sequence[Target], limits: Limits, plan: LoadPlan) -> None:
        if not targets or not all(target.user for target in targets):
            raise ValueError("expected accounts, each with a user")
        self._targets = tuple(targets)
        self._limits = limits
        self._plan = plan
        self._accounts: tuple[_Account, ...] = ()

    @property
    def overlaps(self) -> int:
        """Sessions that were let in while another one had the same maildrop."""
        return sum(account.maildrop.overlaps for account in self._accounts)

    @property
    def queued(self) -> int:
        """Sessions that were let in while another one was at the door, and none was in."""
        return sum(account.maildrop.queued for account in self._accounts)

    def survey(self) -> None:
        """Ask each account once, alone, what there is.

        Where messages may be marked, one is, and its connection dropped: a server that deletes it
        gets no other to mark.

        Raises:
            Finding: The server does not let us in, or deletes what no QUIT has committed.
            Breakdown: It cannot be reached.
        """
        self._accounts = tuple(self._look(target) for target in self._targets)
        for account in self._accounts:
            self._try_marks(account)

    def play(self, number: str, judge: Judge, is_over: Callable[[], bool] = lambda: False) -> None:
        """Play one session on a connection of its own, and tell the judge what came of it.

        Args:
            number: Its number; with the seed it stands for all its choices.
            judge: Hears of it.
            is_over: Whether to come to an end.
        """
        choices = random.Random(f"{self._plan.seed}:{number}")
        account = choices.choice(self._accounts)
        log = _log(account.target)
        session = Session(
            account.target,
            account.facts,
            self._limits,
            account.maildrop,
            Dialogue(account.target, log),
            choices,
            judge,
            is_over,
        )
        try:
            with Connection(account.target, self._limits.deadline) as connection:
                judge.ended(admitted=connection.run(session.play()))
        except (Broken, Unmet) as error:
            self._judge(judge, session, error, account, number, log)
        except (Finding, Breakdown) as error:
            judge.failed(session.asked, log.masked(str(error)))

    def lost(self) -> tuple[str, ...]:
        """Unique-ids that the survey saw, that no QUIT has deleted, and that are not there now.

        Raises:
            Finding: The server does not let us in.
            Breakdown: It cannot be reached.
        """
        return tuple(uid for account in self._accounts for uid in self._missing(account))

    def _judge(
        self,
        judge: Judge,
        session: Session,
        error: Broken | Unmet,
        account: _Account,
        number: str,
        log: WireLog,
    ) -> None:
        if isinstance(error, Unmet) and error.closed:
            # Whoever is asked for too much may hang up: that says nothing about the rules.
            judge.failed(session.asked, "the server closed the connection")
            return
        rule = error.rule if isinstance(error, Broken) else Rule.REPLY
        judge.violated(
            Violation(
                rule.value,
                rule.requirement,
                rule.section,
                log.masked(error.expected),
                log.masked(error.actual),
                session.asked,
                account.target.user,
                number,
                self._plan.seed,
                log.lines[-_SHOWN:],
            )
        )

    def _look(self, target: Target) -> _Account:
        dialogue = Dialogue(target, _log(target))
        discovery = Discovery(target, dialogue)
        with Connection(target, self._limits.deadline) as connection:
            connection.run(discovery.run())
            facts = discovery.facts
            if not facts.logged_in:
                raise Inconclusive(f"{target.user}: {facts.no_login}")
            own = connection.run(self._own(dialogue, facts))
            connection.run(dialogue.leave())
        delay = _SECONDS.match(facts.argument("LOGIN-DELAY") or "")
        maildrop = Maildrop(
            alone=self._plan.alone,
            present=frozenset(facts.uids.values()),
            own=frozenset(own),
            settle=self._plan.settle,
            delay=float(delay[0]) if delay else 0.0,
            exclusive=self._plan.exclusive,
        )
        maildrop.note_login(time.monotonic())
        return _Account(target, facts, maildrop)

    def _await_login(self, account: _Account) -> None:
        """Let pass what the server wants between two logins.

        Raises:
            Inconclusive: It wants more than the run has.
        """
        seconds = account.maildrop.until_login(time.monotonic())
        if seconds > self._limits.total:
            raise Inconclusive(f"LOGIN-DELAY wants {seconds:.0f} s before the next login")
        time.sleep(seconds)
        account.maildrop.note_login(time.monotonic())

    def _own(self, dialogue: Dialogue, facts: Facts) -> Wants[set[str]]:
        """Unique-ids of messages with the checker's own header field; only where they matter."""
        own: set[str] = set()
        if not (self._limits.may_mark and facts.uidl and facts.top):
            return own
        for number, uid in facts.uids.items():
            if not positive((yield from dialogue.ask(f"TOP {number} 0"))):
                continue
            header = yield from dialogue.message("a header")
            yield from dialogue.octets(3, "the terminator")
            if _OWN.search(header.decode("latin-1")):
                own.add(uid)
        return own

    def _try_marks(self, account: _Account) -> None:
        uids, own = account.facts.uids, account.maildrop.own
        first = [number for number, uid in uids.items() if uid in own]
        if self._limits.may_mark and self._limits.any_message:
            first += uids  # if one is to be risked, rather one of our own
        if not first:
            return
        self._await_login(account)
        talk = Talk(account.target, account.facts, _log(account.target), self._limits)
        talk.guards = False  # the model knows which messages are the run's own
        with Connections(account.target, self._limits.deadline) as connections:
            connections.run(talk.enter("marks"))
            connections.run(talk.accepted(f"DELE {first[0]}"))
            connections.run(talk.drop())
        if uids[first[0]] not in self._uids(account):
            raise Inconclusive("a dropped connection deletes what is marked: nothing more is")

    def _missing(self, account: _Account) -> list[str]:
        if not account.facts.uidl:
            return []
        missing = set(account.facts.uids.values()) - self._uids(account)
        return sorted(missing - account.maildrop.accounted_for(missing))

    def _uids(self, account: _Account) -> set[str]:
        """The unique-ids that are there now; whoever was dropped has a while to let go."""
        self._await_login(account)
        talk = Talk(account.target, account.facts, _log(account.target), self._limits)
        talk.guards = False  # the model knows which messages are the run's own
        with Connections(account.target, self._limits.deadline) as connections:
            uids = connections.run(talk.uids_again())
            connections.run(talk.quit())
        return set(uids.values())


def _log(target: Target) -> WireLog:
    """A log that shows the password in none of the forms in which it is sent."""
    plain = f"\0{target.user}\0{target.password}".encode()
    encoded = (base64.b64encode(octets).decode() for octets in (plain, target.password.encode()))
    return WireLog(target.password, *encoded)
