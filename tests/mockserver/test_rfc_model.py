"""Random sessions, legal and illegal, against a small model of RFC 1939 that shares no code."""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from pop3mock import MockServer
from pop3mock._actions import End, Send, Trickle
from pop3mock._flow import held
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pop3mock._session import Session

#: Making a failing example small takes a while.
pytestmark = [pytest.mark.timeout(600), pytest.mark.once]

SCENARIO = """\
pop3: 1
name: model
summary: what RFC 1939 says, and CAPA
server:
  greeting: ready {stamp}
  capabilities: [TOP, UIDL, USER, PIPELINING]
  users: {alice: secret, bob: two words}
maildrop: []
tls: {mode: none}
"""
PASSWORDS = {b"alice": b"secret", b"bob": b"two words"}
USERS = st.sampled_from(sorted(PASSWORDS))

#: A unique-id: 1 to 70 characters from 0x21 to 0x7E (section 7).
UID = re.compile(rb"[\x21-\x7e]{1,70}")

#: The longest line of an answer that is no mail (section 3).
LONGEST = 512


# The model


class Stream(Protocol):
    """Where the answers come from."""

    def line(self) -> bytes:
        """The next line, with its CRLF."""
        ...


@dataclass(eq=False)
class Mail:
    """A message: its octets, and its unique-id once the server has told it."""

    octets: bytes
    uid: bytes = b""

    def top(self, count: int) -> set[bytes]:
        """Header, empty line and so many lines of the body; without a body it may be added."""
        lines = self.octets.split(b"\r\n")[:-1]
        if b"" not in lines:
            return {self.octets, self.octets + b"\r\n"}
        end = lines.index(b"") + 1 + count
        return {b"".join(line + b"\r\n" for line in lines[:end])}


@dataclass
class Box:
    """A maildrop: what is in it, and the connection that has it."""

    mails: list[Mail] = field(default_factory=list)
    holder: Peer | None = None


