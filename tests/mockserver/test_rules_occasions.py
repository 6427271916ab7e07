"""What a rule can ask of the moment: outcome, arguments, mechanism, pipelining, and events."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Send
from pop3scenarios import ScenarioError, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3mock._session import Session

    Talk = Callable[[str, bytes], bytes]

HEAD = "pop3: 1\nname: test\nsummary: test\n"


def session_of(rules: str, *, logged_in: bool = False) -> Session:
    """A session of a server with these rules, greeted."""
    session = MockServer(loads(HEAD + rules)).session()
    session.connected()
    if logged_in:
        session.receive(b"USER alice\r\nPASS secret\r\n")
    return session


def said(actions: list[object]) -> bytes:
    """All octets that the actions send."""
    return b"".join(action.data for action in actions if isinstance(action, Send))


OUTCOMES = [
    ("unknown", b"XYZZY"),
    ("state", b"USER alice"),
    ("syntax", b"RETR"),
    ("syntax", b"DELE one"),
    ("not-offered", b"LAST"),
    ("missing", b"RETR 99"),
    ("refused", b"RETR 99"),
    ("ok", b"NOOP"),
]


@pytest.mark.parametrize(("outcome", "command"), OUTCOMES)
def test_outcome(talk: Talk, outcome: str, command: bytes) -> None:
    """A rule with an outcome holds where the right answer comes to that."""
    rules = f"rules: [{{when: '*', outcome: {outcome}, reply: +OK mine}}]"

    assert talk(rules, command + b"\r\n") == b"+OK mine\r\n"


@pytest.mark.parametrize("outcome", ["unknown", "state", "syntax", "missing", "refused"])
def test_other_outcome(talk: Talk, outcome: str) -> None:
    """A rule with an outcome has no say where the right answer is another."""
    rules = f"rules: [{{when: '*', outcome: {outcome}, reply: +OK mine}}]"

    assert talk(rules, b"NOOP\r\n") == b"+OK\r\n"


def test_outcome_tells_deleted_from_missing(talk: Talk) -> None:
    """A message that is marked as deleted can be answered otherwise than one that never was."""
    rules = """
rules:
  - {when: "RETR {n}", outcome: deleted, error: expunged}
  - {when: "RETR {n}", outcome: missing, error: no such}
"""

    assert talk(rules, b"DELE 1\r\nRETR 1\r\nRETR 9\r\n").endswith(
        b"-ERR expunged\r\n-ERR no such\r\n"
    )


def test_outcome_of_a_login() -> None:
    """A refused login can be told from a locked maildrop."""
    rules = """
rules:
  - {when: PASS, outcome: credentials, error: who?}
  - {when: PASS, outcome: locked, error: later}
