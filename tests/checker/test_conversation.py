"""How the lines of a script are sent and judged; octets only, no socket."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from pop3check import Facts, Limits, Outcome, Target, check
from pop3check._connection import Connections
from pop3check._conversation import Conversation
from pop3check._dialogue import Dialogue
from pop3check._findings import Finding, Inconclusive, Skipped, Unmet
from pop3check._wants import Breakdown
from pop3check._wirelog import WireLog
from pop3mock import MockServer
from pop3scenarios import kind_of, load, loads, shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import Scenario

    Play = Callable[..., Any]

#: Leave for everything: the mail is a mock's.
ALL = Limits(mode="destructive", any_message=True)

GREETING = "S: +OK ...\n"


def test_holes_are_filled_and_bound(play: Play) -> None:
    """C: lines take credentials, what was bound, and examples, in this order."""
    script = (
        GREETING + "C: USER {user}\nS: +OK {a:int=1}\nC: LIST {a:int=9}\nS: +OK\nC: TOP 1 {k:int=5}"
    )

    talk = play(script, b"+OK\r\n+OK 7\r\n+OK\r\n")

    assert talk.sent == [b"USER alice\r\n", b"LIST 7\r\n", b"TOP 1 5\r\n"]
    assert talk.finding is None


def test_hole_must_agree_ever_after(play: Play) -> None:
    """A hole that was bound must hold the same again; the finding says what it was."""
    talk = play(GREETING + "C: STAT\nS: +OK {n} {m:int=1}\nC: STAT\nS: +OK {n} {m}",
                b"+OK\r\n+OK 2 320\r\n+OK 3 320\r\n")  # fmt: skip

    assert isinstance(talk.finding, Unmet)
    assert (talk.finding.expected, talk.finding.actual) == ("+OK 2 320", "+OK 3 320")


@pytest.mark.parametrize(
    "line", ["+OK two 320", "+OK 2", "+OK  2 320", "+ok 2 320", "+OK2 320", ""]
)
def test_line_of_another_form(play: Play, line: str) -> None:
    """A hole is typed, a space is one space, and the status is in upper case."""
    talk = play(GREETING + "C: STAT\nS: +OK {n} {m:int=1} ...", f"+OK\r\n{line}\r\n".encode())

    assert isinstance(talk.finding, Unmet)
    assert ("+OK {n:int} {m:int} ...", line) == (talk.finding.expected, talk.finding.actual)


@pytest.mark.parametrize("line", ["+OK", "+OK ", "+OK Dovecot ready.", "+OK <1.2@x>"])
def test_open_text_is_never_compared(play: Play, line: str) -> None:
    """Behind a status that the file leaves open anything may stand."""
    talk = play("S: +OK ...\nC: QUIT", f"{line}\r\n".encode())

    assert talk.finding is None


def test_place_is_the_line_of_the_file(play: Play) -> None:
    """A finding is placed at the very line that was not met, comments and blank lines counted."""
    talk = play(
        "S: +OK ...\n\n# why\nC: LIST\nS: +OK ...\n# more\nS: 1 1", b"+OK\r\n+OK\r\n1 2\r\n"
    )

    assert talk.conversation.place == "own.pop3.yaml:11"


def test_bare_lf_is_a_failure(play: Play) -> None:
    """RFC 1939, section 3: every line ends in CRLF."""
    talk = play(GREETING + "C: NOOP\nS: +OK ...", b"+OK\r\n+OK fine\n")

    assert isinstance(talk.finding, Unmet)
    assert "bare LF" in talk.finding.actual


@pytest.mark.parametrize(
    ("capabilities", "sent"),
    [
        ((), [b"NOOP\r\n"]),
        (("UIDL",), [b"UIDL\r\n", b"NOOP\r\n"]),
        (("uidl",), [b"UIDL\r\n", b"NOOP\r\n"]),
    ],
)
def test_optional_exchange(play: Play, capabilities: tuple[str, ...], sent: list[bytes]) -> None:
    """An exchange that may be left out is sent only if its capability is announced."""
    script = GREETING + "C?: UIDL\nS: +OK ...\nS: ...\nS: .\nC: NOOP\nS: +OK ..."
    server = b"+OK\r\n" + b"+OK\r\n1 a\r\n.\r\n" * (len(sent) - 1) + b"+OK\r\n"

    talk = play(script, server, facts=Facts(capabilities=capabilities))

    assert (sent, None) == (talk.sent, talk.finding)


def test_apop_digest(play: Play) -> None:
    """{digest} is MD5 over timestamp and secret, as in RFC 1939's example."""
    script = "S: +OK POP3 server ready {stamp}\nC?: APOP {user} {digest}\nS: +OK ..."

    talk = play(script, b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n+OK\r\n",
                user="mrose", password="tanstaaf")  # fmt: skip

    assert talk.sent == [b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"]
    assert "C: APOP mrose ********" in map(str, talk.wire)


def test_missing_message_number(play: Play) -> None:
    """{missing} is one more than the messages there are; its example if that is not known."""
    script = GREETING + "C: RETR {missing:int=1000001}\nS: -ERR ..."

    known = play(script, b"+OK\r\n-ERR\r\n", facts=Facts(count=4))
    unknown = play(script, b"+OK\r\n-ERR\r\n")

    assert [known.sent, unknown.sent] == [[b"RETR 5\r\n"], [b"RETR 1000001\r\n"]]


def test_hole_without_value(play: Play) -> None:
    """A C: line that nothing fills is the case's fault, not the server's."""
    talk = play(GREETING + "C: LIST {n}\nS: +OK ...", b"+OK\r\n")

    assert isinstance(talk.finding, Inconclusive)
    assert "{n}" in str(talk.finding)


@pytest.mark.parametrize(
    ("listing", "actual"),
    [
        (b"1 a\r\n.\r\n", None),
        (b"1 a\r\n2 b\r\n3 c\r\n.\r\n", None),
        (b".\r\n", "."),
        (b"1 a\r\n2  b\r\n.\r\n", "2  b"),
        (b"1 a\r\nx b\r\n.\r\n", "x b"),
        (b"1 a\r\n", "the end of the connection"),
    ],
)
def test_more_lines_of_the_same_form(play: Play, listing: bytes, actual: str | None) -> None:
    """Behind a line of a listing, ... stands for more lines of its form, their holes free."""
    script = GREETING + "C: UIDL\nS: +OK ...\nS: {number} {uid}\nS: ...\nS: ."

    talk = play(script, b"+OK\r\n+OK\r\n" + listing, facts=Facts(count=3))

    assert actual == (talk.finding.actual if talk.finding else None)


@pytest.mark.parametrize(
    ("listing", "count", "kind"),
    [
        (b"1 9\r\n2 9\r\n.\r\n", "2", None),
        (b"1 9\r\n.\r\n", "2", Unmet),
        (b"1 9\r\n2 9\r\n3 9\r\n.\r\n", "2", Unmet),
        (b".\r\n", "2", Unmet),
        (b"1 9\r\n.\r\n", "0", Unmet),
        (b".\r\n", "0", Skipped),
    ],
)
def test_any_lines_up_to_one(
    play: Play, listing: bytes, count: str, kind: type[Exception] | None
) -> None:
    """Behind a status line, ... stands for any lines; only an empty maildrop excuses their lack."""
    script = (
        GREETING
        + "C: STAT\nS: +OK {count}\nC: LIST\nS: +OK ...\nS: ...\nS: {count} {s:int=1}\nS: ."
    )
    server = f"+OK\r\n+OK {count}\r\n+OK\r\n".encode() + listing

    talk = play(script, server, facts=Facts(count=int(count)))

    assert kind is (type(talk.finding) if talk.finding else None)


def test_more_without_an_end(play: Play) -> None:
    """... as the last line is a fault of the case: nothing says where the lines end."""
    talk = play(GREETING + "C: LIST\nS: +OK ...\nS: ...", b"+OK\r\n+OK\r\n1 2\r\n.\r\n")

    assert isinstance(talk.finding, Inconclusive)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"A: b\r\n\r\n..\r\nx\r\n.\r\n", None),
        (b".\r\n", None),
        (b"A: b\r\n\r\n.x\r\n.\r\n", "a second dot"),
        (b"A: b\r\n\r\nx\n.\r\n", "CRLF"),
        (b"A: b\r\n\r\nx\r\n.", "its terminator"),
    ],
)
def test_message(play: Play, message: bytes, expected: str | None) -> None:
    """A message is read up to its terminator, and each of its lines must be stuffed."""
    talk = play(GREETING + "C: RETR 1\nS: +OK ...\n<message 1>\nS: .", b"+OK\r\n+OK\r\n" + message)

    assert (talk.finding is None) is (expected is None)
    if isinstance(talk.finding, Unmet):
        assert str(expected) in talk.finding.expected


