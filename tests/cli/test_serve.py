"""``pop3kit serve``, as a process of its own: what a client in another language meets."""

from __future__ import annotations

import gc
import json
import poplib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pop3kit._serving import running, shortened
from pop3mock import Engine, MockServer
from pop3scenarios import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Run

pytestmark = pytest.mark.once  # each test starts an interpreter

#: Seconds after which a server that does not do its part is ended.
PATIENCE = 30.0


class Served:
    """A running ``pop3kit serve``.

    Attributes:
        all_facts: What its ready lines say, one for each server.
    """

    def __init__(self, process: subprocess.Popen[str], servers: int = 1) -> None:
        self._process = process
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(servers)]
        assert all(lines), process.stderr and process.stderr.read()
        self.all_facts: list[dict[str, Any]] = [json.loads(line) for line in lines]

    @property
    def facts(self) -> dict[str, Any]:
        """What the first ready line says."""
        return self.all_facts[0]

    def pop(self, server: int = 0) -> poplib.POP3:
        """A client that is connected."""
        facts = self.all_facts[server]
        return poplib.POP3(facts["host"], facts["port"], timeout=5)

    def log_in(self, pop: poplib.POP3, user: str | None = None) -> None:
        """Log in as the first user, or another one with that password."""
        pop.user(user or self.facts["user"])
        pop.pass_(self.facts["password"])

    def news(self) -> str:
        """The next line on standard error."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def close_stdin(self) -> tuple[int, str, str]:
        """Close its standard input; the exit status, and what else it said."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None
        out, err = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out, err

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End it; the exit status, and what else it said on standard output and error."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out, err


@contextmanager
def served(*arguments: object, servers: int = 1) -> Iterator[Served]:
    """Run ``pop3kit serve``, and see to it that it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pop3kit", "serve", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    with process:
        try:
            yield Served(process, servers)
        finally:
            process.kill()
            guard.cancel()
            guard.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve(number: signal.Signals) -> None:
    """It tells where it is in one line, serves, ends on a signal, and is content."""
    with served("default") as server:
        pop = server.pop()
        server.log_in(pop)
        count, _ = pop.stat()
        pop.quit()
        ending = server.stop(number)

    assert count == 4
    assert ending == (0, "", "")
    assert server.facts == {
        "scenario": "default",
        "host": "127.0.0.1",
        "port": server.facts["port"],
        "tls": "stls",
        "users": {"alice": "secret", "bob": "hunter2"},
        "user": "alice",
        "password": "secret",
        "ca_file": None,
    }


def test_expectation_broken() -> None:
    """If clients do what the scenario forbids, it ends with 1 and says what they did."""
    with served("stls-broken", "--variant", "refused") as server:
        pop = server.pop()
        server.log_in(pop)
        pop.quit()
        status, out, err = server.stop()

    assert (status, out) == (1, "")
    assert "USER alice: the scenario forbids it outside TLS" in err
    assert "PASS ****: the scenario forbids it outside TLS" in err
    assert "secret" not in err


def test_expectation_broken_at_the_last_moment() -> None:
    """What a client sent before it hung up counts, though the signal comes at once."""
    with served("default") as server:
        with socket.create_connection((server.facts["host"], server.facts["port"]), 5) as sock:
            sock.recv(100)
            sock.sendall(b"NONSENSE\r\n")
        status, _, err = server.stop()

    assert status == 1
    assert "NONSENSE" in err


def test_many_complaints() -> None:
    """Of many complaints the first are told, and how many more there are."""
    lines = [f"line {number}" for number in range(25)]

    assert shortened(lines) == [*lines[:20], "… and 5 more"]
    assert shortened(lines[:20]) == lines[:20]


def test_client_that_complains_of_everything() -> None:
    """A checker's run does not fill the terminal of who serves."""
    with served("default") as server:
        with socket.create_connection((server.facts["host"], server.facts["port"]), 5) as sock:
            for _ in range(8):
                sock.sendall(b"".join(b"NONSENSE%d\r\n" % number for number in range(4)))
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
        status, _, err = server.stop()

    assert status == 1
    assert len(err.splitlines()) == 21
    assert err.splitlines()[-1].startswith("… and ")


