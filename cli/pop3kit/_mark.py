"""By what sign and word a result is known, wherever results are shown."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ._results import Verdict

if TYPE_CHECKING:
    from ._grid import Tone
    from ._results import Result


class Mark(Enum):
    """What a result comes to for somebody who looks for trouble; the best first.

    Attributes:
        sign: A character that says it without colour.
        plain: The same, where there is only ASCII.
        word: What it is called.
        tone: Whether it is good news.
    """

    sign: str
    plain: str
    word: str
    tone: Tone

    SURVIVED = ("✓", "+", "survived", "good")
    RIGHTLY = ("⊘", "/", "refused, rightly", "good")
    REFUSED = ("–", "-", "refused", "fair")
    MISHANDLED = ("✗", "!", "mishandled", "bad")
    SKIPPED = ("·", ".", "passed over", "none")

    def __init__(self, sign: str, plain: str, word: str, tone: Tone) -> None:
        self.sign = sign
        self.plain = plain
        self.word = word
        self.tone = tone

    @classmethod
    def of(cls, result: Result) -> Mark:
        """The mark of a result.

        Args:
            result: The result.
        """
        if result.verdict is Verdict.REFUSED and result.best is Verdict.REFUSED:
            return cls.RIGHTLY
        return cls[result.verdict.name]


def word_of(result: Result) -> str:
    """The word for a result; of one that was mishandled, in what ways.

    Args:
        result: The result.
    """
    return ", ".join(result.kinds) or Mark.of(result).word
