"""Holds a real POP3 server to a scenario: plays its conversation and judges what comes back."""

from ._cases import Case
from ._checker import check, check_all
from ._console import describe, summary
from ._facts import Facts
from ._limits import Limits
from ._report import Report
from ._select import UnknownCase, select
from ._target import Target, TargetError, TLSMode
from ._verdict import Ending, Outcome, Verdict
from ._wirelog import WireLine

__all__ = [
    "Case",
    "Ending",
    "Facts",
    "Limits",
    "Outcome",
    "Report",
    "TLSMode",
    "Target",
    "TargetError",
    "UnknownCase",
    "Verdict",
    "WireLine",
    "check",
    "check_all",
    "describe",
    "select",
    "summary",
]
