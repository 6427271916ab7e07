"""AUTH, whatever the mechanism (RFC 5034, RFC 1734)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3check._dialogue import is_challenge, positive
from pop3check._findings import Skipped, Unmet
from pop3check._sasl import SCRAM, Scram, oauthbearer, plain, xoauth2
from pop3check._talk import WRONG
from pop3check._wants import Lost

from ._exchange import (
    NOBODY,
    admitted,
    anew,
    begin,
    begun,
    by_auth,
    by_scram,
    offered,
    pick,
    refused,
    waiting,
)
from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Mechanisms in which the password itself crosses the wire.
_TELLING = frozenset({"PLAIN", "LOGIN"})

#: Mechanisms in which a response may be empty.
_EMPTY = ("EXTERNAL", "ANONYMOUS")

#: Octets that make a response or a line a long one (RFC 5034, section 4; RFC 2449, section 4).
_LONG = 255

#: What stands behind +OK where a server puts SASL data: the last message of SCRAM, in Base64 or
#: not, or a word that is padded as Base64 is.
_DATA = re.compile(r"v=\S+|dj[01][A-Za-z0-9+/]+=*|(?:[A-Za-z0-9+/]{4})+[A-Za-z0-9+/]{2,3}={1,2}")


# What CAPA says


def _mechanisms(talk: Talk) -> Wants[list[str]]:
    lines = yield from talk.lines("CAPA")
    found = next((line for line in lines if line.upper().split(" ")[0] == "SASL"), "")
    return found.upper().split()[1:]


@probe("RFC5034-3-01", logs_in=True)
def sasl_stays(talk: Talk) -> Wants[None]:
    """CAPA after a login by AUTH."""
    admitted(talk, (yield from by_auth(talk)), "AUTH")
    lines = yield from talk.lines("CAPA")
    tags = [line.upper().split(" ")[0] for line in lines]
    talk.require("SASL" in tags, "SASL in CAPA after AUTH", " ".join(tags))


@probe("RFC5034-3-02")
def list_may_grow(talk: Talk) -> Wants[None]:
    """CAPA before STLS and after it."""
    yield from talk.connect(secure=False)
    before = yield from _mechanisms(talk)
    yield from talk.dialogue.upgrade()
    after = yield from _mechanisms(talk)
    new, gone = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    talk.note(f"before STLS: {' '.join(before) or 'none'}")
    talk.note(f"STLS adds {' '.join(new) or 'none'} and takes away {' '.join(gone) or 'none'}")


@probe("RFC5034-4-22")
def plain_inside_tls(talk: Talk) -> Wants[None]:
    """CAPA inside TLS."""
    names = yield from _mechanisms(talk)
    talk.require("PLAIN" in names, "PLAIN among the mechanisms", " ".join(names) or "none")


@probe("RFC5034-4-23")
def no_plain_in_the_clear(talk: Talk) -> Wants[None]:
    """CAPA before TLS."""
    names = yield from _in_the_clear(talk)
    found = [name for name in names if name in _TELLING]
    talk.require(not found, "neither PLAIN nor LOGIN without TLS", " ".join(found))


@probe("RFC7628-3-01")
def no_bearer_in_the_clear(talk: Talk) -> Wants[None]:
    """CAPA before TLS, where OAUTHBEARER is announced at all."""
    names = yield from _in_the_clear(talk)
    talk.require("OAUTHBEARER" not in names, "no OAUTHBEARER without TLS", " ".join(names))
    if not talk.facts.announces("SASL OAUTHBEARER"):
        raise Skipped("the server does not announce SASL OAUTHBEARER")


def _in_the_clear(talk: Talk) -> Wants[list[str]]:
    """The mechanisms that CAPA lists before TLS."""
    if talk.target.tls == "implicit":
        raise Skipped("the server is checked with TLS from the first octet")
    yield from talk.connect(secure=False)
    return (yield from _mechanisms(talk))


@probe("RFC5034-4-24")
def mechanism_that_keeps_the_password(talk: Talk) -> Wants[None]:
    """The mechanisms of CAPA."""
    names = yield from _mechanisms(talk)
    keeping = [name for name in names if name not in _TELLING]
    talk.require(bool(keeping), "a mechanism that does not send the password", " ".join(names))


# The command


@probe("RFC5034-4-03")
def case_of_names(talk: Talk) -> Wants[None]:
    """A mechanism in upper, lower and mixed case; each exchange is called off."""
    name = waiting(talk)
    if not is_challenge((yield from begin(talk, name))):
        raise Skipped(f"AUTH {name} asks for no response")
    yield from talk.respond("*")
    for written in (name.lower(), name.capitalize()):
        yield from begun(talk, written)
        yield from talk.respond("*")


@probe("RFC5034-4-04")
def empty_challenge(talk: Talk) -> Wants[None]:
    """PLAIN without an initial response."""
    answer = yield from begin(talk, "PLAIN")
    if is_challenge(answer):
        yield from talk.respond("*")
    talk.require(answer == "+ ", "a plus and a space, nothing else", repr(answer))


@probe("RFC5034-4-06")
def asterisk(talk: Talk) -> Wants[None]:
    """An exchange that is called off."""
    yield from begun(talk, waiting(talk))
    yield from refused(talk, (yield from talk.respond("*")), "*")


@probe("RFC5034-4-07", logs_in=True)
def as_if_nothing_had_been(talk: Talk) -> Wants[None]:
    """An exchange that is called off, a command of the other state, a login."""
    yield from begun(talk, waiting(talk))
    yield from talk.respond("*")
    yield from talk.refused("STAT")
    yield from talk.logs_in()
    admitted(talk, talk.answer, "a login after an exchange that was called off")
    yield from talk.stat()


@probe("RFC5034-4-08", logs_in=True)
def initial_response(talk: Talk) -> Wants[None]:
    """PLAIN with an initial response, then STAT."""
    response = plain(talk.target.user, talk.target.password)
    answer = yield from begin(talk, "PLAIN", response, secret=True)
    admitted(talk, answer, "AUTH PLAIN with an initial response")
    yield from talk.stat()


@probe("RFC5034-4-09")
def equals_sign(talk: Talk) -> Wants[None]:
    """PLAIN with an empty initial response."""
    yield from refused(talk, (yield from begin(talk, "PLAIN", "=")), "an empty response to PLAIN")


@probe("RFC5034-4-10")
def empty_response_that_works(talk: Talk) -> Wants[None]:
    """An empty initial response; where it does not log in, the same in two lines."""
    pick(talk, *_EMPTY)
    for name in (name for name in _EMPTY if name in offered(talk)):
        answer = yield from begin(talk, name, "=")
        if positive(answer):
            return
        if is_challenge(answer):
            yield from refused(talk, answer, f"AUTH {name} =, or +OK")
        yield from anew(talk, f"{name.lower()}-in-two-lines")
        if is_challenge((yield from begin(talk, name))) and positive((yield from talk.respond(""))):
            raise Unmet(f"+OK to AUTH {name} =, as to an empty response in its own line", answer)
        yield from anew(talk, f"after-{name.lower()}")
    raise Skipped(f"an empty response does not let us in: {' '.join(_EMPTY)}")


@probe("RFC5034-4-11")
def initial_response_where_the_server_begins(talk: Talk) -> Wants[None]:
    """CRAM-MD5 with an initial response."""
    answer = yield from begin(talk, "CRAM-MD5", "AAAA")
    yield from refused(talk, answer, "an initial response to CRAM-MD5")


@probe("RFC5034-4-12")
def not_base64(talk: Talk) -> Wants[None]:
    """A response to PLAIN that is not Base64."""
    yield from _refused_to_plain(talk, "!!!!")


@probe("RFC5034-4-13")
def pad_elsewhere(talk: Talk) -> Wants[None]:
    """Responses to PLAIN with a pad character in front and in the middle."""
    for number, response in enumerate(("=AAA", "AAA=BBB")):
        if number:
            yield from anew(talk, f"{number}")
        yield from _refused_to_plain(talk, response)


def _refused_to_plain(talk: Talk, response: str) -> Wants[None]:
    yield from begun(talk, "PLAIN")
    yield from refused(talk, (yield from talk.respond(response)), f"the response {response}")


@probe("RFC5034-4-14", logs_in=True)
def outside_the_alphabet(talk: Talk) -> Wants[None]:
    """The right response to PLAIN, with a character in it that does not belong there."""
    right = plain(talk.target.user, talk.target.password)
    for number, stray in enumerate(" -_"):
        if number:
            yield from anew(talk, f"{number}")
        yield from begun(talk, "PLAIN")
        answer = yield from talk.respond(f"{right[:4]}{stray}{right[4:]}", secret=True)
        yield from refused(talk, answer, f"a response with {stray!r} in it")


@probe("RFC5034-4-16", logs_in=True)
def auth_after_auth(talk: Talk) -> Wants[None]:
    """AUTH again, after a login by AUTH."""
    admitted(talk, (yield from by_auth(talk)), "AUTH")
    yield from refused(talk, (yield from begin(talk, waiting(talk))), "AUTH after AUTH")


@probe("RFC5034-4-17")
def auth_after_pass(talk: Talk) -> Wants[None]:
    """AUTH after a login by USER and PASS."""
    yield from refused(talk, (yield from begin(talk, waiting(talk))), "AUTH after a login")


@probe("RFC5034-4-18")
def long_response(talk: Talk) -> Wants[None]:
    """A wrong password of 255 octets, and another exchange after it."""
    yield from refused_long(talk, plain(NOBODY, "p" * _LONG))


def refused_long(talk: Talk, response: str) -> Wants[None]:
    """A long response to PLAIN is refused once, and the session goes on."""
    what = f"a wrong response of {len(response)} octets"
    yield from begun(talk, "PLAIN")
    yield from refused(talk, (yield from talk.respond(response)), what)
    try:
        answer = yield from begin(talk, "PLAIN")
    except (Unmet, Lost):
        ended = "the end of the connection"
        raise Unmet(f"a session that goes on after {what}", ended, closed=True) from None
    talk.require(is_challenge(answer), f"a challenge to AUTH PLAIN after {what}", answer)
    yield from talk.respond("*")


@probe("RFC5034-4-19")
def long_line(talk: Talk) -> Wants[None]:
    """An initial response that makes the line a long one, with a token or password of nobody's."""
    name = pick(talk, "XOAUTH2", "OAUTHBEARER", "PLAIN")
    made = {"XOAUTH2": xoauth2, "OAUTHBEARER": oauthbearer}.get(name)
    wrong = "t" * _LONG
    response = made(wrong, NOBODY) if made else plain(NOBODY, wrong)
    what = f"AUTH {name} in a line of {len(f'AUTH {name} {response}') + 2} octets"
    try:
        answer = yield from begin(talk, name, response)
    except (Unmet, Lost):
        talk.over.add(talk.on)
        talk.note(f"{what} is answered by the end of the connection")
        return
    if is_challenge(answer):
        yield from talk.respond("*")
        answer = "a challenge"
    talk.note(f"{what} is answered: {answer}")


