"""Each selector, change, effect, timing and transport action of a rule, by the octets it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Pause, Send, Trickle
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    Talk = Callable[[str, bytes], bytes]

HEAD = "pop3: 1\nname: test\nsummary: test\n"
MAIL = """
maildrop:
  - raw: |
      Subject: one

      .dot
      two
  - raw: |
      Subject: two

      x
"""
DOTS = b"Subject: one\r\n\r\n.dot\r\ntwo\r\n"
STUFFED = b"Subject: one\r\n\r\n..dot\r\ntwo\r\n"


def session_of(rules: str) -> tuple[MockServer, object]:
    """A server and a session of it that is logged in."""
    server = MockServer(loads(HEAD + rules))
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    return server, session


# Selectors


def test_when_keyword(talk: Talk) -> None:
    """A bare keyword means the command with any arguments, in any case."""
    said = talk("rules: [{when: NOOP, reply: +OK mine}]", b"noop\r\nNoOp\r\nSTAT\r\n")

    assert said.startswith(b"+OK mine\r\n+OK mine\r\n+OK 4 ")


def test_when_arguments(talk: Talk) -> None:
    """Arguments in the pattern must agree, and a hole stands for any."""
    rules = """
rules:
  - {when: LIST 2, reply: +OK two}
  - {when: "LIST {n}", reply: "+OK other {n}"}
"""

    assert (
        talk(MAIL + rules, b"LIST 2\r\nLIST 1\r\nLIST\r\n")
        == b"+OK two\r\n+OK other 1\r\n+OK 2 messages (46 octets)\r\n1 27\r\n2 19\r\n.\r\n"
    )


def test_when_several(talk: Talk) -> None:
    """A list of patterns means each of them."""
    said = talk("rules: [{when: [NOOP, RSET], reply: +OK mine}]", b"NOOP\r\nRSET\r\n")

    assert said == b"+OK mine\r\n+OK mine\r\n"


def test_when_any(talk: Talk) -> None:
    """An asterisk means every command, but not the greeting."""
    server = MockServer(loads(HEAD + "rules: [{when: '*', reply: -ERR no}]"))
    session = server.session()

    greeting = session.connected()
    said = session.receive(b"CAPA\r\nXYZZY\r\n")

    assert isinstance(greeting[0], Send)
    assert greeting[0].data.startswith(b"+OK POP3")
    assert said == [Send(b"-ERR no\r\n"), Send(b"-ERR no\r\n")]


def test_when_greeting() -> None:
    """The greeting can be changed like an answer."""
    server = MockServer(loads(HEAD + "rules: [{when: greeting, text: ''}]"))

    assert server.session().connected() == [Send(b"+OK\r\n")]


def test_state(talk: Talk) -> None:
    """A rule with a state holds in that state alone."""
    rules = "rules: [{when: CAPA, state: authorization, reply: -ERR not yet}]"
    server = MockServer(loads(HEAD + rules))
    session = server.session()

    session.connected()
    before = session.receive(b"CAPA\r\n")
    after = session.receive(b"USER alice\r\nPASS secret\r\nCAPA\r\n")

    assert before == [Send(b"-ERR not yet\r\n")]
    assert isinstance(after[-1], Send)
    assert after[-1].data.startswith(b"+OK capability")


def test_user(talk: Talk) -> None:
    """A rule with a user holds once that name was given."""
    rules = "rules: [{when: PASS, user: bob, reply: '-ERR [SYS/TEMP] later'}]"

    bob = MockServer(loads(HEAD + rules)).session()
    bob.connected()
    refused = bob.receive(b"USER bob\r\nPASS hunter2\r\n")

    assert refused[-1] == Send(b"-ERR [SYS/TEMP] later\r\n")
    assert talk(rules, b"NOOP\r\n") == b"+OK\r\n"


@pytest.mark.parametrize(
    ("nth", "answers"),
    [
        ("2", "-+-"),
        ("2..", "-++"),
        ("..2", "++-"),
        ("[1, 3]", "+-+"),
        ("1..2", "++-"),
    ],
)
def test_nth(talk: Talk, nth: str, answers: str) -> None:
    """A rule with nth holds at those occurrences alone, counted from 1."""
    rules = f"rules: [{{when: NOOP, nth: {nth}, reply: +OK mine}}, {{when: NOOP, reply: -ERR no}}]"

    said = talk(rules, b"NOOP\r\n" * 3).decode().split("\r\n")[:-1]

    assert "".join(line[0] for line in said) == answers


def test_nth_counts_what_another_rule_answers(talk: Talk) -> None:
    """Rules count alike: the second NOOP is the second although rule one took the first."""
    rules = """
