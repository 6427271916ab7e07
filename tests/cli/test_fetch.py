"""``pop3kit fetch`` from real servers: files, deletion, errors, exit statuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pop3kit import _folder
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from click.testing import Result

    from .conftest import Run

HEAD = "pop3: 1\nname: odd\nsummary: odd\n"

#: ``pop3kit`` also where the tests run in the background, and SIGINT would be ignored.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from pop3kit.__main__ import main; raise SystemExit(main())"
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder for the messages."""
    return tmp_path / "mail"


def url(server: MockServer, scheme: str = "pop3") -> str:
    """The URL of the first user's maildrop."""
    return f"{scheme}://{server.credentials.user}@localhost:{server.port}"


def ca(server: MockServer, tmp_path: Path) -> Path:
    """A file with the certificate of the server's authority."""
    file = tmp_path / "ca.pem"
    file.write_bytes(server.ca_pem)
    return file


def mail(out: Path) -> list[bytes]:
    """The messages in the folder, by name; there must be nothing else in it."""
    files = sorted(out.iterdir())
    assert [file.suffix for file in files] == [".eml"] * len(files)
    return [file.read_bytes() for file in files]


def one_line(result: Result) -> str:
    """What the command said on standard error, which must be one line."""
    lines: list[str] = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("tls", "scheme", "options"),
    [("none", "pop3", []), ("stls", "pop3", ["--stls"]), ("implicit", "pop3s", [])],
)
def test_fetch(
    run: Run, out: Path, tmp_path: Path, tls: str, scheme: str, options: list[str]
) -> None:
    """All messages come octet for octet, however the connection is secured; nothing is deleted."""
    with MockServer("default", tls=tls) as server:  # type: ignore[arg-type]
        cafile = ["--cafile", ca(server, tmp_path)]
        result = run("fetch", url(server, scheme), "-o", out, *options, *cafile, password="secret")
        before, secured = list(server.maildrop), {e.tls for e in server.journal.exchanges[-3:]}

    assert (result.exit_code, result.stderr) == (0, "")
    assert mail(out) == before
    assert len(before) == 4
    assert secured == {tls != "none"}
    assert result.stdout == f"4 of 4 messages are in {out} (20,559 octets)\n"
    server.verify()


def test_names(run: Run, out: Path) -> None:
    """A file is named by number and unique-id, which is made safe; without one by the number."""
    text = HEAD + "maildrop: [{body: a, uid: '../a:b'}, {body: b, uid: x}]\n"
    with MockServer(loads(text)) as server:
        run("fetch", url(server), "-o", out, password="secret")
    with MockServer("no-uidl") as server:
        run("fetch", url(server), "-o", out / "no-uidl", password="secret")

    assert sorted(file.name for file in out.iterdir()) == [
        "00001-..%2Fa%3Ab.eml",
        "00002-x.eml",
        "no-uidl",
    ]
    assert min(file.name for file in (out / "no-uidl").iterdir()) == "00001.eml"


def test_again(run: Run, out: Path) -> None:
    """What is there already is not written again, and is counted."""
    with MockServer() as server:
        run("fetch", url(server), "-o", out, password="secret")
        times = [file.stat().st_mtime_ns for file in sorted(out.iterdir())]
        result = run("fetch", url(server), "-o", out, password="secret")

    assert result.exit_code == 0
    assert "(20,559 octets, 4 of them there already)" in result.stdout
    assert times == [file.stat().st_mtime_ns for file in sorted(out.iterdir())]


def test_collision(run: Run, out: Path) -> None:
    """A different message of the same name stays as it is."""
    out.mkdir()
    (out / "00001-x.eml").write_bytes(b"mine")
    with MockServer(loads(HEAD + "maildrop: [{body: a, uid: x}]\n")) as server:
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (0, [])
    assert (out / "00001-x.eml").read_bytes() == b"mine"
    assert (out / "00001-x-2.eml").read_bytes().endswith(b"\r\n\r\na\r\n")


def test_fall_back_and_deviations(run: Run, out: Path) -> None:
    """The summary tells the fall of the retrieval mode, and each deviation once."""
    with MockServer("retr-without-size") as server:
        result = run("fetch", url(server), "-o", out, password="secret")

    assert "the retrieval mode fell from retr to list\n" in result.stdout
    assert "noticed: retr-without-size (RETR): " in result.stdout


