"""What a suite says of the server that it holds to the cases: options, ini options, environment."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ._limits import Limits
from ._seeding import by_command
from ._target import Target, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The same as the command's.
VARIABLE = "POP3KIT_PASSWORD"

_FILE, _COMMAND = "pop3_check_password_file", "pop3_check_password_command"
_SEED, _FAILURES = "pop3_check_seed_command", "pop3_check_login_failures"

#: Seconds that a command has, which may have to ask a person to unlock something.
_PATIENCE = 120.0

_TLS = ("none", "stls", "implicit")

#: What ``pop3_check_allow`` may hold, and which limit each lifts.
_LEAVE: dict[str, dict[str, Any]] = {
    "mark": {"mode": "mark"},
    "destructive": {"mode": "destructive"},
    "any-message": {"any_message": True},
    "slow": {"slow": True},
    "opt-in": {"opt_in": True},
    "insecure-auth": {},  # this one is about the target
}
LEAVE = tuple(_LEAVE)


def target_of(config: pytest.Config) -> Target:
    """The server and the account, without the password.

    Args:
        config: The run.

    Raises:
        pytest.UsageError: The URL, or an ini option, is wrong.
    """
    url = str(config.getoption("pop3_check"))
    tls = config.getini("pop3_check_tls") or None
    if tls not in (None, *_TLS):
        raise pytest.UsageError(f"pop3_check_tls: expected {', '.join(_TLS)}, got {tls!r}")
    cafile = config.getini("pop3_check_cafile")
    try:
        target = Target.from_url(
            url,
            tls=tls,
            ca=config.rootpath / cafile if cafile else None,
            timeout=_seconds(config),
            allow_insecure_auth="insecure-auth" in _allowed(config),
        )
        if target.tls != "none":
            target.context()  # a file that cannot be read is told before anything is asked
    except TargetError as error:
        raise pytest.UsageError(f"--pop3-check: {error}") from None
    return target


def _seconds(config: pytest.Config) -> float:
    text = str(config.getini("pop3_check_timeout"))
    try:
        return float(text)
    except ValueError:
        raise pytest.UsageError(f"pop3_check_timeout: expected seconds, got {text!r}") from None


def limits_of(config: pytest.Config) -> Limits:
    """How far the run may go.

    Args:
        config: The run.

    Raises:
        pytest.UsageError: ``pop3_check_allow`` names what there is not, or
            ``pop3_check_login_failures`` is no number.
    """
    changes: dict[str, Any] = {"login_failures": _login_failures(config)}
    for word in LEAVE:  # the boldest mode comes last
        if word in _allowed(config):
            changes |= _LEAVE[word]
    return replace(Limits(), **changes)


def _login_failures(config: pytest.Config) -> int:
    text = str(config.getini(_FAILURES))
    if not (text.isascii() and text.isdecimal()):
        raise pytest.UsageError(f"{_FAILURES}: expected a number, 0 or more, got {text!r}")
    return int(text)


def seed_of(config: pytest.Config) -> Callable[[list[bytes]], None] | None:
    """What brings messages into the maildrop; None if nothing was said about it.

    Args:
        config: The run.

    Raises:
        pytest.UsageError: There is no valid command, or no account to bring messages to.
    """
    command = str(config.getini(_SEED))
    if not command:
        return None
    if not target_of(config).user:
        raise pytest.UsageError(f"{_SEED} needs a user in the URL: pop3://user@host")
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise pytest.UsageError(f"{_SEED}: expected a command, got no valid one")
    return by_command(words, folder=config.rootpath)


def _allowed(config: pytest.Config) -> list[str]:
    words: list[str] = config.getini("pop3_check_allow")
    for word in words:
        if word not in _LEAVE:
            raise pytest.UsageError(f"pop3_check_allow: expected {', '.join(LEAVE)}, got {word!r}")
    return words


def with_password(config: pytest.Config, target: Target) -> Target:
    """The target with its password, if it names a user.

    Args:
        config: The run.
        target: The server and the account.

    Raises:
        pytest.UsageError: There is no password to be had. No message ever quotes what was read.
    """
    return replace(target, password=_password(config)) if target.user else target


def _password(config: pytest.Config) -> str:
    file, command = (str(config.getini(name)) for name in (_FILE, _COMMAND))
    if file and command:
        raise pytest.UsageError(f"expected one of {_FILE} and {_COMMAND}, got both")
    if file:
        return _first_line(_read(config.rootpath / file), _FILE)
    if command:
        return _first_line(_run(command, config.rootpath), _COMMAND)
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    raise pytest.UsageError(
        f"--pop3-check names a user, whose password is needed: set {VARIABLE}, or the ini option "
        f"{_FILE} or {_COMMAND}; without a user only what needs no login is checked"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise pytest.UsageError(f"{_FILE}: cannot read {path}: {error.strerror}") from None


def _run(command: str, folder: Path) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, and no shell between
            shlex.split(command), stdout=subprocess.PIPE, check=False, timeout=_PATIENCE, cwd=folder
        )
    except (ValueError, IndexError):
        raise pytest.UsageError(f"{_COMMAND}: expected a command, got no valid one") from None
    except OSError as error:
        raise pytest.UsageError(f"{_COMMAND}: cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise pytest.UsageError(f"{_COMMAND}: no end within {_PATIENCE:g} s") from None
    if done.returncode:
        raise pytest.UsageError(f"{_COMMAND} ended with status {done.returncode}")
    return done.stdout


def _first_line(data: bytes, source: str) -> str:
    try:
        text = data.split(b"\n", 1)[0].removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        # The error that Python raises here would show the octets.
        raise pytest.UsageError(f"{source}: expected a password in UTF-8 in line 1") from None
    if not text:
        raise pytest.UsageError(f"{source}: expected a password in line 1, got nothing")
    return text
