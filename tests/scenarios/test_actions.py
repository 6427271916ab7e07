"""Lines that are only ``<…>``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3scenarios import (
    Action,
    Default,
    Dribble,
    End,
    LineError,
    MessageData,
    Octets,
    StartTLS,
    Wait,
    parse_duration,
)
from pop3scenarios._actions import is_action, parse_action, parse_dribble


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("<close>", End("close")),
        ("<reset>", End("reset")),
        ("<half-close>", End("half-close")),
        ("<hang>", End("hang")),
        ("<hang>  ", End("hang")),
        ("<wait 2s>", Wait(2.0)),
        ("<wait 10ms>", Wait(0.01)),
        ("<dribble 1 every 10ms>", Dribble(1, 0.01)),
        ("<dribble 3>", Dribble(3, 0.0)),
        ("<starttls>", StartTLS()),
        ("<default>", Default()),
        ("<message 1>", MessageData(1)),
        ("<message {n}>", MessageData("n")),
        ("<message {msg_2}>", MessageData("msg_2")),
        ("<message 2 first 50%>", MessageData(2, first=50, percent=True)),
        ("<message 2 first 10 octets>", MessageData(2, first=10)),
        ("<message 2 first 1 octet>", MessageData(2, first=1)),
        (r'<bytes "\xff\r\n">', Octets(b"\xff\r\n")),
        (r'<bytes "a\t\0\\\"b">', Octets(b'a\t\0\\"b')),
        ('<bytes "">', Octets(b"")),
        ('<bytes "> <">', Octets(b"> <")),
    ],
)
def test_action(line: str, action: Action) -> None:
    """Each action of the language is what its name says."""
    assert is_action(line)
    assert action == parse_action(line)


@pytest.mark.parametrize(
    ("line", "message", "suggestion"),
    [
        ("<clsoe>", "there is no action <clsoe>", "did you mean 'close'?"),
        ("<1896.1@example.com>", "there is no action <1896.1@example.com>", "<bytes"),
        ("<>", "there is no action <>", "<bytes"),
        ("<wait>", "<wait>: '' is no duration: write for example 2s or 10ms", ""),
        ("<wait soon>", "<wait>: 'soon' is no duration", ""),
        ("<dribble 0>", "<dribble>: '0' is no dribble: write for example 1 every 10ms", ""),
        ("<dribble 1 every x>", "<dribble>: 'x' is no duration", ""),
        ("<close now>", "<close>: takes no argument, but 'now' is there", ""),
        ("<default 1>", "<default>: takes no argument, but '1' is there", ""),
        ("<bytes>", "<bytes>: expected octets in double quotes, got ''", ""),
        ("<bytes x>", "<bytes>: expected octets in double quotes, got 'x'", ""),
        ('<bytes ">', "<bytes>: expected octets in double quotes", ""),
        (r'<bytes "\d">', r"<bytes>: expected ASCII and the escapes \r \n \t \0 \xff", ""),
        (r'<bytes "\x1">', r"<bytes>: expected ASCII and the escapes", ""),
        ('<bytes "ü">', "<bytes>: expected ASCII and the escapes", ""),
        ('<bytes "a" "b">', "<bytes>: expected ASCII and the escapes", ""),
        ("<message>", "<message>: expected a message number, from 1, got ''", ""),
        ("<message 0>", "<message>: expected a message number, from 1, got '0'", ""),
        ("<message 2 first 10>", "<message>: expected a message number", ""),
        ("<message one>", "<message>: expected a message number", ""),
        ("<wait 2s> <close>", "one action a line", ""),
    ],
)
def test_wrong_action(line: str, message: str, suggestion: str) -> None:
    """A wrong action says what is wrong with it, and what could have been meant."""
    with pytest.raises(LineError) as caught:
        parse_action(line)

    assert caught.value.message.startswith(message)
    assert suggestion in caught.value.suggestion


@pytest.mark.parametrize("line", ["<a> b", "a <close>", "< close", "", "close", " <close>"])
def test_text_that_is_no_action(line: str) -> None:
    """Only a line that is nothing else is an action."""
    assert not is_action(line)


@given(data=st.binary(max_size=40))
def test_any_octets_can_be_written(data: bytes) -> None:
    """Every octet has an escape."""
    written = "".join(f"\\x{octet:02x}" for octet in data)

    assert Octets(data) == parse_action(f'<bytes "{written}">')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("10ms", 0.01), ("1.5 s", 1.5), ("1min", 60.0), ("3", 3.0), (" 0s ", 0.0)],
)
def test_duration(text: str, seconds: float) -> None:
    """A duration is a number with ms, s or min; seconds without."""
    assert pytest.approx(seconds) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1h", "1e3", "1 s s", "٣s", "9" * 400, "2s\n3s"])
def test_wrong_duration(text: str) -> None:
    """Anything else is refused, and so is what never ends."""
    with pytest.raises(ValueError, match="is no duration: write for example 2s or 10ms"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "0", "x", "1 every", "1 each 10ms", "-1", "1.5", "9" * 5000])
def test_wrong_dribble(text: str) -> None:
    """A dribble is at least one octet at a time."""
    with pytest.raises(ValueError, match="is no dribble: write for example 1 every 10ms"):
        parse_dribble(text)


@given(text=st.text(st.sampled_from('<>closewait bytmsg"{}\\x0f12 %'), max_size=30))
def test_only_line_errors(text: str) -> None:
    """Whatever stands between the angles, nothing but a LineError comes out."""
    line = f"<{text}>"

    try:
        parse_action(line)
        column = 0
    except LineError as error:
        column = error.column

    assert 0 <= column <= len(line)
