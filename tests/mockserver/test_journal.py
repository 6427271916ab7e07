"""The journal: what it holds of each connection, and what can be asked of it."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import ScenarioError, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    from pop3mock import ConnectionLog, Journal

    Raw = Callable[[MockServer], RawClient]

HEAD = "pop3: 1\nname: test\nsummary: test\n"
LOGIN = b"USER alice\r\nPASS secret\r\n"


def after(octets: bytes, rules: str = "") -> Journal:
    """The journal of a server to which a client without a socket has said this."""
    server = MockServer(loads(HEAD + rules))
    session = server.session()
    session.connected()
    session.receive(octets)
    return server.journal


# What is asked of it


def test_commands_and_replies() -> None:
    """Commands are the lines as they came, replies the status lines; the greeting is neither."""
    journal = after(b"USER alice\r\npass secret\r\nXYZZY \xff\r\n")

    assert journal.commands == ["USER alice", "pass ****", r"XYZZY \xff"]
    assert [reply[:4] for reply in journal.replies] == ["+OK ", "+OK ", "-ERR"]
    assert journal.last.exchanges[0].greeting
    assert journal.last.exchanges[0].reply.startswith("+OK")


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("RETR", 3), ("retr", 3), ("RETR 2", 2), ("RETR 9", 0), ("TOP {n} 0", 1), ("TOP {n} 5", 0)],
)
def test_count(pattern: str, count: int) -> None:
    """A keyword means a command with any arguments, a pattern those that fit."""
    journal = after(LOGIN + b"RETR 1\r\nRETR 2\r\nRETR 2\r\nTOP 1 0\r\n")

    assert journal.count(pattern) == count
    assert journal.sent(pattern) is (count > 0)
    assert journal.last.count(pattern) == count


def test_count_of_nothing() -> None:
    """An empty pattern is a mistake of the test, not a command that never came."""
    with pytest.raises(ValueError, match="empty"):
        after(b"").count("")


SECRETS = {
    "PASS sesame": "PASS {secret}",
    "pass open sesame": "pass {secret}",
    "PASS se{rest}": "PASS {secret}",
    "PASS {number:int}": "PASS {secret}",
    "APOP alice c4c9334bac560ecc979e58001b3e22fb": "APOP alice {secret}",
    "APOP {user} c4c9334bac560ecc979e58001b3e22fb": "APOP {user} {secret}",
    "AUTH PLAIN AGFsaWNlAHNlY3JldA==": "AUTH PLAIN {secret}",
}


@pytest.mark.parametrize(("pattern", "instead"), SECRETS.items())
def test_pattern_that_spells_out_a_secret(pattern: str, instead: str) -> None:
    """Secrets are not kept, so that a pattern which names one could never be told from wrong."""
    server = MockServer()

    for ask in (
        server.journal.count,
        server.journal.sent,
        server.journal.never_in_clear,
        server.wait_for,
    ):
        with pytest.raises(ValueError, match=f"expected {re.escape(instead)}") as caught:
            ask(pattern)
        assert not any(word in str(caught.value) for word in ("sesame", "se{", "c4c9", "AGFs"))


@pytest.mark.parametrize("key", ["never", "never-in-clear", "always", "allow"])
def test_expectation_that_spells_out_a_secret(key: str) -> None:
    """A scenario that expects a certain secret is wrong, and says where."""
    with pytest.raises(ScenarioError, match=r"expected PASS \{secret\}") as caught:
        loads(f"{HEAD}expect:\n  {key}: [PASS sesame]\n")

    assert caught.value.problems[0].line == 5
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("PASS", 1), ("PASS {secret}", 1), ("PASS ****", 1), ("PASS ...", 1), ("AUTH PLAIN ...", 1),
     ("AUTH PLAIN ****", 1), ("AUTH {mechanism} {initial}", 1), ("APOP alice ...", 0)],
)  # fmt: skip
def test_pattern_that_leaves_a_secret_open(pattern: str, count: int) -> None:
    """A hole, an open end, or what the journal shows, stands for a secret."""
    octets = b"USER alice\r\nPASS a wrong one\r\nAUTH PLAIN AGFsaWNlAHg=\r\n"
    sasl = "server: {capabilities: [USER, SASL PLAIN]}"

    assert after(octets, sasl).count(pattern) == count


def test_retrieved_and_deleted() -> None:
    """What was refused was neither retrieved nor deleted."""
    journal = after(LOGIN + b"RETR 1\r\nRETR 99\r\nRETR 02\r\nDELE 1\r\nDELE 1\r\nRETR 1\r\n")

    assert journal.retrieved == [1, 2]
    assert journal.deleted == [1]
    assert journal.removed == []


def test_what_update_removed() -> None:
    """UPDATE's work is there by unique-id and by number."""
    mail = "maildrop: [{body: a, uid: first}, {body: b, uid: second}, {body: c, uid: third}]"

    journal = after(LOGIN + b"DELE 3\r\nDELE 1\r\nQUIT\r\n", mail)

    assert journal.removed == ["first", "third"]
    assert (journal.last.removed, journal.last.removed_numbers) == (("first", "third"), (1, 3))


