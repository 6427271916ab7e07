"""The cases: what a server is held to, and what it takes to ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pop3scenarios import CaseSection, kind_of

from ._passive import CHECKS
from ._safety import commands
from ._verdict import Outcome
from .probes import LOGS_IN, load_probes

if TYPE_CHECKING:
    from pop3scenarios import Scenario

    from .probes import Probe

_OUTCOMES = {
    "fail": Outcome.FAIL,
    "security": Outcome.FAIL,
    "non-strict": Outcome.NON_STRICT,
    "info": Outcome.INFO,
}

#: What a conversation is that is no case: nothing is asked of it, and nothing is known.
_CONVERSATION = CaseSection(requirement="-", level="note", session="own")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a server is asked.

    Attributes:
        id: Its permanent id: the name of the scenario, in upper case if it is a shipped case.
        title: What it is about, in one line.
        requirement: What the server has to do.
        why: Why that matters.
        references: Where it is said.
        unmet: The outcome if the server does not do it.
        about: What it takes to ask for it.
        requires: Capabilities that have to be announced.
        scenario: The file, with the script if it has one.
        probe: How it is asked, where there is no script.
        passive: Whether it is judged of every octet of the run, and asks nothing itself.
    """

    id: str
    title: str
    requirement: str
    why: str
    references: tuple[str, ...]
    unmet: Outcome
    about: CaseSection
    requires: tuple[str, ...]
    scenario: Scenario = field(repr=False)
    probe: Probe | None
    passive: bool

    @classmethod
    def of(cls, scenario: Scenario) -> Case:
        """The case that a scenario is; a conversation is one, too, with nothing said about it."""
        file = scenario.file
        about = file.case or _CONVERSATION
        shipped = kind_of(scenario.path) == "conformance"
        name = scenario.name.upper() if shipped else scenario.name
        return cls(
            id=name,
            title=scenario.summary,
            requirement=about.requirement if file.case else file.breaks or scenario.summary,
            why=file.why,
            references=file.references,
            unmet=_OUTCOMES[about.unmet],
            about=about,
            requires=file.requires,
            scenario=scenario,
            probe=load_probes().get(name) if file.case else None,
            passive=file.case is not None and name in CHECKS,
        )

    @property
    def security(self) -> bool:
        """Whether somebody could be harmed if it is not met."""
        return self.about.unmet == "security"

    @property
    def is_conversation(self) -> bool:
        """Whether it is a whole conversation, from the greeting on."""
        return self.scenario.script is not None and self.about.state is None

    @property
    def needs_nothing(self) -> bool:
        """Whether it can be asked of a server of which nothing is known, as whether it speaks."""
        about = self.about
        bare = about.state is None and about.level != "note" and not self.passive
        return bare and not (self.requires or about.gates or self.logs_in)

    @property
    def shares(self) -> bool:
        """Whether it can be asked in a session in which others have been asked."""
        return (
            self.about.session == "shared"
            and self.about.state == "transaction"
            and not {"marks", "deletes", "slow"} & set(self.about.effects)
        )

    @property
    def logs_in(self) -> bool:
        """Whether it needs an account."""
        if self.about.state == "transaction" or (self.probe is not None and self.id in LOGS_IN):
            return True
        secrets = {"password", "digest"}
        return any(hole.name in secrets for line in commands(self.scenario) for hole in line.holes)