def test_all_is_heard_before_the_end() -> None:
    """All that has arrived when the end comes is heard, though it takes the server many turns."""
    gate = threading.Event()
    server = MockServer()
    lines = [b"XYZZY " + b"x" * 16_000 + b"\r\n"] * 24

    with Engine() as engine, running([server]):
        engine.loop.call_soon_threadsafe(gate.wait, PATIENCE)  # the server is busy elsewhere
        sock = socket.create_connection((server.host, server.port), 5)
        sock.sendall(b"".join(lines) + b"NONSENSE\r\n")
        opener = threading.Timer(0.05, gate.set)
        opener.start()
    opener.join()
    sock.close()

    assert server.journal.count("XYZZY") == len(lines)
    assert server.journal.commands[-1] == "NONSENSE"


def test_what_is_loaded_is_no_garbage() -> None:
    """While it serves, nobody looks through what was loaded before for garbage."""
    with running([MockServer()]):
        meanwhile = gc.get_freeze_count()

    assert meanwhile > 0
    assert gc.get_freeze_count() == 0


def test_client_still_there() -> None:
    """A client that does not go, also one that hangs, does not keep it from ending."""
    with served("hang-after-retr") as server:
        pop = server.pop()
        ending = server.stop()
        pop.close()

    assert ending == (0, "", "")


def test_tls(tmp_path: Path) -> None:
    """--tls overrides the scenario, and --ca-file gives what a client has to trust."""
    file = tmp_path / "ca.pem"

    with served("default", "--tls", "implicit", "--ca-file", file) as server:
        pop = poplib.POP3_SSL(
            "localhost",
            server.facts["port"],
            timeout=5,
            context=ssl.create_default_context(cafile=file),
        )
        server.log_in(pop)
        pop.quit()
        status, _, _ = server.stop()

    assert status == 0
    assert (server.facts["tls"], server.facts["ca_file"]) == ("implicit", str(file))
    assert list(tmp_path.iterdir()) == [file]


def test_port() -> None:
    """--port takes that port; one that is taken ends with 74 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pop3kit", "serve", "default", "--port", str(port)],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (74, "", 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr

    with served("default", "--port", port) as server:
        assert server.facts["port"] == port


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["stls-broken"],
        ["gmail", "--variant", "x"],
        ["gmail", "--tls=x"],
        ["gmail", "dovecot", "--port=1110"],
        ["gmail", "dovecot", "--variant=x"],
        ["gmail=1110", "--port=1111"],
        ["gmail=1110", "gmail=1111"],
        ["gmail=65536"],
        ["faults/*=1110"],
        ["nonsense/*"],
    ],
)
def test_usage(run: Run, arguments: list[str]) -> None:
    """What cannot be played, or not so, is wrong usage; nothing starts."""
    result = run("serve", *arguments)

    assert (result.exit_code, result.stdout) == (64, "")


def test_all_problems_of_a_file(run: Run, tmp_path: Path) -> None:
    """A wrong file gives all its problems, and nothing starts."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text("pop3: 1\nname: odd\nsummary: x\nrulse: []\nwyh: x\n", encoding="utf-8")

    result = run("serve", file)

    assert (result.exit_code, result.stdout) == (64, "")
    assert "odd.pop3.yaml:4:1: " in result.stderr
    assert "odd.pop3.yaml:5:1: " in result.stderr


def test_ca_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """A file that cannot be written ends with 74 and one line; nothing stays running."""
    result = run("serve", "default", "--ca-file", tmp_path / "none" / "ca.pem")

    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (74, "", 1)


# Several at once


def test_several() -> None:
    """Several scenarios are played on several ports, each with its ready line, and one exit."""
    with served("no-uidl", "stls-broken[refused]", servers=2) as server:
        names = [facts["scenario"] for facts in server.all_facts]
        pops = [server.pop(0), server.pop(1)]
        server.log_in(pops[1])
        for pop in pops:
            pop.quit()
        status, out, err = server.stop()

    assert names == ["no-uidl", "stls-broken[refused]"]
    assert (status, out) == (1, "")
    assert err.startswith("stls-broken[refused]: #1 USER alice: ")
    assert "no-uidl" not in err


def test_glob() -> None:
    """A glob stands for all that it matches, each variant on its own port."""
    references = expand("faults/*")

    with served("faults/*", servers=len(references)) as server:
        ports = {facts["port"] for facts in server.all_facts}
        names = [facts["scenario"] for facts in server.all_facts]
        status, _, _ = server.stop()

    assert names == references
    assert len(ports) == len(references)
    assert status == 0  # whom no client has come to has nothing to complain of


