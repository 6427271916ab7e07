"""A scenario tried: what the client did, and how that differs from what the file says."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pop3client
from pop3client import Message, POP3Client
from pop3kit._trial import Outcome, differences, kind_of_error, run
from pop3scenarios import expand, load, loads

pytestmark = pytest.mark.once

REFERENCES = [ref for folder in ("servers", "quirks", "faults") for ref in expand(f"{folder}/*")]

HEAD = "pop3: 1\nname: odd\nsummary: odd\n"


def trial(reference: str = "default") -> Outcome:
    """Try a shipped scenario."""
    return run(load(reference), timeout=0.5)


@pytest.mark.parametrize("reference", REFERENCES)
def test_shipped(reference: str) -> None:
    """The client ends in every shipped scenario as its file says."""
    outcome = run(load(reference))

    assert differences(outcome) == [], outcome.transcript


def test_complete() -> None:
    """An outcome tells what came, the modes, the deviations, and the conversation."""
    outcome = trial("retr-without-size")

    assert (outcome.ends, outcome.intact, outcome.total) == ("complete", 4, 4)
    assert (outcome.start, outcome.mode) == ("retr", "list")
    assert outcome.notices == ("retr-without-size",)
    assert (outcome.error, outcome.faults, outcome.lost) == (None, (), 0)
    assert "C: RETR 4" in outcome.transcript
    assert "secret" not in outcome.transcript


def test_partial() -> None:
    """An error in the middle leaves what came before."""
    outcome = trial("cut-mid-message")

    assert (outcome.ends, outcome.intact, outcome.total) == ("partial", 1, 3)
    assert kind_of_error(outcome.error) == "closed"


def test_refused() -> None:
    """An error before login leaves no mode, but what was noticed until then."""
    outcome = trial("close-on-bad-auth")

    assert (outcome.ends, outcome.intact, outcome.mode) == ("refused", 0, "")
    assert outcome.notices == ("close-on-bad-auth",)


@pytest.mark.parametrize(
    ("fetch", "difference"),
    [
        ("ends: partial", "end: expected partial, got complete"),
        ("intact: 3", "messages intact: expected 3, got 4"),
        ("error: closed", "error: expected closed, got none"),
        ("mode: slow", "mode at end: expected slow, got retr"),
        ("lost: 2", "0 message(s) are gone from the server, expected 2"),
        ("notices: [no-capa]", "deviations noticed: expected no-capa, got none"),
    ],
)
def test_wrong_expectation(fetch: str, difference: str) -> None:
    """Each thing that the file says is held against what happened."""
    outcome = run(loads(f"{HEAD}expect: {{fetch: {{{fetch}}}}}\n"))

    assert differences(outcome) == [difference]


def test_unexpected_notices() -> None:
    """A deviation that the file does not name is a difference."""
    scenario = loads(f"{HEAD}quirks: [no-capa]\n")

    assert differences(run(scenario)) == ["deviations noticed: expected none, got no-capa"]


def test_order_of_notices() -> None:
    """In which order deviations are met is not compared."""
    outcome = trial("rfc1939-minimal")

    assert differences(replace(outcome, notices=outcome.notices[::-1])) == []


def test_message_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is one octet off is not intact."""
    original = POP3Client.retrieve

    def retrieve(self: POP3Client, start: str, end: str) -> list[Message]:
        messages = original(self, start, end)
        return [*messages[:-1], replace(messages[-1], raw=messages[-1].raw[:-1])]

    monkeypatch.setattr(POP3Client, "retrieve", retrieve)

    assert differences(trial()) == [
        "end: expected complete, got partial",
        "messages intact: expected 4, got 3",
    ]


def test_message_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message in another's place is not intact, though it is whole."""
    monkeypatch.setattr(POP3Client, "retrieve", lambda self, *_: [self.retr(1)] * 4)

    assert differences(trial()) == [
        "end: expected complete, got partial",
        "messages intact: expected 4, got 1",
    ]


def test_message_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that the server does not have is not complete."""
    original = POP3Client.retrieve
    monkeypatch.setattr(
        POP3Client, "retrieve", lambda self, *words: [*original(self, *words), Message(5, b"")]
    )

    assert differences(trial()) == ["end: expected complete, got partial"]


def test_untyped_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is none of the client's types is named, and is never what a file expects."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(107, "not connected")

    monkeypatch.setattr(pop3client, "connect", fail)

    assert "error: expected tls, got OSError" in differences(trial("stls-broken[reset]"))


def test_password_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the scenario never allows is a difference."""
    original = pop3client.connect

    def connect(*arguments: object, **options: object) -> POP3Client:
        return original(*arguments, **{**options, "tls": pop3client.TLS.NONE})  # type: ignore[arg-type]

    monkeypatch.setattr(pop3client, "connect", connect)

    assert "#1 PASS ****: the scenario forbids it outside TLS (never-in-clear)" in differences(
        trial("stls-broken[refused]")
    )


def test_messages_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch that deletes is a difference."""
    original = POP3Client.close

    def close(self: POP3Client) -> None:
        self.dele(2)
        original(self)

    monkeypatch.setattr(POP3Client, "close", close)

    assert differences(trial()) == ["1 message(s) are gone from the server"]


def test_command_unexpected() -> None:
    """A command that the scenario forbids is a difference."""
    outcome = run(loads(f"{HEAD}expect: {{never: [STAT]}}\n"))

    assert differences(outcome) == ["#1 STAT: the scenario forbids it (never)"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pop3client.TLSError("x", step="refused"), "tls"),
        (pop3client.InjectedDataError(b"x"), "injected"),
        (pop3client.ConnectionClosed("x", step="x"), "closed"),
        (pop3client.ConnectError("x", step="x"), "closed"),
        (pop3client.POP3TimeoutError("x", 1.0), "timeout"),
        (pop3client.LineTooLong("x", 1), "protocol"),
        (pop3client.AuthenticationError("PASS", "x"), "authentication"),
        (pop3client.MailboxInUse("PASS", "x"), "command"),
        (pop3client.StateError("x"), "StateError"),
        (ValueError("x"), "ValueError"),
        (None, ""),
    ],
)
def test_kind_of_error(error: Exception | None, kind: str) -> None:
    """Each type of error has the name by which scenario files know it."""
    assert kind_of_error(error) == kind
