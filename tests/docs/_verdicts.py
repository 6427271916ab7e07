"""The page that says who is right where a real server fails a case of the checker.

That servers fail them is known from ``tests/peers/baselines``, made by running servers; why, and
with which octets, is told in ``verdicts.yaml``. ``python -m tests.peers.checked`` makes it anew.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter
from tests.peers._checked import FOLDER, SERVERS

from pop3check import Outcome
from pop3check._baseline import read_baseline
from pop3scenarios import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3check._baseline import Baseline

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"

_JUDGED = Path(__file__).with_name("verdicts.yaml")
_HEAD = Path(__file__).with_name("verdicts-head.md")

_MODES = {"none": "plain", "stls": "STLS", "implicit": "implicit TLS"}

#: Who is wrong, and how that is told.
_WRONG = {
    "server": "The server is wrong.",
    "setting": "The server is right, the tests' setting is not.",
    "open": "Neither is wrong by the text.",
}


class Judgement(BaseModel):
    """Who is right where a server fails a case.

    Attributes:
        wrong: Who is wrong.
        octets: Lines of the conversation; ``…`` stands for what differs from run to run.
        rule: Where the requirement stands.
        because: Why, in Markdown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    wrong: Literal["server", "setting", "open"]
    octets: tuple[str, ...]
    rule: str
    because: str


def judgements() -> dict[str, dict[str, Judgement]]:
    """All judgements, by the server and the id of the case."""
    text = _JUDGED.read_text(encoding="utf-8")
    return TypeAdapter(dict[str, dict[str, Judgement]]).validate_python(yaml.safe_load(text))


def baselines(server: str) -> dict[str, Baseline]:
    """What is known of a server, by the mode of TLS."""
    modes = SERVERS[server].asked
    files = {mode: FOLDER / f"{server}-{mode}.json" for mode in modes}
    return {mode: read_baseline(file) for mode, file in files.items()}


def failures(server: str) -> dict[str, list[str]]:
    """The cases that a server fails, each with the modes of TLS in which it does."""
    failed: dict[str, list[str]] = {}
    for mode, baseline in baselines(server).items():
        for case, entry in baseline.cases.items():
            if entry.outcome in (Outcome.FAIL, Outcome.ERROR):
                failed.setdefault(case, []).append(mode)
    return failed


def unexplained() -> list[str]:
    """Failures of which nobody has said who is right, and what is said of none."""
    told = {(server, case) for server, cases in judgements().items() for case in cases}
    known = {(server, case) for server in SERVERS for case in failures(server)}
    return [" ".join(each) for each in sorted(told ^ known)]


def page() -> str:
    """The page, in Markdown."""
    lines = [_HEAD.read_text(encoding="utf-8"), *_table()]
    told = judgements()
    for server, about in SERVERS.items():
        lines.append(f"\n## {about.shown}\n")
        for case, modes in failures(server).items():
            if case in told.get(server, {}):
                lines += _failure(case, modes, told[server][case])
    return "\n".join(lines) + "\n"


def _table() -> Iterator[str]:
    outcomes = [outcome.value for outcome in Outcome]
    yield f"| server | TLS | {' | '.join(outcomes)} |"
    yield f"|---|---|{'---:|' * len(outcomes)}"
    for server, about in SERVERS.items():
        for mode, baseline in baselines(server).items():
            counts = Counter(entry.outcome for entry in baseline.cases.values())
            cells = " | ".join(str(counts[outcome]) for outcome in Outcome)
            yield f"| {about.shown} | {_MODES[mode]} | {cells} |"


def _failure(case: str, modes: list[str], judged: Judgement) -> Iterator[str]:
    scenario = load(case.lower())
    where = ", ".join(_MODES[mode] for mode in modes)
    yield f"### {case}: {scenario.summary}\n"
    yield f"{judged.rule}; seen with {where}.\n"
    yield "```text"
    yield from judged.octets
    yield "```\n"
    yield f"**{_WRONG[judged.wrong]}** {judged.because.strip()}\n"
