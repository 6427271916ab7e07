"""How a conversation can come to an end before its last line.

::

    Finding
    ├── Unmet           the server did not do what it has to; ``.expected``, ``.actual``
    ├── Skipped         the case cannot be judged here; the message says why
    └── Inconclusive    set-up, network or the case itself broke; the message says what
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._verdict import Outcome


class Finding(Exception):
    """The conversation ends here."""


class Unmet(Finding):
    """The server did not do what it has to.

    Attributes:
        expected: What had to come.
        actual: What came.
        closed: Whether what came was the end of the connection.
        grade: The outcome, where it is not the one that the case has for it.
    """

    def __init__(
        self, expected: str, actual: str, *, closed: bool = False, grade: Outcome | None = None
    ) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.grade = grade
        self.expected = expected
        self.actual = actual
        self.closed = closed


class Skipped(Finding):
    """The case cannot be judged here."""


class Inconclusive(Finding):
    """Nothing can be said about the server."""
