"""``pop3kit load``: many sessions at once, and what each of them must see."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._checkadvice import in_options
from ._failures import UsageFailure, printable, system_failure
from ._target import peer, with_password
from ._wholefile import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pop3check import Limits, Target

    from ._target import Peer

_EPILOG = """
Exit status: 0 fine; 1 a rule was broken; 2 inconclusive; 3 mail was lost; 64 wrong usage; 74 a file
cannot be read or written.
"""


@click.command(epilog=_EPILOG, short_help="Hold many sessions at once on a server.")
@peer
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose first line is the password.")  # fmt: skip
@click.option("--password-command", metavar="COMMAND",
              help="A command that prints the password as its first line.")  # fmt: skip
@click.option("--accounts", metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file with a line user:password for each account, instead of a user in "
                   "URL.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1, 1000), default=8, show_default=True,
              help="Sessions at the same time.")  # fmt: skip
@click.option("--duration", type=click.FloatRange(0, 86400, min_open=True), default=10.0,
              show_default=True, metavar="SECONDS",
              help="When every session comes to its end.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="N",
              help="Sessions that begin per second, at most.")  # fmt: skip
@click.option("--sessions", type=click.IntRange(1), metavar="N",
              help="Sessions in all, at most.")  # fmt: skip
@click.option("--seed-value", type=int, default=0, show_default=True, metavar="N",
              help="What makes the random choices: the same makes the same again.")  # fmt: skip
@click.option("--exclusive", is_flag=True,
              help="Two sessions at a time on a maildrop break a rule; else they are "
                   "counted.")  # fmt: skip
@click.option("--shared", is_flag=True,
              help="Others use the accounts too: what is missing may be their doing.")  # fmt: skip
@click.option("--mark", is_flag=True, help="Mark messages as deleted, and never commit it.")
@click.option("--any-message", is_flag=True,
              help="Mark messages also that the checker has not brought.")  # fmt: skip
@click.option("--destructive", is_flag=True,
              help="Delete messages that the checker has brought; the account is to be typed "
                   "again.")  # fmt: skip
@click.option("--yes-delete-in", metavar="USER@HOST",
              help="The account, typed again; of several accounts the HOST.")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path),
              help="Write the result for programs.")  # fmt: skip
@click.pass_context
def load(
    context: click.Context,
    peer: Peer,
    password_file: Path | None,
    password_command: str | None,
    accounts: Path | None,
    concurrency: int,
    duration: float,
    rate: float | None,
    sessions: int | None,
    seed_value: int,
    exclusive: bool,
    shared: bool,
    mark: bool,
    any_message: bool,
    destructive: bool,
    yes_delete_in: str | None,
    json_file: Path | None,
) -> None:
    """Have many sessions at once on the server at URL, and hold each to what it must see.

    A session logs in, asks at random, and leaves by QUIT or without a word. What STAT, LIST, UIDL,
    RETR, DELE and RSET answer has to agree with its first answers, its own marks, and what all
    sessions before have left. Nothing is marked or deleted unless it is allowed. 'pop3kit check'
    asks what the RFCs say of one or two sessions; this asks whether it still holds of many.
    """
    from pop3check import LoadPlan, load_summary
    from pop3check import load as exercise

    targets = _targets(peer, accounts, password_file, password_command)
    if destructive:
        _confirm(targets, yes_delete_in)
    report = exercise(
        targets,
        limits=_limits(mark=mark, destructive=destructive, any_message=any_message),
        plan=LoadPlan(
            concurrency=concurrency,
            duration=duration,
            rate=rate,
            sessions=sessions,
            seed=seed_value,
            exclusive=exclusive,
            alone=not shared,
        ),
    )
    if json_file is not None:
        write_whole(json_file, (json.dumps(report.as_data(), indent=2) + "\n").encode())
    click.echo(printable(in_options(load_summary(report))))
    context.exit(report.exit_status)


def _limits(*, mark: bool, destructive: bool, any_message: bool) -> Limits:
    from pop3check import Limits

    if any_message and not mark and not destructive:
        raise UsageFailure("--any-message goes with --mark or --destructive")
    if destructive:
        return Limits(mode="destructive", any_message=any_message)
    return Limits(mode="mark" if mark else "read-only", any_message=any_message)


def _targets(
    peer: Peer, accounts: Path | None, file: Path | None, command: str | None
) -> list[Target]:
    target = peer.target()
    if accounts is None:
        if not target.user:
            raise UsageFailure("expected a user in URL, or --accounts: pop3://alice@host")
        return [with_password(target, file, command)]
    if target.user or file is not None or command is not None:
        raise UsageFailure("--accounts says who logs in: expected no user in URL and no password")
    return [replace(target, user=user, password=password) for user, password in _read(accounts)]


def _read(accounts: Path) -> list[tuple[str, str]]:
    """The users and passwords of a file; no message ever quotes what was read."""
    try:
        lines = accounts.read_text("utf-8").splitlines()
    except OSError as error:
        raise system_failure("cannot read", accounts, error) from None
    except UnicodeDecodeError:
        raise UsageFailure(f"{accounts}: expected UTF-8") from None
    found = [line.partition(":") for line in lines if line]
    if not found or not all(user and password for user, _, password in found):
        raise UsageFailure(f"{accounts}: expected lines user:password")
    return [(user, password) for user, _, password in found]


def _confirm(targets: Sequence[Target], typed: str | None) -> None:
    """Have the account typed again before anything is deleted.

    Raises:
        UsageFailure: It is another one, or there is no way to ask.
    """
    host = targets[0].host
    wanted = f"{targets[0].user}@{host}" if len(targets) == 1 else host
    if typed is None and sys.stdin.isatty():
        typed = click.prompt(f"To delete mail, type {printable(wanted)}", err=True)
    if typed != wanted:
        raise UsageFailure(f"--destructive deletes mail: expected --yes-delete-in {wanted}")
