"""``pop3kit record``: what a client and a server say to each other, as a scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._ending import ending
from ._failures import Failure, UsageFailure, system_failure
from ._target import Peer, peer
from ._wholefile import write_whole

if TYPE_CHECKING:
    import threading

    from pop3check import Certificate, Proxy, Recording, Target, Written

#: Seconds between two looks whether the last connection has ended.
_LOOK = 0.1

_EPILOG = """
Exit status: 0 the scenario is written; 1 it cannot be, and standard error says why; 64 wrong usage;
74 an address or a file cannot be used.
"""


@click.command(epilog=_EPILOG, short_help="Record a client and a server as a scenario.")
@peer
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              default="recorded.pop3.yaml", show_default=True,
              help="The scenario; messages go into a folder beside it.")  # fmt: skip
@click.option("--listen", default="127.0.0.1:0", metavar="HOST:PORT", show_default=True,
              help="Where the client is to connect; port 0 takes one that is free.")  # fmt: skip
@click.option("--as", "form", type=click.Choice(["conversation", "server"]),
              default="conversation", show_default=True,
              help="Write exactly what was said, or the server that says such things.")  # fmt: skip
@click.option("--connections", type=click.IntRange(1), metavar="N",
              help="End after so many connections; without it on Ctrl-C.")  # fmt: skip
@click.option("--ca-file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the certificate that the client has to trust to this file.")  # fmt: skip
@click.pass_context
def record(
    context: click.Context,
    peer: Peer,
    output: Path,
    listen: str,
    form: str,
    connections: int | None,
    ca_file: Path | None,
) -> None:
    """Stand before the server at URL, and write what a client and it say to each other to FILE.

    Have the client connect to the address that the line of JSON on standard output tells. It logs
    in as ever: no password is given to this command, and none is written. With pop3s://, TLS begins
    with the first octet on both sides; with pop3:// the client may say STLS, which ends here.
    """
    from pop3check import Recording, Unrecordable, Unredacted, certificate

    from ._scenariofile import name_of, put

    name = name_of(output)
    host, port = _address(listen)
    recording, target, shown = Recording(), peer.target(), certificate()
    with (
        ending(with_stdin=False) as stopped,
        _proxy(target, recording, shown, host, port, connections) as proxy,
    ):
        _tell(proxy, target, shown, ca_file)
        _wait(stopped, proxy)
    if proxy.failure:
        raise Failure(proxy.failure)
    try:
        written = _written(recording, name, str(target), form)
    except (Unrecordable, Unredacted) as error:
        raise Failure(f"nothing was written: {error}") from None
    put(written, output)
    click.echo(f"{output}: {len(recording.connections)} connection(s)", err=True)
    context.exit(0)


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageFailure(f"--listen: expected HOST:PORT, got {listen!r}")
    return host.strip("[]"), int(port)


def _proxy(
    target: Target,
    recording: Recording,
    shown: Certificate,
    host: str,
    port: int,
    connections: int | None,
) -> Proxy:
    from pop3check import Proxy

    try:
        return Proxy(target, recording, shown=shown, host=host, port=port, connections=connections)
    except OSError as error:
        raise system_failure("cannot listen on", f"{host}:{port}", error) from None


def _tell(proxy: Proxy, target: Target, shown: Certificate, ca_file: Path | None) -> None:
    if ca_file is not None:
        write_whole(ca_file, shown.authority)
    tls = "implicit" if target.tls == "implicit" else "stls"
    facts = {"host": proxy.host, "port": proxy.port, "tls": tls}
    click.echo(json.dumps(facts | {"ca_file": None if ca_file is None else str(ca_file)}))


def _wait(stopped: threading.Event, proxy: Proxy) -> None:
    while not proxy.finished.is_set() and not stopped.wait(_LOOK):
        pass


def _written(recording: Recording, name: str, source: str, form: str) -> Written:
    from pop3check import RecordedConversation

    if form == "conversation":
        return RecordedConversation(recording, name, source).written()
    from ._portrait import of_recording

    return of_recording(recording, name, source)
