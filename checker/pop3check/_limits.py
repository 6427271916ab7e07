"""What a run may do to a server and to an account: the ladder of safety."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["read-only", "mark", "destructive"]

_RUNGS: tuple[Mode, ...] = ("read-only", "mark", "destructive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a run may go; the default takes nothing from anybody.

    Attributes:
        mode: ``read-only`` sends no DELE; ``mark`` marks messages as deleted and never lets QUIT
            commit that; ``destructive`` deletes messages of its own.
        any_message: Whether marks may be set on messages that the run has not brought itself.
        login_failures: How many logins may fail on purpose: servers lock accounts.
        slow: Whether cases of more than half a minute are played.
        opt_in: Whether cases are played that ask for more than a client ever does.
        connections: Connections that may be open at the same time.
        pace: Seconds between two connections at least.
        deadline: Seconds that one case may take, unless it is slow.
        total: Seconds that the run may take, slow cases aside; what is left then is skipped.
        quiet: Seconds of silence after which nothing more is said to come.
        arrival: Seconds within which messages that were seeded have to be in the maildrop.
    """

    mode: Mode = "read-only"
    any_message: bool = False
    login_failures: int = 3
    slow: bool = False
    opt_in: bool = False
    connections: int = 2
    pace: float = 0.0
    deadline: float = 60.0
    total: float = 300.0
    quiet: float = 0.3
    arrival: float = 30.0

    def allow(self, mode: Mode) -> bool:
        """Whether the run may go so far."""
        return _RUNGS.index(mode) <= _RUNGS.index(self.mode)

    @property
    def may_mark(self) -> bool:
        """Whether DELE may be sent at all."""
        return self.allow("mark")