@probe("RFC5034-4-20", logs_in=True)
def failed_authentication(talk: Talk) -> Wants[None]:
    """AUTH with a wrong password."""
    yield from refused(talk, (yield from by_auth(talk, WRONG)), "AUTH with a wrong password")


@probe("RFC5034-4-21", logs_in=True)
def no_data_with_success(talk: Talk) -> Wants[None]:
    """The line that tells success: of SCRAM, whose server has something to say, where it is."""
    there = offered(talk)
    name = next((each for each in SCRAM if each in there), None)
    if name is None:
        answer = yield from by_auth(talk)
    else:
        client = Scram(name, talk.target.user, talk.target.password)
        answer = yield from by_scram(talk, client, name)
    admitted(talk, answer, "AUTH")
    found = _DATA.fullmatch(answer.removeprefix("+OK").strip())
    talk.require(found is None, "+OK without data of the mechanism", "+OK and a word of Base64")


@probe("RFC5034-4-25", logs_in=True)
def third_word(talk: Talk) -> Wants[None]:
    """The right initial response to PLAIN, and another word behind it."""
    response = plain(talk.target.user, talk.target.password)
    answer = yield from begin(talk, "PLAIN", f"{response} x", secret=True)
    yield from refused(talk, answer, "AUTH with a third word")


@probe("RFC5034-4-26", logs_in=True)
def empty_authorization_identity(talk: Talk) -> Wants[None]:
    """PLAIN without an authorization identity; STAT tells whose maildrop it is."""
    yield from begun(talk, "PLAIN")
    response = plain(talk.target.user, talk.target.password)
    answer = yield from talk.respond(response, secret=True)
    admitted(talk, answer, "PLAIN without an authorization identity")
    whole = talk.facts.count, talk.facts.octets
    came = yield from talk.stat()
    talk.require(None in whole or came == whole, f"the user's maildrop, STAT {whole}", str(came))


@probe("RFC1734-3-01")
def spaces_behind_auth(talk: Talk) -> Wants[None]:
    """AUTH with two spaces, and with a tab, in front of the mechanism."""
    name = waiting(talk)
    for number, (space, called) in enumerate((("  ", "two spaces"), ("\t", "a tab"))):
        if number:
            yield from anew(talk, "tab")
        answer = yield from talk.ask(f"AUTH{space}{name}")
        if is_challenge(answer):
            yield from talk.respond("*")
        talk.note(f"{called} behind AUTH: {'taken' if is_challenge(answer) else 'refused'}")
