"""Oddities of servers that were listened to, of which a plain fetch shows nothing.

Those that a fetch shows are played by ``test_quirks.py``, others by ``test_quirk_commands.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import DeletePolicy, Plain, SeenStore, XOAuth2
from pop3mock import MockServer
from pop3scenarios import expand

pytestmark = pytest.mark.once

USER, PASSWORD = "alice", "secret"


def visit(facade: Any, server: MockServer, **options: Any) -> Any:
    """A client that is not logged in."""
    return facade.client(server.host, **{"port": server.port, "timeout": 5.0} | options)


def connect(facade: Any, server: MockServer, **options: Any) -> Any:
    """A client that is logged in by USER and PASS."""
    options = {"port": server.port, "timeout": 5.0, "mechanism": "USER"} | options
    return facade.connect(server.host, USER, PASSWORD, **options)


def said(server: MockServer, keyword: str) -> list[str]:
    """The commands of that name that the server heard, whole."""
    lines = map(str, server.journal.commands)
    return [line for line in lines if line.split(" ")[0] == keyword]


@pytest.mark.parametrize("reference", [*expand("number-*"), *expand("surplus-arguments")])
def test_numbers_are_written_one_way(facade: Any, reference: str) -> None:
    """What servers make of `LIST 01`, `LIST 1abc` or a number that wraps: nobody sends it."""
    with MockServer(reference) as server, connect(facade, server) as client:
        for wrong in (0, -1):
            with pytest.raises(pop3client.InvalidArgument):
                client.retr(wrong)
        assert client.list(1).number == 1
        assert client.retr(1).raw == next(iter(server.maildrop))

        assert said(server, "LIST") == ["LIST 1"]
        assert said(server, "RETR") == ["RETR 1"]


@pytest.mark.parametrize(("user", "password"), [("a" * 600, PASSWORD), (USER, "s3cr3t" * 100)])
def test_a_command_that_comes_back(facade: Any, user: str, password: str) -> None:
    """A status that is glued to our own command is none, and no password is quoted with it."""
    with MockServer("overlong-echoed") as server:
        client = visit(facade, server)
        with pytest.raises(pop3client.BadStatusLine) as caught:
            client.login(user, password, "USER")
        client.abort()

    assert "s3cr3ts3cr3t" not in str(caught.value)
    assert "s3cr3ts3cr3t" not in str(vars(caught.value))


def test_nothing_goes_out_behind_a_login(facade: Any) -> None:
    """What comes along with PASS may be thrown away, so nothing does, not even when pipelining."""
    with (
        MockServer("login-drops-pipelined") as server,
        connect(facade, server, pipelining=True) as client,
    ):
        messages = client.retrieve("start", "end")

        assert [message.raw for message in messages] == list(server.maildrop)


@pytest.mark.parametrize("reference", ["user-lost-on-command", *expand("user-fragile")])
def test_pass_follows_user(facade: Any, reference: str) -> None:
    """Nothing comes between USER and PASS, and a second attempt begins with USER."""
    with MockServer(reference) as server:
        client = visit(facade, server)
        with pytest.raises(pop3client.AuthenticationError):
            client.login(USER, "wrong", "USER")
        client.login(USER, PASSWORD, "USER")
        client.close()

        heard = [str(line).split()[0] for line in server.journal.commands]
        assert [heard[at + 1] for at, word in enumerate(heard) if word == "USER"] == ["PASS"] * 2


@pytest.mark.parametrize("reference", expand("close-on-error"))
def test_a_server_that_counts_mistakes(facade: Any, reference: str) -> None:
    """A refusal stays a refusal; when it was one too many, the next command says what happened."""
    with MockServer(reference) as server:
        client = connect(facade, server)
        endings = []
        for _ in range(24):
            with pytest.raises(pop3client.POP3Error) as caught:
                client.command("XYZZY")
            endings.append(type(caught.value))
        client.abort()

    closing = "before" not in reference
    assert endings[0] is pop3client.CommandError
    assert (pop3client.CommandError is not endings[-1]) is closing
    assert set(endings) <= {
        *(pop3client.CommandError, pop3client.ConnectionClosed),
        *(pop3client.StateError, pop3client.OutOfStep),
    }


def test_noop_proves_nothing(facade: Any) -> None:
    """NOOP is not sent before login, so its +OK cannot be taken for one."""
    with MockServer("noop-before-login") as server:
        client = visit(facade, server)
        with pytest.raises(pop3client.StateError):
            client.noop()
        client.close()

        assert said(server, "NOOP") == []


def test_an_authzid_that_is_not_looked_at(facade: Any) -> None:
    """The client cannot know whose mail it has; it says what it asked for, and the login stands."""
    with MockServer("authzid-ignored") as server:
        client = visit(facade, server)
        client.authenticate(Plain(USER, PASSWORD, authzid="bob"))

        assert client.stat().count == len(server.maildrop)
        client.close()


@pytest.mark.parametrize("reference", expand("blanks-stripped"))
def test_blanks_are_sent_as_they_are(facade: Any, reference: str) -> None:
    """The client trims no name and no password: what the server makes of blanks is its own."""
    with MockServer(reference) as server:
        client = visit(facade, server)
        client.login(f"{USER} " if "name" in reference else USER, PASSWORD, "USER")
        client.close()

        assert said(server, "USER") == [f"USER {USER} " if "name" in reference else f"USER {USER}"]


def test_auth_alone_is_not_said(facade: Any) -> None:
    """A list of mechanisms where a challenge may come is not asked for: CAPA tells them."""
    with MockServer("auth-lists-mechanisms") as server:
        client = visit(facade, server)
        client.login(USER, PASSWORD)
        client.close()

        assert all(" " in line for line in said(server, "AUTH"))


@pytest.mark.parametrize("reference", expand("drop-deletes"))
def test_deletions_of_a_dropped_session(facade: Any, reference: str) -> None:
    """Where DELE deletes without QUIT, a sync that breaks off has still lost nothing."""
    with MockServer(reference) as server, SeenStore(":memory:") as store:
        everything = list(server.maildrop)
        delivered: list[bytes] = []

        def fail_at_the_second(message: pop3client.Message) -> None:
            if len(delivered) == 1:
                raise OSError("disk full")
            delivered.append(message.raw)

        policy = DeletePolicy(after=0)
        with pytest.raises(OSError, match="disk full"):
            connect(facade, server).sync(store, fail_at_the_second, delete=policy)
        connect(facade, server).sync(store, lambda m: delivered.append(m.raw), delete=policy)

    assert delivered == everything


def test_no_answer_but_the_end(facade: Any) -> None:
    """AUTH along with a response is answered by FIN there; in two steps a token is let in."""
    with MockServer("closed-unanswered[arguments]") as server:
        client = visit(facade, server)
        with pytest.raises(pop3client.ConnectionClosed):
            client.authenticate(Plain(USER, PASSWORD))
        client = visit(facade, server)
        client.authenticate(XOAuth2(USER, PASSWORD))

        assert client.stat().count == len(server.maildrop)
        client.close()


@pytest.mark.parametrize("reference", [*expand("errors-bare"), *expand("odd-words"), "status-bare"])
def test_refusals_in_any_words(facade: Any, reference: str) -> None:
    """An error is known by its status: the words may be none, Java's, or a joke."""
    with MockServer(reference) as server, connect(facade, server) as client:
        with pytest.raises(pop3client.CommandError):
            client.retr(999)

        assert client.stat().count == len(server.maildrop)


@pytest.mark.parametrize("reference", expand("line-ends"))
def test_commands_end_in_crlf(facade: Any, reference: str) -> None:
    """Whatever a server takes for the end of a line, CRLF is one."""
    with MockServer(reference) as server, connect(facade, server, strict=True) as client:
        assert [message.raw for message in client.messages()] == list(server.maildrop)


@pytest.mark.parametrize(
    ("reference", "noted"), [("top-everything", ["top-extra-lines"]), ("top-no-blank-line", [])]
)
def test_tops_that_are_too_long_or_too_short(facade: Any, reference: str, noted: list[str]) -> None:
    """A top is what came: more of it than asked for is noted, a missing blank line is not."""
    with MockServer(reference) as server, connect(facade, server) as client:
        tops = [client.top(number, 0).raw for number in range(1, len(server.maildrop) + 1)]

        for raw, top in zip(server.maildrop, tops, strict=True):
            assert raw.startswith(top.rstrip(b"\r\n"))
        assert [deviation.quirk for deviation in client.deviations] == noted