@pytest.mark.parametrize(
    ("message", "met"),
    [
        (b"A: b\r\n\r\n..x\r\n.\r\n", True),
        (b"Return-Path: <>\r\nA: b\r\n\r\n..x\r\n.\r\n", True),
        (b"A: b\r\n\r\n...x\r\n.\r\n", False),
        (b"A: b\r\n\r\n..x\r\ny\r\n.\r\n", False),
    ],
)
def test_message_that_is_known(play: Play, message: bytes, met: bool) -> None:
    """A message that the scenario states must come unchanged; trace fields may stand before it."""
    more = 'maildrop: [{raw: "A: b\\n\\n.x\\n"}]\n'

    talk = play(GREETING + "C: RETR 1\nS: +OK ...\n<message 1>\nS: .",
                b"+OK\r\n+OK\r\n" + message, more=more)  # fmt: skip

    assert met is (talk.finding is None)


def test_octets_as_they_are(play: Play) -> None:
    """<bytes> is exactly these octets."""
    script = GREETING + 'C: NOOP\n<bytes "+O">\n<bytes "K\\r\\n">\nC: STAT\n<bytes "+">'

    talk = play(script, b"+OK\r\n+OK\r\n-ERR\r\n")

    assert isinstance(talk.finding, Unmet)
    assert (talk.finding.expected, talk.finding.actual) == ("the octets b'+'", "b'-'")