def test_glob_of_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glob of paths stands for one's own files, each variant on its own port."""
    head = "pop3: 1\nsummary: x\n"
    (tmp_path / "b.pop3.yaml").write_text(f"{head}name: b\nvariants: {{v: {{}}, w: {{}}}}\n")
    (tmp_path / "a.pop3.yaml").write_text(f"{head}name: a\n")
    monkeypatch.chdir(tmp_path)

    with served("./*.pop3.yaml", servers=3) as server:
        names = [facts["scenario"] for facts in server.all_facts]
        status, _, _ = server.stop()

    assert names == ["a", "b[v]", "b[w]"]
    assert status == 0


def test_glob_that_matches_no_file(run: Run) -> None:
    """A glob of paths that stands for nothing is wrong usage, in one line."""
    result = run("serve", "./nothing*.pop3.yaml")

    assert (result.exit_code, len(result.stderr.splitlines())) == (64, 1)
    assert "no file matches './nothing*.pop3.yaml'" in result.stderr


def test_two_variants(run: Run) -> None:
    """A variant in brackets and another one as an option are wrong usage, which tells both."""
    result = run("serve", "stls-broken[expired]", "--variant", "refused")

    assert (result.exit_code, len(result.stderr.splitlines())) == (64, 1)
    assert "'stls-broken[expired]' names the variant 'expired'" in result.stderr


def test_nobody_came(tmp_path: Path) -> None:
    """What a scenario demands of clients is no fault of a client that has not come."""
    file = tmp_path / "mine.pop3.yaml"
    file.write_text("pop3: 1\nname: mine\nsummary: x\nexpect: {always: [QUIT]}\n", encoding="utf-8")

    with served(file) as server:
        nobody = server.stop()
    with served(file) as server:
        server.pop().close()
        somebody = server.stop()

    assert nobody == (0, "", "")
    assert somebody[0] == 1
    assert "mine: QUIT: the scenario demands it" in somebody[2]


def test_port_of_each() -> None:
    """NAME=PORT says where each is; a name that a glob has too is played once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with served(f"no-uidl={port}", "quirks/no-*", servers=len(expand("quirks/no-*"))) as server:
        facts = server.all_facts
        ending = server.stop()

    assert [each["port"] for each in facts if each["scenario"] == "no-uidl"] == [port]
    assert ending == (0, "", "")


def test_port_of_one_is_taken() -> None:
    """If one of them cannot listen, none stays: 74, one line, and no ready line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pop3kit", "serve", "gmail", f"dovecot={port}"],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (74, "", 1)


# What a harness in another language needs


def test_port_file(tmp_path: Path) -> None:
    """The port file is there, whole, while the servers run, and gone afterwards."""
    file = tmp_path / "ports"

    with served("no-uidl", "default", "--port-file", file, servers=2) as server:
        lines = file.read_text().splitlines()
        there = list(tmp_path.iterdir())
        status, _, _ = server.stop()

    ports = [facts["port"] for facts in server.all_facts]
    assert lines == [f"{ports[0]} no-uidl", f"{ports[1]} default"]
    assert there == [file]
    assert list(tmp_path.iterdir()) == []
    assert status == 0


def test_port_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """A file that cannot be written ends with 74 and one line; nothing stays running."""
    result = run("serve", "default", "--port-file", tmp_path / "none" / "ports")

    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (74, "", 1)


def test_until_stdin_closes() -> None:
    """It ends as by a signal when who started it closes its standard input."""
    with served("default", "--until-stdin-closes") as server:
        pop = server.pop()
        server.log_in(pop)
        pop.quit()
        ending = server.close_stdin()

    assert ending == (0, "", "")


def test_stdin_that_stays_open() -> None:
    """A standard input that nobody closes does not keep a signal from ending it."""
    with served("default", "--until-stdin-closes") as server:
        ending = server.stop()

    assert ending == (0, "", "")