class Peer:
    """What RFC 1939 makes of one connection."""

    def __init__(self, boxes: dict[bytes, Box], greeting: bytes) -> None:
        found = re.fullmatch(rb"\+OK .*(<[^<>@ ]+@[^<>@ ]+>)\r\n", greeting)
        assert found, greeting
        self.stamp = found[1]
        self.state = "authorization"
        self._boxes = boxes
        self._name = b""
        self._box = Box()
        self._view: list[Mail] = []
        self._marked: set[int] = set()

    def hear(self, line: bytes, stream: Stream) -> None:
        """Hold the answer to one command, the next in the stream, to the RFC."""
        if self.state == "over":
            return  # what stands behind QUIT is not answered
        # Section 7: PASS must follow directly upon a USER that succeeded.
        name, self._name = self._name, b""
        keyword, *arguments = line.split(b" ")
        command = keyword.upper().decode("latin-1")
        if command == "PASS":
            # Section 7: the password is all that stands behind the first space.
            arguments = [line[len("PASS ") :]] if arguments else []
        state, counts = COMMANDS.get(command, ("none", ()))
        valid = state in ("both", self.state) and len(arguments) in counts and b"" not in arguments
        if not valid:
            refused(stream)
        elif command == "PASS":
            self._pass(name, arguments[0], stream)
        else:
            getattr(self, "_" + command.lower())(*arguments, stream)

    def drop(self) -> None:
        """The connection is gone without QUIT: nothing is removed (section 6)."""
        self._leave()

    def _leave(self) -> None:
        if self._box.holder is self:
            self._box.holder = None
        self.state = "over"

    def _enter(self, user: bytes, stream: Stream) -> None:
        box = self._boxes[user]
        if box.holder is not None:  # section 4: the exclusive-access lock
            refused(stream)
            return
        accepted(stream)
        box.holder, self._box = self, box
        self._view, self._marked = list(box.mails), set()
        self.state = "transaction"

    def _user(self, name: bytes, stream: Stream) -> None:
        # Section 7: +OK may come for a mailbox that does not exist.
        if name in PASSWORDS:
            accepted(stream)
            self._name = name
        else:
            status(stream)

    def _pass(self, name: bytes, password: bytes, stream: Stream) -> None:
        if name and PASSWORDS[name] == password:
            self._enter(name, stream)
        else:
            refused(stream)

    def _apop(self, user: bytes, digest: bytes, stream: Stream) -> None:
        if digest == self.digest(user):
            self._enter(user, stream)
        else:
            refused(stream)

    def digest(self, user: bytes) -> bytes:
        """The right digest of a user; none for one who does not exist."""
        if user not in PASSWORDS:
            return b""
        return hashlib.md5(self.stamp + PASSWORDS[user]).hexdigest().encode()

    def _quit(self, stream: Stream) -> None:
        accepted(stream)
        gone = {id(self._view[number - 1]) for number in self._marked}
        self._box.mails = [mail for mail in self._box.mails if id(mail) not in gone]
        self._leave()

    def _capa(self, stream: Stream) -> None:
        accepted(stream)
        assert {b"TOP", b"UIDL", b"USER"} <= set(data(stream).split(b"\r\n"))

    def _noop(self, stream: Stream) -> None:
        accepted(stream)

    def _rset(self, stream: Stream) -> None:
        accepted(stream)
        self._marked.clear()

    def _stat(self, stream: Stream) -> None:
        sizes = [len(mail.octets) for _, mail in self._present()]
        assert accepted(stream).split(b" ")[:2] == [b"%d" % len(sizes), b"%d" % sum(sizes)]

    def _list(self, *arguments: bytes | Stream) -> None:
        self._listing(arguments, lambda mail, told: int(told) == len(mail.octets))

    def _uidl(self, *arguments: bytes | Stream) -> None:
        self._listing(arguments, self._is_uid)

    def _retr(self, number: bytes, stream: Stream) -> None:
        mail = self._mail(number)
        if mail is None:
            refused(stream)
        else:
            accepted(stream)
            assert data(stream) == mail.octets

    def _top(self, number: bytes, count: bytes, stream: Stream) -> None:
        mail = self._mail(number)
        if mail is None or not count.isdigit():
            refused(stream)
        else:
            accepted(stream)
            assert data(stream) in mail.top(int(count))

    def _dele(self, number: bytes, stream: Stream) -> None:
        if self._mail(number) is None:
            refused(stream)
        else:
            accepted(stream)
            self._marked.add(int(number))

    def _present(self) -> list[tuple[int, Mail]]:
        return [(n, m) for n, m in enumerate(self._view, 1) if n not in self._marked]

    def _mail(self, number: bytes) -> Mail | None:
        """The message of a number, unless there is none or it is marked (section 5)."""
        return dict(self._present()).get(int(number)) if number.isdigit() else None

    def _listing(
        self, arguments: tuple[bytes | Stream, ...], right: Callable[[Mail, bytes], bool]
    ) -> None:
        """LIST and UIDL: one message in one line, or all that are not marked in many."""
        *numbers, stream = arguments
        assert not isinstance(stream, bytes)
        wanted, told = dict(self._present()), []
        if numbers:
            assert isinstance(numbers[0], bytes)
            if self._mail(numbers[0]) is None:
                refused(stream)
                return
            wanted = {int(numbers[0]): wanted[int(numbers[0])]}
            told = [accepted(stream)]
        else:
            accepted(stream)
            told = data(stream).split(b"\r\n")[:-1]
        listing = dict(line.split(b" ") for line in told)
        assert [int(number) for number in listing] == list(wanted)
        assert all(right(m, t) for m, t in zip(wanted.values(), listing.values(), strict=True))

    def _is_uid(self, mail: Mail, told: bytes) -> bool:
        """Whether a unique-id is one, is the message's for ever, and is no other's (section 7)."""
        if not mail.uid:
            others = {m.uid for m in self._box.mails if m.octets != mail.octets}
            assert UID.fullmatch(told)
            assert told not in others
            mail.uid = told
        return mail.uid == told


#: Each command: the state to which it belongs, and how many arguments it may have.
COMMANDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "USER": ("authorization", (1,)),
    "PASS": ("authorization", (1,)),
    "APOP": ("authorization", (2,)),
    "QUIT": ("both", (0,)),
    "CAPA": ("both", (0,)),
    "STAT": ("transaction", (0,)),
    "LIST": ("transaction", (0, 1)),
    "UIDL": ("transaction", (0, 1)),
    "RETR": ("transaction", (1,)),
    "TOP": ("transaction", (2,)),
    "DELE": ("transaction", (1,)),
    "NOOP": ("transaction", (0,)),
    "RSET": ("transaction", (0,)),
}


