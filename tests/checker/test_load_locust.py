"""The sessions of an exercise of load on Locust: a master and two workers, in their own processes.

Locust patches the standard library where it is imported: nothing of it comes into this process.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(find_spec("locust") is None, reason="pip install 'pop3kit[load]'"),
]

#: Seconds that the processes may take to come to their end.
PATIENCE = 40.0

LOCUSTFILE = """\
from pop3check import Target
from pop3check.locust import MaildropUser


class Account(MaildropUser):
    accounts = [
        Target(host="127.0.0.1", port={port}, user=user, password="secret-" + user)
        for user in ("alice", "bob")
    ]
"""

#: Ends the run at the first failure, however long it takes to come.
STOPS = """\

import gevent
from locust import events


@events.init.add_listener
def watch(environment, **_):
    def stop(exception, **_):
        if exception is not None:
            gevent.spawn(environment.runner.quit)

    environment.events.request.add_listener(stop)
"""

SCENARIO = """\
pop3: 1
name: loaded
summary: loaded
server: {{users: {{alice: secret-alice, bob: secret-bob}}, lock: none}}
{more}
"""


class Locust:
    """Runs Locust in processes of their own.

    Attributes:
        status: The exit status of the one that reports.
        log: What it has written for people.
        statistics: By the name of the request.
    """

    def __init__(self, folder: Path, more: str, workers: int) -> None:
        with MockServer(loads(SCENARIO.format(more=more))) as server, ExitStack() as ends:
            server.deliver(b"Subject: for bob\r\n\r\ntext\r\n", user="bob")
            text = LOCUSTFILE.format(port=server.port) + ("" if workers else STOPS)
            (folder / "locustfile.py").write_text(text)
            port = str(free_port())
            master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
            master += ["--expect-workers", str(workers), "--expect-workers-max-wait", "20"]
            for _ in range(workers):
                ends.callback(ended, start(folder, "--worker", "--master-port", port))
            self._report = start(
                folder, *headless("2s" if workers else "30s"), *(master if workers else [])
            )
            ends.callback(ended, self._report)
            out, self.log = self._report.communicate(timeout=PATIENCE)
            self.status = self._report.returncode
            self.connections = len(server.journal.logs())
        self.statistics: dict[str, dict[str, Any]] = {
            each["name"]: each for each in json.loads(out)
        }


def headless(time: str) -> list[str]:
    """Six users for so long, and the statistics as JSON."""
    return ["--headless", "--users", "6", "--spawn-rate", "6", "--run-time", time, "--json"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Locust, with these arguments."""
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "--skip-log-setup", "--stop-timeout", "5", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> None:
    """See that a process ends, and let go of its pipes."""
    try:
        process.communicate(timeout=10.0)
    except (subprocess.TimeoutExpired, ValueError):
        process.kill()
        process.wait()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        return number


@pytest.fixture(scope="module")
def on_two_workers(tmp_path_factory: pytest.TempPathFactory) -> Locust:
    """A correct server, on a master and two workers."""
    return Locust(tmp_path_factory.mktemp("locust"), "", workers=2)


def test_two_workers(on_two_workers: Locust) -> None:
    """Both workers play sessions, the master adds up what their commands took, nothing fails."""
    statistics = on_two_workers.statistics

    assert on_two_workers.status == 0, on_two_workers.log
    assert {"GREETING", "LOGIN", "STAT", "LIST", "UIDL", "RETR"} <= set(statistics)
    assert {each["method"] for each in statistics.values()} == {"POP3"}
    assert not sum(each["num_failures"] for each in statistics.values())
    assert statistics["LOGIN"]["num_requests"] > 0
    assert statistics["RETR"]["total_content_length"] > 0


def test_sessions_come_from_both(on_two_workers: Locust) -> None:
    """Each worker asks each account once what there is; all else is counted by the master."""
    greeted = on_two_workers.statistics["GREETING"]["num_requests"]

    assert on_two_workers.connections == greeted + 2 * 2


def test_violation_is_a_failure(tmp_path: Path) -> None:
    """What breaks a rule fails the command that showed it, and with it Locust's exit status."""
    run = Locust(tmp_path, "rules: [{when: STAT, reply: +OK 7 7}]", workers=0)

    assert run.status == 1, run.log
    assert sum(each["num_failures"] for each in run.statistics.values()) > 0
    assert "view: what others do changes nothing in a session" in run.log
    assert "S: +OK 7 7" in run.log
    assert "secret-" not in run.log
