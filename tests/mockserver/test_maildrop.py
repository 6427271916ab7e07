"""Maildrops: what is in them, under which unique-ids, and how it gets to the wire."""

from __future__ import annotations

import mailbox
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3mock import MockServer
from pop3mock._actions import End, Send
from pop3mock._flow import AT_ONCE, Flow, beginning, chunks_of, held, joined, sized
from pop3mock._message import StoredMessage, Text
from pop3scenarios import Mail, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import RawClient

#: Lines that make a message larger than what is sent at once.
BIG_ENOUGH = 40_000

HEAD = "pop3: 1\nname: test\nsummary: test\nmaildrop:\n"
MBOX = b"From a\nSubject: 1\n\none\n\nFrom b\nSubject: 2\n\ntwo\n\nFrom c\nSubject: 1\n\none\n\n"


def serve(items: str) -> MockServer:
    """A server with these entries in its maildrop; it need not be started to be talked to."""
    return MockServer(loads(HEAD + items))


def talk(server: MockServer, commands: str = "", *, leave: bool = True) -> list[str]:
    """The answers to one session's commands, line by line; it ends with QUIT, or is dropped."""
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    actions = session.receive(commands.encode() + (b"QUIT\r\n" if leave else b""))
    session.lost()
    data = held([action.data for action in actions if isinstance(action, Send)])
    return data.decode().splitlines()


def uids(server: MockServer) -> list[str]:
    """The unique-ids that a session is told."""
    answer = talk(server, "UIDL\r\n")
    return [line.split(" ")[1] for line in answer[1 : answer.index(".")]]


def subjects(server: MockServer) -> list[str]:
    """The subject of each message that a session finds."""
    count = int(talk(server, "STAT\r\n")[0].split(" ")[1])
    answers = (talk(server, f"TOP {n} 0\r\n") for n in range(1, count + 1))
    return [line[9:] for answer in answers for line in answer if line.startswith("Subject: ")]


@pytest.fixture
def maildir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maildir ``Mail`` in the working directory, with two messages."""
    monkeypatch.chdir(tmp_path)
    mailbox.Maildir(tmp_path / "Mail").close()
    (tmp_path / "Mail" / "new" / "1.a").write_bytes(b"Subject: one\n\n")
    (tmp_path / "Mail" / "cur" / "2.b:2,S").write_bytes(b"Subject: two\n\n")
    return tmp_path / "Mail"


@pytest.fixture
def mbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An mbox ``box`` in the working directory, with three messages, two of them equal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "box").write_bytes(MBOX)
    return tmp_path / "box"


# Unique-ids


def test_uids_last_over_restarts() -> None:
    """A scenario's mail has the same unique-ids in every server that plays it (RFC1939-7-uid)."""
    items = "  - {body: one}\n  - {raw: two}\n  - {octets: 200, count: 2}\n  - {body: one}\n"

    first, second = uids(serve(items)), uids(serve(items))

    assert first == second
    assert len(set(first)) == 5
    assert all(re.fullmatch(r"[\x21-\x7e]{1,70}", uid) for uid in first)


def test_uids_do_not_depend_on_what_stands_before() -> None:
    """Mail put in front of other mail leaves its unique-ids as they are."""
    before = uids(serve("  - {body: one}\n  - {raw: two}\n"))

    after = uids(serve("  - {body: new}\n  - {body: one}\n  - {raw: two}\n"))

    assert before == after[1:]


def test_uid_of_a_second_message_with_the_same_octets() -> None:
    """Of messages that are equal, each has a unique-id, whichever is asked for first."""
    server = serve("  - {raw: x, count: 3}\n")

    last = talk(server, "UIDL 3\r\n")[0].split(" ")[2]

    first, second, third = uids(server)
    assert [f"{first}.2", f"{first}.3"] == [second, third]
    assert last == third


