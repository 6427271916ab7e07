"""``pop3kit fetch``: a maildrop into files, a Maildir or an mbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ._destination import place
from ._failures import UsageFailure
from ._login import login
from ._server import server
from ._status import status_table
from ._trust import trust

if TYPE_CHECKING:
    from ._destination import Place
    from ._login import Login
    from ._server import Server
    from ._trust import Trust

# \b keeps click from filling the lines anew.
_EPILOG = f"""
\b
Exit status:
{status_table()}

With 1 and above, what is counted as kept is safe all the same.
"""


@click.command(epilog=_EPILOG, short_help="Fetch mail into files, a Maildir or an mbox.")
@server
@place
@click.option("--sync", "store", metavar="DB", type=click.Path(dir_okay=False),
              help="Fetch only what is new; DB is a file that remembers what is not.")  # fmt: skip
@click.option("--keep", type=click.FloatRange(0), metavar="DAYS",
              help="With --sync: delete what was fetched so many days ago.")  # fmt: skip
@click.option("--delete", is_flag=True,
              help="Delete messages from the server as soon as they are safe here.")  # fmt: skip
@login
@trust
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def fetch(
    context: click.Context,
    server: Server,
    place: Place,
    login: Login,
    trust: Trust,
    store: str | None,
    keep: float | None,
    delete: bool,
    as_json: bool,
) -> None:
    """Fetch all mail from URL into files, a Maildir or an mbox.

    URL is pop3://user@host:port, or pop3s://user@host:port for TLS from the first octet, or
    pop3+stls://user@host:port. Messages are kept octet for octet as they came: with --output
    each in an .eml file named by its number and unique-id, with --maildir in the folder new,
    with --mbox at the end of the file, where lines that begin with "From " get a ">" (mboxrd).
    A message appears when it is whole and safe on the disk, and nothing is overwritten.
    Nothing is deleted from the server unless --delete or --keep is given.

    Without --sync all that is on the server is fetched each time; then --output passes over what
    is there already, while a Maildir and an mbox get it again.

    The password is taken from --password-file, --password-command, the variable
    POP3KIT_PASSWORD, or asked for.
    """
    # Other subcommands do without the client.
    from pop3client import TLS, InsecureAuthError, InvalidArgument

    from ._download import Memory, download

    place.check()
    if keep is not None and (store is None or delete):
        raise UsageFailure("--keep goes with --sync, and not with --delete")
    maildrop = server.place()
    trust.check(encrypts=server.tls(maildrop) is not TLS.NONE)
    login.check(has_certificate=trust.cert is not None)
    settings = server.settings(maildrop) | trust.settings()
    memory = None if store is None else Memory(store, maildrop.user, keep)
    try:
        report = download(
            login.connector(maildrop, settings),
            place.path,
            place.open,
            delete=delete,
            memory=memory,
        )
    except InsecureAuthError:
        raise UsageFailure(
            "the password would cross a network unencrypted, so nothing was sent: use pop3s://,"
            " --stls or --mechanism APOP, or allow it by --allow-insecure-auth"
        ) from None
    except InvalidArgument as error:
        raise UsageFailure(str(error)) from None
    report.tell(as_json=as_json)
    context.exit(report.status)