rules:
  - {when: NOOP, nth: 1, reply: +OK first}
  - {when: NOOP, nth: 2, reply: +OK second}
"""

    assert talk(rules, b"NOOP\r\n" * 3) == b"+OK first\r\n+OK second\r\n+OK\r\n"


@pytest.mark.parametrize(("scope", "second"), [("connection", b"+OK"), ("server", b"-ERR")])
def test_scope(scope: str, second: bytes) -> None:
    """Occurrences are counted over the connection, or over all of the server."""
    rules = (
        f"rules: [{{when: NOOP, nth: '2..', scope: {scope}, reply: -ERR}}]\nserver: {{lock: none}}"
    )
    server = MockServer(loads(HEAD + rules))
    answers = []

    for _ in range(2):
        session = server.session()
        session.connected()
        session.receive(b"USER alice\r\nPASS secret\r\n")
        answers += session.receive(b"NOOP\r\n")

    assert answers == [Send(b"+OK\r\n"), Send(second + b"\r\n")]


def test_scope_user() -> None:
    """Occurrences are counted over all connections of a user."""
    rules = "rules: [{when: NOOP, nth: 2, scope: user, reply: -ERR}]\nserver: {lock: none}"
    server = MockServer(loads(HEAD + rules))
    answers = []

    for login in (b"USER alice\r\nPASS secret\r\n", b"USER bob\r\nPASS hunter2\r\n") * 2:
        session = server.session()
        session.connected()
        session.receive(login)
        answers += session.receive(b"NOOP\r\n")

    assert answers == [Send(b"+OK\r\n")] * 2 + [Send(b"-ERR\r\n")] * 2


# Changes of the answer


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("text: ''", b"+OK\r\n" + STUFFED + b".\r\n"),
        ("text: '{octets} there'", b"+OK 27 there\r\n" + STUFFED + b".\r\n"),
        ("octets: omitted", b"+OK\r\n" + STUFFED + b".\r\n"),
        ("octets: +37", b"+OK 64 octets\r\n" + STUFFED + b".\r\n"),
        ("octets: '-7'", b"+OK 20 octets\r\n" + STUFFED + b".\r\n"),
        ("octets: 200%", b"+OK 54 octets\r\n" + STUFFED + b".\r\n"),
        ("octets: many", b"+OK many octets\r\n" + STUFFED + b".\r\n"),
        ("octets: '=-1'", b"+OK -1 octets\r\n" + STUFFED + b".\r\n"),
        ("stuffing: off", b"+OK 27 octets\r\n" + DOTS + b".\r\n"),
        ("eol: lf", (b"+OK 27 octets\r\n" + STUFFED + b".\r\n").replace(b"\r\n", b"\n")),
        ("terminator: lf", b"+OK 27 octets\r\n" + STUFFED + b".\n"),
        ("terminator: none", b"+OK 27 octets\r\n" + STUFFED),
        ("terminator: glued", b"+OK 27 octets\r\n" + STUFFED[:-2] + b".\r\n"),
        ("body: ''", b"+OK 27 octets\r\n.\r\n"),
        ('body: "a\\n.b\\n"', b"+OK 27 octets\r\na\r\n..b\r\n.\r\n"),
        ("reply: -ERR no", b"-ERR no\r\n"),
        ("cut: 10", b"+OK 27 oct"),
    ],
)
def test_change(talk: Talk, change: str, said: bytes) -> None:
    """A change shows in the answer, octet for octet, and nowhere else."""
    assert talk(MAIL + f"rules: [{{when: RETR, {change}}}]", b"RETR 1\r\n") == said


def test_error(talk: Talk) -> None:
    """``error`` is the text of a refusal and leaves the other answers alone."""
    rules = 'rules: [{when: LIST, error: "There\'s no message {n}."}]'

    assert (
        talk(MAIL + rules, b"LIST 9\r\nLIST 1\r\n") == b"-ERR There's no message 9.\r\n+OK 1 27\r\n"
    )


def test_entry(talk: Talk) -> None:
    """``entry`` is the form of listing lines, also of the one in the status line."""
    rules = 'rules: [{when: UIDL, entry: "{number}   {uid}"}]\n'
    mail = "maildrop: [{body: x, uid: abc}, {body: y, uid: def}]\n"

    assert (
        talk(mail + rules, b"UIDL\r\nUIDL 2\r\n")
        == b"+OK\r\n1   abc\r\n2   def\r\n.\r\n+OK 2   def\r\n"
    )


def test_octets_in_listings(talk: Talk) -> None:
    """A size that lies, lies in LIST, in LIST n and in STAT alike."""
    rules = "rules: [{when: [LIST, STAT], octets: +1}]"

    assert (
        talk(MAIL + rules, b"LIST\r\nLIST 1\r\nSTAT\r\n")
        == b"+OK 2 messages (47 octets)\r\n1 28\r\n2 20\r\n.\r\n+OK 1 28\r\n+OK 2 47\r\n"
    )


# Replies in full


def test_reply_holes(talk: Talk) -> None:
    """A reply can say what the server knows, what the pattern bound, and examples."""
    rules = (
        'rules: [{when: "XYZZY {word}", reply: "+OK {word} {count} {user} {more:text=like this}"}]'
    )

    assert talk(MAIL + rules, b"XYZZY plugh\r\n") == b"+OK plugh 2 alice like this\r\n"


def test_reply_last(talk: Talk) -> None:
    """{last} is the highest message accessed, and RSET takes it back (RFC 1460)."""
    rules = 'rules: [{when: LAST, reply: "+OK {last}"}]'

    said = talk(
        MAIL + rules, b"LAST\r\nRETR 2\r\nLAST\r\nRETR 1\r\nLAST\r\nRSET\r\nLAST\r\n"
    ).split(b"\r\n")

    answers = [line for line in said if line in (b"+OK 0", b"+OK 2")]
    assert answers == [b"+OK 0", b"+OK 2", b"+OK 2", b"+OK 0"]


def test_reply_actions() -> None:
    """Actions of a reply come out in order, and each stretch of lines is one write."""
    rules = """
