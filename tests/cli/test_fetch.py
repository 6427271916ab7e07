"""``pop3kit fetch`` from servers: what comes, under which names, and what is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

from ._fetching import ca, mail, odd, one_line, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


#: ``pop3kit`` also where the tests run in the background, and SIGINT would be ignored.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from pop3kit.__main__ import main; raise SystemExit(main())"
)


@pytest.mark.parametrize(
    ("tls", "scheme", "options"),
    [("none", "pop3", []), ("stls", "pop3", ["--stls"]), ("implicit", "pop3s", [])],
)
def test_fetch(
    run: Run, out: Path, tmp_path: Path, tls: str, scheme: str, options: list[str]
) -> None:
    """All messages come octet for octet, however the connection is secured; nothing is deleted."""
    with MockServer("default", tls=tls) as server:  # type: ignore[arg-type]
        cafile = ["--cafile", ca(server, tmp_path)] if tls != "none" else []
        result = run("fetch", url(server, scheme), "-o", out, *options, *cafile, password="secret")
        before, secured = list(server.maildrop), {e.tls for e in server.journal.exchanges[-3:]}

    assert (result.exit_code, result.stderr) == (0, "")
    assert mail(out) == before
    assert len(before) == 4
    assert secured == {tls != "none"}
    assert result.stdout == f"4 of 4 messages are in {out} (20,559 octets)\n"
    server.verify()


def test_names(run: Run, out: Path) -> None:
    """A file is named by number and unique-id, which is made safe; without one by the number."""
    text = "maildrop: [{body: a, uid: '../a:b'}, {body: b, uid: x}]\n"
    with odd(text) as server:
        run("fetch", url(server), "-o", out, password="secret")
    with MockServer("no-uidl") as server:
        run("fetch", url(server), "-o", out / "no-uidl", password="secret")

    assert sorted(file.name for file in out.iterdir()) == [
        "00001-..%2Fa%3Ab.eml",
        "00002-x.eml",
        "no-uidl",
    ]
    assert min(file.name for file in (out / "no-uidl").iterdir()) == "00001.eml"


def test_again(run: Run, out: Path) -> None:
    """What is there already is not written again, and is counted."""
    with MockServer() as server:
        run("fetch", url(server), "-o", out, password="secret")
        times = [file.stat().st_mtime_ns for file in sorted(out.iterdir())]
        result = run("fetch", url(server), "-o", out, password="secret")

    assert result.exit_code == 0
    assert "(20,559 octets, 4 of them there already)" in result.stdout
    assert times == [file.stat().st_mtime_ns for file in sorted(out.iterdir())]


def test_collision(run: Run, out: Path) -> None:
    """A different message of the same name stays as it is."""
    out.mkdir()
    (out / "00001-x.eml").write_bytes(b"mine")
    with odd("maildrop: [{body: a, uid: x}]\n") as server:
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (0, [])
    assert (out / "00001-x.eml").read_bytes() == b"mine"
    assert (out / "00001-x-2.eml").read_bytes().endswith(b"\r\n\r\na\r\n")


def test_fall_back_and_deviations(run: Run, out: Path) -> None:
    """The summary tells the fall of the retrieval mode, and each deviation once."""
    with MockServer("retr-without-size") as server:
        result = run("fetch", url(server), "-o", out, password="secret")

    assert "the retrieval mode fell from retr to list\n" in result.stdout
    assert "noticed: retr-without-size (RETR): " in result.stdout


@pytest.mark.parametrize("option", [["--msex"], ["--retr-mode", "slow"], ["--retr-mode", "list"]])
def test_modes(run: Run, out: Path, option: list[str]) -> None:
    """--msex and --retr-mode keep the client from looking for a size where there is none."""
    with MockServer("retr-without-size") as server:
        result = run("fetch", url(server), "-o", out, *option, password="secret")
        commands = server.journal.commands

    assert result.exit_code == 0
    assert ("LIST 1" in commands) == (option[-1] == "list")
    assert "noticed" not in result.stdout
    assert "the retrieval mode fell" not in result.stdout


@pytest.mark.parametrize("scenario", ["default", "cut-mid-message"])
def test_json(run: Run, out: Path, scenario: str) -> None:
    """With --json the summary is one JSON object, also when something failed."""
    with MockServer(scenario) as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    summary = json.loads(result.stdout)
    failed = scenario != "default"
    assert summary["status"] == result.exit_code == (69 if failed else 0)
    assert summary["path"] == str(out)
    assert summary["total"] == (3 if failed else 4)
    assert summary["kept"] == len(mail(out)) == (1 if failed else 4)
    assert len(summary["failures"]) == failed
    assert set(summary) >= {"kind", "seen", "known", "octets", "deleted", "modes", "deviations"}


def test_server_cannot_drive_the_terminal(run: Run, out: Path) -> None:
    """What a server says is shown without its control characters."""
    rule = 'rules:\n  - when: STAT\n    reply: |\n      <bytes "-ERR \\x1b[2J\\x07gone\\r\\n">\n'
    with odd(rule) as server:
        result = run("fetch", url(server), "-o", out, password="secret")

    assert "gone" in one_line(result)
    assert not set(result.output) & {"\x1b", "\x07"}


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_interrupted(out: Path) -> None:
    """Ctrl-C in the middle of a message leaves what came whole, and no part of a message."""
    rule = "rules: [{when: RETR 2, cut: 100, then: hang}]\n"
    with odd(rule) as server:
        before = list(server.maildrop)
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "fetch", url(server), "-o", out, "--delete"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "POP3KIT_PASSWORD": "secret"},
        ) as process:
            server.wait_for("RETR 2", timeout=30)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        left = list(server.maildrop)

    assert (process.returncode, left) == (130, before)
    assert mail(out) == before[:1]
    assert stderr == "Error: interrupted\n"
    assert "1 of 4 messages" in stdout
