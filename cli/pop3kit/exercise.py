"""``pop3kit exercise``: any client, in any language, against every scenario."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure
from ._wholefile import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._attempt import Program
    from ._results import Exercise
    from ._template import Template, TLSMode

_EPILOG = """
Exit status: 0 nothing was mishandled; 1 something was, and what stands below the table; 64 wrong
usage; 74 a program cannot be run, or a file cannot be read or written.
"""


@click.command(epilog=_EPILOG, short_help="Run any client against every scenario.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--only", "patterns", metavar="PATTERN", multiple=True,
              help="A scenario, a file, or a glob: 'faults/*', './*.pop3.yaml'; "
                   "may be repeated.")  # fmt: skip
@click.option("--mail", "handover",
              type=click.Choice(["folder", "maildir", "mbox", "stdout", "none"]),
              help="What {out} is, from which the mail is taken; 'folder' holds a file for each "
                   "message. Without {out}: none.")  # fmt: skip
@click.option("--allow", "liberties", multiple=True,
              type=click.Choice(["line-ends", "fields", "from-line", "blank-end"]),
              help="What may be done to messages: other line ends, fields or a 'From ' line put "
                   "in front, blank lines at the end.")  # fmt: skip
@click.option("--tls", "mode", type=click.Choice(["none", "stls", "implicit"]),
              help="How COMMAND connects, whatever the scenario; else the scenario says "
                   "it.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0, 3600, min_open=True), default=30.0,
              show_default=True, help="Seconds that COMMAND may take for a scenario.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True,
              help="Scenarios that are played side by side.")  # fmt: skip
@click.option("--name", help="What the client is called; else the name of its program.")
@click.option("--client-version", default="", metavar="TEXT", help="Its version, to be noted.")
@click.option("--with", "others", metavar="FILE", multiple=True,
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The JSON of an earlier run, to be shown beside this one, or without COMMAND "
                   "alone; may be repeated.")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path),
              help="Write the result of this run, for programs and for --with.")  # fmt: skip
@click.option("--html", "html_file", metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path),
              help="Write a page with all results side by side, in one file.")  # fmt: skip
@click.option("--schema", is_flag=True, help="Print the schema of the JSON, and do nothing else.")
@click.pass_context
def exercise(
    context: click.Context,
    command: tuple[str, ...],
    patterns: tuple[str, ...],
    handover: str | None,
    liberties: tuple[str, ...],
    mode: TLSMode | None,
    timeout: float,
    jobs: int,
    name: str | None,
    client_version: str,
    others: tuple[Path, ...],
    json_file: Path | None,
    html_file: Path | None,
    schema: bool,
) -> None:
    """Run a client's COMMAND against every scenario, and judge how it gets through.

    COMMAND stands behind '--'. In it {host}, {port}, {user}, {password} and {ca} (a file with the
    authority to trust) stand for what differs each time, {out} for where the mail is to go, {home}
    for a folder of its own, which is HOME too. Some scenarios want TLS: {tls} is none, stls or
    implicit, {scheme} is pop3 or pop3s, and {stls:TEXT}, {implicit:TEXT}, {tls:TEXT} and
    {none:TEXT} are their text only where that is wanted. Scenarios that want what COMMAND has no
    place for are passed over. Nothing is run through a shell.

    \b
    pop3kit exercise -- ./my-client {tls} {host} {port} {user} {password} {ca} {out}

    A client survives if it hands over all mail unaltered, ends with status 0, and keeps to what the
    scenario expects of clients. It refuses cleanly if it ends with another status, has handed over
    nothing wrong, has lost nothing and told no secret. Anything else is mishandled.
    """  # noqa: D301 - the backspace is click's sign for a text that is not to be filled
    from . import _results

    if schema:
        click.echo(_results.schema_text(), nl=False)
        return
    if not command and not others:
        raise UsageFailure("expected a COMMAND behind '--', or results by --with")
    if not command and (json_file is not None or patterns):
        raise UsageFailure("--json and --only are for a COMMAND, and there is none")
    exercises = [_results.read(path) for path in others]
    if command:
        template = _template(command)
        program = _program(template, handover, liberties, timeout, mode)
        label = name or Path(command[0]).name
        ran = _run(program, patterns, jobs, name=label, version=client_version)
        exercises.append(ran)
        if json_file is not None:
            write_whole(json_file, _results.written(ran))
    if html_file is not None:
        from ._matrixpage import matrix_page

        write_whole(html_file, matrix_page(exercises).encode())
    context.exit(_show(exercises, ran=bool(command)))


def _template(command: Sequence[str]) -> Template:
    from ._template import Template, TemplateError

    try:
        template = Template(command)
    except TemplateError as error:
        raise UsageFailure(str(error)) from None
    if not template.uses("port"):
        raise UsageFailure("expected a place for {port} in COMMAND: each scenario has its own")
    if "{" not in command[0] and shutil.which(command[0]) is None:
        raise UsageFailure(f"{command[0]}: expected a program")
    return template


def _program(
    template: Template,
    handover: str | None,
    liberties: Sequence[str],
    limit: float,
    mode: TLSMode | None,
) -> Program:
    from ._attempt import Program
    from ._comparison import Liberty
    from ._handover import Handover

    uses = template.uses("out")
    kind = Handover(handover or ("folder" if uses else "none"))
    if uses and kind in (Handover.STDOUT, Handover.NOWHERE):
        raise UsageFailure(f"--mail {kind} and {{out}} in COMMAND contradict each other")
    if not uses and kind not in (Handover.STDOUT, Handover.NOWHERE):
        raise UsageFailure(f"--mail {kind}: expected a place for {{out}} in COMMAND")
    return Program(template, kind, frozenset(map(Liberty, liberties)), limit, mode)


def _run(
    program: Program, patterns: Sequence[str], jobs: int, *, name: str, version: str
) -> Exercise:
    # Only when something is run need the mock, and what judges it, be there.
    from ._exercising import DEFAULT, run_all, trouble_at_default
    from ._matrix import doubt, watch
    from ._selection import select

    scenarios = select(patterns)
    # Where nothing else is run, its own result says it.
    others = any(scenario.name != DEFAULT for scenario in scenarios)
    if others and (trouble := trouble_at_default(program)) is not None:
        click.echo(doubt(name, trouble), err=True)
    return run_all(program, scenarios, jobs, name=name, version=version, watch=watch)


def _show(exercises: Sequence[Exercise], *, ran: bool) -> int:
    """Show the results; the exit status that they come to."""
    from . import _matrix
    from ._results import Verdict

    if not ran or len(exercises) > 1:
        _matrix.show(exercises)
    if ran:
        _matrix.explain(exercises[-1])
    for each in exercises:
        click.echo(_matrix.summary(each))
    judged = exercises[-1:] if ran else exercises
    return int(any(each.count(Verdict.MISHANDLED) for each in judged))