rules:
  - when: NOOP
    reply: |
      +OK one
      two
      <wait 10ms>
      <bytes "\\xff\\r">
      <dribble 2 every 1ms>
      four
      <reset>
"""
    _, session = session_of(rules)

    assert session.receive(b"NOOP\r\n") == [
        Send(b"+OK one\r\ntwo\r\n"),
        Pause(0.01),
        Send(b"\xff\r"),
        Trickle(b"four\r\n", 2, 0.001),
        End("reset"),
    ]


def test_reply_default_and_message(talk: Talk) -> None:
    """<default> is the RFC-correct answer, <message n> a message, stuffed, without its end."""
    rules = """
rules:
  - when: NOOP
    reply: |
      <default>
      <message 1>
      <message 1 first 50%>
  - when: "XTND {n}"
    reply: |
      <message {n}>
"""

    assert talk(MAIL + rules, b"NOOP\r\nXTND 2\r\n") == (
        b"+OK\r\n" + STUFFED + STUFFED[: len(STUFFED) // 2] + b"Subject: two\r\n\r\nx\r\n"
    )


def test_reply_is_sent_as_written(talk: Talk) -> None:
    """Nothing in a reply is stuffed or ended behind the author's back."""
    rules = "rules:\n  - when: LIST\n    reply: |\n      +OK\n      1 27\n      .x\n"

    assert talk(rules, b"LIST\r\n") == b"+OK\r\n1 27\r\n.x\r\n"


# Effects


def test_effect_follows_the_reply(talk: Talk) -> None:
    """A command that is answered -ERR does nothing, and one answered +OK is done."""
    rules = "rules: [{when: DELE 1, reply: -ERR no}, {when: DELE 2, reply: +OK yes}]"

    said = talk(MAIL + rules, b"DELE 1\r\nDELE 2\r\nLIST\r\n")

    assert said.endswith(b"-ERR no\r\n+OK yes\r\n+OK 1 messages (27 octets)\r\n1 27\r\n.\r\n")


