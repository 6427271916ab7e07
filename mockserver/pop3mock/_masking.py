"""Keeps what is secret on one connection out of all that is written down about it."""

from __future__ import annotations

import re

#: What may stand before a command that is not sent as it should be, the command, the rest.
_KEYWORD = re.compile(r"([^A-Za-z]*(PASS|APOP|AUTH)[ \t]+)(.*)", re.IGNORECASE | re.DOTALL)

#: A secret of fewer letters stands in words by chance, and is not looked for in answers.
_TELLING = 3

#: Commands whose arguments are secret, and how many of the leading ones are not.
SECRET_WORDS = {"PASS": 0, "APOP": 1, "AUTH": 1}


class Masking:
    """The secrets that have been heard on a connection."""

    __slots__ = ("_secrets",)

    def __init__(self) -> None:
        # Never changed, but replaced: others may be reading what they are masked in meanwhile.
        self._secrets: frozenset[str] = frozenset()

    def line(self, line: str) -> str:
        """A command line with its secrets replaced by ``****``, however it is spaced.

        Args:
            line: The line as it came; its secrets are known from then on.
        """
        found = _KEYWORD.match(line)
        if found is None:
            return line
        words = re.split(r"([ \t]+)", found[3], maxsplit=SECRET_WORDS[found[2].upper()])
        secret = words.pop()
        if not secret or (found[2].upper() != "PASS" and not words):
            return line
        if len(secret) >= _TELLING:
            self._secrets |= {secret}
        return f"{found[1]}{''.join(words)}****"

    def text(self, text: str) -> str:
        """What the server says, where a scenario lets it repeat a secret.

        Args:
            text: What it says.
        """
        for secret in self._secrets:
            text = text.replace(secret, "****")
        return text
