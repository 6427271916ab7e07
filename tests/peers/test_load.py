"""An exercise of load against a live Dovecot, with and without its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3check import Limits, LoadPlan, LoadReport, Target, load, load_summary

if TYPE_CHECKING:
    from ._dovecot import Dovecot

pytestmark = pytest.mark.once

MAIL = [b"X-Conformance-Id: t-%d\r\n\r\n%s\r\n" % (n, b"text\r\n.dot\r\n" * n) for n in range(20)]


def exercise(server: Dovecot, limits: Limits, duration: float) -> LoadReport:
    """Twenty sessions at a time on four accounts."""
    # Dovecot has at most ten connections of one user from one address.
    accounts = [server.account(MAIL) for _ in range(4)]
    targets = [
        Target(host=each.host, port=each.port, user=each.user, password=each.password)
        for each in accounts
    ]
    plan = LoadPlan(concurrency=20, duration=duration)
    return load(targets, limits=limits, plan=plan)


def test_without_lock(dovecot: Dovecot) -> None:
    """As it comes, Dovecot has no lock; who only reads sees nothing of anybody else."""
    report = exercise(dovecot, Limits(), duration=2.0)

    assert report.violations == (), load_summary(report)
    assert report.lock == "none"
    assert report.errors == {}
    assert report.sessions > 20


def test_deletion_without_lock(dovecot: Dovecot) -> None:
    """Without a lock, what others delete can be read no more, and keeps its number all the same."""
    report = exercise(dovecot, Limits(mode="destructive"), duration=0.6)

    assert report.violations == (), load_summary(report)
    assert report.lost == ()
    assert set(report.notes) <= {
        "RETR of a message that another session deleted: -ERR",
        "TOP of a message that another session deleted: -ERR",
        "DELE of a message that another session deleted: -ERR",
    }


def test_with_lock(full_dovecot: Dovecot) -> None:
    """With its lock, who comes second waits, and all rules hold also where sessions delete."""
    report = exercise(full_dovecot, Limits(mode="destructive"), duration=0.6)

    assert report.violations == (), load_summary(report)
    assert (report.lock, report.overlaps, report.refusals) == ("exclusive", 0, {})
    assert report.errors == {}
    assert report.lost == ()
    assert report.latencies["DELE"].count > 0
