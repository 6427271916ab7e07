"""``pop3kit fingerprint``: a live server as a scenario, or held against one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._checkadvice import in_options
from ._failures import Failure, UsageFailure, printable
from ._target import Peer, peer, with_password

if TYPE_CHECKING:
    from pop3check import Observed, Target

    from ._portrait import Difference

_EPILOG = """
Exit status: 0 the scenario is written, or the server answers as the other says; 1 it answers
otherwise; 2 the server cannot be asked; 64 wrong usage; 74 a file cannot be written.
"""


class _Inconclusive(Failure):
    """The server does not answer, or lets nobody in."""

    exit_code = 2


@click.command(epilog=_EPILOG, short_help="Write down how a live server answers.")
@peer
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="The scenario; messages go into a folder beside it. By default "
                   "HOST.pop3.yaml.")  # fmt: skip
@click.option("--compare", "reference", metavar="NAME|FILE",
              help="Write nothing; tell what the server answers otherwise than this scenario "
                   "says.")  # fmt: skip
@click.option("--login-failures", type=click.IntRange(0, 5), default=1, show_default=True,
              help="Logins that may fail on purpose: servers lock accounts.")  # fmt: skip
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose first line is the password.")  # fmt: skip
@click.option("--password-command", metavar="COMMAND",
              help="A command that prints the password as its first line.")  # fmt: skip
@click.pass_context
def fingerprint(
    context: click.Context,
    peer: Peer,
    output: Path | None,
    reference: str | None,
    login_failures: int,
    password_file: Path | None,
    password_command: str | None,
) -> None:
    """Ask the server at URL (pop3://user@host:port, pop3s://…) how it answers, and write it down.

    Nothing is deleted or marked. The file plays in the mock, and then gives the same answers to the
    same questions. At most two messages are fetched, and stand beside it as they are: use an
    account that is there for tests. Without a user only what needs no login is asked.
    """
    if output is not None and reference is not None:
        raise UsageFailure("--compare writes nothing: leave out --output")
    target = with_password(peer.target(), password_file, password_command)
    observed = _ask(target, login_failures)
    if reference is not None:
        context.exit(_compare(observed, reference))
    _write(observed, output or Path(f"{_safe(target.host)}.pop3.yaml"), str(target))


def _ask(target: Target, failures: int) -> Observed:
    from pop3check import Fingerprint, NoFingerprint, Unredacted

    asking = Fingerprint(target, failures)
    try:
        observed = asking.take()
    except NoFingerprint as error:
        raise _Inconclusive(f"{target}: {in_options(str(error))}") from None
    except Unredacted as error:
        raise Failure(f"nothing was written: {error}") from None
    for name, why in asking.left_out.items():
        click.echo(f"left out: {name}: {why}", err=True)
    return observed


def _compare(observed: Observed, reference: str) -> int:
    from pop3scenarios import ScenarioError

    from ._portrait import drift

    try:
        differences = drift(observed, reference)
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None
    _tell(differences)
    total = len(observed.probes)
    click.echo(f"{total - len(differences)} of {total} answers are those of {reference}")
    return 1 if differences else 0


def _write(observed: Observed, path: Path, source: str) -> None:
    from ._portrait import painted
    from ._scenariofile import name_of, put

    name = name_of(path)
    picture = painted(observed, name, source)
    put(picture.written, path)
    _tell(picture.differences, err=True)
    click.echo(f"{path}: {picture.agree} of {picture.total} answers agree")
    click.echo(f"quirks: {', '.join(picture.quirks) or 'none'}")


def _tell(differences: tuple[Difference, ...], *, err: bool = False) -> None:
    """Each difference once, with how often it was seen."""
    for told, times in Counter(map(str, differences)).items():
        often = f" ({times} times)" if times > 1 else ""
        click.echo(printable(told) + often, err=err)


def _safe(host: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in host.lower())
