"""What can happen on a connection, as a table: commands and events, and how they can come out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHORIZATION, TRANSACTION = "authorization", "transaction"
STATES = frozenset({AUTHORIZATION, TRANSACTION})

#: Outcomes that are no refusals.
ACCEPTED = frozenset({"ok", "challenge", "gone", "no-user"})

_BEFORE, _AFTER = frozenset({AUTHORIZATION}), frozenset({TRANSACTION})
_FOUND = frozenset({"ok", "missing", "deleted", "gone"})
_LOGIN = frozenset({"ok", "credentials", "locked", "delay", "refused"})
_SASL = _LOGIN | {"challenge", "overlong", "cancelled"}

_LINES = frozenset({"body", "stuffing", "terminator"})
_LISTING = _LINES | {"entry", "numbering", "deleted", "octets"}
_MESSAGE = _LINES | {"blank_line", "columns", "truncate", "eol", "deleted", "octets"}

#: Changes that show only in the answers of some commands; the others show wherever one is given.
PARTICULAR = _LISTING | _MESSAGE


@dataclass(frozen=True, slots=True)
class Occasion:
    """A command or an event.

    Attributes:
        states: Where it belongs; an event happens nowhere else.
        arguments: The least and the greatest number of arguments; a greatest of None is any.
        outcomes: What the RFC-correct answer can be where it belongs and has its arguments.
        shows: The changes of :data:`PARTICULAR` that show in the answer.
        optional: Whether a server need not have it.
        event: Whether it is something other than a command.
        once: Whether it happens at most once on a connection.
    """

    states: frozenset[str] = STATES
    arguments: tuple[int, int | None] = (0, 0)
    outcomes: frozenset[str] = frozenset({"ok"})
    shows: frozenset[str] = frozenset()
    optional: bool = False
    event: bool = False
    once: bool = False

    def takes(self, arguments: int) -> bool:
        """Whether so many arguments are right.

        Args:
            arguments: How many.
        """
        low, high = self.arguments
        return low <= arguments and (high is None or arguments <= high)


def _login(low: int, high: int | None, outcomes: frozenset[str], **more: bool) -> Occasion:
    return Occasion(_BEFORE, (low, high), outcomes, frozenset({"octets"}), **more)


#: The commands of RFC 1939 and its extensions.
COMMANDS: Mapping[str, Occasion] = {
    "USER": Occasion(_BEFORE, (1, 1), frozenset({"ok", "no-user", "refused"}), optional=True),
    "PASS": _login(1, None, _LOGIN, optional=True),
    "APOP": _login(2, 2, _LOGIN, optional=True),
    "AUTH": _login(1, 2, _SASL, optional=True),
    "STLS": Occasion(_BEFORE, optional=True),
    "UTF8": Occasion(_BEFORE, optional=True),
    "CAPA": Occasion(shows=_LINES),
    "LANG": Occasion(
        arguments=(0, 1), outcomes=frozenset({"ok", "missing"}), shows=_LINES, optional=True
    ),
    "STAT": Occasion(_AFTER, shows=frozenset({"octets", "deleted"})),
    "LIST": Occasion(_AFTER, (0, 1), _FOUND, _LISTING),
    "UIDL": Occasion(_AFTER, (0, 1), _FOUND, _LISTING, optional=True),
    "RETR": Occasion(_AFTER, (1, 1), _FOUND | {"utf8"}, _MESSAGE),
    "TOP": Occasion(_AFTER, (2, 2), _FOUND | {"utf8"}, _MESSAGE, optional=True),
    "DELE": Occasion(_AFTER, (1, 1), _FOUND, frozenset({"octets", "deleted"})),
    "NOOP": Occasion(_AFTER),
    "RSET": Occasion(_AFTER, shows=frozenset({"octets", "deleted"})),
    "LAST": Occasion(_AFTER, outcomes=frozenset(), optional=True),
    "QUIT": Occasion(),
}

#: What happens beside commands.
EVENTS: Mapping[str, Occasion] = {
    "GREETING": Occasion(_BEFORE, event=True, once=True),
    "RESPONSE": Occasion(
        arguments=(1, None),
        outcomes=_SASL | {"syntax"},
        shows=frozenset({"octets"}),
        event=True,
    ),
    "AUTOLOGOUT": Occasion(event=True, once=True),
    "DISCONNECT": Occasion(_AFTER, outcomes=frozenset({""}), event=True, once=True),
    "OVERLONG": Occasion(outcomes=frozenset({"syntax"}), event=True),
    "PARTIAL": Occasion(outcomes=frozenset({"refused"}), event=True),
    "HANDSHAKE-FAILED": Occasion(event=True),
}

#: A command that the RFC-correct server does not know.
UNKNOWN = Occasion(arguments=(0, None), outcomes=frozenset({"unknown"}))

#: SASL mechanisms that a client or a server may name.
MECHANISMS = frozenset({
    "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS", "XOAUTH2", "OAUTHBEARER",
    "EXTERNAL", "ANONYMOUS", "GSSAPI", "GS2-KRB5", "KERBEROS_V4", "NTLM", "OTP", "SKEY",
    "GSS-SPNEGO",
})  # fmt: skip

#: Capabilities of the registry that RFC 2449 began.
CAPABILITIES = frozenset({
    "TOP", "USER", "SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "UIDL",
    "IMPLEMENTATION", "AUTH-RESP-CODE", "STLS", "UTF8", "LANG", "APOP",
})  # fmt: skip


def occasion(keyword: str) -> Occasion:
    """The row of a command or an event.

    Args:
        keyword: Its name, in upper case.
    """
    return COMMANDS.get(keyword) or EVENTS.get(keyword) or UNKNOWN


@cache
def possible(keyword: str, state: str, arguments: int, tls: frozenset[bool]) -> frozenset[str]:
    """What the RFC-correct answer can be.

    Args:
        keyword: The command or the event, in upper case.
        state: The state of the session.
        arguments: How many arguments there are.
        tls: Whether TLS is on: what can be.
    """
    row = occasion(keyword)
    if row.event or row is UNKNOWN:
        return row.outcomes if state in row.states else frozenset()
    if state not in row.states:
        return frozenset({"state"})
    found = set(row.outcomes) if row.takes(arguments) else set()
    if not (row.takes(arguments) and arguments == 0):
        found.add("syntax")
    if row.optional:
        found.add("not-offered")
    if keyword == "STLS" and False not in tls:
        found.discard("ok")
    # A password without a name, and TLS within TLS.
    if keyword == "PASS" or (keyword == "STLS" and True in tls):
        found.add("state")
    return frozenset(found)
