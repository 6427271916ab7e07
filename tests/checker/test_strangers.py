"""Mail of others is neither marked nor deleted, whatever becomes of the maildrop meanwhile."""

from __future__ import annotations

import poplib
from typing import TYPE_CHECKING

import pytest

from pop3check import Case, Limits, Outcome, Target, check
from pop3check._fixtures import all_stored
from pop3check._plan import DROP_WORKS, RESET_WORKS
from pop3check._run import Run
from pop3mock import MockServer

from ._pairs import case_of

if TYPE_CHECKING:
    from collections.abc import Callable


def test_numbers_that_have_moved(target_of: Callable[..., Target]) -> None:
    """A message that got the number of one of the run's own since is not deleted for it."""
    with MockServer() as server:
        for message in all_stored("run")[:3]:
            server.deliver(message)
        run = Run(target_of(server), Limits(mode="destructive"), mark="run")
        for name in (RESET_WORKS, DROP_WORKS):
            run.assume(name)
        assert run.discovered() is not None
        other = poplib.POP3(server.host, server.port, timeout=5)
        other.user("alice")
        other.pass_("secret")
        other.dele(1)
        other.quit()

        verdict = run.judge(Case.of(case_of("rfc1939-6-03")))

        assert verdict.outcome is Outcome.SKIP
        assert "another one than when the run began" in verdict.reason
        assert len(server.maildrop) == 6


@pytest.mark.parametrize("case_id", ["rfc1939-6-03", "rfc1939-6-13", "rfc1939-4-10"])
def test_any_message_is_for_marks_alone(case_id: str, target_of: Callable[..., Target]) -> None:
    """Leave to mark any message is no leave to delete it."""
    limits = Limits(mode="destructive", any_message=True, opt_in=True)

    with MockServer() as server:
        verdict = check(target_of(server), case_id, limits=limits)

        assert verdict.outcome is Outcome.SKIP
        assert len(server.maildrop) == 4


def test_marks_need_leave_for_each_message(target_of: Callable[..., Target]) -> None:
    """Without messages of its own the run marks none."""
    with MockServer() as server:
        verdict = check(target_of(server), "rfc1939-5-37", limits=Limits(mode="mark"))

    assert verdict.outcome is Outcome.SKIP
    assert not [line for line in server.journal.commands if line.startswith("DELE")]