def test_stdin_is_nothing_without_being_asked() -> None:
    """Without the option a standard input that ends at once, as in the background, is no end."""
    done = subprocess.Popen(
        [sys.executable, "-m", "pop3kit", "serve", "default"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with done:
        server = Served(done)
        pop = server.pop()
        pop.quit()
        ending = server.stop()

    assert ending == (0, "", "")


CLIENT = """
import json, poplib, sys
facts = json.loads(sys.stdin.readline())
pop = poplib.POP3(facts["host"], facts["port"], timeout=5)
pop.user(facts["user"])
pop.pass_(facts["password"])
print(len(pop.retr(1)[1]))
pop.quit()
"""


def test_client_in_another_process(tmp_path: Path) -> None:
    """A client in a process of its own needs no more than the ready line."""
    journal = tmp_path / "journal.jsonl"
    with served("default", "--journal", journal) as server:
        done = subprocess.run(
            [sys.executable, "-c", CLIENT],
            input=json.dumps(server.facts),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=True,
        )
        ending = server.stop()

    assert int(done.stdout) > 0
    assert ending == (0, "", "")
    assert commands(journal) == ["USER alice", "PASS ****", "RETR 1", "QUIT"]


# The journal


def events(file: Path) -> list[dict[str, Any]]:
    """The objects in a journal."""
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def commands(file: Path) -> list[str]:
    """The command lines in a journal."""
    lines = [each for each in events(file) if each["event"] == "exchange"]
    return [each["line"] for each in lines if each["asked_by"] == "client"]


def test_journal(tmp_path: Path) -> None:
    """The journal holds what happens on all servers, as soon as it happens."""
    file = tmp_path / "journal.jsonl"
    file.write_text("what was there before\n")

    with served("no-uidl", "default", "--journal", file, servers=2) as server:
        pops = [server.pop(1), server.pop(0)]
        for pop in pops:
            server.log_in(pop)
        early = commands(file)
        pops[0].quit()
        server.stop()
        pops[1].close()

    began, ended = (
        [each for each in events(file) if each["event"] == kind] for kind in ("connected", "ended")
    )
    assert early == ["USER alice", "PASS ****"] * 2
    assert [each["server"] for each in began] == ["default", "no-uidl"]
    assert [(each["server"], each["how"]) for each in ended] == [
        ("default", "quit"),
        ("no-uidl", "stopped"),
    ]
    assert "secret" not in file.read_text()


def test_journal_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """A journal that cannot be begun ends with 74 and one line; nothing starts."""
    result = run("serve", "default", "--journal", tmp_path / "none" / "journal")

    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (74, "", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is /dev/full")
def test_journal_on_a_full_disk() -> None:
    """Clients are served though the journal cannot be written on; the end is 74, in one line."""
    with served("default", "--journal", "/dev/full") as server:
        pop = server.pop()
        server.log_in(pop)
        pop.quit()
        status, out, err = server.stop()

    assert (status, out, len(err.splitlines())) == (74, "", 1)


# Reloading

SCENARIO = """\
pop3: 1
name: mine
summary: x
quirks: [odd.pop3.yaml]
maildrop: [{{body: one}}, {{body: two}}]
server: {{greeting: {greeting}}}
"""
ODD = "pop3: 1\nname: odd\nsummary: x\nrules: [{{when: NOOP, text: {text}}}]\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A scenario of one's own, made of two files."""
    (tmp_path / "odd.pop3.yaml").write_text(ODD.format(text="old"), encoding="utf-8")
    file = tmp_path / "mine.pop3.yaml"
    file.write_text(SCENARIO.format(greeting="old"), encoding="utf-8")
    return file


def test_reload(mine: Path) -> None:
    """New connections get what the file says now; open ones, and the mail, stay as they are."""
    with served(mine, "--reload") as server:
        first = server.pop()
        server.log_in(first)
        first.dele(1)
        first.quit()
        old = server.pop()
        server.log_in(old)
        mine.write_text(SCENARIO.format(greeting="new"), encoding="utf-8")
        news = server.news()
        new = server.pop()
        kept = old.noop()
        count = old.stat()[0]
        for pop in (old, new):
            pop.quit()
        ending = server.stop()

    assert news == f"{mine}: reloaded\n"
    assert new.getwelcome() == b"+OK new"
    assert (kept, count) == (b"+OK old", 1)
    assert ending == (0, "", "")


def test_reload_of_a_quirk(mine: Path) -> None:
    """A change in any file that the scenario is made of counts."""
    with served(mine, "--reload") as server:
        (mine.parent / "odd.pop3.yaml").write_text(ODD.format(text="new"), encoding="utf-8")
        server.news()
        pop = server.pop()
        server.log_in(pop)
        reply = pop.noop()
        pop.quit()
        server.stop()

    assert reply == b"+OK new"


def test_reload_of_a_broken_file(mine: Path) -> None:
    """A file that has become wrong is told with its place, and the old one goes on being played."""
    with served(mine, "--reload") as server:
        mine.write_text("pop3: 1\nname: mine\nsummary: x\nrulse: []\n", encoding="utf-8")
        said = server.news() + server.news()
        meanwhile = server.pop()
        meanwhile.quit()
        mine.write_text(SCENARIO.format(greeting="mended"), encoding="utf-8")
        news = server.news()
        mended = server.pop()
        mended.quit()
        ending = server.stop()

    assert "goes on as before" in said
    assert "mine.pop3.yaml:4:1: " in said
    assert meanwhile.getwelcome() == b"+OK old"
    assert news.endswith(": reloaded\n")
    assert mended.getwelcome() == b"+OK mended"
    assert ending == (0, "", "")


def test_reload_of_a_file_that_was_away(mine: Path) -> None:
    """A file that is gone and comes back, as some editors do it, is played when it is back."""
    with served(mine, "--reload") as server:
        mine.unlink()
        gone = server.news() + server.news()
        mine.write_text(SCENARIO.format(greeting="back"), encoding="utf-8")
        news = server.news()
        pop = server.pop()
        pop.quit()
        status, _, _ = server.stop()

    assert "goes on as before" in gone
    assert news.endswith(": reloaded\n")
    assert pop.getwelcome() == b"+OK back"
    assert status == 0


@pytest.mark.parametrize("part", ["quirks: [odd]", "extends: ./odd.pop3.yaml"])
def test_reload_of_a_part_that_was_away(tmp_path: Path, part: str) -> None:
    """A quirk, or what is extended, is played anew when it is back, however long it was away."""
    odd, away = tmp_path / "odd.pop3.yaml", tmp_path / "away"
    odd.write_text(ODD.format(text="old"), encoding="utf-8")
    file = tmp_path / "mine.pop3.yaml"
    file.write_text(f"pop3: 1\nname: mine\nsummary: x\n{part}\n", encoding="utf-8")

    with served(file, "--reload") as server:
        odd.rename(away)
        gone = server.news() + server.news()
        away.rename(odd)
        back = server.news()
        odd.write_text(ODD.format(text="new"), encoding="utf-8")
        changed = server.news()
        pop = server.pop()
        server.log_in(pop)
        reply = pop.noop()
        pop.quit()
        ending = server.stop()

    assert "goes on as before" in gone
    assert [back, changed] == [f"{file}: reloaded\n"] * 2
    assert reply == b"+OK new"
    assert ending == (0, "", "")


def test_reload_changes_what_is_expected(tmp_path: Path) -> None:
    """The exit status is about what each connection's own scenario expects."""
    file = tmp_path / "mine.pop3.yaml"
    text = "pop3: 1\nname: mine\nsummary: x\nexpect: {{never: [{never}]}}\n"
    file.write_text(text.format(never="STAT"), encoding="utf-8")

    with served(file, "--reload") as server:
        before = server.pop()
        server.log_in(before)
        before.stat()
        before.quit()
        file.write_text(text.format(never="LIST"), encoding="utf-8")
        server.news()
        after = server.pop()
        server.log_in(after)
        after.stat()
        after.quit()
        status, _, err = server.stop()

    assert status == 1
    assert err == "mine: #1 STAT: the scenario forbids it (never)\n"


def test_no_reload_without_being_asked(mine: Path) -> None:
    """Without --reload what is played is what was there at the start."""
    with served(mine) as server:
        mine.write_text(SCENARIO.format(greeting="new"), encoding="utf-8")
        pop = server.pop()
        pop.quit()
        ending = server.stop()

    assert pop.getwelcome() == b"+OK old"
    assert ending == (0, "", "")


# User names that choose


def test_quirk_users() -> None:
    """With --quirk-users a name chooses what is played, on any port, in any language."""
    with served("default", "--quirk-users") as server:
        odd, plain = server.pop(), server.pop()
        server.log_in(odd, "quirk+retr-without-size@example.com")
        server.log_in(plain)
        replies = [odd.retr(1)[0], plain.retr(1)[0]]
        odd.quit()
        plain.quit()
        ending = server.stop()

    assert replies[0] == b"+OK"
    assert replies[1].endswith(b" octets")
    assert ending == (0, "", "")


def test_no_quirk_users_without_being_asked() -> None:
    """Without --quirk-users such a name is a name like any other that nobody has."""
    with served("default") as server:
        pop = server.pop()
        with pytest.raises(poplib.error_proto):
            server.log_in(pop, "quirk+retr-without-size@example.com")
        pop.quit()
        status, _, _ = server.stop()

    assert status == 0
