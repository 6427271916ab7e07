"""What a rule can change in messages, listings and sizes, and do to the mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    Talk = Callable[[str, bytes], bytes]

HEAD = "pop3: 1\nname: test\nsummary: test\n"
ODD = b"Subject: odd\n\n.one\r\ntwo\n.three\n"


def talk_over(mail: bytes, rules: str, commands: bytes) -> bytes:
    """What a server whose maildrop holds this message says to a client that has logged in."""
    server = MockServer(loads(HEAD + "maildrop: []\n" + rules))
    server.deliver(mail)
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    return b"".join(a.data for a in session.receive(commands) if isinstance(a, Send))


# Line ends and lines


def test_eol_stored() -> None:
    """A message can go out as it is stored; a dot behind a bare LF is then not doubled."""
    said = talk_over(ODD, "rules: [{when: RETR, eol: stored}]", b"RETR 1\r\n")

    assert said == b"+OK 35 octets\r\nSubject: odd\n\n.one\r\ntwo\n.three\n.\r\n"


def test_eol_stored_ends_the_last_line() -> None:
    """The terminator stands on a line of its own even if the message has no last line end."""
    said = talk_over(b"A: b\n\nx", "rules: [{when: RETR, eol: stored}]", b"RETR 1\r\n")

    assert said.endswith(b"A: b\n\nx\r\n.\r\n")


def test_blank_line_double() -> None:
    """A second empty line can follow the header; where no empty line ends it, there is none."""
    rules = "rules: [{when: TOP, blank-line: double}]"

    said = talk_over(b"A: b\r\n\r\nx\r\n", rules, b"TOP 1 1\r\n")

    assert said.endswith(b"\r\nA: b\r\n\r\n\r\nx\r\n.\r\n")
    assert talk_over(b"A: b\r\n", rules, b"TOP 1 1\r\n").endswith(b"\r\nA: b\r\n\r\n.\r\n")


def test_eol_crcrlf() -> None:
    """A server that puts a CR before each LF, whatever stands there, doubles it."""
    said = talk_over(b"A: b\r\n\r\n.\r\n", "rules: [{when: RETR, eol: crcrlf}]", b"RETR 1\r\n")

    assert said == b"+OK 11 octets\r\nA: b\r\r\n\r\r\n..\r\r\n.\r\n"


LF_LINES = "rules: [{when: [RETR, TOP, LIST], eol: lf-lines, octets: lf-lines}]"


@pytest.mark.parametrize(
    ("mail", "octets", "whole"),
    [
        (b"A: b\r\n\r\n.\r\n2\r\n", 18, b"A: b\r\r\n\r\r\n..\r\r\n2\r\r\n"),
        (b"A: b\n\n.\n2\n", 14, b"A: b\r\n\r\n..\r\n2\r\n"),
        (b"A: b\n\n.\n2", 12, b"A: b\r\n\r\n..\r\n2\r\n"),
        (b"A: b\r\n", 7, b"A: b\r\r\n"),
    ],
)
def test_eol_lf_lines(mail: bytes, octets: int, whole: bytes) -> None:
    """A server that knows lines by LF alone gives each a CR, and counts it."""
    said = talk_over(mail, LF_LINES, b"RETR 1\r\nLIST 1\r\n")

    assert said == b"+OK %d octets\r\n" % octets + whole + b".\r\n+OK 1 %d\r\n" % octets


@pytest.mark.parametrize(
    ("mail", "top"),
    [
        (b"A: b\r\n\r\n1\r\n2\r\n", b"A: b\r\r\n\r\r\n1\r\r\n2\r\r\n"),
        (b"A: b\n\n1\n2\n", b"A: b\r\n\r\n1\r\n"),
        (b"A: b\n", b"A: b\r\n"),
    ],
)
def test_eol_lf_lines_in_top(mail: bytes, top: bytes) -> None:
    """To such a server a line that holds a CR is not empty: the header ends nowhere."""
    said = talk_over(mail, LF_LINES, b"TOP 1 1\r\n")

    assert said == b"+OK top of message 1\r\n" + top + b".\r\n"


def test_eol_lf_lines_in_a_reply() -> None:
    """A message that a reply holds goes the same way."""
    rules = """
rules:
  - when: RETR
    eol: lf-lines
    reply: |
      +OK
      <message 1>
