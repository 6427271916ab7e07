"""Secrets that look real: what must not stand in a file that others will read."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Secrets that are known by their form.
_FORMS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "a JSON web token": re.compile(
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    ),
    "a Google access token": re.compile(r"\bya29\.[A-Za-z0-9_-]{20,}"),
    "a Google refresh token": re.compile(r"(?<![\w/])1//[A-Za-z0-9_-]{30,}"),
    "a Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "an AWS key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
}

#: What may be random: as long as half a key, and not cut up by what separates words.
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{32,}")

#: Bits per character; English in base64 has about 4, 32 random characters of base64 about 4.6.
_RANDOM = 4.2

#: A password for one application, as providers hand them out: four times four letters.
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}")

#: A line of a client in a conversation that may bring a password.
_SAID = re.compile(
    r"^(?:\[\w+\] ?)?C[?*]?: ?"
    r"(?:PASS (?P<password>[^\n]+)|(?:AUTH [\w-]+ )?(?P<encoded>[A-Za-z0-9+/]{4,}={0,2})$)",
    re.MULTILINE | re.IGNORECASE,
)

_CLASSES = (
    re.compile("[a-z]"),
    re.compile("[A-Z]"),
    re.compile("[0-9]"),
    re.compile("[^A-Za-z0-9]"),
)
_WORD = re.compile(r"[A-Za-z]{4}")


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """What in a text looks like a secret that opens something.

    Args:
        text: A value of a scenario file.

    Yields:
        Where it begins, and what kind of secret it is; never the secret itself.
    """
    for kind, form in _FORMS.items():
        for found in form.finditer(text):
            yield found.start(), kind
    for found in _LONG.finditer(text):
        kind = _kind_of_long(found[0])
        if kind and not _is_line_of_mail(text, found):
            yield found.start(), kind


def is_real_password(text: str) -> bool:
    """Whether a password looks like one that was made for a real account.

    Args:
        text: The password; one that consists of words, or is short, is taken for an example.
    """
    if _APP_PASSWORD.fullmatch(text) or any(secrets_in(text)):
        return True
    kinds = sum(bool(each.search(text)) for each in _CLASSES)
    return len(text) >= 12 and kinds >= 3 and not _WORD.search(text) and _entropy(text) > 3


def said_passwords(script: str) -> Iterator[tuple[int, str]]:
    """What a client says in a conversation that looks like the password of a real account.

    Args:
        script: The text of the conversation.

    Yields:
        Where it begins, and what it is.
    """
    for found in _SAID.finditer(script):
        password, encoded = found["password"], found["encoded"]
        if password is not None and is_real_password(password):
            yield found.start("password"), "a real password"
        # SASL PLAIN has the password behind two names, LOGIN has it alone (RFC 4616).
        elif encoded and is_real_password(_decoded(encoded).rpartition("\0")[2]):
            yield found.start("encoded"), "a real password, in base64"


def _kind_of_long(text: str) -> str:
    """What a long word without spaces is; empty if it is nothing to hide."""
    if any(form.match(text) for form in _FORMS.values()):
        return ""  # that has been said
    decoded = _decoded(text)
    if decoded:
        return next((f"{kind}, in base64" for _, kind in secrets_in(decoded)), "")
    mixed = all(each.search(text) for each in _CLASSES[:3])
    return "a random key" if mixed and _entropy(text) >= _RANDOM else ""


def _decoded(text: str) -> str:
    """The text behind base64, if it is text: then it is that which must hold no secret."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if all(c.isprintable() or c in "\0\1\r\n\t" for c in decoded) else ""


def _is_line_of_mail(text: str, found: re.Match[str]) -> bool:
    """Whether something is a whole line among others: so stand the attachments of mail."""
    before, behind = text[: found.start()], text[found.end() :]
    alone = (not before or before[-1] == "\n") and (not behind or behind[0] in "\r\n")
    return alone and "\n" in text.strip("\n")


def _entropy(text: str) -> float:
    """Bits per character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