def test_users() -> None:
    """Who logged in, not who tried."""
    server = MockServer()
    for octets in (LOGIN, b"USER bob\r\nPASS hunter2\r\n", b"USER alice\r\nPASS wrong\r\n"):
        server.session().receive(octets)

    assert server.journal.users == ["alice", "bob"]
    assert [log.user for log in server.journal.connections] == ["alice", "bob", ""]


PLAIN = base64.b64encode(b"\0alice\0secret")


@pytest.mark.parametrize(
    ("octets", "mechanism"),
    [
        (LOGIN, "USER"),
        (b"auth plain " + PLAIN + b"\r\n", "PLAIN"),
        (b"AUTH PLAIN\r\n" + PLAIN + b"\r\n", "PLAIN"),
        (b"AUTH CRAM-MD5\r\n*\r\n" + LOGIN, "USER"),
        (b"USER alice\r\n", ""),
    ],
)
def test_mechanism(octets: bytes, mechanism: str) -> None:
    """How a user has proven who he is."""
    journal = after(octets, "server: {capabilities: [USER, SASL PLAIN CRAM-MD5]}")

    assert journal.last.mechanism == mechanism


def test_in_clear(raw: Raw) -> None:
    """What came before TLS was in the clear, what came inside it was not."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.wrap()
        client.ask(b"USER alice")
        client.ask(b"PASS secret")
        client.ask(b"QUIT")
        server.wait_closed()
    journal = server.journal

    assert journal.in_clear == ["STLS"]
    assert journal.never_in_clear("USER", "PASS")
    assert not journal.never_in_clear("PASS", "STLS")
    assert not journal.never_in_clear()


def test_connections() -> None:
    """Connections are found by their numbers, and the last one by itself."""
    server = MockServer()
    assert len({id(server.session()) for _ in range(2)}) <= 2
    server.session().receive(b"NOOP\r\n")

    journal = server.journal

    assert [log.number for log in journal.connections] == [1, 2, 3]
    assert journal.connection(3) is journal.last
    assert journal.last.commands == ["NOOP"]
    for number in (0, 4, -1):
        with pytest.raises(LookupError, match=f"expected connection {number}, 3 came"):
            journal.connection(number)


def test_last_of_none() -> None:
    """Before anybody has come there is no last connection."""
    with pytest.raises(LookupError, match="0 came"):
        _ = MockServer().journal.last


# What it holds of an exchange


def test_rule_and_its_place() -> None:
    """An exchange names the rule that answered, and the file and the line where it stands."""
    journal = after(b"NOOP\r\nCAPA\r\n", "rules:\n  - {when: NOOP, reply: '-ERR no'}\n")
    noop, capa = journal.exchanges

    assert (noop.rule, noop.place) == ("test:5", "<string>:5")
    assert (capa.rule, capa.place) == ("default", "")


def test_place_of_a_script() -> None:
    """What a script answers has the script's place."""
    journal = after(b"NOOP\r\n", "script: |\n  S: +OK hi\n  C: NOOP\n  S: +OK so what\n")

    assert journal.exchanges[0].reply == "+OK so what"
    assert journal.exchanges[0].place.startswith("<string>:")