@pytest.mark.parametrize("option", [["--msex"], ["--retr-mode", "slow"], ["--retr-mode", "list"]])
def test_modes(run: Run, out: Path, option: list[str]) -> None:
    """--msex and --retr-mode keep the client from looking for a size where there is none."""
    with MockServer("retr-without-size") as server:
        result = run("fetch", url(server), "-o", out, *option, password="secret")
        commands = server.journal.commands

    assert result.exit_code == 0
    assert ("LIST 1" in commands) == (option[-1] == "list")
    assert "noticed" not in result.stdout
    assert "the retrieval mode fell" not in result.stdout


def test_apop(run: Run, out: Path) -> None:
    """--apop logs in without sending the password."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--apop", password="secret")
        commands = server.journal.commands

    assert result.exit_code == 0
    assert "APOP alice ****" in commands
    assert not any(command.startswith("PASS") for command in commands)


# Deletion


def test_delete(run: Run, out: Path) -> None:
    """With --delete what is in the folder is gone from the server."""
    with MockServer() as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (0, [])
    assert mail(out) == before
    assert "4 deleted from the server" in result.stdout


def test_delete_what_is_there_already(run: Run, out: Path) -> None:
    """A message that an earlier run has kept is safe, too."""
    with MockServer() as server:
        run("fetch", url(server), "-o", out, password="secret")
        run("fetch", url(server), "-o", out, "--delete", password="secret")

        assert list(server.maildrop) == []


def test_delete_only_what_is_safe(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DELE is sent when the message has its name, and not a moment earlier."""
    kept: list[list[str]] = []
    keep = _folder.Folder.keep

    with MockServer() as server:

        def watch(self: _folder.Folder, *arguments: object) -> tuple[Path, bool]:
            kept.append([c for c in server.journal.commands if c.startswith("DELE")])
            return keep(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(_folder.Folder, "keep", watch)
        run("fetch", url(server), "-o", out, "--delete", password="secret")

    assert [len(commands) for commands in kept] == [0, 1, 2, 3]


def test_disk_full(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a message cannot be kept, nothing is deleted, and the status is that of the system."""
    keep = _folder.Folder.keep

    def fail(self: _folder.Folder, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        if number == 2:
            raise OSError(28, "No space left on device")
        return keep(self, file, number, uid)

    monkeypatch.setattr(_folder.Folder, "keep", fail)
    with MockServer() as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        server.wait_closed()
        left = len(server.maildrop)

    assert (result.exit_code, left) == (74, 4)
    assert "No space left on device" in one_line(result)
    assert mail(out) == before[:1]


@pytest.mark.parametrize("scenario", ["cut-mid-message", "reset-mid-message"])
def test_delete_and_lose_the_connection(run: Run, out: Path, scenario: str) -> None:
    """If the connection is lost in a message, what came is kept, whole, and nothing is deleted."""
    with MockServer(scenario) as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        server.wait_closed()
        left = list(server.maildrop)

    assert (result.exit_code, left) == (1, before)
    assert mail(out) == before[:1]
    assert "RETR 2" in one_line(result)
    assert "1 of 3 messages" in result.stdout
    assert "0 deleted" in result.stdout


def test_delete_and_quit_refused(run: Run, out: Path) -> None:
    """If QUIT is refused, deletions may not have happened: that is a failure."""
    with MockServer("quit-err") as server:
        deleting = run("fetch", url(server), "-o", out, "--delete", password="secret")
        plain = run("fetch", url(server), "-o", out, password="secret")

    assert deleting.exit_code == 1
    assert "QUIT: " in one_line(deleting)
    assert "0 deleted" in deleting.stdout
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert "noticed: quit-err (QUIT)" in plain.stdout


def test_message_refused(run: Run, out: Path) -> None:
    """A message that the server refuses is told; the others come, and only they are deleted."""
    rule = "rules: [{when: RETR 2, reply: -ERR \x5b[31mlocked}]\n".replace("\x5b[31m", "")
    with MockServer(loads(HEAD + rule)) as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--delete", password="secret")
        left = list(server.maildrop)

    assert (result.exit_code, left) == (1, before[1:2])
    assert mail(out) == [before[0], *before[2:]]
    assert "locked" in one_line(result)
    assert "3 of 4 messages" in result.stdout


# What is remembered


def sync(run: Run, server: MockServer, out: Path, *options: str) -> Result:
    """Fetch what is new."""
    db = out.with_name("seen.db")
    return run("fetch", url(server), "-o", out, "--sync", db, *options, password="secret")


def test_sync(run: Run, out: Path) -> None:
    """With --sync the second run fetches only what has come since, wherever the files are now."""
    with MockServer() as server:
        first = sync(run, server, out)
        before = list(server.maildrop)
        assert mail(out) == before
        for file in out.iterdir():
            file.unlink()
        server.deliver(b"Subject: new\r\n\r\n")
        second = sync(run, server, out)
        left = len(server.maildrop)

    assert (first.exit_code, second.exit_code, left) == (0, 0, 5)
    assert mail(out) == [b"Subject: new\r\n\r\n"]
    assert first.stdout == f"4 of 4 messages are in {out} (20,559 octets)\n"
    assert second.stdout.startswith(f"1 of 5 messages are in {out} (16 octets, 4 fetched before)\n")


def test_sync_names(run: Run, out: Path) -> None:
    """Files have the same names as without --sync."""
    text = HEAD + "maildrop: [{body: a, uid: '../a:b'}, {body: b, uid: x}]\n"
    with MockServer(loads(text)) as server:
        sync(run, server, out)

    assert sorted(file.name for file in out.iterdir()) == ["00001-..%2Fa%3Ab.eml", "00002-x.eml"]


def test_keep(run: Run, out: Path) -> None:
    """--keep deletes what was fetched so long ago, and --delete what has been fetched."""
    with MockServer() as server:
        sync(run, server, out)
        late = sync(run, server, out, "--keep", "1")
        at_once = sync(run, server, out, "--keep", "0")
        server.deliver(b"Subject: new\r\n\r\n")
        delete = sync(run, server, out, "--delete")
        left = list(server.maildrop)

    assert "0 deleted" in late.stdout
    assert "4 deleted" in at_once.stdout
    assert "1 deleted" in delete.stdout
    assert left == []


def test_sync_fails_for_one_message(run: Run, out: Path) -> None:
    """A message that is refused is told, the others come, and the next run tries it again."""
    with MockServer(
        loads(HEAD + "rules: [{when: RETR 2, nth: 1, scope: user, reply: -ERR no}]\n")
    ) as server:
        first = sync(run, server, out)
        second = sync(run, server, out)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "RETR 2" in one_line(first)
    assert "1 of 4 messages" in second.stdout


def test_sync_and_disk_full(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be kept does not count as fetched."""
    keep = _folder.Folder.keep

    def fail(self: _folder.Folder, file: IO[bytes], number: int, uid: bytes) -> tuple[Path, bool]:
        if number == 2:
            raise OSError(28, "No space left on device")
        return keep(self, file, number, uid)

    with MockServer() as server:
        with monkeypatch.context() as patch:
            patch.setattr(_folder.Folder, "keep", fail)
            first = sync(run, server, out, "--delete")
        server.wait_closed()
        assert len(server.maildrop) == 4
        second = sync(run, server, out)

    assert (first.exit_code, second.exit_code) == (74, 0)
    assert "3 of 4 messages" in second.stdout


def test_sync_without_uidl(run: Run, out: Path) -> None:
    """Without UIDL nobody knows what is new: status 1, and nothing is fetched."""
    with MockServer("no-uidl") as server:
        result = sync(run, server, out)

    assert (result.exit_code, mail(out)) == (1, [])
    assert "UIDL" in one_line(result)


def test_sync_with_a_file_that_is_none(run: Run, out: Path) -> None:
    """A file that is no store ends with 74, before anybody is asked for mail."""
    out.with_name("seen.db").write_text("something else, and long enough" * 9, encoding="utf-8")
    with MockServer() as server:
        result = sync(run, server, out)
        came = server.journal.connections

    assert (result.exit_code, came) == (74, [])
    assert "seen.db: file is not a database" in one_line(result)


@pytest.mark.parametrize("scenario", ["default", "cut-mid-message"])
def test_json(run: Run, out: Path, scenario: str) -> None:
    """With --json the summary is one JSON object, also when something failed."""
    with MockServer(scenario) as server:
        result = run("fetch", url(server), "-o", out, "--json", password="secret")

    summary = json.loads(result.stdout)
    failed = scenario != "default"
    assert (summary["status"], result.exit_code) == (failed, failed)
    assert summary["total"] == (3 if failed else 4)
    assert summary["kept"] == len(mail(out)) == (1 if failed else 4)
    assert len(summary["failures"]) == failed
    assert set(summary) >= {"seen", "known", "octets", "deleted", "modes", "deviations"}


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_token(run: Run, out: Path, mechanism: str) -> None:
    """--oauth-token-command logs in with the token that the command prints; it is never shown."""
    text = HEAD + f"server:\n  capabilities: [TOP, UIDL, SASL {mechanism}]\n"
    command = f"{sys.executable} -c \"print('secret')\""
    with MockServer(loads(text)) as server:
        result = run("fetch", url(server), "-o", out, "--oauth-token-command", command)
        commands = server.journal.commands

    assert (result.exit_code, len(mail(out))) == (0, 4)
    assert any(command.startswith(f"AUTH {mechanism}") for command in commands)
    assert not any(command.startswith("PASS") for command in commands)


def test_token_command_fails(run: Run, out: Path) -> None:
    """A command that gives no token ends with 64, and nobody is logged in."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--oauth-token-command", "false")
        commands = server.journal.commands

    assert result.exit_code == 64
    assert "--oauth-token-command ended with status 1" in one_line(result)
    assert not any(command.startswith("AUTH") for command in commands)


def test_token_refused(run: Run, out: Path) -> None:
    """A token that is refused ends with 1, and is not shown."""
    command = f"{sys.executable} -c \"print('gehe1m')\""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--oauth-token-command", command)

    assert result.exit_code == 1
    assert "AUTH" in one_line(result)
    assert "gehe1m" not in result.output


# Failures


def test_timeout(run: Run, out: Path) -> None:
    """A server that falls silent ends with 1 within the timeout, and the option is named."""
    with MockServer("hang-after-retr") as server:
        before = list(server.maildrop)
        result = run("fetch", url(server), "-o", out, "--timeout", "0.2", password="secret")

    assert result.exit_code == 1
    assert "--timeout" in one_line(result)
    assert mail(out) == before[:1]


def test_wrong_password(run: Run, out: Path) -> None:
    """A refused login ends with 1 and the server's reason, never with the password."""
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, password="gehe1m")

    assert result.exit_code == 1
    assert "password is wrong" in one_line(result)
    assert "gehe1m" not in result.output
    assert "nothing fetched" in result.stdout


def test_nobody_there(run: Run, out: Path) -> None:
    """Where nobody listens, the failure is one line."""
    with MockServer() as server:
        place = url(server)

    result = run("fetch", place, "-o", out, password="secret")

    assert result.exit_code == 1
    assert "cannot connect" in one_line(result)


@pytest.mark.parametrize("variant", ["refused", "injected", "expired", "unknown-ca", "wrong-host"])
def test_tls_fails(run: Run, out: Path, tmp_path: Path, variant: str) -> None:
    """If the connection cannot be secured, no password is sent."""
    with MockServer(f"stls-broken[{variant}]") as server:
        cafile = ca(server, tmp_path)
        place = url(server)
        result = run("fetch", place, "-o", out, "--stls", "--cafile", cafile, password="secret")

    assert (result.exit_code, mail(out)) == (1, [])
    one_line(result)
    server.verify()


def test_unknown_authority(run: Run, out: Path) -> None:
    """A certificate that the system does not trust is refused, and the option is named."""
    with MockServer(tls="implicit") as server:
        result = run("fetch", url(server, "pop3s"), "-o", out, password="secret")

    assert result.exit_code == 1
    assert "--cafile" in one_line(result)


def test_server_cannot_drive_the_terminal(run: Run, out: Path) -> None:
    """What a server says is shown without its control characters."""
    rule = 'rules:\n  - when: STAT\n    reply: |\n      <bytes "-ERR \\x1b[2J\\x07gone\\r\\n">\n'
    with MockServer(loads(HEAD + rule)) as server:
        result = run("fetch", url(server), "-o", out, password="secret")

    assert "gone" in one_line(result)
    assert not set(result.output) & {"\x1b", "\x07"}


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_interrupted(out: Path) -> None:
    """Ctrl-C in the middle of a message leaves what came whole, and no part of a message."""
    rule = "rules: [{when: RETR 2, cut: 100, then: hang}]\n"
    with MockServer(loads(HEAD + rule)) as server:
        before = list(server.maildrop)
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "fetch", url(server), "-o", out, "--delete"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "POP3KIT_PASSWORD": "secret"},
        ) as process:
            server.wait_for("RETR 2", timeout=30)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        left = list(server.maildrop)

    assert (process.returncode, left) == (130, before)
    assert mail(out) == before[:1]
    assert stderr == "Error: interrupted\n"
    assert "1 of 4 messages" in stdout


