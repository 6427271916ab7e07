"""A run: which case is asked when and in which session, and what comes of it."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import TYPE_CHECKING

from ._conversation import Conversation
from ._facts import Discovery, Facts
from ._findings import Finding, Inconclusive, Skipped, Unmet
from ._fixtures import ARRIVING, all_stored
from ._gates import forbidden, unfit
from ._pace import Pace
from ._passive import Passive
from ._plan import RESET_WORKS, is_asked_first
from ._seeding import SeedingError
from ._sessions import Own, Shared
from ._talk import Talk
from ._verdict import Ending, Outcome, Verdict
from ._wants import Breakdown, HandshakeFailed, Lost, Silence
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._cases import Case
    from ._dialogue import Dialogue
    from ._limits import Limits
    from ._target import Target
    from ._wants import Wants


class Run:
    """What the cases of one run share: the target, and what is known of the server.

    Args:
        target: The server and the account.
        limits: How far the run may go.
        facts: What is known of the server; None: it is asked first.
        mark: What marks the run's own messages; empty if it has brought none.
        seed: Puts messages into the maildrop; None if there is no way to.

    Attributes:
        facts: What is known of the server; None if it cannot be reached.
        deleted: Unique-ids of messages that were deleted on purpose.
        before: Unique-ids of all messages when the run began.
    """

    def __init__(
        self,
        target: Target,
        limits: Limits,
        facts: Facts | None = None,
        mark: str = "",
        seed: Callable[[list[bytes]], None] | None = None,
    ) -> None:
        self._target = target
        self._limits = limits
        self._mark = mark
        self._seed = seed
        self._unreachable = ""
        self._pace = Pace(limits)
        self._passive = Passive()
        self._failures_left = limits.login_failures
        self._outcomes: dict[str, Outcome] = {}
        self._shared = Shared(target, self._pace)
        self.facts = facts
        self.deleted: set[str] = set()
        self.before: set[str] = set()

    def assume(self, case_id: str) -> None:
        """Take a case for passed that was passed before."""
        self._outcomes[case_id] = Outcome.PASS

    def judge(self, case: Case) -> Verdict:
        """The verdict upon one case, which is not judged of every octet of the run."""
        began = time.monotonic()
        verdict = self._judged(case, began)
        self._outcomes[case.id] = verdict.outcome
        if case.id == RESET_WORKS and self.facts is not None:
            self.facts.resets = verdict.outcome is Outcome.PASS
        return verdict

    def judge_all_octets(self, case: Case) -> Verdict:
        """The verdict upon a case that is judged of every octet of the run: after all others."""
        self.close()
        facts = self.discovered()
        if facts is None:
            return _verdict(case, Outcome.ERROR, reason=self._unreachable)
        if reason := unfit(case, self._target, facts, self._limits):
            return _verdict(case, Outcome.SKIP, reason=reason)
        found = self._passive.found(case.id)
        log = self._log()
        if found is None:
            return _verdict(case, Outcome.SKIP, reason="nothing came that could be judged")
        if not found:
            return _verdict(case, Outcome.PASS)
        return _verdict(
            case, case.unmet, expected=case.requirement, actual="; ".join(found), log=log
        )

    def close(self) -> None:
        """Leave the session that the cases share."""
        self._review(self._shared.leave())

    def lost(self) -> tuple[str, ...]:
        """Leave the server, and tell which messages are gone that nobody meant to delete.

        Returns:
            Their unique-ids; none either where they cannot be asked for.
        """
        self.close()
        after = self._unique_ids() if self.before else None
        return () if after is None else tuple(sorted(self.before - after - self.deleted))

    def _unique_ids(self) -> set[str] | None:
        """The unique-ids that are in the maildrop now; None if they cannot be asked for."""
        if self.facts is None or not self.facts.logged_in or not self.facts.uidl:
            return None
        self._pace.before_login(self.facts)
        facts = self._discover(capa=False)
        return set(facts.uids.values()) if facts is not None and facts.uidl else None

    def _judged(self, case: Case, began: float) -> Verdict:
        if reason := forbidden(case, self._limits):
            return _verdict(case, Outcome.SKIP, reason=reason)
        facts = self.discovered() or (Facts() if case.needs_nothing else None)
        if facts is None:
            return _verdict(case, Outcome.ERROR, reason=self._unreachable)
        if reason := self._not_now(case, facts):
            return _verdict(case, Outcome.SKIP, reason=reason)
        return self._ask(case, facts, began)

    def _not_now(self, case: Case, facts: Facts) -> str:
        if {"lock", "no-lock"} & set(case.about.gates) and facts.locks is None:
            facts.locks = self._asked_for_lock(facts)
        if reason := unfit(case, self._target, facts, self._limits):
            return reason
        for name in is_asked_first(case):
            if self._outcomes.get(name) is not Outcome.PASS:
                return f"{name} has to be passed first"
        if "fails-login" in case.about.effects:
            if not self._failures_left:
                return "no more logins may fail on purpose (--login-failures)"
            self._failures_left -= 1
        wait = self._pace.until_login(facts) if case.logs_in else 0.0
        if "slow" in case.about.effects:
            return ""
        if self._pace.left <= wait:
            return "the run has taken as long as it may (--total)"
        return ""

    # What the server is

    def discovered(self) -> Facts | None:
        """The facts, asked for once; None if the server cannot be reached."""
        if self.facts is None and not self._unreachable:
            self.facts = self._discover(capa=True)
            self.before = set(self.facts.uids.values()) if self.facts is not None else set()
        return self.facts

    def _discover(self, *, capa: bool) -> Facts | None:
        log = self._log()
        facts = self.facts or Facts(run=self._mark)
        talk = Talk(self._target, facts, log, self._limits)
        with Own(self._target, self._pace, self._limits.deadline) as own:
            discovery: Discovery | None = None
            try:
                own.run(talk.connect(greeted=False, secure=False))
                discovery = Discovery(self._target, talk.dialogue, run=self._mark, capa=capa)
                own.run(discovery.run())
                own.leave(talk.dialogues, talk.over)
            except (Finding, Breakdown) as error:
                return self._as_far_as_it_came(discovery, error, log, capa=capa)
            finally:
                self._review(talk.dialogues)
        facts = discovery.facts
        if facts.logged_in:
            self._pace.note_login()
        if self._mark and discovery.hidden:
            self._look_with_utf8(facts)
        return facts

    def _look_with_utf8(self, facts: Facts) -> None:
        """Find the run's own messages that are refused without UTF8."""
        talk = Talk(self._target, facts, self._log(), self._limits)
        self._pace.before_login(facts)
        own = Own(self._target, self._pace, self._limits.deadline)
        with own, contextlib.suppress(Finding, Breakdown):
            own.run(talk.connect(greeted=False, secure=False))
            discovery = Discovery(self._target, talk.dialogue, run=self._mark)
            own.run(discovery.look_with_utf8(facts))
            own.leave(talk.dialogues, talk.over)
        self._review(talk.dialogues)

    def _as_far_as_it_came(
        self, discovery: Discovery | None, error: Exception, log: WireLog, *, capa: bool
    ) -> Facts | None:
        hopeless = isinstance(error, Inconclusive | HandshakeFailed)
        if discovery is None or hopeless or "GREETING" not in discovery.facts.answered:
            self._unreachable = log.masked(str(error))
            return None
        if discovery.asked == "CAPA" and capa:
            return self._discover(capa=False)  # some servers close on CAPA
        if not discovery.facts.logged_in:
            discovery.facts.no_login = f"after {discovery.asked}: {log.masked(str(error))}"
        return discovery.facts

    def _look_again(self, facts: Facts, deleted: set[str]) -> None:
        """After a deletion or a delivery there are other messages, and other numbers."""
        self.deleted |= deleted
        now = self._discover(capa=False)
        if now is not None and now.logged_in:
            facts.count, facts.octets, facts.sizes = now.count, now.octets, now.sizes
            facts.uids, facts.fixtures = now.uids, now.fixtures
            facts.top = facts.top if now.top is None else now.top

    def _asked_for_lock(self, facts: Facts) -> bool | None:
        """Whether a second session of the user is refused while the first is open."""
        if not facts.logged_in or self._limits.connections < 2:
            return None
        self.close()
        talk = Talk(self._target, facts, self._log(), self._limits)
        locks: bool | None = None
        with Own(self._target, self._pace, self._limits.deadline) as own:
            with contextlib.suppress(Finding, Breakdown):
                own.run(talk.enter("first"))
                own.run(talk.connect("second"))
                locks = not own.run(talk.logs_in())
            own.leave(talk.dialogues, talk.over)
        self._review(talk.dialogues)
        return locks

    # The run's own messages

    def bring(self, seed: Callable[[list[bytes]], None]) -> None:
        """Put the run's own messages into the maildrop, and wait until they are there.

        Nothing is brought to a server that does not let the run in.

        Args:
            seed: Puts messages into the maildrop.
        """
        facts = self.discovered()
        if facts is None or not facts.logged_in:
            return
        facts.run = self._mark
        try:
            seed(all_stored(self._mark))
        except SeedingError as error:
            mask = self._log().masked
            facts.undelivered = {
                ARRIVING[place]: f"could not be delivered: {mask(why)}"
                for place, why in error.failed.items()
            }
        self._wait_for(facts, set(ARRIVING) - set(facts.undelivered))
        self.before |= set(facts.uids.values())

    def _wait_for(self, facts: Facts, wanted: set[str]) -> None:
        for _ in self._pace.attempts(self._limits.arrival if wanted else 0.0):
            self._pace.before_login(facts)
            self._look_again(facts, set())
            if wanted <= set(facts.fixtures):
                return
        late = f"has not arrived within {self._limits.arrival:g} s"
        facts.undelivered |= dict.fromkeys(wanted - set(facts.fixtures), late)

    # Asking

    def _ask(self, case: Case, facts: Facts, began: float) -> Verdict:
        log = self._log()
        if case.shares:
            return self._ask_in_shared(case, facts, log, began)
        if case.logs_in or "second-session" in case.about.effects:
            self.close()  # a server that locks the maildrop would refuse
        talk = self._talk(case, facts, log, None)
        with Own(self._target, self._pace, self._deadline(case)) as own:
            if case.logs_in:
                self._pace.before_login(facts)
            try:
                verdict = self._converse(own, case, talk, log, began)
                own.leave(talk.dialogues, talk.over)
            except Breakdown as error:
                verdict = _broke_down(case, talk, log, facts, error, began)
        self._review(talk.dialogues)
        if {"deletes", "delivers"} & set(case.about.effects):
            self._look_again(facts, talk.deleted)
        return verdict

    def _ask_in_shared(self, case: Case, facts: Facts, log: WireLog, began: float) -> Verdict:
        try:
            dialogue = self._shared.session(facts, log, self._limits)
        except (Finding, Breakdown) as error:
            return _verdict(case, Outcome.ERROR, reason=str(error), log=log)
        talk = self._talk(case, facts, log, dialogue)
        try:
            verdict = self._converse(self._shared, case, talk, log, began)
        except Breakdown as error:
            verdict = _broke_down(case, talk, log, facts, error, began)
        if not self._shared.is_in_step():
            self._review(self._shared.abandon())
        return verdict

    def _converse(
        self, session: Own | Shared, case: Case, talk: Talk, log: WireLog, began: float
    ) -> Verdict:
        try:
            session.run(_whole(case, talk))
        except (ValueError, LookupError) as error:
            # What a server says can be odder than a case is ready for: no reason to lose the run.
            broke = Inconclusive(f"the case itself broke: {type(error).__name__}: {error}")
            return _found(case, talk, log, broke, began)
        except Finding as finding:
            verdict = _found(case, talk, log, finding, began)
            if verdict.ending is not Ending.OURS:
                talk.over.add(talk.on)
            return verdict
        outcome = Outcome.INFO if talk.notes else Outcome.PASS
        return _verdict(case, outcome, talk=talk, ending=talk.ending, log=log, began=began)

    def _talk(self, case: Case, facts: Facts, log: WireLog, begun: Dialogue | None) -> Talk:
        talk: Talk
        if case.scenario.script is None:
            talk = Talk(self._target, facts, log, self._limits, begun)
            talk.seed = self._seed
        else:
            talk = Conversation(case.scenario, self._target, facts, log, self._limits, begun)
        talk.deletes = "deletes" in case.about.effects
        own_file = case.scenario.file.case is None
        talk.may_delete_others = self._limits.any_message and own_file
        talk.guards = not own_file and case.about.state != "authorization"
        return talk

    def _deadline(self, case: Case) -> float:
        if "slow" not in case.about.effects:
            return self._limits.deadline
        self._pace.extend(_SLOW)
        return _SLOW

    def _review(self, dialogues: dict[str, Dialogue]) -> None:
        for dialogue in dialogues.values():
            self._passive.review(dialogue.tape)

    def _log(self) -> WireLog:
        user, password = self._target.user, self._target.password
        if not password:
            return WireLog()
        octets = password.encode("utf-8", "surrogateescape")
        plain = f"\0{user}\0".encode() + octets
        encoded = (base64.b64encode(each).decode() for each in (plain, octets))
        # Octets are also shown with escapes, by more than one rule.
        return WireLog(password, *encoded, repr(octets)[2:-1], repr(password)[1:-1])


