"""Runs against live servers: what is skipped, what is inconclusive, and that every wait ends."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from pop3check import Ending, Limits, Outcome, Target, check, check_all, describe, select, summary
from pop3check._connection import Connection
from pop3check._dialogue import Dialogue
from pop3check._wants import Silence
from pop3check._wirelog import WireLog
from pop3mock import MockServer
from pop3scenarios import Scenario, loads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Targets = Callable[..., Target]
    Scenarios = Callable[..., Scenario]

#: Leave for everything: the mail is a mock's.
ALL = Limits(mode="destructive", any_message=True)

HEAD = "pop3: 1\nname: server\nsummary: a server\n"
QUIT = "S: +OK ...\nC: QUIT\nS: +OK ...\n"
LOGIN = "S: +OK ...\nC: USER {user}\nS: +OK ...\nC: PASS {password}\nS: +OK ...\n"
BYE = "C: QUIT\nS: +OK ...\n"
STAT = f"{LOGIN}C: STAT\nS: +OK ...\n{BYE}"
ONE = {
    "RETR": f"{LOGIN}C: RETR 1\nS: +OK ...\n<message 1>\nS: .\n{BYE}",
    "TOP": f"{LOGIN}C: TOP 1 0\nS: +OK ...\nS: *\nS: .\n{BYE}",
    "NOOP": f"{LOGIN}C: NOOP\nS: +OK\n{BYE}",
}


def served(rules: str, **options: Any) -> MockServer:
    """A server with rules."""
    return MockServer(loads(f"{HEAD}{rules}"), **options)


@pytest.mark.parametrize(
    ("script", "more", "reason"),
    [
        ("S: +OK ...\n<wait 1s>\nC: QUIT", "", "<wait>"),
        ("S: +OK ...\nC: QUIT\n<hang>", "", "<hang>"),
        ("S: +OK ...\nC: QUIT\n<reset>", "", "<reset>"),
        ("S: +OK ...\nC: QUIT\n<default>", "", "<default>"),
        ("S: +OK ...\nC: RETR 1\n<message 1 first 50%>", "", "cut short"),
        (QUIT, "rules: [{when: NOOP, reply: -ERR}]\n", "rules"),
        (QUIT, "quirks: [retr-without-size]\n", "rules"),
        (QUIT, "tls: {certificate: expired}\n", "TLS"),
        (QUIT, "tls: {handshake: hang}\n", "TLS"),
    ],
)
def test_mock_only(scenario_of: Scenarios, script: str, more: str, reason: str) -> None:
    """What only a mock can act out is skipped, says so, and needs no connection."""
    verdict = check(Target(host="127.0.0.1", port=1), scenario_of(script, more))

    assert (verdict.outcome, verdict.ending) == (Outcome.SKIP, Ending.NONE)
    assert verdict.reason.startswith("mock only: ")
    assert reason in verdict.reason


def test_no_conversation() -> None:
    """A scenario without a script is for the mock alone."""
    verdict = check(Target(host="127.0.0.1", port=1), "default")

    assert verdict.reason == "mock only: it has no conversation (script:)"


def test_requires(scenario_of: Scenarios, target_of: Targets) -> None:
    """A case whose capability is not announced is skipped."""
    with MockServer() as server:
        verdict = check(target_of(server), scenario_of(QUIT, "requires: [SASL GSSAPI]\n"))

    assert (
        verdict.outcome,
        verdict.reason,
    ) == (Outcome.SKIP, "the server does not announce SASL GSSAPI")


@pytest.mark.parametrize(
    ("mail", "outcome"),
    [
        ("{octets: 300}", Outcome.PASS),
        ("{octets: 301}", Outcome.SKIP),
        ("{octets: 150}, {octets: 150}", Outcome.SKIP),
    ],
)
def test_maildrop_is_a_precondition(
    scenario_of: Scenarios, target_of: Targets, mail: str, outcome: Outcome
) -> None:
    """Other mail than the scenario states skips the case, and never fails it."""
    case = scenario_of(STAT, f"maildrop: [{mail}]\n")

    with served("maildrop: [{octets: 300}]\n") as server:
        verdict = check(target_of(server), case)

    assert outcome == verdict.outcome
    assert ("precondition" in verdict.reason) is (outcome is Outcome.SKIP)


def test_mail_is_counted_as_it_is_sent(scenario_of: Scenarios, target_of: Targets) -> None:
    """RFC 1939, section 11: a line end counts as two octets, a missing last one too."""
    mail = 'maildrop: [{raw: "A: b\\n\\nno line end"}]\n'

    with served(mail) as server:
        verdict = check(target_of(server), scenario_of(STAT, mail))

    assert verdict.outcome is Outcome.PASS, verdict.reason


@pytest.mark.parametrize(
    ("script", "mail", "outcome"),
    [
        ("RETR", "{octets: 300}", Outcome.PASS),
        ("RETR", "{octets: 301}", Outcome.SKIP),
        ("RETR", "", Outcome.SKIP),
        ("TOP", "{octets: 300}", Outcome.SKIP),
        ("NOOP", "{octets: 301}", Outcome.PASS),
    ],
)
def test_mail_of_which_nothing_is_told_is_no_precondition(
    scenario_of: Scenarios, target_of: Targets, script: str, mail: str, outcome: Outcome
) -> None:
    """Who does not ask how much there is may have seen one message of many, which is compared."""
    case = scenario_of(ONE[script], f"maildrop: [{mail}]\n")

    with served("maildrop: [{octets: 300}, {octets: 400}]\n") as server:
        verdict = check(target_of(server), case)

    assert outcome == verdict.outcome, verdict.reason
    assert ("precondition" in verdict.reason) is (outcome is Outcome.SKIP)


def test_expire_0_protects_mail(scenario_of: Scenarios, target_of: Targets) -> None:
    """RFC 2449, section 6.7: where retrieving may remove mail, nothing is retrieved."""
    case = scenario_of("S: +OK ...\nC: RETR 1\nS: -ERR ...")

    with served("server: {capabilities: [+EXPIRE 0]}\n") as server:
        verdict = check(target_of(server), case)

    assert Outcome.SKIP is verdict.outcome
    assert "EXPIRE 0" in verdict.reason


def test_refused_login(target_of: Targets) -> None:
    """After a refused login the cases that need one are skipped, and the run is inconclusive."""
    with MockServer() as server:
        target = Target(host=server.host, port=server.port, user="alice", password="wrong")
        report = check_all(target, select(["rfc1939-4-16", "rfc1939-5-35"]))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.PASS, Outcome.SKIP]
    assert "the login was refused" in report.verdicts[1].reason
    assert report.exit_status == 2


def test_without_a_user(target_of: Targets) -> None:
    """Without an account what needs none is judged, and the run is fine."""
    with MockServer() as server:
        target = Target(host=server.host, port=server.port)
        report = check_all(target, select(["rfc1939-4-16", "rfc1939-5-35"]))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.PASS, Outcome.SKIP]
    assert report.exit_status == 0


def test_nothing_was_judged(target_of: Targets) -> None:
    """A run in which every case is skipped says nothing: it is inconclusive."""
    with MockServer() as server:
        report = check_all(Target(host=server.host, port=server.port), ["rfc1939-5-35"])

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.SKIP]
    assert report.exit_status == 2


def test_no_dele_no_connection() -> None:
    """A case that would delete is skipped before anything is sent."""
    verdict = check(Target(host="127.0.0.1", port=1), "rfc1939-5-37")

    assert (verdict.outcome, verdict.ending) == (Outcome.SKIP, Ending.NONE)


def test_leaves_by_quit(scenario_of: Scenarios, target_of: Targets) -> None:
    """A conversation that does not say QUIT is ended by it, so that the maildrop is free again."""
    with MockServer() as server:
        check(target_of(server, user="bob"), scenario_of("S: +OK ...\nC: CAPA\nS: +OK ...\n"))

    assert server.journal.commands[-2:] == ["CAPA", "QUIT"]


def test_nobody_listens() -> None:
    """A server that cannot be reached makes every case an error, and no failure."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target = Target(host="127.0.0.1", port=closed.getsockname()[1], timeout=1.0)
        report = check_all(target, select(["rfc1939-4-01", "rfc1939-4-16"]))

    assert {Outcome.ERROR} == set(report.counts)
    assert report.exit_status == 2
    assert "cannot connect" in report.verdicts[0].reason


