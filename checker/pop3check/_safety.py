"""What must not be done to a server, or is not worth doing: reasons to skip a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import Default, Dribble, End, MessageData, Template, Wait

from ._dialogue import deletes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3scenarios import Scenario, Step

    from ._facts import Facts

_READS = frozenset({"RETR", "TOP"})


def mock_only(scenario: Scenario) -> str:
    """Why only a mock can play a scenario; empty if it can be held against a server.

    Args:
        scenario: The scenario.
    """
    if scenario.script is None:
        return "mock only: it has no conversation (script:)"
    if scenario.rules:
        return "mock only: its rules depart from the RFCs"
    if scenario.tls.handshake not in (None, "good") or scenario.tls.certificate not in (
        None,
        "good",
    ):
        return "mock only: its TLS is broken on purpose"
    acted = next(filter(None, map(_acted_out, scenario.script.steps)), "")
    return f"mock only: {acted}" if acted else ""


def _acted_out(step: Step) -> str:
    """The action of a step that only a mock can act out; empty if there is none."""
    for item in step.reply.items:
        match item:
            case Wait() | Dribble() | Default():
                return f"<{type(item).__name__.lower()}> is acted out, not checked"
            case End(how) if how != "close":
                return f"<{how}> is acted out, not checked"
            case MessageData(first=int()):
                return "a message that is cut short is acted out, not checked"
            case _:
                continue
    return ""


def endangers_mail(scenario: Scenario, facts: Facts | None = None) -> str:
    """Why a conversation could cost somebody mail; empty if it cannot.

    Args:
        scenario: The scenario; it has a script.
        facts: What is known of the server, if anything is.
    """
    asked = list(commands(scenario))
    if any(deletes(command.source) for command in asked):
        return "it marks messages as deleted, which was not allowed"
    # RFC 2449, section 6.7: such a server may remove what was retrieved.
    expires = facts is not None and facts.announces("EXPIRE 0")
    if expires and any(command.keyword in _READS for command in asked):
        return "the server announces EXPIRE 0: what is retrieved may be removed"
    return ""


def commands(scenario: Scenario) -> Iterator[Template]:
    """The client's lines of a scenario's script; none if it has no script.

    Args:
        scenario: The scenario.
    """
    steps = scenario.script.steps if scenario.script is not None else ()
    return (step.expect for step in steps if step.expect is not None)
