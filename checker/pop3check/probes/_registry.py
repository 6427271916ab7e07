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


def probe(case_id: str) -> Callable[[Probe], Probe]:
    """Register how a case is asked.

    Args:
        case_id: Its permanent id, as ``RFC1939-5-07``.

    Raises:
        ValueError: It has a probe already.
    """

    def register(function: Probe) -> Probe:
        if case_id in PROBES:
            raise ValueError(f"{case_id} has two probes")
        PROBES[case_id] = function
        return function

    return register
