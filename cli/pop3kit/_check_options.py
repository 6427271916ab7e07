"""The options of ``pop3kit check``, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ._options import gathered

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE = click.Path(dir_okay=False, path_type=Path)
_OLD_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SECONDS = click.FloatRange(0, 86400, min_open=True)


@dataclass(frozen=True, slots=True)
class Reach:
    """How the server is reached, and who logs in."""

    tls: Literal["none", "stls", "implicit"] | None
    cafile: str | None
    timeout: float
    password_file: Path | None
    password_command: str | None
    allow_insecure_auth: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases are meant."""

    skip: tuple[str, ...]
    levels: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """What the run may do."""

    mark: bool
    destructive: bool
    yes_delete_in: str | None
    any_message: bool
    login_failures: int
    slow: bool
    opt_in: bool
    connections: int
    pace: float
    total: float


@dataclass(frozen=True, slots=True)
class Seeding:
    """How the run's own messages get into the maildrop."""

    seed_command: str | None
    seed_shell: bool
    seed_smtp: str | None
    seed_lmtp: str | None
    seed_to: str | None
    seed_maildir: Path | None
    seed_wait: float


@dataclass(frozen=True, slots=True)
class Grading:
    """What outcomes count for."""

    profile: str
    baseline: Path | None
    write_baseline: Path | None


@dataclass(frozen=True, slots=True)
class Output:
    """Where the results go."""

    name: str
    json_file: Path | None
    junit_file: Path | None
    markdown_file: Path | None
    html_file: Path | None
    others: tuple[Path, ...]
    verbose: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted instead of a run."""

    listed: bool
    explained: str | None
    schema: bool


_REACH = gathered(
    Reach,
    click.option("--tls", type=click.Choice(["none", "stls", "implicit"]),
                 help="How TLS is reached; by default none on this machine, else stls."),
    click.option("--cafile", type=click.Path(exists=True, dir_okay=False),
                 help="Certificates of the authorities to trust, not the system's."),
    click.option("--timeout", type=_SECONDS, default=10.0, show_default=True,
                 help="Seconds to wait for an answer."),
    click.option("--password-file", type=_OLD_FILE,
                 help="A file whose first line is the password."),
    click.option("--password-command", metavar="COMMAND",
                 help="A command that prints the password as its first line."),
    click.option("--allow-insecure-auth", is_flag=True,
                 help="Send the password unencrypted over a network."),
)  # fmt: skip

_CHOICE = gathered(
    Choice,
    click.option("--skip", "skip", metavar="SELECTOR", multiple=True,
                 help="Cases that are not meant after all; may be repeated."),
    click.option("--level", "levels", metavar="LEVEL", multiple=True,
                 help="Only cases of this level: must, should, may, impl, sec, note; may be "
                      "repeated."),
    click.option("--tag", "tags", metavar="TAG", multiple=True,
                 help="Only cases with this tag; may be repeated."),
)  # fmt: skip

_LEAVE = gathered(
    Leave,
    click.option("--mark", is_flag=True,
                 help="Mark messages of the run's own as deleted, and take the marks back."),
    click.option("--destructive", is_flag=True,
                 help="Delete messages of the run's own; the account has to be typed again."),
    click.option("--yes-delete-in", metavar="USER@HOST",
                 help="The account typed again, where there is nobody to type it."),
    click.option("--any-message", is_flag=True,
                 help="Set marks on messages that the run has not brought, too."),
    click.option("--login-failures", type=click.IntRange(0, 100), default=3, show_default=True,
                 metavar="N", help="Logins that may fail on purpose: servers lock accounts."),
    click.option("--slow", is_flag=True, help="Ask what takes longer than half a minute."),
    click.option("--opt-in", is_flag=True, help="Ask for more than a client ever does."),
    click.option("--connections", type=click.IntRange(1, 16), default=2, show_default=True,
                 metavar="N", help="Connections that may be open at the same time."),
    click.option("--pace", type=click.FloatRange(0, 3600), default=0.0, show_default=True,
                 help="Seconds between two connections at least."),
    click.option("--total", type=_SECONDS, default=300.0, show_default=True,
                 help="Seconds that the run may take, slow cases aside."),
)  # fmt: skip

_SEEDING = gathered(
    Seeding,
    click.option("--seed-command", metavar="COMMAND",
                 help="Bring messages by this command, which gets each on its standard input."),
    click.option("--seed-shell", is_flag=True, help="Have a shell read --seed-command."),
    click.option("--seed-smtp", metavar="HOST:PORT", help="Bring messages by SMTP."),
    click.option("--seed-lmtp", metavar="HOST:PORT", help="Bring messages by LMTP."),
    click.option("--seed-to", metavar="ADDRESS",
                 help="The address that leads into the maildrop; by default the user name."),
    click.option("--seed-maildir", metavar="PATH",
                 type=click.Path(exists=True, file_okay=False, path_type=Path),
                 help="Put messages into this Maildir."),
    click.option("--seed-wait", type=_SECONDS, default=30.0, show_default=True,
                 help="Seconds within which they have to be in the maildrop."),
)  # fmt: skip

_GRADING = gathered(
    Grading,
    click.option("--profile", type=click.Choice(["default", "strict", "exchange"]),
                 default="default", show_default=True,
                 help="What counts for how much where the texts leave room."),
    click.option("--baseline", metavar="FILE", type=_OLD_FILE,
                 help="What is known of the server: only what is worse counts."),
    click.option("--write-baseline", metavar="FILE", type=_FILE,
                 help="Write what is known now; reasons that are there already stay."),
)  # fmt: skip

_OUTPUT = gathered(
    Output,
    click.option("--name", default="", metavar="TEXT",
                 help="What the server is called in reports; else host and port."),
    click.option("--json", "json_file", metavar="FILE", type=_FILE,
                 help="Write the result for programs and for --with."),
    click.option("--junit", "junit_file", metavar="FILE", type=_FILE,
                 help="Write the result for CI."),
    click.option("--markdown", "markdown_file", metavar="FILE", type=_FILE,
                 help="Write the result for an issue."),
    click.option("--html", "html_file", metavar="FILE", type=_FILE,
                 help="Write a page with the results, in one file."),
    click.option("--with", "others", metavar="FILE", multiple=True, type=_OLD_FILE,
                 help="The JSON of an earlier run, to stand on the page beside this one, or "
                      "without URL alone; may be repeated."),
    click.option("-v", "--verbose", is_flag=True, help="Tell of every case."),
)  # fmt: skip

_ASKED = gathered(
    Asked,
    click.option("--list", "listed", is_flag=True,
                 help="List the cases with level, gates and effects, and do nothing else."),
    click.option("--explain", "explained", metavar="ID",
                 help="Tell all that is known of a case, and do nothing else."),
    click.option("--schema", is_flag=True,
                 help="Print the schema of the JSON, and do nothing else."),
)  # fmt: skip


def all_options(function: Any) -> Callable[..., Any]:  # noqa: ANN401 - as click takes them
    """Give a command all of them, each group as one value."""
    for group in (_ASKED, _OUTPUT, _GRADING, _SEEDING, _LEAVE, _CHOICE, _REACH):
        function = group(function)
    return function  # type: ignore[no-any-return]
