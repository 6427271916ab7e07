"""``pop3kit scenarios``: the library listed, a scenario taken apart, and files checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3kit._notation import section_lines
from pop3scenarios import expand, load, loads, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

HEAD = "pop3: 1\nname: odd\nsummary: odd\n"


def test_list(run: Run) -> None:
    """The list has every shipped scenario under its folder, and the variants with their summary."""
    result = run("scenarios", "list")

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert {line.split()[0] for line in lines} >= set(shipped())
    assert [line for line in lines if not line.startswith(" ")][:3] == [
        "servers/",
        "quirks/",
        "faults/",
    ]
    assert any(line.endswith("[expired] the certificate has expired") for line in lines)


def test_list_json(run: Run) -> None:
    """--json gives the same as data, with the path of each file."""
    entries = json.loads(run("scenarios", "list", "--json").output)

    assert [entry["name"] for entry in entries] == list(shipped())
    broken = next(entry for entry in entries if entry["name"] == "stls-broken")
    assert broken["kind"] == "faults"
    assert broken["variants"]["expired"] == "the certificate has expired"
    assert broken["path"] == str(shipped()["stls-broken"])


def test_show(run: Run, tmp_path: Path) -> None:
    """Show gives the file as it is, its layers, and what they make together."""
    text = (
        f"{HEAD}quirks: [no-top, no-apop]\n"
        "server: {users: {joe: x}, capabilities: [+UTF8]}\ntls: {minimum: TLSv1.2}\n"
    )
    (tmp_path / "odd.pop3.yaml").write_text(text, encoding="utf-8")

    result = run("scenarios", "show", tmp_path / "odd.pop3.yaml")

    assert result.exit_code == 0
    assert result.output.startswith(text)
    made = result.output.split("is made of, the strongest first:\n")[1]
    assert made.startswith("odd\nno-top (quirk)\nno-apop (quirk)\ndefault\n")
    assert "\nusers: {joe: x}\nlock: exclusive\n" in made
    assert "\nmode: stls\ncertificate: good\nminimum: TLSv1.2\n" in made
    assert "IMPLEMENTATION pop3kit, UTF8]" in made
    assert "\nfetch:\n  tls: none\n  ends: complete\n" in made


def test_show_sources(run: Run) -> None:
    """Every rule stands with the file and the line it comes from."""
    sources = [rule.source for rules in load("gmail").rules for rule in rules]

    output = run("scenarios", "show", "gmail").output

    assert {source.scenario for source in sources} >= {"gmail", "no-last", "no-apop"}
    assert all(f"\n{s.scenario} ({s.file}:{s.line})\n  when: [" in output for s in sources)


def test_show_variant(run: Run) -> None:
    """A variant is a layer of its own; without one the variants are named."""
    one = run("scenarios", "show", "stls-broken[expired]").output
    all_ = run("scenarios", "show", "stls-broken").output

    assert "\nstls-broken[expired]\nstls-broken\ndefault\n" in one
    assert "\ncertificate: expired\n" in one
    assert all_.splitlines()[-11:] == expand("stls-broken")


@pytest.mark.parametrize("name", [ref for name in shipped() for ref in expand(name)])
def test_show_shipped(run: Run, name: str) -> None:
    """Every shipped scenario can be shown."""
    assert run("scenarios", "show", name).exit_code == 0


@pytest.mark.parametrize("name", ["gmial", "stls-broken[old]", "faults/*", "./none.pop3.yaml"])
def test_show_unknown(run: Run, name: str) -> None:
    """A name that is none is wrong usage, in one line."""
    result = run("scenarios", "show", name)

    assert result.exit_code == 64
    assert len(result.stderr.splitlines()) == 1


def test_show_hidden_characters(run: Run, tmp_path: Path) -> None:
    """Characters that change how a terminal shows the others are shown as what they are."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(f"{HEAD}why: a\u202eb\n", encoding="utf-8")

    result = run("scenarios", "show", file)

    assert result.exit_code == 0
    assert "a\\u202eb" in result.output