#: Seconds that a slow case may take.
_SLOW = 1500.0


def _whole(case: Case, talk: Talk) -> Wants[None]:
    """Everything that is said for a case."""
    if case.about.state is not None and not talk.dialogues:
        yield from talk.connect()
        if case.about.state == "transaction":
            yield from talk.log_in()
    if isinstance(talk, Conversation):
        yield from talk.play()
    else:
        assert case.probe is not None
        yield from case.probe(talk)


def _found(case: Case, talk: Talk, log: WireLog, finding: Finding, began: float) -> Verdict:
    for dialogue in talk.dialogues.values():
        # What else came may belong to anything: it is not judged a second time.
        dialogue.tape.odd = True
    judged = talk.settled or case.needs_nothing
    if isinstance(finding, Unmet) and finding.closed and not judged:
        finding = Inconclusive(f"no connection: {finding.actual}")
    if isinstance(finding, Unmet):
        return _verdict(
            case,
            finding.grade or case.unmet,
            expected=finding.expected,
            actual=finding.actual,
            talk=talk,
            ending=Ending.EARLY if finding.closed else Ending.OURS,
            log=log,
            began=began,
        )
    outcome = Outcome.SKIP if isinstance(finding, Skipped) else Outcome.ERROR
    return _verdict(
        case, outcome, reason=str(finding), talk=talk, ending=Ending.OURS, log=log, began=began
    )


