"""Quirks that a plain fetch does not meet, played by the mock: each command that shows one."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3mock import MockServer
from pop3scenarios import expand

USER, PASSWORD = "alice", "secret"


def connect(facade: Any, server: MockServer, **options: Any) -> Any:
    """A client that is logged in."""
    options = {"port": server.port, "timeout": 5.0} | options
    return facade.connect(server.host, USER, PASSWORD, **options)


def quirks(client: Any) -> list[str]:
    """What the client has put up with."""
    return [deviation.quirk for deviation in client.deviations]


def test_numbers_that_have_gaps(facade: Any) -> None:
    """Once LIST has told the numbers, all messages are found by them."""
    with MockServer("list-gaps") as server, connect(facade, server) as client:
        client.list()

        assert [message.number for message in client.retrieve("start", "end")] == [2, 4]
        assert [message.number for message in client.messages()] == [2, 4]
        assert quirks(client) == ["list-gaps"]


def test_dele_that_is_answered_by_an_empty_line(facade: Any) -> None:
    """An answer that may still come is waited for, but not for ever; then the session is over."""
    with MockServer("dele-blank-reply") as server:
        client = connect(facade, server, timeout=0.2)
        with pytest.raises(pop3client.POP3TimeoutError) as caught:
            client.dele(1)

        assert [deviation.quirk for deviation in caught.value.deviations] == ["reply-blank-line"]
        with pytest.raises(pop3client.StateError):
            client.noop()
        client.abort()


@pytest.mark.parametrize("scenario", ["no-crlf-before-dot", "no-crlf-after-dot"])
def test_a_message_without_its_end(facade: Any, scenario: str) -> None:
    """What came of the message is in the error, its dot included."""
    with MockServer(scenario) as server:
        client = connect(facade, server, timeout=0.2)
        with pytest.raises(pop3client.POP3TimeoutError) as caught:
            client.retr(1)
        client.abort()

        stored = next(iter(server.maildrop))
        received = caught.value.received.replace(b"\r\n..", b"\r\n.")  # as it was sent
        assert received.rstrip(b".\r\n") == stored.rstrip(b".\r\n")
        assert received.rstrip(b"\r\n").endswith(b".")


@pytest.mark.parametrize("reference", expand("after-dele"))
def test_after_dele(facade: Any, reference: str) -> None:
    """Whatever listings say of a marked message, the others keep their numbers."""
    with MockServer(reference) as server:
        mail = list(server.maildrop)
        with connect(facade, server) as client:
            client.dele(2)
            client.stat()
            client.list()
            client.uidl()

            assert [message.raw for message in client.messages()] == [*mail[:1], *mail[2:]]
            client.rset()
            assert [message.raw for message in client.messages()] == mail
            assert quirks(client) == []


@pytest.mark.parametrize("reference", expand("sasl-cancel-answers"))
def test_after_a_cancelled_exchange(facade: Any, reference: str) -> None:
    """An exchange that cannot be answered is cancelled, and another login works."""
    with MockServer(reference) as server:
        client = facade.client(server.host, port=server.port, timeout=5.0)
        with pytest.raises(pop3client.ChallengeError, match="cannot"):
            client.authenticate(Helpless(USER, PASSWORD))
        client.login(USER, PASSWORD, "USER")

        assert client.stat().count == len(server.maildrop)
        client.close()


def test_a_challenge_that_nobody_can_answer(facade: Any) -> None:
    """A mechanism that begins and cannot go on is cancelled: the server does not wait for more."""
    with MockServer("sasl-abort-needed") as server:
        client = facade.client(server.host, port=server.port, timeout=5.0)
        helpless = Helpless(USER, PASSWORD)
        helpless.name = "GSSAPI"
        with pytest.raises(pop3client.ChallengeError, match="cannot"):
            client.authenticate(helpless)
        client.login(USER, PASSWORD, "USER")

        assert client.stat().count == len(server.maildrop)
        client.close()


class Helpless(pop3client.Login):
    """LOGIN that has no answer."""

    def initial(self) -> bytes | None:
        """Wait for the challenge."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Give up."""
        raise pop3client.ChallengeError(f"cannot answer {challenge!r}")


@pytest.mark.parametrize("reference", expand("capa-lies"))
def test_capabilities_that_are_none(facade: Any, reference: str) -> None:
    """Words in CAPA that nobody knows, or that do not hold any more, are in nobody's way."""
    with MockServer(reference) as server, connect(facade, server) as client:
        assert client.supports("NONSENSE") is False
        assert len(list(client.messages())) == len(server.maildrop)
        assert quirks(client) == []


