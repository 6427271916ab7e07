"""UTF8 and LANG (RFC 6856)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._fixtures import on_wire
from pop3check._mail import is_whole
from pop3check._talk import negative

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

_NOBODY = "Jürgen-gibt-es-nicht"

#: A language tag (RFC 5646), and a line that lists one.
_TAG = r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"


@probe("RFC6856-2-01")
def announced_alike(talk: Talk) -> Wants[None]:
    """UTF8 before login and after it."""
    yield from talk.connect()
    said = []
    for logged_in in (False, True):
        if logged_in and not talk.facts.logged_in:
            break
        if logged_in:
            yield from talk.log_in()
        lines = [line.upper() for line in (yield from talk.lines("CAPA"))]
        said.append(next((line for line in lines if line.split(" ")[0] == "UTF8"), "no UTF8"))
        right = said[-1] in ("UTF8", "UTF8 USER")
        talk.require(right, "UTF8, or UTF8 USER", said[-1])
    talk.require(len(set(said)) == 1, f"{said[0]} after login too", said[-1])


@probe("RFC6856-2.1-04")
def no_raw_header(talk: Talk) -> Wants[None]:
    """RETR and TOP without UTF8."""
    number = talk.fixture("utf8")
    lines = [f"RETR {number}"] + ([f"TOP {number} 0"] if talk.facts.top else [])
    for line in lines:
        answer = yield from talk.ask(line)
        if not positive(answer):
            talk.require(negative(answer), "a surrogate, or -ERR", answer)
            continue
        header = (yield from talk.rest_of_message()).partition(b"\r\n\r\n")[0]
        talk.require(header.isascii(), "a header in ASCII, or -ERR", repr(header[-60:])[1:])


@probe("RFC6856-2.1-05", logs_in=True)
def as_it_is(talk: Talk) -> Wants[None]:
    """RETR with UTF8."""
    yield from _with_utf8(talk)
    came = yield from talk.message(f"RETR {talk.fixture('utf8')}")
    right = on_wire("utf8", talk.facts.run)
    talk.require(is_whole(right, came), "the message as it was stored", repr(came[-60:])[1:])


@probe("RFC6856-2.1-06", logs_in=True)
def sizes_are_right(talk: Talk) -> Wants[None]:
    """LIST and RETR, without UTF8 and with it."""
    number = talk.fixture("utf8")
    yield from talk.enter("without")
    yield from _size_is_right(talk, number)
    yield from talk.quit()
    yield from _with_utf8(talk)
    yield from _size_is_right(talk, number)


def _size_is_right(talk: Talk, number: int) -> Wants[None]:
    answer = yield from talk.ask(f"LIST {number}")
    if not positive(answer):
        return  # RFC 6856, section 5: refused with [UTF8]
    size = answer.split(" ")[2] if answer.count(" ") > 1 else ""
    answer = yield from talk.ask(f"RETR {number}")
    if positive(answer):
        came = yield from talk.rest_of_message()
        talk.require(str(len(came)) == size, f"{size} octets, as LIST says", len(came))


def _with_utf8(talk: Talk) -> Wants[None]:
    yield from talk.connect("utf8")
    yield from talk.accepted("UTF8")
    yield from talk.log_in()


@probe("RFC6856-2.1-07")
def stls_after_utf8(talk: Talk) -> Wants[None]:
    """UTF8, then STLS, which is begun where it is taken."""
    yield from talk.accepted("UTF8")
    answer = yield from talk.ask("STLS")
    talk.note(f"STLS after UTF8 is {'taken' if positive(answer) else 'refused'}")
    if positive(answer):
        yield from talk.dialogue.start_tls()


@probe("RFC6856-2.2-01")
def names_in_utf8(talk: Talk) -> Wants[None]:
    """USER and PASS in UTF-8: refused for what they are they may be, but not for their octets."""
    answer = yield from talk.ask(f"USER {_NOBODY}")
    if positive(answer):
        yield from talk.refused(f"PASS {_NOBODY}")
    ordinary = yield from talk.ask("USER nobody-has-this-name")
    same = positive(answer) == positive(ordinary)
    talk.require(same, f"what a name in ASCII is answered: {ordinary}", answer)


@probe("RFC6856-2.2-02", logs_in=True)
def no_utf8(talk: Talk) -> Wants[None]:
    """USER with octets that are no UTF-8, and a PASS."""
    yield from talk.send_octets(b"USER \xc3\x28\r\n", "an answer to USER")
    answer = yield from talk.line()
    if positive(answer):
        yield from talk.refused("PASS wrong-on-purpose")
    yield from talk.accepted(f"USER {talk.target.user}")
    yield from talk.send_octets(b"PASS \xc3\x28\r\n", "-ERR to PASS")
    answer = yield from talk.line()
    talk.require(negative(answer), talk.expected, answer)


@probe("RFC6856-2.2-03", logs_in=True)
def forbidden_code_points(talk: Talk) -> Wants[None]:
    """The right password with a code point behind it that SASLprep forbids."""
    yield from talk.accepted(f"USER {talk.target.user}")
    yield from talk.refused(f"PASS {talk.target.password}\u200e", secret=True)


# LANG


@probe("RFC6856-3.2-01")
def languages(talk: Talk) -> Wants[None]:
    """LANG without a parameter."""
    answer = yield from talk.ask("LANG")
    if not positive(answer):
        talk.require(negative(answer), "languages, or -ERR", answer)
        return
    for line in (yield from talk.listing()):
        listed = re.fullmatch(rf"(i-default|{_TAG})( [^\r\n]*)?", line) is not None
        talk.require(listed, "a language tag, and its description", line)


@probe("RFC6856-3.2-02")
def language_is_chosen(talk: Talk) -> Wants[None]:
    """LANG with the first tag of the list."""
    lines = yield from talk.lines("LANG")
    tag = lines[0].split(" ")[0] if lines else "en"
    answer = yield from talk.accepted(f"LANG {tag}")
    said = answer.split(" ")[1:2]
    talk.require([tag.lower()] == [word.lower() for word in said], f"+OK {tag} and text", answer)


@probe("RFC6856-3.2-05", logs_in=True)
def both_states(talk: Talk) -> Wants[None]:
    """LANG before login and after it."""
    yield from talk.connect()
    before = yield from talk.ask("LANG *")
    yield from talk.log_in()
    after = yield from talk.ask("LANG *")
    talk.require(positive(before) and positive(after), "+OK before login and after it", after)


@probe("RFC6856-7-01")
def language_tells_nothing(talk: Talk) -> Wants[None]:
    """LANG * after USER of somebody, and of nobody."""
    said = []
    for user in (talk.target.user, "nobody-has-this-name"):
        yield from talk.connect(user)
        yield from talk.ask(f"USER {user}")
        said.append((yield from talk.ask("LANG *")))
        yield from talk.quit()
    talk.require(said[0] == said[1], f"the same for nobody: {said[1]}", said[0])
