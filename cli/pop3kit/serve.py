"""``pop3kit serve``: mock servers for clients in any language."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._ending import ending
from ._failures import UsageFailure, printable
from ._journalfile import JournalFile
from ._reloading import Reloading
from ._serving import complaints, running, shortened, wishes
from ._wholefile import there_meanwhile, write_whole

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from pop3mock import MockServer, TLSMode

    from ._serving import Wish

#: Seconds between two looks at the files.
_LOOK = 0.1

#: On Windows a wait without a limit would keep Ctrl-C out.
_WAIT = 1.0


@click.command(short_help="Play scenarios as servers.")
@click.argument("scenarios", metavar="SCENARIO[=PORT]...", nargs=-1, required=True)
@click.option("--variant", help="The variant, if the one SCENARIO does not name it in brackets.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535),
              help="The port of the one SCENARIO; without it one that is free.")  # fmt: skip
@click.option("--tls", type=click.Choice(["none", "stls", "implicit"]),
              help="How clients reach TLS, in place of what the scenarios say.")  # fmt: skip
@click.option("--quirk-users", is_flag=True,
              help="Let user names choose: quirk+NAME@host, fault+NAME+NAME2.")  # fmt: skip
@click.option("--reload", is_flag=True,
              help="Play a scenario anew when one of its files has changed.")  # fmt: skip
@click.option("--ca-file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the authority's certificate to this file, in PEM.")  # fmt: skip
@click.option("--port-file", type=click.Path(dir_okay=False, path_type=Path),
              help="Have 'PORT NAME' of each server in this file while they run.")  # fmt: skip
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path),
              help="Write what happens to this file, a line of JSON each.")  # fmt: skip
@click.option("--until-stdin-closes", is_flag=True,
              help="End also when standard input ends.")  # fmt: skip
@click.pass_context
def serve(
    context: click.Context,
    scenarios: tuple[str, ...],
    variant: str | None,
    host: str,
    port: int | None,
    tls: TLSMode | None,
    quirk_users: bool,
    reload: bool,
    ca_file: Path | None,
    port_file: Path | None,
    journal: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Play each SCENARIO as a server until it is stopped.

    SCENARIO is a name, name[variant], a file, or a glob such as 'faults/*' or './*.pop3.yaml';
    =PORT says on which port it is played. SIGINT and SIGTERM stop the servers. When clients can
    connect to all of them, standard output gets one line of JSON for each, with scenario, host,
    port, tls, users with their passwords, the first user and password, and ca_file; and nothing
    after that.

    Exit status: 0 the clients did what the scenarios expect of clients; 1 they did not, and
    standard error says what was wrong; 64 wrong usage; 74 an address or a file cannot be used.
    A server that no client has come to is not judged.
    """
    asked = _asked(scenarios, variant, port)
    servers = [_server(wish, host, tls, quirk_users=quirk_users) for wish in asked]
    reloading = [Reloading(w.reference, s) for w, s in zip(asked, servers, strict=True) if reload]
    with (
        ending(with_stdin=until_stdin_closes) as stopped,
        _written_to(journal, servers),
        running(servers),
        _told(servers, ca_file, port_file),
    ):
        _wait(stopped, reloading)
    faults = complaints(servers)
    for line in shortened(faults):
        click.echo(printable(line), err=True)
    context.exit(1 if faults else 0)


def _asked(scenarios: Sequence[str], variant: str | None, port: int | None) -> list[Wish]:
    from pop3scenarios import ScenarioError

    try:
        return wishes(scenarios, variant, port)
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None


def _server(wish: Wish, host: str, tls: TLSMode | None, *, quirk_users: bool) -> MockServer:
    # Other subcommands need neither the mock nor the scenario language.
    from pop3mock import MockServer
    from pop3scenarios import ScenarioError

    try:
        return MockServer(
            wish.reference, tls=tls, host=host, port=wish.port, quirk_users=quirk_users
        )
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None


@contextmanager
def _written_to(path: Path | None, servers: Sequence[MockServer]) -> Iterator[None]:
    """Have what happens written to a file, if there is one."""
    if path is None:
        yield
        return
    with JournalFile(path) as file:
        for server in servers:
            server.journal.follow(file.write)
        yield


@contextmanager
def _told(
    servers: Sequence[MockServer], ca_file: Path | None, port_file: Path | None
) -> Iterator[None]:
    """Tell where the servers are; who finds one of these finds all that clients need."""
    if ca_file is not None:
        write_whole(ca_file, servers[0].ca_pem)
    ports = "".join(f"{server.port} {server.scenario.name}\n" for server in servers)
    with there_meanwhile(port_file, ports.encode()):
        click.echo("\n".join(json.dumps(_facts(server, ca_file)) for server in servers))
        yield


def _facts(server: MockServer, ca_file: Path | None) -> dict[str, object]:
    """What a client needs to know; the passwords are the mock's own and guard nothing."""
    return {
        "scenario": server.scenario.name,
        "host": server.host,
        "port": server.port,
        "tls": server.tls,
        "users": dict(server.users),
        "user": server.credentials.user,
        "password": server.credentials.password,
        "ca_file": None if ca_file is None else str(ca_file.absolute()),
    }


def _wait(stopped: threading.Event, reloading: Sequence[Reloading]) -> None:
    """Wait for the end, and look at the scenarios' files meanwhile."""
    while not stopped.wait(_LOOK if reloading else _WAIT):
        for each in reloading:
            if news := each.look():
                click.echo(printable(news), err=True)
