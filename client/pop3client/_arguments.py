"""What may stand in a command: text and numbers of the caller's."""

from __future__ import annotations

from ._exceptions import InvalidArgument

__all__ = ["check_number", "encoded"]


def encoded(value: str, name: str) -> bytes:
    """Encode an argument as UTF-8.

    Args:
        value: the argument.
        name: what it is, for the error; the error never quotes the value.

    Raises:
        InvalidArgument: it would end the line (CR, LF), end a C string (NUL), or is no text.
    """
    # RFC 1939 section 3: a command is one line. An argument with a line end is two commands.
    if any(character in value for character in "\r\n\0"):
        raise InvalidArgument(f"{name}: expected text without CR, LF and NUL")
    octets = value.encode("utf-8", "replace")
    if octets.decode("utf-8") != value:
        raise InvalidArgument(f"{name}: expected text that UTF-8 can encode")
    return octets


def check_number(value: object, name: str, least: int) -> int:
    """Check a number that is to stand in a command.

    Raises:
        InvalidArgument: it is no integer, or too small.
    """
    # bool is an int to Python; True as a message number is a mistake.
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgument(f"{name}: expected an integer from {least}, got {value!r}")
    return value
