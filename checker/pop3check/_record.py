"""What a run found out, as files hold it: version 1 of the format.

A field that is added does not change the version; one that goes, or means something else, does.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ._baseline import Standing
from ._limits import Mode
from ._target import TLSMode
from ._verdict import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._facts import Facts
    from ._limits import Limits
    from ._report import Report
    from ._target import Target
    from ._verdict import Verdict

#: The schema of the files; a test holds it to the models.
SCHEMA_FILE = Path(__file__).with_name("schema") / "report.schema.json"

_SCHEMA_ID = "urn:pop3kit:check:1"

#: So many lines of a conversation are kept, the last ones.
_KEPT = 300

_GROUPS = {"IOP": "what clients count on", "SEC": "security", "HIST": "withdrawn commands"}

_Seconds = Annotated[float, Field(ge=0)]


class RecordError(ValueError):
    """A file is no record of a run; says where it is wrong."""


def section_of(case_id: str) -> str:
    """Where a case belongs, by its id: ``RFC 1939 section 5`` for ``RFC1939-5-06``.

    Args:
        case_id: The id of a case, or the name of a scenario of somebody's own.
    """
    rfc = re.match(r"RFC(\d+)-(.+)-\d+\Z", case_id)
    if rfc is not None:
        return f"RFC {rfc[1]} section {rfc[2]}"
    group = re.match(r"(IOP|SEC|HIST)-", case_id)
    return _GROUPS[group[1]] if group is not None else "own cases"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Model):
    """A line that crossed the wire."""

    sender: Literal["C", "S"] = Field(description="C the checker, S the server.")
    text: str = Field(description="Its octets; escapes for what cannot be printed, no secret.")
    tls: bool = Field(default=False, description="Whether it went inside TLS.")
    connection: str = Field(default="", description="Its name, where there are several.")

    def __str__(self) -> str:
        name = f"[{self.connection}] " if self.connection else ""
        return f"{name}{self.sender}{'*' if self.tls else ':'} {self.text}"


class CaseRecord(_Model):
    """What came of one case."""

    id: str = Field(description="Its permanent id, or the name of a scenario.")
    title: str
    section: str = Field(description="Where it belongs.")
    outcome: Outcome
    standing: Standing = Field(
        default=Standing.NONE, description="What a baseline says to it; empty without one."
    )
    known: str = Field(default="", description="The reason that the baseline gives.")
    security: bool = Field(
        default=False, description="Whether somebody could be harmed if it is not met."
    )
    level: str = Field(default="", description="How strongly the text asks for it.")
    requirement: str = Field(description="What the server has to do.")
    why: str = Field(default="", description="Why that matters.")
    references: tuple[str, ...] = Field(default=(), description="Where it is said.")
    expected: str = ""
    actual: str = ""
    reason: str = Field(default="", description="Why it was skipped or is inconclusive.")
    notes: tuple[str, ...] = Field(default=(), description="What was observed.")
    step: str = Field(default="", description="The line of its file, where it has a script.")
    ending: Ending = Field(default=Ending.NONE, description="How the connection ended.")
    wire: tuple[Line, ...] = Field(default=(), description="The last lines, secrets masked.")
    left_out: int = Field(default=0, ge=0, description="Lines before those.")
    seconds: _Seconds = 0.0
    reproduce: str = Field(default="", description="The command line that asks it again.")

    @property
    def counts_as_failure(self) -> bool:
        """Whether it fails, and nothing that is known excuses it."""
        excused = (Standing.KNOWN, Standing.PENDING)
        return self.standing is Standing.WORSE or (
            self.outcome is Outcome.FAIL and self.standing not in excused
        )


class TargetRecord(_Model):
    """The server that was asked."""

    host: str
    port: int
    tls: TLSMode
    user: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class LimitsRecord(_Model):
    """How far the run could go; times in seconds."""

    mode: Mode
    any_message: bool
    login_failures: int
    slow: bool
    opt_in: bool
    connections: int
    pace: float
    deadline: float
    total: float
    quiet: float
    arrival: float


class FactsRecord(_Model):
    """What the server said about itself."""

    greeting: str
    apop: bool = Field(description="Whether the greeting has a timestamp.")
    capabilities: dict[str, tuple[str, ...]] = Field(
        description="The lines of CAPA by when it was asked: first, secured, transaction."
    )
    login: str = Field(description="How the checker logged in, or why it did not.")
    logged_in: bool
    count: int | None = Field(description="Messages by STAT.")
    octets: int | None = Field(description="Octets by STAT.")
    top: bool | None = Field(description="Whether TOP works.")
    uidl: bool | None = Field(description="Whether UIDL works.")
    locks: bool | None = Field(description="Whether a second session of the user is refused.")
    tls: str = Field(description="The version of TLS; empty without.")
    fixtures: tuple[str, ...] = Field(description="The run's own messages that arrived.")

    @classmethod
    def of(cls, facts: Facts) -> FactsRecord:
        """The fact sheet of a run."""
        return cls(
            greeting=facts.greeting,
            apop=bool(facts.stamp),
            capabilities={str(stage): lines for stage, lines in facts.stages.items()},
            login=facts.way if facts.logged_in else facts.no_login,
            logged_in=facts.logged_in,
            count=facts.count,
            octets=facts.octets,
            top=facts.top,
            uidl=facts.uidl,
            locks=facts.locks,
            tls=facts.tls,
            fixtures=tuple(sorted(facts.fixtures)),
        )


class Record(_Model):
    """What a run found out about a server."""

    model_config = ConfigDict(title="Result of pop3kit check")

    report: Literal[1] = Field(default=1, description="Version of the format.")
    lost: tuple[str, ...] = Field(
        default=(), description="Unique-ids of messages that are gone, and nobody meant them to be."
    )
    name: str = Field(description="What the server is called.")
    target: TargetRecord
    kit: str = Field(description="The version of pop3kit.")
    began: datetime
    seconds: _Seconds
    profile: str = Field(description="By which profile it was graded.")
    status: int = Field(description="The exit status of the run.")
    limits: LimitsRecord
    facts: FactsRecord | None = Field(description="None if the server could not be asked.")
    cases: tuple[CaseRecord, ...]

    @classmethod
    def of(
        cls,
        report: Report,
        target: Target,
        limits: Limits,
        *,
        began: datetime,
        seconds: float,
        profile: str = "default",
        name: str = "",
        status: int | None = None,
        standings: Mapping[str, tuple[Standing, str]] | None = None,
        reproduce: Callable[[str], str] | None = None,
    ) -> Record:
        """The record of a run.

        Args:
            report: What it found out.
            target: The server and the account; the password does not get into the record.
            limits: How far the run could go.
            began: When it began, with a time zone.
            seconds: How long it took.
            profile: The name of the profile by which it was graded.
            name: What the server is called; else host and port.
            status: The exit status; None: what the report says.
            standings: What a baseline says to each case, and why.
            reproduce: Gives the command line that asks a case again, by its id.
        """
        said = standings or {}
        return cls(
            lost=report.lost,
            name=name or report.server,
            target=TargetRecord(
                host=target.host, port=target.port, tls=target.tls, user=target.user
            ),
            kit=version("pop3kit"),
            began=began,
            seconds=round(seconds, 3),
            profile=profile,
            status=report.exit_status if status is None else status,
            limits=LimitsRecord(**asdict(limits)),
            facts=FactsRecord.of(report.facts) if report.facts is not None else None,
            cases=tuple(
                _case(
                    verdict,
                    *said.get(verdict.case, (Standing.NONE, "")),
                    again=reproduce(verdict.case) if reproduce is not None else "",
                )
                for verdict in report.verdicts
            ),
        )

    def count(self, outcome: Outcome) -> int:
        """How many cases came out like this.

        Args:
            outcome: The outcome.
        """
        return sum(case.outcome is outcome for case in self.cases)


def _case(verdict: Verdict, standing: Standing, known: str, *, again: str) -> CaseRecord:
    wire = [Line.model_validate(asdict(line)) for line in verdict.wire[-_KEPT:]]
    return CaseRecord(
        id=verdict.case,
        title=verdict.title,
        section=section_of(verdict.case),
        outcome=verdict.outcome,
        standing=standing,
        known=known,
        security=verdict.security,
        level=verdict.level,
        requirement=verdict.requirement,
        why=verdict.why.strip(),
        references=verdict.references,
        expected=verdict.expected,
        actual=verdict.actual,
        reason=verdict.reason,
        notes=verdict.notes,
        step=_place(verdict.step),
        ending=verdict.ending,
        wire=tuple(wire),
        left_out=max(0, len(verdict.wire) - _KEPT),
        seconds=round(verdict.seconds, 3),
        reproduce=again,
    )


def _place(step: str) -> str:
    """A place without the folders of the machine on which it was seen."""
    return PurePath(step).name if step else ""


def written_record(record: Record) -> bytes:
    """The file for a record.

    Args:
        record: The record.
    """
    return (record.model_dump_json(indent=1) + "\n").encode()


def read_record(path: Path) -> Record:
    """A record from its file.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        RecordError: It is no such file.
    """
    try:
        return Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise RecordError(
            f"{path}: expected what check --json writes; {where}: {first['msg']}"
        ) from None


def schema_text() -> str:
    """The schema of the files, as it is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _SCHEMA_ID,
        **Record.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2) + "\n"
