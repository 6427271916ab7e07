"""What an exercise of load found out: for people, and as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._load_tally import Tally
    from ._wirelog import WireLine

#: The version of what :meth:`LoadReport.as_data` gives.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken. No secret is in it.

    Attributes:
        rule: Its name.
        requirement: What it asks for.
        section: Where that is said.
        expected: What had to come.
        actual: What came.
        command: The command that was sent last.
        account: Whose maildrop.
        session: The number of the session; with the seed it stands for all its choices.
        seed: The seed of the exercise.
        wire: The session's last lines.
    """

    rule: str
    requirement: str
    section: str
    expected: str
    actual: str
    command: str
    account: str
    session: str
    seed: int
    wire: tuple[WireLine, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.rule}: {self.requirement} ({self.section}); expected {self.expected}, got"
            f" {self.actual}; {self.command} in session {self.session} of seed {self.seed},"
            f" {self.account}"
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a command took to be answered in full: times in seconds."""

    count: int
    p50: float
    p90: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What an exercise of load found out.

    Attributes:
        server: The server, as ``host:port``.
        mode: How far it went.
        seed: What made the choices.
        concurrency: Sessions at the same time.
        seconds: How long it took.
        sessions: Sessions that were let in.
        octets: Octets of messages that were read.
        latencies: By command.
        violations: Rules that were broken.
        errors: Sessions that could not be judged, by why.
        refusals: Logins that were refused since another session may have had the maildrop.
        notes: What the text allows and a client must be ready for.
        overlaps: Sessions that were let in while another one had the same maildrop.
        queued: Sessions that were let in while another one asked for it, and none had it.
        lost: Unique-ids that were there before, that no QUIT has deleted, and that are not there
            after it.
    """

    server: str
    mode: str
    seed: int
    concurrency: int
    seconds: float
    sessions: int
    octets: int
    latencies: dict[str, Latency]
    violations: tuple[Violation, ...]
    errors: dict[str, int]
    refusals: dict[str, int]
    notes: dict[str, int]
    overlaps: int
    queued: int
    lost: tuple[str, ...] = ()

    @property
    def sessions_per_second(self) -> float:
        """Sessions that were let in, per second."""
        return self.sessions / self.seconds if self.seconds > 0 else 0.0

    @property
    def lock(self) -> str:
        """What was seen of locks: ``none``, ``exclusive``, or ``unseen`` if none met another.

        An exclusive one refuses who comes second, or lets him wait, as Dovecot's does.
        """
        if self.overlaps:
            return "none"
        return "exclusive" if self.refusals or self.queued else "unseen"

    @property
    def exit_status(self) -> int:
        """0 all rules were kept; 1 one was broken; 2 inconclusive; 3 mail was lost."""
        if self.lost:
            return 3
        if self.violations:
            return 1
        return 2 if self.errors or not self.sessions else 0

    def as_data(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "load": VERSION,
            "server": self.server,
            "mode": self.mode,
            "seed": self.seed,
            "concurrency": self.concurrency,
            "seconds": round(self.seconds, 3),
            "sessions": self.sessions,
            "sessions_per_second": round(self.sessions_per_second, 1),
            "octets": self.octets,
            "lock": self.lock,
            "overlaps": self.overlaps,
            "queued": self.queued,
            "latencies": {name: _in_ms(each) for name, each in self.latencies.items()},
            "refusals": self.refusals,
            "notes": self.notes,
            "errors": self.errors,
            "violations": [_violation(each) for each in self.violations],
            "lost": list(self.lost),
            "exit_status": self.exit_status,
        }


def latencies_of(tally: Tally) -> dict[str, Latency]:
    """The latencies of a tally, the most frequent command first."""
    found = sorted(tally.latencies.items(), key=lambda item: (-item[1].count, item[0]))
    return {
        name: Latency(
            each.count,
            each.percentile(50),
            each.percentile(90),
            each.percentile(99),
            each.longest,
        )
        for name, each in found
    }


def load_summary(report: LoadReport) -> str:
    """The report for people; lost mail comes first."""
    return "\n".join(_lines(report))


def _lines(report: LoadReport) -> Iterator[str]:
    if report.lost:
        yield f"MAIL WAS LOST: {len(report.lost)} messages: {', '.join(report.lost[:10])}"
    for violation in report.violations:
        yield f"FAIL  {violation}"
        yield from (f"        {line}" for line in violation.wire)
    yield f"{'command':12}{'count':>9}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}  ms"
    for name, each in report.latencies.items():
        times = (each.p50, each.p90, each.p99, each.longest)
        yield f"{name:12}{each.count:9}" + "".join(f"{1000 * time:9.2f}" for time in times)
    for title in ("refusals", "notes", "errors"):
        for what, times in getattr(report, title).items():
            yield f"{title.removesuffix('s')}: {what} ({times} times)"
    yield (
        f"{report.sessions} sessions in {report.seconds:.1f} s"
        f" ({report.sessions_per_second:.1f}/s), {report.concurrency} at a time, lock: "
        f"{report.lock}, {len(report.violations)} violations,"
        f" {sum(report.errors.values())} errors, seed {report.seed}"
    )


def _in_ms(latency: Latency) -> dict[str, float]:
    return {
        "count": latency.count,
        "p50_ms": round(1000 * latency.p50, 3),
        "p90_ms": round(1000 * latency.p90, 3),
        "p99_ms": round(1000 * latency.p99, 3),
        "max_ms": round(1000 * latency.longest, 3),
    }


def _violation(violation: Violation) -> dict[str, Any]:
    names = ("rule", "requirement", "section", "expected", "actual", "command", "account")
    return {
        **{name: getattr(violation, name) for name in (*names, "session", "seed")},
        "wire": [str(line) for line in violation.wire],
    }
