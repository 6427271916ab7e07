"""Runs of ``pop3kit check`` against servers that keep the RFCs, and one that does not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from pop3kit._group import cli
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = "pop3: 1\nname: x\nsummary: x\n"

#: A server that refuses NOOP.
MUTANT = f"{HEAD}rules: [{{when: NOOP, reply: -ERR}}]\n"


def invoke(arguments: list[str], env: dict[str, str] | None = None, **more: Any) -> Result:
    """Run the subcommand as the command line does; the password is in the environment."""
    # None takes a variable away, so that one of the reader's own does not get in.
    known: dict[str, str | None] = {"POP3KIT_PASSWORD": "secret"} if env is None else {
        "POP3KIT_PASSWORD": None, **env
    }  # fmt: skip
    return CliRunner().invoke(cli, ["check", *arguments], env=known, **more)


@contextmanager
def mutant(document: str = MUTANT) -> Iterator[str]:
    """The URL of a server that departs from the RFCs."""
    with MockServer(loads(document)) as server:
        yield f"pop3://alice@127.0.0.1:{server.port}"
