"""One scenario tried: the reference client fetches all mail from the mock that plays it.

A trial has no opinion: :func:`run` says what happened, :func:`differences` holds it against what
the scenario's ``expect.fetch`` says.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pop3client
from pop3client import TLS, POP3Client, POP3Error, RetrMode
from pop3mock import MockServer

from ._mailsent import mail_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pop3client import Message
    from pop3scenarios import FetchSection, Scenario

#: Seconds in which the mock reads what the client sent before it hung up.
_SETTLE = 1.0

#: The kinds of error of ``expect.fetch.error``; the first that fits holds.
_KINDS: tuple[tuple[type[POP3Error], str], ...] = (
    (pop3client.InjectedDataError, "injected"),
    (pop3client.TLSError, "tls"),
    (pop3client.POP3TimeoutError, "timeout"),
    (pop3client.POP3ConnectionError, "closed"),
    (pop3client.AuthenticationError, "authentication"),
    (pop3client.CommandError, "command"),
    (pop3client.ProtocolError, "protocol"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened when the client fetched everything under a scenario.

    Attributes:
        scenario: The scenario.
        ends: ``complete``, ``partial`` or ``refused``, as in ``expect.fetch``.
        intact: Messages that came octet for octet as the server has them.
        total: Messages that the server has.
        start: The retrieval mode in which the client started.
        mode: The retrieval mode in which it ended; empty if it never got as far.
        notices: Ids of the deviations that it noticed, in the order in which it met them.
        error: What it ended with, or None.
        faults: What it did that the scenario does not allow.
        lost: Messages that the server had before and has no longer.
        transcript: The conversation.
        seconds: How long it took.
    """

    scenario: Scenario
    ends: str
    intact: int
    total: int
    start: str
    mode: str
    notices: tuple[str, ...]
    error: Exception | None
    faults: tuple[str, ...]
    lost: int
    transcript: str
    seconds: float


@dataclass(slots=True)
class _Fetch:
    """What the client has, or had when it failed."""

    opened: bool = False
    messages: Sequence[Message] = ()
    mode: str = ""
    notices: tuple[str, ...] = ()
    error: Exception | None = None


def run(scenario: Scenario, *, timeout: float = 1.0) -> Outcome:
    """Let the reference client fetch all mail from a mock that plays a scenario.

    Args:
        scenario: The scenario.
        timeout: Seconds that the client waits for an answer.

    Returns:
        What happened; errors of the client are a part of it.

    Raises:
        OSError: The mock cannot be started.
    """
    began = time.monotonic()
    with MockServer(scenario) as server:
        mail = mail_sent(server)
        fetch = _fetch(server, timeout)
        seconds = time.monotonic() - began
        _settle(server)
        left = len(server.maildrop)
    stored = dict(enumerate(mail, 1))
    came = {message.number: message.raw for message in fetch.messages}
    intact = sum(stored.get(number) == raw for number, raw in came.items())
    complete = intact == len(mail) == len(fetch.messages)
    return Outcome(
        scenario=scenario,
        ends="refused" if not fetch.opened else "complete" if complete else "partial",
        intact=intact,
        total=len(mail),
        start=scenario.expect.fetch.start or "retr",
        mode=fetch.mode,
        notices=fetch.notices,
        error=fetch.error,
        faults=tuple(server.broken_expectations()),
        lost=len(mail) - left,
        transcript=server.transcript(),
        seconds=seconds,
    )


def _fetch(server: MockServer, timeout: float) -> _Fetch:
    """Connect as ``expect.fetch`` says and fetch everything; never raises."""
    expect = server.scenario.expect.fetch
    fetch = _Fetch()
    try:
        client = pop3client.connect(
            server.host,
            *server.credentials,
            port=server.port,
            tls=TLS(expect.tls or "none"),
            ssl_context=server.client_context() if expect.tls not in (None, "none") else None,
            msex=bool(expect.msex),
            retr_mode=RetrMode(expect.start or "retr"),
            mechanism="USER",  # the command that rules of scenarios are about
            pipelining=False,  # how a fetch ends is said for one command after the other
            timeout=timeout,
        )
    except Exception as error:  # noqa: BLE001 - an error of no type is what a trial must show
        fetch.error = error
        fetch.notices = _quirks(getattr(error, "deviations", ()))
        return fetch
    fetch.opened = True
    try:
        fetch.messages = client.retrieve("start", "end")
        _ask(client, expect.also or ())
        client.close()
    except Exception as error:  # noqa: BLE001 - see above
        fetch.error = error
        fetch.messages = fetch.messages or getattr(error, "retrieved", ())
    finally:
        client.abort()
    fetch.mode = client.config.retr_mode.value
    fetch.notices = _quirks(client.deviations)
    return fetch


def _ask(client: POP3Client, commands: Iterable[str]) -> None:
    """Ask what the scenario wants asked besides; that the server may refuse is no end."""
    questions: dict[str, Callable[[], object]] = {
        "LAST": client.last,
        "LIST": lambda: (client.list(), client.list(1)),
        "TOP": lambda: client.top(1, 0),
        "UIDL": lambda: (client.uidl(), client.uidl(1)),
    }
    for command in commands:
        try:
            questions[command]()
        except pop3client.CommandError:
            continue


def _quirks(deviations: Iterable[pop3client.Deviation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(deviation.quirk for deviation in deviations))


def _settle(server: MockServer) -> None:
    """Let the mock read to the end of what was sent; a connection that hangs is at its end."""
    journal = server.journal
    journal.wait_until(lambda: all(log.ended for log in journal.connections), _SETTLE)


def kind_of_error(error: Exception | None) -> str:
    """The kind of an error in the words of ``expect.fetch.error``.

    Args:
        error: What the client raised, or None.

    Returns:
        The kind; the name of the class for an error that no scenario can expect; empty for None.
    """
    if error is None:
        return ""
    return next((kind for cls, kind in _KINDS if isinstance(error, cls)), type(error).__name__)


def differences(outcome: Outcome) -> list[str]:
    """How an outcome differs from what its scenario says.

    Args:
        outcome: What happened.

    Returns:
        A sentence for each difference; an empty list if all is as it should be.
    """
    expect = outcome.scenario.expect.fetch
    return [
        *_compare("end", expect.ends, outcome.ends),
        *_compare("messages intact", _intact(expect, outcome), outcome.intact),
        *_compare("error", expect.error or "", kind_of_error(outcome.error)),
        *(_compare("mode at end", expect.mode, outcome.mode) if outcome.mode else ()),
        *_compare_notices(expect.notices, outcome.notices),
        *_compare_lost(expect.lost or 0, outcome.lost),
        *outcome.faults,
    ]


def _intact(expect: FetchSection, outcome: Outcome) -> int:
    if expect.intact is not None:
        return expect.intact
    return 0 if expect.ends == "refused" else outcome.total


def _compare(what: str, expected: object, got: object) -> list[str]:
    if expected is None or expected == got:
        return []
    shown = ["none" if value == "" else value for value in (expected, got)]
    return [f"{what}: expected {shown[0]}, got {shown[1]}"]


def _compare_lost(expected: int, got: int) -> list[str]:
    if expected == got:
        return []
    told = f"{got} message(s) are gone from the server"
    return [f"{told}, expected {expected}" if expected else told]


def _compare_notices(expected: tuple[str, ...] | None, got: tuple[str, ...]) -> list[str]:
    # In which order they are met is the server's affair.
    if expected is None or set(expected) == set(got):
        return []
    shown = [", ".join(sorted(names)) or "none" for names in (expected, got)]
    return [f"deviations noticed: expected {shown[0]}, got {shown[1]}"]
