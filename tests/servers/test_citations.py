"""Each line of a server file that no transcript stands behind says where it was seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3scenarios import find, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3scenarios import ScenarioFile

pytestmark = pytest.mark.once

#: The server files that were written from what others have published.
CITED = [
    "exchange-2003",
    "exchange-2007",
    "exchange-2010",
    "exchange-2019",
    "exchange-5.5",
    "exchange-online",
    "gmail",
    "hmailserver",
    "mailpit",
    "qpopper",
    "yahoo",
    "zimbra",
]

#: A comment, alone on its line or behind something.
COMMENT = re.compile(r"(?:^|\s)#\s+(?P<text>.*\S)")


def parts(file: ScenarioFile) -> Iterator[tuple[str, int]]:
    """Each part of a file that says what the server does, and the line on which it begins."""
    for name in ("server", "tls"):
        for field in getattr(file, name).model_fields_set:
            key = field.replace("_", "-")
            yield f"{name}.{key}", file.source(name, key).line
    for number, quirk in enumerate(file.quirks):
        yield f"quirk {quirk}", file.source("quirks", number).line
    for number, rule in enumerate(file.rules):
        yield f"rule {number + 1}", rule.source.line


def sources(lines: list[str], number: int) -> list[str]:
    """The sources that a line cites, in a comment at its end or in the line above."""
    above = lines[number - 2].strip()
    found = COMMENT.search(lines[number - 1]) or (above.startswith("#") and COMMENT.search(above))
    return found["text"].split("; ") if found else []


def named(file: ScenarioFile) -> list[str]:
    """What each reference is called: all of it that stands in front of its colon."""
    return [reference.partition(": ")[0] for reference in file.references]


@pytest.mark.parametrize("name", CITED)
def test_each_part_cites(name: str) -> None:
    """Greeting, capabilities, every other setting, every quirk and every rule has its source."""
    file = load(name).file
    lines = find(name).read_text("utf-8").splitlines()

    silent = [f"{part} (line {line})" for part, line in parts(file) if not sources(lines, line)]

    assert silent == []


@pytest.mark.parametrize("name", CITED)
def test_each_citation_is_a_reference(name: str) -> None:
    """What is cited is one of the file's references, by the name that it has there."""
    file = load(name).file
    lines = find(name).read_text("utf-8").splitlines()

    cited = {source for _, line in parts(file) for source in sources(lines, line)}

    assert cited - set(named(file)) == set()


@pytest.mark.parametrize("name", CITED)
def test_each_reference_is_cited(name: str) -> None:
    """A reference from which the file has nothing is not one, and each says what it shows."""
    file = load(name).file
    lines = find(name).read_text("utf-8").splitlines()

    cited = {source for _, line in parts(file) for source in sources(lines, line)}

    assert set(named(file)) - cited == set()
    assert all(": " in reference for reference in file.references)


@pytest.mark.parametrize("name", CITED)
def test_greeting_and_capabilities_are_the_files_own(name: str) -> None:
    """A server is known by its greeting and by what it lists; neither is left to the default."""
    scenario = load(name)

    assert scenario.file.server.greeting is not None
    assert scenario.file.extends or scenario.file.server.capabilities is not None


def test_a_line_without_a_source_is_found() -> None:
    """The check sees a comment at the end of a line or above it, and its absence."""
    lines = [
        "# RFC 1939; Dovecot",
        "  - when: NOOP",
        "    text: yawn",
        "  - when: QUIT  # RFC 1460",
    ]

    assert sources(lines, 2) == ["RFC 1939", "Dovecot"]
    assert sources(lines, 3) == []
    assert sources(lines, 4) == ["RFC 1460"]
