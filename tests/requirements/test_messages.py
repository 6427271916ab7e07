"""RETR, the framing of several lines, DELE, NOOP, RSET, and the UPDATE state."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import accepted, data_of, lines_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3mock import MockServer

    from ._wire import Line, Wire
    from .conftest import Connect, Dial, Holding, Play

HEAD = b"Subject: x\r\n\r\n"
GREETED = (b"", b"+OK ready\r\n")
DOTS = HEAD + b".\r\n..\r\n.x\r\n...\r\nend\r\n.\r\n"


# Framing


def test_rfc1939_3_39_terminator(tour: list[Tape], wire: Wire) -> None:
    """A response of several lines ends in CRLF, dot, CRLF."""
    for line in (b"LIST", b"UIDL", b"CAPA", b"RETR 1", b"TOP 1 0"):
        assert wire.ask(line).endswith(b"\r\n.\r\n")

    assert breaches("RFC1939-3-39", *tour) == []
    assert breaches("RFC1939-3-39", Tape.of(GREETED, (b"LIST\r\n", b"+OK\r\n1 2\r\n.\n")))
    assert breaches("RFC1939-3-39", Tape.of(GREETED, (b"LIST\r\n", b"+OK\r\n1 2\r\n")))


@pytest.mark.parametrize("command", [b"RETR 1", b"TOP 1 99"])
def test_rfc1939_3_40_stuffing(holding: Holding, command: bytes) -> None:
    """A data line that begins with a dot gets one more."""
    said = holding(DOTS).ask(command)

    stuffed = HEAD + b"..\r\n...\r\n..x\r\n....\r\nend\r\n..\r\n.\r\n"
    assert said.partition(b"\r\n")[2] == stuffed
    assert data_of(said) == DOTS


@pytest.mark.parametrize("message", [b".a: b\r\n.c: d\r\n\r\nx\r\n", b".\r\n", b".", b"a: b\n.c"])
def test_rfc1939_3_41_stuffing_of_the_header(holding: Holding, message: bytes) -> None:
    """A header line is stuffed too, and so is the very first one."""
    said = holding(message).ask(b"RETR 1").partition(b"\r\n")[2]

    assert said.startswith(b".." if message.startswith(b".") else b"a")
    lines = said.split(b"\r\n")[:-2]
    assert all(line.startswith(b"..") for line in lines if line.startswith(b"."))


def test_rfc1939_3_42_nothing_follows_the_terminator(tour: list[Tape], wire: Wire) -> None:
    """What follows a terminator is the next command's reply."""
    said = wire.send(b"RETR 1\r\nNOOP\r\n")

    assert said.endswith(b"\r\n.\r\n+OK\r\n")
    assert breaches("RFC1939-3-42", *tour) == []
    surplus = b"+OK\r\n.\r\n1 2\r\n.\r\n"
    assert breaches("RFC1939-3-42", Tape.of(GREETED, (b"LIST\r\n", surplus)))


@pytest.mark.parametrize("line", [b"RETR 9", b"LIST 9", b"UIDL 9", b"TOP 9 0"])
def test_rfc1939_3_43_refusal_is_one_line(wire: Wire, line: bytes) -> None:
    """A command of several lines that is refused has one line, and no terminator."""
    said = wire.send(line + b"\r\nNOOP\r\n").splitlines(keepends=True)

    assert refused(said[0])
    assert said[1:] == [b"+OK\r\n"]


@pytest.mark.parametrize("message", [HEAD + b"no end", HEAD + b".", b"Subject: x", b"x\r"])
def test_rfc1939_3_44_message_without_final_newline(holding: Holding, message: bytes) -> None:
    """A message without a final newline still ends in CRLF, dot, CRLF."""
    wire = holding(message)

    for line in (b"RETR 1", b"TOP 1 9"):
        assert wire.ask(line).endswith(b"\r\n.\r\n")
    assert wire.ask(b"NOOP") == b"+OK\r\n"


# RETR


