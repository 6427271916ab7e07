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

#: The transcripts, each with the answers that are known to differ, and why.
KNOWN = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (Path(__file__).parent / "differences").glob("*.yaml")
}


class Comparison(NamedTuple):
    """How a replay went."""

    answers: int
    differing: list[str]


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
    text = " ".join(find(KNOWN[name]["scenario"]).read_text("utf-8").split())

    agreeing = comparison.answers - len(comparison.differing)

    assert re.search(rf"\b{agreeing} of {comparison.answers} answers\b", text)
