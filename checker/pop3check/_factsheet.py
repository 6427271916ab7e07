"""The fact sheet of a server as names and texts, for whoever shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._record import FactsRecord

_STAGES = {
    "first": "CAPA",
    "secured": "CAPA in TLS",
    "transaction": "CAPA after login",
}


_LOCK = {
    True: "a second session is refused",
    False: "a second session is let in",
    None: "not known",
}


def fact_sheet(facts: FactsRecord | None) -> list[tuple[str, str]]:
    """What is known of a server.

    Args:
        facts: The facts; None if it could not be asked.
    """
    return list(_facts(facts)) if facts is not None else [("server", "could not be asked")]


def _facts(facts: FactsRecord) -> Iterator[tuple[str, str]]:
    yield "greeting", facts.greeting or "none"
    yield "TLS", facts.tls or "none"
    if not facts.capabilities:
        yield "CAPA", "is not answered"
    for stage, lines in _differing(facts):
        yield _STAGES.get(stage, stage), ", ".join(lines) or "none"
    yield "login", facts.login
    if facts.logged_in:
        yield "mail", f"{_known(facts.count)} messages, {_known(facts.octets)} octets"
        works = {"TOP": facts.top, "UIDL": facts.uidl}
        yield "works", ", ".join(f"{name}: {_answer(known)}" for name, known in works.items())
        yield "lock", _LOCK[facts.locks]


def _differing(facts: FactsRecord) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What CAPA said, without what it only repeated."""
    before: tuple[str, ...] | None = None
    for stage, lines in facts.capabilities.items():
        if lines != before:
            yield stage, lines
        before = lines


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _answer(known: bool | None) -> str:
    return "not known" if known is None else "yes" if known else "no"
