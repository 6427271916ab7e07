"""What one session must see of its maildrop, from the first answer to the last."""

from __future__ import annotations

from collections import Counter

from ._findings import Inconclusive
from ._load_rules import Broken, Rule, named

#: Memory limit: messages of a maildrop that are followed.
_MOST = 1_000_000


class View:
    """The messages as a session found them, and its own marks.

    The first answer to STAT, LIST and UIDL is taken for the truth, as far as it agrees with what is
    known; every later one has to agree with it, whatever other sessions do meanwhile.

    Attributes:
        total: Messages at login, marked ones included; None until it is known.
        sizes: What LIST said of each of them.
        uids: What UIDL said of each of them.
        marked: Numbers of those that this session has marked.
        touched: Numbers of those that it had marked at any time.
    """

    def __init__(self) -> None:
        self.total: int | None = None
        self.sizes: dict[int, int] = {}
        self.uids: dict[int, str] = {}
        self.marked: set[int] = set()
        self.touched: set[int] = set()
        self._octets: int | None = None

    @property
    def numbers(self) -> set[int]:
        """Numbers of the messages that are not marked."""
        return set(range(1, (self.total or 0) + 1)) - self.marked

    def mark(self, number: int) -> None:
        """DELE was accepted."""
        self.marked.add(number)
        self.touched.add(number)

    def reset(self) -> None:
        """RSET was accepted."""
        self.marked.clear()

    def stat(self, count: int, octets: int) -> None:
        """Judge what STAT says.

        Raises:
            Broken: It is not what this session must see.
            Inconclusive: There are more messages than are followed.
        """
        if count > _MOST:
            raise Inconclusive(f"{count} messages are more than are followed, {_MOST}")
        if self.total is None:
            self.total = count + len(self.marked)
        _same(self.rule(), "messages by STAT", self.total - len(self.marked), count)
        marked = sum(self.sizes.get(number, 0) for number in self.marked)
        if self._octets is None:
            self._octets = octets + marked
        _same(self.rule(), "octets by STAT", self._octets - marked, octets)

    def listing(self, sizes: dict[int, int]) -> None:
        """Judge what LIST says of all messages.

        Raises:
            Broken: It is not what this session must see.
        """
        self._numbers("LIST", set(sizes))
        for number, size in sizes.items():
            self.size(number, size)

    def size(self, number: int, size: int) -> None:
        """Judge what LIST says of one message.

        Raises:
            Broken: It is not what this session must see.
        """
        known = self.sizes.setdefault(number, size)
        _same(Rule.VIEW, f"octets of message {number} by LIST", known, size)

    def unique(self, uids: dict[int, str]) -> None:
        """Judge what UIDL says of all messages.

        Raises:
            Broken: It is not what this session must see.
        """
        self._numbers("UIDL", set(uids))
        twice = {uid for uid, times in Counter(uids.values()).items() if times > 1}
        if twice:
            raise Broken(Rule.UNIQUE, "a unique-id for each message", f"{named(twice)} twice")
        for number, uid in uids.items():
            self.uid(number, uid)

    def uid(self, number: int, uid: str) -> None:
        """Judge what UIDL says of one message.

        Raises:
            Broken: It is not what this session must see.
        """
        known = self.uids.setdefault(number, uid)
        _same(Rule.VIEW, f"the unique-id of message {number}", known, uid)

    def _numbers(self, command: str, numbers: set[int]) -> None:
        dense = set(range(1, len(numbers) + 1))
        if not self.touched and numbers != dense:
            raise Broken(
                Rule.DENSE,
                f"numbers from 1 to {len(numbers)} by {command}",
                f"{named(numbers - dense)} without {named(dense - numbers)}",
            )
        if self.total is None:
            self.total = len(numbers) + len(self.marked)
        expected = self.numbers
        if numbers != expected:
            raise Broken(
                self.rule(numbers ^ expected),
                f"messages {named(expected)} by {command}",
                f"{named(numbers - expected)} besides, without {named(expected - numbers)}",
            )

    def rule(self, about: set[int] | None = None) -> Rule:
        """Which rule is broken if the messages are not those that they have to be.

        Args:
            about: Numbers of the messages that are not; None if only their count is known.
        """
        if self.marked if about is None else self.marked & about:
            return Rule.MARKS
        return (
            Rule.RESET if (self.touched if about is None else self.touched & about) else Rule.VIEW
        )


def _same(rule: Rule, what: str, expected: int | str, actual: int | str) -> None:
    if expected != actual:
        raise Broken(rule, f"{expected} for {what}", str(actual))
