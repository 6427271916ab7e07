"""Playing another scenario while the server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import ScenarioError, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    from pop3scenarios import Scenario

    Raw = Callable[[MockServer], RawClient]


def scenario(text: str) -> Scenario:
    """A scenario from all but its head."""
    return loads("pop3: 1\nname: test\nsummary: test\n" + text)


NOOP = "rules: [{{when: NOOP, text: {}}}]\n"


def test_new_connections(raw: Raw) -> None:
    """New connections get the new scenario, open ones keep theirs."""
    shared = "server: {lock: none}\n"
    with MockServer(scenario(shared + NOOP.format("old"))) as server:
        old = raw(server)
        old.login()
        server.play(scenario(shared + NOOP.format("new")))
        new = raw(server)
        new.login()

        replies = [client.ask(b"NOOP") for client in (old, new, old)]

    assert replies == [b"+OK old\r\n", b"+OK new\r\n", b"+OK old\r\n"]


def test_greeting_and_tls(raw: Raw) -> None:
    """How a connection begins is the new scenario's too."""
    with MockServer(scenario("server: {greeting: old}"), tls="none") as server:
        server.play(scenario("server: {greeting: new}"))

        greeting = raw(server).line()

    assert greeting == b"+OK new\r\n"
    assert server.tls == "none"


def test_by_name() -> None:
    """A name or a file does as well as a scenario."""
    server = MockServer()

    server.play("stls-broken[refused]")
    assert server.scenario.name == "stls-broken[refused]"

    server.play("gmail")
    assert server.scenario.name == "gmail"


def test_wrong_scenario() -> None:
    """If the new scenario is none, nothing changes."""
    server = MockServer("gmail")

    with pytest.raises(ScenarioError):
        server.play("nonsense")

    assert server.scenario.name == "gmail"


MAIL = "maildrop: [{body: one, uid: a}, {body: two, uid: b}]\n"


def used(server: MockServer) -> None:
    """Delete a message and deliver another."""
    session = server.session()
    session.connected()
    session.receive(b"USER alice\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n")
    server.deliver("Subject: three\n\n", uid="c")


def uids(server: MockServer) -> list[str]:
    """What is in the first maildrop."""
    return [message.uid for message in server.maildrop.messages]


def test_mail_is_kept() -> None:
    """If both scenarios have the same mail, the maildrop stays as it is."""
    server = MockServer(scenario(MAIL))
    used(server)

    server.play(scenario(MAIL + NOOP.format("new")))

    assert uids(server) == ["b", "c"]


def test_mail_begins_anew() -> None:
    """If the new scenario has other mail, that is what is there."""
    server = MockServer(scenario(MAIL))
    used(server)

    server.play(scenario("maildrop: [{body: other, uid: x}]"))

    assert uids(server) == ["x"]


def test_users() -> None:
    """New users can log in, those that are gone cannot."""
    server = MockServer(scenario("server: {users: {alice: secret}}"))

    server.play(scenario("server: {users: {zoe: secret, alice: other}}"))

    assert server.users == {"zoe": "secret", "alice": "other"}
    assert list(server.maildrops) == ["zoe", "alice"]
    assert server.credentials.user == "zoe"


def test_users_of_the_test() -> None:
    """Users that the test has named stay."""
    server = MockServer(users={"joe": "secret"})

    server.play(scenario("server: {users: {zoe: secret}}"))

    assert server.users == {"joe": "secret"}


def test_quirk_users_stay() -> None:
    """Users whose names choose lie over the new scenario."""
    server = MockServer(quirk_users=True)
    server.play(scenario("maildrop: [{body: only}]"))

    assert len(server.maildrops["quirk+no-uidl"]) == 1


def test_expectations() -> None:
    """What is forbidden is asked of each connection's own scenario; what is owed, of the last."""
    server = MockServer(scenario("expect: {never: [STAT], always: [LIST]}"))
    octets = b"USER alice\r\nPASS secret\r\nSTAT\r\nNOOP\r\nQUIT\r\n"
    server.session().receive(octets)
    server.play(scenario("expect: {never: [NOOP], always: [UIDL]}"))
    server.session().receive(octets)

    faults = server.broken_expectations()

    assert [fault.split(":")[0] for fault in faults] == ["#1 STAT", "#2 NOOP", "UIDL"]


def test_journal_goes_on(raw: Raw) -> None:
    """The journal says of each connection what was played on it."""
    with MockServer("no-uidl") as server:
        raw(server).line()
        server.play("no-top")
        raw(server).line()

    assert [log.scenario for log in server.journal.connections] == ["no-uidl", "no-top"]
