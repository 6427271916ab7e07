"""``pop3kit exercise``: what is thought of clients that each do one thing wrong."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil
import pytest

from pop3kit._results import Exercise, Kind, Verdict, read

if TYPE_CHECKING:
    from pop3kit._results import Result

    from .conftest import Run

pytestmark = pytest.mark.once

CLIENT = Path(__file__).parent / "clients" / "odd.py"

PLACES = ("{tls}", "{host}", "{port}", "{user}", "{password}", "{ca}", "{out}")


Left = Callable[[], list[psutil.Process]]


class Try(Protocol):
    """Send the client that goes wrong in this way through a scenario."""

    def __call__(self, way: str, scenario: str = ..., *options: object) -> Result: ...


@pytest.fixture
def attempt(run: Run, tmp_path: Path) -> Try:
    """Runs the command for one scenario, and reads what it wrote."""

    def go(way: str, scenario: str = "default", *options: object) -> Result:
        file = tmp_path / "result.json"
        run("exercise", "--only", scenario, "--json", file, *options,
            "--", sys.executable, CLIENT, way, *PLACES)  # fmt: skip
        (result,) = read(file).results
        return result

    return go


def test_survived(attempt: Try) -> None:
    """A client that hands over all mail as it is, and says so, survives."""
    result = attempt("right")

    assert (result.verdict, result.kinds, result.status) == (Verdict.SURVIVED, (), 0)
    assert result.messages is not None
    assert (result.messages.total, result.messages.intact, result.messages.altered) == (4, 4, 0)
    assert result.reasons == ("all 4 messages came as they are",)
    assert "C: RETR 4" in result.transcript


@pytest.mark.parametrize(("way", "doubted"), [("right", False), ("fails", True)])
def test_fails_everywhere(run: Run, way: str, *, doubted: bool) -> None:
    """Who does not survive a correct server is asked first whether the command is right."""
    result = run("exercise", "--only", "no-top", "--", sys.executable, CLIENT, way, *PLACES)

    question = "it fails at `default` as well: is the command right?"
    assert (question in result.stderr) is doubted
    assert ("  it said:\n    it does not work\n" in result.stderr) is doubted


def test_default_alone_is_not_doubted(run: Run) -> None:
    """Where the correct server is all that is asked for, its result says it."""
    result = run("exercise", "--only", "default", "--", sys.executable, CLIENT, "fails", *PLACES)

    assert result.stderr == ""
    assert "default" in result.stdout


@pytest.mark.parametrize(
    ("way", "kind", "reason"),
    [
        ("alters", Kind.ALTERED, "message 2 differs from octet"),
        ("skips", Kind.INCOMPLETE, "it said that all went well, and message 2 is missing"),
        ("twice", Kind.DUPLICATED, "message 2 came once more"),
        ("deletes", Kind.LOST, "messages 1, 2, 3, 4 are deleted from the server, and not handed"),
        ("crashes", Kind.CRASHED, "SIGSEGV ended it"),
    ],
)
def test_mishandled(attempt: Try, way: str, kind: Kind, reason: str) -> None:
    """Each way to mishandle mail has its name, and the reason says what was wrong."""
    result = attempt(way)

    assert Verdict.MISHANDLED is result.verdict
    assert kind in result.kinds
    assert any(each.startswith(reason) for each in result.reasons), result.reasons
    assert "C: QUIT" in result.transcript


def test_leaked(attempt: Try) -> None:
    """A client that logs in outside TLS where it was told to use TLS has leaked the password."""
    result = attempt("tells", "stls-broken[refused]")

    assert (result.verdict, result.best) == (Verdict.MISHANDLED, Verdict.REFUSED)
    assert Kind.LEAKED in result.kinds
    assert "it said PASS **** in the clear" in result.reasons
    assert Kind.IMPROPER not in result.kinds


def test_leaked_where_only_the_command_line_forbids(attempt: Try) -> None:
    """Who is told to use STLS must not log in without, whatever the scenario says of it."""
    result = attempt("tells", "default", "--tls", "stls")

    assert result.kinds == (Kind.LEAKED,)


def test_refused_rightly(attempt: Try) -> None:
    """Where no client can get all mail, an error is the best end."""
    result = attempt("right", "stls-broken[expired]")

    assert (result.verdict, result.best, result.status) == (Verdict.REFUSED, Verdict.REFUSED, 1)
    assert result.as_good_as_can_be
    assert result.reasons == ("it ended with status 1, and 0 of 4 messages came",)


def test_refused(attempt: Try) -> None:
    """A client that has all mail and says that it failed has refused what it could survive."""
    result = attempt("fails")

    assert (result.verdict, result.best, result.status) == (Verdict.REFUSED, Verdict.SURVIVED, 3)
    assert not result.as_good_as_can_be


def test_success_that_is_none(attempt: Try) -> None:
    """Who says that all went well where nothing came is incomplete, whatever the scenario."""
    result = attempt("cheers", "stls-broken[expired]")

    assert result.kinds == (Kind.INCOMPLETE,)


def test_secrets_and_paths_are_not_kept(attempt: Try) -> None:
    """What the client said is kept without the password and without the paths of this run."""
    result = attempt("right", "stls-broken[expired]")

    assert result.words.startswith("****, {out}: ")


def test_an_emptied_maildrop_is_not_lost(attempt: Try) -> None:
    """Mail that was handed over may be deleted."""
    result = attempt("empties")

    assert Verdict.SURVIVED is result.verdict
    assert result.messages is not None
    assert result.messages.gone == 4


def test_liberties(attempt: Try) -> None:
    """Other line ends and fields in front are alterations, unless they are allowed."""
    strict = attempt("unix")
    fields = attempt("unix", "default", "--allow", "fields")
    both = attempt("unix", "default", "--allow", "fields", "--allow", "line-ends")

    assert [*strict.kinds, *fields.kinds] == [Kind.ALTERED] * 2
    assert Verdict.SURVIVED is both.verdict


def test_spoilt_by_the_server(attempt: Try) -> None:
    """What a server spoils so that no client can know it is not held against the client."""
    result = attempt("right", "retr-rewrites")

    assert (result.verdict, result.best) == (Verdict.SURVIVED, Verdict.SURVIVED)
    assert result.messages is not None
    assert result.messages.altered > 0
    assert "the server itself spoils" in result.reasons[0]


def test_improper(attempt: Try) -> None:
    """A command that there is not keeps a client from surviving, but is no harm in a refusal."""
    result = attempt("nonsense")

    assert Verdict.REFUSED is result.verdict
    assert "#1 unexpected NONSENSE: there is no such command" in result.reasons


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Left]:
    """Gives what still runs of all that this test has started."""
    monkeypatch.setenv("POP3KIT_TEST", str(tmp_path))

    def runs(process: psutil.Process) -> bool:
        try:
            return process.environ().get("POP3KIT_TEST") == str(tmp_path)
        except psutil.Error:
            return False  # it is gone, or somebody else's

    def found() -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if runs(each) and each.pid != os.getpid()]

    yield found
    for process in found():
        process.kill()


def test_hung(attempt: Try, left: Left) -> None:
    """A client that does not end is killed when its time is over."""
    result = attempt("hangs", "default", "--timeout", 1)

    assert (result.verdict, result.kinds) == (Verdict.MISHANDLED, (Kind.HUNG,))
    assert (result.status, result.signal) == (None, "")
    assert left() == []


def test_daemon(attempt: Try, left: Left, tmp_path: Path) -> None:
    """A client that goes on in a session of its own is waited for as long as it is connected."""
    slow = tmp_path / "slow.pop3.yaml"
    slow.write_text(
        "pop3: 1\nname: slow\nsummary: slow\nrules:\n  - {when: RETR, delay: 600ms}\n",
        encoding="utf-8",
    )

    result = attempt("daemon", str(slow))

    assert (result.verdict, result.status) == (Verdict.SURVIVED, 0)
    assert "C: QUIT" in result.transcript
    assert left() == []


def test_daemon_that_takes_too_long(attempt: Try, left: Left) -> None:
    """A client that is connected in the background when its time is over has hung."""
    result = attempt("daemon", "hang-after-retr", "--timeout", 1)

    assert Kind.HUNG in result.kinds
    assert left() == []


@pytest.mark.parametrize("way", ["leaves", "scrubs"])
def test_what_is_left_running_is_killed(attempt: Try, left: Left, way: str) -> None:
    """What a client leaves behind is killed when nothing is connected, and told."""
    result = attempt(way)

    assert result.verdict is Verdict.SURVIVED
    assert "it left something running, which was killed" in result.reasons
    assert left() == []


def test_order_and_jobs(run: Run, tmp_path: Path) -> None:
    """Results stand in the order of the scenarios, however many are played side by side."""
    names = ["cut-mid-message", "slow-dribble", "default", "stls-broken[refused]", "no-uidl"]
    only = [word for name in names for word in ("--only", name)]
    file = tmp_path / "result.json"

    result = run("exercise", *only, "--jobs", 5, "--json", file,
                 "--name", "odd", "--client-version", "1.0",
                 "--", sys.executable, CLIENT, "right", *PLACES)  # fmt: skip

    assert result.exit_code == 0, result.output
    exercise = read(file)
    assert names == [each.scenario for each in exercise.results]
    assert (exercise.client, exercise.version, exercise.handover) == ("odd", "1.0", "folder")
    shown = re.findall(r"(\S+) +[0-9.]+ s  ", result.output)
    assert names == shown


@pytest.mark.parametrize(("way", "status"), [("right", 0), ("fails", 0), ("skips", 1)])
def test_exit_status(run: Run, way: str, status: int) -> None:
    """The exit status tells whether anything was mishandled."""
    result = run("exercise", "--only", "default", "--", sys.executable, CLIENT, way, *PLACES)

    assert status == result.exit_code, result.output


def test_what_is_told(run: Run) -> None:
    """Below the lines stand reasons and conversation of what was mishandled, and a sum."""
    result = run("exercise", "--only", "default", "--", sys.executable, CLIENT, "skips", *PLACES)

    assert "1/1 ✗ incomplete" in result.output
    assert "\ndefault (a correct RFC 1939 and RFC 2449 server): incomplete\n" in result.output
    assert "C: PASS ****" in result.output
    assert "secret" not in result.output
    assert result.output.endswith(f"{Path(sys.executable).name}: 1 mishandled\n")


def test_passed_over(run: Run, tmp_path: Path) -> None:
    """Scenarios that want what the command has no place for are passed over."""
    file = tmp_path / "result.json"
    places = [place for place in PLACES if place != "{tls}"]

    result = run("exercise", "--only", "gmail", "--json", file,
                 "--", sys.executable, CLIENT, "right", "none", *places)  # fmt: skip

    assert result.exit_code == 0
    assert "passed over" in result.output
    assert "it wants implicit, and the command has no place that tells so" in result.output
    assert [each.verdict for each in read(file).results] == [Verdict.SKIPPED]


@pytest.mark.parametrize("mode", ["stls", "implicit"])
def test_forced_mode(attempt: Try, mode: str) -> None:
    """--tls sends a client inside TLS through scenarios that are fetched in the clear."""
    result = attempt("right", "retr-without-size", "--tls", mode)

    assert (mode, Verdict.SURVIVED) == (result.tls, result.verdict)
    assert "TLS" in result.transcript


def test_forced_mode_passes_over(attempt: Try) -> None:
    """--tls passes over what is about another way to connect."""
    result = attempt("right", "stls-broken[refused]", "--tls", "implicit")

    assert Verdict.SKIPPED is result.verdict


def test_only_the_wire(run: Run, tmp_path: Path) -> None:
    """Without a place for mail the wire tells what was asked for."""
    file = tmp_path / "result.json"

    run("exercise", "--only", "default", "--json", file, "--",
        sys.executable, CLIENT, "right", *PLACES[:-1], tmp_path)  # fmt: skip

    (result,) = read(file).results
    assert (result.verdict, result.messages) == (Verdict.SURVIVED, None)
    assert result.reasons == ("it asked for 4 of 4 messages; what it made of them nobody can know",)


def test_results_side_by_side(run: Run, tmp_path: Path) -> None:
    """Earlier results are shown beside each other without running anything."""
    files = []
    for way in ("right", "skips"):
        files += ["--with", tmp_path / f"{way}.json"]
        run("exercise", "--only", "stls-broken[refused]", "--only", "default", "--name", way,
            "--json", files[-1], "--", sys.executable, CLIENT, way, *PLACES)  # fmt: skip

    result = run("exercise", *files, "--html", tmp_path / "page.html")

    assert result.exit_code == 1
    rows = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert rows["scenario"].split() == ["scenario", "right", "skips"]
    assert rows["default"].split()[1:] == ["✓", "survived", "✗", "incomplete"]
    assert rows["stls-broken[refused]"].count("refused, rightly") == 2
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("⊘") >= 4
    assert "message 2 is missing" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected a COMMAND"),
        (("--", "true", "{host}"), "expected a place for {port}"),
        (("--", "true", "{port}", "{pasword}"), "did you mean 'password'?"),
        (("--", "no-such-program", "{port}"), "no-such-program: expected a program"),
        (("--mail", "maildir", "--", "true", "{port}"), "expected a place for {out}"),
        (("--mail", "stdout", "--", "true", "{port}", "{out}"), "contradict each other"),
        (("--only", "no-such-thing", "--", "true", "{port}"), "no-such-thing"),
        (("--with", __file__), "expected what exercise --json writes"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """What cannot be done is told in one line, before anything is run."""
    result = run("exercise", *arguments)

    assert result.exit_code == 64, result.output
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_json_keeps_to_the_schema(run: Run, tmp_path: Path) -> None:
    """What --json writes is what --schema describes, and the file in the package is that schema."""
    from jsonschema import Draft202012Validator

    from pop3kit._results import SCHEMA_FILE

    file = tmp_path / "result.json"
    run("exercise", "--only", "default", "--json", file,
        "--", sys.executable, CLIENT, "skips", *PLACES)  # fmt: skip

    schema = run("exercise", "--schema").output
    document = json.loads(file.read_bytes())

    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema
    Draft202012Validator(json.loads(schema)).validate(document)
    assert not Draft202012Validator(json.loads(schema)).is_valid(document | {"exercise": 2})
    assert Exercise.model_validate(document).results[0].verdict is Verdict.MISHANDLED
