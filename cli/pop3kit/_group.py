"""The root of the command; a subcommand is imported when it is used."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from ._failures import USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Subcommands, in the order in which the help lists them: the name of a module and of what in it.
_COMMANDS = (
    "demo",
    "serve",
    "exercise",
    "fetch",
    "check",
    "load",
    "record",
    "fingerprint",
    "scenarios",
)


class _Group(click.Group):
    """A group that starts cheaply and whose usage errors have one exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f".{cmd_name}", __package__), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - click's
        with _usage_status():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's
        with _usage_status():
            return super().invoke(ctx)


@contextmanager
def _usage_status() -> Iterator[None]:
    """Give errors of usage the status of sysexits.h; click's own 2 is ``check``'s inconclusive."""
    try:
        yield
    except click.UsageError as error:
        error.exit_code = USAGE  # type: ignore[misc]  # click reads it off the instance
        raise


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pop3kit", prog_name="pop3kit")
def cli() -> None:
    """Fetch mail from POP3 servers as they are, play such servers, and hold servers to the RFCs."""
