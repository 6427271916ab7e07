"""``pop3kit fetch``: each kind of failure has its exit status."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pop3client
from pop3kit._status import Status, status_of
from pop3mock import MockServer

from ._fetching import mail, odd, one_line, printing, url

if TYPE_CHECKING:
    from click.testing import Result

    from .conftest import Run

DOCS = Path(__file__).parents[2] / "docs" / "fetch.md"


def ends(result: Result, status: Status) -> dict[str, object]:
    """See that a run with ``--json`` ended so by its one failure, and give the summary."""
    summary: dict[str, object] = json.loads(result.stdout)
    assert result.exit_code == summary["status"] == status
    assert summary["kind"] == status.kind
    one_line(result)
    return summary


@pytest.mark.parametrize(
    ("scenario", "options", "status"),
    [
        ("quit-err", ["--sync", "seen.db"], Status.DONE),
        ("retr-quota", [], Status.PARTIAL),
        ("greeting-err", [], Status.UNAVAILABLE),
        ("throttle-late", [], Status.UNAVAILABLE),
        ("cut-mid-message", [], Status.UNAVAILABLE),
        ("no-uidl", ["--sync", "seen.db"], Status.UNAVAILABLE),
        ("in-use-code", [], Status.TEMPORARY),
        ("lock-no-code", [], Status.TEMPORARY),
        ("greeting-other-service", [], Status.PROTOCOL),
        ("no-apop", ["--mechanism", "APOP"], Status.PROTOCOL),
        ("close-on-bad-auth", [], Status.DENIED),
        ("stls-broken[refused]", ["--stls"], Status.INSECURE),
    ],
)
def test_scenario(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scenario: str,
    options: list[str],
    status: Status,
) -> None:
    """What a server does to a run shows in its status, and under the same name in JSON."""
    monkeypatch.chdir(tmp_path)
    with MockServer(scenario) as server:
        result = run("fetch", url(server), "-o", "mail", *options, "--json", password="secret")

    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["status"], summary["kind"]) == (status, status, status.kind)
    assert bool(summary["failures"]) == (status is not Status.DONE)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("IN-USE", Status.TEMPORARY),
        ("LOGIN-DELAY", Status.TEMPORARY),
        ("SYS/TEMP", Status.TEMPORARY),
        ("SYS/PERM", Status.UNAVAILABLE),
        ("AUTH", Status.DENIED),
    ],
)
def test_code(run: Run, out: Path, code: str, status: Status) -> None:
    """A response code in the refusal of a login decides."""
    rule = f'rules: [{{when: [PASS, AUTH, response], outcome: ok, reply: "-ERR [{code}] no"}}]\n'
    with odd(rule) as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    summary = ends(result, status)
    assert summary["failures"] == [
        {"kind": status.kind, "text": one_line(result).removeprefix("Error: "), "number": None}
    ]


def test_partial(run: Run, out: Path) -> None:
    """A message that is refused leaves the run partial; JSON says which, and why."""
    rule = 'rules: [{when: RETR 2, reply: "-ERR [SYS/TEMP] later"}]\n'
    with odd(rule) as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    (failure,) = json.loads(result.stdout)["failures"]
    assert result.exit_code == Status.PARTIAL
    assert (failure["kind"], failure["number"]) == ("temporary", 2)
    assert len(mail(out)) == 3


def test_what_ends_the_run_decides(run: Run, out: Path) -> None:
    """If a message is refused and then the connection is lost, the status is that of the loss."""
    rules = "rules: [{when: RETR 2, reply: -ERR no}, {when: RETR 3, cut: 10, then: close}]\n"
    with odd(rules) as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["kind"], summary["kept"]) == (69, "unavailable", 1)
    assert [failure["number"] for failure in summary["failures"]] == [2, None]


def test_timeout(run: Run, out: Path) -> None:
    """A server that falls silent ends with 69 within the timeout, and the option is named."""
    with MockServer("hang-after-retr") as server:
        before = list(server.maildrop)
        arguments = ["-o", out, "--timeout", "0.2", "--json"]
        result = run("fetch", url(server), *arguments, password="secret")

    ends(result, Status.UNAVAILABLE)
    assert "--timeout" in one_line(result)
    assert mail(out) == before[:1]


def test_nobody_there(run: Run, out: Path) -> None:
    """Where nobody listens, the failure is one line, and 69."""
    with MockServer() as server:
        place = url(server)

    result = run("fetch", place, "-o", out, "--json", password="secret")

    ends(result, Status.UNAVAILABLE)
    assert "cannot connect" in one_line(result)


def test_no_such_host(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has no address is 68."""

    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    result = run("fetch", "pop3s://joe@mail.example", "-o", out, "--json", password="secret")

    ends(result, Status.NO_HOST)


def test_name_that_none_can_have(run: Run, out: Path) -> None:
    """A name that does not fit into DNS is 68 as well."""
    place = f"pop3s://joe@{'a' * 64}.example"

    result = run("fetch", place, "-o", out, "--json", password="secret")

    ends(result, Status.NO_HOST)


def test_token_refused(run: Run, out: Path) -> None:
    """A token that is refused is 77, and is not shown."""
    with MockServer() as server:
        command = printing("gehe1m")
        arguments = ["-o", out, "--oauth-token-command", command, "--json"]
        result = run("fetch", url(server), *arguments)

    ends(result, Status.DENIED)
    assert "AUTH" in one_line(result)
    assert "gehe1m" not in result.output


def test_file(run: Run, tmp_path: Path) -> None:
    """A folder that cannot be made is 74, the summary is told, and nobody is asked for mail."""
    (tmp_path / "file").write_bytes(b"")
    with MockServer() as server:
        arguments = ["-o", tmp_path / "file" / "x", "--json"]
        result = run("fetch", url(server), *arguments, password="secret")
        came = server.journal.connections

    ends(result, Status.SYSTEM)
    assert came == []
    assert re.search("cannot write .*file", one_line(result))


def test_interrupted(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is 130; how it looks from outside is in test_fetch.py."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pop3client.POP3Client, "retr_to", interrupt)
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    ends(result, Status.INTERRUPTED)


def _errors(kind: type[Exception]) -> list[type[Exception]]:
    below = [each for child in kind.__subclasses__() for each in _errors(child)]
    return [kind, *below]


@pytest.mark.parametrize("kind", _errors(pop3client.POP3Error), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status(kind: type[Exception]) -> None:
    """No error of the client, now or later, is without a status, and none counts as success."""
    assert status_of(kind.__new__(kind)) not in (Status.DONE, Status.PARTIAL)


def test_help(run: Run) -> None:
    """The help lists all statuses, each on a line."""
    lines = run("fetch", "--help").stdout.splitlines()

    assert {f"{each:>6}  {each.meaning}" for each in Status} <= set(lines)


def test_documentation() -> None:
    """The page about fetch has the same table, with the names that stand in JSON."""
    text = DOCS.read_text(encoding="utf-8")

    rows = re.findall(r"^\| (\d+) \| `([a-z-]+)` \| (.+) \|$", text, re.MULTILINE)

    assert rows == [(str(int(each)), each.kind, each.meaning) for each in Status]