def _broke_down(
    case: Case, talk: Talk, log: WireLog, facts: Facts, error: Breakdown, began: float
) -> Verdict:
    """A server that answered the same before has failed; of any other nothing is known."""
    ending = {Silence: Ending.SILENT, Lost: Ending.RESET}.get(type(error), Ending.OURS)
    for dialogue in talk.dialogues.values():
        dialogue.tape.odd = True
    distrust = isinstance(error, HandshakeFailed) and error.certificate
    # A server that does not take one more connection says nothing about what the case asks.
    judged = talk.settled or case.needs_nothing
    if (talk.owed or talk.asked in facts.answered) and judged and not distrust:
        return _verdict(
            case,
            case.unmet,
            expected=talk.expected,
            actual=str(error),
            talk=talk,
            ending=ending,
            log=log,
            began=began,
        )
    return _verdict(
        case, Outcome.ERROR, reason=str(error), talk=talk, ending=ending, log=log, began=began
    )


def _verdict(
    case: Case,
    outcome: Outcome,
    *,
    expected: str = "",
    actual: str = "",
    reason: str = "",
    talk: Talk | None = None,
    ending: Ending = Ending.NONE,
    log: WireLog | None = None,
    began: float | None = None,
) -> Verdict:
    mask = log.masked if log is not None else str
    return Verdict(
        case=case.id,
        title=case.title,
        outcome=outcome,
        requirement=case.requirement,
        references=case.references,
        expected=mask(expected),
        actual=mask(actual),
        reason=mask(reason),
        step="" if talk is None or outcome is Outcome.PASS else talk.place,
        ending=ending,
        wire=log.lines if log is not None else (),
        level=case.about.level,
        security=case.security,
        why=case.why,
        notes=tuple(map(mask, talk.notes)) if talk is not None else (),
        seconds=0.0 if began is None else time.monotonic() - began,
    )
