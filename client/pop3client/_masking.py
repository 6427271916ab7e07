"""What is secret does not show, wherever it is quoted."""

from __future__ import annotations

from itertools import takewhile

__all__ = ["HIDDEN", "mask", "mask_octets"]

#: Stands for what is secret.
HIDDEN = "*****"

#: Servers echo a command and cut it off: so much of a secret's beginning is secret too.
_TELLING = 8


def mask(text: str, secret: str) -> str:
    """Replace a secret, and a beginning of it that is long enough to tell.

    Args:
        text: what may quote it.
        secret: what must not show; nothing is replaced if it is empty.
    """
    beginning = secret[:_TELLING]
    at = text.find(beginning) if secret else -1
    while at >= 0:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(text[at:], secret, strict=False))
        quoted = sum(1 for _ in alike)
        text = text[:at] + HIDDEN + text[at + quoted :]
        at = text.find(beginning, at + len(HIDDEN))
    return text


def mask_octets(text: bytes, secret: bytes) -> bytes:
    """Do as ``mask``, with octets."""
    return mask(text.decode("latin-1"), secret.decode("latin-1")).encode("latin-1")
