"""Which scenarios ``pop3kit serve`` is to play, each on which port, and the servers for them."""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ._failures import UsageFailure, system_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pop3mock import MockServer

_PORTS = range(65536)

#: More than so many complaints nobody reads.
_SOME = 20


class Wish(NamedTuple):
    """A scenario that is to be played.

    Attributes:
        reference: Its name, ``name[variant]``, or its file.
        port: The port to listen on; 0 takes one that is free.
    """

    reference: str
    port: int = 0


def wishes(arguments: Sequence[str], variant: str | None, port: int | None) -> list[Wish]:
    """What the arguments of the command ask for.

    Args:
        arguments: Names, files, globs such as ``faults/*`` or ``./*.pop3.yaml``; behind each but a
            glob perhaps ``=PORT``.
        variant: The variant of the one scenario that there is.
        port: The port of the one scenario that there is.

    Raises:
        UsageFailure: They ask for nothing that can be done.
        pop3scenarios.ScenarioError: A glob means nothing, or a variant is none; a file that a glob
            or a variant is about is wrong.
    """
    ports: dict[str, int] = {}
    for argument in arguments:
        for wish in _meant(argument):
            before = ports.get(wish.reference, 0)
            if before and wish.port not in (0, before):
                raise UsageFailure(f"{wish.reference}: expected one port, got two")
            ports[wish.reference] = before or wish.port
    found = [Wish(*item) for item in ports.items()]
    if variant is None and port is None:
        return found
    if len(found) > 1:
        raise UsageFailure(
            "--variant and --port are for one scenario; write 'NAME[VARIANT]=PORT' for several"
        )
    return [_changed(found[0], variant, port)]


def _changed(wish: Wish, variant: str | None, port: int | None) -> Wish:
    from pop3scenarios import expand

    if wish.port and port is not None:
        raise UsageFailure(f"{wish.reference}: expected one port, got two")
    named = wish.reference if variant is None else expand(wish.reference, variant)[0]
    return Wish(named, wish.port if port is None else port)


def _meant(argument: str) -> list[Wish]:
    from pop3scenarios import expand, is_glob

    name, sign, digits = argument.rpartition("=")
    if not (sign and digits.isascii() and digits.isdigit()):
        name, digits = argument, "0"
    port = int(digits)
    if port not in _PORTS:
        raise UsageFailure(f"{argument}: expected a port up to {_PORTS[-1]}")
    if not is_glob(name):
        return [Wish(name, port)]
    if port:
        raise UsageFailure(f"{argument}: expected a name before the port, got a glob")
    return [Wish(reference) for reference in expand(name)]


@contextmanager
def running(servers: Iterable[MockServer]) -> Iterator[None]:
    """Run servers side by side; at the end all that clients have sent is heard before they stop.

    Args:
        servers: The servers.

    Raises:
        SystemFailure: An address cannot be listened on; nothing stays running.
    """
    with ExitStack() as stack:
        for server in servers:
            try:
                server.start()
            except OSError as error:
                where = f"{server.host} port {server.port}"
                raise system_failure("cannot listen on", where, error) from None
            stack.callback(server.stop)
        # What is loaded by now stays: nobody has to look through it for garbage again.
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        yield
        for server in servers:
            server.settle()


def complaints(servers: Iterable[MockServer]) -> list[str]:
    """What clients did that the scenarios do not expect.

    Args:
        servers: The servers; one that nobody has come to has nothing to complain of.
    """
    return [
        f"{server.scenario.name}: {fault}"
        for server in servers
        if server.journal.connections
        for fault in server.broken_expectations()
    ]


def shortened(lines: Sequence[str]) -> list[str]:
    """The first of many lines, and how many more there are.

    Args:
        lines: The lines.
    """
    more = len(lines) - _SOME
    return [*lines] if more <= 0 else [*lines[:_SOME], f"… and {more} more"]
