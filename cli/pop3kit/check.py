"""``pop3kit check``: does this server keep the RFCs?"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from pop3check import (
    Outcome,
    Target,
    TargetError,
    UnknownCase,
    check_all,
    describe,
    select,
    summary,
)
from pop3check import TLSMode as Mode
from pop3scenarios import ScenarioError

if TYPE_CHECKING:
    from pop3check import Verdict

_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.ERROR: "magenta"}


class _UsageError(click.UsageError):
    """Not to be taken for a server that fails (1) or a run that is inconclusive (2)."""

    exit_code = 64


class _Command(click.Command):
    """A command whose usage errors have an exit status of their own."""

    def make_context(self, *args: object, **kwargs: object) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)  # type: ignore[arg-type]
        except click.UsageError as error:
            raise _UsageError(error.message, error.ctx) from None


@click.command(cls=_Command)
@click.argument("url")
@click.argument("cases", nargs=-1)
@click.option("--tls", type=click.Choice(get_args(Mode)), help="How TLS is reached.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="Authorities to trust.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=10.0,
              show_default=True, help="Seconds that one wait may take.")  # fmt: skip
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose first line is the password.")  # fmt: skip
@click.option("--allow-insecure-auth", is_flag=True,
              help="Send the password without TLS over a network.")  # fmt: skip
@click.option("--allow-delete", is_flag=True,
              help="Also play conversations that mark mail as deleted.")  # fmt: skip
@click.pass_context
def check(
    context: click.Context,
    url: str,
    cases: tuple[str, ...],
    tls: str | None,
    ca: str | None,
    timeout: float,
    password_file: Path | None,
    allow_insecure_auth: bool,
    allow_delete: bool,
) -> None:
    """Hold the server at URL (pop3://user@host:port, pop3s://…) to the conformance cases.

    CASES are ids (RFC1939-5-06), beginnings of ids (RFC1939-5) or files; all cases without any.
    The password comes from --password-file, from POP3KIT_PASSWORD, or is asked for. Nothing is
    deleted unless it is allowed.

    Exit status: 0 fine, 1 something fails, 2 inconclusive, 64 wrong usage.
    """
    try:
        scenarios = select(cases)
        target = Target.from_url(
            url,
            tls=cast("Mode | None", tls),
            ca=ca,
            timeout=timeout,
            allow_insecure_auth=allow_insecure_auth,
        )
        target = replace(target, password=_password(password_file, target.user))
        report = check_all(target, scenarios, allow_delete=allow_delete, progress=_show)
    except (TargetError, UnknownCase, ScenarioError) as error:
        raise _UsageError(str(error), context) from None
    click.echo(summary(report))
    context.exit(report.exit_status)


def _show(verdict: Verdict) -> None:
    """Print a verdict; colour repeats what its first word says, on a terminal only."""
    click.secho(describe(verdict), fg=_COLOURS.get(verdict.outcome))


def _password(file: Path | None, user: str) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
    if "POP3KIT_PASSWORD" in os.environ or not user:
        return os.environ.get("POP3KIT_PASSWORD", "")
    if not sys.stdin.isatty():
        raise TargetError("a password is needed: --password-file or POP3KIT_PASSWORD")
    answer: str = click.prompt("Password", hide_input=True, err=True)
    return answer