"""
    server = MockServer(loads(HEAD + rules))
    first, second = server.session(), server.session()
    first.receive(b"USER alice\r\nPASS secret\r\n")

    wrong = said(second.receive(b"USER alice\r\nPASS x\r\n"))
    locked = said(second.receive(b"USER alice\r\nPASS secret\r\n"))

    assert wrong.endswith(b"-ERR who?\r\n")
    assert locked.endswith(b"-ERR later\r\n")


def test_outcome_of_a_message_that_is_gone() -> None:
    """A message that another session has removed can be answered otherwise."""
    rules = "server: {lock: none}\nrules: [{when: 'RETR {n}', outcome: gone, reply: -ERR expunged}]"
    server = MockServer(loads(HEAD + rules))
    first, second = server.session(), server.session()
    second.receive(b"USER alice\r\nPASS secret\r\n")
    first.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n")

    assert said(second.receive(b"RETR 1\r\n")) == b"-ERR expunged\r\n"
    assert said(second.receive(b"RETR 2\r\n")).startswith(b"+OK")


def test_marked(talk: Talk) -> None:
    """A rule can ask whether messages are marked as deleted."""
    rules = "rules: [{when: NOOP, marked: yes, text: some}, {when: NOOP, marked: no, text: none}]"

    assert talk(rules, b"NOOP\r\nDELE 1\r\nNOOP\r\n").startswith(b"+OK none\r\n")
    assert talk(rules, b"DELE 1\r\nNOOP\r\n").endswith(b"+OK some\r\n")


def test_several_outcomes(talk: Talk) -> None:
    """A list of outcomes means each of them."""
    rules = "rules: [{when: '*', outcome: [unknown, syntax], reply: -ERR bad}]"

    assert talk(rules, b"XYZZY\r\nRETR\r\nNOOP\r\n") == b"-ERR bad\r\n-ERR bad\r\n+OK\r\n"


def test_nth_counts_outcomes(talk: Talk) -> None:
    """Nth counts only the commands that come to the outcome: the third bad one closes."""
    rules = "rules: [{when: '*', outcome: unknown, nth: 3, reply: -ERR too many, then: close}]"

    said = talk(rules, b"A\r\nNOOP\r\nB\r\nNOOP\r\nC\r\nNOOP\r\n")

    assert said.endswith(b"+OK\r\n-ERR too many\r\n")
    assert said.count(b"+OK\r\n") == 2


def test_nth_in_a_row(talk: Talk) -> None:
    """A count of what comes in a row begins anew when something else comes."""
    rules = "rules: [{when: '*', outcome: unknown, nth: 2, scope: in-a-row, reply: -ERR too many}]"

    answers = talk(rules, b"A\r\nNOOP\r\nB\r\nC\r\n").split(b"\r\n")

    assert answers[3] == b"-ERR too many"
    assert answers.count(b"-ERR too many") == 1


def test_outcome_of_a_name_that_nobody_has() -> None:
    """USER with a name that nobody has is taken as any other, or refused where a rule asks."""
    rules = "rules: [{when: 'USER {name}', outcome: no-user, reply: '-ERR no {name} here'}]"
    session = session_of(rules)

    answers = said(session.receive(b"USER mallory\r\nPASS secret\r\nUSER alice\r\nPASS secret\r\n"))

    assert answers.split(b"\r\n")[0] == b"-ERR no mallory here"
    assert answers.split(b"\r\n")[1] == b"-ERR USER comes first"
    assert answers.split(b"\r\n")[3].startswith(b"+OK maildrop has ")


def test_ok_is_also_the_outcome_of_a_name_that_nobody_has() -> None:
    """A rule for what is right means a name that nobody has too: USER does not tell."""
    session = session_of("rules: [{when: USER, outcome: ok, text: go on}]")

    assert said(session.receive(b"USER mallory\r\n")) == b"+OK go on\r\n"


def test_any_user() -> None:
    """A rule can ask for any user name: it holds once USER was answered +OK."""
    session = session_of('rules: [{when: STLS, user: "*", reply: -ERR too late}]')

    answers = said(session.receive(b"USER bob\r\nSTLS\r\nCAPA\r\nSTLS\r\n"))

    assert answers.split(b"\r\n")[1] == b"-ERR too late"
    assert answers.endswith(b"+OK begin TLS\r\n")


def test_arguments(talk: Talk) -> None:
    """A rule can ask how many arguments there are; none is a number too."""
    rules = """
rules:
  - {when: LIST, arguments: 0, reply: +OK none}
  - {when: LIST, arguments: 2.., reply: +OK many}
"""

    assert talk(rules, b"LIST\r\nLIST 1 2\r\nLIST 1\r\n").startswith(
        b"+OK none\r\n+OK many\r\n+OK 1 "
    )


def test_auth_without_arguments() -> None:
    """AUTH alone can be answered apart from AUTH with a mechanism."""
    session = session_of('rules: [{when: AUTH, arguments: 0, reply: "+OK\\nPLAIN\\n."}]')

    assert said(session.receive(b"AUTH\r\n")) == b"+OK\r\nPLAIN\r\n.\r\n"
    assert said(session.receive(b"AUTH PLAIN\r\n")) == b"+ \r\n"


def test_mechanism() -> None:
    """A rule can ask for the SASL mechanism, at AUTH and at each response."""
    rules = """
rules:
  - {when: AUTH, mechanism: login, reply: -ERR not today}
  - {when: response, mechanism: PLAIN, reply: "+OK {mechanism} it is", effect: skip}
