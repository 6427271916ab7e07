"""How much an exercise of load asks of a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How much is asked of the server; every one of these is a bound.

    Attributes:
        concurrency: Sessions at the same time.
        duration: Seconds after which no session begins and every one comes to its end.
        rate: Sessions that begin per second at most; None: as many as can.
        sessions: Sessions in all; None: as many as there is time for.
        seed: Makes the random choices.
        exclusive: Whether the server has to have a lock (RFC 1939, section 4), of which the text
            says "as necessary"; otherwise two sessions at a time are only counted.
        alone: Whether nobody else uses the accounts meanwhile.
        settle: Seconds after which a dropped connection must have let go of the maildrop.
    """

    concurrency: int = 8
    duration: float = 10.0
    rate: float | None = None
    sessions: int | None = None
    seed: int = 0
    exclusive: bool = False
    alone: bool = True
    settle: float = 60.0

    def __post_init__(self) -> None:
        for name in ("concurrency", "duration", "rate", "sessions", "settle"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"expected {name} above 0, got {value:g}")
