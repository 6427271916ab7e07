"""The URL of a maildrop."""

from __future__ import annotations

import pytest

from pop3kit._url import MaildropURL, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pop3://joe@mail.example", MaildropURL("mail.example", None, "joe", implicit=False)),
        ("pop3s://joe@mail.example/", MaildropURL("mail.example", None, "joe", implicit=True)),
        ("POP3S://joe@h:1995", MaildropURL("h", 1995, "joe", implicit=True)),
        ("pop3://joe@[::1]:110", MaildropURL("::1", 110, "joe", implicit=False)),
        ("pop3://joe%40example.com@h", MaildropURL("h", None, "joe@example.com", implicit=False)),
        ("pop3://joe@example.com@h", MaildropURL("h", None, "joe@example.com", implicit=False)),
        ("pop3://D%5Cjoe@h", MaildropURL("h", None, "D\\joe", implicit=False)),
    ],
)
def test_right(text: str, expected: MaildropURL) -> None:
    """A URL says host, port, user, and whether TLS is implicit."""
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://joe@h", "begins with pop3://"),
        ("joe@h", "begins with pop3://"),
        ("pop3://h", "a user and a host"),
        ("pop3://joe@", "a user and a host"),
        ("pop3://joe@h/inbox", "nothing after"),
        ("pop3://joe@h?x", "nothing after"),
        ("pop3://joe@h#x", "nothing after"),
        ("pop3://joe@h:0x6e", "no valid host and port"),
        ("pop3://joe@h:123456", "no valid host and port"),
        ("pop3://joe@[::1", "no valid host and port"),
    ],
)
def test_wrong(text: str, why: str) -> None:
    """What is no URL of a maildrop is refused, and the message says what is expected."""
    with pytest.raises(ValueError, match=why):
        parse_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "pop3://joe:gehe1m@h",
        "pop3://joe:gehe1m@h:99999999",
        "pop3://joe:gehe1m@h:port",
        "pop3://joe:gehe1m@[h",
        "pop3://joe:@h",
        "pop3://joe@example.com:gehe1m@h",
        "http://joe:gehe1m@h",
    ],
)
def test_password(text: str) -> None:
    """A URL with a password is refused, and no message repeats the password."""
    with pytest.raises(ValueError, match=r"expected|password in the URL") as caught:
        parse_url(text)

    assert "gehe1m" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