"""
    session = session_of(rules)

    assert said(session.receive(b"AUTH LOGIN\r\n")) == b"-ERR not today\r\n"
    assert said(session.receive(b"AUTH PLAIN\r\n")) == b"+ \r\n"
    assert said(session.receive(b"AGFsaWNlAHNlY3JldA==\r\n")) == b"+OK PLAIN it is\r\n"
    assert said(session.receive(b"STAT\r\n")).startswith(b"-ERR")


def test_pipelined() -> None:
    """A rule can ask whether more from the client was there already."""
    session = session_of("rules: [{when: NOOP, pipelined: yes, reply: +OK hurry}]", logged_in=True)

    together = said(session.receive(b"NOOP\r\nNOOP\r\n"))
    alone = said(session.receive(b"NOOP\r\n"))

    assert together == b"+OK hurry\r\n+OK\r\n"
    assert alone == b"+OK\r\n"


# Responses


def test_response_cancelled() -> None:
    """What a client says to cancel can be answered in the server's own words."""
    session = session_of('rules: [{when: "response *", error: gone}]')

    assert said(session.receive(b"AUTH PLAIN\r\n*\r\n")) == b"+ \r\n-ERR gone\r\n"


def test_response_challenged_again() -> None:
    """A rule can put in a challenge of its own; what the client says to it is no command."""
    again = base64.b64encode(b"again").decode()
    session = session_of(f'rules: [{{when: response, nth: 1, reply: "+ {again}"}}]')

    first = said(session.receive(b"AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n"))
    second = said(session.receive(b"TkVYVA==\r\n"))

    assert first == f"+ \r\n+ {again}\r\n".encode()
    assert second == b"-ERR [AUTH] user name or password is wrong\r\n"
    assert said(session.receive(b"CAPA\r\n")).startswith(b"+OK")


def test_challenge_of_an_unknown_mechanism() -> None:
    """What comes behind a challenge of a mechanism unknown to the mock is a response."""
    session = session_of("rules: [{when: AUTH NTLM, reply: +}]")

    assert said(session.receive(b"AUTH NTLM\r\n")) == b"+\r\n"
    assert said(session.receive(b"*\r\n")) == b"-ERR authentication cancelled\r\n"
    assert not session.log.faults


def test_a_command_called_response(talk: Talk) -> None:
    """A client that says RESPONSE has sent an unknown command."""
    assert talk("rules: [{when: response, reply: +OK mine}]", b"RESPONSE x\r\n").startswith(b"-ERR")


# What else happens to a connection


def test_overlong() -> None:
    """A line over the limit is refused, the session goes on, and a rule can say otherwise."""
    plain = session_of("server: {line-limit: 20}", logged_in=True)
    echoing = session_of(
        'server: {line-limit: 20}\nrules: [{when: overlong, reply: "{line}-ERR long"}]',
        logged_in=True,
    )

    refused = said(plain.receive(b"NOOP " + b"x" * 30 + b"\r\nNOOP\r\n"))
    echoed = said(echoing.receive(b"NOOP " + b"x" * 30 + b"\r\nNOOP\r\n"))

    assert refused == b"-ERR line too long\r\n+OK\r\n"
    assert echoed == b"NOOP " + b"x" * 15 + b"-ERR long\r\n+OK\r\n"


def test_partial() -> None:
    """A rule for partial lines takes what one segment brings for a whole command."""
    session = session_of("rules: [{when: partial, reply: -ERR bad command, then: close}]")

    actions = session.receive(b"CAP")

    assert actions == [Send(b"-ERR bad command\r\n"), End("close")]
    assert session.over


def test_no_rule_for_partial() -> None:
    """Without such a rule a command may come in any pieces."""
    session = session_of("", logged_in=True)

    assert session.receive(b"NO") == []
    assert session.receive(b"OP\r") == []
    assert said(session.receive(b"\n")) == b"+OK\r\n"


def test_autologout_says_nothing() -> None:
    """A client that is silent too long is cut off without a word (RFC 1939, section 3)."""
    session = session_of("", logged_in=True)

    assert session.patience == 600.0
    assert session.idle() == [End("close")]


