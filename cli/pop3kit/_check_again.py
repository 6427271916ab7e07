"""The command line by which a case is asked again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from pop3scenarios import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pop3scenarios import Scenario

#: Options that do not change what a case is asked: which ones are, and where results go; and those
#: in which a secret could stand, or lead to one, since the line is shown to others.
_LEFT_OUT = frozenset(
    {"skip", "levels", "tags", "profile", "baseline", "write_baseline", "name", "json_file"}
    | {"junit_file", "markdown_file", "html_file", "others", "verbose", "total"}
    | {"password_file", "password_command"}
)

#: The value may hold a secret: in its place stands what it is.
_HIDDEN = {"seed_command": "COMMAND"}


@dataclass(frozen=True, slots=True)
class Again:
    """Gives for each case the command line that asks it again.

    Attributes:
        words: The command and its options.
        selectors: What a case is selected by, where it is not its id.
    """

    words: tuple[str, ...]
    selectors: Mapping[str, str]

    @classmethod
    def of(cls, context: click.Context, url: str, scenarios: Iterable[Scenario]) -> Again:
        """From the options that were given.

        Args:
            context: The command.
            url: The server.
            scenarios: The cases.
        """
        given = (
            word
            for option in context.command.params
            if isinstance(option, click.Option)
            and option.name not in _LEFT_OUT
            and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
            for word in _words(option, context.params[option.name])
        )
        own = {each.name: str(each.path) for each in scenarios if kind_of(each.path) == "own"}
        return cls(("pop3kit", "check", url, *given), own)

    def line(self, case_id: str) -> str:
        """The command line.

        Args:
            case_id: The id of the case.
        """
        return shlex.join([*self.words, self.selectors.get(case_id, case_id)])


def _words(option: click.Option, value: object) -> Iterator[str]:
    yield option.opts[-1]
    if not option.is_flag:
        yield _HIDDEN.get(option.name or "", str(value))
