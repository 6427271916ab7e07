"""``pop3kit check``: the files that it writes, baselines, profiles, and asking again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pop3check import Outcome, Standing, read_record, schema_text
from pop3mock import MockServer

from ._checking import HEAD, invoke, mutant

if TYPE_CHECKING:
    from pathlib import Path

SIZES = f"{HEAD}quirks: [list-sizes-wrong]\n"


def standings(file: Path) -> dict[str, Standing]:
    """What a baseline says to the cases of a run."""
    return {case.id: case.standing for case in read_record(file).cases}


def test_all_files(tmp_path: Path) -> None:
    """One run writes every format; all of them tell the same failure, and none the password."""
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "junit", "markdown", "html")}
    options = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]

    with mutant() as url:
        result = invoke([url, "RFC1939-5", "--name", "my server", *options])

    texts = {kind: file.read_text(encoding="utf-8") for kind, file in files.items()}
    assert result.exit_code == 1, result.output
    record = read_record(files["json"])
    assert (record.name, record.status, record.target.user) == ("my server", 1, "alice")
    assert all("RFC1939-5-35" in text and "secret" not in text for text in texts.values())
    failures = ET.fromstring(texts["junit"]).iter("failure")  # noqa: S314 - nobody else wrote it
    assert len(list(failures)) == record.count(Outcome.FAIL)


def test_asked_again(tmp_path: Path) -> None:
    """The command line of a case asks it again; it holds no password and no way to one."""
    own = tmp_path / "my own.pop3.yaml"
    own.write_text(f"{HEAD}script: |\n  S: +OK ...\n  C: NOOP\n  S: -ERR ...\n")
    file = tmp_path / "a.json"
    options = ["--timeout", "7", "--mark", "--seed-command", "true --token sesame"]
    unseen = ["--json", str(file), "--password-command", "echo secret", "--skip", "SEC"]

    with mutant() as url:
        invoke([url, "RFC1939-5-35", str(own), *options, *unseen, "--seed-wait", "0.1"])
        shipped, mine = (each.reproduce for each in read_record(file).cases)
        again = invoke(shlex.split(shipped)[2:])

    common = f"pop3kit check {url} --mark --seed-command COMMAND --seed-wait 0.1 --timeout 7.0"
    words = shlex.split(common)
    assert sorted(shlex.split(shipped)[:-1]) == sorted(words)
    assert shlex.split(shipped)[-1] == "RFC1939-5-35"
    assert shlex.split(mine)[-1] == str(own)
    assert again.exit_code == 1, again.output


def test_baseline(tmp_path: Path) -> None:
    """What is known breaks no build; what is worse does; what is fixed is announced."""
    known, file = tmp_path / "known.json", tmp_path / "a.json"
    options = ["RFC1939-5", "--json", str(file)]

    with mutant() as url:
        first = invoke([url, *options, "--write-baseline", str(known)])
        same = invoke([url, *options, "--baseline", str(known)])
    same_standings = standings(file)
    with MockServer() as server:
        good = [f"pop3://alice@127.0.0.1:{server.port}", *options]
        better = invoke([*good, "--baseline", str(known), "--write-baseline", str(known)])
    better_standings = standings(file)
    with mutant() as url:
        worse = invoke([url, *options, "--baseline", str(known)])

    statuses = [each.exit_code for each in (first, same, better, worse)]
    assert statuses == [1, 0, 0, 1]
    assert same_standings["RFC1939-5-35"] is Standing.KNOWN
    assert better_standings["RFC1939-5-35"] is Standing.FIXED
    assert standings(file)["RFC1939-5-35"] is Standing.WORSE
    assert "\nknown: " in same.output
    assert "fixed: write the baseline anew" in better.output
    assert "worse than the baseline: " in worse.output


def test_write_baseline_keeps_reasons(tmp_path: Path) -> None:
    """A baseline that is written anew keeps what people wrote into it."""
    known = tmp_path / "known.json"
    entry = {"outcome": "FAIL", "reason": "bug 7"}
    data = {"baseline": 1, "unknown": "fail", "cases": {"RFC1939-5-35": entry}}
    known.write_text(json.dumps(data))

    with mutant() as url:
        invoke([url, "rfc1939-5-35", "rfc1939-5-06", "--write-baseline", str(known)])

    assert json.loads(known.read_text()) == data | {
        "cases": {"RFC1939-5-06": {"outcome": "PASS"}, "RFC1939-5-35": entry}
    }


def test_write_baseline_leaves_errors_out(tmp_path: Path) -> None:
    """An ERROR is no knowledge: it is not written, that is said, and it stays inconclusive."""
    known = tmp_path / "known.json"
    cases = ["RFC2595-4-07", "RFC1939-5-35"]  # the first wants a certificate to be trusted

    with MockServer() as server:
        url = f"pop3://alice@127.0.0.1:{server.port}"
        written = invoke([url, *cases, "--write-baseline", str(known)])
        again = invoke([url, *cases, "--baseline", str(known)])

    assert json.loads(known.read_text())["cases"] == {"RFC1939-5-35": {"outcome": "PASS"}}
    assert f"{known}: 1 of 2 cases left as they were" in written.output
    assert (written.exit_code, again.exit_code) == (2, 2)
    assert "\ninconclusive: RFC2595-4-07\n" in again.output


@pytest.mark.parametrize(("profile", "status"), [("default", 1), ("exchange", 0)])
def test_profile(tmp_path: Path, profile: str, status: int) -> None:
    """Sizes that are estimates are a failure, unless they are known to be such."""
    file = tmp_path / "a.json"

    with mutant(SIZES) as url:
        result = invoke([url, "RFC1939-5-19", "--profile", profile, "--json", str(file)])

    assert result.exit_code == status, result.output
    assert read_record(file).profile == profile


def test_side_by_side(tmp_path: Path) -> None:
    """Earlier runs stand on the page beside this one, or alone; alone they judge nothing."""
    earlier, page, alone = (tmp_path / name for name in ("a.json", "a.html", "b.html"))
    with mutant() as url:
        invoke([url, "rfc1939-5-35", "--name", "bad one", "--json", str(earlier)])

    with MockServer() as server:
        url = f"pop3://alice@127.0.0.1:{server.port}"
        beside = ["--name", "good one", "--with", str(earlier), "--html", str(page)]
        both = invoke([url, "rfc1939-5-35", *beside])
    only = invoke(["--with", str(earlier), "--html", str(alone)])

    assert (both.exit_code, only.exit_code) == (0, 0)
    assert all(f">{name}</span>" in page.read_text() for name in ("bad one", "good one"))
    assert "bad one: 1 cases, 1 FAIL" in only.output
    assert "POP3 conformance of bad one" in alone.read_text()


def test_unwritable(tmp_path: Path) -> None:
    """A file that cannot be written has a status of its own."""
    with MockServer() as server:
        url = f"pop3://alice@127.0.0.1:{server.port}"
        result = invoke([url, "rfc1939-5-35", "--json", str(tmp_path / "no" / "a.json")])

    assert result.exit_code == 74
    assert "cannot write" in result.output


def test_schema() -> None:
    """The schema is printed as it is published."""
    assert invoke(["--schema"]).output == schema_text()


def test_maildir(tmp_path: Path) -> None:
    """A Maildir gets all messages; a server that does not look into it is told so.

    Deletion takes the account typed again.
    """
    file = tmp_path / "a.json"
    with MockServer() as server:
        account = "alice@127.0.0.1"
        url = f"pop3://{account}:{server.port}"
        maildir = tmp_path / "Maildir"
        for name in ("tmp", "new", "cur"):
            (maildir / name).mkdir(parents=True)

        seeding = ["--seed-maildir", str(maildir), "--seed-wait", "0.1"]
        leave = ["--destructive", "--yes-delete-in", account]
        result = invoke([url, "RFC1939-5-20", *seeding, *leave, "--json", str(file)])

    record = read_record(file)
    assert len(list((maildir / "new").iterdir())) == 17
    assert record.limits.mode == "destructive"
    assert record.cases[0].reason.endswith("has not arrived within 0.1 s")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed-smtp", "h:25", "--seed-command", "x"], "--seed-command and --seed-smtp"),
        (["--seed-shell"], "--seed-shell is for"),
        (["--seed-smtp", "h"], "HOST:PORT"),
        (["--seed-command", "'"], "--seed-command"),
        (["--seed-command", " "], "expected a command"),
    ],
)
def test_seeding_usage(options: list[str], said: str) -> None:
    """Ways to seed that contradict each other are told before anything is sent."""
    result = invoke(["pop3://alice@127.0.0.1:1", *options])

    assert result.exit_code == 64
    assert said in result.output


def test_seeding_needs_a_user() -> None:
    """Without a user there is no maildrop."""
    result = invoke(["pop3://127.0.0.1:1", "--seed-command", "x"])

    assert result.exit_code == 64
    assert "needs a user" in result.output