# Usage


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["pop3://alice@h"], "--output"),
        (["-o", "x"], "URL"),
        (["http://alice@h", "-o", "x"], "pop3://"),
        (["pop3s://alice@h", "-o", "x", "--stls"], "--stls goes with pop3://"),
        (["pop3://alice@h", "-o", "x", "--retr-mode", "fast"], "fast"),
        (["pop3://alice@h", "-o", "x", "--timeout", "0"], "0"),
        (["pop3://alice@h?timeout=5", "-o", "x"], "settings have their options"),
        (["pop3://alice@h", "-o", "x", "--keep", "3"], "--keep goes with --sync"),
        (["pop3://alice@h", "-o", "x", "--sync", "s", "--keep", "3", "--delete"], "--keep"),
        (["pop3://alice@h", "-o", "x", "--cafile", "/none"], "/none"),
        (["pop3://alice@h", "-o", "x", "--password-file", "/none"], "/none"),
        (["pop3://alice@h", "-o", "x", "--password", "gehe1m"], "--password"),
        (["pop3://alice%0d%0aDELE@localhost:1", "-o", "x"], "CR"),
    ],
)
def test_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    """Wrong usage ends with 64 and says what is wrong."""
    monkeypatch.chdir(tmp_path)

    result = run("fetch", *arguments, password="secret")

    assert result.exit_code == 64
    assert why in result.stderr
    assert not list(tmp_path.rglob("*.eml"))