def status(stream: Stream) -> bytes:
    """A status line of whichever kind."""
    line = stream.line()
    assert line.startswith((b"+OK ", b"+OK\r\n", b"-ERR ", b"-ERR\r\n")), line
    assert len(line) <= LONGEST
    return line


def accepted(stream: Stream) -> bytes:
    """The text of a positive status line."""
    line = status(stream)
    assert line.startswith(b"+OK"), line
    return line[len(b"+OK ") :].removesuffix(b"\r\n")


def refused(stream: Stream) -> None:
    """A negative status line."""
    line = status(stream)
    assert line.startswith(b"-ERR"), line


def data(stream: Stream) -> bytes:
    """What stands between a status line and the terminating dot, unstuffed (section 3)."""
    lines = []
    while (line := stream.line()) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


# What is said

NUMBERS = st.sampled_from([b"1", b"2", b"3", b"4", b"0", b"9"])
PLAIN = st.sampled_from([b"STAT", b"LIST", b"UIDL", b"NOOP", b"RSET", b"CAPA"])
ABOUT_ONE = st.builds(
    b"%b %b".__mod__,
    st.tuples(st.sampled_from([b"LIST", b"UIDL", b"RETR", b"DELE"]), NUMBERS),
)
TOP = st.builds(b"TOP %b %b".__mod__, st.tuples(NUMBERS, NUMBERS))
LOGIN = st.sampled_from(
    [b"USER alice", b"USER bob", b"USER nobody", b"PASS secret", b"PASS two words", b"PASS wrong",
     b"PASS  secret", b"PASS secret ", b"APOP alice c4c9334bac560ecc979e58001b3e22fb"]
)  # fmt: skip
ILLEGAL = st.sampled_from(
    [b"", b" ", b"\t", b" NOOP", b"NOOP ", b"NOOP 1", b"STAT 1", b"LIST ", b"LIST 1 2", b"LIST x",
     b"RETR", b"RETR ", b"RETR  1", b"RETR 1 ", b"RETR\t1", b"RETR -1", b"RETR +1", b"RETR 1x",
     b"RETR \xd9\xa1", b"RETR 99999999999999999999999", b"DELE", b"DELE 1 2", b"DELE 1.0",
     b"TOP 1", b"TOP 1 -1", b"TOP 1 x", b"TOP 1 2 3", b"UIDL 1 2", b"UIDL *", b"RSET 1", b"CAPA 1",
     b"USER", b"USER ", b"USER alice bob", b"PASS", b"PASS ", b"APOP", b"APOP alice", b"QUIT now",
     b"XTND", b"HELP", b"LAST", b"STLS", b"AUTH", b"GREETING", b"RESPONSE x", b"PARTIAL",
     b"+OK", b"-ERR", b".", b"..", b"{n}", b"RETR {n}", b"<close>", b"\xff\xfe", b"\0"]
)  # fmt: skip
CASES = st.sampled_from([bytes.upper, bytes.lower, bytes.swapcase, bytes.title])


def cased(line: bytes, case: Callable[[bytes], bytes]) -> bytes:
    """A line with its keyword in another case (section 3)."""
    keyword, space, rest = line.partition(b" ")
    return case(keyword) + space + rest


LINES = st.builds(cased, st.one_of(PLAIN, ABOUT_ONE, ABOUT_ONE, TOP, LOGIN, ILLEGAL), CASES)
BUNDLES = st.lists(LINES, min_size=1, max_size=8)
WORK = st.lists(st.one_of(PLAIN, ABOUT_ONE, TOP), min_size=6, max_size=12)

#: Where a stream of octets is cut: most pieces are small, so that every place is cut.
CUTS = st.lists(st.integers(1, 9), max_size=40)

#: Lines of mail: dots in front, empty lines, octets that are no text, a CR that ends nothing.
MAIL_LINES = st.one_of(
    st.sampled_from([b"", b".", b"..", b".x", b"a: b", b"\r", b"\r.", b"\xff\0"]),
    st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")),
)
MAILS = st.lists(MAIL_LINES, max_size=8).map(
    lambda lines: b"".join(line.rstrip(b"\r") + b"\r\n" for line in lines)
)


