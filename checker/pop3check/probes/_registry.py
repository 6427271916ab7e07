"""Which probe asks which case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Asks one case; returns if the server did what it has to.
Probe = Callable[["Talk"], "Wants[None]"]

PROBES: dict[str, Probe] = {}

#: Cases whose probe logs in by itself, though the case begins before that.
LOGS_IN: set[str] = set()


def probe(case_id: str, *, logs_in: bool = False) -> Callable[[Probe], Probe]:
    """Register how a case is asked.

    Args:
        case_id: Its permanent id, as ``RFC1939-5-07``.
        logs_in: Whether it needs an account though it begins before the login.

    Raises:
        ValueError: It has a probe already.
    """

    def register(function: Probe) -> Probe:
        if case_id in PROBES:
            raise ValueError(f"{case_id} has two probes")
        PROBES[case_id] = function
        if logs_in:
            LOGS_IN.add(case_id)
        return function

    return register
