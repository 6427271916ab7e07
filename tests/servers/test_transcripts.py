"""Each server's file against what the real server said on the wire, answer by answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from pop3scenarios import find

from ._replay import Replay
from ._transcript import FOLDER

pytestmark = pytest.mark.once

#: The transcripts, each with the answers that are known to differ, and why.
KNOWN = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (Path(__file__).parent / "differences").glob("*.yaml")
}

#: What stands in front of the reasons in a file's own text.
LEAD = "The others differ, and here is the mock, there the server: "


class Comparison(NamedTuple):
    """How a replay went."""

    answers: int
    differing: list[str]


def header(name: str) -> str:
    """What the file that plays a transcript says of itself."""
    return folded(yaml.safe_load(find(KNOWN[name]["scenario"]).read_text("utf-8"))["why"])


def folded(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def compare(name: str) -> Comparison:
    """Play a transcript against the scenario that is its server's."""
    known = KNOWN[name]
    exchanges = list(Replay(name, known["scenario"], known.get("mail", "")).exchanges())
    return Comparison(len(exchanges), [each.probe for each in exchanges if not each.agrees])


def test_every_transcript_is_played() -> None:
    """A transcript belongs to a server's file."""
    transcripts = {path.stem for path in FOLDER.glob("*.txt")}

    assert transcripts == set(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_transcript(name: str) -> None:
    """The mock answers as the real server did, except where the reason is written down."""
    excused = {probe for names in KNOWN[name]["differs"].values() for probe in names}

    differing = compare(name).differing

    assert sorted(excused) == sorted(differing)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_header_says_how_many_agree(name: str) -> None:
    """The file's own text tells how many of the transcript's answers the mock gives."""
    comparison = compare(name)

    agreeing = comparison.answers - len(comparison.differing)

    assert re.search(rf"\b{agreeing} of {comparison.answers} answers\b", header(name))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_header_says_why_the_rest_does_not(name: str) -> None:
    """The file's own text gives each reason in the words that stand beside the probes."""
    text = header(name)

    missing = [reason for reason in KNOWN[name]["differs"] if folded(reason) not in text]

    assert missing == []


@pytest.mark.parametrize("scenario", sorted({known["scenario"] for known in KNOWN.values()}))
def test_header_has_no_reason_too_many(scenario: str) -> None:
    """Once a reason is gone from the probes it is gone from the file's text."""
    name = next(name for name, known in KNOWN.items() if known["scenario"] == scenario)
    reasons = {
        folded(reason)
        for known in KNOWN.values()
        if known["scenario"] == scenario
        for reason in known["differs"]
    }

    told = header(name).partition(LEAD)[2].removesuffix(".").split("; ")

    assert sorted(reasons) == sorted(told)