def pieces(octets: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Octets, cut into pieces of these sizes and the rest."""
    cut, at = [], 0
    for size in sizes:
        cut.append(octets[at : at + size])
        at += size
    return [piece for piece in (*cut, octets[at:]) if piece]


# The server


class Heard:
    """A session without a socket, and what it has said."""

    def __init__(self, server: MockServer) -> None:
        self.session: Session = server.session()
        self.octets = bytearray()
        self.ended = False
        self._do(self.session.connected())

    def send(self, octets: bytes) -> None:
        """The client says something."""
        self._do(self.session.receive(octets))

    def _do(self, actions: Iterable[object]) -> None:
        for action in actions:
            if isinstance(action, (Send, Trickle)):
                assert not self.ended
                self.octets += held([action.data])
            else:
                assert action == End("close")
                self.ended = True

    def line(self) -> bytes:
        """The next line of what it has said."""
        end = self.octets.index(b"\r\n") + 2
        line = bytes(self.octets[:end])
        del self.octets[:end]
        return line

    def at_end(self) -> bool:
        """Whether the server has ended the connection."""
        return self.ended

    def quiet(self) -> bool:
        """Whether nothing more stands there than was asked for."""
        return not self.octets

    def close(self) -> None:
        """The connection is gone."""
        self.session.lost()


class Connected:
    """A connection over a real socket."""

    def __init__(self, server: MockServer) -> None:
        self._server = server
        self._socket = socket.create_connection((server.host, server.port), 5)
        self._file = self._socket.makefile("rb")

    def send(self, octets: bytes) -> None:
        """The client says something."""
        self._socket.sendall(octets)

    def line(self) -> bytes:
        """The next line that comes."""
        line = self._file.readline()
        if not line.endswith(b"\r\n"):  # mail may have a bare LF nowhere
            raise EOFError(line)
        return line

    def at_end(self) -> bool:
        """Whether the server has ended the connection."""
        return self._file.read(1) == b""

    def quiet(self) -> bool:
        """Asked after each bundle; an answer too many would be read by the next command."""
        return True

    def close(self) -> None:
        """Go away, and let the server hear of it."""
        self._file.close()
        self._socket.close()
        self._server.settle()


#: A client: its connection, and what the RFC makes of it.
Client = tuple[Heard | Connected, Peer]


class Sessions(RuleBasedStateMachine):
    """Several clients on one server, at the same time."""

    peers = Bundle("peers")
    server: MockServer

    @initialize(mails=st.lists(st.tuples(USERS, MAILS), min_size=2, max_size=8))
    def begin(self, mails: list[tuple[bytes, bytes]]) -> None:
        """A server with two users and some mail."""
        self.server = MockServer(loads(SCENARIO))
        self.boxes = {user: Box() for user in PASSWORDS}
        self.open: list[Heard | Connected] = []
        for user, octets in mails:
            self.deliver(user, octets)

    def connection(self) -> Heard | Connected:
        """A new connection."""
        return Heard(self.server)

    @rule(target=peers)
    def connect(self) -> Client:
        """A client comes, and is greeted."""
        return self.greeted()

    def greeted(self) -> Client:
        """A client that has come."""
        wire = self.connection()
        self.open.append(wire)
        return wire, Peer(self.boxes, wire.line())

    def logged_in(self, user: bytes) -> Client:
        """A client that has come and logged in, if the maildrop is free."""
        client = self.greeted()
        self.say(client, [b"USER " + user, b"PASS " + PASSWORDS[user]], [])
        return client

    @rule(target=peers, user=USERS)
    def come(self, user: bytes) -> Client:
        """A client comes and logs in, if the maildrop is free."""
        return self.logged_in(user)

    @rule(client=peers, lines=BUNDLES, cuts=CUTS)
    def say(self, client: Client, lines: list[bytes], cuts: list[int]) -> None:
        """A client says some things in one go, and the answers come in their order."""
        wire, model = client
        for piece in pieces(b"".join(line + b"\r\n" for line in lines), cuts):
            wire.send(piece)
        for line in lines:
            model.hear(line, wire)
        assert wire.quiet()
        assert model.state != "over" or wire.at_end()

    @rule(target=peers, user=USERS, lines=WORK)
    def work(self, user: bytes, lines: list[bytes]) -> Client:
        """A client does what a session is for."""
        client = self.logged_in(user)
        self.say(client, lines, [])
        return client

    @rule(client=peers, user=USERS, mangle=st.booleans(), cuts=CUTS)
    def log_in(self, client: Client, user: bytes, mangle: bool, cuts: list[int]) -> None:
        """A client logs in by USER and PASS; now and then something comes between them."""
        between = [b"CAPA"] if mangle else []
        self.say(client, [b"USER " + user, *between, b"PASS " + PASSWORDS[user]], cuts)

    @rule(client=peers, user=st.sampled_from([b"alice", b"bob", b"nobody"]), right=st.booleans())
    def apop(self, client: Client, user: bytes, right: bool) -> None:
        """A client logs in by APOP, or tries to."""
        digest = client[1].digest(user) if right else b"0" * 32
        self.say(client, [b"APOP " + user + b" " + digest], [])

    @rule(client=consumes(peers), behind=st.lists(LINES, max_size=2))
    def leave(self, client: Client, behind: list[bytes]) -> None:
        """A client says QUIT; what stands behind it in the same segment is not heard."""
        self.say(client, [b"QUIT", *behind], [])

    @rule(client=consumes(peers))
    def vanish(self, client: Client) -> None:
        """A client goes away without QUIT."""
        wire, model = client
        wire.close()
        model.drop()

    @rule(user=USERS, octets=MAILS)
    def deliver(self, user: bytes, octets: bytes) -> None:
        """Mail comes; sessions that are open do not see it."""
        self.server.deliver(octets, user=user.decode())
        self.boxes[user].mails.append(Mail(octets))

    @invariant()
    def maildrops_agree(self) -> None:
        """What is in the maildrops, and who has them, is as it should be."""
        for user, box in getattr(self, "boxes", {}).items():
            maildrop = self.server.maildrops[user.decode()]
            assert list(maildrop) == [mail.octets for mail in box.mails]
            assert maildrop.locked == (box.holder is not None)

    def teardown(self) -> None:
        """Everybody leaves."""
        for wire in getattr(self, "open", []):
            wire.close()


class Connections(Sessions):
    """The same through real sockets."""

    @initialize(mails=st.lists(st.tuples(USERS, MAILS), min_size=2, max_size=8))
    def begin(self, mails: list[tuple[bytes, bytes]]) -> None:
        """A server that listens."""
        super().begin(mails)
        self.server.start()

    def connection(self) -> Connected:
        """A new connection."""
        return Connected(self.server)

    def teardown(self) -> None:
        """Everybody leaves, and the server stops."""
        super().teardown()
        if hasattr(self, "server"):
            self.server.stop()


def quietly(examples: int, steps: int) -> settings:
    """How often to play, and how long; nothing depends on the time it takes."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


Sessions.TestCase.settings = quietly(100, 30)
Connections.TestCase.settings = quietly(20, 25)
TestSessions = Sessions.TestCase
TestConnections = Connections.TestCase


# Segments


def answers(octets: Iterable[bytes]) -> bytes:
    """All that a fresh server says to octets that come in these pieces."""
    server = MockServer(loads(SCENARIO.replace(" {stamp}", "")))
    for mail in (b"a: b\r\n\r\n.\r\n..x\r\n", b"", b".\r\n"):
        server.deliver(mail)
    heard = Heard(server)
    for piece in octets:
        heard.send(piece)
    heard.close()
    return bytes(heard.octets)


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, max_size=12), st.booleans(), CUTS)
def test_segments_make_no_difference(lines: list[bytes], logged_in: bool, cuts: list[int]) -> None:
    """However a stream is cut, down to single octets, the same octets come out (section 3)."""
    login = [b"USER alice", b"PASS secret"] if logged_in else []
    octets = b"".join(line + b"\r\n" for line in (*login, *lines, b"QUIT"))

    whole = answers([octets])

    assert answers(pieces(octets, cuts)) == whole
    assert answers(bytes([octet]) for octet in octets) == whole