def test_close_with_nothing_before_it(play: Play) -> None:
    """<close> demands the end of the connection, and octets before it are told."""
    script = GREETING + "C: QUIT\nS: +OK ...\n<close>"

    closed, goes_on = play(script, b"+OK\r\n+OK\r\n"), play(script, b"+OK\r\n+OK\r\nX\r\n")

    assert closed.finding is None
    assert isinstance(goes_on.finding, Unmet)


def test_octets_before_tls() -> None:
    """Octets behind the reply to STLS are a finding: anyone could have put them there."""
    dialogue = Dialogue(Target(host="127.0.0.1"), WireLog())
    upgrade = dialogue.upgrade()
    next(upgrade)
    upgrade.send(b"")

    with pytest.raises(Unmet, match="the TLS handshake, nothing before it, got 5 octets"):
        upgrade.send(b"+OK\r\n+OK\r\n")

    assert not dialogue.tls


def test_tls_in_the_script(play: Play) -> None:
    """<starttls> is the handshake; what follows goes inside TLS, and is marked so."""
    script = GREETING + "C: STLS\nS: +OK ...\n<starttls>\nC: NOOP\nS: +OK ..."
    facts = Facts(capabilities=("STLS",))

    talk = play(script, b"+OK\r\n+OK\r\n", facts=facts)

    assert talk.sent == [b"STLS\r\n", b"<tls>", b"NOOP\r\n"]
    assert [line.tls for line in talk.wire] == [False, False, False, True]


def test_stls_before_the_script(play: Play) -> None:
    """A target that wants STLS gets it right behind the greeting, before any secret."""
    script = GREETING + "C: PASS {password}\nS: +OK ..."

    talk = play(script, b"+OK\r\n+OK\r\n", tls="stls")
    refused = play(script, b"+OK\r\n-ERR no\r\n", tls="stls")

    assert talk.sent == [b"STLS\r\n", b"<tls>", b"PASS secret\r\n"]
    assert ([b"STLS\r\n"], Inconclusive) == (refused.sent, type(refused.finding))


@pytest.mark.parametrize(("allow", "sent"), [(False, []), (True, [b"PASS secret\r\n"])])
def test_no_password_in_the_clear(play: Play, allow: bool, sent: list[bytes]) -> None:
    """A password crosses a network without TLS only by leave."""
    talk = play(GREETING + "C: PASS {password}\nS: +OK ...", b"+OK\r\n+OK\r\n",
                host="192.0.2.1", allow_insecure_auth=allow)  # fmt: skip

    assert sent == talk.sent
    assert allow is not isinstance(talk.finding, Skipped)


@pytest.mark.parametrize("command", ["DELE 1", "dele 1", " DELE 1", "{x:word=DELE} 1"])
def test_no_dele_without_leave(play: Play, command: str) -> None:
    """However DELE is written, it is not sent without leave."""
    talk = play(f"S: +OK ...\nC: {command}\nS: +OK ...", b"+OK\r\n+OK\r\n")

    assert ([], Skipped) == (talk.sent, type(talk.finding))