def test_uid_is_never_used_again() -> None:
    """A message that comes after an equal one was removed is another one (RFC 1939, 7)."""
    server = serve("  - {raw: x}\n")
    (before,) = uids(server)

    talk(server, "DELE 1\r\n")
    server.deliver(b"x")

    assert [f"{before}.2"] == uids(server)


def test_uid_of_a_removed_message_that_nobody_had_listed() -> None:
    """That a removed message was never listed does not give its unique-id to an equal one."""
    server = serve("  - {raw: x, count: 2}\n")
    second = uids(serve("  - {raw: x, count: 2}\n"))[1]

    talk(server, "DELE 1\r\n")

    assert [second] == uids(server)


# Sessions


def test_mail_that_comes_between_sessions() -> None:
    """A message with ``sessions`` is there in those sessions of its user alone."""
    server = serve(
        "  - {subject: always}\n"
        "  - {subject: first, sessions: 1}\n"
        "  - {subject: later, sessions: 2..}\n"
    )

    found = [talk(server, "STAT\r\nTOP 2 0\r\n") for _ in range(3)]

    assert [line for answer in found for line in answer if line.startswith("Subject: ")] == [
        "Subject: first",
        "Subject: later",
        "Subject: later",
    ]
    assert [answer[0].split(" ")[1] for answer in found] == ["2", "2", "2"]


def test_sessions_are_counted_by_user_and_by_login() -> None:
    """A failed login is no session, and other users' sessions are no sessions of his."""
    text = (
        "pop3: 1\nname: t\nsummary: t\nserver: {users: {alice: secret, bob: secret}}\n"
        "maildrop: [{subject: late, sessions: 2}]\n"
    )
    server = MockServer(loads(text))

    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS wrong\r\nUSER bob\r\nPASS secret\r\nQUIT\r\n")
    first, second, third = (talk(server, "STAT\r\n")[0] for _ in range(3))

    assert first.startswith("+OK 0 ")
    assert second.startswith("+OK 1 ")
    assert third.startswith("+OK 0 ")


def test_login_announces_the_session_that_begins() -> None:
    """The totals in the answer to PASS are those of the session that it begins."""
    server = serve("  - {raw: abc, sessions: 1}\n")

    announced = []
    for _ in range(2):
        session = server.session()
        session.connected()
        (_, action) = session.receive(b"USER alice\r\nPASS secret\r\n")
        session.lost()
        assert isinstance(action, Send)
        announced.append(bytes(beginning(action.data, 99)))

    assert announced == [
        b"+OK maildrop has 1 messages (5 octets)\r\n",
        b"+OK maildrop has 0 messages (0 octets)\r\n",
    ]


def test_uid_reused_later() -> None:
    """A scenario can let one unique-id mean two messages in two sessions."""
    server = serve("  - {raw: old, uid: u, sessions: 1}\n  - {raw: new, uid: u, sessions: 2}\n")

    answers = [talk(server, "UIDL 1\r\nRETR 1\r\n")[:3] for _ in range(2)]

    assert answers == [["+OK 1 u", "+OK 5 octets", "old"], ["+OK 1 u", "+OK 5 octets", "new"]]


def test_messages_between_sessions() -> None:
    """The maildrop shows what the latest session found, without what it removed."""
    server = serve("  - {raw: a, sessions: 1}\n  - {raw: b, sessions: 2}\n  - raw: c\n")

    before = list(server.maildrop)
    talk(server, "DELE 2\r\n")
    between = list(server.maildrop)
    talk(server)
    after = list(server.maildrop)

    assert [before, between, after] == [[b"a\r\n", b"c\r\n"], [b"a\r\n"], [b"b\r\n"]]


def test_delivery_comes_in_at_the_next_login() -> None:
    """A session sees the maildrop as it was at login (RFC1939-4-02)."""
    server = serve("  - {raw: a}\n")
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\n")

    server.deliver(b"b")
    (during,) = session.receive(b"STAT\r\n")
    session.lost()

    assert during == Send(b"+OK 1 3\r\n")
    assert talk(server, "STAT\r\n")[0] == "+OK 2 6"


