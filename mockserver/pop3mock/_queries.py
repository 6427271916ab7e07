"""Questions about what clients did, put so that they read well in an assert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import asked

from ._changes import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pop3scenarios import Template

    from ._connection_log import ConnectionLog
    from ._events import Exchange


class Commands(list[str]):
    """Command lines, with the answers to them: whoever compares them can be told how they differ.

    Args:
        exchanges: The exchanges.

    Attributes:
        replies: The status lines of the answers, one for each command.
    """

    __slots__ = ("replies",)

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        kept = tuple(exchanges)
        super().__init__(exchange.line for exchange in kept)
        self.replies = tuple(exchange.reply for exchange in kept)


class Queries:
    """What can be asked of one connection, and of all of them together."""

    __slots__ = ()

    def logs(self) -> Sequence[ConnectionLog]:
        """The connections that are asked, in the order in which they came."""
        raise NotImplementedError

    def hear_all(self) -> None:
        """Wait until the server has heard what clients have sent already."""
        raise NotImplementedError

    def asked(self) -> Iterable[Exchange]:
        """The exchanges that a line of a client began, in order."""
        raise NotImplementedError

    @property
    def commands(self) -> list[str]:
        """The command lines, secrets masked, and all that is no printable ASCII escaped."""
        return Commands(self.asked())

    @property
    def replies(self) -> list[str]:
        """The status lines of the answers, one for each command."""
        return [exchange.reply for exchange in self.asked()]

    def count(self, pattern: str | Template) -> int:
        """How often a command has come.

        Args:
            pattern: A command line pattern: ``RETR`` with any arguments, ``DELE 2``, ``TOP {n} 0``.

        Raises:
            ValueError: The pattern is empty, or spells out a secret, which is not kept.
        """
        if not pattern:
            raise ValueError("expected a command line pattern, got an empty one")
        template = asked(pattern)
        return sum(selects(template, exchange.heard) for exchange in self.asked())

    def sent(self, pattern: str | Template) -> bool:
        """Whether a command has come.

        Args:
            pattern: A command line pattern, as for ``count``.

        Raises:
            ValueError: The pattern is empty, or spells out a secret, which is not kept.
        """
        return self.count(pattern) > 0

    @property
    def retrieved(self) -> list[int]:
        """Numbers of the messages that RETR fetched, in the order in which they were asked for."""
        return self._numbers("RETR")

    @property
    def deleted(self) -> list[int]:
        """Numbers of the messages that DELE marked; what UPDATE removed says ``removed``."""
        return self._numbers("DELE")

    @property
    def in_clear(self) -> list[str]:
        """The command lines that came outside TLS, as in ``commands``."""
        return [exchange.line for exchange in self.asked() if not exchange.tls]

    def never_in_clear(self, *patterns: str) -> bool:
        """Whether no such command has come outside TLS.

        Args:
            patterns: Command line patterns, as for ``count``; without any, all commands.

        Raises:
            ValueError: A pattern spells out a secret, which is not kept.
        """
        clear = [exchange.heard for exchange in self.asked() if not exchange.tls]
        if not patterns:
            return not clear
        templates = [asked(pattern) for pattern in patterns]
        return not any(selects(template, line) for template in templates for line in clear)

    def _numbers(self, command: str) -> list[int]:
        return [number for each in self.asked() for number in each.numbers_of(command)]

    def __eq__(self, other: object) -> bool:
        """What happened equals the list of its command lines, so that an assert can name them."""
        if isinstance(other, list):
            return self.commands == other
        return self is other

    __hash__ = object.__hash__
