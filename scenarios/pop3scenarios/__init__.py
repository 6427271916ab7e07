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
from ._errors import Problem, ScenarioError, UnknownScenario
from ._library import find, kind_of, shipped
from ._lines import Hole, LineError, Template, difference, parse_line
from ._loader import check, expand, load, loads
from ._maildrop import Mail
from ._mailitem import MailItem
from ._model import (
    ExpectSection,
    FetchSection,
    Rule,
    ScenarioFile,
    ServerSection,
    Source,
    TLSSection,
)
from ._scenario import Layer, Scenario
from ._script import LineErrors, Reply, Script, Step, parse_reply, parse_script
from ._values import Announced, Nth

__all__ = [
    "Action",
    "Announced",
    "Default",
    "Dribble",
    "End",
    "Ending",
    "ExpectSection",
    "FetchSection",
    "Hole",
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
    "find",
    "kind_of",
    "load",
    "loads",
    "parse_duration",
    "parse_line",
    "parse_reply",
    "parse_script",
    "shipped",
]
