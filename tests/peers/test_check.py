"""The checker says of servers what it said before, and what is told of their failures is so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.docs._verdicts import failures, judgements

from pop3check import Outcome, describe
from pop3check._baseline import read_baseline

from ._checked import SERVERS, baseline_file, check_server
from ._mbox_servers import PROGRAMS
from .conftest import need_mbox_server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.docs._verdicts import Judgement

    from pop3check import Verdict

    from ._clients import TLSMode
    from ._dovecot import Dovecot
    from ._twisted import Twisted

    Found = dict[TLSMode, dict[str, Verdict]]

pytestmark = pytest.mark.once

_RENEW = "look into it; then: python -m tests.peers.checked"


@pytest.fixture(scope="session")
def running(name: str, request: pytest.FixtureRequest) -> Dovecot | Twisted | None:
    """The server of that name; None if it is started for each maildrop."""
    if name in ("dovecot", "dovecot-full", "twisted"):
        fixture = {"dovecot-full": "full_dovecot"}.get(name, name)
        server: Dovecot | Twisted = request.getfixturevalue(fixture)
        return server
    need_mbox_server(PROGRAMS[name])
    return None


@pytest.mark.parametrize("name", SERVERS, indirect=True)
def test_server_is_as_known(name: str, running: Dovecot | Twisted | None) -> None:
    """Each case comes out as it is kept, in each mode of TLS, and fails with the octets told."""
    found = check_server(name, running)

    news = "\n".join([*_news(name, found), *_untrue(judgements()[name], found)])
    assert not news, f"{_RENEW}\n{news}"


@pytest.mark.parametrize("name", SERVERS)
def test_every_failure_is_told(name: str) -> None:
    """Of each failure that is kept it is told who is right, and of no other."""
    assert sorted(failures(name)) == sorted(judgements()[name])


def _news(name: str, found: Found) -> Iterable[str]:
    """What is worse, better, new or gone."""
    for tls, verdicts in found.items():
        known = read_baseline(baseline_file(name, tls)).cases
        for case in sorted(known.keys() - verdicts.keys()):
            yield f"{tls}: {case} was not asked"
        for case, verdict in verdicts.items():
            then = known[case].outcome.value if case in known else "not known"
            if then != verdict.outcome.value:
                yield f"{tls}: {case} was {then}\n{describe(verdict)}"


def _untrue(told: dict[str, Judgement], found: Found) -> Iterable[str]:
    """Octets that are told of a failure, and did not come."""
    for tls, verdicts in found.items():
        for case, judged in told.items():
            verdict = verdicts.get(case)
            if verdict is None or verdict.outcome is not Outcome.FAIL:
                continue
            came = iter(list(map(str, verdict.wire)))
            # Each line is looked for behind the one before.
            missing = [o for o in judged.octets if not any(map(_pattern(o).fullmatch, came))]
            if missing:
                yield f"{tls}: {case}: {missing[0]!r} did not come\n{describe(verdict)}"


def _pattern(line: str) -> re.Pattern[str]:
    """What a line is inside TLS as well as outside; of those that are told of TLS, inside alone."""
    anything = ".*".join(map(re.escape, line.split("…")))
    return re.compile(re.sub(r"^((?:\\\[.*?\\\]\\ )?[CS]):", r"\1[:*]", anything), re.DOTALL)