@pytest.mark.parametrize("tls", ["none", "stls", "implicit"])
@pytest.mark.parametrize("ending", ["hang", "close", "reset"])
def test_server_that_never_speaks(target_of: Targets, ending: str, tls: str) -> None:
    """A silent, closing or resetting server is an error, within the time limit."""
    rule = f'rules: [{{when: greeting, reply: "<{ending}>"}}]\n'
    mode: Any = "implicit" if tls == "implicit" else "stls"

    with served(rule, tls=mode) as server:
        target = target_of(server, tls=tls, ssl_context=server.client_context(), timeout=0.2)
        report = check_all(target, select(["rfc1939-4-16", "rfc1939-5-35"]))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.ERROR] * 2
    assert report.exit_status == 2


@pytest.mark.parametrize("greeting", ["220 mail ESMTP", "+ok ready", "HTTP/1.1 400 Bad Request"])
def test_server_of_another_protocol(target_of: Targets, greeting: str) -> None:
    """What greets in another way fails, and gets no password."""
    with served(f"rules: [{{when: greeting, reply: {greeting}}}]\n") as server:
        report = check_all(target_of(server), select(["rfc1939-4-01", "rfc1939-5-35"]))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.FAIL, Outcome.SKIP]
    assert greeting == report.verdicts[0].actual
    assert not [c for c in server.journal.commands if c.startswith("PASS")]