def test_rfc1939_5_20_retr_gives_the_whole_message(holding: Holding) -> None:
    """RETR is +OK and the whole message."""
    message = HEAD + b"one\r\n\r\ntwo\r\n"

    said = holding(message).ask(b"RETR 1")

    assert said.startswith(b"+OK")
    assert data_of(said) == message


def test_rfc1939_5_21_retr_of_no_message(wire: Wire) -> None:
    """RETR of no message is refused."""
    assert refused(wire.ask(b"RETR 5"))


def test_rfc1939_5_22_retr_of_a_marked_message(wire: Wire) -> None:
    """RETR of a marked message is refused."""
    wire.ask(b"DELE 1")

    assert refused(wire.ask(b"RETR 1"))


def test_rfc1939_5_23_retr_twice(wire: Wire) -> None:
    """RETR gives the same octets each time."""
    assert wire.ask(b"RETR 1") == wire.ask(b"RETR 1")


def test_rfc1939_5_24_big_message_to_a_slow_reader(dial: Dial, play: Play) -> None:
    """A message of 1 MiB comes whole to a reader that takes little at a time."""
    message = HEAD + (b"." + b"y" * 77 + b"\r\n") * 13_200
    line = dial(play("", message), narrow=True)
    line.log_in()

    status = line.ask(b"RETR 1")
    said = line.until(b"\r\n.\r\n", piece=4096)

    assert len(message) > 1 << 20
    assert status == b"+OK %d octets\r\n" % len(message)
    assert data_of(status + said) == message
    assert line.ask(b"NOOP") == b"+OK\r\n"


def test_rfc1939_5_25_long_line(holding: Holding) -> None:
    """A line of 10,000 octets is neither folded nor cut."""
    message = HEAD + b"y" * 10_000 + b"\r\n"

    assert data_of(holding(message).ask(b"RETR 1")) == message


def test_rfc1939_5_26_eight_bit_octets(holding: Holding) -> None:
    """Octets of 8 bits in a body pass unchanged."""
    message = HEAD + bytes(range(0x80, 0x100)) + b"\r\n"

    assert data_of(holding(message).ask(b"RETR 1")) == message


def test_rfc1939_5_27_nul_and_bare_cr(holding: Holding) -> None:
    """NUL and a bare CR come out of the default server as they are stored."""
    message = HEAD + b"a\0b\r\na\rb\r\n"

    assert data_of(holding(message).ask(b"RETR 1")) == message


def test_rfc1939_5_28_blank_lines_and_from_survive(holding: Holding) -> None:
    """Blank lines at the end, and lines that begin with From, survive."""
    message = HEAD + b"From here\r\n>From there\r\n\r\n\r\n\r\n"

    assert data_of(holding(message).ask(b"RETR 1")) == message


# DELE, NOOP, RSET


def test_rfc1939_5_29_dele_marks(wire: Wire) -> None:
    """DELE is +OK, and the message is marked."""
    said = wire.ask(b"DELE 1")

    assert accepted(said)
    assert wire.ask(b"STAT").startswith(b"+OK 3 ")


def test_rfc1939_5_30_dele_of_a_marked_message(wire: Wire) -> None:
    """DELE of a marked message is refused."""
    wire.ask(b"DELE 1")

    assert refused(wire.ask(b"DELE 1"))
    assert wire.ask(b"STAT").startswith(b"+OK 3 ")


@pytest.mark.parametrize("number", [b"5", b"0"])
def test_rfc1939_5_31_dele_of_no_message(wire: Wire, number: bytes) -> None:
    """DELE of no message is refused."""
    assert refused(wire.ask(b"DELE " + number))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("command", [b"LIST 1", b"RETR 1", b"DELE 1", b"TOP 1 0", b"UIDL 1"])
def test_rfc1939_5_32_marked_number_is_an_error(wire: Wire, command: bytes) -> None:
    """Every later reference to a marked message is refused."""
    wire.ask(b"DELE 1")

    assert refused(wire.ask(command))


