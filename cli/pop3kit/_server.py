"""Which server, whether by TLS, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure
from ._options import gathered

if TYPE_CHECKING:
    from pop3client import TLS, MaildropURL, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the options say about the server."""

    url: str
    stls: bool
    stls_if_offered: bool
    allow_insecure_auth: bool
    timeout: float
    msex: bool
    retr_mode: str

    def place(self) -> MaildropURL:
        """Read the URL.

        Raises:
            UsageFailure: It is none, or says what is better said elsewhere.
        """
        from pop3client import InvalidArgument, MaildropURL  # the help does without it

        try:
            place = MaildropURL.parse(self.url)
        except InvalidArgument as error:
            raise UsageFailure(str(error)) from None
        if place.password is not None:
            raise UsageFailure(
                "a password in the URL can be read in the list of processes and in the shell's"
                " history; leave it out, and use the prompt, --password-file, --password-command"
                " or POP3KIT_PASSWORD"
            )
        if place.options or place.mechanism:
            raise UsageFailure("expected nothing after host and port: settings have their options")
        return place

    def tls(self, place: MaildropURL) -> TLS:
        """When to encrypt.

        Raises:
            UsageFailure: URL and options contradict each other.
        """
        from pop3client import TLS

        if self.stls and self.stls_if_offered:
            raise UsageFailure("expected one of --stls and --stls-if-offered, got both")
        if not self.stls and not self.stls_if_offered:
            return place.tls
        if place.tls is TLS.IMPLICIT:
            raise UsageFailure("pop3s:// is TLS from the first octet; --stls goes with pop3://")
        if self.stls_if_offered and place.tls is TLS.STLS:
            raise UsageFailure("pop3+stls:// demands STLS; --stls-if-offered goes with pop3://")
        return TLS.STLS if self.stls else TLS.OPPORTUNISTIC

    def settings(self, place: MaildropURL) -> Settings:
        """Give the client's settings.

        Raises:
            UsageFailure: URL and options contradict each other.
        """
        from pop3client import RetrMode

        return {
            "port": place.port,
            "tls": self.tls(place),
            "msex": self.msex,
            "retr_mode": RetrMode(self.retr_mode),
            "timeout": self.timeout,
            "allow_insecure_auth": self.allow_insecure_auth,
        }


server = gathered(
    Server,
    click.argument("url"),
    click.option("--stls", is_flag=True, help="Encrypt by STLS, on the port for plain POP3."),
    click.option("--stls-if-offered", is_flag=True,
                 help="Encrypt by STLS if the server has it. Whoever can change what it sends "
                      "decides that; --stls is safe."),
    click.option("--allow-insecure-auth", is_flag=True,
                 help="Send the password unencrypted over a network."),
    click.option("--timeout", type=click.FloatRange(0, 86400, min_open=True), default=60.0,
                 show_default=True, help="Seconds to wait for an answer."),
    click.option("--msex", is_flag=True,
                 help="The server is MS Exchange: trust none of its sizes."),
    click.option("--retr-mode", type=click.Choice(["retr", "list", "slow"]), default="retr",
                 show_default=True, help="Where to look for the size of a message first."),
)  # fmt: skip
