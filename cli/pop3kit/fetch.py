"""``pop3kit fetch``: a maildrop into files."""

from __future__ import annotations

import json
import ssl
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import SystemFailure, UsageFailure, printable, system_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3client import MaildropURL, POP3Client, Settings

    from ._download import Report

_EPILOG = """
Exit status: 0 all messages are in the folder; 1 the server or the network failed, and what came
before is in the folder; 64 wrong usage; 74 a file cannot be read or written; 130 interrupted.
"""


@click.command(epilog=_EPILOG)
@click.argument("url")
@click.option("-o", "--output", "folder", required=True, metavar="DIR",
              type=click.Path(file_okay=False, path_type=Path),
              help="The folder for the messages; it is made if it is missing.")  # fmt: skip
@click.option("--stls", is_flag=True, help="Encrypt by STLS, on the port for plain POP3.")
@click.option("--apop", is_flag=True, help="Log in with APOP, which does not send the password.")
@click.option("--msex", is_flag=True, help="The server is MS Exchange: trust none of its sizes.")
@click.option("--retr-mode", type=click.Choice(["retr", "list", "slow"]), default="retr",
              show_default=True, help="Where to look for the size of a message first.")  # fmt: skip
@click.option("--cafile", type=click.Path(exists=True, dir_okay=False),
              help="Certificates of the authorities to trust, not the system's.")  # fmt: skip
@click.option("--allow-insecure-auth", is_flag=True,
              help="Send the password unencrypted over a network.")  # fmt: skip
@click.option("--delete", is_flag=True,
              help="Delete messages from the server that are safe in the folder.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0, 86400, min_open=True), default=60.0,
              show_default=True, help="Seconds to wait for an answer.")  # fmt: skip
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose first line is the password.")  # fmt: skip
@click.option("--password-command", metavar="COMMAND",
              help="A command that prints the password as its first line.")  # fmt: skip
@click.option("--oauth-token-command", metavar="COMMAND",
              help="Log in by OAuth, with the token that a command prints.")  # fmt: skip
@click.option("--sync", "store", metavar="DB", type=click.Path(dir_okay=False),
              help="Fetch only what is new; DB is a file that remembers what is not.")  # fmt: skip
@click.option("--keep", type=click.FloatRange(0), metavar="DAYS",
              help="With --sync: delete what was fetched so many days ago.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def fetch(
    context: click.Context,
    url: str,
    folder: Path,
    stls: bool,
    apop: bool,
    msex: bool,
    retr_mode: str,
    cafile: str | None,
    allow_insecure_auth: bool,
    delete: bool,
    timeout: float,
    password_file: Path | None,
    password_command: str | None,
    oauth_token_command: str | None,
    store: str | None,
    keep: float | None,
    as_json: bool,
) -> None:
    """Fetch all mail from URL into files.

    URL is pop3://user@host:port, or pop3s://user@host:port for TLS from the first octet. Each
    message becomes one .eml file in DIR, named by its number and unique-id, octet for octet as it
    came. A file appears when the message is whole, and a different one is never overwritten.
    Nothing is deleted from the server unless --delete or --keep is given.

    The password is taken from --password-file, --password-command, the variable
    POP3KIT_PASSWORD, or asked for.
    """
    # Other subcommands do without the client.
    import pop3client
    from pop3client import TLS, RetrMode

    from ._download import Memory, download
    from ._password import find_password

    if keep is not None and (store is None or delete):
        raise UsageFailure("--keep goes with --sync, and not with --delete")
    place = _parse(url, stls=stls)
    settings: Settings = {
        "port": place.port,
        "tls": TLS.STLS if stls else place.tls,
        "ssl_context": _trust(cafile),
        "msex": msex,
        "retr_mode": RetrMode(retr_mode),
        "timeout": timeout,
        "allow_insecure_auth": allow_insecure_auth,
    }
    if oauth_token_command is not None:
        connect = _by_token(place, oauth_token_command, settings)
    else:
        prompt = printable(f"Password of {place.user} at {place.host}")
        password = find_password(password_file, password_command, prompt)
        connect = partial(
            pop3client.connect,
            place.host,
            place.user,
            password,
            mechanism="APOP" if apop else None,
            **settings,
        )
    memory = None if store is None else Memory(store, place.user, keep)
    try:
        report = download(connect, folder, delete=delete, memory=memory)
    except pop3client.InsecureAuthError:
        raise UsageFailure(
            "the password would cross a network unencrypted, so nothing was sent: use pop3s://,"
            " --stls or --apop, or allow it by --allow-insecure-auth"
        ) from None
    except pop3client.InvalidArgument as error:
        raise UsageFailure(str(error)) from None
    except pop3client.SeenStoreError as error:
        raise SystemFailure(str(error)) from None
    except OSError as error:
        raise system_failure("cannot write", error.filename or folder, error) from None
    _tell(report, folder, delete=delete or keep is not None, as_json=as_json)
    context.exit(report.status)


def _parse(url: str, *, stls: bool) -> MaildropURL:
    from pop3client import TLS, InvalidArgument, MaildropURL

    try:
        place = MaildropURL.parse(url)
    except InvalidArgument as error:
        raise UsageFailure(str(error)) from None
    if place.password is not None:
        raise UsageFailure(
            "a password in the URL can be read in the list of processes and in the shell's history;"
            " leave it out, and use the prompt, --password-file, --password-command or"
            " POP3KIT_PASSWORD"
        )
    if place.options or place.mechanism:
        raise UsageFailure("expected nothing after host and port: settings have their options")
    if stls and place.tls is TLS.IMPLICIT:
        raise UsageFailure("pop3s:// is TLS from the first octet; --stls goes with pop3://")
    return place


def _by_token(place: MaildropURL, command: str, settings: Settings) -> Callable[[], POP3Client]:
    """A way to log in with a token; the command is run again if the first token is refused."""
    from pop3client import OAuthBearer, POP3Client, XOAuth2

    from ._password import from_command

    def connect() -> POP3Client:
        client = POP3Client(place.host, **settings)
        try:
            client.supports("SASL")  # asks CAPA, if nobody has yet
            offered = client.capabilities.sasl
            # XOAUTH2 is what the large services have, whatever they announce.
            kind = OAuthBearer if OAuthBearer.name in offered else XOAuth2
            token = partial(from_command, command, "--oauth-token-command")
            client.authenticate(kind(place.user, token))
        except BaseException:
            client.abort()
            raise
        return client

    return connect


def _trust(cafile: str | None) -> ssl.SSLContext | None:
    if cafile is None:
        return None
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise UsageFailure(f"--cafile: {cafile} holds no certificate: {error}") from None


def _tell(report: Report, folder: Path, *, delete: bool, as_json: bool) -> None:
    """The summary on standard output, what went wrong on standard error."""
    for failure in report.failures:
        click.echo(printable(f"Error: {failure}"), err=True)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        _summarize(report, folder, delete=delete)


def _summarize(report: Report, folder: Path, *, delete: bool) -> None:
    if report.total is None:
        click.echo("nothing fetched")
    else:
        already = f", {report.known} of them there already" if report.known else ""
        already += f", {report.seen} fetched before" if report.seen else ""
        click.echo(
            f"{report.kept} of {report.total} messages are in {printable(str(folder))}"
            f" ({report.octets:,} octets{already})"
        )
    if delete:
        click.echo(f"{report.deleted} deleted from the server")
    if report.modes is not None and report.modes[0] != report.modes[1]:
        click.echo("the retrieval mode fell from {} to {}".format(*report.modes))
    for deviation in report.deviations:
        click.echo(printable(f"noticed: {deviation}"))
