"""The URL of a maildrop."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import TLS, InvalidArgument, MaildropURL, RetrMode

STLS = TLS.STLS
IMPLICIT = TLS.IMPLICIT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pop3://joe@mail.example", MaildropURL("mail.example", "joe")),
        ("pop3s://joe@mail.example/", MaildropURL("mail.example", "joe", tls=IMPLICIT)),
        ("pop3+stls://joe@mail.example", MaildropURL("mail.example", "joe", tls=STLS)),
        ("POP3S://joe@H:1995", MaildropURL("h", "joe", port=1995, tls=IMPLICIT)),
        ("pop3://joe@[::1]:110", MaildropURL("::1", "joe", port=110)),
        ("pop3://joe@[fe80::1%25eth0]", MaildropURL("fe80::1%eth0", "joe")),
        ("pop3://joe%40example.com@h", MaildropURL("h", "joe@example.com")),
        ("pop3://joe@example.com@h", MaildropURL("h", "joe@example.com")),
        ("pop3://D%5Cjoe@h", MaildropURL("h", "D\\joe")),
        ("pop3://%C3%A4@h", MaildropURL("h", "ä")),
        ("pop3://joe:a%3Ab%2F%40@h", MaildropURL("h", "joe", password="a:b/@")),
        ("pop3://joe:@h", MaildropURL("h", "joe", password="")),
        ("pop3://joe@h/?mechanism=APOP", MaildropURL("h", "joe", mechanism="APOP")),
        ("pop3://joe@h?timeout=2.5", MaildropURL("h", "joe", options={"timeout": 2.5})),
        (
            "pop3://joe@h/?msex=yes&strict=0&retr_mode=list",
            MaildropURL(
                "h", "joe", options={"msex": True, "strict": False, "retr_mode": RetrMode.LIST}
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_right(text: str, expected: MaildropURL) -> None:
    """A URL says host, user, port, how to encrypt, and may say more."""
    assert MaildropURL.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://joe@h", "begins with pop3://, pop3s://, pop3\\+stls://"),
        ("joe@h", "begins with pop3://"),
        ("pop3://h", "a user and a host"),
        ("pop3://joe@", "a user and a host"),
        ("pop3://joe@h/inbox", "only \\?settings"),
        ("pop3://joe@h#x", "only \\?settings"),
        ("pop3://joe@h:0x6e", "no valid host and port"),
        ("pop3://joe@h:123456", "no valid host and port"),
        ("pop3://joe@[::1", "no valid host and port"),
        ("pop3://joe@h?x=1", "settings of mechanism, timeout"),
        ("pop3://joe@h?allow_insecure_auth=1", "settings of mechanism, timeout"),
        ("pop3://joe@h?timeout=soon", "timeout: expected seconds"),
        ("pop3://joe@h?strict=maybe", "strict: expected yes or no"),
        ("pop3://joe@h?retr_mode=fast", "retr_mode: expected retr, list or slow"),
    ],
)
def test_wrong(text: str, why: str) -> None:
    """What is no URL of a maildrop is refused, and the message says what is expected."""
    with pytest.raises(InvalidArgument, match=why):
        MaildropURL.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "pop3://joe:gehe1m@h:99999999",
        "pop3://joe:gehe1m@h:port",
        "pop3://joe:gehe1m@[h",
        "pop3://joe@example.com:gehe1m@h/x",
        "pop3://joe:gehe1m@h?timeout=gehe1m",
        "pop3://joe@h?gehe1m=1",
        "http://joe:gehe1m@h",
    ],
)
def test_errors_do_not_quote(text: str) -> None:
    """No message repeats a URL, for there may be a password in it."""
    with pytest.raises(InvalidArgument) as caught:
        MaildropURL.parse(text)

    assert "gehe1m" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_password_is_not_shown() -> None:
    """Who prints a URL that was read does not print the password."""
    assert "gehe1m" not in repr(MaildropURL.parse("pop3://joe:gehe1m@h"))


def opened(server: Any, url: str, *arguments: Any, **options: Any) -> Any:
    """A client of the fake server."""
    options = {"socket_factory": server.socket, "clock": server.clock} | options
    return server.facade.from_url(url, *arguments, **options)


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("pop3://alice:secret@localhost?mechanism=USER", ()),
        ("pop3://alice@localhost?mechanism=USER", ("secret",)),
        ("pop3://alice:wrong@localhost?mechanism=USER", ("secret",)),
    ],
)
def test_logs_in(fake: Any, url: str, arguments: tuple[str, ...]) -> None:
    """With a password, in the URL or beside it, which goes first, the client is logged in."""
    server = fake()

    with opened(server, url, *arguments) as client:
        assert client.stat().count == 3

    assert server.sent[:3] == [b"CAPA\r\n", b"USER alice\r\n", b"PASS secret\r\n"]


def test_without_a_password(fake: Any) -> None:
    """Without a password the client is connected, and the login is the caller's."""
    server = fake({"AUTH": b"+OK\r\n"}, exchanges={"EXTERNAL": [b"+OK\r\n"]})

    with opened(server, "pop3://alice@localhost") as client:
        assert server.sent == []
        client.authenticate(pop3client.External("alice"))


def test_settings_go_before_the_url(fake: Any) -> None:
    """What the program says goes before what the URL says; the usual port is the scheme's."""
    with opened(fake(), "pop3://alice@localhost?timeout=5&strict=yes", timeout=7.0) as client:
        assert (client.config.timeout, client.config.strict) == (7.0, True)
        assert (client.config.host, client.config.port) == ("localhost", 110)
    with opened(fake(), "pop3://alice@localhost:1110", tls=TLS.OPPORTUNISTIC) as client:
        assert (client.config.port, client.config.tls) == (1110, TLS.OPPORTUNISTIC)


@pytest.mark.parametrize("url", ["pop3://a%0Db:secret@localhost", "pop3://a:b%00@localhost"])
def test_what_cannot_be_sent(fake: Any, url: str) -> None:
    """A user or a password with a line end is refused; nobody is connected to."""
    server = fake()

    with pytest.raises(InvalidArgument, match="without CR, LF and NUL"):
        opened(server, url)

    assert server.connections == []


def test_in_the_clear(fake: Any) -> None:
    """The password of a URL does not cross a network in the clear either."""
    server = fake(address="192.0.2.1")

    with pytest.raises(pop3client.InsecureAuthError):
        opened(server, "pop3://alice:secret@mail.example")

    assert server.sent == []