RULE = """\
rules:
  - when: [RETR 1, LIST]
    state: transaction
    tls: yes
    nth: [1, 3..4, 7..]
    text: "{octets} octets"
    octets: -5
    stuffing: off
    dribble: 1 every 10ms
    delay: 2s
    then: reset
  - when: TOP
    octets: omitted
    body: |
      one
      two
  - when: UIDL
    octets: 200%
    text: ""
    reply: |
      +OK
      <hang>
"""


def test_notation() -> None:
    """A rule is written as a file would have it."""
    first, second, third = loads(HEAD + RULE).rules[0]

    assert list(section_lines(first)) == [
        "when: [RETR 1, LIST]",
        "state: transaction",
        "tls: yes",
        "nth: [1, 3..4, 7..]",
        "text: {octets} octets",
        "octets: -5",
        "stuffing: off",
        "delay: 2.0s",
        "dribble: 1 every 0.01s",
        "then: reset",
    ]
    assert list(section_lines(second))[1:] == ["octets: omitted", "body: |", "  one", "  two"]
    assert list(section_lines(third))[1:] == [
        "reply: |",
        "  +OK",
        "  <hang>",
        'text: ""',
        "octets: 200%",
    ]


def test_lint_right(run: Run, tmp_path: Path) -> None:
    """Files without problems end with 0."""
    (tmp_path / "odd.pop3.yaml").write_text(HEAD, encoding="utf-8")

    result = run("scenarios", "lint", tmp_path)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 file(s), 0 problem(s)" in result.stderr


def test_lint_library(run: Run) -> None:
    """The shipped library has no problems."""
    result = run("scenarios", "lint", shipped()["default"].parent.parent)

    assert result.exit_code == 0, result.output


def test_lint_wrong(run: Run, tmp_path: Path) -> None:
    """Each problem of each file is one line with file, line and column, and a suggestion."""
    folder = tmp_path / "deep"
    folder.mkdir()
    one = tmp_path / "one.pop3.yaml"
    two = folder / "two.pop3.yaml"
    one.write_text(
        "pop3: 1\nname: one\nsummary: x\nquirk: [no-top]\nrules:\n  - whne: RETR\n",
        encoding="utf-8",
    )
    two.write_text("pop3: 1\nname: two\nsummary: x\nquirks: [no-tpo]\n", encoding="utf-8")
    (tmp_path / "notes.yaml").write_text("not ours", encoding="utf-8")

    result = run("scenarios", "lint", tmp_path)

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert any(line.startswith(f"{one}:4:1: ") and "'quirks'" in line for line in lines)
    assert any(line.startswith(f"{one}:6:5: ") and "'when'" in line for line in lines)
    assert any(line.startswith(f"{two}:") and "'no-top'" in line for line in lines)
    assert f"2 file(s), {len(lines)} problem(s)" in result.stderr


def test_lint_shared_problem(run: Run, tmp_path: Path) -> None:
    """What is wrong with a quirk is told once, not for each file that uses it."""
    for name in ("a", "b"):
        text = f"pop3: 1\nname: {name}\nsummary: x\nquirks: [bad]\n"
        (tmp_path / f"{name}.pop3.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "bad.pop3.yaml").write_text("pop3: 1\nname: bad\n", encoding="utf-8")

    result = run("scenarios", "lint", tmp_path / "a.pop3.yaml", tmp_path / "b.pop3.yaml")

    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)


def test_lint_nothing(run: Run, tmp_path: Path) -> None:
    """A folder without scenario files, or a path that is none, is wrong usage."""
    assert run("scenarios", "lint", tmp_path).exit_code == 64
    assert run("scenarios", "lint", tmp_path / "none").exit_code == 64
    assert run("scenarios", "lint").exit_code == 64
