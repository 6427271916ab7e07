"""UTF8 and LANG (RFC 6856)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import accepted, b64, data_of, lines_of, plain, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Connect, Play

GREETED = (b"", b"+OK ready\r\n")
HEADER = "From: Jürgen <jürgen@example.com>\r\nSubject: Grüße\r\n\r\n".encode()
MESSAGE = HEADER + "Schöne Grüße\r\n".encode()
ASCII = b"Subject: x\r\n\r\nSch\xc3\xb6ne Gr\xc3\xbc\xc3\x9fe\r\n"
LANGUAGES = "server: {languages: {en: English, de: Deutsch, fr-CA: français}}"


@pytest.fixture
def eight_bit(connect: Connect, play: Play) -> Wire:
    """A conversation on a maildrop of two messages, the first of which has UTF-8 in its header."""
    return connect(play("", MESSAGE, ASCII))


@pytest.fixture
def polyglot(connect: Connect, play: Play) -> Wire:
    """A conversation with a server of several languages."""
    return connect(play(LANGUAGES))


# UTF8


def test_rfc6856_2_01_capability(before: Wire) -> None:
    """The capability has no argument or USER, and is the same in both states."""
    first = [line for line in lines_of(before.ask(b"CAPA")) if line.startswith(b"UTF8")]
    before.log_in()
    second = [line for line in lines_of(before.ask(b"CAPA")) if line.startswith(b"UTF8")]

    assert first == second == [b"UTF8 USER"]


def test_rfc6856_2_1_01_utf8_before_login(before: Wire) -> None:
    """UTF8 before login is accepted."""
    assert accepted(before.ask(b"UTF8"))
    assert accepted(before.log_in())


def test_rfc6856_2_1_02_utf8_takes_no_parameter(before: Wire) -> None:
    """UTF8 with a parameter is refused."""
    assert refused(before.ask(b"UTF8 x"))
    assert refused(before.ask(b"UTF8 USER"))


def test_rfc6856_2_1_03_utf8_after_login(wire: Wire) -> None:
    """UTF8 after login is refused."""
    assert refused(wire.ask(b"UTF8"))


@pytest.mark.parametrize("command", [b"RETR 1", b"TOP 1 0"])
def test_rfc6856_2_1_04_no_raw_header_without_utf8(eight_bit: Wire, command: bytes) -> None:
    """Without UTF8 a header that is not ASCII is not sent: the command is refused, with [UTF8]."""
    eight_bit.log_in()

    said = eight_bit.ask(command)

    assert refused(said)
    assert said.startswith(b"-ERR [UTF8] ")


def test_rfc6856_2_1_04_body_does_not_matter(eight_bit: Wire) -> None:
    """A message whose body alone is not ASCII is sent as it is."""
    eight_bit.log_in()

    assert data_of(eight_bit.ask(b"RETR 2")) == ASCII


def test_rfc6856_2_1_05_message_as_it_is_in_utf8_mode(eight_bit: Wire) -> None:
    """After UTF8 the message comes as it is."""
    eight_bit.ask(b"UTF8")
    eight_bit.log_in()

    assert data_of(eight_bit.ask(b"RETR 1")) == MESSAGE
    assert data_of(eight_bit.ask(b"TOP 1 0")) == HEADER


@pytest.mark.parametrize("mode", [b"UTF8", b"CAPA"])
def test_rfc6856_2_1_06_sizes_in_either_mode(eight_bit: Wire, mode: bytes) -> None:
    """LIST's size is that of what RETR sends, in either mode."""
    eight_bit.ask(mode)
    eight_bit.log_in()

    for line in lines_of(eight_bit.ask(b"LIST")):
        number, size = line.split()
        said = eight_bit.ask(b"RETR " + number)

        assert refused(said) or len(data_of(said)) == int(size)


def test_rfc6856_2_1_07_stls_after_utf8(before: Wire) -> None:
    """STLS after UTF8 may be refused; here it is taken."""
    before.ask(b"UTF8")

    assert accepted(before.ask(b"STLS"))
    before.secure()
    assert accepted(before.log_in())


@pytest.mark.parametrize("first", [b"UTF8", b"CAPA"])
@pytest.mark.parametrize("way", [b"PASS", b"AUTH"])
def test_rfc6856_2_2_01_names_and_passwords_in_utf8(
    connect: Connect, play: Play, first: bytes, way: bytes
) -> None:
    """Names and passwords in UTF-8 are taken, before the UTF8 command too."""
    user, password = "jürgen", "pässwörd ☃"
    wire = connect(play(users={user: password}))
    wire.ask(first)

    if way == b"AUTH":
        said = wire.ask(b"AUTH PLAIN " + plain(user.encode(), password.encode()))
    else:
        said = wire.log_in(user.encode(), password.encode())

    assert accepted(said)


@pytest.mark.parametrize("octets", [b"\xc3\x28", b"\xff", b"a\xed\xa0\x80", b"\xc0\xaf"])
def test_rfc6856_2_2_02_malformed_utf8(connect: Connect, play: Play, octets: bytes) -> None:
    """Malformed UTF-8 in USER or PASS is refused, whatever passwords there are."""
    text = octets.decode("utf-8", "surrogateescape")
    wire = connect(play(users={text: "secret", "alice": text}))

    assert refused(wire.log_in(octets, b"secret"))
    assert refused(wire.log_in(b"alice", octets))
    assert refused(wire.ask(b"STAT"))


