"""In which order the cases of a run are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import load

from ._cases import Case

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The cases without which no other may mark a message: RSET takes marks away, and so does the end
#: of a connection without QUIT.
RESET_WORKS, DROP_WORKS = "RFC1939-5-37", "RFC1939-6-06"


def plan(cases: Iterable[Case]) -> list[Case]:
    """The cases with those that have to be passed first, in the order in which to ask them.

    What shares a session comes together; what could do harm comes late, what is judged of every
    octet of the run last.

    Args:
        cases: The cases that are wanted.
    """
    wanted = {case.id: case for case in cases}
    waiting = list(wanted.values())
    while waiting:
        for name in is_asked_first(waiting.pop()):
            if name not in wanted:
                wanted[name] = Case.of(load(name.lower()))
                waiting.append(wanted[name])
    return sorted(wanted.values(), key=_turn)


def is_asked_first(case: Case) -> tuple[str, ...]:
    """Ids of the cases that have to be passed before another is asked.

    Args:
        case: The other.
    """
    named = tuple(name.upper() for name in case.about.after)
    if not {"marks", "deletes"} & set(case.about.effects):
        return named
    safe = (RESET_WORKS, DROP_WORKS)
    return named + tuple(n for n in safe if case.id not in safe and n not in named)


def _turn(case: Case) -> tuple[int, int]:
    effects = set(case.about.effects)
    turns = (
        (case.passive, 9),
        ("deletes" in effects, 8),
        ("slow" in effects, 7),
        ("fails-login" in effects, 6),
        (case.id in (RESET_WORKS, DROP_WORKS), 3),
        ("marks" in effects, 4),
        (bool(case.about.after), 5),
        (case.shares, 1),
        (case.logs_in, 2),
    )
    return next((turn for holds, turn in turns if holds), 0), 0