def test_octets() -> None:
    """The octets of a whole answer are counted, whatever the answer itself says."""
    mail = "maildrop: [{raw: 'A: b'}]\nrules: [{when: RETR, octets: 999}]"

    journal = after(LOGIN + b"RETR 1\r\n", mail)

    assert journal.exchanges[-1].reply == "+OK 999 octets"
    assert journal.exchanges[-1].octets == len(b"+OK 999 octets\r\nA: b\r\n.\r\n")


def test_reply_as_it_was_sent() -> None:
    """The reply is what stood on the wire, also if it was cut."""
    journal = after(b"CAPA\r\nNOOP\r\n", "rules: [{when: CAPA, cut: 5}]")

    assert journal.replies == ["+OK c"]
    assert journal.exchanges[0].octets == 5


def test_reply_in_pieces() -> None:
    """A reply that waits in the middle is one reply."""
    rules = "rules: [{when: NOOP, reply: \"+OK <bytes 'a'><wait 1s><bytes 'b'>\"}]"

    journal = after(b"NOOP\r\n", rules)

    assert journal.exchanges[0].octets == len("".join(journal.replies)) + 2


def test_times() -> None:
    """Times count from the beginning of the connection, of which the time of day is known."""
    before = time.time()
    server = MockServer()
    session = server.session()
    session.connected()
    session.receive(b"NOOP\r\nNOOP\r\n")
    log = server.journal.last

    times = [exchange.time for exchange in log.exchanges]

    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] < 60
    assert datetime.fromtimestamp(before, UTC) <= log.started <= datetime.now(UTC)


# TLS, and the end


def test_tls(raw: Raw) -> None:
    """The version, the cipher and the time of TLS; and who has come, from where."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        version = client.wrap()
        cipher = client.socket.cipher()[0]  # type: ignore[attr-defined]
        client.ask(b"NOOP")
        log = server.journal.last
        own = "{}:{}".format(*client.socket.getsockname())

    assert (log.tls, log.cipher) == (version, cipher)
    assert log.secured_at is not None
    assert log.exchanges[1].time <= log.secured_at <= log.exchanges[2].time
    assert log.peer == own


def test_no_tls() -> None:
    """Without TLS there is neither version nor cipher nor time."""
    log = after(b"NOOP\r\n").last

    assert (log.tls, log.cipher, log.secured_at, log.peer) == ("", "", None, "")


@pytest.mark.parametrize(
    ("rules", "octets", "ended", "by"),
    [
        ("", b"QUIT\r\n", "quit", "client"),
        ("", LOGIN + b"QUIT\r\n", "quit", "client"),
        ("rules: [{when: NOOP, then: close}]", b"NOOP\r\n", "close", "server"),
        ("rules: [{when: NOOP, then: reset}]", b"NOOP\r\n", "reset", "server"),
        ("rules: [{when: NOOP, then: half-close}]", b"NOOP\r\n", "half-close", "server"),
        ("rules: [{when: NOOP, then: hang}]", b"NOOP\r\n", "hang", "server"),
        ("rules: [{when: QUIT, then: reset}]", b"QUIT\r\n", "reset", "server"),
        ("server: {autologout: 50ms}", b"", "autologout", "server"),
        ("rules: [{when: '*', then: close}]", b"autologout\r\n", "close", "server"),
    ],
)
def test_end(raw: Raw, rules: str, octets: bytes, ended: str, by: str) -> None:
    """How a connection ended, and who ended it."""
    with MockServer(loads(HEAD + rules)) as server:
        client = raw(server)
        client.send(octets)
        assert server.journal.wait_until(
            lambda: bool(server.journal.connections and server.journal.last.ended), 5
        )
        log = server.journal.last

        assert (log.ended, log.ended_by) == (ended, by)
    assert (log.ended, log.ended_by) == (ended, by)


def test_end_by_the_client(raw: Raw) -> None:
    """A client that goes without QUIT has ended the connection itself."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        assert (server.journal.last.ended, server.journal.last.ended_by) == ("", "")
        client.close()
        server.wait_closed()
        log = server.journal.last

    assert (log.ended, log.ended_by) == ("client closed", "client")


def test_end_by_the_test(raw: Raw) -> None:
    """Connections that are up when the server stops are ended by that."""
    with MockServer() as server:
        raw(server).line()

    assert (server.journal.last.ended, server.journal.last.ended_by) == ("stopped", "server")


