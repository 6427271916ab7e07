"""``pop3kit fetch``: the progress bar, on a terminal and nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from ._fetching import odd, url

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from .conftest import Run

THREE = "maildrop: [{count: 3, octets: 100000}]\n"


@pytest.fixture
def on_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``pop3kit`` in this process, with a terminal of 120 columns for standard error."""

    def invoke(*arguments: object, password: str | None = None) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr("pop3kit._bar._is_terminal", lambda: True)
            patch.setattr(
                "rich.console.Console",
                lambda **options: Console(
                    **options, width=120, force_terminal=True, color_system=None
                ),
            )
            return run(*arguments, password=password)

    return invoke


@pytest.mark.parametrize("more", [[], ["--sync"]])
def test_octets_and_total(on_terminal: Run, out: Path, more: list[str]) -> None:
    """The bar ends at the octets of all messages, and names the last one."""
    options = [*more, *([out.with_name("seen.db")] if more else [])]
    with odd(THREE) as server:
        result = on_terminal("fetch", url(server), "-o", out, *options, password="secret")

    assert result.exit_code == 0
    *_, last = re.findall(r"Message.*", result.stderr)
    assert "Message 3" in last
    assert re.search(r"300\.0/300\.0 kB", last)
    assert result.stdout == f"3 of 3 messages are in {out} (300,000 octets)\n"


def test_what_is_passed_over_counts(on_terminal: Run, out: Path) -> None:
    """With --sync the bar tells where in the maildrop it is, not only what came."""
    options = ["-o", out, "--sync", out.with_name("seen.db")]
    with odd(THREE) as server:
        on_terminal("fetch", url(server), *options, password="secret")
        server.deliver(b"Subject: x\r\n\r\n" + b"x" * 99_984 + b"\r\n")
        result = on_terminal("fetch", url(server), *options, password="secret")

    assert result.stdout.startswith("1 of 4 messages")
    assert "Message 4" in result.stderr
    assert "400.0/400.0 kB" in result.stderr


def test_without_sizes(on_terminal: Run, out: Path) -> None:
    """If the server tells no sizes, the bar does without a total."""
    with odd(THREE + "rules: [{when: LIST, reply: -ERR no}]\n") as server:
        result = on_terminal("fetch", url(server), "-o", out, password="secret")

    assert result.exit_code == 0
    assert "Message 3" in result.stderr


def test_lost_while_sizes_are_asked(on_terminal: Run, out: Path) -> None:
    """A server that hangs up when the bar asks for sizes is a server that has hung up."""
    with odd(THREE + "rules: [{when: LIST, reply: <close>}]\n") as server:
        result = on_terminal("fetch", url(server), "-o", out, password="secret")

    assert result.exit_code == 69
    assert "LIST" in result.stderr


def test_failure_below_the_bar(on_terminal: Run, out: Path) -> None:
    """A bar that is cut short stays where it was, and the failure has a line of its own."""
    rule = "rules: [{when: RETR 2, cut: 60000, then: close}]\n"
    with odd(THREE + rule) as server:
        result = on_terminal("fetch", url(server), "-o", out, password="secret")

    *_, last = re.findall(r"Message.*", result.stderr)
    assert result.exit_code == 69
    assert re.search(r"Message 2 .* 1[56]\d\.\d/300\.0 kB", last)
    assert re.search(r"\n(\x1b\S*?[hl])?Error: RETR 2", result.stderr)


def test_silent_elsewhere(run: Run, out: Path) -> None:
    """Where standard error is no terminal there is no bar, and nobody is asked for its sake."""
    with odd(THREE) as server:
        result = run("fetch", url(server), "-o", out, password="secret")
        commands = server.journal.commands

    assert (result.exit_code, result.stderr) == (0, "")
    assert "LIST" not in commands


@pytest.mark.once
@pytest.mark.skipif(os.name != "posix", reason="terminals are those of POSIX")
@pytest.mark.parametrize("on", ["stderr", "stdout"])
def test_real_terminal(out: Path, on: str) -> None:
    """A terminal as standard error shows the bar; one as standard output alone does not."""
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, on: terminal}
    with odd(THREE) as server:
        done = subprocess.run(
            [sys.executable, "-m", "pop3kit", "fetch", url(server), "-o", out],
            **streams,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "POP3KIT_PASSWORD": "secret", "TERM": "xterm", "COLUMNS": "120"},
            check=False,
            timeout=60,
        )
    os.close(terminal)
    os.set_blocking(master, False)
    shown = os.read(master, 1 << 16)
    os.close(master)

    summary = f"3 of 3 messages are in {out} (300,000 octets)"
    assert done.returncode == 0
    if on == "stderr":
        assert b"300.0/300.0 kB" in shown
        assert done.stdout == f"{summary}\n".encode()
    else:
        assert shown == f"{summary}\r\n".encode()
        assert done.stderr == b""