"""

    said = talk_over(b"A: b\r\n\r\n.\r\n", rules, b"RETR 1\r\n")

    assert said == b"+OK\r\nA: b\r\r\n\r\r\n..\r\r\n"


def test_columns() -> None:
    """Longer lines of a message are cut; its header is no exception, the status line is."""
    said = talk_over(
        b"Ab: c\r\n\r\n12345678\r\n", "rules: [{when: RETR, columns: 4}]", b"RETR 1\r\n"
    )

    assert said == b"+OK 19 octets\r\nAb: \r\n\r\n1234\r\n.\r\n"


def test_truncate() -> None:
    """A message can end early, and ends properly; the top of it too, if it is as long."""
    rules = "rules: [{when: [RETR, TOP], truncate: 10}]"

    said = talk_over(b"A: b\r\n\r\n.2\r\n4\r\n", rules, b"RETR 1\r\nTOP 1 0\r\n")

    assert said == (
        b"+OK 15 octets\r\nA: b\r\n\r\n..2\r\n.\r\n+OK top of message 1\r\nA: b\r\n\r\n.\r\n"
    )


@pytest.mark.parametrize("octets", [13, 14, 15, 99])
def test_truncate_at_a_line_end(octets: int) -> None:
    """A line end is never cut in two, and none is added where one is."""
    rules = f"rules: [{{when: RETR, truncate: {octets}}}]"

    said = talk_over(b"A: b\r\n\r\n.2\r\n4\r\n", rules, b"RETR 1\r\n")

    assert said == b"+OK 15 octets\r\nA: b\r\n\r\n..2\r\n4\r\n.\r\n"


def test_terminator_bare(talk: Talk) -> None:
    """The terminating dot can come without its line end."""
    assert talk("rules: [{when: UIDL, terminator: bare}]", b"UIDL\r\n").endswith(b"\r\n.")


# Sizes


@pytest.mark.parametrize(
    ("octets", "announced"),
    [("stored", 31), ("lf", 30), ("crcrlf", 40), ("body", 17), ("rounded 1024", 1024), ("+1", 36)],
)
def test_sizes_counted_otherwise(octets: str, announced: int) -> None:
    """A size can be that of the file, of the body alone, or rounded up; STAT adds them up."""
    rules = f"rules: [{{when: [LIST, STAT, RETR], octets: '{octets}'}}]"

    said = talk_over(ODD, rules, b"LIST 1\r\nSTAT\r\n")

    assert said == f"+OK 1 {announced}\r\n+OK 1 {announced}\r\n".encode()


@pytest.mark.parametrize("command", ["PASS", "RSET", "LIST"])
def test_sums_counted_otherwise(command: str) -> None:
    """What a login, RSET and LIST tell of all the mail is counted as a rule has it."""
    rules = f"rules: [{{when: {command}, octets: stored}}]"
    server = MockServer(loads(HEAD + "maildrop: []\n" + rules))
    server.deliver(ODD)
    session = server.session()

    actions = session.receive(b"USER alice\r\nPASS secret\r\nRSET\r\nLIST\r\n")

    said = b"".join(action.data for action in actions if isinstance(action, Send))
    assert said.count(b"31 octets") == 1
    assert said.count(b"35 octets") == 2


def test_size_in_a_reply() -> None:
    """A reply that tells a message's size tells it as the rule has it counted."""
    rules = "rules: [{when: RETR, octets: +5, reply: '+OK {octets} octets'}]"

    assert talk_over(ODD, rules, b"RETR 1\r\n") == b"+OK 40 octets\r\n"


@pytest.mark.parametrize("mail", [b"A: b\r\n", b"A: b\r\n\r\n"])
def test_body_of_nothing(mail: bytes) -> None:
    """A server that counts bodies says -1 where there is none."""
    said = talk_over(mail, "rules: [{when: LIST, octets: body}]", b"LIST\r\n")

    assert said.endswith(b"\r\n1 -1\r\n.\r\n")


def test_unended_size() -> None:
    """A server may not count the line end that it puts behind a last line that has none."""
    rules = "rules: [{when: LIST, octets: unended}]"

    assert talk_over(b"A: b\n\nx", rules, b"LIST 1\r\n") == b"+OK 1 9\r\n"
    assert talk_over(b"A: b\n\nx\n", rules, b"LIST 1\r\n") == b"+OK 1 11\r\n"


# Listings


def test_numbering_dense(talk: Talk) -> None:
    """Some servers number a listing anew once messages are marked as deleted."""
    said = talk(
        "rules: [{when: UIDL, numbering: dense, entry: '{number} x'}]", b"DELE 2\r\nUIDL\r\n"
    )

    assert said.endswith(b"\r\n1 x\r\n2 x\r\n3 x\r\n.\r\n")


