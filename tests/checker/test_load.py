"""An exercise of load in threads, against the mock: what is found, counted, bounded and shown."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pop3check import Limits, LoadPlan, LoadReport, Target, load, load_summary
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3mock import ConnectionLog

# On every Python the tests of the command play sessions in threads.
pytestmark = pytest.mark.once

#: The ladder's upper rungs, on messages that the test has brought.
MARKS = Limits(mode="mark")
DELETES = Limits(mode="destructive")

#: Scenarios that break a rule, and the rules of which one then says so.
MUTANTS: dict[str, set[str]] = {
    "maildrop: [{body: x, uid: a, sessions: 1..4}, {body: x, uid: b, sessions: 5..}]": {"kept"},
    "quirks: ['after-dele[renumbered]']": {"marks", "view"},
    "quirks: ['after-dele[listed]']": {"marks"},
    "quirks: ['after-dele[twice]']": {"marks"},
    "rules: [{when: QUIT, state: transaction, effect: skip}]": {"gone"},
    "rules: [{when: RSET, effect: skip}]": {"reset"},
    "rules: [{when: STAT, nth: 2.., reply: +OK 1 1}]": {"view", "marks"},
}


@contextmanager
def serving(more: str = "", server: str = "", count: int = 8) -> Iterator[MockServer]:
    """A mock with two users, and mail that bears the checker's header field."""
    text = (
        "pop3: 1\nname: loaded\nsummary: loaded\n"
        f"server: {{users: {{alice: secret-a, bob: secret-b}}{server}}}\n{more}\n"
        + ("" if "maildrop:" in more else "maildrop: []\n")
    )
    with MockServer(loads(text)) as mock:
        for user in ("alice", "bob"):
            for n in range(count):
                mock.deliver(b"X-Conformance-Id: t-%d\r\n\r\ntext\r\n" % n, user=user)
        yield mock


def targets(server: MockServer) -> list[Target]:
    """Both accounts."""
    passwords = {"alice": "secret-a", "bob": "secret-b"}
    return [
        Target(host="127.0.0.1", port=server.port, user=user, password=password)
        for user, password in passwords.items()
    ]


def exercise(server: MockServer, limits: Limits | None = None, **plan: Any) -> LoadReport:
    """An exercise that ends after so many sessions."""
    plan = {"sessions": 60, "duration": 10.0, "concurrency": 6, **plan}
    return load(targets(server), limits=limits, plan=LoadPlan(**plan))


@pytest.mark.parametrize("limits", [Limits(), MARKS, DELETES], ids=lambda limits: limits.mode)
@pytest.mark.parametrize("lock", ["exclusive", "none"])
def test_correct_server(lock: str, limits: Limits) -> None:
    """A server that keeps the rules breaks none, with and without a lock; its lock is seen."""
    with serving(server=f", lock: {lock}") as server:
        report = exercise(server, limits)

    assert report.violations == ()
    assert report.errors == {}
    assert report.exit_status == 0
    assert report.lock in (lock, "unseen")
    assert report.sessions + sum(report.refusals.values()) == 60


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant(mutant: str) -> None:
    """Each way of breaking a rule is found, and called by that rule."""
    # Where QUIT works, messages that it deletes are soon used up.
    limits = DELETES if "QUIT" in mutant else MARKS
    with serving(mutant) as server:
        report = exercise(server, limits, sessions=400)

    assert report.violations
    assert {each.rule for each in report.violations} & MUTANTS[mutant]
    assert report.exit_status in (1, 3)


def test_live_view_without_lock() -> None:
    """Where there is no lock, a session must not see at once what others do."""
    with serving(server=", lock: none, view: live", count=30) as server:
        report = exercise(server, DELETES, sessions=400)

    assert {each.rule for each in report.violations} & {"view", "dense", "marks", "reset"}


def test_lock_may_be_demanded() -> None:
    """Sessions that overlap are counted; they break a rule where a lock is demanded."""
    with serving(server=", lock: none") as server:
        report = exercise(server, exclusive=True)

    assert {"lock"} == {each.rule for each in report.violations}
    assert report.overlaps > 0


def test_lock_that_stays() -> None:
    """A maildrop that is still locked after QUIT is found, by sessions one after the other."""
    with serving("quirks: [lock-lag]") as server:
        report = exercise(server, concurrency=1, sessions=30)

    assert {"release"} == {each.rule for each in report.violations}


@pytest.mark.parametrize("any_message", [False, True])
def test_read_only_marks_nothing(*, any_message: bool) -> None:
    """Without leave no session sends DELE."""
    with serving() as server:
        report = exercise(server, Limits(any_message=any_message))
        sent = [line for each in server.journal.logs() for line in lines(each)]

    assert not [line for line in sent if "DELE" in line.upper()]
    assert "DELE" not in report.latencies
    assert report.latencies["RETR"].count == sum(line.startswith("RETR") for line in sent) > 0


