"""Keeps what is secret on one connection out of all that is written down about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3scenarios import MASK

if TYPE_CHECKING:
    from collections.abc import Collection

#: What stands for a line of the client that is a response, and may not be shown.
RESPONSE = "(SASL response)"

#: Stands in all lines that hold a secret.
_SECRETIVE = re.compile("PASS|APOP|AUTH", re.IGNORECASE)

#: What stands before a password, and the password. A command that is not sent as it should be, with
#: something before it or glued to it, is masked as well.
_PASSWORD = re.compile(r"(\A\s*\S*?PASS\s*|.*?[^A-Z]PASS\s+)(\S.*)", re.IGNORECASE | re.DOTALL)

#: The same for commands with one word that is not secret: a name, or a mechanism.
_PROOF = re.compile(
    r"((?:\A\s*\S*?|.*?[^A-Z])(?:APOP|AUTH)\s+\S+\s+)(\S.*)", re.IGNORECASE | re.DOTALL
)

#: A secret of fewer letters stands in words by chance, and is not looked for in answers.
_TELLING = 3


class Masking:
    """The secrets that have been heard on a connection."""

    __slots__ = ("_secrets", "_words")

    def __init__(self) -> None:
        # Never changed, but replaced: others may be reading what they are masked in meanwhile.
        self._secrets: tuple[str, ...] = ()
        self._words: tuple[str, ...] = ()

    def line(self, line: str) -> str:
        """A command line with its secrets replaced by ``****``, however it is spaced.

        Args:
            line: The line as it came; its secrets are known from then on.
        """
        if _SECRETIVE.search(line) is None:
            return line  # as most are
        found = min(
            filter(None, (_PASSWORD.match(line), _PROOF.match(line))),
            key=lambda each: each.start(2),
            default=None,
        )
        if found is None:
            return line
        self.learn(found[2])
        return f"{found[1]}{MASK}"

    def learn(self, secret: str) -> None:
        """Mask this from now on, and each word of it.

        Args:
            secret: What nobody may see.
        """
        secret = secret.strip()
        if len(secret) < _TELLING or secret in self._secrets:
            return
        self._secrets = _longest_first((*self._secrets, secret))
        words = [word for word in secret.split() if len(word) >= _TELLING and word != secret]
        self._words = _longest_first({*self._words, *words})

    def text(self, text: str) -> str:
        """What the server says, where a scenario lets it repeat a secret.

        Args:
            text: What it says, with its line ends, or the beginning of it.
        """
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        for word in self._words:
            if word in text:
                # Not in the middle of others: a password may have common words.
                text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, text)
        for secret in self._secrets:
            text = _without_beginning(text, secret)
        return text


def _longest_first(texts: Collection[str]) -> tuple[str, ...]:
    """In the order in which they are looked for, since one may be a part of another."""
    return tuple(sorted(texts, key=len, reverse=True))


def _without_beginning(text: str, secret: str) -> str:
    """A text that breaks off in the middle of a secret."""
    at = text.find(secret[:_TELLING])
    while at >= 0:
        if secret.startswith(text[at:]):
            return text[:at] + MASK
        at = text.find(secret[:_TELLING], at + 1)
    return text
