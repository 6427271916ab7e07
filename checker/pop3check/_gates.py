"""Why a case is not asked: what it would do is not allowed, or the server is not one to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import MessageData

from ._mail import states_mail, wire_form
from ._safety import commands, endangers_mail, mock_only

if TYPE_CHECKING:
    from ._cases import Case
    from ._facts import Facts
    from ._limits import Limits
    from ._target import Target


def forbidden(case: Case, limits: Limits) -> str:
    """Why a case may not be asked, whatever the server is; empty if it may.

    Args:
        case: The case.
        limits: How far the run may go.
    """
    if case.scenario.script is not None and (reason := mock_only(case.scenario)):
        return reason
    if case.scenario.script is None and case.probe is None and not case.passive:
        return "mock only: it has no conversation (script:)"
    effects = case.about.effects
    if "deletes" in effects and not limits.allow("destructive"):
        return "it deletes messages of its own, which was not allowed (--destructive)"
    marks = "marks" in effects or (case.scenario.script and endangers_mail(case.scenario))
    if marks and not limits.may_mark:
        return "it marks messages as deleted, which was not allowed (--mark)"
    if "slow" in effects and not limits.slow:
        return "it takes longer than half a minute (--slow)"
    if "opt-in" in case.about.gates and not limits.opt_in:
        return "it asks for more than a client does (--opt-in)"
    if "second-session" in effects and limits.connections < 2:
        return "it needs two connections at a time (--connections)"
    if "fails-login" in effects and not limits.login_failures:
        return "it fails a login on purpose, and no more may fail (--login-failures)"
    return ""


def unfit(case: Case, target: Target, facts: Facts, limits: Limits) -> str:
    """Why this server cannot be asked this; empty if it can.

    Args:
        case: The case.
        target: The server and the account.
        facts: What is known of the server.
        limits: How far the run may go.
    """
    reasons = (
        _capabilities(case, facts),
        f"login: {facts.no_login}" if case.logs_in and not facts.logged_in else "",
        *(_closed(gate, target, facts) for gate in case.about.gates),
        _mail(case, target, facts, limits),
    )
    return next(filter(None, reasons), "")


def _capabilities(case: Case, facts: Facts) -> str:
    for capability in case.requires:
        if not facts.announces(capability) and not _works(capability, facts):
            return f"the server does not announce {capability}"
    for capability in case.about.lacks:
        if facts.announces(capability):
            return f"the server announces {capability}"
    return ""


def _works(capability: str, facts: Facts) -> bool:
    """Whether a command works that old servers have without announcing it."""
    if capability == "CAPA":
        return bool(facts.stages)
    probed = {"TOP": facts.top, "UIDL": facts.uidl, "USER": facts.way == "USER"}
    known = bool(facts.capabilities)
    # Where there is no CAPA at all, USER is what there was before it.
    return bool(probed.get(capability)) and (capability != "USER" or not known)


def _closed(gate: str, target: Target, facts: Facts) -> str:
    """Why a gate is closed; empty if it is open."""
    secured = target.tls != "none"
    match gate:
        case "apop" if not facts.stamp:
            return "the greeting has no timestamp, so there is no APOP"
        case "no-apop" if facts.stamp:
            return "the greeting has a timestamp, so there is APOP"
        case "tls" if not secured:
            return "the server is checked without TLS"
        case "cleartext" if secured:
            return "the server is checked with TLS"
        case "stls" if target.tls == "implicit" or not facts.announces("STLS"):
            return "the server does not announce STLS"
        case "implicit" if target.tls != "implicit":
            return "the server is not checked with TLS from the first octet"
        case "lock" if not facts.locks:
            return "the server lets a second session in" if facts.locks is False else _LOCK
        case "no-lock" if facts.locks is not False:
            return "the server refuses a second session" if facts.locks else _LOCK
        case _:
            return ""


_LOCK = "it is not known whether the server locks the maildrop"


def _mail(case: Case, target: Target, facts: Facts, limits: Limits) -> str:
    for name in case.about.fixtures:
        if name not in facts.fixtures:
            why = facts.undelivered.get(name, "is not there (--seed-…)")
            return f"precondition: the message {name!r} of the run's own {why}"
    wanted = case.about.messages
    if wanted is not None and (facts.count is None or facts.count not in wanted):
        return f"precondition: a maildrop of {_shown(wanted.ranges)} messages; it has {facts.count}"
    reads = "reads" in case.about.effects
    danger = case.scenario.script is not None and not limits.may_mark
    if reads or danger:
        expires = facts.announces("EXPIRE 0") and not limits.allow("destructive")
        if expires and (reads or endangers_mail(case.scenario, facts)):
            return "the server announces EXPIRE 0: what is retrieved may be removed"
    return _other_mail(case, target, facts) if states_mail(case.scenario) else ""


def _shown(ranges: tuple[tuple[int, int | None], ...]) -> str:
    return ", ".join(
        str(low) if low == high else f"{low}..{'' if high is None else high}"
        for low, high in ranges
    )


#: Commands whose answers tell of the maildrop, or hold text of messages line by line.
_TELL_OF_ALL = frozenset({"STAT", "LIST", "UIDL", "TOP"})


def _other_mail(case: Case, target: Target, facts: Facts) -> str:
    """How the server's mail differs from the scenario's, as far as the conversation tells of it."""
    mail = wire_form(case.scenario, target.user)
    if _TELL_OF_ALL.isdisjoint(command.keyword for command in commands(case.scenario)):
        return next(filter(None, (_other(n, mail, facts) for n in _retrieved(case))), "")
    wanted = (len(mail), sum(map(len, mail)))
    if wanted == (facts.count, facts.octets):
        return ""
    return (
        f"precondition: a maildrop of {wanted[0]} messages, {wanted[1]} octets;"
        f" it has {facts.count}, {facts.octets}"
    )


def _retrieved(case: Case) -> list[int]:
    """The numbers of the messages that a conversation compares with the scenario's."""
    steps = case.scenario.script.steps if case.scenario.script is not None else ()
    items = (item for step in steps for item in step.reply.items)
    return [i.number for i in items if isinstance(i, MessageData) and isinstance(i.number, int)]


def _other(number: int, mail: list[bytes], facts: Facts) -> str:
    """How a message differs in size; empty if it does not."""
    wanted = len(mail[number - 1]) if number <= len(mail) else 0
    size = facts.sizes.get(number)
    # The end of a last line that has none is sent, and is in no size.
    if size in (wanted, wanted - 2):
        return ""
    return f"precondition: message {number} of {wanted} octets; the server has {size}"