def test_autologout_removes_nothing() -> None:
    """A session that ends by autologout does not enter UPDATE (RFC 1939, section 3)."""
    server = MockServer()
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\n")

    session.idle()

    assert len(server.maildrop) == 4
    assert not server.maildrop.locked


def test_autologout_with_words() -> None:
    """A rule can let the server say something first, and the times differ by state."""
    session = session_of(
        "server: {autologout: 5min, autologout-before-login: 60s}\n"
        "rules: [{when: autologout, reply: -ERR idle for too long}]"
    )

    before = session.patience
    session.receive(b"USER alice\r\nPASS secret\r\n")

    assert (before, session.patience) == (60.0, 300.0)
    assert session.idle() == [Send(b"-ERR idle for too long\r\n"), End("close")]


def test_autologout_by_state() -> None:
    """A rule for autologout can ask for the state in which the client fell silent."""
    rules = "rules: [{when: autologout, state: transaction, reply: -ERR asleep}]"

    before, after = session_of(rules), session_of(rules, logged_in=True)

    assert before.idle() == [End("close")]
    assert after.idle() == [Send(b"-ERR asleep\r\n"), End("close")]


@pytest.mark.parametrize(("effect", "left"), [("apply", 3), ("empty", 0), ("skip", 4)])
def test_disconnect(effect: str, left: int) -> None:
    """Some servers delete when the connection is lost, or lose the whole maildrop."""
    server = MockServer(loads(HEAD + f"rules: [{{when: disconnect, effect: {effect}}}]"))
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\n")

    session.lost()

    assert len(server.maildrop) == left


def test_disconnect_after_quit() -> None:
    """After QUIT there is nothing left to do for a lost connection."""
    server = MockServer(loads(HEAD + "rules: [{when: disconnect, effect: empty}]"))
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nQUIT\r\n")

    session.lost()

    assert len(server.maildrop) == 4


def test_handshake_failed() -> None:
    """A rule can let the server go on in the clear after a handshake that failed."""
    session = session_of("rules: [{when: handshake-failed, reply: -ERR STARTTLS failed}]")
    session.receive(b"STLS\r\n")

    actions = session.handshake_failed()

    assert actions == [Send(b"-ERR STARTTLS failed\r\n")]
    assert said(session.receive(b"QUIT\r\n")).startswith(b"+OK")


def test_handshake_failed_without_a_rule() -> None:
    """Without such a rule there is nothing more to say."""
    session = session_of("")
    session.receive(b"STLS\r\n")

    assert session.handshake_failed() == []
    assert session.over


# The command that another is taken for


def test_taken_for(talk: Talk) -> None:
    """A command can be taken for another; then the other rules are asked about that one."""
    rules = """
rules:
  - {when: "LIST {n:int} {more}", as: "LIST {n}"}
  - {when: LIST 1, reply: +OK mine}
"""

    assert talk(rules, b"LIST 1 2\r\n") == b"+OK mine\r\n"


def test_taken_for_what_stands_before_junk(talk: Talk) -> None:
    """A number in a pattern is all its digits, so that a hole behind it holds none of them."""
    rules = 'rules: [{when: "LIST {n:int}{junk:word}", as: "LIST {n}"}]'

    assert talk(rules, b"LIST 1x\r\nLIST 12\r\n").startswith(b"+OK 1 194\r\n-ERR ")


def test_taken_for_takes_effect(talk: Talk) -> None:
    """What a command is taken for is done: DELE 0 deletes the last message."""
    said = talk("rules: [{when: DELE 0, as: DELE 4}]", b"DELE 0\r\nLIST\r\n")

    assert said.startswith(b"+OK message 4 deleted\r\n+OK 3 messages ")


def test_taken_for_the_last_message(talk: Talk) -> None:
    """A command can be taken for one about the last message, however many there are."""
    said = talk("rules: [{when: DELE 0, as: 'DELE {count}'}]", b"DELE 0\r\nDELE 0\r\n")

    assert said == b"+OK message 4 deleted\r\n+OK message 3 deleted\r\n"


def test_taken_for_does_not_excuse() -> None:
    """A server that takes a wrong command for a right one does not make it right."""
    session = session_of('rules: [{when: "LIST {n:int} {more}", as: "LIST {n}"}]', logged_in=True)

    session.receive(b"LIST 1 2\r\n")

    assert len(session.log.faults) == 1