# Maildir and mbox


def test_maildir_uids_last(maildir: Path) -> None:
    """The unique-id of a message in a Maildir outlives its flags and the server (RFC1939-7-uid)."""
    before = uids(serve("  - {maildir: Mail}\n"))
    (maildir / "new" / "1.a").rename(maildir / "cur" / "1.a:2,RS")

    after = uids(serve("  - {maildir: Mail}\n"))

    assert before == after == ["1.a", "2.b"]


@pytest.mark.parametrize("kind", ["maildir: Mail", "mbox: box", "files: 'Mail/*/*'"])
def test_mail_on_disk_is_never_altered(maildir: Path, mbox: Path, kind: str) -> None:
    """Unless it is asked to, the server alters no file and no folder, and forgets what it must."""
    server = serve(f"  - {{{kind}}}\n")
    paths = [mbox, *maildir.rglob("*")]
    before = [snapshot(path) for path in paths]

    talk(server, "RETR 1\r\nDELE 1\r\n")
    (first, *_) = uids(server)

    after = [snapshot(path) for path in [mbox, *maildir.rglob("*")]]
    assert before == after
    assert first != uids(serve(f"  - {{{kind}}}\n"))[0]


def snapshot(path: Path) -> tuple[object, ...]:
    """All there is to know of a file or a folder that others may alter."""
    stat = path.stat()
    content = path.read_bytes() if path.is_file() else b""
    return path, stat.st_ino, stat.st_mtime_ns, stat.st_mode, content


def test_maildir_update(maildir: Path) -> None:
    """With ``update``, QUIT takes what is marked out of the Maildir; a dropped session does not."""
    server = serve("  - {maildir: Mail, update: yes}\n")

    talk(server, "DELE 1\r\nDELE 2\r\n", leave=False)
    dropped = sorted(path.name for path in maildir.rglob("*.*"))
    talk(server, "DELE 1\r\n")
    left = sorted(path.name for path in maildir.rglob("*.*"))

    assert dropped == ["1.a", "2.b:2,S"]
    assert left == ["2.b:2,S"]
    assert uids(server) == uids(serve("  - {maildir: Mail}\n")) == ["2.b"]


def test_mbox_update(mbox: Path) -> None:
    """With ``update``, QUIT takes what is marked out of the mbox, and unique-ids last."""
    server = serve("  - {mbox: box, update: yes}\n")
    first, _, third = uids(server)

    talk(server, "DELE 2\r\n")

    assert mbox.read_bytes() == b"From a\nSubject: 1\n\none\n\nFrom c\nSubject: 1\n\none\n\n"
    assert [first, third] == uids(server) == uids(serve("  - {mbox: box}\n"))
    assert subjects(server) == ["1", "1"]


def test_mbox_update_of_one_of_two_that_are_equal(mbox: Path) -> None:
    """Of two equal messages the one that stays is still there, under the first one's unique-id."""
    server = serve("  - {mbox: box, update: yes}\n")
    first, second, _ = uids(server)

    talk(server, "DELE 1\r\n")

    assert mbox.read_bytes() == b"From b\nSubject: 2\n\ntwo\n\nFrom c\nSubject: 1\n\none\n\n"
    assert {first, second} == set(uids(server))


def test_folder_is_followed(maildir: Path) -> None:
    """What others deliver to a folder, and take from it, shows at the next login."""
    server = serve("  - {maildir: Mail}\n")
    before = subjects(server)
    (maildir / "new" / "3.c").write_bytes(b"Subject: three\n\n")
    (maildir / "new" / "1.a").unlink()

    assert before == ["one", "two"]
    assert subjects(server) == ["two", "three"]


def test_mbox_is_followed(mbox: Path) -> None:
    """Mail added to an mbox shows at the next login; what was deleted here does not come back."""
    server = serve("  - {mbox: box}\n")
    talk(server, "DELE 2\r\n")
    with mbox.open("ab") as file:
        file.write(b"From d\nSubject: 4\n\nfour\n")

    assert subjects(server) == ["1", "1", "4"]


