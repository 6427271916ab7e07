"""What exercises came to, as files of JSON hold it: version 1 of the format."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ._comparison import Liberty
from ._failures import UsageFailure, system_failure
from ._handover import Handover

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The schema of the files; a test holds it to the models.
SCHEMA_FILE = Path(__file__).with_name("exercise.schema.json")

_SCHEMA_ID = "urn:pop3kit:exercise:1"

_Count = Annotated[int, Field(ge=0)]


class Verdict(StrEnum):
    """How a client got through a scenario."""

    SURVIVED = "survived"
    REFUSED = "refused"
    MISHANDLED = "mishandled"
    SKIPPED = "skipped"


class Kind(StrEnum):
    """In what way a client mishandled a scenario, the worst first."""

    LEAKED = "leaked"
    LOST = "lost"
    INCOMPLETE = "incomplete"
    ALTERED = "altered"
    DUPLICATED = "duplicated"
    CRASHED = "crashed"
    HUNG = "hung"
    IMPROPER = "improper"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Messages(_Model):
    """What became of the messages of a maildrop."""

    total: _Count = Field(description="Messages that the server had.")
    intact: _Count = Field(description="Messages that the client handed over as they are.")
    altered: _Count = Field(description="Messages that it handed over otherwise.")
    missing: _Count = Field(description="Messages that it did not hand over.")
    duplicated: _Count = Field(description="Messages that it handed over once more.")
    gone: _Count = Field(description="Messages that the server has no longer.")


class Result(_Model):
    """How a client got through one scenario."""

    scenario: str = Field(description="Its name, with the variant in brackets.")
    group: str = Field(description="The folder of the library that it is from, or 'own'.")
    summary: str = Field(description="What is seen on the wire.")
    tls: Literal["none", "stls", "implicit"] = Field(description="How the client was to connect.")
    verdict: Verdict
    best: Verdict = Field(
        description=(
            "The best that can be expected: survived, or refused where no client can get all mail."
        )
    )
    kinds: tuple[Kind, ...] = Field(default=(), description="If mishandled: in what way.")
    reasons: tuple[str, ...] = Field(description="Why the verdict is what it is.")
    messages: Messages | None = Field(default=None, description="None if nobody can know.")
    status: int | None = Field(
        default=None, description="Exit status; None if it was killed, by whomever."
    )
    signal: str = Field(default="", description="The signal that ended it; empty if none.")
    seconds: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="How long it took."
    )
    words: str = Field(default="", description="The last of what it said on standard error.")
    transcript: str = Field(default="", description="The conversation, secrets masked.")

    @property
    def as_good_as_can_be(self) -> bool:
        """Whether no client could have done better."""
        return self.verdict in (Verdict.SURVIVED, self.best)


class Exercise(_Model):
    """How one client got through many scenarios."""

    model_config = ConfigDict(title="Result of pop3kit exercise")

    exercise: Literal[1] = Field(description="Version of the format.")
    client: str = Field(description="What the client is called.")
    version: str = Field(default="", description="Its version; empty if nobody said.")
    command: tuple[str, ...] = Field(description="The command line, with its places.")
    handover: Handover = Field(description="Where it leaves the mail.")
    allowed: tuple[Liberty, ...] = Field(description="What it may do to messages.")
    limit: Annotated[float, Field(gt=0)] = Field(description="Seconds it had for a scenario.")
    began: datetime = Field(description="When the run began.")
    kit: str = Field(description="The version of pop3kit.")
    results: tuple[Result, ...]

    def count(self, verdict: Verdict) -> int:
        """How many scenarios it got through like this.

        Args:
            verdict: The verdict.
        """
        return sum(result.verdict is verdict for result in self.results)


def written(exercise: Exercise) -> bytes:
    """The file for an exercise.

    Args:
        exercise: The exercise.
    """
    return (exercise.model_dump_json(indent=1, exclude_defaults=True) + "\n").encode()


def read(path: Path) -> Exercise:
    """An exercise from its file.

    Args:
        path: The file.

    Raises:
        SystemFailure: It cannot be read.
        UsageFailure: It is no such file; says where it is wrong.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise system_failure("cannot read", path, error) from None
    try:
        return Exercise.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageFailure(
            f"{path}: expected what exercise --json writes; {where}: {first['msg']}"
        ) from None


def schema_text() -> str:
    """The schema of the files, as it is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _SCHEMA_ID,
        **Exercise.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2) + "\n"


def scenarios_of(exercises: Sequence[Exercise]) -> dict[str, list[Result | None]]:
    """The results side by side: for each scenario that of each client, or None.

    Args:
        exercises: One for each client.
    """
    names = dict.fromkeys(result.scenario for each in exercises for result in each.results)
    by_name = [{result.scenario: result for result in each.results} for each in exercises]
    return {name: [results.get(name) for results in by_name] for name in names}