@pytest.mark.parametrize("code", ["[IN-USE]", "[LOGIN-DELAY]", "[sys/temp]"])
def test_login_that_is_refused_for_now(play: Play, code: str) -> None:
    """A maildrop in use is no fault of the server."""
    talk = play(GREETING + "C: PASS x\nS: +OK ...", f"+OK\r\n-ERR {code} later\r\n".encode())

    assert isinstance(talk.finding, Inconclusive)


def test_secrets_are_masked(play: Play) -> None:
    """No secret is in the log: sent or echoed, in any case, as PASS, AUTH or a SASL response."""
    script = """S: +OK ...
    C: PASS {password}
    S: -ERR ...
    C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
    S: + ...
    C: AGFsaWNlAHNlY3JldA==
    S: -ERR ...
    """

    talk = play(script, b"+OK\r\n-ERR no SECRET secret\r\n+ \r\n-ERR\r\n")

    text = "\n".join(map(str, talk.wire))
    assert "secret" not in text.lower()
    assert "AGFs" not in text
    assert text.count("********") == 5


def test_endless_line_is_bounded(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without an end is given up at the limit."""
    monkeypatch.setattr("pop3check._dialogue.MAX_LINE", 100)

    talk = play(GREETING + "C: NOOP\nS: +OK ...", b"+OK\r\n" + b"x" * 1000)

    assert isinstance(talk.finding, Unmet)
    assert "more than 100 octets" in talk.finding.actual


def test_endless_message_is_bounded(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message without an end is given up at the limit, and says nothing about the server."""
    monkeypatch.setattr("pop3check._dialogue.MAX_MESSAGE", 100)

    talk = play(
        GREETING + "C: RETR 1\nS: +OK ...\n<message 1>\nS: .", b"+OK\r\n+OK\r\n" + b"x\r\n" * 99
    )

    assert isinstance(talk.finding, Inconclusive)


# Several connections

TWO = """
[A] S: +OK ...
[A] C: UIDL 1
[A] S: +OK 1 {id:uid=x}
[B] S: +OK ...
[B] C: NOOP
[A] C: RSET
[A] S: +OK ...
[B] S: +OK ...
[B] C: UIDL 1
[B] S: +OK 1 {id}
[A] C: <close>
[B] C: QUIT
"""


def test_two_connections(play: Play) -> None:
    """Steps are played in the order in which they stand; holes must agree over the connections."""
    said = b"+OK\r\n+OK 1 a\r\n+OK\r\n"

    talk = play(TWO, {"A": said, "B": b"+OK\r\n+OK\r\n+OK 1 a\r\n"})
    other = play(TWO, {"A": said, "B": b"+OK\r\n+OK\r\n+OK 1 b\r\n"})

    assert talk.finding is None
    assert talk.sent == [
        b"[A]", b"UIDL 1\r\n", b"[B]", b"NOOP\r\n", b"[A]", b"RSET\r\n", b"[B]", b"UIDL 1\r\n",
        b"[A]", b"<close>", b"[B]", b"QUIT\r\n",
    ]  # fmt: skip
    assert isinstance(other.finding, Unmet)
    assert (other.finding.expected, other.finding.actual) == ("+OK 1 a", "+OK 1 b")
    assert other.conversation.place == "own.pop3.yaml:14"
    assert [str(line) for line in talk.wire[:5]] == [
        "[A] S: +OK", "[A] C: UIDL 1", "[A] S: +OK 1 a", "[B] S: +OK", "[B] C: NOOP"
    ]  # fmt: skip


def test_what_is_left_to_leave(play: Play) -> None:
    """A connection that hung up is over; one that marked mail must not be left by QUIT."""
    script = "[A] S: +OK\n[B] S: +OK\n[A] C: <close>\n[B] C: DELE 1\n[B] S: +OK\n[C] C: NOOP\n"

    octets = {"A": b"+OK\r\n", "B": b"+OK\r\n+OK\r\n", "C": b"+OK\r\n"}

    talk = play(script, octets, limits=ALL)

    assert talk.conversation.over == {"A"}
    assert talk.conversation.marked == {"B"}


def test_answer_that_is_owed_for_what_was_left_out(play: Play) -> None:
    """Where a command is not sent, its answer is not waited for."""
    script = "[A] S: +OK\n[A] C?: UIDL\n[B] S: +OK\n[A] S: +OK\n[A] C: NOOP"

    talk = play(script, {"A": b"+OK\r\n", "B": b"+OK\r\n"})

    assert talk.finding is None
    assert talk.sent == [b"[A]", b"[B]", b"[A]", b"NOOP\r\n"]


LOOP = GREETING + "C*: LIST {n}\nS: +OK {n} {size:int=1}\nC*: RETR {n}\nS: -ERR\nC: QUIT"


@pytest.mark.parametrize(
    ("count", "sent"),
    [
        (None, []),
        (0, []),
        (2, [b"LIST 1\r\n", b"RETR 1\r\n", b"LIST 2\r\n", b"RETR 2\r\n"]),
    ],
)
def test_repeated_exchanges(play: Play, count: int | None, sent: list[bytes]) -> None:
    """Exchanges ``C*:`` are played once for each message, with holes bound afresh."""
    answers = b"".join(b"+OK %d %d\r\n-ERR\r\n" % (n, n * 7) for n in range(1, (count or 0) + 1))

    talk = play(LOOP, b"+OK\r\n" + answers, facts=Facts(count=count))

    assert talk.finding is None
    assert talk.sent == [*sent, b"QUIT\r\n"]


def test_repeated_exchanges_have_an_end(play: Play) -> None:
    """A maildrop with very many messages is not fetched as a whole; no number, no repetition."""
    script = GREETING + "C*: LIST {n}\nS: ...\nS: .\nC: STAT\nS: +OK\nC*: NOOP\nS: +OK"

    talk = play(script, b"+OK\r\n" + b".\r\n" * 20 + b"+OK\r\n+OK\r\n", facts=Facts(count=10**6))

    assert talk.finding is None
    assert talk.sent[-3:] == [b"LIST 20\r\n", b"STAT\r\n", b"NOOP\r\n"]


@pytest.mark.parametrize(
    "name", [name for name, path in shipped().items() if kind_of(path) == "conversations"]
)
def test_mock_and_checker_agree_on_the_conversations(
    name: str, target_of: Callable[..., Target]
) -> None:
    """Each conversation of the library is met by the mock that plays it, and by the correct one."""
    scenario = load(name)
    with MockServer(correct(scenario)) as server:
        met = check(target_of(server), scenario, limits=ALL)
    with MockServer(scenario) as server:
        facts = Facts(count=len(server.maildrop), capabilities=scenario.server.capabilities or ())
        finding = played(scenario, target_of(server), facts)
        server.wait_closed()
        faults = server.broken_expectations()

    assert (met.outcome, met.actual or met.reason) == (Outcome.PASS, "")
    assert finding is None
    assert faults == []


@pytest.mark.parametrize(
    ("name", "rule", "step"),
    [
        ("maildrop-lock", "server: {lock: none}", "-ERR ..."),
        ("deleted-stays-gone", "rules: [{when: QUIT, effect: skip}]", "+OK 1 400"),
        ("deleted-stays-gone", "rules: [{when: UIDL 1, reply: +OK 1 other}]", "+OK 1 the-second"),
        ("dropped-deletes-nothing", "rules: [{when: disconnect, effect: apply}]", "+OK 2 720"),
        ("dropped-deletes-nothing", "rules: [{when: DELE, effect: skip}]", "+OK 1 400"),
    ],
)
def test_conversation_can_fail(
    name: str, rule: str, step: str, target_of: Callable[..., Target]
) -> None:
    """A server that does not do what a conversation is about is found out, at the very line."""
    text = f"pop3: 1\nname: wrong\nsummary: wrong\nextends: {name}\n{rule}\n"
    with MockServer(correct(loads(text))) as server:
        verdict = check(target_of(server), load(name), limits=ALL)

    grade = Outcome.NON_STRICT if name == "maildrop-lock" else Outcome.FAIL
    assert (grade, step) == (verdict.outcome, verdict.expected)


def correct(scenario: Scenario) -> Scenario:
    """The scenario's server and mail without its script: a server that does as it should."""
    layers = tuple(
        dataclasses.replace(layer, fragment=layer.fragment.model_copy(update={"script": None}))
        for layer in scenario.layers
    )
    return dataclasses.replace(scenario, layers=layers)


def played(scenario: Scenario, target: Target, facts: Facts) -> Exception | None:
    """Play a conversation to a server without asking it first what it is."""
    talk = Conversation(scenario, target, facts, WireLog(), ALL)
    try:
        with Connections(target, 20.0) as connections:
            connections.run(talk.play())
    except (Finding, Breakdown) as error:
        return error
    return None
