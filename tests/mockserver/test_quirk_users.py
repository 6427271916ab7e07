"""Users whose names choose what is played to them, without any code."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3mock._actions import Send
from pop3mock._transcript import escaped
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    from pop3mock._session import Session

HEAD = "pop3: 1\nname: test\nsummary: test\n"


def begun(server: MockServer) -> Session:
    """A session without a socket, greeted."""
    session = server.session()
    session.connected()
    return session


def said(session: Session, *lines: str) -> list[str]:
    """What the server says to each line."""
    replies = []
    for line in lines:
        actions = session.receive(line.encode() + b"\r\n")
        data = b"".join(bytes(a.data) for a in actions if isinstance(a, Send))  # type: ignore[arg-type]
        replies.append(data.decode())
    return replies


def logged_in(server: MockServer, user: str) -> Session:
    """A session in which a user has logged in."""
    session = begun(server)
    replies = said(session, f"USER {user}", f"PASS {server.credentials.password}")
    assert all(reply.startswith("+OK") for reply in replies), replies
    return session


def size_announced(session: Session) -> bool:
    """Whether RETR announces a size."""
    return said(session, "RETR 1")[0].split("\r\n")[0].endswith("octets")


# Which is played


@pytest.mark.parametrize("user", ["quirk+retr-without-size", "quirk+retr-without-size@example.com"])
def test_user_chooses_a_quirk(user: str) -> None:
    """A quirk is played to a user who is called like it."""
    server = MockServer(quirk_users=True)

    assert not size_announced(logged_in(server, user))
    assert server.journal.last.scenario == "default+retr-without-size"


def test_others_are_not_touched() -> None:
    """Who logs in otherwise, before, meanwhile or after, has what the scenario says."""
    server = MockServer(quirk_users=True, users={"alice": "secret", "bob": "secret"})
    server.deliver("Subject: here\n\n", user="bob")
    alice = logged_in(server, "alice")
    quirky = logged_in(server, "quirk+retr-without-size@example.com")
    bob = logged_in(server, "bob")

    assert [size_announced(session) for session in (alice, quirky, bob)] == [True, False, True]


def test_several_quirks() -> None:
    """Quirks add up."""
    server = MockServer(quirk_users=True)

    session = logged_in(server, "quirk+retr-without-size+no-uidl@example.com")

    assert not size_announced(session)
    assert said(session, "UIDL")[0].startswith("-ERR")
    assert server.journal.last.scenario == "default+retr-without-size+no-uidl"


def test_quirks_lie_over_the_scenario() -> None:
    """What the scenario does is done where the quirk has no say; elsewhere the quirk has it."""
    rules = "rules: [{when: NOOP, text: zzz}, {when: RETR, text: 'size {octets} octets'}]"
    server = MockServer(loads(HEAD + rules), quirk_users=True)

    session = logged_in(server, "quirk+retr-without-size")

    assert said(session, "NOOP") == ["+OK zzz\r\n"]
    assert not size_announced(session)


def test_user_chooses_a_fault() -> None:
    """A fault is played to a user who is called like it, and to him only."""
    server = MockServer(quirk_users=True)
    session = logged_in(server, "fault+cut-mid-message@example.com")
    other = logged_in(server, "alice")
    numbers = range(1, len(server.maildrop) + 1)

    for number in numbers:
        said(session, f"RETR {number}")
        said(other, f"RETR {number}")

    assert session.over
    assert not other.over


def test_from_the_answer_to_user_on() -> None:
    """The answer to USER is already the chosen scenario's."""
    server = MockServer(quirk_users=True)
    session = begun(server)

    before = said(session, "CAPA")[0]
    said(session, "USER quirk+no-uidl")
    after = said(session, "CAPA")[0]

    assert "UIDL" in before
    assert "UIDL" not in after


def test_for_the_rest_of_the_connection() -> None:
    """A wrong password, or another user, does not end what was chosen; another choice does."""
    server = MockServer(quirk_users=True)
    session = begun(server)

    said(session, "USER quirk+no-uidl", "PASS wrong", "USER alice")
    assert "UIDL" not in said(session, "CAPA")[0]

    said(session, "USER quirk+retr-without-size")
    assert "UIDL" in said(session, "CAPA")[0]


# How they log in


def test_apop() -> None:
    """APOP chooses too; the password is the first user's."""
    server = MockServer(quirk_users=True)
    session = server.session()
    greeting = b"".join(bytes(a.data) for a in session.connected() if isinstance(a, Send))  # type: ignore[arg-type]
    stamp = greeting[greeting.index(b"<") :].strip()
    digest = hashlib.md5(stamp + b"secret").hexdigest()

    reply = said(session, f"APOP quirk+retr-without-size@x {digest}")[0]

    assert reply.startswith("+OK")
    assert not size_announced(session)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_sasl(mechanism: str) -> None:
    """Every mechanism chooses too."""
    text = HEAD + f"server: {{capabilities: [UIDL, TOP, SASL {mechanism}]}}"
    server = MockServer(loads(text), quirk_users=True)
    session = begun(server)
    user = b"quirk+retr-without-size@x"
    challenge = base64.b64decode(said(session, f"AUTH {mechanism}")[0][2:])
    digest = hmac.new(b"secret", challenge, "md5").hexdigest().encode()
    responses = {
        "PLAIN": [b"\0" + user + b"\0secret"],
        "LOGIN": [user, b"secret"],
        "CRAM-MD5": [user + b" " + digest],
    }[mechanism]

    replies = said(session, *(base64.b64encode(each).decode() for each in responses))

    assert replies[-1].startswith("+OK")
    assert not size_announced(session)
    assert server.journal.last.mechanism == mechanism


