"""How to log in: by password, by token, or by the certificate of the client."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, printable
from ._options import gathered
from ._password import find_password, from_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3client import MaildropURL, Mechanism, POP3Client, Settings

#: Mechanisms that take a password, as the client has them; a test holds them to it.
_PASSWORD = (
    *("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"),
    *("CRAM-MD5", "APOP", "PLAIN", "LOGIN", "USER"),
)
_TOKEN = ("XOAUTH2", "OAUTHBEARER")
_EXTERNAL = "EXTERNAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What the options say about the login."""

    mechanism: str | None
    password_file: Path | None
    password_command: str | None
    oauth_token_command: str | None

    def check(self, *, has_certificate: bool) -> None:
        """See that the options go together.

        Args:
            has_certificate: Whether the client has one.

        Raises:
            UsageFailure: They do not.
        """
        name = self.mechanism
        has_password = self.password_file is not None or self.password_command is not None
        if self.oauth_token_command is not None and (has_password or name not in (None, *_TOKEN)):
            raise UsageFailure(
                "--oauth-token-command goes with no password, and with no --mechanism but"
                f" {' and '.join(_TOKEN)}"
            )
        if name in _TOKEN and self.oauth_token_command is None:
            raise UsageFailure(f"--mechanism {name} needs --oauth-token-command")
        if name == _EXTERNAL and (has_password or not has_certificate):
            raise UsageFailure(f"--mechanism {_EXTERNAL} goes with --cert, and with no password")

    def connector(self, place: MaildropURL, settings: Settings) -> Callable[[], POP3Client]:
        """Make what opens the maildrop.

        Args:
            place: Whose maildrop, and where.
            settings: The client's settings.

        Raises:
            UsageFailure: There is no password. No message ever quotes one.
        """
        import pop3client  # the help does without it

        if self.oauth_token_command is not None:
            return partial(_open, place, settings, self._bearer)
        if self.mechanism == _EXTERNAL:
            return partial(_open, place, settings, lambda *_: pop3client.External(place.user))
        prompt = printable(f"Password of {place.user} at {place.host}")
        return partial(
            pop3client.connect,
            place.host,
            place.user,
            find_password(self.password_file, self.password_command, prompt),
            mechanism=self.mechanism,
            **settings,
        )

    def _bearer(self, client: POP3Client, user: str) -> Mechanism:
        """The mechanism for a token; its command runs again if the first token is refused."""
        from pop3client import OAuthBearer, XOAuth2

        name = self.mechanism
        if name is None:
            client.supports("SASL")  # asks CAPA, if nobody has yet
            # XOAUTH2 is what the large services have, whatever they announce.
            offered = OAuthBearer.name in client.capabilities.sasl
            name = OAuthBearer.name if offered else XOAuth2.name
        assert self.oauth_token_command is not None
        token = partial(from_command, self.oauth_token_command, "--oauth-token-command")
        return OAuthBearer(user, token) if name == OAuthBearer.name else XOAuth2(user, token)


def _open(
    place: MaildropURL, settings: Settings, choose: Callable[[POP3Client, str], Mechanism]
) -> POP3Client:
    from pop3client import POP3Client

    client = POP3Client(place.host, **settings)
    try:
        client.authenticate(choose(client, place.user))
    except BaseException:
        client.abort()
        raise
    return client


login = gathered(
    Login,
    click.option("--mechanism", metavar="NAME",
                 type=click.Choice([*_PASSWORD, _EXTERNAL, *_TOKEN], case_sensitive=False),
                 help=f"How to log in: {', '.join(_PASSWORD)}; {_EXTERNAL}; or "
                      f"{' or '.join(_TOKEN)}. By default the safest way that the server "
                      "offers."),
    click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                 help="A file whose first line is the password."),
    click.option("--password-command", metavar="COMMAND",
                 help="A command that prints the password as its first line."),
    click.option("--oauth-token-command", metavar="COMMAND",
                 help="Log in by OAuth, with the token that a command prints."),
)  # fmt: skip
