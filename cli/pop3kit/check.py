"""``pop3kit check``: does this server keep the RFCs?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, printable
from ._password import find_password

if TYPE_CHECKING:
    from typing import Literal

    from pop3check import Verdict

_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "magenta"}

_EPILOG = """
Exit status: 0 fine; 1 something fails; 2 inconclusive; 64 wrong usage; 74 a file cannot be read.
"""


@click.command(epilog=_EPILOG)
@click.argument("url")
@click.argument("cases", nargs=-1)
@click.option("--tls", type=click.Choice(["none", "stls", "implicit"]),
              help="How TLS is reached; by default none on this machine, else stls.")  # fmt: skip
@click.option("--cafile", type=click.Path(exists=True, dir_okay=False),
              help="Certificates of the authorities to trust, not the system's.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0, 86400, min_open=True), default=10.0,
              show_default=True, help="Seconds to wait for an answer.")  # fmt: skip
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose first line is the password.")  # fmt: skip
@click.option("--password-command", metavar="COMMAND",
              help="A command that prints the password as its first line.")  # fmt: skip
@click.option("--allow-insecure-auth", is_flag=True,
              help="Send the password unencrypted over a network.")  # fmt: skip
@click.option("--allow-delete", is_flag=True,
              help="Also play conversations that mark mail as deleted.")  # fmt: skip
@click.pass_context
def check(
    context: click.Context,
    url: str,
    cases: tuple[str, ...],
    tls: Literal["none", "stls", "implicit"] | None,
    cafile: str | None,
    timeout: float,
    password_file: Path | None,
    password_command: str | None,
    allow_insecure_auth: bool,
    allow_delete: bool,
) -> None:
    """Hold the server at URL (pop3://user@host:port, pop3s://…) to the conformance cases.

    CASES are ids (RFC1939-5-06), beginnings of ids (RFC1939-5) or files; all cases without any.
    Without a user only what needs no login is checked. Nothing is deleted unless it is allowed.
    """
    from pop3check import Limits, Target, TargetError, UnknownCase, check_all, select, summary
    from pop3scenarios import ScenarioError

    try:
        scenarios = select(cases)
        target = Target.from_url(
            url,
            tls=tls,
            ca=cafile,
            timeout=timeout,
            allow_insecure_auth=allow_insecure_auth,
        )
        if target.user:
            prompt = f"Password of {target.user} at {target}"
            password = find_password(password_file, password_command, prompt)
            target = replace(target, password=password)
        limits = Limits(mode="destructive" if allow_delete else "read-only")
        report = check_all(target, scenarios, limits=limits, progress=_show)
    except (TargetError, UnknownCase, ScenarioError) as error:
        raise UsageFailure(str(error)) from None
    click.echo(summary(report))
    context.exit(report.exit_status)


def _show(verdict: Verdict) -> None:
    """Print a verdict; colour repeats what its first word says, on a terminal only."""
    from pop3check import describe

    click.secho(printable(describe(verdict)), fg=_COLOURS.get(verdict.outcome.value))
