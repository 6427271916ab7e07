"""``pop3kit serve``: a mock server for clients in any language."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, printable, system_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3mock import MockServer


@click.command()
@click.argument("scenario")
@click.option("--variant", help="The variant, if SCENARIO does not name it in brackets.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True,
              help="The port to listen on; 0 takes one that is free.")  # fmt: skip
@click.option("--tls", type=click.Choice(["none", "stls", "implicit"]),
              help="How clients reach TLS, in place of what the scenario says.")  # fmt: skip
@click.option("--ca-file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the authority's certificate to this file, in PEM.")  # fmt: skip
@click.pass_context
def serve(
    context: click.Context,
    scenario: str,
    variant: str | None,
    host: str,
    port: int,
    tls: str | None,
    ca_file: Path | None,
) -> None:
    """Play SCENARIO as a server until it is stopped.

    SCENARIO is a name, name[variant] or a file; SIGINT and SIGTERM stop the server. When clients
    can connect, one line of JSON on standard output tells host, port, tls, users with their
    passwords, scenario and ca_file.

    Exit status: 0 the clients did what the scenario expects of clients; 1 they did not, and
    standard error says what was wrong; 64 wrong usage; 74 the address or the file cannot be used.
    """
    server = _server(scenario, variant, host, port, tls)
    with _stop_signal() as stopped:
        try:
            server.start()
        except OSError as error:
            raise system_failure("cannot listen on", f"{host} port {port}", error) from None
        try:
            if ca_file is not None:
                _write_whole(ca_file, server.ca_pem)
            click.echo(json.dumps(_facts(server, ca_file)))
            while not stopped.wait(1):
                pass  # on Windows a wait without a limit would keep Ctrl-C out
        finally:
            server.stop()
    faults = server.broken_expectations()
    for fault in faults:
        click.echo(printable(fault), err=True)
    context.exit(1 if faults else 0)


def _server(
    scenario: str, variant: str | None, host: str, port: int, tls: str | None
) -> MockServer:
    # Other subcommands need neither the mock nor the scenario language.
    from pop3mock import MockServer
    from pop3scenarios import ScenarioError

    try:
        return MockServer(scenario, variant=variant, tls=tls, host=host, port=port)  # type: ignore[arg-type]  # click.Choice has seen to it
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None


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


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event that is set by SIGINT and SIGTERM."""
    stopped = threading.Event()
    handlers = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that who waits for it never sees a part of it."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o644)  # a certificate is public
        os.replace(file.name, path)  # noqa: PTH105 - both are names here
    except OSError as error:
        raise system_failure("cannot write", path, error) from None
