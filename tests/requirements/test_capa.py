"""CAPA, and the capabilities of RFC 2449."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import accepted, lines_of, plain, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Clock, Connect, Dial, Play

GREETED = (b"", b"+OK ready\r\n")

#: Registered with IANA as POP3 capabilities.
REGISTERED = {
    b"TOP", b"USER", b"SASL", b"RESP-CODES", b"LOGIN-DELAY", b"PIPELINING", b"EXPIRE", b"UIDL",
    b"IMPLEMENTATION", b"STLS", b"AUTH-RESP-CODE", b"UTF8", b"LANG",
}  # fmt: skip


def capabilities(wire: Wire) -> dict[bytes, list[bytes]]:
    """What CAPA says: each tag with its parameters."""
    words = (line.split(b" ") for line in lines_of(wire.ask(b"CAPA")))
    return {tag: parameters for tag, *parameters in words}


def in_both_states(connect: Connect, server: MockServer) -> list[dict[bytes, list[bytes]]]:
    """The capabilities before and after login."""
    wire = connect(server)
    before = capabilities(wire)
    assert accepted(wire.log_in())
    return [before, capabilities(wire)]


def test_rfc2449_5_01_capa_before_login(before: Wire) -> None:
    """CAPA is available in the authorization state."""
    assert before.ask(b"CAPA").startswith(b"+OK")


def test_rfc2449_5_02_capa_after_login(wire: Wire) -> None:
    """CAPA is available in the transaction state."""
    assert wire.ask(b"CAPA").startswith(b"+OK")


def test_rfc2449_5_03_capabilities_stay(connect: Connect, server: MockServer) -> None:
    """What is announced before login is announced after it, but for STLS."""
    before, after = in_both_states(connect, server)

    assert set(before) - set(after) == {b"STLS"}
    assert {tag: before[tag] for tag in after} == after


def test_rfc2449_5_04_capa_is_of_several_lines(before: Wire) -> None:
    """The response is +OK, a line for each capability, and the terminator."""
    said = before.ask(b"CAPA")

    assert re.fullmatch(rb"\+OK[^\r\n]*\r\n([^\r\n.][^\r\n]*\r\n)+\.\r\n", said)


@pytest.mark.parametrize("login", [False, True])
def test_rfc2449_5_05_capability_form(before: Wire, login: bool) -> None:
    """A line is a tag and parameters, with one space before each."""
    if login:
        before.log_in()

    for line in lines_of(before.ask(b"CAPA")):
        assert re.fullmatch(rb"[\x21-\x2d\x2f-\x7e][\x21-\x7e]*( [\x21-\x7e]+)*", line)


@pytest.mark.parametrize("login", [False, True])
def test_rfc2449_5_06_capability_length(before: Wire, login: bool) -> None:
    """A line has at most 512 octets, CRLF included."""
    if login:
        before.log_in()

    assert all(len(line) + 2 <= 512 for line in lines_of(before.ask(b"CAPA")))


def test_rfc2449_5_07_tags_appear_once(before: Wire) -> None:
    """A tag appears once."""
    tags = [line.split(b" ")[0] for line in lines_of(before.ask(b"CAPA"))]

    assert len(tags) == len(set(tags))


def test_rfc2449_5_08_capa_takes_no_argument(before: Wire) -> None:
    """CAPA with an argument is refused."""
    assert refused(before.ask(b"CAPA x"))


def test_rfc2449_5_09_capa_changes_nothing(wire: Wire) -> None:
    """CAPA changes neither the state nor a mark."""
    wire.ask(b"DELE 1")

    wire.ask(b"CAPA")

    assert refused(wire.ask(b"LIST 1"))
    assert wire.ask(b"STAT").startswith(b"+OK 3 ")


def test_rfc2449_9_01_tags_are_registered(connect: Connect, server: MockServer) -> None:
    """The default server announces only tags that are registered."""
    for tags in in_both_states(connect, server):
        assert set(tags) - REGISTERED == set()


# TOP, USER, SASL


def test_rfc2449_6_1_01_top_announced_works(connect: Connect, play: Play) -> None:
    """Where TOP is announced it works; where it is not there, both are missing."""
    for change, there in (("", True), ("server: {capabilities: [-TOP]}", False)):
        wire = connect(play(change))
        wire.log_in()

        assert (b"TOP" in capabilities(wire)) is there
        assert wire.ask(b"TOP 1 0").startswith(b"+OK") is there


def test_rfc2449_6_1_02_top_that_works_is_announced(wire: Wire) -> None:
    """TOP works, so it is announced."""
    assert wire.ask(b"TOP 1 0").startswith(b"+OK")
    assert capabilities(wire)[b"TOP"] == []


def test_rfc2449_6_2_01_user_announced_works(before: Wire) -> None:
    """USER is announced, so it is known."""
    assert capabilities(before)[b"USER"] == []
    assert accepted(before.ask(b"USER alice"))


def test_rfc2449_6_2_02_user_not_announced(connect: Connect, play: Play) -> None:
    """Where USER is not announced, USER and PASS do not log in."""
    wire = connect(play("server: {capabilities: [-USER]}"))

    assert b"USER" not in capabilities(wire)
    assert refused(wire.ask(b"USER alice"))
    assert refused(wire.ask(b"PASS secret"))
    assert refused(wire.ask(b"STAT"))


def test_rfc2449_6_3_01_sasl_names_mechanisms(before: Wire) -> None:
    """SASL names at least one mechanism, each in the form of one."""
    mechanisms = capabilities(before)[b"SASL"]

    assert mechanisms
    assert all(re.fullmatch(rb"[A-Z0-9_-]{1,20}", name) for name in mechanisms)


def test_rfc2449_6_3_02_each_mechanism_can_be_begun(connect: Connect, server: MockServer) -> None:
    """Each mechanism that is named gives a challenge, and can be cancelled."""
    for name in capabilities(connect(server))[b"SASL"]:
        wire = connect(server)

        assert wire.ask(b"AUTH " + name).startswith(b"+ "), name
        assert refused(wire.ask(b"*"))
        assert accepted(wire.log_in())
        wire.ask(b"QUIT")


def test_rfc2449_6_3_03_initial_response(before: Wire) -> None:
    """Where SASL is announced an initial response is accepted."""
    assert b"PLAIN" in capabilities(before)[b"SASL"]
    assert accepted(before.ask(b"AUTH PLAIN " + plain()))


# Response codes


@pytest.mark.parametrize("text", [b"[", b"[]", b"[A B] x", b"[A]x", b"[/A] x", b"[A//B] x", b"[A"])
def test_rfc2449_6_4_01_codes_are_of_legal_form(tour: list[Tape], text: bytes) -> None:
    """Text that begins with a bracket is a response code, where these are announced."""
    said = b"-ERR " + text + b"\r\n"

    assert breaches("RFC2449-6.4-01", *tour) == []
    assert breaches("RFC2449-6.4-01", Tape.of(GREETED, (b"NOOP\r\n", said)))


def test_rfc2449_6_4_02_no_codes_without_their_capability(connect: Connect, play: Play) -> None:
    """Where response codes are not announced, none is sent."""
    server = play("server: {capabilities: [-RESP-CODES, -AUTH-RESP-CODE]}")
    first, second = connect(server), connect(server)
    first.log_in()

    in_use = second.log_in()
    wrong = second.log_in(password=b"wrong")

    assert re.fullmatch(rb"-ERR [^\[].*\r\n", in_use)
    assert re.fullmatch(rb"-ERR [^\[].*\r\n", wrong)
    bare = (b"CAPA\r\n", b"+OK\r\nTOP\r\n.\r\n")
    assert breaches("RFC2449-6.4-02", Tape.of(GREETED, bare, (b"PASS x\r\n", b"-ERR [AUTH]\r\n")))


def test_rfc2449_8_01_levels_of_a_code(tour: list[Tape]) -> None:
    """A response code is of levels with slashes between them."""
    legal = Tape.of(GREETED, (b"PASS x\r\n", b"-ERR [SYS/TEMP] later\r\n"))
    illegal = Tape.of(GREETED, (b"PASS x\r\n", b"-ERR [SYS /TEMP] later\r\n"))

    assert breaches("RFC2449-8-01", *tour, legal) == []
    assert breaches("RFC2449-8-01", illegal)


def test_rfc2449_8_1_1_01_login_delay_code_only_at_login(tour: list[Tape]) -> None:
    """[LOGIN-DELAY] comes only on a refused login."""
    wrong = Tape.of(GREETED, (b"STAT\r\n", b"-ERR [LOGIN-DELAY] wait\r\n"))

    assert breaches("RFC2449-8.1.1-01", *tour) == []
    assert breaches("RFC2449-8.1.1-01", wrong)


def test_rfc2449_8_1_1_02_login_delay_code_not_on_user(
    connect: Connect, play: Play, tour: list[Tape]
) -> None:
    """[LOGIN-DELAY] does not come on USER, nor before the password is right."""
    server = play("server: {capabilities: [+LOGIN-DELAY 60], login-delay: 60s}")
    first = connect(server)
    first.log_in()
    first.ask(b"QUIT")
    wire = connect(server)

    assert accepted(wire.ask(b"USER alice"))
    assert wire.ask(b"PASS wrong").startswith(b"-ERR [AUTH] ")
    assert wire.log_in().startswith(b"-ERR [LOGIN-DELAY] ")
    assert breaches("RFC2449-8.1.1-02", *tour) == []
    wrong = Tape.of(GREETED, (b"USER x\r\n", b"-ERR [LOGIN-DELAY] wait\r\n"))
    assert breaches("RFC2449-8.1.1-02", wrong)


def test_rfc2449_8_1_2_01_in_use(connect: Connect, server: MockServer, wire: Wire) -> None:
    """A locked maildrop is reported as [IN-USE]."""
    assert connect(server).log_in().startswith(b"-ERR [IN-USE] ")
    assert connect(server).ask(b"AUTH PLAIN " + plain()).startswith(b"-ERR [IN-USE] ")


def test_rfc2449_8_1_2_02_in_use_only_to_those_who_may_know(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """[IN-USE] comes only when the credentials are right."""
    second = connect(server)

    assert b"[IN-USE]" not in second.log_in(password=b"wrong")
    assert b"[IN-USE]" not in second.ask(b"AUTH PLAIN " + plain(password=b"wrong"))
    assert b"[IN-USE]" not in second.ask(b"APOP alice " + b"0" * 32)


# LOGIN-DELAY


@pytest.mark.parametrize("value", ["60", "60 USER", "0"])
def test_rfc2449_6_5_01_login_delay_form(connect: Connect, play: Play, value: str) -> None:
    """LOGIN-DELAY has whole seconds, and at most USER behind them."""
    for tags in in_both_states(connect, play(f"server: {{capabilities: [+LOGIN-DELAY {value}]}}")):
        seconds, *rest = tags[b"LOGIN-DELAY"]

        assert seconds.isdigit()
        assert rest in ([], [b"USER"])


def test_rfc2449_6_5_02_login_delay_after_login(connect: Connect, play: Play) -> None:
    """After login LOGIN-DELAY has the exact value, without USER."""
    server = play("server: {capabilities: [+LOGIN-DELAY 60 USER]}")

    before, after = in_both_states(connect, server)

    assert before[b"LOGIN-DELAY"] == [b"60", b"USER"]
    assert after[b"LOGIN-DELAY"] == [b"60"]


def test_rfc2449_6_5_03_login_delay_before_login_is_the_largest(
    connect: Connect, play: Play
) -> None:
    """The value before login is no smaller than that after it."""
    for value in ("60", "60 USER"):
        server = play(f"server: {{capabilities: [+LOGIN-DELAY {value}]}}")

        before, after = in_both_states(connect, server)

        assert int(before[b"LOGIN-DELAY"][0]) >= int(after[b"LOGIN-DELAY"][0])


def test_rfc2449_6_5_04_login_delay_is_enforced(connect: Connect, play: Play, clock: Clock) -> None:
    """A login too short a time after another is refused."""
    server = play("server: {capabilities: [+LOGIN-DELAY 60], login-delay: 60s}", clock=clock.now)
    first = connect(server)
    first.log_in()
    first.ask(b"QUIT")

    clock.advance(59)

    assert refused(connect(server).log_in())
    assert refused(connect(server).ask(b"AUTH PLAIN " + plain()))
    assert accepted(connect(server).log_in(b"bob", b"hunter2"))


def test_rfc2449_6_5_05_login_after_the_delay(connect: Connect, play: Play, clock: Clock) -> None:
    """After the delay a login works, and refused ones in between do not put it off."""
    server = play("server: {capabilities: [+LOGIN-DELAY 60], login-delay: 60s}", clock=clock.now)
    first = connect(server)
    first.log_in()
    first.ask(b"QUIT")

    clock.advance(30)
    assert refused(connect(server).log_in())
    clock.advance(30)

    assert accepted(connect(server).log_in())


# PIPELINING


def statuses(said: bytes) -> list[bytes]:
    """The status indicators of replies of one line."""
    return [line.split(b" ")[0] for line in said.split(b"\r\n")[:-1]]


def test_rfc2449_6_6_01_pipelined_commands(wire: Wire) -> None:
    """Commands in one segment are answered each in its turn."""
    lines = [b"NOOP"] * 10 + [b"STAT", b"LIST 1", b"NOOP"]
    one_by_one = b"".join(wire.ask(line) for line in lines)

    assert wire.send(b"".join(line + b"\r\n" for line in lines)) == one_by_one


def test_rfc2449_6_6_02_pipelined_replies_of_several_lines(wire: Wire) -> None:
    """Replies of several lines keep their place."""
    lines = [b"UIDL", b"TOP 1 0", b"LIST", b"RETR 4", b"STAT", b"CAPA"]
    one_by_one = b"".join(wire.ask(line) for line in lines)

    assert wire.send(b"".join(line + b"\r\n" for line in lines)) == one_by_one


def test_rfc2449_6_6_03_pipelined_login(before: Wire) -> None:
    """Pipelining works across the login."""
    said = before.send(b"USER alice\r\nPASS secret\r\nSTAT\r\n")

    assert statuses(said) == [b"+OK"] * 3
    assert said.split(b"\r\n")[2].startswith(b"+OK 4 ")


def test_rfc2449_6_6_04_refusal_drops_nothing(wire: Wire) -> None:
    """What follows a refused command in the same segment is answered."""
    assert statuses(wire.send(b"NOOP\r\nXYZZ\r\nNOOP\r\n")) == [b"+OK", b"-ERR", b"+OK"]


def test_rfc2449_6_6_05_quit_at_the_end_of_a_batch(wire: Wire) -> None:
    """Where QUIT is last in a segment all is answered, then the connection is closed."""
    assert statuses(wire.send(b"STAT\r\nNOOP\r\nQUIT\r\n")) == [b"+OK"] * 3
    assert wire.ended == "close"


def test_rfc2449_6_6_06_a_thousand_commands(wire: Wire) -> None:
    """A thousand commands in one segment lose no reply."""
    assert wire.send(b"NOOP\r\n" * 1000) == b"+OK\r\n" * 1000


def test_rfc2449_6_6_06_replies_larger_than_any_buffer(dial: Dial, server: MockServer) -> None:
    """Nor do commands whose replies nobody reads until all of them are sent."""
    line = dial(server, narrow=True)
    line.log_in()

    line.send(b"RETR 4\r\n" * 200 + b"XYZZ\r\n")
    replies = [line.until(b"\r\n.\r\n") for _ in range(200)]

    assert len(set(replies)) == 1
    assert replies[0].startswith(b"+OK 20000 octets\r\n")
    assert refused(line.line())


def test_rfc2449_6_6_07_batch_without_pipelining(connect: Connect, play: Play) -> None:
    """Where PIPELINING is not announced, a batch is answered all the same."""
    wire = connect(play("server: {capabilities: [-PIPELINING]}"))
    wire.log_in()

    assert b"PIPELINING" not in capabilities(wire)
    assert wire.send(b"NOOP\r\n" * 3) == b"+OK\r\n" * 3


# EXPIRE


EXPIRES = ["NEVER", "0", "30", "30 USER"]


@pytest.mark.parametrize("value", EXPIRES)
def test_rfc2449_6_7_01_expire_form(connect: Connect, play: Play, value: str) -> None:
    """EXPIRE has whole days or NEVER, and at most USER behind them."""
    server = play(f"server: {{capabilities: [-EXPIRE, +EXPIRE {value}]}}")

    for tags in in_both_states(connect, server):
        days, *rest = tags[b"EXPIRE"]

        assert days == b"NEVER" or days.isdigit()
        assert rest in ([], [b"USER"])


def test_rfc2449_6_7_01_expire_of_the_default_server(before: Wire) -> None:
    """The default server keeps messages for ever."""
    assert capabilities(before)[b"EXPIRE"] == [b"NEVER"]


@pytest.mark.parametrize("value", EXPIRES)
def test_rfc2449_6_7_02_expire_before_login_is_the_smallest(
    connect: Connect, play: Play, value: str
) -> None:
    """The value before login is no greater than that after it."""
    server = play(f"server: {{capabilities: [-EXPIRE, +EXPIRE {value}]}}")

    before, after = in_both_states(connect, server)

    assert before[b"EXPIRE"][0] == after[b"EXPIRE"][0]


def test_rfc2449_6_7_03_expire_after_login(connect: Connect, play: Play) -> None:
    """After login USER is not in EXPIRE."""
    server = play("server: {capabilities: [-EXPIRE, +EXPIRE 30 USER]}")

    before, after = in_both_states(connect, server)

    assert before[b"EXPIRE"] == [b"30", b"USER"]
    assert after[b"EXPIRE"] == [b"30"]


def test_rfc2449_6_7_04_expire_0(connect: Connect, play: Play) -> None:
    """Where EXPIRE is 0, what was retrieved is removed at QUIT, and nothing else."""
    server = play("server: {capabilities: [-EXPIRE, +EXPIRE 0], expires: yes}")
    wire = connect(server)
    wire.log_in()
    uids = [line.split()[1].decode() for line in lines_of(wire.ask(b"UIDL"))]

    wire.send(b"RETR 2\r\nTOP 3 1\r\nQUIT\r\n")

    assert [message.uid for message in server.maildrop.messages] == [uids[0], *uids[2:]]


def test_rfc2449_6_7_05_expire_never(server: MockServer, wire: Wire) -> None:
    """Where EXPIRE is NEVER, what was retrieved stays."""
    wire.send(b"RETR 1\r\nRETR 2\r\nQUIT\r\n")

    assert len(server.maildrop) == 4


# UIDL, IMPLEMENTATION


def test_rfc2449_6_8_01_uidl_announced_works(connect: Connect, play: Play) -> None:
    """Where UIDL is announced it works; where it is not there, both are missing."""
    for change, there in (("", True), ("server: {capabilities: [-UIDL]}", False)):
        wire = connect(play(change))
        wire.log_in()

        assert (b"UIDL" in capabilities(wire)) is there
        assert wire.ask(b"UIDL").startswith(b"+OK") is there


def test_rfc2449_6_8_02_uidl_that_works_is_announced(connect: Connect, server: MockServer) -> None:
    """UIDL works, so it is announced, before login too."""
    for tags in in_both_states(connect, server):
        assert tags[b"UIDL"] == []


def test_rfc2449_6_9_01_implementation(connect: Connect, server: MockServer) -> None:
    """IMPLEMENTATION has at least one token, the same in both states."""
    before, after = in_both_states(connect, server)

    assert before[b"IMPLEMENTATION"] == after[b"IMPLEMENTATION"] == [b"pop3kit"]
