"""A target for each mock server, the core of the checker without a socket, a suite to be run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pop3check import Facts, Limits, Target, WireLine
from pop3check._conversation import Conversation
from pop3check._findings import Finding
from pop3check._wants import HangUp, On, Receive, Send, StartTLS
from pop3check._wirelog import WireLog
from pop3mock import MockServer
from pop3scenarios import Scenario, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., pytest.RunResult]

HEAD = "pop3: 1\nname: own\nsummary: own\n"


@pytest.fixture
def target_of() -> Callable[..., Target]:
    """Makes a target of a mock server: its first user, or another, with its certificate trusted."""

    def make(server: MockServer, user: str = "alice", **options: Any) -> Target:
        options = {"tls": "none", "timeout": 5.0, "ssl_context": None} | options
        return Target(
            host=server.host,
            port=server.port,
            user=user,
            password=server.users[user],
            **options,
        )

    return make


@pytest.fixture
def scenario_of() -> Callable[..., Scenario]:
    """Makes a scenario of the lines of a script, and further YAML."""

    def make(script: str, more: str = "") -> Scenario:
        lines = "".join(f"  {line.strip()}\n" for line in script.strip().splitlines())
        return loads(f"{HEAD}{more}script: |\n{lines}", file="own.pop3.yaml")

    return make


@dataclass
class Talk:
    """What came of a conversation with a server that is only octets."""

    sent: list[bytes]
    finding: Finding | None
    wire: tuple[WireLine, ...]
    conversation: Conversation


@pytest.fixture(params=[None, 1], ids=["whole", "octet-by-octet"])
def play(
    request: pytest.FixtureRequest, scenario_of: Callable[..., Scenario]
) -> Callable[..., Talk]:
    """Plays a script to a server's octets, in one piece and in the smallest pieces.

    Where the script has several connections, there are octets for each by its name.
    """

    def run(
        script: str,
        server: bytes | dict[str, bytes],
        *,
        more: str = "",
        facts: Facts | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> Talk:
        options = {"host": "127.0.0.1", "user": "alice", "password": "secret"} | options
        target = Target(**options)
        log = WireLog(target.password)
        conversation = Conversation(
            scenario_of(script, more), target, facts or Facts(), log, limits
        )
        streams = server if isinstance(server, dict) else {"": server}
        step = request.param or max(map(len, streams.values())) or 1
        pieces = {
            name: [octets[i : i + step] for i in range(0, len(octets), step)]
            for name, octets in streams.items()
        }
        current = ""
        sent: list[bytes] = []
        finding: Finding | None = None
        wants = conversation.play()
        try:
            want = next(wants)
            while True:
                match want:
                    case Send(data):
                        sent.append(data)
                        want = wants.send(b"")
                    case Receive():
                        rest = pieces[current]
                        want = wants.send(rest.pop(0) if rest else b"")
                    case StartTLS():
                        sent.append(b"<tls>")
                        want = wants.send(b"")
                    case On(connection):
                        sent += [f"[{connection}]".encode()] if connection else []
                        current = connection
                        want = wants.send(b"")
                    case HangUp():
                        sent.append(b"<close>")
                        want = wants.send(b"")
                    case _:
                        raise AssertionError(want)
        except StopIteration:
            pass
        except Finding as error:
            finding = error
        return Talk(sent, finding, log.lines, conversation)

    return run


@pytest.fixture
def server() -> Iterator[MockServer]:
    """A server that does all that it has to."""
    with MockServer() as server:
        yield server


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a suite with one test of its own against a server, in this process."""
    pytester.makepyfile(test_own="def test_own(): pass")
    monkeypatch.setenv("POP3KIT_PASSWORD", "secret")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(
        server: MockServer | None, *args: str, user: str = "alice@", **more: Any
    ) -> pytest.RunResult:
        url = [] if server is None else [f"--pop3-check=pop3://{user}{server.host}:{server.port}"]
        return pytester.runpytest_inprocess(
            "-p", "no:cacheprovider", "-p", "no:asyncio", *url, *args, **more
        )

    return run
