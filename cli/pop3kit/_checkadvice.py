"""What the checker advises in terms of Python, in terms of the command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pop3check import Verdict

#: The beginning of an advice, and the option that stands for it.
_OPTIONS = {"(ca= names": "(--cafile names"}


def in_options(text: str) -> str:
    """A text of the checker, as who has a command line needs it.

    Args:
        text: What the checker says.
    """
    for python, option in _OPTIONS.items():
        text = text.replace(python, option)
    return text


def advised(verdict: Verdict) -> Verdict:
    """A verdict whose reason speaks of options.

    Args:
        verdict: As the checker gives it.
    """
    return replace(verdict, reason=in_options(verdict.reason))