@pytest.mark.parametrize("any_message", [False, True])
def test_marks_are_never_committed(*, any_message: bool) -> None:
    """With leave to mark, sessions that mark are dropped; others' mail takes leave of its own."""
    with serving() as server:
        for user in ("alice", "bob"):
            server.deliver(b"Subject: mine\r\n\r\ntext\r\n", user=user)
        report = exercise(server, Limits(mode="mark", any_message=any_message))
        left = [len(server.maildrops[user]) for user in ("alice", "bob")]
        sent = [line for each in server.journal.logs() for line in lines(each)]

    assert report.latencies["DELE"].count > 0
    assert left == [9, 9]
    assert any_message == ("DELE 9" in sent)
    assert report.lost == ()


@pytest.mark.parametrize("any_message", [False, True])
def test_only_own_messages_are_deleted(*, any_message: bool) -> None:
    """Whatever is deleted bears the checker's header field; all else is there afterwards."""
    with serving() as server:
        for user in ("alice", "bob"):
            server.deliver(b"Subject: mine\r\n\r\ntext\r\n", user=user)
        limits = Limits(mode="destructive", any_message=any_message)
        report = exercise(server, limits, sessions=80)
        left = [message for user in ("alice", "bob") for message in server.maildrops[user]]

    assert len(left) < 18
    assert sum(b"Subject: mine" in message for message in left) == 2
    assert report.exit_status == 0


@pytest.mark.parametrize("how", ["at-the-end", "at-dele"])
def test_drop_that_deletes_stops_all(how: str) -> None:
    """A server that deletes what was only marked costs one message, and the run says so first."""
    with serving(f"quirks: ['drop-deletes[{how}]']") as server:
        report = exercise(server, MARKS)
        left = sum(len(server.maildrops[user]) for user in ("alice", "bob"))

    assert report.exit_status == 3
    assert load_summary(report).startswith("MAIL WAS LOST: 1 message")
    assert left == 15


def test_wire_and_seed_of_a_violation() -> None:
    """A violation shows the session's last lines, its number and the seed, and no secret."""
    with serving("rules: [{when: STAT, reply: +OK few}]") as server:
        report = exercise(server, seed=7, sessions=3)

    violation = report.violations[0]
    shown = load_summary(report)
    assert (violation.rule, violation.seed, violation.command) == ("reply", 7, "STAT")
    assert violation.session in ("0", "1", "2")
    assert str(violation.wire[-1]) == "S: +OK few"
    assert "S: +OK few" in shown
    assert "secret-" not in shown + str(report.as_data())


def test_seed_repeats_the_choices() -> None:
    """The same seed makes the same sessions; another one makes others."""
    said = []
    for seed in (1, 1, 2):
        with serving() as server:
            exercise(server, seed=seed, concurrency=1, sessions=20)
            said.append([lines(each) for each in server.journal.logs()])

    assert said[0] == said[1] != said[2]


def test_bounds() -> None:
    """There are never more sessions at a time, nor longer, nor faster than was asked for."""
    with serving() as server:
        began = time.monotonic()
        report = exercise(server, concurrency=3, duration=0.4, rate=20.0, sessions=None)
        took = time.monotonic() - began

    assert 1 <= report.sessions + sum(report.refusals.values()) <= 9
    assert took < 5.0
    assert not [each for each in threading.enumerate() if each.name.startswith("load-")]


@pytest.mark.parametrize("tls", ["stls", "implicit"])
def test_tls(tls: Literal["stls", "implicit"]) -> None:
    """Sessions begin TLS as the target has it, before anything secret."""
    with MockServer(tls=tls) as server:
        alice = Target(
            host="127.0.0.1",
            port=server.port,
            tls=tls,
            user="alice",
            password="secret",
            ssl_context=server.client_context(),
        )
        report = load([alice], plan=LoadPlan(sessions=5, concurrency=2))
        logins = [each for log in server.journal.logs() for each in log.exchanges]

    assert report.exit_status == 0, load_summary(report)
    assert all(each.tls for each in logins if each.command == "PASS")


def test_unreachable_and_refused() -> None:
    """A server that does not let us in gives no verdict."""
    with serving() as server:
        stranger = Target(host="127.0.0.1", port=server.port, user="alice", password="wrong-one")
        refused = load([stranger])
        port = server.port
    gone = load([Target(host="127.0.0.1", port=port, user="alice", password="secret-a")])

    assert (refused.exit_status, gone.exit_status) == (2, 2)
    assert "wrong-one" not in load_summary(refused)
    assert "cannot connect" in load_summary(gone)


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"duration": 0}, {"rate": -1.0}])
def test_plan_is_checked(wrong: dict[str, Any]) -> None:
    """A plan without sessions or time is none."""
    with pytest.raises(ValueError, match="above 0"):
        LoadPlan(**wrong)


def test_data() -> None:
    """The report as data has latencies by command, in ms, and counts."""
    with serving() as server:
        data = exercise(server).as_data()

    stat = data["latencies"]["STAT"]
    assert 0 < stat["p50_ms"] <= stat["p90_ms"] <= stat["p99_ms"] <= stat["max_ms"]
    assert (data["load"], data["mode"], data["exit_status"]) == (1, "read-only", 0)
    assert data["sessions_per_second"] > 0


def lines(connection: ConnectionLog) -> list[str]:
    """The lines that a connection sent."""
    return [each.line for each in connection.exchanges if each.command]
