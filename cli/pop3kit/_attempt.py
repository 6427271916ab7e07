"""A program sent through one scenario: what happened, and no opinion of it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pop3mock import MockServer
from pop3scenarios import MASK

from . import _program
from ._comparison import Comparison, Liberty, compare
from ._failures import system_failure
from ._handover import Handover, collect, prepare
from ._mailsent import mail_sent, withheld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pop3mock import Exchange
    from pop3scenarios import Scenario

    from ._program import End
    from ._template import Template, TLSMode

#: The name by which programs reach the server; certificates hold it.
_HOST = "localhost"

#: Commands that say who one is.
_LOGINS = frozenset({"USER", "PASS", "APOP", "AUTH"})

#: What stands in place of a line that is secret as a whole.
_RESPONSE = "(SASL response)"

#: Octets of what a program says that are kept; the last words tell most.
_WORDS = 2000

#: Seconds in which the mock reads what the program sent before it ended.
_SETTLE = 1.0


class Program(NamedTuple):
    """A program, and how it is run.

    Attributes:
        template: Its command line.
        handover: Where it leaves the mail.
        liberties: What it may do to messages.
        limit: Seconds that it may take for a scenario.
        mode: How it connects whatever the scenario; None if the command line can tell.
    """

    template: Template
    handover: Handover
    liberties: frozenset[Liberty]
    limit: float
    mode: TLSMode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What happened.

    Attributes:
        scenario: The scenario.
        mode: How the program was to connect.
        end: How it ended.
        numbers: Numbers of the messages that the server had.
        comparison: What became of the messages; None if nobody can know.
        retrieved: Numbers of the messages that RETR was answered for.
        gone: Numbers of those that the server has no longer.
        deleted: Whether the program asked for any to be deleted.
        leaks: Command lines that told who one is, where nobody may.
        faults: What else it did that the scenario does not allow.
        words: The last of what it said on standard error.
        transcript: The conversation.
    """

    scenario: Scenario
    mode: TLSMode
    end: End
    numbers: tuple[int, ...]
    comparison: Comparison | None
    retrieved: frozenset[int]
    gone: tuple[int, ...]
    deleted: bool
    leaks: tuple[str, ...]
    faults: tuple[str, ...]
    words: str
    transcript: str


def mode_for(scenario: Scenario, program: Program) -> TLSMode | None:
    """How a program is to connect under a scenario; None if it cannot, or the scenario cannot.

    Args:
        scenario: The scenario.
        program: The program.
    """
    wanted = scenario.expect.fetch.tls or "none"
    served = scenario.tls.mode or "none"
    if served == "implicit":
        wanted = "implicit"
    if program.mode is None:
        return wanted if wanted in program.template.modes else None
    if program.mode == wanted:
        return wanted
    # What is served in the clear can be served inside TLS as well.
    can = wanted == "none" and (program.mode == "implicit" or served == program.mode)
    return program.mode if can else None


def attempt(scenario: Scenario, program: Program, mode: TLSMode) -> Attempt:
    """Let a program fetch from a mock that plays a scenario.

    Args:
        scenario: The scenario.
        program: The program.
        mode: How it is to connect.

    Raises:
        SystemFailure: The program, or the mock, cannot be started.
    """
    tls: TLSMode | None = "implicit" if mode == "implicit" else None
    with (
        tempfile.TemporaryDirectory(prefix="pop3kit-", ignore_cleanup_errors=True) as folder,
        MockServer(scenario, tls=tls) as server,
    ):
        before = _wanted(server)
        uids = dict(enumerate((message.uid for message in server.maildrop.messages), 1))
        place = _Place(Path(folder), server, program.handover)
        end = place.run(program, mode)
        _settle(server)
        after = _wanted(server)
        # A later session may have found other mail; where some has gone, all that was there counts.
        wanted = after if after.keys() == before.keys() else before
        left = {message.uid for message in server.maildrop.messages}
        came = collect(program.handover, place.out, place.stdout, [*wanted.values()])
        leaks = [each for each in server.journal.exchanges if _leaks(each, mode, scenario)]
        return Attempt(
            scenario=scenario,
            mode=mode,
            end=end,
            numbers=tuple(wanted),
            comparison=None if came is None else compare(wanted, came, program.liberties),
            retrieved=frozenset(server.journal.retrieved),
            gone=tuple(number for number, uid in uids.items() if uid not in left),
            deleted=bool(server.journal.deleted),
            leaks=tuple(dict.fromkeys(_told(each) for each in leaks)),
            faults=_faults(server, leaks),
            words=place.words(),
            transcript=server.transcript(),
        )


