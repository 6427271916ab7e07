"""A conformance case, and a server that breaks just what it is about."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from pop3check import Case, Limits, Outcome, Target, select
from pop3check._fixtures import OWN, all_stored
from pop3check._plan import DROP_WORKS, RESET_WORKS, plan
from pop3check._run import Run
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check import Verdict
    from pop3check._target import TLSMode
    from pop3scenarios import Scenario

_HEAD: dict[str, Any] = {"pop3": 1, "name": "mutant", "summary": "breaks one thing"}

_MARK = "pair"

#: Leave for everything.
LIMITS = Limits(
    mode="destructive", login_failures=100, opt_in=True, slow=True, connections=6, quiet=0.05
)


#: What comes of a case that is not met, by how it says so.
UNMET = {
    "fail": Outcome.FAIL,
    "security": Outcome.FAIL,
    "non-strict": Outcome.NON_STRICT,
    "info": Outcome.INFO,
}


class Pair(NamedTuple):
    """A case, and what makes the correct server break it.

    Attributes:
        case: Its id.
        number: Which of the case's mutants, from 1.
        mutant: The name of a quirk, or what a scenario file says.
    """

    case: str
    number: int
    mutant: str | dict[str, Any]


def pairs() -> list[Pair]:
    """All of them, from the files in ``mutants/``.

    An entry is a list of mutants; or ``mutants``, and under ``correct`` what the correct server
    has to be, and under ``target`` how the checker reaches both, if the gates do not say it.
    """
    found = []
    for path in sorted(Path(__file__).with_name("mutants").glob("*.yaml")):
        for case, entry in yaml.safe_load(path.read_text("utf-8")).items():
            mutants = entry if isinstance(entry, list) else entry["mutants"]
            found += [Pair(case, number, mutant) for number, mutant in enumerate(mutants, 1)]
    return found


def _by_case(key: str) -> dict[str, Any]:
    """What a key of the entries says, by case."""
    found: dict[str, Any] = {}
    for path in sorted(Path(__file__).with_name("mutants").glob("*.yaml")):
        for case, entry in yaml.safe_load(path.read_text("utf-8")).items():
            if isinstance(entry, dict) and key in entry:
                found[case] = entry[key]
    return found


#: What the correct server has to be, beside the default, to be asked a case.
CORRECT: dict[str, dict[str, Any]] = _by_case("correct")

#: How the checker begins TLS with the server of a case.
REACHED: dict[str, TLSMode] = _by_case("target")


def case_of(case_id: str) -> Scenario:
    """The case with an id."""
    (scenario,) = select([case_id])
    return scenario


def is_slow(case_id: str) -> bool:
    """Whether a case takes minutes: then it is played by a clock that jumps."""
    about = case_of(case_id).file.case
    return about is not None and "slow" in about.effects


def correct(case: Scenario, clock: Callable[[], float] = time.monotonic) -> MockServer:
    """The default server, as it has to be to be asked this."""
    return _server(case, CORRECT.get(case.name.upper(), {}), clock)


def broken(
    case: Scenario, mutant: str | dict[str, Any], clock: Callable[[], float] = time.monotonic
) -> MockServer:
    """The default server, but for what the mutant breaks."""
    return _server(case, {"quirks": [mutant]} if isinstance(mutant, str) else mutant, clock)


def _server(case: Scenario, more: dict[str, Any], clock: Callable[[], float]) -> MockServer:
    """What has to be there for a case: the capabilities it requires, TLS, the lock."""
    about = case.file.case
    assert about is not None
    document = _HEAD | more
    lacking = [f"-{name}" for name in about.lacks]
    if lacking and "capabilities" not in document.get("server", {}):
        document["server"] = {"capabilities": lacking} | document.get("server", {})
    text = yaml.safe_dump(document, sort_keys=False)
    tls = "implicit" if "implicit" in about.gates else None
    return MockServer(loads(text), tls=tls, clock=clock)


def hold(server: MockServer, case: Scenario, *, timeout: float = 5.0) -> Verdict:
    """The verdict of the checker upon a server that runs; its maildrop is seeded."""
    about = case.file.case
    assert about is not None
    empty = about.messages is not None and 0 in about.messages
    user = "bob" if empty else "alice"
    target = Target(
        host=server.host,
        port=server.port,
        tls=_reached(case),
        user=user,
        password=server.users[user],
        ssl_context=server.client_context(user=user),
        timeout=timeout,
    )

    def seed(messages: list[bytes]) -> None:
        # Only what the case asks for, and what may be marked: a large message takes its time.
        wanted = "|".join({"plain", "trail", *about.fixtures})
        for message in messages:
            if re.search(rf"(?m)^{OWN}: .*-({wanted})\r?$".encode(), message):
                server.deliver(message, user=user)

    if not empty:
        seed(all_stored(_MARK))
    run = Run(target, LIMITS, mark="" if empty else _MARK, seed=seed)
    for name in (RESET_WORKS, DROP_WORKS):
        run.assume(name)  # a mutant of one case need not keep to others
    return _judged(run, Case.of(case))


def _reached(case: Scenario) -> TLSMode:
    about = case.file.case
    assert about is not None
    by_gates: TLSMode = "stls" if "tls" in about.gates else "none"
    by_gates = "implicit" if "implicit" in about.gates else by_gates
    return REACHED.get(case.name.upper(), by_gates)


def _judged(run: Run, case: Case) -> Verdict:
    """The verdict, after the cases that have to be asked before."""
    for before in plan([case]):
        if before.id not in (case.id, RESET_WORKS, DROP_WORKS):
            run.judge(before)
    try:
        return run.judge_all_octets(case) if case.passive else run.judge(case)
    finally:
        run.close()