def test_wrong_password() -> None:
    """The password is the first user's, and no other."""
    server = MockServer(quirk_users=True, users={"joe": "xyzzy", "bob": "hunter2"})

    replies = said(begun(server), "USER quirk+no-uidl", "PASS hunter2")
    right = said(begun(server), "USER quirk+no-uidl", "PASS xyzzy")

    assert [reply[:4] for reply in replies] == ["+OK ", "-ERR"]
    assert [reply[:4] for reply in right] == ["+OK ", "+OK "]


# Mail


def test_mail_of_its_own() -> None:
    """Each such user has a maildrop of his own that lasts; it begins as the first user's."""
    server = MockServer(quirk_users=True)
    user = "quirk+retr-without-size@a"
    count = len(server.maildrop)
    session = logged_in(server, user)
    uids = said(session, "UIDL")

    said(session, "DELE 1", "QUIT")

    assert len(server.maildrop) == count
    assert len(server.maildrops[user]) == count - 1
    assert len(server.maildrops["quirk+retr-without-size@b"]) == count
    again = said(logged_in(server, user), "UIDL")
    assert again[0].split("\r\n")[1].split(" ")[1] == uids[0].split("\r\n")[2].split(" ")[1]


def test_mail_of_a_fault() -> None:
    """A fault that has mail of its own, since it needs it, brings that along."""
    rules = "maildrop: [{body: the only one}]"
    server = MockServer(loads(HEAD + rules), quirk_users=True)

    assert len(server.maildrops["quirk+retr-without-size"]) == 1
    assert len(server.maildrops["fault+cut-mid-message"]) == 3


def test_delivery() -> None:
    """Mail can be delivered to a user whose name chooses."""
    server = MockServer(quirk_users=True)
    user = "quirk+retr-without-size@a"
    server.deliver("Subject: here\n\n", user=user)

    count = len(server.maildrop)

    assert len(server.maildrops[user]) == count + 1
    assert said(logged_in(server, user), "STAT")[0].startswith(f"+OK {count + 1} ")


# What is refused


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("quirk+nonsense@x", "there is no quirk 'nonsense'"),
        ("quirk+retr-withoutsize@x", "(did you mean 'retr-without-size'?)"),
        ("fault+no-uidl+cut-mid-mesage", "it is quirk+no-uidl"),
        ("fault+cut-mid-mesage", "(did you mean 'cut-mid-message'?)"),
        ("quirk+gmial", "(pop3kit scenarios list shows every quirk)"),
        ("quirk+hang-after-retr", "it is fault+hang-after-retr"),
        ("fault+retr-without-size", "it is quirk+retr-without-size"),
        ("quirk+retr-without-size+nonsense", "there is no quirk 'nonsense'"),
        ("quirk+/etc/passwd", "there is no quirk '/etc/passwd'"),
        ("quirk+gmail", "there is no quirk 'gmail'"),
        ("quirk+", "there is no quirk ''"),
        ("quirk+no-uidl[nonsense]", "has no variant 'nonsense'"),
        ("quirk+no-uidl[", "unknown scenario 'no-uidl['"),
        ("fault+stls-broken", "has variants and none was named"),
    ],
)
def test_unknown_names(user: str, text: str) -> None:
    """A name that chooses nothing is refused at once, with the reason, and written down."""
    server = MockServer(quirk_users=True)
    session = begun(server)

    reply = said(session, f"USER {user}")[0]

    assert reply.startswith("-ERR ")
    assert reply.endswith("\r\n")
    assert reply[:-2].isprintable()
    assert text in reply
    assert f"-- user {escaped(user)}: " in server.transcript()
    assert server.journal.last.scenario == "default"


def test_unknown_names_in_sasl() -> None:
    """Also where the name comes late, the refusal says what is wrong; nobody is logged in."""
    text = HEAD + "server: {capabilities: [SASL PLAIN]}"
    server = MockServer(loads(text), quirk_users=True)
    session = begun(server)
    response = base64.b64encode(b"\0quirk+nonsense\0secret").decode()

    replies = said(session, f"AUTH PLAIN {response}", "STAT")

    assert "there is no quirk 'nonsense'" in replies[0]
    assert replies[1].startswith("-ERR")
    assert server.journal.users == []


def test_off_by_default() -> None:
    """Without being asked the server knows no such users."""
    server = MockServer()

    replies = said(begun(server), "USER quirk+retr-without-size", "PASS secret")

    assert replies[1].startswith("-ERR")
    assert list(server.maildrops) == ["alice", "bob"]


def test_not_in_a_conversation() -> None:
    """A script says itself what comes when; there a name is a name."""
    script = "script: |\n  S: +OK hi\n  C: USER {user}\n  S: +OK so you are {user}\n"
    server = MockServer(loads(HEAD + script), quirk_users=True)

    assert said(begun(server), "USER quirk+nonsense") == ["+OK so you are quirk+nonsense\r\n"]


def test_real_user_of_that_name() -> None:
    """A user of the scenario is himself, whatever he is called."""
    server = MockServer(quirk_users=True, users={"quirk+no-uidl": "secret"})

    session = logged_in(server, "quirk+no-uidl")

    assert said(session, "UIDL")[0].startswith("+OK")


# Counts


def test_counts(raw: Callable[[MockServer], RawClient]) -> None:
    """The rules of what is chosen count for one user name, over its connections."""
    with MockServer(quirk_users=True) as server:
        for _ in range(2):
            client = raw(server)
            client.line()
            client.ask(b"USER quirk+retr-without-size")
            client.ask(b"PASS secret")
            client.ask(b"QUIT")
            server.wait_closed()

    assert [log.scenario for log in server.journal.connections] == ["default+retr-without-size"] * 2
    assert server.journal.users == ["quirk+retr-without-size"] * 2
