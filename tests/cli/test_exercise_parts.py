"""The parts of ``pop3kit exercise``: the template, where mail is taken from, what is the same."""

from __future__ import annotations

import mailbox
from typing import TYPE_CHECKING

import pytest

from pop3kit._comparison import Liberty, compare
from pop3kit._handover import Handover, collect, prepare
from pop3kit._mailsent import withheld
from pop3kit._template import Template, TemplateError
from pop3scenarios import load

if TYPE_CHECKING:
    from pathlib import Path

    from pop3kit._template import TLSMode

VALUES = {
    "host": "localhost",
    "port": "1110",
    "user": "joe",
    "password": "{port}",
    "ca": "/ca",
    "out": "/out",
    "home": "/home",
    "scenario": "default",
}

ONE = b"Subject: One\r\n\r\nfirst\r\n"
TWO = b"Subject: Two\r\n\r\nsecond\r\nFrom here on\r\n"


# The template


@pytest.mark.parametrize(
    ("words", "mode", "command"),
    [
        (["x", "{scheme}://{user}@{host}:{port}/"], "none", ["x", "pop3://joe@localhost:1110/"]),
        (["{scheme}:{port}"], "implicit", ["pop3s:1110"]),
        (["{tls}"], "stls", ["stls"]),
        (["{stls:--ssl-reqd}", "{none:-p}", "a"], "stls", ["--ssl-reqd", "a"]),
        (["{tls:--ca={ca}}"], "implicit", ["--ca=/ca"]),
        (["{tls:--ca={ca}}", "b"], "none", ["b"]),
        (["{password}"], "none", ["{port}"]),
        (["{{print}}", "{{{port}}}"], "none", ["{print}", "{1110}"]),
        (["", "a b"], "none", ["", "a b"]),
    ],
)
def test_places(words: list[str], mode: TLSMode, command: list[str]) -> None:
    """Places become their values once, text under a condition is there if it holds."""
    assert Template(words).fill(mode, VALUES) == command


@pytest.mark.parametrize(
    ("words", "modes"),
    [
        (["{port}"], {"none"}),
        (["{tls}"], {"none", "stls", "implicit"}),
        (["{scheme}"], {"none", "implicit"}),
        (["{stls:-s}"], {"none", "stls"}),
        (["{tls:{ca}}"], {"none", "stls", "implicit"}),
    ],
)
def test_modes(words: list[str], modes: set[TLSMode]) -> None:
    """What places are there tells in which ways a command can connect."""
    assert Template(words).modes == modes


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("{prot}", "{prot}: did you mean 'port'?"),
        ("{stls:{prot}}", "{prot}: did you mean 'port'?"),
        ("{print}", "for braces write {{ and }}"),
        ("{starttls:x}", "expected one of implicit, none, stls, tls before ':'"),
    ],
)
def test_no_such_place(word: str, said: str) -> None:
    """A place for what there is not is an error that says what was meant."""
    with pytest.raises(TemplateError) as caught:
        Template([word])

    assert said in str(caught.value)


