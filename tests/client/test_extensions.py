"""UTF8, LANG, commands without a method, and what a server can do though it does not say so."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import Language, Response

CAPA = b"+OK\r\nUTF8 USER\r\nLANG\r\nUSER\r\n.\r\n"
NO_CAPA = b"-ERR unknown command\r\n"


def test_utf8(fake: Any, cut: int | None) -> None:
    """UTF8 is sent if the server announces it, which is asked if nobody has asked yet."""
    server = fake({"CAPA": CAPA, "UTF8": b"+OK\r\n"}, cut=cut)
    with server.client() as client:
        client.utf8()
        client.login("alice", "secret")

    assert server.sent[:3] == [b"CAPA\r\n", b"UTF8\r\n", b"USER alice\r\n"]


@pytest.mark.parametrize("call", [lambda c: c.utf8(), lambda c: c.lang(), lambda c: c.lang("de")])
@pytest.mark.parametrize("capa", [NO_CAPA, b"+OK\r\nUSER\r\n.\r\n"])
def test_what_is_not_announced_is_not_sent(fake: Any, capa: bytes, call: Any) -> None:
    """Some servers hang up at a command that they do not know."""
    server = fake({"CAPA": capa})
    with server.client() as client, pytest.raises(pop3client.CapabilityError, match="not offer"):
        call(client)

    assert server.sent == [b"CAPA\r\n", b"QUIT\r\n"]


def test_languages(fake: Any, cut: int | None) -> None:
    """LANG lists languages, LANG with a tag chooses one, before and after login."""
    server = fake(
        {
            "CAPA": CAPA,
            "LANG": "+OK\r\nde Deutsch\r\nsv På svenska\r\nx\r\n.\r\n".encode(),
            "LANG de": "+OK de Gerne, von jetzt an für Sie\r\n".encode(),
            "LANG *": b"+OK i-default now in default\r\n",
            "LANG xx": b"-ERR no such language\r\n",
        },
        cut=cut,
    )
    with server.client() as client:
        assert client.lang() == [
            Language("de", "Deutsch"),
            Language("sv", "På svenska"),
            Language("x", ""),
        ]
        assert client.lang("*") == Language("i-default", "now in default")
        client.login("alice", "secret")
        assert client.lang("de") == Language("de", "Gerne, von jetzt an für Sie")
        with pytest.raises(pop3client.CommandError, match="no such language"):
            client.lang("xx")


@pytest.mark.parametrize("tag", ["", "a b", "a\r\nb", "a\n"])
def test_tags_that_are_none(fake: Any, tag: str) -> None:
    """A language is one word."""
    server = fake({"CAPA": CAPA})
    with server.client() as client, pytest.raises(pop3client.InvalidArgument, match="language"):
        client.lang(tag)

    assert server.sent == [b"QUIT\r\n"]


def test_raw_commands(fake: Any, cut: int | None) -> None:
    """A command without a method is sent as it is; of its answer nothing is lost but dots."""
    server = fake(
        {
            "XTND XLST From": b"+OK here they are\r\n1 a\r\n\r\n..b\r\n.\r\n",
            "XSENDER": b"+OK\r\n",
            "XNO": b"-ERR [SYS/PERM] never\r\n",
        },
        cut=cut,
    )
    with server.connect() as client:
        assert client.command("XTND XLST From", multiline=True) == Response(
            "here they are", b"1 a\r\n\r\n.b\r\n"
        )
        assert client.command("xsender") == Response("", b"")
        with pytest.raises(pop3client.PermanentError, match="XNO"):
            client.command("XNO hunter2")
        client.noop()

    assert b"XSENDER\r\n" in server.sent


@pytest.mark.parametrize(
    "line",
    [
        *("", " X", "X\r\nDELE 1", "X\n", "X\0", "X-Y", "Ü", "quit", "DELE 1", "PASS x", "AUTH X"),
        *("STLS", "USER x", "APOP x y", "RSET", "UTF8", "LANG"),
    ],
)
def test_raw_commands_that_are_refused(fake: Any, line: str) -> None:
    """What is no command, or one that the client must know of, is refused before it is sent."""
    server = fake()
    with server.connect() as client:
        before = list(server.sent)
        with pytest.raises(pop3client.InvalidArgument, match="command"):
            client.command(line)

        assert before == server.sent


def test_an_argument_of_a_raw_command_is_not_shown(fake: Any) -> None:
    """It may be a secret."""
    server = fake({"XAUTH": "<hang>"})
    client = server.connect()
    with pytest.raises(pop3client.POP3TimeoutError) as caught:
        client.command("XAUTH hunter2")

    assert caught.value.step == "XAUTH"
    assert "hunter2" not in str(caught.value) + repr(vars(caught.value))


TOP = b"+OK\r\nA: b\r\n\r\n.\r\n"


@pytest.mark.parametrize(
    ("answers", "name", "expected", "asked"),
    [
        ({"CAPA": b"+OK\r\nTOP\r\nUIDL\r\n.\r\n"}, "TOP", True, None),
        ({"CAPA": b"+OK\r\nTOP\r\nUIDL\r\n.\r\n"}, "uidl", True, None),
        ({"CAPA": b"+OK\r\nPIPELINING\r\n.\r\n"}, "pipelining", True, None),
        ({"CAPA": b"+OK\r\nPIPELINING\r\n.\r\n"}, "UTF8", False, None),
        ({"CAPA": NO_CAPA}, "PIPELINING", False, None),
        ({"CAPA": NO_CAPA, "TOP 1 0": TOP}, "TOP", True, b"TOP 1 0\r\n"),
        ({"CAPA": NO_CAPA}, "TOP", False, b"TOP 1 0\r\n"),
        ({"CAPA": NO_CAPA, "UIDL 1": b"+OK 1 a\r\n"}, "UIDL", True, b"UIDL 1\r\n"),
        ({"CAPA": NO_CAPA}, "UIDL", False, b"UIDL 1\r\n"),
        ({"CAPA": b"+OK\r\nUSER\r\n.\r\n", "TOP 1 0": TOP}, "TOP", True, b"TOP 1 0\r\n"),
    ],
)
def test_supports(
    fake: Any,
    cut: int | None,
    answers: dict[str, Any],
    name: str,
    expected: bool,
    asked: bytes | None,
) -> None:
    """What CAPA says is believed; where it is silent on TOP and UIDL, they are tried, once."""
    server = fake(answers, cut=cut)
    with server.connect() as client:
        before = len(server.sent)

        assert client.supports(name) is expected
        assert client.supports(name) is expected

        assert server.sent[before:] == ([asked] if asked else [])
        client.noop()


def test_supports_tries_a_message_that_is_there(fake: Any) -> None:
    """A message that is marked as deleted would be refused for that; no message, no answer."""
    server = fake({"CAPA": NO_CAPA, "TOP 2 0": TOP})
    with server.connect() as client:
        client.dele(1)
        assert client.supports("TOP") is True
    with fake({"CAPA": NO_CAPA}, mail=()).connect() as client:
        assert client.supports("TOP") is None


def test_what_is_ignored_is_not_tried(fake: Any) -> None:
    """A capability that the caller does not want is none, and is not looked for."""
    server = fake({"TOP 1 0": TOP})
    with server.connect(ignored_capabilities=["top"]) as client:
        assert client.supports("TOP") is False

    assert b"TOP 1 0\r\n" not in server.sent


def test_supports_before_login(fake: Any) -> None:
    """Before login CAPA is asked; a command that would have to be tried cannot be."""
    server = fake({"CAPA": CAPA})
    with server.client() as client:
        assert client.supports("UTF8") is True
        with pytest.raises(pop3client.StateError, match="TOP"):
            client.supports("TOP")

    assert server.sent == [b"CAPA\r\n", b"QUIT\r\n"]
