"""What is counted in an exercise of load: how long answers took, and how sessions ended."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from ._load_report import Violation
    from ._load_rules import Rule

#: Between two neighbouring bins of a histogram; so exact are percentiles.
_STEP = math.log(1.02)
_SHORTEST = 1e-6

#: Memory limit: kinds of errors and notes that are told apart.
_KINDS = 50


class Latencies:
    """How long something took, in a memory that does not grow with how often.

    Attributes:
        count: How often.
        longest: The longest time, in seconds.
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self._bins: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Take a time into account."""
        self.count += 1
        self.longest = max(self.longest, seconds)
        self._bins[math.floor(math.log(max(seconds, _SHORTEST) / _SHORTEST) / _STEP)] += 1

    def percentile(self, percent: float) -> float:
        """The time in seconds that so many took at most; 2 % exact, 0 if there is none.

        Args:
            percent: From 0 to 100.
        """
        wanted = max(1, math.ceil(self.count * percent / 100))
        for index in sorted(self._bins):
            wanted -= self._bins[index]
            if wanted <= 0:
                # The end of the bin, and nothing is longer than the longest.
                return min(_SHORTEST * math.exp((index + 1) * _STEP), self.longest)
        return 0.0


class Tally:
    """Counts what comes of sessions; they may tell it from several threads.

    Args:
        most: How many violations are kept; from then on it is enough.
        fatal: Rules of which one violation is enough: to go on could cost more mail.

    Attributes:
        latencies: By command.
        violations: Those that are kept.
        errors: Sessions that could not be judged, by why.
        refusals: Logins that were refused since somebody may have had the maildrop, by the answer.
        notes: What the text allows and a client must be ready for, by what it is.
        sessions: Sessions that were let in.
        octets: Octets of messages that were read.
    """

    def __init__(self, most: int = 20, fatal: Collection[Rule] = ()) -> None:
        self._most = most
        self._fatal = {rule.value for rule in fatal}
        self._mutex = threading.Lock()
        self.latencies: defaultdict[str, Latencies] = defaultdict(Latencies)
        self.violations: list[Violation] = []
        self.errors: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.sessions = 0
        self.octets = 0

    @property
    def is_enough(self) -> bool:
        """Whether more of the same would teach nothing."""
        return len(self.violations) >= self._most or any(
            violation.rule in self._fatal for violation in self.violations
        )

    def answered(self, command: str, seconds: float, octets: int) -> None:
        """A command was answered in full."""
        with self._mutex:
            self.latencies[command].add(seconds)
            if command in ("RETR", "TOP"):
                self.octets += octets

    def refused(self, answer: str) -> None:
        """A login was refused, since somebody may have had the maildrop."""
        self._count(self.refusals, answer)

    def noted(self, what: str) -> None:
        """Something was seen that the text allows."""
        self._count(self.notes, what)

    def ended(self, *, admitted: bool) -> None:
        """A session has come to its end."""
        with self._mutex:
            self.sessions += admitted

    def failed(self, command: str, why: str) -> None:
        """A session could not be judged any further."""
        self._count(self.errors, f"{command}: {why}")

    def violated(self, violation: Violation) -> None:
        """A session has met what breaks a rule."""
        with self._mutex:
            if not self.is_enough:
                self.violations.append(violation)

    def _count(self, counter: Counter[str], what: str) -> None:
        with self._mutex:
            counter[what if what in counter or len(counter) < _KINDS else "others"] += 1
