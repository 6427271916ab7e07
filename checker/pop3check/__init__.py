"""Holds a real POP3 server to a scenario: plays its conversation and judges what comes back."""

from . import _needs  # noqa: F401
from ._baseline import (
    Baseline,
    BaselineError,
    Entry,
    Standing,
    read_baseline,
    written_baseline,
)
from ._cases import Case
from ._checker import check, check_all
from ._console import (
    Groups,
    describe,
    described_facts,
    described_group,
    described_loss,
    summary,
)
from ._facts import Facts
from ._factsheet import fact_sheet
from ._fingerprint import Fingerprint, NoFingerprint, unmarked
from ._junit import junit
from ._limits import Limits
from ._load import load
from ._load_plan import LoadPlan
from ._load_report import Latency, LoadReport, Violation, load_summary
from ._markdown import markdown
from ._observed import Observed, Probe, observed_in
from ._profiles import PROFILES, Grade, Profile
from ._proxy import Certificate, Proxy, certificate
from ._record import (
    CaseRecord,
    Record,
    RecordError,
    read_record,
    schema_text,
    section_of,
    written_record,
)
from ._recording import Recording, Unrecordable
from ._redaction import Unredacted
from ._report import Report
from ._seeding import SeedingError, by_command, by_maildir, by_smtp
from ._select import UnknownCase, select
from ._target import Target, TargetError, TLSMode
from ._verdict import Ending, Outcome, Verdict
from ._wirelog import WireLine
from ._written import RecordedConversation, Written

__all__ = [
    "PROFILES",
    "Baseline",
    "BaselineError",
    "Case",
    "CaseRecord",
    "Certificate",
    "Ending",
    "Entry",
    "Facts",
    "Fingerprint",
    "Grade",
    "Groups",
    "Latency",
    "Limits",
    "LoadPlan",
    "LoadReport",
    "NoFingerprint",
    "Observed",
    "Outcome",
    "Probe",
    "Profile",
    "Proxy",
    "Record",
    "RecordError",
    "RecordedConversation",
    "Recording",
    "Report",
    "SeedingError",
    "Standing",
    "TLSMode",
    "Target",
    "TargetError",
    "UnknownCase",
    "Unrecordable",
    "Unredacted",
    "Verdict",
    "Violation",
    "WireLine",
    "Written",
    "by_command",
    "by_maildir",
    "by_smtp",
    "certificate",
    "check",
    "check_all",
    "describe",
    "described_facts",
    "described_group",
    "described_loss",
    "fact_sheet",
    "junit",
    "load",
    "load_summary",
    "markdown",
    "observed_in",
    "read_baseline",
    "read_record",
    "schema_text",
    "section_of",
    "select",
    "summary",
    "unmarked",
    "written_baseline",
    "written_record",
]
