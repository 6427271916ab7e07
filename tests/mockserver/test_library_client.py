"""What each shipped file says of a client that fetches all mail, held against pop3client."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3mock import MockServer
from pop3scenarios import expand, load, shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import FetchSection, Scenario

FOLDERS = ("servers/*", "quirks/*", "faults/*", "conversations/*")
REFERENCES = [reference for folder in FOLDERS for reference in expand(folder)]

#: Seconds: silent servers end by it, so it is short; nothing else takes nearly as long.
TIMEOUT = 1.0

#: The first that fits; an injected reply is also a failure of TLS.
ERRORS: list[tuple[type[Exception], str]] = [
    (pop3client.InjectedDataError, "injected"),
    (pop3client.TLSError, "tls"),
    (pop3client.ConnectionClosed, "closed"),
    (pop3client.POP3TimeoutError, "timeout"),
    (pop3client.AuthenticationError, "authentication"),
    (pop3client.CommandError, "command"),
    (pop3client.ProtocolError, "protocol"),
]


@dataclass
class Outcome:
    """How a fetch of all mail ended; empty where the client never got that far."""

    messages: list[pop3client.Message] = field(default_factory=list)
    error: str | None = None
    mode: str | None = None
    notices: set[str] = field(default_factory=set)


def fetch(server: MockServer, how: FetchSection) -> Outcome:
    """Fetch all mail as the scenario says, ask what it says besides, and QUIT."""
    outcome = Outcome()
    try:
        client = pop3client.connect(
            server.host,
            *server.credentials,
            port=server.port,
            tls=pop3client.TLS(how.tls or "none"),
            msex=bool(how.msex),
            retr_mode=pop3client.RetrMode(how.start or "retr"),
            ssl_context=server.client_context(),
            timeout=TIMEOUT,
        )
    except pop3client.POP3Error as error:
        outcome.error = kind_of_error(error)
        return outcome
    try:
        for message in client.iter_retrieve("start", "end"):
            outcome.messages.append(message)
        for command in how.also or ():
            ask(client, command)
        client.close()
    except pop3client.POP3Error as error:
        outcome.error = kind_of_error(error)
    finally:
        client.abort()
    outcome.mode = client.config.retr_mode.value
    outcome.notices = {deviation.quirk for deviation in client.deviations}
    return outcome


def ask(client: pop3client.POP3Client, command: str) -> None:
    """Ask something besides; a refusal is an answer."""
    questions: dict[str, Callable[[], object]] = {
        "LAST": client.last,
        "LIST": lambda: client.list(1),
        "TOP": lambda: client.top(1, 0),
        "UIDL": lambda: (client.uidl(), client.uidl(1)),
    }
    try:
        questions[command]()
    except pop3client.CommandError:
        return


def kind_of_error(error: pop3client.POP3Error) -> str:
    """The name that a scenario has for an error."""
    return next(name for kind, name in ERRORS if isinstance(error, kind))


def is_intact(server: MockServer, message: pop3client.Message) -> bool:
    """Whether a message came as it is stored, apart from its line ends."""
    stored = server.maildrop[message.number - 1]
    return message.raw.replace(b"\r\n", b"\n") == stored.replace(b"\r\n", b"\n")


def ends(intact: int, total: int) -> str:
    """The name that a scenario has for how much of the mail was fetched."""
    if intact == total:
        return "complete"
    return "partial" if intact else "refused"


@pytest.mark.parametrize("reference", REFERENCES)
def test_fetch(reference: str) -> None:
    """The client ends as the file says it must, and notices what the file says, no more."""
    scenario = load(reference)
    wanted = scenario.expect.fetch
    with MockServer(scenario) as server:
        outcome = fetch(server, wanted)
        total = len(server.maildrop)
        intact = sum(is_intact(server, message) for message in outcome.messages)
        broken = [] if scenario.script else server.broken_expectations()

    assert ends(intact, total) == wanted.ends
    assert outcome.error == wanted.error
    assert intact == {"complete": total, "refused": 0}.get(wanted.ends or "", wanted.intact)
    assert broken == []
    if wanted.ends != "refused":
        assert outcome.mode == wanted.mode
        assert outcome.notices == set(wanted.notices or ())


def refused_logins() -> list[str]:
    """The files under which a login, and only it, is refused."""

    def at_login(scenario: Scenario) -> bool:
        return scenario.expect.fetch.error == "authentication"

    return [reference for reference in REFERENCES if at_login(load(reference))]


@pytest.mark.parametrize("reference", refused_logins())
def test_refused_login_notices(reference: str) -> None:
    """A login that is refused still notices what the file says."""
    with MockServer(reference) as server:
        client = pop3client.POP3Client(server.host, port=server.port, timeout=TIMEOUT)
        with pytest.raises(pop3client.AuthenticationError):
            client.login(*server.credentials)
        client.abort()
        notices = {deviation.quirk for deviation in client.deviations}
        wanted = server.scenario.expect.fetch.notices

    assert notices == set(wanted or ())


def test_every_quirk_that_is_noticed_has_its_scenario() -> None:
    """Each quirk that ships is noticed by the client in its own scenario, or is no deviation."""
    quirks = [reference for reference in REFERENCES if reference in shipped()]
    unnoticed = {
        name
        for name in quirks
        if shipped()[name].parent.name == "quirks"
        and name not in (load(name).expect.fetch.notices or ())
    }

    assert unnoticed == {"last-supported", "no-apop"}


class PatientSocket(socket.socket):
    """Says who its peer is when something has come from it, be it a RST."""

    @classmethod
    def connected(cls, host: str, port: int, timeout: float) -> PatientSocket:
        """Connect, as a ``socket_factory`` does."""
        one = cls(socket.AF_INET, socket.SOCK_STREAM)
        one.settimeout(timeout)
        one.connect((host, port))
        return one

    def getpeername(self) -> Any:
        """The peer's address; there is none after a RST."""
        select.select([self], [], [], 5.0)
        return super().getpeername()


def test_reset_before_the_handshake() -> None:
    """A connection that is reset before the client begins is a failure of TLS as any other."""
    with MockServer("stls-broken[reset]") as server, pytest.raises(pop3client.TLSError) as caught:
        pop3client.POP3Client(
            server.host,
            port=server.port,
            tls=pop3client.TLS.STLS,
            socket_factory=PatientSocket.connected,
            ssl_context=server.client_context(),
            timeout=TIMEOUT,
        )

    assert caught.value.step == "handshake"
