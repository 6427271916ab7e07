"""A run of ``pop3kit check``, from its options to its exit status."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pop3check import (
    PROFILES,
    Baseline,
    BaselineError,
    Limits,
    Outcome,
    Record,
    Target,
    TargetError,
    check_all,
    read_baseline,
    written_baseline,
)
from pop3scenarios import ScenarioError

from ._check_again import Again
from ._check_console import Console
from ._check_output import read_all, write_files
from ._check_seeding import seeder
from ._check_selection import chosen
from ._checkadvice import advised
from ._failures import UsageFailure, system_failure
from ._password import find_password
from ._wholefile import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from pop3check import Report, Verdict

    from ._check_options import Choice, Grading, Leave, Output, Reach, Seeding


@dataclass(frozen=True, slots=True)
class Wish:
    """All that was asked for."""

    url: str
    selectors: tuple[str, ...]
    reach: Reach
    choice: Choice
    leave: Leave
    seeding: Seeding
    grading: Grading
    output: Output


def run(wish: Wish, context: click.Context) -> int:
    """Ask, show, write; the exit status.

    Args:
        wish: What was asked for.
        context: The command, for the words by which a case is asked again.

    Raises:
        UsageFailure: It cannot be done so.
        SystemFailure: A file cannot be read or written.
    """
    scenarios = chosen(wish.selectors, wish.choice)
    baseline = _baseline(wish.grading.baseline)
    earlier = read_all(wish.output.others)
    again = Again.of(context, wish.url, scenarios)
    target = _target(wish)
    limits = _limits(wish)
    seed = seeder(wish.seeding, target)
    profile = PROFILES[wish.grading.profile]
    console = Console(scenarios, profile, verbose=wish.output.verbose)

    def show(verdict: Verdict) -> None:
        console.add(advised(verdict))

    began, start = datetime.now(UTC), time.monotonic()
    try:
        asked = check_all(target, scenarios, limits=limits, progress=show, seed=seed)
    except (TargetError, ScenarioError) as error:
        raise UsageFailure(str(error)) from None
    asked = replace(asked, verdicts=tuple(map(advised, asked.verdicts)))
    report = profile.graded_report(asked)
    status = baseline.exit_status(report) if baseline is not None else report.exit_status
    standings = baseline.standings(report.verdicts) if baseline is not None else {}
    record = Record.of(
        report,
        target,
        limits,
        began=began,
        seconds=time.monotonic() - start,
        profile=profile.name,
        name=wish.output.name,
        status=status,
        standings=standings,
        reproduce=again.line,
    )
    console.finish(report, record, (baseline or Baseline()).unknown_errors(report.verdicts))
    _remember(wish.grading, baseline, report)
    write_files(wish.output, record, earlier)
    return status


def _target(wish: Wish) -> Target:
    reach = wish.reach
    try:
        target = Target.from_url(
            wish.url,
            tls=reach.tls,
            ca=reach.cafile,
            timeout=reach.timeout,
            allow_insecure_auth=reach.allow_insecure_auth,
        )
    except TargetError as error:
        raise UsageFailure(str(error)) from None
    _confirmed(wish.leave, target)
    if not target.user:
        return target
    prompt = f"Password of {target.user} at {target}"
    password = find_password(reach.password_file, reach.password_command, prompt)
    try:
        return replace(target, password=password)
    except TargetError as error:
        raise UsageFailure(str(error)) from None


def _confirmed(leave: Leave, target: Target) -> None:
    """Have the account typed again before anything is deleted in it."""
    if not leave.destructive:
        if leave.yes_delete_in is not None:
            raise UsageFailure("--yes-delete-in is for --destructive, and that was not given")
        return
    account = f"{target.user}@{target.host}"
    if not target.user:
        raise UsageFailure("--destructive needs a user in the URL: pop3://user@host")
    typed = leave.yes_delete_in
    if typed is None:
        if not sys.stdin.isatty():
            raise UsageFailure(f"--destructive deletes mail: add --yes-delete-in {account}")
        typed = click.prompt("Messages will be deleted. Type the account, user@host", err=True)
    if typed != account:
        raise UsageFailure(f"--destructive: the account is {account}, and {typed} was typed")


def _limits(wish: Wish) -> Limits:
    leave = wish.leave
    return Limits(
        mode="destructive" if leave.destructive else "mark" if leave.mark else "read-only",
        any_message=leave.any_message,
        login_failures=leave.login_failures,
        slow=leave.slow,
        opt_in=leave.opt_in,
        connections=leave.connections,
        pace=leave.pace,
        total=leave.total,
        arrival=wish.seeding.seed_wait,
    )


def _baseline(path: Path | None) -> Baseline | None:
    if path is None:
        return None
    try:
        return read_baseline(path)
    except OSError as error:
        raise system_failure("cannot read", path, error) from None
    except BaselineError as error:
        raise UsageFailure(str(error)) from None


def _remember(grading: Grading, baseline: Baseline | None, report: Report) -> None:
    """Write what is known now; the reasons of the file that is there are kept."""
    path = grading.write_baseline
    if path is None:
        return
    known = baseline or (_baseline(path) if path.exists() else None) or Baseline()
    write_whole(path, written_baseline(known.updated(report.verdicts)))
    if errors := report.counts[Outcome.ERROR]:
        said = "of an ERROR nothing is learnt, and nothing was written"
        click.echo(f"{path}: {errors} of {len(report.verdicts)} cases left as they were: {said}")
