"""TLS: STLS (RFC 2595), TLS from the first octet (RFC 8314), versions (RFC 8996)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from pop3check._dialogue import is_challenge, positive
from pop3check._findings import Skipped, Unmet
from pop3check._wants import AskTLS, Handshake, HandshakeFailed, Lost, Silence

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: No secret is sent inside: whose certificate it is does not matter.
_ANY = Handshake(verify=False)

_STRICT = Handshake(strict=True)

#: Seconds between two segments that are to arrive apart.
_APART = 0.02

#: Seconds in which a server ends the connection after a handshake that has failed.
_END = 2.0

#: The first octet of a TLS alert (RFC 8446, section 5.1).
_ALERT = b"\x15"


@probe("RFC2595-4-01")
def capa_where_there_is_stls(talk: Talk) -> Wants[None]:
    """CAPA, and STLS if that is refused."""
    yield from _in_the_clear(talk)
    answer = yield from talk.ask("CAPA")
    if positive(answer):
        _has_stls((yield from talk.listing()))
        return
    if positive((yield from talk.ask("STLS"))):
        yield from talk.drop()
        raise Unmet("+OK to CAPA, since STLS works", answer)
    raise Skipped("the server has no STLS")


def _has_stls(capabilities: list[str]) -> None:
    """Make sure that there is STLS.

    Raises:
        Skipped: There is none.
    """
    if not _listed("STLS", capabilities):
        raise Skipped("the server does not announce STLS")


@probe("RFC2595-4-02")
def announced_where_it_works(talk: Talk) -> Wants[None]:
    """CAPA, then STLS."""
    yield from _in_the_clear(talk)
    if not positive((yield from talk.ask("CAPA"))):
        raise Skipped("the server has no CAPA")
    listed = _listed("STLS", (yield from talk.listing()))
    answer = yield from talk.ask("STLS")
    if positive(answer):
        yield from talk.drop()
    elif not listed:
        raise Skipped("the server has no STLS")
    told = "STLS in the list" if listed else "no STLS in the list"
    talk.require(listed == positive(answer), f"{told}, and STLS answered alike", answer)


@probe("RFC2595-4-03")
def not_announced_after_login(talk: Talk) -> Wants[None]:
    """CAPA after login."""
    yield from _no_stls(talk)


@probe("RFC2595-4-04")
def not_announced_inside_tls(talk: Talk) -> Wants[None]:
    """CAPA inside TLS."""
    yield from _secured(talk)
    yield from _no_stls(talk)


@probe("RFC2595-4-05")
def handshake_follows(talk: Talk) -> Wants[None]:
    """STLS and the handshake."""
    yield from _secured(talk)
    talk.require(bool((yield from talk.tls_version())), "TLS", "no TLS")


@probe("RFC2595-4-06")
def no_second_greeting(talk: Talk) -> Wants[None]:
    """Silence after the handshake, and a command that is refused."""
    yield from _secured(talk)
    yield from talk.silent()
    yield from talk.refused("XYZZ")


@probe("RFC2595-4-08")
def capa_inside_tls(talk: Talk) -> Wants[None]:
    """CAPA inside TLS."""
    yield from _secured(talk)
    yield from talk.lines("CAPA")


@probe("RFC2595-4-10")
def stls_twice(talk: Talk) -> Wants[None]:
    """STLS inside TLS, then CAPA."""
    yield from _secured(talk)
    yield from talk.refused("STLS")
    yield from talk.lines("CAPA")


@probe("RFC2595-4-11")
def stls_with_an_argument(talk: Talk) -> Wants[None]:
    """STLS with a word behind it, then CAPA."""
    yield from _in_the_clear(talk)
    yield from talk.refused("STLS x")
    yield from talk.lines("CAPA")


@probe("RFC2595-4-12")
def certificate_alone(talk: Talk) -> Wants[None]:
    """A handshake with a client certificate, then STAT."""
    if not talk.target.may_show_certificate:
        raise Skipped("there is no client certificate to show")
    yield from _secured(talk, Handshake())
    yield from talk.refused("STAT")


@probe("RFC2595-4-13")
def injected_command(talk: Talk) -> Wants[None]:
    """STLS and CAPA in one segment, the handshake, and a command that is refused."""
    yield from _in_the_clear(talk)
    if (yield from _injected(talk, "CAPA", _ANY)):
        yield from talk.silent()
        yield from talk.refused("XYZZ")


@probe("RFC2595-4-14", logs_in=True)
def injected_user(talk: Talk) -> Wants[None]:
    """STLS and USER in one segment, the handshake, and PASS."""
    yield from _in_the_clear(talk)
    if (yield from _injected(talk, f"USER {talk.target.user}", Handshake())):
        yield from talk.refused(f"PASS {talk.target.password}", secret=True)


@probe("RFC2595-4-15")
def injected_segment(talk: Talk) -> Wants[None]:
    """STLS, CAPA a little later, and the handshake."""
    yield from _in_the_clear(talk)
    yield from talk.accepted("STLS")
    yield from talk.send_octets(b"CAPA\r\n", "silence, or the end of the connection")
    try:
        came = yield from talk.dialogue.silent(max(_APART, talk.limits.quiet))
    except Lost:
        came = b""  # an end all the same
    if came is not None:
        yield from talk.drop()
        _nothing_in_the_clear(came)
    elif (yield from _agreed(talk, _ANY)):
        yield from talk.refused("XYZZ")


@probe("RFC2595-4-16", logs_in=True)
def user_from_before(talk: Talk) -> Wants[None]:
    """USER, STLS, the handshake, and PASS."""
    yield from _in_the_clear(talk)
    yield from talk.ask(f"USER {talk.target.user}")
    if not positive((yield from talk.ask("STLS"))):
        return  # nothing is carried over where only PASS may follow USER
    yield from talk.dialogue.start_tls()
    yield from talk.refused(f"PASS {talk.target.password}", secret=True)


@probe("RFC2595-4-17")
def failed_handshake(talk: Talk) -> Wants[None]:
    """STLS, and what is no handshake."""
    yield from _in_the_clear(talk)
    yield from talk.accepted("STLS")
    yield from talk.send_octets(b"This is no handshake.\r\n", "the end of the connection")
    talk.over.add(talk.on)
    try:
        while came := (yield from talk.dialogue.silent(_END)):
            _nothing_in_the_clear(came)
            talk.dialogue.forget()
    except Lost:
        return  # an end all the same
    talk.require(came is not None, talk.expected, "the connection stays open")


@probe("RFC2595-2.3-01")
def login_in_the_clear(talk: Talk) -> Wants[None]:
    """CAPA and USER before TLS."""
    yield from _in_the_clear(talk)
    listed = _listed("USER", (yield from talk.lines("CAPA")))
    taken = positive((yield from talk.ask(f"USER {talk.target.user or 'nobody'}")))
    announced = "announced" if listed else "not announced"
    talk.note(f"before TLS, USER is {announced} and {'accepted' if taken else 'refused'}")


@probe("RFC2595-2.4-01")
def certificate(talk: Talk) -> Wants[None]:
    """A handshake that verifies the certificate."""
    _with_tls(talk)
    try:
        yield from _reached(talk, "verified", _STRICT)
    except HandshakeFailed as failed:
        if not failed.certificate:
            raise
        talk.over.add(talk.on)
        raise Unmet(f"a certificate that is good for {talk.target.host}", str(failed)) from None


@probe("RFC8314-3.1-01")
def greeting_inside_tls(talk: Talk) -> Wants[None]:
    """Silence, the handshake, and the greeting."""
    if talk.target.tls != "implicit":
        raise Skipped("the server is not checked with TLS from the first octet")
    yield from talk.connect(implicit=False, greeted=False)
    talk.dialogue.tape.odd = True  # the greeting comes inside TLS, which began late
    yield from talk.silent()
    yield from talk.dialogue.start_tls(_ANY)
    greeting = yield from talk.line("a greeting")
    talk.require(positive(greeting), "+OK as the greeting", greeting)


@probe("RFC8314-3.1-03")
def no_stls_with_implicit_tls(talk: Talk) -> Wants[None]:
    """CAPA, then STLS."""
    yield from _no_stls(talk)
    yield from talk.refused("STLS")


@probe("RFC8314-3.4-01")
def close_notify(talk: Talk) -> Wants[None]:
    """QUIT, and how TLS ends."""
    yield from talk.quit()
    said = yield AskTLS("close-notify")
    talk.require(said == b"yes", "close_notify before the end", "the end without close_notify")


@probe("RFC8314-4-01")
def versions_of_today(talk: Talk) -> Wants[None]:
    """A handshake with TLS 1.2, and one with TLS 1.3."""
    _with_tls(talk)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        if (yield from _speaks(talk, version)):
            return
    raise Unmet("a handshake with TLS 1.2 or TLS 1.3", "neither works")


@probe("RFC8314-4-02")
def implicit_is_offered(talk: Talk) -> Wants[None]:
    """A connection with TLS from the first octet."""
    port = talk.target.port_of_implicit_tls
    if port is None:
        raise Skipped("it is not known on which port TLS begins with the first octet")
    expected = f"a greeting inside TLS on port {port}"
    try:
        yield from talk.connect(implicit=True, how=_ANY, secure=False, port=port)
    except (HandshakeFailed, Lost, Silence) as failed:
        raise Unmet(expected, str(failed)) from None


@probe("RFC8314-4.1-01")
def no_password_in_the_clear(talk: Talk) -> Wants[None]:
    """CAPA, USER and AUTH outside TLS."""
    yield from _in_the_clear(talk)
    answer = yield from talk.ask("CAPA")
    for line in (yield from talk.listing()) if positive(answer) else ():
        tag, *words = line.upper().split() or [""]
        lax = tag == "USER" or (tag == "SASL" and bool({"PLAIN", "LOGIN"} & set(words)))
        talk.require(not lax, "neither USER nor PLAIN nor LOGIN announced outside TLS", line)
    yield from talk.refused(f"USER {talk.target.user or 'nobody'}")
    for mechanism in ("PLAIN", "LOGIN"):
        answer = yield from talk.ask(f"AUTH {mechanism}")
        talk.require(not is_challenge(answer), f"-ERR to AUTH {mechanism} outside TLS", answer)


@probe("RFC8996-1-01")
def versions_of_old(talk: Talk) -> Wants[None]:
    """A handshake with TLS 1.0, and one with TLS 1.1."""
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        name = version.name.replace("_", ".")
        works = yield from _speaks(talk, version)
        talk.require(not works, f"no handshake with {name}", f"{name} is agreed upon")


def _in_the_clear(talk: Talk) -> Wants[None]:
    """Connect, and stay outside TLS.

    Raises:
        Skipped: TLS begins with the first octet.
    """
    if talk.target.tls == "implicit":
        raise Skipped("the server is checked with TLS from the first octet")
    yield from talk.connect(secure=False)


def _secured(talk: Talk, how: Handshake = _ANY) -> Wants[None]:
    """Connect, and begin TLS by STLS."""
    yield from _in_the_clear(talk)
    yield from talk.accepted("STLS")
    talk.expected = "a TLS handshake"
    yield from talk.dialogue.start_tls(how)


def _with_tls(talk: Talk) -> None:
    """Make sure that there is TLS.

    Raises:
        Skipped: The server is checked without.
    """
    if talk.target.tls == "none":
        raise Skipped("the server is checked without TLS")


def _reached(talk: Talk, connection: str, how: Handshake) -> Wants[None]:
    """Connect as the target has it, and begin TLS as the case has it."""
    yield from talk.connect(connection, how=how, secure=False)
    if talk.target.tls == "stls":
        yield from talk.accepted("STLS")
        yield from talk.dialogue.start_tls(how)


def _speaks(talk: Talk, version: ssl.TLSVersion) -> Wants[bool]:
    """Whether a handshake works in which nothing but this version is offered.

    Raises:
        Skipped: It cannot be offered from here.
    """
    how = Handshake(minimum=version, maximum=version, verify=False)
    try:
        yield from _reached(talk, version.name, how)
    except HandshakeFailed as failed:
        talk.over.add(version.name)
        if failed.ours:
            raise Skipped(f"{version.name} cannot be offered from here: {failed}") from None
        return False
    except Lost:
        talk.over.add(version.name)
        return False
    return True


def _injected(talk: Talk, line: str, how: Handshake) -> Wants[bool]:
    """Send a line in one segment with STLS; whether TLS is on after that."""
    yield from talk.send_octets(f"STLS\r\n{line}\r\n".encode(), "+OK to STLS")
    talk.asked = "STLS"
    if not positive((yield from talk.line())):
        yield from talk.drop()  # refused, as it may be; what else comes is outside TLS
        return False
    return (yield from _agreed(talk, how))


def _agreed(talk: Talk, how: Handshake) -> Wants[bool]:
    """Whether the handshake works; one that fails on what was injected harms nobody."""
    try:
        yield from talk.dialogue.start_tls(how)
    except HandshakeFailed as failed:
        if failed.certificate:
            raise
        talk.over.add(talk.on)
        return False
    return True


def _nothing_in_the_clear(came: bytes) -> None:
    """Nothing is said in the clear; TLS may say why there is no handshake.

    Raises:
        Unmet: Something else came.
    """
    if came and not came.startswith(_ALERT):
        raise Unmet("nothing in the clear behind STLS", repr(came[:80])[1:])


def _no_stls(talk: Talk) -> Wants[None]:
    """CAPA does not list STLS."""
    listed = _listed("STLS", (yield from talk.lines("CAPA")))
    talk.require(not listed, "no STLS in the list of CAPA", "STLS")


def _listed(tag: str, capabilities: list[str]) -> bool:
    return any(line.upper().split(" ")[0] == tag for line in capabilities)