def test_autologout_is_no_command(raw: Raw) -> None:
    """What no line of the client has brought about is no command of the client."""
    with MockServer(loads(HEAD + "server: {autologout: 50ms}")) as server:
        client = raw(server)
        client.rest()
        server.wait_closed()

    assert server.journal == []
    assert [each.event for each in server.journal.last.exchanges] == ["greeting", "autologout"]


# Waiting


def test_waiting_for_what_happens(raw: Raw) -> None:
    """Who waits is woken by what happens, from any thread, without looking again and again."""
    looks: list[int] = []

    def happened() -> bool:
        looks.append(1)
        return server.journal.sent("NOOP")

    with MockServer() as server:
        client = raw(server)
        client.line()
        timer = threading.Timer(0.05, client.send, (b"NOOP\r\n",))
        began = time.monotonic()
        timer.start()
        assert server.journal.wait_until(happened, 30)
        timer.join()

    assert time.monotonic() - began < 20
    assert len(looks) < 10


# Lines of JSON


def parsed(text: str) -> list[dict[str, object]]:
    """The objects in lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def kinds(log: ConnectionLog, lines: list[dict[str, object]]) -> list[object]:
    """The kinds of the events of a connection."""
    return [line["event"] for line in lines if line["connection"] == log.number]


def test_json_lines(raw: Raw) -> None:
    """Everything that happens is one object in one line, in order, with the time."""
    with MockServer("retr-without-size") as server:
        client = raw(server)
        client.login()
        client.listing(b"RETR 1")
        client.ask(b"DELE 1")
        client.ask(b"QUIT")
        server.wait_closed()

    lines = parsed(server.journal.to_json_lines())

    assert kinds(server.journal.last, lines) == [
        "connected", "exchange", "exchange", "login", "exchange", "exchange", "exchange",
        "removed", "exchange", "ended", "over",
    ]  # fmt: skip
    assert {line["server"] for line in lines} == {"retr-without-size"}
    assert lines[0]["scenario"] == "retr-without-size"
    retr = lines[5]
    place = str(retr.pop("place"))
    assert place.startswith("quirks/retr-without-size.pop3.yaml:")
    assert retr == {
        "event": "exchange",
        "server": "retr-without-size",
        "connection": 1,
        "time": retr["time"],
        "tls": False,
        "command": "RETR",
        "line": "RETR 1",
        "reply": "+OK",
        "octets": server.journal.exchanges[2].octets,
        "rule": "retr-without-size:" + place.rpartition(":")[2],
        "state": "transaction",
        "asked_by": "client",
    }
    assert lines[3].items() >= {"user": "alice", "mechanism": "USER"}.items()
    assert lines[7].items() >= {"numbers": [1], "uids": list(server.journal.last.removed)}.items()
    assert lines[9].items() >= {"how": "quit", "by": "client"}.items()


def test_json_lines_of_octets_and_secrets() -> None:
    """Octets that are no printable ASCII are escaped, secrets are masked, lines stay lines."""
    journal = after(
        b"PASS hunter2\r\nUSER \xc3\xa9\xff\x00\x85\r\n",
        "rules: [{when: PASS, reply: '-ERR {argument} is wrong'}]",
    )

    text = journal.to_json_lines()
    lines = parsed(text)

    assert "hunter2" not in text
    assert text.isascii()
    shown = [line["line"] for line in lines if line["event"] == "exchange"]
    assert shown == ["", "PASS ****", r"USER \xc3\xa9\xff\x00\x85"]
    assert "-ERR **** is wrong" in [line.get("reply") for line in lines]


def test_faults_in_json_lines() -> None:
    """What a client should not have done is an event where it happened."""
    lines = parsed(after(b"XYZZY\r\n").to_json_lines())

    fault = next(line for line in lines if line["event"] == "fault")
    assert fault["what"] == "unexpected XYZZY"
    assert fault["place"] == ""


def test_following(raw: Raw) -> None:
    """Who follows the journal gets the same lines, each as soon as it has happened."""
    got: list[str] = []
    with MockServer() as server:
        server.journal.follow(got.append)
        client = raw(server)
        client.login()
        client.ask(b"NOOP")
        early = list(got)
        client.ask(b"QUIT")
        server.wait_closed()

    assert any('"NOOP"' in line for line in early)
    assert "".join(got) == server.journal.to_json_lines()
