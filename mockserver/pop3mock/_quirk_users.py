"""Users whose names choose what is played to them: ``quirk+retr-without-size@example.com``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pop3scenarios import ScenarioError, UnknownScenario, did_you_mean, kind_of, load, shipped

from ._maildrop import Maildrop
from ._performance import Performance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pop3scenarios import Scenario

_Value = TypeVar("_Value")

_NAME = re.compile(r"(?P<kind>quirk|fault)\+(?P<names>[^@]*)(@.*)?", re.DOTALL)

#: Where the scenarios are that a name may choose.
_FOLDERS = {"quirk": "quirks", "fault": "faults"}


class QuirkUsers:
    """The users of a performance, and those who choose another one by their name.

    A name is ``quirk+NAME`` or ``fault+NAME``, with more names behind further plus signs, variants
    in brackets, and perhaps ``@`` and anything. All have the password of the first user, and each
    has a maildrop of its own. What is named lies over the scenario of the performance.

    Args:
        base: What is played to other users.

    Attributes:
        users: User names and passwords; knows those that choose too, but does not list them.
        maildrops: Maildrops likewise.
    """

    def __init__(self, base: Performance) -> None:
        self._base = base
        self._performances: dict[str, Performance] = {}
        first = next(iter(base.users))
        password = base.users[first]
        self._owner = first
        self.users: Mapping[str, str] = _Wider(
            base.users, lambda name: password if self.chooses(name) else None
        )
        self.maildrops: Mapping[str, Maildrop] = _Wider(base.maildrops, self._maildrop)

    def chooses(self, user: str) -> bool:
        """Whether a user name is one that chooses what is played.

        Args:
            user: The name.
        """
        return user not in self._base.users and _NAME.fullmatch(user) is not None

    def performance(self, user: str) -> Performance:
        """What is played to a user from the answer to his name on.

        Args:
            user: A name that chooses.

        Raises:
            pop3scenarios.ScenarioError: The name means nothing that can be played.
        """
        made = self._performances.get(user)
        if made is None:
            base = self._base
            made = self._performances[user] = Performance(
                _combined(user, base.scenario),
                tls=base.policy.mode,
                users={self._owner: base.users[self._owner]},
                clock=base.clock,
                name=f"{base.name}+{'+'.join(_names(user)[1])}",
            )
        return made

    def _maildrop(self, user: str) -> Maildrop | None:
        if not self.chooses(user):
            return None
        try:
            return self.performance(user).maildrops[self._owner]
        except ScenarioError:
            return Maildrop(user)  # nobody gets to see it


class _Wider(Mapping[str, _Value]):
    """A mapping that knows more keys than it lists."""

    def __init__(self, listed: Mapping[str, _Value], known: Callable[[str], _Value | None]) -> None:
        self._listed = listed
        self._known = known

    def __getitem__(self, key: str) -> _Value:
        if key in self._listed:
            return self._listed[key]
        value = self._known(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def _names(user: str) -> tuple[str, list[str]]:
    """What a user name chooses: whether quirks or faults, and which."""
    found = _NAME.fullmatch(user)
    assert found is not None
    return found["kind"], found["names"].split("+")


def _combined(user: str, base: Scenario) -> Scenario:
    """What a user name means, laid over what is played to others."""
    kind, names = _names(user)
    named = [_load(kind, name) for name in names]
    # The last layer of each is what the base has at its end too: the default server.
    layers = [layer for scenario in named for layer in scenario.layers[:-1]]
    return replace(base, layers=(*layers, *base.layers))


def _load(kind: str, reference: str) -> Scenario:
    name = reference.partition("[")[0]
    path = shipped().get(name)
    if path is None or kind_of(path) != _FOLDERS[kind]:
        raise UnknownScenario(f"there is no {kind} {name!r}", _hint(kind, name))
    scenario = load(reference)
    if scenario.script is not None:
        raise UnknownScenario(f"{name!r} is a conversation, which has to begin with the greeting")
    return scenario


def _hint(kind: str, name: str) -> str:
    path = shipped().get(name)
    other = next((k for k, f in _FOLDERS.items() if path and kind_of(path) == f), None)
    if other:
        return f"it is {other}+{name}"
    known = [each for each, file in shipped().items() if kind_of(file) == _FOLDERS[kind]]
    return did_you_mean(name, known) or f"pop3kit scenarios list shows every {kind}"