def test_server_that_refuses_to_serve(target_of: Targets) -> None:
    """A greeting of -ERR says nothing about what the server does when it serves."""
    with served("rules: [{when: greeting, reply: -ERR too busy}]\n") as server:
        report = check_all(target_of(server), select(["rfc1939-4-16"]))

    assert list(report.counts) == [Outcome.ERROR]


@pytest.mark.parametrize(
    ("rule", "outcome", "ending"),
    [
        ("{when: NOOP, reply: <hang>}", Outcome.ERROR, Ending.SILENT),
        ("{when: STAT, nth: 2, scope: server, reply: <hang>}", Outcome.FAIL, Ending.SILENT),
        ("{when: NOOP, reply: <reset>}", Outcome.ERROR, Ending.RESET),
        ("{when: NOOP, reply: <close>}", Outcome.FAIL, Ending.EARLY),
        ('{when: NOOP, reply: "<bytes \\"+O\\">\\n<close>"}', Outcome.FAIL, Ending.EARLY),
        ("{when: NOOP, dribble: 1 every 300ms}", Outcome.ERROR, Ending.OURS),
    ],
)
def test_server_that_stops(
    scenario_of: Scenarios, target_of: Targets, rule: str, outcome: Outcome, ending: Ending
) -> None:
    """Silence is a failure only where the server answered the same before; every wait ends."""
    case = scenario_of("""S: +OK ...
    C: USER {user}
    S: +OK ...
    C: PASS {password}
    S: +OK ...
    C: STAT
    S: +OK ...
    C: NOOP
    S: +OK ...
    """)

    deadline = 0.5 if "dribble" in rule else 60.0

    with served(f"rules: [{rule}]\n") as server:
        verdict = check(target_of(server, timeout=0.5), case, limits=Limits(deadline=deadline))

    assert (outcome, ending) == (verdict.outcome, verdict.ending), verdict


def test_close_by_reset(scenario_of: Scenarios, target_of: Targets) -> None:
    """A reset where the end had to come is an end all the same; it is told apart."""
    case = scenario_of(QUIT + "<close>")

    with served('rules: [{when: QUIT, state: authorization, reply: "+OK\\n<reset>"}]\n') as server:
        verdict = check(target_of(server), case)

    assert (verdict.outcome, verdict.ending in (Ending.RESET, Ending.CLOSED)) == (
        Outcome.PASS,
        True,
    )


def test_server_that_closes_on_capa(target_of: Targets) -> None:
    """Discovery does without CAPA where a server closes on it."""
    with served("rules: [{when: CAPA, reply: <close>}]\n") as server:
        report = check_all(target_of(server), select(["rfc1939-5-35", "rfc1939-7-14"]))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.PASS] * 2


@pytest.mark.parametrize("tls", ["stls", "implicit"])
def test_certificate_is_verified(target_of: Targets, tls: Any) -> None:
    """Without trust in the certificate no password is sent, and the run is inconclusive."""
    with MockServer(tls=tls) as server:
        report = check_all(target_of(server, tls=tls), select(["rfc1939-5-35"]))

    assert list(report.counts) == [Outcome.ERROR]
    assert "certificate" in report.verdicts[0].reason
    assert not [c for c in server.journal.commands if c.startswith("PASS")]