def test_rfc1939_5_33_numbers_do_not_shift(wire: Wire) -> None:
    """After DELE the other messages keep their numbers."""
    asked = (b"LIST 2", b"UIDL 2", b"RETR 2")
    first = [wire.ask(line) for line in asked]

    wire.ask(b"DELE 1")

    assert [wire.ask(line) for line in asked] == first
    assert lines_of(wire.ask(b"LIST"))[0].startswith(b"2 ")


def test_rfc1939_5_34_nothing_is_removed_before_update(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """DELE alone removes nothing."""
    uids = wire.ask(b"UIDL")

    wire.ask(b"DELE 1")
    wire.lose()

    assert enter(server).ask(b"UIDL") == uids


def test_rfc1939_5_35_noop(wire: Wire) -> None:
    """NOOP is +OK."""
    assert accepted(wire.ask(b"NOOP"))


def test_rfc1939_5_36_noop_does_nothing_else(wire: Wire) -> None:
    """Marks survive NOOP."""
    wire.ask(b"DELE 1")

    wire.ask(b"NOOP")

    assert refused(wire.ask(b"LIST 1"))


def test_rfc1939_5_37_rset_takes_all_marks_back(wire: Wire) -> None:
    """RSET is +OK, and no message is marked any more."""
    stat = wire.ask(b"STAT")
    wire.send(b"DELE 1\r\nDELE 2\r\n")

    said = wire.ask(b"RSET")

    assert accepted(said)
    assert wire.ask(b"STAT") == stat


def test_rfc1939_5_38_rset_with_nothing_marked(wire: Wire) -> None:
    """RSET is +OK also where nothing is marked."""
    assert accepted(wire.ask(b"RSET"))


def test_rfc1939_5_39_message_is_back_after_rset(wire: Wire) -> None:
    """After RSET the message is there under the same number."""
    asked = (b"LIST 1", b"RETR 1")
    first = [wire.ask(line) for line in asked]

    wire.send(b"DELE 1\r\nRSET\r\n")

    assert [wire.ask(line) for line in asked] == first


def test_rfc1939_5_40_rset_keeps_the_view(server: MockServer, wire: Wire) -> None:
    """RSET keeps numbers and maildrop, though mail has arrived."""
    uids = wire.ask(b"UIDL")
    server.deliver(b"Subject: late\r\n\r\n")

    wire.send(b"DELE 1\r\nRSET\r\n")

    assert wire.ask(b"UIDL") == uids


# UPDATE


def test_rfc1939_6_01_quit_has_one_reply(wire: Wire) -> None:
    """QUIT after login has one reply, +OK."""
    assert accepted(wire.ask(b"QUIT"))


def test_rfc1939_6_02_quit_closes(dial: Dial, server: MockServer) -> None:
    """After QUIT the server closes by FIN, and its reply can be read."""
    line = dial(server)
    line.log_in()

    line.send(b"QUIT\r\n")

    assert accepted(line.rest())


def test_rfc1939_6_03_quit_removes_marked_messages(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """QUIT removes the marked messages."""
    uid = wire.ask(b"UIDL 2").split()[2]

    wire.send(b"DELE 2\r\nQUIT\r\n")

    assert uid not in enter(server).ask(b"UIDL")
    assert len(server.maildrop) == 3


def test_rfc1939_6_04_quit_removes_no_other(enter: Connect, server: MockServer, wire: Wire) -> None:
    """QUIT removes no message that is not marked."""
    uids = [line.split()[1] for line in lines_of(wire.ask(b"UIDL"))]

    wire.send(b"DELE 2\r\nQUIT\r\n")

    left = [line.split()[1] for line in lines_of(enter(server).ask(b"UIDL"))]
    assert left == [uids[0], *uids[2:]]


def test_rfc1939_6_05_next_session_numbers_anew(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """The next session numbers what is left from 1."""
    wire.send(b"DELE 1\r\nDELE 3\r\nQUIT\r\n")

    listing = lines_of(enter(server).ask(b"LIST"))

    assert [line.split()[0] for line in listing] == [b"1", b"2"]


def _fin(line: Line) -> None:
    line.close()


def _rst(line: Line) -> None:
    line.reset()


def _half_close(line: Line) -> None:
    line.half_close()
    assert line.rest() == b""


def _ends_without_quit(dial: Dial, server: MockServer, end: Callable[[Line], None]) -> None:
    line = dial(server)
    line.log_in()
    line.ask(b"DELE 1")

    end(line)
    server.wait_closed()

    assert len(server.maildrop) == 4
    assert dial(server).log_in().startswith(b"+OK ")


def test_rfc1939_6_06_fin_removes_nothing(dial: Dial, server: MockServer) -> None:
    """A connection that the client closes without QUIT removes nothing."""
    _ends_without_quit(dial, server, _fin)


def test_rfc1939_6_07_rst_removes_nothing(dial: Dial, server: MockServer) -> None:
    """A connection that the client resets removes nothing."""
    _ends_without_quit(dial, server, _rst)


def test_rfc1939_6_08_half_close_removes_nothing(dial: Dial, server: MockServer) -> None:
    """A client that says no more without QUIT removes nothing."""
    _ends_without_quit(dial, server, _half_close)


def test_rfc1939_6_09_cut_tls_removes_nothing(dial: Dial, play: Play) -> None:
    """A TLS connection that goes down without close_notify removes nothing."""
    server = play(tls="implicit")
    line = dial(server, server.client_context())
    line.log_in()
    line.ask(b"DELE 1")

    socket.socket(fileno=line.socket.detach()).close()
    server.wait_closed()

    assert len(server.maildrop) == 4


def test_rfc1939_6_10_rset_before_quit(server: MockServer, wire: Wire) -> None:
    """DELE, RSET, QUIT removes nothing."""
    wire.send(b"DELE 1\r\nRSET\r\nQUIT\r\n")

    assert len(server.maildrop) == 4


def test_rfc1939_6_11_input_after_quit(dial: Dial, server: MockServer) -> None:
    """What stands behind QUIT is not executed: one reply, then the end."""
    line = dial(server)
    line.log_in()

    line.send(b"DELE 1\r\nQUIT\r\nDELE 2\r\nNOOP\r\n")

    assert accepted(line.line())
    assert accepted(line.rest())
    assert len(server.maildrop) == 3


def test_rfc1939_6_12_quit_is_not_refused(tour: list[Tape]) -> None:
    """QUIT may be refused when a removal failed, and then closes; here none ever fails."""
    refusal = Tape.of(GREETED, (b"QUIT\r\n", b"-ERR some deleted messages not removed\r\n"))

    assert breaches("RFC1939-6-12", *tour) == []
    assert breaches("RFC1939-6-12", refusal)


def test_rfc1939_6_13_deleting_all(enter: Connect, server: MockServer, wire: Wire) -> None:
    """Deleting all messages leaves the maildrop empty."""
    wire.send(b"DELE 1\r\nDELE 2\r\nDELE 3\r\nDELE 4\r\n")
    assert wire.ask(b"STAT") == b"+OK 0 0\r\n"

    wire.ask(b"QUIT")

    assert enter(server).ask(b"STAT") == b"+OK 0 0\r\n"


def test_rfc1939_8_01_retrieved_messages_stay(
    enter: Connect, server: MockServer, wire: Wire
) -> None:
    """A site may remove what was retrieved at QUIT; the default server does not."""
    stat = wire.ask(b"STAT")

    wire.send(b"RETR 1\r\nRETR 2\r\nQUIT\r\n")

    assert enter(server).ask(b"STAT") == stat


@pytest.mark.parametrize("expire", ["NEVER", "0"])
def test_rfc1939_8_02_nothing_is_removed_without_quit(
    enter: Connect, play: Play, expire: str
) -> None:
    """Whatever the policy, a session that ends without QUIT removes nothing."""
    server = play(f"server: {{capabilities: [-EXPIRE, +EXPIRE {expire}]}}")
    wire = enter(server)

    wire.ask(b"RETR 1")
    wire.lose()

    assert len(server.maildrop) == 4
