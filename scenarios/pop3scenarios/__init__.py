"""The scenario language: how a POP3 server behaves, in one YAML file, and a library of them."""

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
from ._content import Content, Copy, InMemory
from ._errors import Problem, ScenarioError, UnknownScenario
from ._fields import EVENTS
from ._folder import Folder
from ._library import find, kind_of, shipped
from ._lines import Hole, LineError, Template, difference, likeness, parse_line
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
    "Action",
    "Announced",
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
    "check",
    "difference",
    "expand",
    "files",
    "find",
    "kind_of",
    "likeness",
    "load",
    "loads",
    "parse_duration",
    "parse_line",
    "parse_reply",
    "parse_script",
    "shipped",
]