@pytest.mark.parametrize("letter", ["\u200e", "\u0007", "\ue000", "\ufffd", "\u0080", "\ufdd0"])
def test_rfc6856_2_2_03_prohibited_letters(connect: Connect, play: Play, letter: str) -> None:
    """Letters that SASLprep prohibits are refused, whatever passwords there are."""
    users = {"alice": f"secret{letter}", f"bob{letter}": "secret"}
    wire = connect(play(users=users))

    assert refused(wire.log_in(b"alice", users["alice"].encode()))
    assert refused(wire.log_in(f"bob{letter}".encode(), b"secret"))
    assert refused(wire.ask(b"STAT"))


@pytest.mark.parametrize("letter", ["\u00a0", "\u00ad", "\u0340", "\u00e9", "\U0001f600"])
def test_rfc6856_2_2_03_letters_that_are_mapped(connect: Connect, play: Play, letter: str) -> None:
    """Letters that SASLprep maps, to others or to nothing, are not refused; nor are new ones."""
    user, password = f"bob{letter}", f"secret{letter}"
    wire = connect(play(users={user: password}))

    assert accepted(wire.log_in(user.encode(), password.encode()))


# LANG


def test_rfc6856_3_2_01_lang_lists_languages(polyglot: Wire) -> None:
    """LANG without an argument lists tags and descriptions in UTF-8."""
    lines = lines_of(polyglot.ask(b"LANG"))

    assert lines == [b"en English", b"de Deutsch", "fr-CA français".encode()]
    assert all(re.fullmatch(rb"[A-Za-z0-9-]+( [^\r\n]+)?", line) for line in lines)


@pytest.mark.parametrize(
    ("asked", "tag"), [(b"de", b"de"), (b"DE", b"de"), (b"fr", b"fr-CA"), (b"fr-ca", b"fr-CA")]
)
def test_rfc6856_3_2_02_lang_answers_with_the_tag(polyglot: Wire, asked: bytes, tag: bytes) -> None:
    """LANG with a language that there is is answered +OK, its tag, and text."""
    assert polyglot.ask(b"LANG " + asked).startswith(b"+OK " + tag + b" ")


@pytest.mark.parametrize("asked", [b"zz-zz", b"d", b"de-AT", b"fr-F", b"-", b"e*"])
def test_rfc6856_3_2_03_unsupported_language(polyglot: Wire, asked: bytes) -> None:
    """LANG with a language that there is not is refused, and changes nothing."""
    first = polyglot.ask(b"STAT")

    assert refused(polyglot.ask(b"LANG " + asked))
    assert polyglot.ask(b"STAT") == first


def test_rfc6856_3_2_04_choice_of_the_administrator(polyglot: Wire) -> None:
    """LANG * selects a language, and says which."""
    assert polyglot.ask(b"LANG *").startswith(b"+OK en ")


def test_rfc6856_3_2_05_lang_in_both_states(before: Wire) -> None:
    """LANG works before login and after it."""
    first = [before.ask(line) for line in (b"LANG", b"LANG en", b"LANG *")]
    before.log_in()

    assert all(said.startswith(b"+OK ") for said in first)
    assert [before.ask(line) for line in (b"LANG", b"LANG en", b"LANG *")] == first


def test_rfc6856_3_2_06_status_is_utf8(tour: list[Tape], polyglot: Wire) -> None:
    """All status text is valid UTF-8."""
    assert polyglot.ask(b"LANG fr") == "+OK fr-CA français\r\n".encode()

    chosen = (b"LANG fr\r\n", b"+OK fr\r\n")
    assert breaches("RFC6856-3.2-06", *tour) == []
    assert breaches("RFC6856-3.2-06", Tape.of(GREETED, chosen, (b"NOOP\r\n", b"+OK fran\xe7\r\n")))


def test_rfc6856_5_01_utf8_code(connect: Connect, play: Play, tour: list[Tape]) -> None:
    """[UTF8] comes only on a refused LIST, TOP or RETR."""
    legal = Tape.of(GREETED, (b"RETR 1\r\n", b"-ERR [UTF8] no\r\n"))
    illegal = Tape.of(GREETED, (b"UIDL\r\n", b"-ERR [UTF8] no\r\n"))

    assert breaches("RFC6856-5-01", *tour, legal) == []
    assert breaches("RFC6856-5-01", illegal)


@pytest.mark.parametrize("user", [b"alice", b"nobody"])
def test_rfc6856_7_01_lang_reveals_no_user(polyglot: Wire, user: bytes) -> None:
    """LANG * does not change after USER."""
    first = polyglot.ask(b"LANG *")

    polyglot.ask(b"USER " + user)

    assert polyglot.ask(b"LANG *") == first


def test_rfc6856_2_1_03_utf8_after_auth(connect: Connect, server: MockServer) -> None:
    """UTF8 after a login by AUTH is refused as well."""
    wire = connect(server)
    wire.ask(b"AUTH PLAIN " + b64(b"\0alice\0secret"))

    assert refused(wire.ask(b"UTF8"))