def test_empty_folder_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Maildir with nothing in it at first is followed like any other."""
    monkeypatch.chdir(tmp_path)
    mailbox.Maildir(tmp_path / "Mail").close()
    server = serve("  - {maildir: Mail}\n")
    before = talk(server, "STAT\r\n")[0]
    (tmp_path / "Mail" / "new" / "1").write_bytes(b"x\n")

    assert before == "+OK 0 0"
    assert talk(server, "STAT\r\n")[0] == "+OK 1 3"


def test_flags_that_change_in_between(maildir: Path) -> None:
    """A message whose file has got another name is retrieved in the next session all the same."""
    server = serve("  - {maildir: Mail}\n")
    uids(server)
    (maildir / "new" / "1.a").rename(maildir / "cur" / "1.a:2,S")

    assert talk(server, "RETR 1\r\n")[:2] == ["+OK 16 octets", "Subject: one"]


def test_file_that_changes_is_another_message(maildir: Path) -> None:
    """A file that somebody has written anew has a new size and a new unique-id."""
    server = serve("  - {file: Mail/new/1.a}\n")
    (before,) = uids(server)
    (maildir / "new" / "1.a").write_bytes(b"Subject: one again\n\n")

    assert talk(server, "RETR 1\r\n")[:2] == ["+OK 22 octets", "Subject: one again"]
    assert [before] != uids(server)


def test_file_of_a_maildir_that_changes(maildir: Path) -> None:
    """A message of a Maildir whose file was written anew has the size that it has now."""
    server = serve("  - {maildir: Mail}\n")
    before = talk(server, "LIST 1\r\n")[0]
    (maildir / "new" / "1.a").write_bytes(b"Subject: one again\n\n")

    assert before == "+OK 1 16"
    assert talk(server, "LIST 1\r\nRETR 1\r\n")[:2] == ["+OK 1 22", "+OK 22 octets"]


# Folders that others alter during a session


@pytest.fixture(params=[1, BIG_ENOUGH], ids=["small", "large"])
def altered(request: pytest.FixtureRequest, maildir: Path) -> Path:
    """The first file of a Maildir, with a message that is sent at once, or in pieces."""
    path = maildir / "new" / "1.a"
    path.write_bytes(b"Subject: one\n\n" + b"line of text\n" * request.param)
    return path


def test_message_that_is_seen_during_a_session(
    altered: Path, raw: Callable[[MockServer], RawClient]
) -> None:
    """Whoever reads mail moves its file, and the session goes on as if nothing had happened."""
    whole = altered.read_bytes().replace(b"\n", b"\r\n")
    with serve("  - {maildir: Mail}\n") as server:
        client = raw(server)
        client.login()
        altered.rename(altered.parent.parent / "cur" / "1.a:2,S")
        first = client.listing(b"RETR 1")
        (altered.parent.parent / "cur" / "1.a:2,S").rename(altered.parent.parent / "cur/1.a:2,RS")
        client.send(b"TOP 1 0\r\nUIDL 1\r\nRETR 1\r\nQUIT\r\n")

        rest = client.rest()

    assert first.endswith(b" octets\r\n" + whole + b".\r\n")
    assert b"+OK 1 1.a\r\n" in rest
    assert rest.endswith(whole + b".\r\n+OK bye\r\n")


def test_message_that_is_taken_out_during_a_session(
    altered: Path, raw: Callable[[MockServer], RawClient]
) -> None:
    """RETR and TOP of a message that is gone are refused; all else is answered, and journalled."""
    with serve("  - {maildir: Mail}\n") as server:
        client = raw(server)
        client.login()
        altered.unlink()
        client.send(b"NOOP\r\nLIST 1\r\nRETR 1\r\nTOP 1 0\r\nUIDL 1\r\nDELE 1\r\nQUIT\r\n")

        answers = client.rest().decode().splitlines()

        server.wait_closed()
    assert answers == server.journal.replies[2:]
    assert [answer[:4].rstrip() for answer in answers] == [
        "+OK", "+OK", "-ERR", "-ERR", "+OK", "+OK", "+OK",
    ]  # fmt: skip
    assert answers[2].startswith("-ERR message 1 cannot be read: ")
    assert server.journal.retrieved == []


def test_message_that_is_gone_has_an_outcome(altered: Path) -> None:
    """Rules can answer in their own way what nobody can read any more."""
    rules = "rules: [{when: RETR, outcome: gone, error: '[SYS/TEMP] expunged'}]\n"
    server = serve("  - {maildir: Mail}\n" + rules)
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    altered.unlink()

    session.receive(b"RETR 1\r\nNOOP\r\n")

    assert server.journal.replies[-2:] == ["-ERR [SYS/TEMP] expunged", "+OK"]


def test_message_that_is_written_anew_during_a_session(altered: Path) -> None:
    """Under its old number there is no other message than there was at login (RFC1939-5)."""
    server = serve("  - {maildir: Mail}\n")
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    altered.write_bytes(b"Subject: another one\n")

    session.receive(b"RETR 1\r\nRETR 2\r\n")

    assert [reply[:4] for reply in server.journal.replies[-2:]] == ["-ERR", "+OK "]


class Vanishing:
    """Octets that are there when somebody looks, and gone when he takes them."""

    alike = None
    identity = "x"

    def __init__(self, octets: int) -> None:
        self.octets = octets

    def check(self) -> None:
        """They are there."""

    def chunks(self) -> Iterator[bytes]:
        """None of them."""
        raise FileNotFoundError(2, "they are gone")


@pytest.mark.parametrize("octets", [10, AT_ONCE * 2])
def test_message_that_vanishes_while_it_is_answered(
    octets: int, raw: Callable[[MockServer], RawClient]
) -> None:
    """What is found gone too late is refused as well, and nothing before it is lost."""
    with MockServer() as server:
        message = server.maildrop.messages[0]
        message.update(Mail(Vanishing(octets)))
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\nRETR 1\r\nNOOP\r\nQUIT\r\n")

        rest = client.rest()

    refused = b"-ERR the mail is out of reach: they are gone\r\n"
    assert rest == b"+OK\r\n" + refused + b"+OK\r\n+OK bye\r\n"
    assert server.journal.retrieved == []


def test_answers_behind_one_that_breaks_off(
    maildir: Path, raw: Callable[[MockServer], RawClient]
) -> None:
    """What is asked behind a message that breaks off is not answered, and not journalled."""
    path = maildir / "new" / "1.a"
    path.write_bytes(b"x" * 20_000_000)
    with serve("  - {maildir: Mail}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\nRETR 1\r\nNOOP\r\nSTAT\r\n")
        first, status = client.line(), client.line()
        path.write_bytes(b"")
        client.rest()

        server.wait_closed()
    assert (first, status) == (b"+OK\r\n", b"+OK 20000002 octets\r\n")
    assert server.journal.commands[2:] == ["NOOP", "RETR 1"]
    assert server.journal.last.ended == "close"
    assert "mail cannot be read" in server.transcript()


@pytest.mark.parametrize(
    "login", [b"USER alice\r\nPASS secret\r\n", b"AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n"]
)
def test_mail_that_cannot_be_read_at_login(mbox: Path, login: bytes) -> None:
    """A login is refused while mail cannot be read, and accepted as soon as it can."""
    server = serve("  - {body: x}\n  - {mbox: box}\nserver: {capabilities: [USER, SASL PLAIN]}\n")
    session = server.session()
    mbox.rename("away")
    mbox.mkdir()
    session.receive(login + b"NOOP\r\n")
    mbox.rmdir()
    Path("away").rename(mbox)

    session.receive(login)

    shown = [reply for reply in server.journal.replies if "maildrop" in reply]
    assert shown[0].startswith("-ERR the maildrop cannot be read: ")
    assert shown[1].startswith("+OK maildrop has 4 messages ")
    assert server.journal.users == ["alice"]


def test_file_that_is_gone_when_the_session_begins(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that goes while the listing is made is told by its stored size, and not read."""
    server = serve("  - {maildir: Mail}\n")
    messages = server.maildrop.upcoming()
    monkeypatch.setattr(server.maildrop, "upcoming", lambda: messages)
    (maildir / "new" / "1.a").unlink()

    answers = talk(server, "LIST 1\r\nRETR 1\r\nRETR 2\r\n")

    assert answers[0] == "+OK 1 14"
    assert answers[1].startswith("-ERR message 1 cannot be read")
    assert answers[2].startswith("+OK ")


