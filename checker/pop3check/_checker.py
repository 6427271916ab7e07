"""One case, or many, against a server."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING

from pop3scenarios import Scenario, load

from ._cases import Case
from ._connection import Connection, Connections
from ._conversation import Conversation
from ._dialogue import Dialogue
from ._facts import Discovery, Facts
from ._findings import Finding, Inconclusive, Skipped, Unmet
from ._mail import states_mail, wire_form
from ._report import Report
from ._safety import endangers_mail, mock_only, needs_login
from ._verdict import Ending, Outcome, Verdict
from ._wants import Breakdown, HandshakeFailed, Lost, Silence
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ._target import Target

#: Seconds that leaving a connection may take, after the verdict.
_FAREWELL = 2.0


def check(
    target: Target,
    scenario: str | Path | Scenario,
    *,
    allow_delete: bool = False,
    deadline: float = 60.0,
    facts: Facts | None = None,
) -> Verdict:
    """Hold a server to one scenario.

    Nothing is deleted unless the caller allows it, and a server that the network keeps from
    answering is never said to fail.

    Args:
        target: The server and the account.
        scenario: A name, a path, or a loaded scenario.
        allow_delete: Whether conversations with DELE may be played.
        deadline: Seconds that one conversation may take in all.
        facts: What is known of the server from the report of an earlier run; without them it is
            asked first, on a connection of its own.

    Returns:
        The verdict.

    Raises:
        pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing was sent.
        TargetError: The file of certificate authorities cannot be read.
    """
    report = check_all(
        target, [scenario], allow_delete=allow_delete, deadline=deadline, facts=facts
    )
    return report.verdicts[0]


def check_all(
    target: Target,
    scenarios: Iterable[str | Path | Scenario],
    *,
    allow_delete: bool = False,
    deadline: float = 60.0,
    progress: Callable[[Verdict], None] | None = None,
    facts: Facts | None = None,
) -> Report:
    """Hold a server to many scenarios; asks it first what it is.

    Args:
        target: The server and the account.
        scenarios: Names, paths, or loaded scenarios.
        allow_delete: Whether conversations with DELE may be played.
        deadline: Seconds that one conversation may take in all.
        progress: Called with each verdict as it is reached.
        facts: What is known of the server from the report of an earlier run; without them it is
            asked first, on a connection of its own.

    Returns:
        All verdicts, and what the server said about itself.

    Raises:
        pop3scenarios.ScenarioError: A scenario is wrong or unknown; nothing was sent.
        TargetError: The file of certificate authorities cannot be read.
    """
    cases = [Case.of(s if isinstance(s, Scenario) else load(s)) for s in scenarios]
    run = _Run(target, allow_delete=allow_delete, deadline=deadline, facts=facts)
    verdicts: list[Verdict] = []
    for case in cases:
        verdicts.append(run.judge(case))
        if progress is not None:
            progress(verdicts[-1])
    return Report(str(target), run.facts, tuple(verdicts))


class _Run:
    """What the cases of one run share: the target, and what is known of the server."""

    def __init__(
        self, target: Target, *, allow_delete: bool, deadline: float, facts: Facts | None
    ) -> None:
        self._target = target
        self._allow_delete = allow_delete
        self._deadline = deadline
        self._unreachable = ""
        self.facts = facts

    def judge(self, case: Case) -> Verdict:
        """The verdict upon one case."""
        reason = mock_only(case.scenario)
        if not reason and not self._allow_delete:
            reason = endangers_mail(case.scenario)
        if reason:
            return _verdict(case, Outcome.SKIP, reason=reason)
        facts = self._discovered()
        if facts is None:
            return _verdict(case, Outcome.ERROR, reason=self._unreachable)
        reason = self._gate(case, facts)
        if reason:
            return _verdict(case, Outcome.SKIP, reason=reason)
        return self._converse(case, facts)

    # What the server is

    def _discovered(self) -> Facts | None:
        """The facts, asked for once; None if the server cannot be reached."""
        if self.facts is None and not self._unreachable:
            self.facts = self._discover(capa=True)
        return self.facts

    def _discover(self, *, capa: bool) -> Facts | None:
        log = self._log()
        dialogue = Dialogue(self._target, log)
        discovery = Discovery(self._target, dialogue, capa=capa)
        try:
            with Connection(self._target, self._deadline) as connection:
                connection.run(discovery.run())
                _leave(connection, dialogue, quit_=True)
        except (Finding, Breakdown) as error:
            hopeless = isinstance(error, Inconclusive | HandshakeFailed)
            if hopeless or "GREETING" not in discovery.facts.answered:
                self._unreachable = log.masked(str(error))
                return None
            if discovery.asked == "CAPA" and capa:
                return self._discover(capa=False)  # some servers close on CAPA
            if not discovery.facts.logged_in:
                discovery.facts.no_login = f"after {discovery.asked}: {log.masked(str(error))}"
        return discovery.facts

    def _gate(self, case: Case, facts: Facts) -> str:
        """Why this server cannot be asked this; empty if it can."""
        for capability in case.scenario.file.requires:
            if not facts.announces(capability):
                return f"the server does not announce {capability}"
        if needs_login(case.scenario) and not facts.logged_in:
            return f"login: {facts.no_login}"
        if not self._allow_delete and (danger := endangers_mail(case.scenario, facts)):
            return danger
        if states_mail(case.scenario):
            return self._other_mail(case.scenario, facts)
        return ""

    def _other_mail(self, scenario: Scenario, facts: Facts) -> str:
        mail = wire_form(scenario, self._target.user)
        wanted = (len(mail), sum(map(len, mail)))
        if wanted == (facts.count, facts.octets):
            return ""
        return (
            f"precondition: a maildrop of {wanted[0]} messages, {wanted[1]} octets;"
            f" it has {facts.count}, {facts.octets}"
        )

    # The conversation

    def _converse(self, case: Case, facts: Facts) -> Verdict:
        log = self._log()
        talk = Conversation(
            case.scenario, self._target, facts, log, allow_delete=self._allow_delete
        )
        try:
            with Connections(self._target, self._deadline) as connections:
                try:
                    connections.run(talk.play())
                    verdict = _passed(case, talk, log)
                except Finding as finding:
                    verdict = _found(case, talk, log, finding)
                    if verdict.ending is not Ending.OURS:
                        talk.over.add(talk.on)
                _leave_all(connections, talk)
                return verdict
        except Breakdown as error:
            return _broke_down(case, talk, log, facts, error)

    def _log(self) -> WireLog:
        user, password = self._target.user, self._target.password
        if not password:
            return WireLog()
        plain = f"\0{user}\0{password}".encode()
        encoded = (base64.b64encode(octets).decode() for octets in (plain, password.encode()))
        return WireLog(password, *encoded)


def _leave_all(connections: Connections, talk: Conversation) -> None:
    for name, dialogue in talk.dialogues.items():
        if name not in talk.over:
            _leave(connections.made[name], dialogue, quit_=name not in talk.marked)


def _leave(connection: Connection, dialogue: Dialogue, *, quit_: bool) -> None:
    """Leave so that the server has let go of the maildrop when the next case begins."""
    connection.hurry(_FAREWELL)
    with contextlib.suppress(Finding, Breakdown):
        if quit_:
            connection.run(dialogue.leave())
        else:
            connection.hang_up()
            connection.run(dialogue.drain())


def _passed(case: Case, talk: Conversation, log: WireLog) -> Verdict:
    return _verdict(case, Outcome.PASS, ending=talk.ending, log=log)


def _found(case: Case, talk: Conversation, log: WireLog, finding: Finding) -> Verdict:
    if isinstance(finding, Unmet):
        ending = Ending.EARLY if finding.closed else Ending.OURS
        return _unmet(case, talk, log, finding.actual, ending, expected=finding.expected)
    outcome = Outcome.SKIP if isinstance(finding, Skipped) else Outcome.ERROR
    return _verdict(case, outcome, reason=str(finding), talk=talk, ending=Ending.OURS, log=log)


def _broke_down(
    case: Case, talk: Conversation, log: WireLog, facts: Facts, error: Breakdown
) -> Verdict:
    """A server that answered the same before has failed; of any other nothing is known."""
    ending = {Silence: Ending.SILENT, Lost: Ending.RESET}.get(type(error), Ending.OURS)
    distrust = isinstance(error, HandshakeFailed) and error.certificate
    if (talk.owed or talk.asked in facts.answered) and not distrust:
        return _unmet(case, talk, log, str(error), ending, expected=talk.expected)
    return _verdict(case, Outcome.ERROR, reason=str(error), talk=talk, ending=ending, log=log)


def _unmet(
    case: Case, talk: Conversation, log: WireLog, actual: str, ending: Ending, *, expected: str
) -> Verdict:
    return _verdict(
        case, case.unmet, expected=expected, actual=actual, talk=talk, ending=ending, log=log
    )


def _verdict(
    case: Case,
    outcome: Outcome,
    *,
    expected: str = "",
    actual: str = "",
    reason: str = "",
    talk: Conversation | None = None,
    ending: Ending = Ending.NONE,
    log: WireLog | None = None,
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
        step=talk.place if talk is not None else "",
        ending=ending,
        wire=log.lines if log is not None else (),
    )