def test_deleted_counted(talk: Talk) -> None:
    """Some servers count and list messages that are marked as deleted."""
    rules = "rules: [{when: [STAT, LIST], deleted: counted}]"

    said = talk(rules, b"DELE 1\r\nSTAT\r\nLIST 1\r\nUIDL 1\r\n")

    assert said.split(b"\r\n")[1].startswith(b"+OK 4 ")
    assert said.split(b"\r\n")[2].startswith(b"+OK 1 ")
    assert said.split(b"\r\n")[3].startswith(b"-ERR")


def test_deleted_emptied(talk: Talk) -> None:
    """Some servers count and list what is marked as deleted, and say that it is empty."""
    rules = "rules: [{when: [STAT, LIST], deleted: emptied, octets: lf}]"

    said = talk(rules, b"STAT\r\nDELE 1\r\nSTAT\r\nLIST 1\r\nLIST\r\nLIST 2\r\n")

    stat, _, marked, one, _, first, *_ = said.split(b"\r\n")
    assert (marked[:6], one, first) == (b"+OK 4 ", b"+OK 1 0", b"1 0")
    assert int(stat.split(b" ")[2]) - int(marked.split(b" ")[2]) == 183
    assert said.endswith(b"+OK 2 101\r\n")


def test_entry_with_the_argument(talk: Talk) -> None:
    """A listing of one message can repeat the number as it was sent."""
    rules = "rules: [{when: 'LIST {argument}', entry: '{argument} {octets}'}]"

    assert talk(rules, b"LIST 01\r\n").startswith(b"+OK 01 ")


# Parts of messages


@pytest.mark.parametrize(
    ("part", "octets"),
    [
        ("header", b"A: b\r\n"),
        ("body", b"1\r\n..\r\n3\r\n"),
        ("top 1", b"A: b\r\n\r\n1\r\n"),
        ("top 0 first 4 octets", b"A: b"),
        ("", b"A: b\r\n\r\n1\r\n..\r\n3\r\n"),
    ],
)
def test_parts_of_a_message(part: str, octets: bytes) -> None:
    """A reply can hold a part of a message, dot-stuffed."""
    rules = f"rules:\n  - when: RETR {{n}}\n    reply: |\n      <message {{n}} {part}>\n"
    rules = rules.replace(" >", ">")

    assert talk_over(b"A: b\r\n\r\n1\r\n.\r\n3\r\n", rules, b"RETR 1\r\n") == octets


def test_parts_of_a_message_without_body() -> None:
    """A message that is a header alone has a header and no body."""
    rules = """
rules:
  - when: RETR
    reply: |
      <message 1 header>
      <message 1 body>
"""

    assert talk_over(b"A: b\r\n", rules, b"RETR 1\r\n") == b"A: b\r\n"


# What a session sees


def test_live_view() -> None:
    """A session can see at once what others remove and deliver; what is marked stays marked."""
    server = MockServer(loads(HEAD + "server: {lock: none, view: live}\nmaildrop: []\n"))
    for uid in ("one", "two", "three"):
        server.deliver(ODD, uid=uid)
    session, other = server.session(), server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 2\r\n")
    other.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n")
    server.deliver(ODD, uid="four")

    actions = session.receive(b"UIDL\r\nRETR 1\r\nQUIT\r\n")

    said = b"".join(action.data for action in actions if isinstance(action, Send))
    assert said == b"+OK\r\n2 three\r\n3 four\r\n.\r\n-ERR message 1 is deleted\r\n+OK bye\r\n"
    assert [message.uid for message in server.maildrops["alice"].messages] == ["three", "four"]


def test_view_of_the_login() -> None:
    """Otherwise a session sees the mail as it was when it logged in."""
    server = MockServer(loads(HEAD + "server: {lock: none}\nmaildrop: []\n"))
    server.deliver(ODD)
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    server.deliver(ODD)

    actions = session.receive(b"STAT\r\n")

    assert [action.data for action in actions if isinstance(action, Send)] == [b"+OK 1 35\r\n"]


def test_number_of_marked_messages(talk: Talk) -> None:
    """A reply can tell how many messages are marked: RSET, how many were."""
    rules = "rules: [{when: [NOOP, RSET], reply: '+OK {marked}'}]"

    said = talk(rules, b"DELE 1\r\nDELE 2\r\nNOOP\r\nRSET\r\nNOOP\r\n")

    assert said.endswith(b"+OK 2\r\n+OK 2\r\n+OK 0\r\n")