def test_as_stands_alone() -> None:
    """A rule that takes a command for another changes nothing else."""
    with pytest.raises(ScenarioError, match="'as' goes with no other change, got 'reply'"):
        loads(HEAD + "rules: [{when: A, as: B, reply: +OK}]")


# Lines as other servers read them


@pytest.mark.parametrize(
    ("tolerated", "command"),
    [
        ("leading-spaces", b" NOOP"),
        ("trailing-spaces", b"NOOP "),
        ("repeated-spaces", b"LIST  1"),
        ("tabs", b"LIST\t1"),
        ("carriage-returns", b"LIST\r1"),
    ],
)
def test_tolerated_space(talk: Talk, tolerated: str, command: bytes) -> None:
    """White space that a server tolerates makes a command of the line, and only that."""
    strict = talk("", command + b"\r\n")
    lenient = talk(f"server: {{tolerates: [{tolerated}]}}", command + b"\r\n")

    assert strict.startswith(b"-ERR")
    assert lenient.startswith(b"+OK")


def test_tolerated_initial_response() -> None:
    """A server may take an initial response where it speaks first (RFC 5034, section 4: no)."""
    strict = session_of("")
    lenient = session_of("server: {tolerates: [initial-responses]}")

    refused = said(strict.receive(b"AUTH LOGIN YWxpY2U=\r\n"))
    asked = said(lenient.receive(b"AUTH LOGIN YWxpY2U=\r\n"))

    assert refused.startswith(b"-ERR ")
    assert asked == b"+ UGFzc3dvcmQ6\r\n"
    assert said(lenient.receive(b"c2VjcmV0\r\n")).startswith(b"+OK ")


@pytest.mark.parametrize(
    ("ends", "sent", "answers"),
    [
        ("lf", b"NOOP\nNOOP\r\n", 2),
        ("lf", b"NOOP\rNOOP\r\n", 0),
        ("crlf", b"NOOP\nNOOP\r\n", 0),
        ("crlf", b"NOOP\r\nNOOP\r\n", 2),
        ("cr", b"NOOP\rNOOP\r\nNOOP\n", 3),
    ],
)
def test_line_ends(talk: Talk, ends: str, sent: bytes, answers: int) -> None:
    """What ends a command is the server's taste."""
    assert talk(f"server: {{line-ends: {ends}}}", sent).count(b"+OK\r\n") == answers


def test_nul_joins() -> None:
    """Where a NUL hides the end of its line, the next line brings the answer, whatever it is."""
    session = session_of("server: {tolerates: [nul-joins]}", logged_in=True)

    first = said(session.receive(b"RSET\0x\r\n"))
    second = said(session.receive(b"STAT\r\nNOOP\r\n"))

    assert first == b""
    assert second == b"+OK maildrop has 4 messages (20559 octets)\r\n+OK\r\n"


def test_cr_alone_ends_a_line_once() -> None:
    """An LF that comes in the next segment still belongs to the CR before it."""
    session = session_of("server: {line-ends: cr}", logged_in=True)

    first = said(session.receive(b"NOOP\r"))
    second = said(session.receive(b"\nNOOP\r"))

    assert (first, second) == (b"+OK\r\n", b"+OK\r\n")


def test_discard(talk: Talk) -> None:
    """What stands behind a command in the same segment can be lost."""
    assert talk("rules: [{when: NOOP, discard: yes}]", b"NOOP\r\nSTAT\r\nRSET\r\n") == b"+OK\r\n"


def test_rule_for_what_is_wrong_does_not_excuse() -> None:
    """How a server refuses unknown commands does not make them right; a rule for one does."""
    refusing = session_of("rules: [{when: '*', outcome: unknown, reply: -ERR what?}]")
    naming = session_of("rules: [{when: XYZZY, reply: -ERR what?}]")

    answers = [said(session.receive(b"XYZZY\r\n")) for session in (refusing, naming)]

    assert answers == [b"-ERR what?\r\n"] * 2
    assert [len(session.log.faults) for session in (refusing, naming)] == [1, 0]