def test_handshake_that_was_promised(target_of: Targets) -> None:
    """A server that answers STLS with +OK and then no handshake fails."""
    with served("tls: {handshake: close}\n") as server:
        verdict = check(target_of(server, ssl_context=server.client_context()), "rfc2595-4-07")

    assert (verdict.outcome, verdict.expected) == (Outcome.FAIL, "a TLS handshake")


def test_handshake_without_trust(target_of: Targets) -> None:
    """A certificate that the checker was not told to trust is no failure of the server."""
    with MockServer() as server:
        verdict = check(target_of(server), "rfc2595-4-07")

    assert verdict.outcome is Outcome.ERROR
    assert "certificate" in verdict.reason
    assert verdict.reason.endswith("(ca= names the authority to trust)")


def test_certificate_that_no_authority_mends(target_of: Targets, tmp_path: Path) -> None:
    """Where the authority is trusted, and the certificate wrong, no other one is advised."""
    authority = tmp_path / "ca.pem"
    with served("tls: {certificate: expired}\n") as server:
        authority.write_bytes(server.ca_pem)
        verdict = check(target_of(server, ca=authority), "rfc2595-4-07")

    assert verdict.outcome is Outcome.ERROR
    assert "certificate has expired" in verdict.reason
    assert "ca=" not in verdict.reason


def test_conversation_that_takes_too_long(target_of: Targets) -> None:
    """However often octets come, a connection lasts no longer than it may."""
    seconds = iter([0.0, 0.0, 59.0, 60.0])

    with MockServer() as server:
        target = target_of(server)
        with Connection(target, 60.0, lambda: next(seconds)) as connection:
            connection.run(Dialogue(target, WireLog()).line())
            with pytest.raises(Silence, match="longer than it may"):
                connection.run(Dialogue(target, WireLog()).line())


def test_one_session_at_a_time(target_of: Targets) -> None:
    """Each session has let go of the maildrop before the next begins, also where marks are left."""
    ids = ["rfc1939-5-37", "rfc1939-5-35"] * 5
    with served("rules: [{when: RSET, effect: skip}]\n") as server:
        report = check_all(target_of(server), ids, limits=ALL)

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.FAIL, Outcome.PASS] * 5


def test_verdict_shows_no_secret(scenario_of: Scenarios, target_of: Targets) -> None:
    """A server that echoes the password gets it into no part of the verdict."""
    case = scenario_of("S: +OK ...\nC: USER {user}\nS: +OK ...\nC: PASS {password}\nS: +OK fine")

    with served('rules: [{when: PASS, text: "hello secret c2VjcmV0"}]\n') as server:
        verdict = check(target_of(server), case)

    assert Outcome.FAIL is verdict.outcome
    assert "********" in verdict.actual
    for text in (repr(verdict), describe(verdict)):
        assert "secret" not in text
        assert "c2VjcmV0" not in text


def test_text_of_a_verdict(target_of: Targets) -> None:
    """A failure is told by requirement, expected, actual, place and the last lines."""
    with served("rules: [{when: NOOP, reply: -ERR what}]\n") as server:
        report = check_all(target_of(server), ["rfc1939-5-35"])

    assert """\
✗ FAIL       RFC1939-5-35  NOOP is answered +OK
           requirement: A server answers +OK to NOOP in the TRANSACTION state. (RFC 1939 section 5)
           expected:    +OK ...
           actual:      -ERR what
           at conformance/rfc1939-5-35.pop3.yaml:13; connection: ended by the checker
""" in describe(report.verdicts[0])  # fmt: skip
    assert "             C: NOOP\n             S: -ERR what" in describe(report.verdicts[0])
    assert f"127.0.0.1:{server.port}: 1 cases, 1 FAIL" == summary(report)
    assert report.exit_status == 1


def test_known_facts_are_not_asked_for(target_of: Callable[..., Target]) -> None:
    """With the facts of an earlier run the first connection is the conversation's."""
    with MockServer() as server:
        facts = check_all(target_of(server), ["rfc1939-4-16"]).facts
        asked = len(server.journal.connections)

        verdict = check(target_of(server), "rfc1939-5-35", facts=facts)

        assert verdict.outcome is Outcome.PASS
        assert len(server.journal.connections) == asked + 1