# What becomes of the mail


@pytest.mark.parametrize("effect", ["mark", "remove"])
def test_retrieving_deletes(effect: str) -> None:
    """A message that was retrieved can be marked as deleted, or be gone for the next session."""
    server = MockServer(loads(HEAD + f"rules: [{{when: RETR, effect: {effect}}}]"))
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nRETR 2\r\nQUIT\r\n")

    assert len(server.maildrop) == 3
    assert len(session.log.removed) == 1


def test_retrieved_by_another_command() -> None:
    """TOP can count as a retrieval: LAST tells so, and what expires goes."""
    server = MockServer(
        loads(
            HEAD
            + "quirks: [last-supported]\n"
            + "server: {expires: yes}\n"
            + "rules: [{when: TOP, effect: retrieve}]"
        )
    )
    session = server.session()

    actions = session.receive(b"USER alice\r\nPASS secret\r\nTOP 2 0\r\nLAST\r\nQUIT\r\n")

    assert Send(b"+OK 2\r\n") in actions
    assert len(server.maildrop) == 3


def test_remove_does_not_wait_for_quit() -> None:
    """What is removed at once is gone although the client never says QUIT."""
    server = MockServer(loads(HEAD + "rules: [{when: DELE, effect: remove}]"))
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 2\r\nDELE 3\r\n")
    session.lost()

    assert len(server.maildrop) == 2


def test_empty() -> None:
    """A command can lose the whole maildrop."""
    server = MockServer(loads(HEAD + "rules: [{when: RSET, effect: empty}]"))
    server.session().receive(b"USER alice\r\nPASS secret\r\nRSET\r\n")

    assert len(server.maildrop) == 0


@pytest.mark.parametrize("effect", ["retrieve", "mark", "remove", "empty"])
def test_no_effect_without_success(effect: str) -> None:
    """A command that is refused does nothing to the mail."""
    server = MockServer(loads(HEAD + f"rules: [{{when: RETR, effect: {effect}, reply: -ERR no}}]"))
    server.session().receive(b"USER alice\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n")

    assert len(server.maildrop) == 4


# EXPIRE, LOGIN-DELAY, UTF8, LANG


def test_expires() -> None:
    """What was retrieved can go at QUIT, as EXPIRE 0 allows (RFC 2449, section 6.7)."""
    server = MockServer(loads(HEAD + "server: {expires: yes}"))
    server.session().receive(b"USER alice\r\nPASS secret\r\nRETR 2\r\nQUIT\r\n")

    assert len(server.maildrop) == 3


def test_capabilities_after_login(talk: Talk) -> None:
    """USER behind a delay or an expiry is said before login only (RFC 2449, 6.5 and 6.7)."""
    rules = "server: {capabilities: [LOGIN-DELAY 10 USER, EXPIRE 30 USER, UTF8 USER, USER]}"

    assert talk(rules, b"CAPA\r\n").endswith(
        b"\r\nLOGIN-DELAY 10\r\nEXPIRE 30\r\nUTF8 USER\r\nUSER\r\n.\r\n"
    )


def test_login_delay() -> None:
    """Within the delay a proven user is refused with its code; afterwards he gets in."""
    now = [100.0]
    scenario = loads(HEAD + "server: {login-delay: 60s}")
    server = MockServer(scenario, clock=lambda: now[0])

    def log_in(password: bytes) -> bytes:
        session = server.session()
        answer = session.receive(b"USER alice\r\nPASS " + password + b"\r\n")
        session.lost()
        assert isinstance(answer[1], Send)
        return answer[1].data

    first = log_in(b"secret")
    now[0] += 59
    early, wrong = log_in(b"secret"), log_in(b"x")
    now[0] += 1
    late = log_in(b"secret")

    assert first.startswith(b"+OK")
    assert early.startswith(b"-ERR [LOGIN-DELAY] ")
    assert wrong.startswith(b"-ERR [AUTH] ")
    assert late.startswith(b"+OK")


UTF8_MAIL = "Subject: Grüße\r\n\r\nx\r\n".encode()


def test_header_that_is_not_ascii() -> None:
    """A header that is not ASCII is not sent to who has not asked for it (RFC 6856, 2.1)."""
    said = talk_over(UTF8_MAIL, "", b"RETR 1\r\nTOP 1 0\r\n")

    assert said.count(b"-ERR [UTF8] ") == 2