def test_prompts_of_login_are_not_read(facade: Any) -> None:
    """AUTH LOGIN goes by the order of the prompts, not by their words."""
    with MockServer("login-prompts") as server:
        client = facade.client(server.host, port=server.port, timeout=5.0)
        client.login(USER, PASSWORD, "LOGIN")

        assert client.stat().count == len(server.maildrop)
        client.close()


def test_top_that_is_not_stuffed(facade: Any) -> None:
    """Lines of a top that begin with a single dot are taken as they are, and noted."""
    with MockServer("no-stuffing-top") as server, connect(facade, server) as client:
        tops = {}
        for number, raw in enumerate(server.maildrop, 1):
            if b"\r\n.\r\n" not in raw:
                tops[number] = client.top(number, 1000).raw == raw

        assert tops
        assert all(tops.values())


@pytest.mark.parametrize("reference", expand("top-negative"))
def test_a_negative_number_of_lines(facade: Any, reference: str) -> None:
    """What servers read as they like is not sent."""
    with MockServer(reference) as server, connect(facade, server) as client:
        with pytest.raises(pop3client.InvalidArgument):
            client.top(1, -1)

        assert [line for line in map(str, server.journal.commands) if "TOP" in line] == []


def test_more_lines_than_a_server_can_count(facade: Any) -> None:
    """A refused number is an error, and a smaller one works."""
    with MockServer("top-bound") as server, connect(facade, server) as client:
        with pytest.raises(pop3client.CommandError, match="out of range"):
            client.top(1, 999_999_999)

        assert client.top(1, 99_999_999).raw == next(iter(server.maildrop))


@pytest.mark.parametrize("reference", ["stls-keeps-user", "stls-executes-injected"])
def test_stls_comes_first(facade: Any, reference: str) -> None:
    """No name goes out before TLS."""
    with MockServer(reference) as server:
        context = server.client_context()
        connect(facade, server, tls=pop3client.TLS.STLS, ssl_context=context).close()

        sent = [str(line).split()[0] for line in server.journal.commands]
        assert sent[: sent.index("STLS") + 1] == ["CAPA", "STLS"]


def test_utf8_that_closes(facade: Any) -> None:
    """UTF8 is not sent where CAPA does not announce it."""
    with MockServer("utf8-closes") as server:
        client = facade.client(server.host, port=server.port, timeout=5.0)
        with pytest.raises(pop3client.CapabilityError):
            client.utf8()
        client.close()

        server.verify()


def test_a_lock_that_lags(facade: Any) -> None:
    """A second session at once is refused by a type that says: later."""
    with MockServer("lock-lag") as server:
        connect(facade, server).close()
        with pytest.raises(pop3client.MailboxInUse) as caught:
            connect(facade, server)

        assert caught.value.retryable


def test_a_login_that_comes_too_soon(facade: Any) -> None:
    """A second login within the interval is refused; the error is typed."""
    with MockServer("login-interval") as server:
        connect(facade, server).close()
        with pytest.raises(pop3client.CommandError, match="once every 10 minutes"):
            connect(facade, server)


@pytest.mark.parametrize("reference", expand("overlong-lines"))
def test_a_command_that_is_too_long(facade: Any, reference: str) -> None:
    """However a server ends a line that is too long, the error is typed."""
    with MockServer(reference) as server:
        client = facade.client(server.host, port=server.port, timeout=5.0)
        with pytest.raises((pop3client.POP3ConnectionError, pop3client.CommandError)):
            client.login("a" * 9000, PASSWORD, "USER")
        client.abort()


def test_a_refusal_that_takes_its_time(facade: Any) -> None:
    """A wrong password is waited for, and is an error of its type."""
    with MockServer("slow-refusal") as server:
        client = facade.client(server.host, port=server.port, timeout=20.0)
        with pytest.raises(pop3client.AuthenticationError):
            client.login(USER, "wrong", "USER")
        client.close()


@pytest.mark.parametrize("method", ["retrieve", "messages"])
def test_sizes_from_a_listing_that_was_not_asked_for(facade: Any, method: str) -> None:
    """The mode that asks LIST for a size learns it once, and then asks no more."""
    options: dict[str, Any] = {"retr_mode": pop3client.RetrMode.LIST}
    with MockServer("list-arg-ignored") as server, connect(facade, server, **options) as client:
        arguments = ("start", "end") if method == "retrieve" else ()
        messages = list(getattr(client, method)(*arguments))

        assert [message.raw for message in messages] == list(server.maildrop)
        assert client.config.retr_mode is pop3client.RetrMode.SLOW
        assert [entry.count for entry in client.deviations] == [1]
        assert quirks(client) == ["list-arg-ignored"]