class _Place:
    """The files of one run, and what the program is told of them."""

    def __init__(self, folder: Path, server: MockServer, handover: Handover) -> None:
        self._server = server
        self._home = folder / "home"
        self._home.mkdir()
        self._ca = folder / "ca.pem"
        self._ca.write_bytes(server.ca_pem)
        self.out = folder / "out"
        prepare(handover, self.out)
        self.stdout = folder / "stdout"
        self._stderr = folder / "stderr"

    def run(self, program: Program, mode: TLSMode) -> End:
        command = program.template.fill(mode, self._values())
        try:
            return _program.run(
                command,
                environment=_environment(self._home),
                out=self.stdout,
                errors=self._stderr,
                limit=program.limit,
                busy=self._busy,
            )
        except OSError as error:
            raise system_failure("cannot run", command[0], error) from None

    def _values(self) -> dict[str, str]:
        server = self._server
        return {
            "host": _HOST,
            "port": str(server.port),
            "user": server.credentials.user,
            "password": server.credentials.password,
            "ca": str(self._ca),
            "out": str(self.out),
            "home": str(self._home),
            "scenario": server.scenario.name,
        }

    def _busy(self) -> bool:
        """Whether a connection is open, or none has come yet."""
        if not self._server.journal.connections:
            return True
        try:
            self._server.wait_closed(timeout=0)
        except TimeoutError:
            return True
        return False

    def words(self) -> str:
        """The last of what the program said, with places in place of what differs each time."""
        text = self._stderr.read_bytes()[-_WORDS:].decode(errors="backslashreplace")
        values = self._values()
        text = text.replace(values["password"], MASK)
        for name in ("out", "home", "ca", "port"):
            text = text.replace(values[name], f"{{{name}}}")
        return text.strip()


def _environment(home: Path) -> Mapping[str, str]:
    """The user's environment, but for where programs keep what they remember."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("XDG_") and name.endswith("_HOME"))
    }
    return {**kept, "HOME": str(home)}


def _wanted(server: MockServer) -> dict[int, bytes]:
    """The messages that are there for a client, by their numbers."""
    hidden = withheld(server.scenario)
    mail = enumerate(mail_sent(server), 1)
    return {number: data for number, data in mail if number not in hidden}


def _settle(server: MockServer) -> None:
    """Let the mock read to the end of what was sent."""
    journal = server.journal
    journal.wait_until(lambda: all(log.ended for log in journal.connections), _SETTLE)
    server.settle()


def _leaks(exchange: Exchange, mode: TLSMode, scenario: Scenario) -> bool:
    """Whether a command tells who one is where it must not be told."""
    secret = MASK in exchange.line or exchange.line == _RESPONSE
    if mode != "none" and not exchange.tls and secret:
        return True
    expect = scenario.expect
    forbidden = expect.never if exchange.tls else (*expect.never, *expect.never_in_clear)
    return exchange.command in _LOGINS and any(p.keyword == exchange.command for p in forbidden)


def _told(exchange: Exchange) -> str:
    where = "to a server that is not to be trusted" if exchange.tls else "in the clear"
    return f"{exchange.line} {where}"


def _faults(server: MockServer, leaks: Sequence[Exchange]) -> tuple[str, ...]:
    """What the mock complains of besides the leaks."""
    known = tuple(f"#{each.connection} {each.line}:" for each in leaks)
    return tuple(f for f in server.broken_expectations() if not (known and f.startswith(known)))
