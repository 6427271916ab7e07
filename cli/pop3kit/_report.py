"""What became of a download, and how it is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import click

from ._failures import printable
from ._status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pop3client import Deviation, POP3Error

#: The client advises in terms of Python; here are the options that stand for them.
_OPTIONS = {"timeout=": "--timeout", "ssl_context": "--cafile", "TLS.IMPLICIT": "pop3s://"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong.

    Attributes:
        kind: The kind of failure, as ``Status`` names it.
        text: What was expected, what came, and what to do.
        number: The message that it is about; None if it is about the run.
    """

    kind: str
    text: str
    number: int | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of a download.

    Attributes:
        path: The folder or file that the messages are in.
        deletes: Whether messages were to be deleted from the server.
        status: The exit status.
        total: Messages in the maildrop; None if it could not be opened.
        kept: Messages that are now in the folder.
        known: Those of them that were there before.
        seen: Messages that an earlier run had fetched, and that were not fetched again.
        octets: Octets of the messages kept.
        deleted: Messages that the server has deleted.
        modes: The retrieval mode at first and at the end; None if the maildrop was not opened.
        deviations: What the client put up with, in a line each.
        failures: What went wrong.
    """

    path: str
    deletes: bool = False
    status: Status = Status.DONE
    total: int | None = None
    kept: int = 0
    known: int = 0
    seen: int = 0
    octets: int = 0
    deleted: int = 0
    modes: tuple[str, str] | None = None
    deviations: list[str] = field(default_factory=list)
    failures: list[Trouble] = field(default_factory=list)

    def stop(self, status: Status, why: str) -> None:
        """Note what ended the run before its time."""
        self.failures.append(Trouble(status.kind, why))
        self.status = status

    def miss(self, error: POP3Error, number: int | None = None, advice: str = "") -> None:
        """Note what the run survived.

        Args:
            error: What the client says.
            number: The message that it is about.
            advice: What it may mean.
        """
        text = f"{told(error)}; {advice}" if advice else told(error)
        self.failures.append(Trouble(status_of(error).kind, text, number))
        self.status = Status.PARTIAL

    def came(self, octets: int, *, new: bool) -> None:
        """Note a message that is kept."""
        self.kept += 1
        self.known += not new
        self.octets += octets

    def tell(self, *, as_json: bool) -> None:
        """Print the summary on standard output, and what went wrong on standard error."""
        for text in dict.fromkeys(trouble.text for trouble in self.failures):
            click.echo(printable(f"Error: {text}"), err=True)
        if as_json:
            click.echo(json.dumps({"kind": self.status.kind, **asdict(self)}, indent=2))
        else:
            for line in self._lines():
                click.echo(printable(line))

    def _lines(self) -> Iterable[str]:
        if self.total is None:
            yield "nothing fetched"
        else:
            already = f", {self.known} of them there already" if self.known else ""
            already += f", {self.seen} fetched before" if self.seen else ""
            yield (
                f"{self.kept} of {self.total} messages are in {self.path}"
                f" ({self.octets:,} octets{already})"
            )
        if self.deletes:
            yield f"{self.deleted} deleted from the server"
        if self.modes is not None and self.modes[0] != self.modes[1]:
            yield "the retrieval mode fell from {} to {}".format(*self.modes)
        for deviation in self.deviations:
            yield f"noticed: {deviation}"


def told(error: POP3Error) -> str:
    """What the client says, with the options that it means."""
    options = [option for word, option in _OPTIONS.items() if word in str(error)]
    return f"{error} ({', '.join(options)})" if options else str(error)


def described(deviations: Iterable[Deviation]) -> list[str]:
    """A line for each quirk: where it was seen, and what was seen first."""
    seen: dict[str, list[Deviation]] = {}
    for deviation in deviations:
        seen.setdefault(deviation.quirk, []).append(deviation)
    return [
        f"{quirk} ({', '.join(each.where for each in entries)}): {entries[0].detail}"
        for quirk, entries in seen.items()
    ]
