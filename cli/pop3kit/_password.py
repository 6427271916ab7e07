"""Where a password comes from: a file, a command, the environment, or a prompt; never arguments."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, system_failure

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "POP3KIT_PASSWORD"

#: Seconds that a command has, which may have to ask a person to unlock something.
_PATIENCE = 120.0


def find_password(file: Path | None, command: str | None, prompt: str) -> str:
    """The password: the first line of a file or of what a command prints, else as it can be had.

    Args:
        file: A file whose first line is the password.
        command: A command, with its arguments as a shell would read them, that prints it.
        prompt: What to ask on a terminal if there is nothing else.

    Raises:
        UsageFailure: There is none. No message ever quotes what was read.
    """
    if file is not None and command is not None:
        raise UsageFailure("expected one of --password-file and --password-command, got both")
    if file is not None:
        return _first_line(_read(file), f"the file {file}")
    if command is not None:
        return from_command(command, "--password-command")
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    if not sys.stdin.isatty():
        raise UsageFailure(
            "a password is needed and there is no terminal to ask on: use --password-file,"
            f" --password-command or {VARIABLE}"
        )
    answer: str = click.prompt(prompt, hide_input=True, err=True)
    return answer


def from_command(command: str, option: str) -> str:
    """The first line of what a command prints.

    Args:
        command: The command, with its arguments as a shell would read them.
        option: The option that it comes from, for errors.

    Raises:
        UsageFailure: There is none. No message ever quotes what was read.
    """
    return _first_line(_run(command, option), option)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise system_failure("cannot read", file, error) from None


def _run(command: str, option: str) -> bytes:
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the user's own command, and no shell between
            words, stdout=subprocess.PIPE, check=False, timeout=_PATIENCE
        )
    except (ValueError, IndexError):
        raise UsageFailure(f"{option}: expected a command, got no valid one") from None
    except OSError as error:
        raise system_failure("cannot run", option, error) from None
    except subprocess.TimeoutExpired:
        raise UsageFailure(f"{option}: no end within {_PATIENCE:g} s") from None
    if done.returncode != 0:
        raise UsageFailure(f"{option} ended with status {done.returncode}")
    return done.stdout


def _first_line(data: bytes, source: str) -> str:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        # The error that Python raises here would show the octets.
        raise UsageFailure(f"{source}: expected a secret in UTF-8 in the first line") from None
    if not text:
        raise UsageFailure(f"{source}: expected a secret in the first line, got nothing")
    return text