# Where mail is taken from


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What {out} names."""
    return tmp_path / "out"


def test_folder(out: Path) -> None:
    """Every file in the folder and in those below is a message."""
    prepare(Handover.FOLDER, out)
    (out / "1.eml").write_bytes(ONE)
    (out / "below").mkdir()
    (out / "below" / "2").write_bytes(TWO)

    assert collect(Handover.FOLDER, out, out / "x", []) == [ONE, TWO]


def test_maildir(out: Path) -> None:
    """What has been delivered to a Maildir is taken, not what is on its way."""
    prepare(Handover.MAILDIR, out)
    mailbox.Maildir(out, create=False).add(ONE.replace(b"\r\n", b"\n"))
    (out / "tmp" / "half").write_bytes(b"Sub")

    assert collect(Handover.MAILDIR, out, out / "x", []) == [ONE.replace(b"\r\n", b"\n")]


def test_mbox(out: Path) -> None:
    """An mbox gives its messages without its separators and their quotes."""
    prepare(Handover.MBOX, out)
    box = mailbox.mbox(out)
    for message in (ONE, TWO):
        box.add(message.replace(b"\r\n", b"\n"))
    box.close()

    came = collect(Handover.MBOX, out, out / "x", [])

    assert b"\n>From here on\n" in out.read_bytes()
    assert came == [ONE.replace(b"\r\n", b"\n"), TWO.replace(b"\r\n", b"\n")]


def test_mbox_that_was_never_made(out: Path) -> None:
    """Where no mail came there may be no mbox."""
    assert collect(Handover.MBOX, out, out / "x", []) == []


@pytest.mark.parametrize(
    ("stream", "came"),
    [
        (b"", []),
        (TWO + ONE, [TWO, ONE]),
        (ONE.replace(b"\r\n", b"\n") + ONE, [ONE.replace(b"\r\n", b"\n"), ONE]),
        (ONE + b"\n" + TWO + b"\n\n", [ONE, b"\n", TWO]),
        (b"hello " + ONE + TWO[:9], [b"hello ", ONE, TWO[:9]]),
    ],
)
def test_stdout(tmp_path: Path, stream: bytes, came: list[bytes]) -> None:
    """Messages that stand one behind the other are told apart by those that are there."""
    (tmp_path / "said").write_bytes(stream)

    assert collect(Handover.STDOUT, tmp_path, tmp_path / "said", [ONE, TWO]) == came


def test_nowhere(tmp_path: Path) -> None:
    """Where no mail is handed over nobody knows what came."""
    assert collect(Handover.NOWHERE, tmp_path, tmp_path, []) is None


# What is the same


def test_any_order() -> None:
    """Messages are told by what they are, not by when they come."""
    found = compare({1: ONE, 2: TWO}, [TWO, ONE])

    assert (found.intact, found.altered, found.missing) == ((1, 2), (), ())


def test_equal_messages() -> None:
    """Of two equal messages each has to come."""
    found = compare({1: ONE, 2: ONE}, [ONE])

    assert (found.intact, found.missing, found.duplicated) == ((1,), (2,), ())


@pytest.mark.parametrize(
    ("came", "difference"),
    [
        (TWO[:20], f"message 2 is cut short: 20 of {len(TWO)} octets"),
        (b"", f"message 2 is cut short: 0 of {len(TWO)} octets"),
        (TWO + b".\r\n", r"message 2 has 3 octets too many at its end: b'.\r\n'"),
        (
            TWO.replace(b"sec", b"SEC"),
            (
                r"message 2 differs from octet 17 on: expected b'second\r\nFrom here on\r\n', "
                r"got b'SECond\r\nFrom here on\r\n'"
            ),
        ),
    ],
)
def test_difference(came: bytes, difference: str) -> None:
    """A message that came otherwise is told by the first octet that differs."""
    found = compare({1: ONE, 2: TWO}, [ONE, came])

    assert (found.altered, found.differences) == ((2,), (difference,))


def test_surplus() -> None:
    """What is no message and takes no message's place is told."""
    found = compare({1: ONE}, [ONE, b"greetings"])

    assert found.surplus == 1
    assert found.differences == ("something came that is no message: b'greetings'",)


def test_duplicates() -> None:
    """A message that comes twice is one too many, and takes no other's place."""
    found = compare({1: ONE, 2: TWO}, [ONE, ONE, ONE])

    assert (found.intact, found.missing, found.duplicated) == ((1,), (2,), (1, 1))


@pytest.mark.parametrize(
    ("liberty", "came"),
    [
        (Liberty.LINE_ENDS, ONE.replace(b"\r\n", b"\n")),
        (Liberty.LINE_ENDS, ONE.replace(b"\r\n", b"\r\r\n")),
        (Liberty.FIELDS, b"Received: by x;\r\n\tnow\r\nX-A: b\r\n" + ONE),
        (Liberty.FROM_LINE, b"From joe Mon Jan  2 10:00:00 2023\n" + ONE),
        (Liberty.BLANK_END, ONE + b"\r\n\r\n"),
    ],
)
def test_liberty(liberty: Liberty, came: bytes) -> None:
    """What is allowed is no alteration; what is not is one."""
    others = [each for each in Liberty if each is not liberty]

    assert compare({1: ONE}, [came], [liberty]).intact == (1,)
    assert compare({1: ONE}, [came], others).altered == (1,)


@pytest.mark.parametrize("front", [b"no field\r\n", b"\tgoes on\r\n", b"A: b\r\n\r\n", b"A: b"])
def test_fields_are_whole(front: bytes) -> None:
    """Only whole header fields may stand in front."""
    assert compare({1: ONE}, [front + ONE], [Liberty.FIELDS]).intact == ()


def test_what_is_withheld() -> None:
    """A message that LIST and RETR refuse is not there; one that RETR alone refuses is."""
    assert withheld(load("list-gaps")) == {1, 3}
    assert withheld(load("retr-quota")) == frozenset()
