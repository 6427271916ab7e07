"""A scenario ready to be played: the file, its quirks and what it extends, laid over each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ._maildrop import Mail, build
from ._model import ExpectSection, FetchSection, Fragment, ServerSection, TLSSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ._mailitem import MailItem
    from ._model import ScenarioFile
    from ._rule import Rule
    from ._script import Script

_Section = TypeVar("_Section", ServerSection, TLSSection, ExpectSection, FetchSection)


@dataclass(frozen=True, slots=True)
class Layer:
    """One file's contribution to a scenario.

    Attributes:
        name: The scenario, quirk or variant that it comes from.
        fragment: What it says.
        quirk: Whether it came in by ``quirks:``: then its own mail and expectations do not count.
    """

    name: str
    fragment: Fragment
    quirk: bool = False


@dataclass(frozen=True)
class Scenario:
    """What the mock plays, the checker holds a server to, and the recorder writes.

    Attributes:
        file: The file that was asked for.
        path: Where it is.
        shown: The file as it is named to the user.
        variant: The variant that was asked for, or None.
        layers: All contributions, the strongest first: variant, file, quirks, what it extends.
    """

    file: ScenarioFile
    path: Path
    shown: str
    variant: str | None
    layers: tuple[Layer, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The name, with the variant in brackets: ``stls-broken[expired]``."""
        return f"{self.file.name}[{self.variant}]" if self.variant else self.file.name

    @property
    def summary(self) -> str:
        """One line: what is seen on the wire."""
        own = self.layers[0].fragment.summary
        return own or self.file.summary

    @cached_property
    def quirks(self) -> tuple[str, ...]:
        """Names of the quirks that hold, the strongest first."""
        return tuple(layer.name for layer in self.layers if layer.quirk)

    @cached_property
    def rules(self) -> tuple[tuple[Rule, ...], ...]:
        """The rules, layer by layer: within a layer the first that matches holds."""
        return tuple(layer.fragment.rules for layer in self.layers if layer.fragment.rules)

    @cached_property
    def server(self) -> ServerSection:
        """The server as all layers together describe it."""
        merged = _merge((layer.fragment.server for layer in self.layers), ServerSection)
        lists = [layer.fragment.server.capabilities for layer in reversed(self.layers)]
        return merged.model_copy(update={"capabilities": _capabilities(lists)})

    @cached_property
    def tls(self) -> TLSSection:
        """How the server speaks TLS."""
        return _merge((layer.fragment.tls for layer in self.layers), TLSSection)

    @cached_property
    def expect(self) -> ExpectSection:
        """What a client must and must not do; quirks that were mixed in have no say."""
        own = [layer.fragment.expect for layer in self.layers if not layer.quirk]
        merged = _merge(own, ExpectSection)
        fetch = _merge((section.fetch for section in own), FetchSection)
        return merged.model_copy(update={"fetch": fetch})

    @cached_property
    def script(self) -> Script | None:
        """The exact conversation, if the scenario is one."""
        part = self._scripted
        return part.script if part else None

    @property
    def script_line(self) -> int:
        """The line of the file, from 1, on which the conversation begins; 0 if there is none."""
        part = self._scripted
        return part.script_line if part else 0

    @cached_property
    def _scripted(self) -> Fragment | None:
        own = (layer.fragment for layer in self.layers if not layer.quirk)
        return next((fragment for fragment in own if fragment.script is not None), None)

    @cached_property
    def users(self) -> Mapping[str, str]:
        """User names and passwords."""
        return dict(self.server.users or {})

    def mail(self, user: str) -> list[Mail]:
        """The messages that a user finds at first.

        Args:
            user: The user name.

        Raises:
            OSError: A folder cannot be read.
        """
        return list(build(self.mail_items(user)))

    def mail_on_disk(self, user: str) -> list[Mail]:
        """Those of them that come from files and folders, as these are now.

        Args:
            user: The user name.

        Raises:
            OSError: A folder cannot be read.
        """
        return list(build(item for item in self.mail_items(user) if item.on_disk))

    def mail_items(self, user: str) -> tuple[MailItem, ...]:
        """The entries of the maildrop of a user.

        Args:
            user: The user name.
        """
        own = [layer.fragment for layer in self.layers if not layer.quirk]
        for fragment in own:
            items: tuple[MailItem, ...] | None = fragment.maildrops.get(user, fragment.maildrop)
            if items is not None:
                return items
        return ()


def _merge(sections: Iterable[_Section], kind: type[_Section]) -> _Section:
    """One section of which each field comes from the first section that sets it."""
    values: dict[str, object] = {}
    for section in sections:
        for name in section.model_fields_set:
            values.setdefault(name, getattr(section, name))
    return kind.model_construct(_fields_set=set(values), **values)


def _capabilities(lists: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Fold capability lists, the weakest first; signed entries change what stands so far."""
    current: dict[str, str] = {}
    for entries in lists:
        if entries is None:
            continue
        if not any(entry.startswith(("+", "-")) for entry in entries):
            current = {}  # also for a list with nothing in it: CAPA then lists nothing
        for entry in entries:
            text = entry.lstrip("+-")
            keyword = text.split(" ", 1)[0].upper()
            if entry.startswith("-"):
                current.pop(keyword, None)
            else:
                current[keyword] = text
    return tuple(current.values())
