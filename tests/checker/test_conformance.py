"""Every conformance case is passed by the correct server and failed by one that breaks just it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3check import Ending, Outcome, check, check_all, select
from pop3check._mail import states_mail
from pop3mock import MockServer
from pop3scenarios import Scenario, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check import Target

HEAD = "pop3: 1\nname: mutant\nsummary: breaks one thing\n"

#: For each case, a rule that makes the correct server break just that; some have several.
MUTANTS = [
    ("RFC1939-3-12", "{when: XYZZ, reply: +OK}"),
    ("RFC1939-3-26", "{when: STAT, state: authorization, reply: +OK 0 0}"),
    ("RFC1939-3-26", '{when: LIST, state: authorization, reply: "+OK\\n."}'),
    ("RFC1939-3-29", "{when: NOOP, state: authorization, reply: +OK}"),
    ("RFC1939-3-40", "{when: RETR, stuffing: off}"),
    ("RFC1939-3-40", '{when: RETR, body: "Subject: other\\n\\n.x"}'),
    ("RFC1939-3-40", "{when: RETR, terminator: none}"),
    ("RFC1939-4-16", "{when: QUIT, state: authorization, reply: -ERR no}"),
    ("RFC1939-4-17", "{when: QUIT, state: authorization, reply: +OK bye, then: hang}"),
    ("RFC1939-5-06", "{when: STAT, reply: +OK 3 20559}"),
    ("RFC1939-5-06", "{when: STAT, reply: +OK 5 20559}"),
    ("RFC1939-5-06", "{when: STAT, reply: +OK 0 0}"),
    ("RFC1939-5-06", "{when: LIST, entry: '{number}  {octets}'}"),
    ("RFC1939-5-14", "{when: 'LIST {n}', reply: '+OK {n} 7'}"),
    ("RFC1939-5-14", "{when: 'LIST {n}', reply: '+OK 2 {octets}'}"),
    ("RFC1939-5-14", "{when: 'LIST {n}', reply: -ERR no}"),
    ("RFC1939-5-15", "{when: LIST, reply: -ERR no mail}"),
    ("RFC1939-5-15", '{when: LIST, reply: "+OK\\n0 0\\n."}'),
    ("RFC1939-5-15", '{when: LIST, reply: "+OK\\n.\\n."}'),
    ("RFC1939-5-21", '{when: RETR, reply: "+OK 0 octets\\n."}'),
    ("RFC1939-5-21", '{when: RETR, reply: "-ERR no\\n."}'),
    ("RFC1939-5-35", "{when: NOOP, reply: -ERR what}"),
    ("RFC1939-5-37", "{when: RSET, effect: skip}"),
    ("RFC1939-5-37", "{when: RSET, reply: -ERR no}"),
    ("RFC1939-7-14", "{when: UIDL, entry: '{number}  {uid}'}"),
    ("RFC1939-7-14", "{when: UIDL, entry: '{number} {uid} x'}"),
    ("RFC1939-7-14", '{when: UIDL, reply: "+OK\\n1 a\\n2 b\\n3\\n."}'),
    ("RFC1939-7-14", f'{{when: UIDL, reply: "+OK\\n1 a\\n2 {"x" * 71}\\n."}}'),
    ("RFC2595-4-07", "{when: STAT, state: authorization, reply: +OK 0 0}"),
    ("RFC2595-4-07", "{when: CAPA, tls: yes, state: authorization, reply: -ERR no}"),
    ("RFC2595-4-07", '{when: STLS, reply: "+OK begin\\n+OK injected\\n<starttls>"}'),
    ("RFC2595-4-07", '{when: STLS, reply: "+OK begin", effect: skip}'),
]  # fmt: skip

IDS = [scenario.name.upper() for scenario in select()]


def server_for(case: Scenario, rules: str) -> tuple[MockServer, str]:
    """A server with the mail that the case presupposes, and the user who has it."""
    server = MockServer(loads(f"{HEAD}rules: [{rules}]"))
    if not states_mail(case):
        return server, "alice"
    for mail in case.mail("bob"):
        server.deliver(mail.data, user="bob")
    return server, "bob"


@pytest.mark.parametrize("case_id", IDS)
def test_correct_server_passes(case_id: str, target_of: Callable[..., Target]) -> None:
    """The correct server passes each case."""
    (case,) = select([case_id])
    server, user = server_for(case, "")

    with server:
        target = target_of(server, user, ssl_context=server.client_context())
        verdict = check(target, case, allow_delete=True)

    assert (case_id, Outcome.PASS) == (verdict.case, verdict.outcome), verdict


@pytest.mark.parametrize(("case_id", "rule"), MUTANTS)
def test_mutant_fails(case_id: str, rule: str, target_of: Callable[..., Target]) -> None:
    """A server that breaks just what a case is about fails it, and is told what and where."""
    (case,) = select([case_id])
    server, user = server_for(case, rule)

    with server:
        target = target_of(server, user, ssl_context=server.client_context(), timeout=0.5)
        verdict = check(target, case, allow_delete=True)

    expected = Outcome.NON_STRICT if case_id == "RFC1939-3-29" else Outcome.FAIL
    assert expected == verdict.outcome, verdict
    assert verdict.step.startswith(f"conformance/{case_id.lower()}.pop3.yaml:")
    assert verdict.expected
    assert verdict.actual


def test_every_case_has_a_mutant() -> None:
    """No case is shipped that was never seen to fail, and no mutant without its case."""
    assert set(IDS) == {case_id for case_id, _ in MUTANTS}


@pytest.mark.parametrize("case_id", IDS)
def test_case_says_what_it_is(case_id: str) -> None:
    """A case is named after its row, and says requirement, reason and section."""
    (case,) = select([case_id])

    assert case_id.lower() == case.name
    assert case.file.breaks
    assert case.file.why
    assert case.file.references[0].startswith(case_id[:3] + " " + case_id[3:7])


@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
def test_all_ways_to_connect(tls: str, target_of: Callable[..., Target]) -> None:
    """The cases come out alike in the clear, after STLS and inside implicit TLS."""
    with MockServer(tls="implicit" if tls == "implicit" else "stls") as server:
        target = target_of(server, tls=tls, ssl_context=server.client_context())
        report = check_all(target, select(["rfc1939"]))

    assert (report.exit_status, report.counts[Outcome.PASS]) == (0, 10)
    commands = [line for v in report.verdicts for line in v.wire if line.text.startswith("PASS")]
    assert all(line.tls == (tls != "none") for line in commands)


def test_nothing_is_deleted_by_default(target_of: Callable[..., Target]) -> None:
    """A run without leave to delete sends no DELE."""
    with MockServer() as server:
        report = check_all(target_of(server), select())

    assert "DELE" not in {command.split(" ")[0] for command in server.journal.commands}
    assert Outcome.SKIP is {v.case: v.outcome for v in report.verdicts}["RFC1939-5-37"]


def test_marks_that_stay_are_not_committed(target_of: Callable[..., Target]) -> None:
    """Where RSET does not take the marks away, the checker leaves without QUIT."""
    with MockServer(loads(f"{HEAD}rules: [{{when: RSET, effect: skip}}]")) as server:
        verdict = check(target_of(server), "rfc1939-5-37", allow_delete=True)
        left = len(server.maildrop.messages)

    assert (verdict.outcome, verdict.ending, left) == (Outcome.FAIL, Ending.OURS, 4)
