"""What went through a proxy becomes a conversation."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pop3check import RecordedConversation, Recording, Unrecordable, Unredacted, Written
from pop3scenarios import Template, loads

if TYPE_CHECKING:
    from pop3check._recording import Connection

GREETING = (b"", b"+OK hello <1.2@x>\r\n")
LOGIN = ((b"USER bob\r\n", b"+OK\r\n"), (b"PASS pa55-word\r\n", b"+OK in\r\n"))
QUIT = (b"QUIT\r\n", b"+OK bye\r\n")


def say(connection: Connection, *exchanges: tuple[bytes, bytes]) -> None:
    """Let both sides say something."""
    for client, server in exchanges:
        if client:
            connection.client(client)
        connection.server(server)


def recorded(*exchanges: tuple[bytes, bytes], ended: str = "server") -> Written:
    """One connection, written down."""
    recording = Recording()
    connection = recording.open()
    say(connection, GREETING, *exchanges)
    connection.ended(ended)
    return RecordedConversation(recording, "seen", "a host").written()


def script(written: Written) -> list[str]:
    """The lines of the script."""
    made = loads(written.text.replace("file: seen.mail/", "raw: a #")).script
    assert made is not None
    return made.source.splitlines()


def test_holes_are_proposed() -> None:
    """User, password, timestamp, count, sizes and unique-ids get holes, which agree later on."""
    written = recorded(
        *LOGIN,
        (b"STAT\r\n", b"+OK 1 17\r\n"),
        (b"LIST\r\n", b"+OK 1 messages\r\n1 17\r\n.\r\n"),
        (b"UIDL 1\r\n", b"+OK 1 abc\r\n"),
        (b"RETR 1\r\n", b"+OK 17 octets\r\nSubject: x\r\n\r\n..\r\n.\r\n"),
        QUIT,
    )

    assert script(written) == [
        "S: +OK hello {stamp:msgid=<1.2@x>}",
        "C: USER {user}",
        "S: +OK",
        "C: PASS {password}",
        "S: +OK in",
        "C: STAT",
        "S: +OK {messages:int=1} {total:int=17}",
        "C: LIST",
        "S: +OK {messages} messages",
        "S: {n1:int=1} {size1:int=17}",
        "S: .",
        "C: UIDL {n1}",
        "S: +OK {n1} {uid1:uid=abc}",
        "C: RETR {n1}",
        "S: +OK {size1} octets",
        "<message 1>",
        "S: .",
        "C: QUIT",
        "S: +OK bye",
    ]
    assert written.files == {"seen.mail/1.eml": b"Subject: x\r\n\r\n.\r\n"}


def test_proofs_are_no_text() -> None:
    """An APOP digest and a SASL response become holes; nothing of them stands in the file."""
    response = base64.b64encode(b"\0bob\0pa55-word")

    written = recorded(
        (b"APOP bob 0123456789abcdef0123456789abcdef\r\n", b"-ERR no\r\n"),
        (b"AUTH PLAIN " + response + b"\r\n", b"+OK in\r\n"),
        QUIT,
    )

    lines = script(written)
    assert "C: APOP {user} {digest}" in lines
    assert any(line.startswith("C: AUTH PLAIN {plain:base64=") for line in lines)
    assert "0123456789abcdef" not in written.text
    assert response.decode() not in written.text


def test_wrong_password_is_a_hole_of_its_own() -> None:
    """What was refused is not the password: whoever plays the file sends another one."""
    user = (b"USER bob\r\n", b"+OK\r\n")

    lines = script(recorded(user, (b"PASS 0ther\r\n", b"-ERR no\r\n"), QUIT))

    assert "C: PASS {wrong:text=not the password}" in lines


def test_line_that_ends_in_a_blank_leaves_the_script_readable() -> None:
    """A prompt without words, as in AUTH: the script stands in the file line by line."""
    text = recorded((b"AUTH PLAIN\r\n", b"+ \r\n"), (b"*\r\n", b"-ERR no\r\n"), QUIT).text

    assert "\n  S: + \n  C: *\n" in text


def test_octets_that_are_no_text_are_kept() -> None:
    """Lines with octets that no file can show, bare line feeds and braces go out as they came."""
    answer = b"+OK {x}\r\nSubject: \xff\n..odd\r\n.\r\n"

    lines = script(recorded(*LOGIN, (b"RETR 1\r\n", answer), QUIT))

    at = lines.index("C: RETR 1")
    assert lines[at + 1 : at + 5] == [
        "S: +OK {{x}}",
        r'<bytes "Subject: \xff\n">',
        "S: ..odd",
        "S: .",
    ]


def test_connections_are_told_apart_in_the_order_of_what_was_said() -> None:
    """Two connections at once stand in one script, each line where it was said."""
    recording = Recording()
    first, second = recording.open(), recording.open()
    say(first, GREETING, *LOGIN)
    say(second, GREETING, (b"USER bob\r\n", b"+OK\r\n"), (b"PASS pa55-word\r\n", b"-ERR busy\r\n"))
    say(first, QUIT)
    say(second, QUIT)
    for connection in (first, second):
        connection.ended("server")

    lines = script(RecordedConversation(recording, "seen", "a host").written())

    clients = [line for line in lines if "C: " in line]
    assert clients[:3] == ["[A] C: USER {user}", "[A] C: PASS {password}", "[B] C: USER {user}"]
    assert clients[-2:] == ["[A] C: QUIT", "[B] C: QUIT"]


def test_client_that_goes_away() -> None:
    """Without QUIT the script says so."""
    assert script(recorded(*LOGIN, ended="client"))[-1] == "C: <close>"


def test_server_that_goes_away() -> None:
    """The script ends the connection where the server did."""
    lines = script(recorded((b"XYZZ\r\n", b"-ERR go\r\n")))

    assert lines[-2:] == ["S: -ERR go", "<close>"]


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b"NOOP\r\n", b"+OK\r\n+OK again\r\n")],
        [(b"AUTH SCRAM-SHA-256 biwsbj1h\r\n", b"+ cj1h\r\n")],
        [(b"XYZZ \xff\r\n", b"-ERR\r\n")],
    ],
    ids=["nobody asked", "SCRAM", "no text"],
)
def test_what_cannot_be_played_again(exchanges: list[tuple[bytes, bytes]]) -> None:
    """What no file could have a mock say is an error that tells why."""
    with pytest.raises(Unrecordable):
        recorded(*exchanges)


@pytest.mark.parametrize(
    "exchange",
    [
        (b"RETR 1\r\n", b"+OK\r\nSubject: x\r\n\r\npa55-word\r\n.\r\n"),
        (b"NOOP\r\n", b"+OK pa55-word\r\n"),
        (b"NOOP pa55-word\r\n", b"+OK\r\n"),
    ],
    ids=["message", "answer", "command"],
)
def test_secret_elsewhere_is_refused(exchange: tuple[bytes, bytes]) -> None:
    """A secret outside the login cannot be taken out without making another conversation."""
    with pytest.raises(Unredacted):
        recorded(*LOGIN, exchange, QUIT)


def test_password_that_is_the_user_name_is_refused() -> None:
    """The file names the user, and so would name the password."""
    with pytest.raises(Unredacted, match="the name of the user"):
        recorded((b"USER bobby\r\n", b"+OK\r\n"), (b"PASS bobby\r\n", b"+OK\r\n"), QUIT)


def test_nothing_said() -> None:
    """Without a connection there is nothing to write."""
    with pytest.raises(Unrecordable, match="nothing was said"):
        RecordedConversation(Recording(), "seen", "a host")


def test_literal_lines_are_templates() -> None:
    """Every line of the server loads as it was said."""
    made = loads(recorded((b"XYZZ\r\n", b"-ERR {not a hole}\r\n"), QUIT).text).script
    assert made is not None

    said = [item for step in made.steps for item in step.reply.items if isinstance(item, Template)]
    assert "-ERR {not a hole}" in [each.fill(lambda _: "") for each in said]