def test_header_after_utf8() -> None:
    """After UTF8 the message comes as it is."""
    server = MockServer(loads(HEAD + "maildrop: []"))
    server.deliver(UTF8_MAIL)
    session = server.session()
    session.receive(b"UTF8\r\nUSER alice\r\nPASS secret\r\n")

    (answer,) = session.receive(b"RETR 1\r\n")

    assert isinstance(answer, Send)
    assert answer.data == b"+OK 23 octets\r\n" + UTF8_MAIL + b".\r\n"


def test_header_without_utf8_on_offer() -> None:
    """A server that does not know UTF8 sends what it has, as servers always did."""
    said = talk_over(UTF8_MAIL, "server: {capabilities: [-UTF8]}", b"RETR 1\r\n")

    assert UTF8_MAIL in said


def test_languages(talk: Talk) -> None:
    """LANG lists languages, chooses one, and refuses what it does not know (RFC 6856, 3)."""
    rules = "server: {languages: {en-GB: English, de: Deutsch}}"

    assert (
        talk(rules, b"LANG\r\n") == b"+OK languages follow\r\nen-GB English\r\nde Deutsch\r\n.\r\n"
    )
    assert talk(rules, b"LANG DE\r\n") == b"+OK de Deutsch\r\n"
    assert talk(rules, b"LANG en\r\n") == b"+OK en-GB English\r\n"
    assert talk(rules, b"LANG *\r\n") == b"+OK en-GB English\r\n"
    assert talk(rules, b"LANG zz\r\n").startswith(b"-ERR ")


# Messages that are not there


@pytest.mark.parametrize(
    ("command", "said", "faults"),
    [
        (b"RETR 2", b"+OK shown\r\nA: 2\r\n.\r\n", 0),
        (b"RETR 9", b"-ERR no such message, only 2", 0),
        (b"RETR 0", b"-ERR messages count from 1\r\n", 1),
        (b"RETR x", b"-ERR that is no message number\r\n", 1),
        (b"RETR", b"-ERR", 1),
        (b"RETR 99999999999999999999999", b"-ERR", 0),
    ],
)
@pytest.mark.parametrize("when", ["RETR", "'RETR {n:word}'", "'*'"])
def test_message_that_is_not_there(command: bytes, said: bytes, faults: int, when: str) -> None:
    """A reply with ``<message {n}>`` is for messages that are there; else the RFCs answer."""
    server = MockServer(
        loads(
            f'{HEAD}maildrop: [{{raw: "A: 1"}}, {{raw: "A: 2"}}]\nrules:\n'
            f'- {{when: {when}, state: transaction, reply: "+OK shown\\n<message {{n}}>\\n."}}'
        )
    )
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")

    answer = session.receive(command + b"\r\n")

    assert b"".join(a.data for a in answer if isinstance(a, Send)).startswith(said)
    assert len(server.broken_expectations()) == faults


def test_messages_of_whom_is_logged_in() -> None:
    """Who has logged in and has no mail is shown nobody else's."""
    rules = 'rules: [{when: RETR, reply: "+OK\\n<message {n}>\\n."}]'
    users = "server: {users: {alice: secret, bob: secret}}\nmaildrops: {bob: []}\n"
    session = MockServer(loads(HEAD + users + rules)).session()
    session.receive(b"USER bob\r\nPASS secret\r\n")

    answer = session.receive(b"RETR 1\r\n")

    assert answer == [Send(b"-ERR no such message, only 0 in the maildrop\r\n")]


def test_nothing_of_a_rule_without_its_message() -> None:
    """Where there is no such message the rule does not hold, and is not counted."""
    rules = 'rules: [{when: RETR, nth: 1, reply: "+OK\\n<message {n} header>\\n.", then: close}]'

    said = talk_over(b"A: b\r\n\r\nx\r\n", rules, b"RETR 7\r\nRETR 1\r\nNOOP\r\n")

    assert said == b"-ERR no such message, only 1 in the maildrop\r\n+OK\r\nA: b\r\n.\r\n"


def test_message_of_the_command_that_is_meant() -> None:
    """The number is that of the command for which the client's line is taken."""
    rules = (
        "rules:\n- {when: 'XRETR {n}', as: 'RETR 1'}\n"
        '- {when: RETR, reply: "+OK\\n<message {n} header>\\n."}'
    )

    said = talk_over(b"A: b\r\n\r\nx\r\n", rules, b"XRETR 7\r\n")

    assert said == b"+OK\r\nA: b\r\n.\r\n"
