"""How a conversation can come to an end before its last line.

::

    Finding
    ├── Unmet           the server did not do what it has to; ``.expected``, ``.actual``
    ├── Skipped         the case cannot be judged here; the message says why
    └── Inconclusive    set-up, network or the case itself broke; the message says what
"""

from __future__ import annotations


class Finding(Exception):
    """The conversation ends here."""


class Unmet(Finding):
    """The server did not do what it has to.

    Attributes:
        expected: What had to come.
        actual: What came.
        closed: Whether what came was the end of the connection.
    """

    def __init__(self, expected: str, actual: str, *, closed: bool = False) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual
        self.closed = closed


class Skipped(Finding):
    """The case cannot be judged here."""


class Inconclusive(Finding):
    """Nothing can be said about the server."""
