"""Verdicts as pytest tells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._pytest_target import LEAVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._verdict import Verdict

#: Lines of the conversation that are shown: the end, where it went wrong.
_LINES = 40

#: How reasons name the option that gives leave.
_OPTION = re.compile(r"\(--([a-z-]+)\S*?\)")

#: Options that have an ini option of their own; ``--seed-`` stands for all ways to seed.
_INI = {"seed-": "pop3_check_seed_command", "login-failures": "pop3_check_login_failures"}


def unmet(verdict: Verdict) -> str:
    """What somebody needs who has to mend the server; the first line stands for all of it.

    Args:
        verdict: The verdict upon a requirement that is not met.
    """
    where = f"{verdict.step}; " if verdict.step else ""
    lines = [
        f"{verdict.case} expected {verdict.expected}, got {verdict.actual}",
        f"requirement: {verdict.requirement} ({'; '.join(verdict.references)})",
        f"level:       {verdict.level}{' (security)' if verdict.security else ''}",
        f"expected:    {verdict.expected}",
        f"actual:      {verdict.actual}",
        f"at:          {where}connection {verdict.ending.value}",
        *_octets(verdict),
    ]
    return "\n".join(lines)


def inconclusive(verdict: Verdict) -> str:
    """Why nothing can be said about the server.

    Args:
        verdict: The verdict.
    """
    return "\n".join([f"{verdict.case} is inconclusive: {verdict.reason}", *_octets(verdict)])


def skipped(verdict: Verdict) -> str:
    """Why a case was not asked, with the option by which pytest gives leave.

    Args:
        verdict: The verdict.
    """
    return _OPTION.sub(_leave, verdict.reason)


def _leave(option: re.Match[str]) -> str:
    if option[1] in LEAVE:
        return f"(pop3_check_allow = {option[1]})"
    if name := _INI.get(option[1]):
        return f"({name})"
    return f"(pop3kit check {option[0].strip('()')})"


def _octets(verdict: Verdict) -> Iterator[str]:
    """The conversation, a line each; ``C*`` and ``S*`` stand for what went through TLS."""
    if not verdict.wire:
        return
    left_out = len(verdict.wire) - _LINES
    yield f"octets{f', without the first {left_out} lines' if left_out > 0 else ''}:"
    yield from (f"  {line}" for line in verdict.wire[-_LINES:])
