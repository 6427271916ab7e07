"""SASL in the checker: exchanges that go wrong, and what is written down of them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from pop3check import Facts, Limits, Outcome, Target, check_all, select
from pop3check import _sasl as sasl
from pop3check._dialogue import Dialogue
from pop3check._findings import Skipped, Unmet
from pop3check._passive import Passive
from pop3check._sasl import Scram, challenge_of
from pop3check._talk import Talk
from pop3check._tape import Tape
from pop3check._wants import Receive, Send
from pop3check._wirelog import MASK, WireLog
from pop3check.probes import load_probes
from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check._wants import Wants

    #: What a server says to a line; to ``b""`` it greets.
    Server = Callable[[bytes], bytes]

GREETED = (b"", b"+OK ready\r\n")

AUTH = ["rfc5034", "rfc1734", "rfc4616", "rfc2195", "rfc5802", "rfc7677", "rfc7628", "iop-xoauth2"]


def drive(wants: Wants[None], server: Server) -> list[bytes]:
    """Fulfil wants by a server that is a function; gives what was sent to it."""
    sent: list[bytes] = []
    said = [server(b"")]
    want = next(wants)
    try:
        while True:
            data = b""
            if isinstance(want, Send):
                sent.append(want.data)
                said.append(server(want.data))
            elif isinstance(want, Receive):
                data = said.pop(0) if said else b""
            want = wants.send(data)
    except StopIteration:
        return sent


def challenge(data: bytes) -> bytes:
    """A line with a challenge."""
    return b"+ " + base64.b64encode(data) + b"\r\n"


# Exchanges


def scram_server(nonce: Callable[[bytes, int], bytes]) -> Server:
    """A server that answers the first message of SCRAM with a nonce, and refuses all else."""
    times = 0

    def server(line: bytes) -> bytes:
        nonlocal times
        found = re.fullmatch(rb"AUTH SCRAM-SHA-256 (\S+)\r\n", line)
        if found is None:
            return b"-ERR no\r\n" if line else b"+OK ready\r\n"
        times += 1
        ours = base64.b64decode(found[1]).partition(b",r=")[2]
        return challenge(b"r=" + nonce(ours, times) + b",s=QUJD,i=4096")

    return server


def ask(case_id: str, server: Server) -> list[bytes]:
    """Play a probe from the greeting on."""
    facts = Facts(capabilities=("SASL SCRAM-SHA-256",), logged_in=True)
    target = Target(host="127.0.0.1", user="alice", password="secret")
    talk = Talk(target, facts, WireLog("secret"), Limits())

    def whole() -> Wants[None]:
        yield from talk.connect()
        yield from load_probes()[case_id](talk)

    return drive(whole(), server)


@pytest.mark.parametrize(
    ("nonce", "expected"),
    [
        (lambda ours, _: ours, "a part of the nonce that is the server's own"),
        (lambda ours, _: ours + b"same", "another nonce of the server's each time"),
        (lambda ours, n: b"%d" % n + ours, "a nonce that begins with ours"),
    ],
)
def test_nonces_that_prove_nothing(nonce: Callable[[bytes, int], bytes], expected: str) -> None:
    """A nonce of SCRAM is refused that is the client's alone, the same again, or another."""
    with pytest.raises(Unmet, match=expected):
        ask("RFC5802-5-01", scram_server(nonce))


def test_nonce_that_is_new_each_time() -> None:
    """A nonce that begins with the client's and goes on otherwise each time is right."""
    sent = ask("RFC5802-5-01", scram_server(lambda ours, n: ours + b"%d" % n))

    assert sent[1::2] == [b"*\r\n", b"*\r\n"]


