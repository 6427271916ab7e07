"""``pop3kit demo``: the whole run, its table, and what it says when something is wrong."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

import pop3client
from pop3client import Message, POP3Client
from pop3kit import _trial
from pop3kit._table import show_table, table
from pop3scenarios import expand, load

if TYPE_CHECKING:
    from pathlib import Path

    from pop3kit._trial import Outcome

    from .conftest import Run

pytestmark = pytest.mark.once

SHIPPED = [ref for folder in ("servers", "quirks", "faults") for ref in expand(f"{folder}/*")]


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Outcomes with long names, long summaries and many deviations."""
    names = ("rfc1939-minimal", "lf-only", "retr-size-not-a-number", "stls-broken[not-offered]")
    return [_trial.run(load(name)) for name in names]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that loses the last octet of each message."""
    original = POP3Client.retrieve

    def retrieve(self: POP3Client, start: str, end: str) -> list[Message]:
        return [Message(m.number, m.raw[:-1]) for m in original(self, start, end)]

    monkeypatch.setattr(POP3Client, "retrieve", retrieve)


def drawn(outcomes: list[Outcome], width: int, encoding: str = "utf-8") -> list[str]:
    """The lines of the table on a terminal of this width."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    console.print(table(outcomes, console))
    file.seek(0)
    return file.read().splitlines()


def test_everything(run: Run) -> None:
    """All shipped servers, quirks and faults end as their files say, and each has its line."""
    result = run("demo")

    assert result.exit_code == 0, result.output
    assert len(SHIPPED) >= 45
    for number, name in enumerate(SHIPPED, 1):
        assert f"{number:2}/{len(SHIPPED)} ok    {name} " in result.output
    assert f"{len(SHIPPED)} of {len(SHIPPED)} scenarios ended as their files say" in result.output


def test_line(run: Run) -> None:
    """A line tells the modes, what came, the time, what the server did and what was noticed."""
    result = run("demo", "--only", "retr-without-size", "--plain")

    line = result.output.splitlines()[0]
    assert line.split()[:7] == ["1/1", "ok", "retr-without-size", "retr", "->", "list", "4/4"]
    assert line.endswith(" s  RETR answers +OK with no size [retr-without-size]")


def test_line_with_error(run: Run) -> None:
    """A line names the type of the error that the client ended with."""
    result = run("demo", "--only", "close-on-bad-auth")

    line = result.output.splitlines()[0]
    assert line.split()[3:7] == ["retr", "->", "-", "0/4"]
    assert line.endswith(" [close-on-bad-auth; AuthenticationError]")


def test_only(run: Run) -> None:
    """--only takes names and globs over folders, and leaves out what is no fetch of all mail."""
    result = run("demo", "--only", "cut-mid-message", "--only", "sizes*", "--only", "servers/gm*")

    names = [line.split()[2] for line in result.output.splitlines() if " ok " in line]
    assert names == ["cut-mid-message", "gmail"]


def test_only_own_files(run: Run, tmp_path: Path) -> None:
    """A glob of paths stands for one's own files, and leaves out conversations too."""
    head, script = "pop3: 1\nsummary: x\n", "script: |\n  S: +OK hi\n"
    fetch = "expect: {fetch: {ends: complete}}\n"
    for name, rest in (("one", fetch), ("two", f"{fetch}variants: {{v: {{}}}}\n"), ("it", script)):
        (tmp_path / f"{name}.pop3.yaml").write_text(f"{head}name: {name}\n{rest}")

    result = run("demo", "--only", tmp_path / "*.pop3.yaml")

    assert result.exit_code == 0, result.output
    assert [line.split()[2] for line in result.output.splitlines() if " ok " in line] == [
        "one",
        "two[v]",
    ]


@pytest.mark.parametrize("pattern", ["no-such-thing", "nothing/*", "conversations/*"])
def test_only_nothing(run: Run, pattern: str) -> None:
    """A pattern that means nothing is wrong usage, in one line."""
    result = run("demo", "--only", pattern)

    assert result.exit_code == 64
    assert len(result.stderr.splitlines()) == 1
    assert pattern in result.stderr


def test_wrong_expectation(run: Run, tmp_path: Path) -> None:
    """A scenario that does not end as its file says is named, with differences and transcript."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(
        "pop3: 1\nname: odd\nsummary: an odd one\nquirks: [retr-without-size]\n"
        "expect: {fetch: {mode: retr, notices: [no-capa]}}\n",
        encoding="utf-8",
    )

    result = run("demo", "--only", file, "--only", "no-top")

    assert result.exit_code == 1
    assert "1/2 WRONG odd " in result.output
    assert "2/2 ok    no-top " in result.output
    assert "mode at end: expected retr, got list" in result.output
    assert "expected no-capa, got retr-without-size" in result.output
    assert "C: PASS ****" in result.output
    assert "secret" not in result.output
    assert "1 of 2 scenarios did not end as their files say" in result.output


def test_broken_client(run: Run, broken: None) -> None:
    """A client that spoils messages fails every scenario in which any should be intact."""
    result = run("demo", "--only", "default", "--only", "stls-broken[expired]")

    assert result.exit_code == 1
    assert "WRONG default " in result.output
    assert "ok    stls-broken[expired] " in result.output
    assert "messages intact: expected 4, got 0" in result.output


def test_client_that_crashes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of no type fails its scenario, not the demonstration."""

    def connect(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by \x1b[31mzero")

    monkeypatch.setattr(pop3client, "connect", connect)

    result = run("demo", "--only", "default")

    assert result.exit_code == 1
    assert "ZeroDivisionError: by \\x1b[31mzero" in result.output


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_table_fits(outcomes: list[Outcome], width: int) -> None:
    """The table is as wide as the terminal, and nothing in it is cut."""
    lines = drawn(outcomes, width)

    text = " ".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for outcome in outcomes:
        assert f"✓ {outcome.scenario.name} " in text
        assert all(notice in text for notice in outcome.notices)
    assert "TLSError" in text
    assert "retr → slow" in text
    assert "4/4" in text


def test_table_side_by_side(outcomes: list[Outcome]) -> None:
    """A wide terminal has everything side by side, a narrow one has it one below the other."""
    assert "deviations noticed" in drawn(outcomes, 120)[0]
    assert any(line.startswith("    noticed: no-capa,") for line in drawn(outcomes, 80))


def test_table_ascii(outcomes: list[Outcome]) -> None:
    """A terminal that knows only ASCII gets no other signs."""
    text = "\n".join(drawn(outcomes, 80, "ascii"))

    assert "retr -> slow" in text


@pytest.mark.parametrize("width", [80, 120])
def test_table_marks_what_is_wrong(broken: None, width: int) -> None:
    """What is wrong is seen without colour."""
    text = "\n".join(drawn([_trial.run(load("default"))], width))

    assert "✗ default" in text


def test_no_colour(
    outcomes: list[Outcome], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With NO_COLOR in the environment nothing is coloured; without, it is."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    show_table(outcomes, len(outcomes))
    coloured = capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    show_table(outcomes, len(outcomes))
    plain = capsys.readouterr().out

    assert "\x1b[33m" in coloured
    assert "\x1b[33m" not in plain
    assert "\x1b[32m" not in plain
