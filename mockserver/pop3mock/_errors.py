"""What a test asks of the mock, and the mock cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownUser(KeyError):
    """There is no user of that name.

    Args:
        user: The name that was asked for.
        users: The names that there are.

    Attributes:
        user: The name that was asked for.
        users: The names that there are, in the order of the scenario.
    """

    def __init__(self, user: str, users: Iterable[str]) -> None:
        super().__init__(user)
        self.user = user
        self.users = tuple(users)

    def __str__(self) -> str:
        # KeyError itself shows the key and nothing else.
        if not self.users:
            return f"there is no user {self.user!r}, nor any other"
        return f"there is no user {self.user!r}: expected {' or '.join(map(repr, self.users))}"

    def __reduce__(self) -> tuple[type[UnknownUser], tuple[str, tuple[str, ...]]]:
        """How it gets from one process of a test run to another."""
        return type(self), (self.user, self.users)
