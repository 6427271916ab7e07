"""What probes of SASL mechanisms share: which is asked, and how an exchange goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._dialogue import is_challenge, positive
from pop3check._findings import Inconclusive, Skipped
from pop3check._sasl import SCRAM, Scram, b64, challenge_of, cram_md5, plain
from pop3check._talk import TRANSIENT, negative

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Whose login fails where it need not be the account's: nobody is locked out.
NOBODY = "nobody-has-this-name"

#: The mechanisms by which the checker can log in, the simplest first.
_BY_PASSWORD = ("PLAIN", "LOGIN", "CRAM-MD5", *SCRAM)

#: Mechanisms that are begun where any will do; each waits for a response.
_WAITING = (*_BY_PASSWORD, "XOAUTH2", "OAUTHBEARER")


def offered(talk: Talk) -> list[str]:
    """The mechanisms that the server announces where the talk stands, in upper case."""
    facts = talk.facts
    here = facts.argument("SASL", "secured" if talk.target.tls == "stls" else "first")
    return (here if here is not None else facts.argument("SASL") or "").upper().split()


def pick(talk: Talk, *names: str) -> str:
    """The first of some mechanisms that the server announces.

    Raises:
        Skipped: It announces none of them.
    """
    there = offered(talk)
    found = next((name for name in names if name in there), None)
    if found is None:
        raise Skipped(f"the server announces none of SASL {' '.join(names)}")
    return found


def waiting(talk: Talk) -> str:
    """A mechanism that is announced, and that waits for a response when it is begun."""
    return pick(talk, *_WAITING, *offered(talk))


def begin(talk: Talk, name: str, initial: str = "", *, secret: bool = False) -> Wants[str]:
    """Send AUTH; gives the answer.

    Args:
        talk: Where.
        name: The mechanism.
        initial: The initial response in Base64; empty for none.
        secret: Whether the password can be read from it.
    """
    line = f"AUTH {name} {initial}" if initial else f"AUTH {name}"
    return (yield from talk.ask(line, secret=secret))


def begun(talk: Talk, name: str) -> Wants[str]:
    """Send AUTH without an initial response; gives the challenge that has to come."""
    answer = yield from begin(talk, name)
    talk.require(is_challenge(answer), f"a challenge to AUTH {name}", answer)
    return answer


def refused(talk: Talk, answer: str, what: str) -> Wants[None]:
    """Require that something was refused; the exchange is called off if it goes on."""
    if is_challenge(answer):
        yield from talk.respond("*")
    talk.require(negative(answer), f"-ERR to {what}", answer)


def admitted(talk: Talk, answer: str, what: str) -> None:
    """Require that somebody was let in.

    Raises:
        Inconclusive: Not now, says the server.
    """
    if TRANSIENT.match(answer):
        raise Inconclusive(f"no login now: {answer}")
    talk.require(positive(answer), f"+OK to {what}", answer)


def anew(talk: Talk, name: str) -> Wants[None]:
    """Go on with a new connection: servers count what they refuse on one."""
    yield from talk.drop()
    yield from talk.connect(name)


def by_auth(talk: Talk, password: str = "") -> Wants[str]:
    """Log in by AUTH; gives the last answer.

    Args:
        talk: Where, as whom.
        password: Another password than the right one.

    Raises:
        Skipped: The server announces no mechanism that could be used.
        Unmet: The exchange does not go on.
    """
    user, secret = talk.target.user, password or talk.target.password
    name = pick(talk, *_BY_PASSWORD)
    match name:
        case "PLAIN":
            return (yield from begin(talk, name, plain(user, secret), secret=True))
        case "LOGIN":
            yield from begun(talk, name)
            yield from talk.respond(b64(user))
            return (yield from talk.respond(b64(secret), secret=True))
        case "CRAM-MD5":
            challenge = challenge_of((yield from begun(talk, name)), "a challenge")
            return (yield from talk.respond(cram_md5(challenge, user, secret)))
        case _:
            return (yield from by_scram(talk, Scram(name, user, secret), name))


def by_scram(talk: Talk, client: Scram, name: str) -> Wants[str]:
    """Log in by SCRAM; gives the last answer, which is -ERR or follows the server's proof.

    Raises:
        Unmet: The exchange does not go on, or the server does not know the password.
    """
    first = challenge_of((yield from begin(talk, name, client.first)), "the server's first message")
    answer = yield from talk.respond(client.last(first))
    if not is_challenge(answer):
        return answer
    last = challenge_of(answer, "the server's last message")
    client.judge(last)
    answer = yield from talk.respond("")
    if not last.startswith(b"e="):  # RFC 5802, section 7: it may say why it refuses
        talk.require(client.proven, "the server's signature of the exchange", "another, or none")
    return answer
