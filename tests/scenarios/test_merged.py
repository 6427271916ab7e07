"""A scenario shown as what its layers come to, each part with its origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from pop3scenarios import load, loads, shipped
from pop3scenarios._plain import plain
from pop3scenarios._yaml import read
from pop3scenarios.tools import merged

from ._shipped import NAMES

pytestmark = pytest.mark.once

FILE = """\
pop3: 1
name: own
summary: a server of our own
why: for the test
quirks: [no-top, no-last]
server:
  greeting: hello
  capabilities: [+XTRA one, -PIPELINING]
  users: {joe: x}
rules:
  - when: NOOP
    text: yes
maildrop: [{subject: One, body: "Hello."}]
maildrops: {ann: []}
expect:
  never: [DELE]
  fetch: {ends: complete}
variants:
  late:
    summary: everything is late
    tls: {mode: none}
    server: {capabilities: [+TOP]}
    rules:
      - when: "*"
        delay: 2s
"""


@pytest.fixture
def lines() -> list[str]:
    """The file above, its variant merged, line by line."""
    return merged(loads(FILE, file="own.pop3.yaml", variant="late")).splitlines()


def test_layers(lines: list[str]) -> None:
    """First stand the layers, the strongest first, with their files."""
    assert lines[:6] == [
        "# own[late], merged. Its layers, the strongest first:",
        "#   own[late]  own.pop3.yaml:19",
        "#   own  own.pop3.yaml:1",
        "#   no-top (quirk)  quirks/no-top.pop3.yaml:1",
        "#   no-last (quirk)  quirks/no-last.pop3.yaml:1",
        "#   default  servers/default.pop3.yaml:1",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "summary: a server of our own  # own.pop3.yaml:3",
        "# [late] everything is late  # own.pop3.yaml:20",
        "  greeting: hello  # own.pop3.yaml:7",
        "  users:  # own.pop3.yaml:9",
        "    - XTRA one  # own.pop3.yaml:8",
        "    - TOP  # own.pop3.yaml:22",
        "    # -PIPELINING  own.pop3.yaml:8",
        "  mode: none  # own.pop3.yaml:21",
        "maildrop:  # own.pop3.yaml:13",
        "  ann: []  # own.pop3.yaml:14",
        "  never: DELE  # own.pop3.yaml:16",
        "    ends: complete  # own.pop3.yaml:17",
    ],
)
def test_origin(lines: list[str], line: str) -> None:
    """Each key, and each capability that is there or was taken away, has its file and line."""
    assert line in lines


def test_default_stands_behind(lines: list[str]) -> None:
    """What only the default server says comes from its file."""
    place = next(line for line in lines if line.startswith("  lock: exclusive"))

    assert place.startswith("  lock: exclusive  # servers/default.pop3.yaml:")


def test_rules_stand_below_their_origin(lines: list[str]) -> None:
    """Each rule stands below the file and the line from which it comes, layer by layer."""
    start = lines.index("rules:")

    assert lines[start + 1 : start + 8] == [
        "  # own.pop3.yaml:24",
        "  - when: '*'",
        "    delay: 2s",
        "  # own.pop3.yaml:11",
        "  - when: NOOP",
        "    text: yes",
        "  # quirks/no-last.pop3.yaml:" + _line_of("no-last", "- when: LAST"),
    ]


def _line_of(name: str, text: str) -> str:
    lines = shipped()[name].read_text(encoding="utf-8").splitlines()
    return str(next(i for i, line in enumerate(lines, 1) if line.strip() == text))


def test_a_capability_that_came_back_is_not_taken_away(lines: list[str]) -> None:
    """Of a capability counts what the strongest layer says."""
    assert not [line for line in lines if "-TOP" in line]


def test_a_whole_list_takes_nothing_away() -> None:
    """Where a file lists all capabilities, what weaker layers took away is not told."""
    text = "pop3: 1\nname: own\nsummary: own\nquirks: [no-top]\nserver: {capabilities: [UIDL]}\n"

    assert "# -TOP" not in merged(loads(text))


@pytest.mark.parametrize("name", NAMES)
def test_shipped(name: str) -> None:
    """Whatever is shown is YAML, and server, tls and expectations are those of the scenario."""
    scenario = load(name)

    document = read(merged(scenario), "f")

    assert document.problems == []
    data = document.data
    assert isinstance(data, dict)
    assert data["server"] == plain(scenario.server) | {
        "capabilities": list(scenario.server.capabilities or ())
    }
    assert data.get("tls", {}) == plain(scenario.tls)
    assert data.get("expect", {}) == plain(scenario.expect)
    assert len(data.get("rules", [])) == sum(map(len, scenario.rules))


@pytest.mark.parametrize("name", NAMES)
def test_origins_are_true(name: str) -> None:
    """The line that is named as the origin of a key has that key."""
    scenario = load(name)
    origins = [
        (line.split(":")[0].strip(), line.rpartition("  # ")[2])
        for line in merged(scenario).splitlines()
        if line.startswith("  ") and "  # " in line and not line.lstrip().startswith(("-", "#"))
    ]

    for key, origin in origins:
        file, _, number = origin.rpartition(":")
        folder, _, name_ = file.partition("/")
        path = shipped()[name_.removesuffix(".pop3.yaml")]
        assert path.parent.name == folder
        assert key in Path(path).read_text(encoding="utf-8").splitlines()[int(number) - 1]

    assert origins