def test_moving_files_are_listed_once(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that moves while it is listed, or removed, is neither lost nor twice there."""
    (maildir / "cur" / "1.a:2,S").write_bytes((maildir / "new" / "1.a").read_bytes())
    server = serve("  - {maildir: Mail, update: yes}\n")
    unlink = Path.unlink

    def moved(path: Path) -> None:
        if path.name.startswith("2.b:"):
            path.rename(maildir / "new" / "2.b")  # where has been looked already
        unlink(path)

    monkeypatch.setattr(Path, "unlink", moved)
    before = uids(server)
    talk(server, "DELE 2\r\n")

    assert before == ["1.a", "2.b"]
    assert uids(server) == ["1.a"]


def test_lost_session_that_cannot_remove(mbox: Path) -> None:
    """Where the end of a connection removes mail, a folder that cannot be altered is no failure."""
    rules = "rules: [{when: disconnect, effect: apply}]\n"
    server = serve("  - {mbox: box, update: yes}\n" + rules)
    session = server.session()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\n")
    mbox.with_name("box.lock").write_bytes(b"")

    session.lost()

    assert "mail cannot be altered" in server.transcript()
    assert not server.maildrop.locked


def test_mbox_that_cannot_be_updated(mbox: Path, raw: Callable[[MockServer], RawClient]) -> None:
    """If the mbox is locked at QUIT, nothing is removed, and the client is told (RFC1939-6)."""
    with serve("  - {mbox: box, update: yes}\n") as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        mbox.with_name("box.lock").write_bytes(b"")
        client.send(b"QUIT\r\n")

        assert client.rest() == b"-ERR some deleted messages not removed\r\n"
    assert mbox.read_bytes() == MBOX
    assert len(server.maildrop) == 3
    assert not server.maildrop.locked


# Octets


class Pieces:
    """Octets in chunks of which a test chooses the ends."""

    alike = None
    identity = "x"

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.octets = sum(map(len, pieces))

    def check(self) -> None:
        """They are there."""

    def chunks(self) -> Iterator[bytes]:
        """The chunks."""
        return iter(self._pieces)


OCTETS = st.lists(
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b".", b"x", b"\n.", b"\n\n"]), max_size=12
)


def message_of(pieces: list[bytes]) -> StoredMessage:
    """A message that consists of chunks."""
    return StoredMessage(1, Mail(Pieces(pieces)), lambda _: None)


def with_crlf(data: bytes) -> bytes:
    """The octets with CRLF, told in one line, as a reference."""
    data = re.sub(rb"(?<!\r)\n", b"\r\n", data)
    return data if not data or data.endswith(b"\r\n") else data + b"\r\n"


def with_dots(data: bytes) -> bytes:
    """The octets dot-stuffed, likewise."""
    return re.sub(rb"(?:\A|(?<=\n))\.", b"..", data)


@given(OCTETS)
def test_octets_for_the_wire(pieces: list[bytes]) -> None:
    """Wherever chunks end, line ends, dots and sizes come out the same (RFC1939-3, 11)."""
    message = message_of(pieces)
    data = with_crlf(b"".join(pieces))

    assert b"".join(pieces) == message.stored
    assert data == message.data
    assert len(data) == message.octets
    assert with_dots(data) == held([Text(message).wire()])
    assert len(with_dots(data)) == message.shape.stuffed


@given(OCTETS, st.integers(0, 5))
def test_top(pieces: list[bytes], lines: int) -> None:
    """TOP is the header, the empty line, and so many lines, wherever chunks end (RFC1939-7-top)."""
    message = message_of(pieces)
    data = with_crlf(b"".join(pieces))
    head, empty, body = (b"\r\n" + data).partition(b"\r\n\r\n")
    wanted = data + b"\r\n"
    if empty:
        wanted = (head + empty)[2:] + b"".join(
            line + b"\n" for line in body.split(b"\n")[:lines] if line
        )

    top = Text(message, lines)

    assert wanted == top.data
    assert with_dots(wanted) == held([top.wire()])


@given(OCTETS)
def test_header(pieces: list[bytes]) -> None:
    """The body begins behind the first empty line, wherever chunks end."""
    message = message_of(pieces)
    data = with_crlf(b"".join(pieces))

    end = (b"\r\n" + data).find(b"\r\n\r\n")

    assert message.head_end == (-1 if end < 0 else end + 2)
    assert message.head == (data if end < 0 else data[: end + 2])


@given(OCTETS)
def test_counted(pieces: list[bytes]) -> None:
    """Servers that count otherwise count what is stored, or the body of it."""
    message = message_of(pieces)
    stored = b"".join(pieces)
    found = re.search(rb"(?:\A|\n)\r?\n", stored)

    body = len(stored) - found.end() if found else -1

    assert message.counted("stored") == len(stored)
    assert message.counted("body") == (body or -1)


@given(st.lists(st.binary(max_size=9)), st.integers(1, 5))
def test_sized(chunks: list[bytes], size: int) -> None:
    """A flow cut to size loses nothing, and only its last chunk is smaller."""
    made = list(sized(chunks, size))

    assert b"".join(chunks) == b"".join(made)
    assert all(len(chunk) == size for chunk in made[:-1])
    assert b"" not in made


@given(st.lists(st.binary(max_size=9)), st.integers(0, 30))
def test_flow(chunks: list[bytes], octets: int) -> None:
    """A flow can be cut, measured and looked at as octets can."""
    data = b"".join(chunks)

    flow = joined([Flow(lambda: chunks), data])

    assert isinstance(flow, Flow)
    assert len(flow) == 2 * len(data)
    assert held([flow.first(octets)]) == (data + data)[:octets]
    assert len(flow.first(octets)) == min(octets, 2 * len(data))
    assert beginning(flow, octets) == (data + data)[:octets]


def test_octets_that_are_many_are_sliced() -> None:
    """Octets that are in memory are never handed on in one piece if they are many."""
    data = bytes(2 * AT_ONCE + 1)

    chunks = list(chunks_of(data))

    assert list(map(len, chunks)) == [AT_ONCE, AT_ONCE, 1]
    assert data == b"".join(chunks)


BIG = "  - {octets: 1000000}\n"


@pytest.mark.parametrize(
    ("rule", "octets", "end"),
    [
        ("{when: RETR, cut: 700000, then: close}", 700_000, "close"),
        ("{when: RETR, cut: 700000, then: reset}", 700_000, "reset"),
        ("{when: TOP, cut: 5, then: half-close}", 5, "half-close"),
        ("{when: TOP, cut: 600000}", 600_000, "close"),
    ],
)
def test_big_message_is_cut(rule: str, octets: int, end: str) -> None:
    """A cut holds for messages that are made while they are sent, to the octet."""
    server = MockServer(loads(HEAD + BIG + f"rules: [{rule}]\n"))
    whole = talk_raw(MockServer(loads(HEAD + BIG)), rule[7:11])

    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    send, ending = session.receive(command(rule[7:11]))

    assert isinstance(send, Send)
    assert isinstance(ending, End)
    assert held([send.data]) == whole[:octets]
    assert end == ending.how


def command(word: str) -> bytes:
    """The command that a rule is about."""
    return b"TOP 1 999999\r\n" if word.startswith("TOP") else b"RETR 1\r\n"


def talk_raw(server: MockServer, word: str) -> bytes:
    """The octets of the answer to it."""
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\n")
    (send,) = session.receive(command(word))
    assert isinstance(send, Send)
    return held([send.data])


def test_big_message_is_dribbled(raw: Callable[[MockServer], RawClient]) -> None:
    """A message that is made while it is sent goes out in the sizes that a rule wants."""
    text = HEAD + BIG + "rules: [{when: RETR, dribble: 300001, then: close}]\n"
    with MockServer(loads(text)) as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n")

        assert client.rest() == talk_raw(MockServer(loads(HEAD + BIG)), "RETR")


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_big_message_to_a_client_that_reads_late(
    tls: str, raw: Callable[[MockServer], RawClient]
) -> None:
    """What the client has not read waits, in and out of TLS, and the next answer waits behind."""
    with MockServer(loads(HEAD + "  - {octets: 9000000}\n"), tls=tls) as server:  # type: ignore[arg-type]
        client = raw(server)
        if tls == "implicit":
            client.wrap()
        client.login()
        client.send(b"RETR 1\r\n" * 3 + b"QUIT\r\n")
        server.wait_for("RETR")

        answers = client.rest()

    one = len(b"+OK 9000000 octets\r\n") + 9_000_000 + len(b".\r\n")
    assert len(answers) == 3 * one + len(b"+OK bye\r\n")
    assert answers[:one] == answers[one : 2 * one]
    assert answers.endswith(b".\r\n+OK bye\r\n")


@given(OCTETS, st.sampled_from([b"", b"\xff"]), st.integers(0, 12))
def test_header_that_is_not_ascii(pieces: list[bytes], octet: bytes, at: int) -> None:
    """Whether a header is ASCII is told of the header alone, wherever chunks end."""
    pieces = [*pieces[:at], octet, *pieces[at:]]
    head, _, _ = (b"\r\n" + with_crlf(b"".join(pieces))).partition(b"\r\n\r\n")

    assert message_of(pieces).shape.ascii == head.isascii()


def test_many_commands_in_one_segment(raw: Callable[[MockServer], RawClient]) -> None:
    """However many commands a client sends ahead, each is answered, in order (RFC 2449, 6.6)."""
    with serve("  - {raw: x, count: 500}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"".join(b"LIST %d\r\n" % n for n in range(1, 501)) + b"QUIT\r\n")

        answers = client.rest().split(b"\r\n")

    assert answers == [*(b"+OK %d 3" % n for n in range(1, 501)), b"+OK bye", b""]


def test_answers_that_nobody_reads_are_not_made(raw: Callable[[MockServer], RawClient]) -> None:
    """A client that asks for more than it reads does not fill the server's memory."""
    with serve("  - {octets: 200000}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n" * 500 + b"QUIT\r\n")
        server.settle()
        asked = len(server.journal.commands)

        octets = len(client.rest())

    assert asked < 200
    one = 200_000 + len(b"+OK 200000 octets\r\n.\r\n")
    assert octets == 500 * one + len(b"+OK bye\r\n")


def test_file_that_shrinks_while_it_is_sent(
    maildir: Path, raw: Callable[[MockServer], RawClient]
) -> None:
    """If a file ends before its announced size is sent, the server closes and says why."""
    path = maildir / "new" / "1.a"
    path.write_bytes(b"x" * 20_000_000)
    with serve("  - {maildir: Mail}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n")
        status = client.line()
        path.write_bytes(b"")

        came = len(client.rest())

        server.wait_closed()
        assert "mail cannot be read" in server.transcript()
    assert status == b"+OK 20000002 octets\r\n"
    assert came < 20_000_000
