"""How octets from the wire are shown, wherever they are: in a journal, a transcript, a report."""

from __future__ import annotations

#: Each octet as ``bytes`` shows it.
_SHOWN = tuple(repr(bytes((octet,)))[2:-1] for octet in range(256))


def escaped(text: str) -> str:
    r"""The text in printable ASCII; each other octet, and a backslash, is escaped.

    A backslash is shown as two, so that ``\xff`` is always an octet.

    Args:
        text: Text from the wire; octets that are not UTF-8 stand in it as surrogates.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join([_SHOWN[octet] for octet in text.encode("utf-8", "surrogateescape")])
