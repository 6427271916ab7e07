"""Where a password comes from, and that nothing tells it."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pop3kit import _password
from pop3kit._failures import Failure
from pop3kit._password import find_password

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """No password in the environment, and no terminal."""
    monkeypatch.delenv("POP3KIT_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def command(code: str) -> str:
    """A command line that runs Python code."""
    return shlex.join([sys.executable, "-c", code])


@pytest.mark.parametrize("data", [b"pa ss\xc3\xa9", b"pa ss\xc3\xa9\n", b"pa ss\xc3\xa9\r\nmore\n"])
def test_file(tmp_path: Path, data: bytes) -> None:
    """The first line of a file, without its line end."""
    file = tmp_path / "password"
    file.write_bytes(data)

    assert find_password(file, None, "Password") == "pa ssé"


def test_command() -> None:
    """The first line that a command prints; no shell reads its arguments."""
    assert find_password(None, command("print('$HOME x'); print('y')"), "") == "$HOME x"


def test_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment, unless a file is named."""
    monkeypatch.setenv("POP3KIT_PASSWORD", "from the environment")
    file = tmp_path / "password"
    file.write_bytes(b"from the file")

    assert find_password(None, None, "") == "from the environment"
    assert find_password(file, None, "") == "from the file"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; print('gehe1m'); sys.exit(3)", "ended with status 3"),
        ("pass", "got nothing"),
        ("print()", "got nothing"),
        ("import sys; sys.stdout.buffer.write(b'gehe1m\\xff')", "in UTF-8"),
    ],
)
def test_command_fails(code: str, why: str) -> None:
    """A command that fails, or prints no password, is told, without what it printed."""
    with pytest.raises(Failure, match=why) as caught:
        find_password(None, command(code), "")

    assert caught.value.exit_code == 64
    assert "gehe1m" not in str(caught.value)


@pytest.mark.parametrize(("text", "status"), [("", 64), ("'", 64), ("no-such-program x", 74)])
def test_command_that_is_none(text: str, status: int) -> None:
    """A command that cannot be run is told."""
    with pytest.raises(Failure, match="--password-command") as caught:
        find_password(None, text, "")

    assert caught.value.exit_code == status


def test_command_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command has a limit of time."""
    monkeypatch.setattr(_password, "_PATIENCE", 0.1)

    with pytest.raises(Failure, match=r"no end within 0\.1 s"):
        find_password(None, command("import threading; threading.Event().wait()"), "")


def test_file_that_is_none(tmp_path: Path) -> None:
    """A file that cannot be read is told."""
    with pytest.raises(Failure, match="cannot read") as caught:
        find_password(tmp_path, None, "")

    assert caught.value.exit_code == 74


def test_two_sources(tmp_path: Path) -> None:
    """Of two sources none is preferred in silence."""
    with pytest.raises(Failure, match="got both"):
        find_password(tmp_path / "x", "true", "")


def test_no_source() -> None:
    """Without any source and without a terminal, the message names the sources."""
    with pytest.raises(Failure, match="--password-file, --password-command or POP3KIT_PASSWORD"):
        find_password(None, None, "")


def test_prompt() -> None:
    """On a terminal it is asked for on standard error, and not shown."""
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    code = (
        "from pop3kit._password import find_password\n"
        "print(find_password(None, None, 'Password of joe'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # no other terminal to ask on
    ) as process:
        os.close(terminal)
        assert process.stderr is not None
        said = b""
        # What follows the colon comes once the terminal shows nothing any more.
        while not said.endswith(b": ") and (octet := process.stderr.read(1)):
            said += octet
        os.write(master, b"gehe1m\n")
        out, err = process.communicate(timeout=30)
    os.set_blocking(master, False)
    try:
        shown = os.read(master, 4096)
    except OSError:  # nothing was shown, and nobody is left who could
        shown = b""
    os.close(master)

    assert out == b"gehe1m\n"
    assert said == b"Password of joe: "
    assert b"gehe1m" not in err + shown
