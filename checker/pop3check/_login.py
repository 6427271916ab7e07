"""The ways in which the checker itself logs in, where how is not the question."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._dialogue import Dialogue
    from ._target import Target
    from ._wants import Wants

Way = Literal["USER", "PLAIN", "APOP"]


def log_in(dialogue: Dialogue, target: Target, way: Way) -> Wants[str]:
    """Log in.

    Args:
        dialogue: A connection that is not logged in; its greeting has been read.
        target: Who logs in.
        way: By which commands.

    Returns:
        The last status line.

    Raises:
        Skipped: The password would cross a network in the clear.
        Unmet: The server closed.
    """
    match way:
        case "USER":
            return (yield from _by_user(dialogue, target))
        case "PLAIN":
            octets = f"\0{target.user}\0{target.password}".encode("utf-8", "surrogateescape")
            plain = base64.b64encode(octets).decode()
            return (yield from dialogue.ask(f"AUTH PLAIN {plain}", secret=True))
        case "APOP":
            proof = apop_digest(dialogue.stamp, target.password)
            return (yield from dialogue.ask(f"APOP {target.user} {proof}"))


def _by_user(dialogue: Dialogue, target: Target) -> Wants[str]:
    answer = yield from dialogue.ask(f"USER {target.user}")
    if not answer.startswith("+OK"):
        return answer
    return (yield from dialogue.ask(f"PASS {target.password}", secret=True))


def apop_digest(stamp: str, secret: str) -> str:
    """What APOP sends instead of a secret (RFC 1939, section 7): an MD5 in hexadecimal.

    Args:
        stamp: The timestamp of the greeting, with its angle brackets.
        secret: What server and user share.
    """
    octets = (stamp + secret).encode("utf-8", "surrogateescape")
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()
