"""What is secret does not show, wherever it is quoted."""

from __future__ import annotations

from itertools import takewhile
from typing import TypeVar

__all__ = ["HIDDEN", "mask"]

#: Stands for what is secret.
HIDDEN = "*****"

#: Servers echo a command and cut it off: so much of a secret's beginning is secret too.
_TELLING = 8

Text = TypeVar("Text", bytes, str)


def mask(text: Text, secret: Text, hidden: Text) -> Text:
    """Replace a secret, and a beginning of it that is long enough to tell.

    Args:
        text: what may quote it.
        secret: octets or characters, as the text is made of; nothing is replaced if it is empty.
        hidden: what stands for it.
    """
    beginning = secret[:_TELLING]
    at = text.find(beginning) if secret else -1
    while at >= 0:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(text[at:], secret, strict=False))
        quoted = sum(1 for _ in alike)
        text = text[:at] + hidden + text[at + quoted :]
        at = text.find(beginning, at + len(hidden))
    return text