def test_effect_skip(talk: Talk) -> None:
    """A DELE answered +OK can delete nothing."""
    said = talk(MAIL + "rules: [{when: DELE, effect: skip}]", b"DELE 1\r\nSTAT\r\n")

    assert said == b"+OK message 1 deleted\r\n+OK 2 46\r\n"


def test_effect_apply() -> None:
    """A QUIT answered -ERR can delete all the same."""
    rules = "rules: [{when: QUIT, reply: -ERR locked, effect: apply}]"
    server, session = session_of(MAIL + rules)

    said = session.receive(b"DELE 1\r\nQUIT\r\n")

    assert said[-2:] == [Send(b"-ERR locked\r\n"), End("close")]
    assert list(server.maildrop) == [b"Subject: two\r\n\r\nx\r\n"]


def test_quit_err_deletes_nothing() -> None:
    """A QUIT answered -ERR deletes nothing by default, closes, and frees the maildrop."""
    server, session = session_of(MAIL + "rules: [{when: QUIT, reply: -ERR locked}]")

    said = session.receive(b"DELE 1\r\nQUIT\r\n")

    assert said[-2:] == [Send(b"-ERR locked\r\n"), End("close")]
    assert len(server.maildrop) == 2
    assert not server.maildrop.locked


# Timing and transport


@pytest.mark.parametrize(
    ("change", "actions"),
    [
        ("delay: 20ms", [Pause(0.02), Send(b"+OK\r\n")]),
        ("dribble: 1 every 5ms", [Trickle(b"+OK\r\n", 1, 0.005)]),
        ("dribble: 1", [Trickle(b"+OK\r\n", 1, 0.0)]),
        ("then: close", [Send(b"+OK\r\n"), End("close")]),
        ("then: reset", [Send(b"+OK\r\n"), End("reset")]),
        ("then: half-close", [Send(b"+OK\r\n"), End("half-close")]),
        ("then: hang", [Send(b"+OK\r\n"), End("hang")]),
        ("cut: 3", [Send(b"+OK"), End("close")]),
        ("cut: 3, then: reset", [Send(b"+OK"), End("reset")]),
        ("cut: 0, then: hang", [End("hang")]),
        ("reply: <close>", [End("close")]),
    ],
)
def test_timing_and_transport(change: str, actions: list[object]) -> None:
    """Delays, dribbles, cuts and endings become actions of the shell."""
    _, session = session_of(f"rules: [{{when: NOOP, {change}}}]")

    assert session.receive(b"NOOP\r\n") == actions


def test_nothing_is_heard_after_the_end() -> None:
    """After a hang or an ending the session answers nothing more."""
    _, session = session_of("rules: [{when: NOOP, then: hang}]")

    session.receive(b"NOOP\r\n")

    assert session.receive(b"STAT\r\n") == []


# Layers


def test_quirks_compose(talk: Talk) -> None:
    """Two quirks that change one command both hold, each in what it changes."""
    own = "rules: [{when: RETR, eol: lf}]\nquirks: [retr-without-size]\n"

    assert talk(MAIL + own, b"RETR 2\r\n") == b"+OK\nSubject: two\n\nx\n.\n"


def test_own_rule_is_stronger(talk: Talk) -> None:
    """The file's own rule wins over a quirk where both set the same."""
    own = "rules: [{when: RETR, text: mine}]\nquirks: [retr-without-size]\n"

    assert talk(MAIL + own, b"RETR 2\r\n").startswith(b"+OK mine\r\n")


@pytest.mark.parametrize(("command", "left"), [(b"DELE 1\r\n", 1), (b"DELE 9\r\n", 2)])
def test_default_answer_in_a_reply_takes_effect(command: bytes, left: int) -> None:
    """A reply that begins with ``<default>`` takes effect iff the default answer does."""
    rules = 'rules: [{when: DELE, reply: "<default>\\n<wait 1ms>"}]\n'
    server, session = session_of(MAIL.lstrip() + rules)

    session.receive(command + b"QUIT\r\n")

    assert len(server.maildrop) == left
