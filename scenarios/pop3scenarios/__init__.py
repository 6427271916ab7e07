"""The scenario language: how a POP3 server behaves, in one YAML file, and a library of them."""

from . import _needs  # noqa: F401
from ._actions import (
    Action,
    Default,
    Dribble,
    End,
    Ending,
    MessageData,
    Octets,
    StartTLS,
    Wait,
    parse_duration,
)
from ._asked import MASK, asked, split_secret
from ._case import CaseSection
from ._content import Content, Copy, InMemory
from ._errors import Problem, ScenarioError, UnknownScenario, did_you_mean
from ._fields import EVENTS
from ._folder import Folder
from ._holes import Hole
from ._library import find, is_glob, is_path, kind_of, shipped
from ._lines import LineError, Template, difference, likeness, parse_line
from ._loader import check, expand, files, load, loads
from ._maildrop import Mail
from ._mailitem import MailItem
from ._model import (
    ExpectSection,
    FetchSection,
    ScenarioFile,
    ServerSection,
    TLSSection,
)
from ._rule import Rule, Source
from ._scenario import Layer, Scenario
from ._script import LineErrors, Reply, Script, Step, parse_reply, parse_script
from ._values import Announced, Nth

__all__ = [
    "EVENTS",
    "MASK",
    "Action",
    "Announced",
    "CaseSection",
    "Content",
    "Copy",
    "Default",
    "Dribble",
    "End",
    "Ending",
    "ExpectSection",
    "FetchSection",
    "Folder",
    "Hole",
    "InMemory",
    "Layer",
    "LineError",
    "LineErrors",
    "Mail",
    "MailItem",
    "MessageData",
    "Nth",
    "Octets",
    "Problem",
    "Reply",
    "Rule",
    "Scenario",
    "ScenarioError",
    "ScenarioFile",
    "Script",
    "ServerSection",
    "Source",
    "StartTLS",
    "Step",
    "TLSSection",
    "Template",
    "UnknownScenario",
    "Wait",
    "asked",
    "check",
    "did_you_mean",
    "difference",
    "expand",
    "files",
    "find",
    "is_glob",
    "is_path",
    "kind_of",
    "likeness",
    "load",
    "loads",
    "parse_duration",
    "parse_line",
    "parse_reply",
    "parse_script",
    "shipped",
    "split_secret",
]
