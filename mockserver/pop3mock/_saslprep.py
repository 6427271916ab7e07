"""SASLprep (RFC 4013): what a user name or a password may not hold."""

from __future__ import annotations

import stringprep
from unicodedata import normalize

#: RFC 4013, section 2.3; the spaces of table C.1.2 are mapped before that is asked.
_PROHIBITED = (
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prohibits(text: str) -> bool:
    """Whether SASLprep prohibits a name or a password.

    Octets that are no UTF-8 are prohibited too, as the surrogates by which they are held.

    Args:
        text: The name or the password.
    """
    mapped = "".join(letter for letter in text if not stringprep.in_table_b1(letter))
    return any(among(letter) for letter in normalize("NFKC", mapped) for among in _PROHIBITED)