def test_scram_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library of the extra, cases of SCRAM are skipped, and say what to install."""
    monkeypatch.setattr(sasl, "find_spec", lambda _: None)

    with pytest.raises(Skipped, match=r"pop3kit\[scram\]"):
        Scram("SCRAM-SHA-256", "alice", "secret")


@pytest.mark.parametrize(
    "line", ["+OK", "-ERR no", "+", "+bm8=", "+ !!!!", "+ bm8", "+ bm8= x", "+ \u00e9"]
)
def test_lines_that_are_no_challenges(line: str) -> None:
    """What is not a plus, a space and Base64 is no challenge."""
    with pytest.raises(Unmet):
        challenge_of(line, "words")


def test_an_exchange_is_called_off_before_quit() -> None:
    """A connection on which the server waits for a response is not left by QUIT alone."""
    dialogue = Dialogue(Target(host="127.0.0.1"), WireLog())
    answers = {b"": b"+OK ready\r\n", b"AUTH PLAIN\r\n": b"+ \r\n", b"*\r\n": b"-ERR off\r\n"}

    def whole() -> Wants[None]:
        yield from dialogue.hello()
        yield from dialogue.ask("AUTH PLAIN")
        yield from dialogue.leave()

    sent = drive(whole(), lambda line: answers.get(line, b""))

    assert sent == [b"AUTH PLAIN\r\n", b"*\r\n", b"QUIT\r\n"]


# What is written down


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (b"+ \r\n", b"AHgAeQ==\r\n"),
        (b"+\r\n", b"AHgAeQ==\r\n"),
        (b"+go ahead\r\n", b"AHgAeQ==\r\n"),
    ],
)
def test_responses_are_masked(before: bytes, line: bytes) -> None:
    """What follows a challenge is masked, in whatever form the challenge came."""
    log = WireLog()
    log.received(before, tls=False)

    log.sent(line, tls=False)

    assert log.lines[-1].text == MASK


@pytest.mark.parametrize("words", ["AUTH PLAIN ", "auth  plain  ", "AUTH\tPLAIN\t"])
def test_initial_responses_are_masked(words: str) -> None:
    """What stands behind AUTH and a mechanism is masked, however they are written."""
    log = WireLog()

    log.sent(f"{words}AHgAeQ==\r\n".encode(), tls=False)

    assert log.lines[-1].text.endswith(MASK)
    assert "AHgAeQ" not in log.lines[-1].text


def test_response_without_a_challenge_is_masked() -> None:
    """A response is masked though the server asked for none; an asterisk is shown."""
    log = WireLog()

    log.sent(b"AHgAeQ==\r\n", tls=False, proof=True)
    log.sent(b"*\r\n", tls=False, proof=True)

    assert [line.text for line in log.lines] == [MASK, "*"]


def test_proof_of_the_server_is_masked() -> None:
    """The server's signature in SCRAM, by which passwords can be tried, is masked."""
    log = WireLog()

    log.received(challenge(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), tls=False)
    log.received(challenge(b"r=abc,s=QUJD,i=4096"), tls=False)

    assert f"+ {MASK}" == log.lines[0].text
    assert log.lines[1].text.startswith("+ cj1hYmM")


@pytest.mark.once
def test_no_case_of_auth_shows_a_secret(target_of: Callable[..., Target]) -> None:
    """No verdict of a run of these cases has the password in it, nor what it can be made of."""
    password = "correct-horse"
    forms = [password, *_encoded("\0alice\0" + password), *_encoded(password)]

    with MockServer(users={"alice": password}) as server:
        target = target_of(server, ssl_context=server.client_context())
        report = check_all(target, select(AUTH), limits=Limits(login_failures=100))
        received = "\n".join(server.journal.commands)

    shown = repr(report.verdicts)
    assert [form for form in forms if form in shown] == []
    assert "alice" in received
    assert Outcome.ERROR not in report.counts


def _encoded(text: str) -> list[str]:
    """Parts of a text's Base64, wherever in a triple of octets it begins."""
    return [base64.b64encode(b" " * n + text.encode()).decode()[4:16] for n in range(3)]


@pytest.mark.once
def test_without_an_account_nobody_logs_in() -> None:
    """Cases that log in by themselves are skipped where there is no account."""
    with MockServer() as server:
        target = Target(host=server.host, port=server.port)
        report = check_all(target, select(["rfc5034-4-08", "rfc2195-2-03", "rfc5034-4-06"]))

    outcomes = [(verdict.outcome, verdict.reason) for verdict in report.verdicts]
    no_account = (Outcome.SKIP, "login: no user and password were given")
    assert [no_account, no_account, (Outcome.PASS, "")] == sorted(
        outcomes, key=lambda outcome: outcome[0] is Outcome.PASS
    )


# Replies that are judged all together


def test_challenges_are_judged_where_there_are_any() -> None:
    """A run in which no challenge came says nothing of challenges, and something of the rest."""
    silent, asked = Passive(), Passive()
    silent.review(Tape.of(GREETED, (b"QUIT\r\n", b"+OK bye\r\n")))
    asked.review(Tape.of(GREETED, (b"AUTH PLAIN\r\n", b"+ \r\n"), (b"*\r\n", b"-ERR off\r\n")))

    assert silent.found("RFC5034-4-05") is None
    assert silent.found("RFC1939-3-02") == []
    assert asked.found("RFC5034-4-05") == []


@pytest.mark.parametrize(
    ("listed", "count"), [(b"+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n", 3), (b"+OK\r\n", 3)]
)
def test_auth_alone_may_be_answered_by_a_list(listed: bytes, count: int) -> None:
    """A tape reads the list of mechanisms that old servers give, and does without one."""
    tape = Tape.of(GREETED, (b"AUTH\r\n", listed), (b"QUIT\r\n", b"+OK bye\r\n"))

    assert count == len(tape.replies())