def test_password_in_url(run: Run, out: Path) -> None:
    """A URL with a password is refused with the reason, and nothing is sent."""
    with MockServer() as server:
        place = url(server).replace("alice@", "alice:gehe1m@")
        result = run("fetch", place, "-o", out, password="secret")
        came = server.journal.connections

    assert (result.exit_code, came) == (64, [])
    assert "can be read in the list of processes" in one_line(result)
    assert "gehe1m" not in result.output


def test_cafile_without_certificates(run: Run, out: Path, tmp_path: Path) -> None:
    """A file that holds no certificate is wrong usage."""
    file = tmp_path / "ca.pem"
    file.write_text("nothing", encoding="utf-8")
    with MockServer() as server:
        result = run("fetch", url(server), "-o", out, "--cafile", file, password="secret")

    assert result.exit_code == 64
    assert "holds no certificate" in one_line(result)


def test_insecure(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password crosses a network unencrypted only if that is asked for."""
    monkeypatch.setattr("pop3client._blocking.is_local", lambda _: False)
    with MockServer() as server:
        refused = run("fetch", url(server), "-o", out, password="secret")
        sent = server.journal.commands
        allowed = run("fetch", url(server), "-o", out, "--allow-insecure-auth", password="secret")

    assert (refused.exit_code, sent, allowed.exit_code) == (64, [], 0)
    assert "--allow-insecure-auth" in one_line(refused)


def test_folder_that_cannot_be(run: Run, tmp_path: Path) -> None:
    """A folder that cannot be made ends with 74, and nobody is asked for mail."""
    (tmp_path / "file").write_bytes(b"")
    with MockServer() as server:
        result = run("fetch", url(server), "-o", tmp_path / "file" / "x", password="secret")
        came = server.journal.connections

    assert (result.exit_code, came) == (74, [])
    assert re.search("cannot write .*file", one_line(result))


def test_password_sources(run: Run, out: Path, tmp_path: Path) -> None:
    """The password comes from a file or a command as well as from the environment."""
    file = tmp_path / "password"
    file.write_bytes(b"secret\n")
    with MockServer() as server:
        by_file = run("fetch", url(server), "-o", out, "--password-file", file)
        echo = f"{sys.executable} -c \"print('secret')\""
        by_command = run("fetch", url(server), "-o", out, "--password-command", echo)
        nothing = run("fetch", url(server), "-o", out)

    assert (by_file.exit_code, by_command.exit_code, nothing.exit_code) == (0, 0, 64)
    assert "--password-file" in one_line(nothing)
