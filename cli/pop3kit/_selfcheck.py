"""A conversation against itself: what the checker says is held against what the mock plays.

A scenario is read by both, and each has code of its own: where they do not agree, the file says
something else to the one than to the other, or asks for what no server can do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pop3check import Limits, Outcome, Target, check_all
from pop3mock import MockServer
from pop3scenarios import Default, Dribble, End, MessageData, Problem, Script, Wait, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pop3check import Facts, Report, Verdict
    from pop3scenarios import Rule, Scenario, Step

#: Seconds that one wait, and one whole conversation, may take between two parts of one process.
_PATIENCE, _DEADLINE = 3.0, 20.0

#: Changes by which a rule breaks an answer off, or keeps it back.
_FAULTS = frozenset({"cut", "then", "dribble", "delay", "terminator"})


def is_fault_free(scenario: Scenario) -> bool:
    """Whether a scenario holds a conversation in which nothing breaks, hangs or is cut.

    Args:
        scenario: The scenario.
    """
    if scenario.script is None or scenario.tls.handshake not in (None, "good"):
        return False
    rules = (rule for layer in scenario.rules for rule in layer)
    steps = (step for step in scenario.script.steps if step.must_come)
    return not any(map(_breaks, rules)) and not any(map(_is_acted_out, steps))


def _breaks(rule: Rule) -> bool:
    ends = rule.reply is not None and any(isinstance(item, End) for item in rule.reply.items)
    return ends or bool(rule.model_fields_set & _FAULTS)


def _is_acted_out(step: Step) -> bool:
    """Whether a step holds what a mock does and a checker cannot judge."""
    for item in step.reply.items:
        match item:
            case Wait() | Dribble() | Default() | MessageData(first=int()):
                return True
            case End(how) if how != "close":
                return True
            case _:
                continue
    return False


def self_check(scenario: Scenario, path: Path) -> Problem | None:
    """Play the checker's side of a scenario against its mock side.

    Args:
        scenario: One that :func:`is_fault_free`.
        path: Its file, as the user named it.

    Returns:
        Where the two do not agree; None if they do.

    Raises:
        OSError: The mock cannot be started.
    """
    said = _with_script(scenario, _judged(scenario))
    asked = _hold(_with_script(scenario, None), said)
    if kind_of(scenario.path) == "conformance":
        # Such a file asks for what any server does: there is nothing of its own to act out.
        verdict = asked.verdicts[0]
        if verdict.outcome in (Outcome.SKIP, Outcome.NON_STRICT, Outcome.INFO):
            return None  # the default server is none to be asked that, or does as others do
    else:
        # What the server is has been asked elsewhere: here each connection is the script's.
        verdict = _hold(scenario, said, asked.facts).verdicts[0]
    return None if verdict.outcome is Outcome.PASS else _problem(verdict, scenario, path)


def _hold(played: Scenario, said: Scenario, facts: Facts | None = None) -> Report:
    """Hold the mock that plays one scenario to another."""
    server = MockServer(played)
    with server:
        user, password = next(iter(played.users.items()), ("", ""))
        target = Target(
            host=server.host,
            port=server.port,
            tls="implicit" if server.tls == "implicit" else "none",
            user=user,
            password=password,
            ssl_context=server.client_context() if server.tls != "none" else None,
            timeout=_PATIENCE,
        )
        limits = Limits(mode="destructive", any_message=True, deadline=_DEADLINE)
        return check_all(
            target,
            [said],
            limits=limits,
            facts=facts,
            seed=_into(server) if said.file.case else None,
        )


def _into(server: MockServer) -> Callable[[list[bytes]], None]:
    """Puts messages into the maildrop of the server's first user."""

    def deliver(messages: list[bytes]) -> None:
        for message in messages:
            server.deliver(message)

    return deliver


def _judged(scenario: Scenario) -> Script:
    """The script without exchanges that may be left out and that no checker can judge."""
    assert scenario.script is not None
    steps = scenario.script.steps
    kept = tuple(step for step in steps if step.must_come or not _is_acted_out(step))
    return Script(scenario.script.source, kept)


def _with_script(scenario: Scenario, script: Script | None) -> Scenario:
    """The scenario with another conversation, or with none."""
    layers = []
    for layer in scenario.layers:
        changed = layer.fragment.model_copy(update={"script": script})
        holds = layer.fragment.script is scenario.script
        layers.append(replace(layer, fragment=changed) if holds else layer)
    return replace(scenario, layers=tuple(layers))


def _problem(verdict: Verdict, scenario: Scenario, path: Path) -> Problem:
    line = verdict.step.rpartition(":")[2]
    said = verdict.reason or f"expected {verdict.expected}, got {verdict.actual}"
    return Problem(
        str(path),
        int(line) if line.isdecimal() else scenario.script_line or 1,
        1,
        f"{scenario.name}: checker and mock do not agree: {said}",
    )
