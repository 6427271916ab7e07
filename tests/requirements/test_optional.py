"""The optional commands of RFC 1939: TOP, UIDL, USER and PASS, APOP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ._wire import accepted, apop_digest, data_of, lines_of, refused, stamp_of

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Connect, Holding, Play

HEAD = b"Subject: x\r\nX-Folded: a\r\n\tb\r\n\r\n"
BODY = [b"one\r\n", b".two\r\n", b"\r\n", b"four\r\n", b"five\r\n", b"six\r\n"]
MESSAGE = HEAD + b"".join(BODY)


def uids(wire: Wire) -> dict[bytes, bytes]:
    """What UIDL says of each message."""
    return dict(line.split(b" ") for line in lines_of(wire.ask(b"UIDL")))


# TOP


def test_rfc1939_7_01_top_is_supported(wire: Wire) -> None:
    """The default server has TOP."""
    assert wire.ask(b"TOP 1 0").startswith(b"+OK")


def test_rfc1939_7_02_uidl_is_supported(wire: Wire) -> None:
    """The default server has UIDL."""
    assert wire.ask(b"UIDL").startswith(b"+OK")


def test_rfc1939_7_03_top_0_is_the_header(holding: Holding) -> None:
    """TOP n 0 is the header, the blank line, and no line of the body."""
    assert data_of(holding(MESSAGE).ask(b"TOP 1 0")) == HEAD


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 6])
def test_rfc1939_7_04_top_gives_so_many_lines(holding: Holding, lines: int) -> None:
    """TOP n k has exactly k lines of the body."""
    said = holding(MESSAGE).ask(b"TOP 1 %d" % lines)

    assert data_of(said) == HEAD + b"".join(BODY[:lines])


@pytest.mark.parametrize("lines", [6, 7, 99_999])
def test_rfc1939_7_05_top_beyond_the_body(holding: Holding, lines: int) -> None:
    """Where k is beyond the body, TOP gives what RETR gives."""
    wire = holding(MESSAGE)

    assert data_of(wire.ask(b"TOP 1 %d" % lines)) == data_of(wire.ask(b"RETR 1")) == MESSAGE


@pytest.mark.parametrize("lines", [b"-1", b"x", b"+1", b"1.5", b"0x1", b"", b"1 2"])
def test_rfc1939_7_06_top_of_no_number_of_lines(wire: Wire, lines: bytes) -> None:
    """A number of lines that is negative, or none, is refused."""
    assert refused(wire.ask(b"TOP 1 " + lines))


def test_rfc1939_7_07_top_of_no_message(wire: Wire) -> None:
    """TOP of no message, or of a marked one, is refused."""
    wire.ask(b"DELE 1")

    assert refused(wire.ask(b"TOP 5 0"))
    assert refused(wire.ask(b"TOP 0 0"))
    assert refused(wire.ask(b"TOP 1 0"))


def test_rfc1939_7_08_top_is_stuffed(holding: Holding) -> None:
    """A line of TOP that begins with a dot gets one more."""
    said = holding(MESSAGE).ask(b"TOP 1 2")

    assert said.endswith(b"\r\none\r\n..two\r\n.\r\n")


def test_rfc1939_7_09_header_of_top_and_retr(wire: Wire) -> None:
    """The header of TOP is that of RETR, octet by octet."""
    for number in (1, 2, 3, 4):
        top = data_of(wire.ask(b"TOP %d 0" % number))
        whole = data_of(wire.ask(b"RETR %d" % number))

        assert top == whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize("stored", [b"Subject: x\r\n\r\n", b"Subject: x\r\n", b"Subject: x"])
@pytest.mark.parametrize("lines", [0, 5])
def test_rfc1939_7_10_blank_line_without_a_body(
    holding: Holding, stored: bytes, lines: int
) -> None:
    """A message without a body still has the blank line in TOP."""
    said = holding(stored).ask(b"TOP 1 %d" % lines)

    assert data_of(said) == b"Subject: x\r\n\r\n"


def test_rfc1939_7_10_message_without_a_header(holding: Holding) -> None:
    """Where a message begins with the blank line, that is all of its header."""
    wire = holding(b"\r\none\r\n\r\ntwo\r\n")

    assert data_of(wire.ask(b"TOP 1 0")) == b"\r\n"
    assert data_of(wire.ask(b"TOP 1 1")) == b"\r\none\r\n"


def test_rfc1939_7_11_top_is_no_retrieval(enter: Connect, play: Play) -> None:
    """TOP does not count as retrieval: under EXPIRE 0 the message stays."""
    server = play("server: {capabilities: [-EXPIRE, +EXPIRE 0]}")

    enter(server).send(b"TOP 1 0\r\nTOP 2 99\r\nQUIT\r\n")

    assert len(server.maildrop) == 4


@pytest.mark.parametrize("lines", [b"2147483648", b"18446744073709551616", b"9" * 40])
def test_rfc1939_7_12_large_numbers_of_lines(holding: Holding, lines: bytes) -> None:
    """A large number of lines is no harm."""
    assert data_of(holding(MESSAGE).ask(b"TOP 1 " + lines)) == MESSAGE


# UIDL


def test_rfc1939_7_13_uidl_lists_what_list_lists(wire: Wire) -> None:
    """UIDL has the same numbers as LIST, also after a DELE."""
    for line in (b"NOOP", b"DELE 2"):
        wire.ask(line)

        numbers = [entry.split()[0] for entry in lines_of(wire.ask(b"LIST"))]
        assert list(uids(wire)) == numbers


def test_rfc1939_7_14_unique_id_listing_form(wire: Wire) -> None:
    """A unique-id listing is number, one space and unique-id, and nothing else."""
    for line in lines_of(wire.ask(b"UIDL")):
        assert re.fullmatch(rb"[1-9]\d* [\x21-\x7e]{1,70}", line)


def test_rfc1939_7_15_uidl_of_one(wire: Wire) -> None:
    """UIDL n says what UIDL says, on one line, with the number."""
    for number, uid in uids(wire).items():
        assert wire.ask(b"UIDL " + number) == b"+OK %b %b\r\n" % (number, uid)


@pytest.fixture
def crowd(connect: Connect, play: Play) -> Wire:
    """A conversation on a maildrop of 200 messages."""
    wire = connect(play("maildrop: [{octets: 200, count: 200}]"))
    wire.log_in()
    return wire


def test_rfc1939_7_16_unique_ids_of_1_to_70_octets(crowd: Wire) -> None:
    """A unique-id has 1 to 70 octets."""
    assert all(1 <= len(uid) <= 70 for uid in uids(crowd).values())


def test_rfc1939_7_17_unique_ids_are_printable(crowd: Wire) -> None:
    """A unique-id is of the octets 0x21 to 0x7E."""
    assert all(0x21 <= octet <= 0x7E for uid in uids(crowd).values() for octet in uid)


def test_rfc1939_7_18_unique_ids_are_unique(crowd: Wire) -> None:
    """No two messages of a maildrop have one unique-id."""
    assert len(set(uids(crowd).values())) == 200


def test_rfc1939_7_19_unique_ids_last(enter: Connect, server: MockServer, wire: Wire) -> None:
    """Unique-ids are the same in a session after QUIT."""
    first = wire.ask(b"UIDL")

    wire.ask(b"QUIT")

    assert enter(server).ask(b"UIDL") == first


def test_rfc1939_7_20_unique_ids_last_without_quit(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """Unique-ids are the same in a session after one that ended without QUIT."""
    first = wire.ask(b"UIDL")

    wire.ask(b"DELE 1")
    wire.lose()

    assert enter(server).ask(b"UIDL") == first


def test_rfc1939_7_21_unique_ids_do_not_move(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """Deleting the first message leaves the unique-ids of the others as they are."""
    first = list(uids(wire).values())

    wire.send(b"DELE 1\r\nQUIT\r\n")

    assert list(uids(enter(server)).values()) == first[1:]


def test_rfc1939_7_22_unique_ids_are_not_used_again(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """A message that comes gets no unique-id that a removed one had, though it is the same."""
    seen = set(uids(wire).values())
    last = server.maildrop[3]

    wire.send(b"DELE 4\r\nQUIT\r\n")
    server.deliver(last)

    new = uids(enter(server))[b"4"]
    assert new not in seen


def test_rfc1939_7_23_marked_messages_are_not_in_uidl(wire: Wire) -> None:
    """UIDL leaves marked messages out, and UIDL n of one is refused."""
    wire.ask(b"DELE 1")

    assert list(uids(wire)) == [b"2", b"3", b"4"]
    assert refused(wire.ask(b"UIDL 1"))


def test_rfc1939_7_24_uidl_of_no_message(wire: Wire) -> None:
    """UIDL n of no message is refused."""
    assert refused(wire.ask(b"UIDL 5"))


def test_rfc1939_7_25_uidl_of_an_empty_maildrop(before: Wire) -> None:
    """UIDL of an empty maildrop is +OK and the terminator."""
    before.log_in(b"bob", b"hunter2")

    assert re.fullmatch(rb"\+OK[^\r\n]*\r\n\.\r\n", before.ask(b"UIDL"))


def test_rfc1939_7_26_identical_copies(holding: Holding) -> None:
    """Identical copies get unique-ids of their own."""
    wire = holding(MESSAGE, MESSAGE)

    assert len(set(uids(wire).values())) == 2


# USER and PASS


def test_rfc1939_7_27_user(before: Wire) -> None:
    """USER for a mailbox that there is is +OK."""
    assert accepted(before.ask(b"USER alice"))


def test_rfc1939_7_28_user_unknown(before: Wire) -> None:
    """USER for an unknown name may be +OK; here it is, so that nobody learns who is known."""
    assert accepted(before.ask(b"USER nobody"))


def test_rfc1939_7_29_right_password(before: Wire) -> None:
    """PASS with the right password leads to the transaction state."""
    before.ask(b"USER alice")

    assert accepted(before.ask(b"PASS secret"))
    assert before.ask(b"STAT").startswith(b"+OK ")


@pytest.mark.parametrize("password", [b"wrong", b"Secret", b"secret ", b" secret", b"hunter2"])
def test_rfc1939_7_30_wrong_password(before: Wire, password: bytes) -> None:
    """PASS with another password is refused."""
    before.ask(b"USER alice")

    assert refused(before.ask(b"PASS " + password))
    assert refused(before.ask(b"STAT"))


def test_rfc1939_7_31_pass_without_user(before: Wire) -> None:
    """PASS without USER is refused."""
    assert refused(before.ask(b"PASS secret"))
    assert refused(before.ask(b"STAT"))


def test_rfc1939_7_32_pass_again_after_a_failure(before: Wire) -> None:
    """PASS after a PASS that failed does not log in, though it be the right one."""
    before.ask(b"USER alice")
    before.ask(b"PASS wrong")

    assert refused(before.ask(b"PASS secret"))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("between", [b"CAPA", b"XYZZ", b"", b"STAT", b"AUTH", b"LANG", b"USER"])
def test_rfc1939_7_33_pass_comes_directly_after_user(before: Wire, between: bytes) -> None:
    """Another command between USER and PASS voids USER."""
    before.ask(b"USER alice")
    before.ask(between)

    assert refused(before.ask(b"PASS secret"))


def test_rfc1939_7_34_user_twice(before: Wire) -> None:
    """After a second USER, the name of the second one counts."""
    before.ask(b"USER alice")
    before.ask(b"USER bob")

    assert refused(before.ask(b"PASS secret"))
    before.ask(b"USER alice")
    assert accepted(before.log_in(b"bob", b"hunter2"))


@pytest.mark.parametrize("password", ["a b", " a", "a ", "  a  b  ", " "])
def test_rfc1939_7_35_spaces_in_a_password(connect: Connect, play: Play, password: str) -> None:
    """All behind PASS and one space is the password, leading and trailing spaces too."""
    wire = connect(play(users={"alice": password}))

    wire.ask(b"USER alice")

    assert accepted(wire.ask(b"PASS " + password.encode()))


@pytest.mark.parametrize("line", [b"PASS", b"PASS "])
@pytest.mark.parametrize("password", ["secret", ""])
def test_rfc1939_7_36_empty_password(
    connect: Connect, play: Play, password: str, line: bytes
) -> None:
    """An empty password is refused, even where the user has none."""
    wire = connect(play(users={"alice": password}))
    wire.ask(b"USER alice")

    assert refused(wire.ask(line))
    assert refused(wire.ask(b"STAT"))


# APOP


def test_rfc1939_7_37_timestamp_in_the_greeting(before: Wire) -> None:
    """A server that has APOP puts a timestamp in its greeting."""
    assert before.greeting.count(b"<") == 1
    assert stamp_of(before.greeting)


def test_rfc1939_7_38_timestamp_is_a_message_id(before: Wire) -> None:
    """The timestamp is a msg-id: local part, @ and domain between angle brackets."""
    atoms = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"

    assert re.fullmatch(b"<" + atoms + b"@" + atoms + b">", stamp_of(before.greeting))


def test_rfc1939_7_39_timestamps_differ(connect: Connect, server: MockServer, play: Play) -> None:
    """The timestamp differs at every greeting, also from that of another server."""
    stamps = {stamp_of(connect(each).greeting) for each in [server] * 20 + [play(), play()]}

    assert len(stamps) == 22


def test_rfc1939_7_40_right_digest(before: Wire) -> None:
    """APOP with the right digest leads to the transaction state."""
    digest = apop_digest(stamp_of(before.greeting))

    assert accepted(before.ask(b"APOP alice " + digest))
    assert before.ask(b"STAT").startswith(b"+OK ")


def test_rfc1939_7_41_wrong_digest(before: Wire) -> None:
    """APOP with another digest is refused, and the session stays in the authorization state."""
    digest = apop_digest(stamp_of(before.greeting))
    wrong = digest[:-1] + (b"1" if digest.endswith(b"0") else b"0")

    assert refused(before.ask(b"APOP alice " + wrong))
    assert refused(before.ask(b"APOP bob " + digest))
    assert refused(before.ask(b"APOP nobody " + digest))
    assert refused(before.ask(b"STAT"))
    assert accepted(before.log_in())


def test_rfc1939_7_42_replayed_digest(connect: Connect, server: MockServer) -> None:
    """A digest of another connection's timestamp is refused."""
    digest = apop_digest(stamp_of(connect(server).greeting))

    assert refused(connect(server).ask(b"APOP alice " + digest))


@pytest.mark.parametrize(
    "arguments", [b"", b" ", b" alice", b" alice zz", b" alice 0 0", b" a b c d"]
)
def test_rfc1939_7_43_malformed_apop(before: Wire, arguments: bytes) -> None:
    """APOP with missing or malformed arguments is refused."""
    assert refused(before.ask(b"APOP" + arguments))
    assert accepted(before.log_in())


def test_rfc1939_7_44_apop_without_a_timestamp(connect: Connect, play: Play) -> None:
    """Without a timestamp in the greeting there is no APOP."""
    wire = connect(play("server: {greeting: hello}"))

    assert b"<" not in wire.greeting
    for digest in (b"0" * 32, apop_digest(b""), apop_digest(b"<>")):
        assert refused(wire.ask(b"APOP alice " + digest))
