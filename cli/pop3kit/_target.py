"""The server that a command of the checker's side talks to, and the options that say which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import click

from ._failures import UsageFailure
from ._options import gathered
from ._password import find_password

if TYPE_CHECKING:
    from pathlib import Path

    from pop3check import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What the options say about the server."""

    url: str
    tls: Literal["none", "stls", "implicit"] | None
    cafile: str | None
    timeout: float
    allow_insecure_auth: bool

    def target(self) -> Target:
        """The server, with nobody's password.

        Raises:
            UsageFailure: The URL is wrong.
        """
        from pop3check import Target, TargetError  # the help does without it

        try:
            return Target.from_url(
                self.url,
                tls=self.tls,
                ca=self.cafile,
                timeout=self.timeout,
                allow_insecure_auth=self.allow_insecure_auth,
            )
        except TargetError as error:
            raise UsageFailure(str(error)) from None


def with_password(target: Target, file: Path | None, command: str | None) -> Target:
    """The target with the user's password; as it is, if it has no user.

    Args:
        target: The server.
        file: A file whose first line is the password.
        command: A command that prints it.

    Raises:
        UsageFailure: There is none.
    """
    if not target.user:
        return target
    prompt = f"Password of {target.user} at {target}"
    return replace(target, password=find_password(file, command, prompt))


peer = gathered(
    Peer,
    click.argument("url"),
    click.option("--tls", type=click.Choice(["none", "stls", "implicit"]),
                 help="How TLS is reached; by default none on this machine, else stls."),
    click.option("--cafile", type=click.Path(exists=True, dir_okay=False),
                 help="Certificates of the authorities to trust, not the system's."),
    click.option("--timeout", type=click.FloatRange(0, 86400, min_open=True), default=10.0,
                 show_default=True, help="Seconds to wait for an answer."),
    click.option("--allow-insecure-auth", is_flag=True,
                 help="Let a password cross a network unencrypted."),
)  # fmt: skip
