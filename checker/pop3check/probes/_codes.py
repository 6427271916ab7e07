"""Response codes (RFC 2449, section 8; RFC 3206)."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from pop3check._findings import Skipped
from pop3check._login import log_in
from pop3check._talk import WRONG, negative

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants


def code_of(answer: str) -> str:
    """The response code of a refusal, in upper case; empty if it has none."""
    text = answer.removeprefix("-ERR ")
    return text[1:].partition("]")[0].upper() if text.startswith("[") else ""


@probe("RFC2449-8.1.2-01", logs_in=True)
def lock_is_told(talk: Talk) -> Wants[None]:
    """A second login of the same user."""
    answer = yield from _second_login(talk)
    talk.require(code_of(answer) == "IN-USE", "-ERR [IN-USE]", answer)


@probe("RFC3206-5-01", logs_in=True)
def lock_is_no_wrong_password(talk: Talk) -> Wants[None]:
    """The same; it is not the credentials that are wrong."""
    answer = yield from _second_login(talk)
    talk.require(code_of(answer) != "AUTH", "-ERR without [AUTH]", answer)


def _second_login(talk: Talk) -> Wants[str]:
    yield from talk.enter("first")
    yield from talk.connect("second")
    yield from talk.logs_in()
    return talk.answer


@probe("RFC2449-8.1.2-02", logs_in=True)
def lock_is_told_to_the_owner(talk: Talk) -> Wants[None]:
    """A second login with a wrong password."""
    yield from talk.enter("first")
    yield from talk.connect("second")
    answer = yield from talk.wrong_login()
    talk.require(code_of(answer) != "IN-USE", "-ERR without [IN-USE]", answer)


@probe("RFC3206-4-02")
def no_failure_of_the_system(talk: Talk) -> Wants[None]:
    """A wrong password."""
    answer = yield from talk.wrong_login()
    talk.require(not code_of(answer).startswith("SYS"), "-ERR without [SYS/…]", answer)


@probe("RFC3206-6-02", logs_in=True)
def nobody_is_told_the_same(talk: Talk) -> Wants[None]:
    """A wrong password of somebody, and a password of nobody."""
    somebody = yield from _refused(talk, talk.target.user)
    talk.require(code_of(somebody) == "AUTH", "-ERR [AUTH]", somebody)
    nobody = yield from _refused(talk, "nobody-has-this-name")
    talk.require(nobody == somebody, f"the same as for somebody: {somebody}", nobody)


def _refused(talk: Talk, user: str) -> Wants[str]:
    answer = yield from talk.ask(f"USER {user}")
    if negative(answer):
        return answer
    return (yield from talk.refused("PASS wrong-on-purpose"))


@probe("RFC3206-6-03", logs_in=True)
def failed_plain(talk: Talk) -> Wants[None]:
    """AUTH PLAIN with a wrong password."""
    proof = base64.b64encode(f"\0{talk.target.user}\0wrong-on-purpose".encode()).decode()
    answer = yield from talk.refused(f"AUTH PLAIN {proof}")
    talk.require(code_of(answer) == "AUTH", "-ERR [AUTH]", answer)


@probe("RFC3206-6-04", logs_in=True)
def failed_apop(talk: Talk) -> Wants[None]:
    """APOP with a wrong digest."""
    stranger = replace(talk.target, password=WRONG)
    answer = yield from log_in(talk.dialogue, stranger, "APOP")
    talk.require(code_of(answer) == "AUTH", "-ERR [AUTH]", answer)


@probe("RFC3206-6-05", logs_in=True)
def codes_come_together(talk: Talk) -> Wants[None]:
    """CAPA before login and after it."""
    if not talk.facts.logged_in:
        raise Skipped(f"login: {talk.facts.no_login}")
    yield from talk.connect()
    for when in ("before login", "after login"):
        if when == "after login":
            yield from talk.log_in()
        tags = {line.upper().split(" ")[0] for line in (yield from talk.lines("CAPA"))}
        both = {"AUTH-RESP-CODE", "RESP-CODES"}
        talk.require(both <= tags, f"both {when}", f"no {', '.join(sorted(both - tags))}")
