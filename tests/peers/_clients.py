"""Clients that nobody here wrote, each run with a home, a configuration and an outbox alone."""

from __future__ import annotations

import abc
import contextlib
import os
import poplib
import ssl
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

TLSMode = Literal["none", "stls", "implicit"]

#: Seconds that a client may take for all it has to do.
PATIENCE = 30.0

#: Delivers standard input to the next free number in the folder that is its argument.
_DELIVER = """\
n=100
while [ -e "$1/$n.eml" ]; do n=$((n + 1)); done
exec cat >"$1/$n.eml"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a client is to fetch mail.

    Attributes:
        port: TCP port on ``localhost``.
        user: Name of the maildrop.
        password: Its password.
        tls: When to encrypt.
        ca: File with the certificate of the authority to trust.
        pem: File with the key and the certificate to show to a server that asks, if it asks.
    """

    port: int
    user: str
    password: str
    tls: TLSMode
    ca: Path
    pem: Path | None = None

    #: A name, not an address: fetchmail wants the certificate's common name to be the host.
    host: ClassVar[str] = "localhost"


class ClientFailed(Exception):
    """A client says that it could not do what it was asked for."""


class Client(abc.ABC):
    """A POP3 client.

    Attributes:
        program: The command that runs it, or None if it is a Python module.
        package: The Debian package that holds it.
        longest_line: Octets of the longest line that comes through unharmed.
    """

    program: ClassVar[str | None]
    package: ClassVar[str]
    longest_line: ClassVar[int] = sys.maxsize

    @abc.abstractmethod
    def fetch(self, account: Account, home: Path, *, delete: bool = False) -> list[bytes]:
        """Fetch all messages.

        Args:
            account: Where.
            home: A folder of its own; what it remembers stays there.
            delete: Whether to delete what was fetched.

        Returns:
            The messages as they were delivered, in order.

        Raises:
            ClientFailed: It says so.
        """

    def delivers(self, message: bytes) -> bytes:
        """What it makes of the octets of a message."""
        return message


@dataclass(frozen=True)
class Curl(Client):
    """curl: each transfer of one call shares a connection, each call has its own.

    Attributes:
        auth: How to log in: ``apop`` or a SASL mechanism; ``any`` for what it likes best.
    """

    program = "curl"
    package = "curl"

    auth: str = "any"

    def fetch(self, account: Account, home: Path, *, delete: bool = False) -> list[bytes]:
        """See the base class; LIST, the messages, and the deletions are sessions of their own."""
        scheme = "pop3s" if account.tls == "implicit" else "pop3"
        base = f"{scheme}://{account.host}:{account.port}/"
        config = home / "curl.conf"
        _write_secret(
            config,
            *self._credentials(account),
            f'cacert = "{account.ca}"',
            *(["ssl-reqd"] if account.tls == "stls" else []),
        )
        command = ["curl", "-q", "-sS", "--fail-early", "-K", str(config)]
        listing = _run([*command, base], home)
        # A listing of nothing comes as one empty line.
        numbers = [int(line.split()[0]) for line in listing.splitlines() if line]
        if not numbers:
            return []
        outbox = [home / f"{number}.eml" for number in numbers]
        _run([*command, *_transfers(base, numbers, outbox)], home)
        if delete:
            nowhere = [home / "nothing"] * len(numbers)
            deleting = ["--request", "DELE", "--list-only"]
            _run([*command, *deleting, *_transfers(base, numbers, nowhere)], home)
        return [file.read_bytes() for file in outbox]

    def _credentials(self, account: Account) -> list[str]:
        """Lines of its configuration that say who one is, and how that is to be proved."""
        bearer = self.auth in ("xoauth2", "oauthbearer")
        password = "" if bearer or self.auth == "external" else account.password
        option = {"any": "*", "apop": "+APOP"}.get(self.auth, self.auth.upper())
        return [
            f'user = "{account.user}:{password}"',
            f'login-options = "AUTH={option}"',
            *([f'oauth2-bearer = "{account.password}"'] if bearer else []),
            *([f'cert = "{account.pem}"'] if account.pem is not None else []),
        ]


def _transfers(base: str, numbers: Iterable[int], files: Iterable[Path]) -> list[str]:
    return [
        word
        for number, file in zip(numbers, files, strict=True)
        for word in ("-o", str(file), f"{base}{number}")
    ]


class _DeliversByPipe(Client):
    """A client that hands each message to a delivery agent, whose lines end in LF."""

    def delivers(self, message: bytes) -> bytes:
        """CRLF becomes LF, the line end of the system that the mail is delivered to."""
        return message.replace(b"\r\n", b"\n")

    def _agent(self, home: Path) -> tuple[str, Path]:
        """The command of the delivery agent, and the new folder that it delivers to."""
        script = home / "deliver"
        script.write_text(_DELIVER, encoding="ascii")
        outbox = home / f"outbox-{len(list(home.glob('outbox-*')))}"
        outbox.mkdir()
        return f"/bin/sh {script} {outbox}", outbox


@dataclass(frozen=True)
class Fetchmail(_DeliversByPipe):
    """fetchmail.

    Attributes:
        only_new: Ask UIDL, remember what was fetched, and fetch only what is new.
        auth: How to log in: ``apop``, ``password`` for USER, ``cram-md5``, ``any``.
    """

    program = "fetchmail"
    package = "fetchmail"
    #: Its buffer; what goes beyond is cut into pieces with NUL octets between.
    longest_line = 8189

    only_new: bool = False
    auth: str = "any"

    def delivers(self, message: bytes) -> bytes:
        """Every CR goes, bare ones too; a header with nothing behind it gets its blank line."""
        blank = b"" if b"\r\n\r\n" in message else b"\n"
        return message.replace(b"\r", b"") + blank

    def fetch(self, account: Account, home: Path, *, delete: bool = False) -> list[bytes]:
        """See the base class; deletes each message as it was fetched."""
        agent, outbox = self._agent(home)
        tls = {
            "none": "sslproto ''",
            "stls": f'sslproto "tls1.2+" sslcertck sslcertfile "{account.ca}"',
            "implicit": f'ssl sslproto "tls1.2+" sslcertck sslcertfile "{account.ca}"',
        }[account.tls]
        config = home / "fetchmailrc"
        _write_secret(
            config,
            "set no syslog",
            "set invisible",  # no Received: field of its own
            "set no bouncemail",
            f'set idfile "{home}/ids"',
            f'set pidfile "{home}/pid"',
            f'poll "{account.host}" service "{account.port}"',
            f"  protocol {'APOP' if self.auth == 'apop' else 'POP3'}",
            f"  auth {'any' if self.auth == 'apop' else self.auth}",
            f"  {'uidl' if self.only_new else ''} timeout 20",
            f'  user "{account.user}" password "{account.password}" is root here {tls}',
            f"  {'' if self.only_new else 'fetchall'} {'nokeep' if delete else 'keep'}",
            f'  no rewrite no mimedecode pass8bits mda "{agent}"',
        )
        # Exit status 1: there was no mail.
        _run(["fetchmail", "--nodetach", "--nosyslog", "-f", str(config)], home, good=(0, 1))
        return _delivered(outbox)


@dataclass(frozen=True)
class Mpop(_DeliversByPipe):
    """mpop.

    Attributes:
        auth: How to log in: ``user``, ``apop``, or a SASL mechanism; ``on`` for what it likes best.
        pipelining: ``on``, ``off``, or ``auto`` for what CAPA says.
    """

    program = "mpop"
    package = "mpop"

    auth: str = "user"
    pipelining: str = "auto"

    def fetch(self, account: Account, home: Path, *, delete: bool = False) -> list[bytes]:
        """See the base class; deletes when all is fetched."""
        agent, outbox = self._agent(home)
        config = home / "mpoprc"
        _write_secret(
            config,
            "account default",
            f"host {account.host}",
            f"port {account.port}",
            f"user {account.user}",
            f"password {account.password}",
            f"auth {self.auth}",
            *{
                "none": ["tls off"],
                "stls": ["tls on", "tls_starttls on", f"tls_trust_file {account.ca}"],
                "implicit": ["tls on", "tls_starttls off", f"tls_trust_file {account.ca}"],
            }[account.tls],
            *(
                [f"tls_cert_file {account.pem}", f"tls_key_file {account.pem}"]
                if account.pem is not None
                else []
            ),
            "timeout 20",
            f"keep {'off' if delete else 'on'}",
            "only_new off",
            "received_header off",
            f"pipelining {self.pipelining}",
            f"uidls_file {home}/uidls",
            f'delivery mda "{agent}"',
        )
        _run(["mpop", "-C", str(config), "--quiet"], home)
        return _delivered(outbox)


class Poplib(Client):
    """Python's poplib; its lines come without line ends and are joined here."""

    program = None
    package = "python3"
    #: A security limit of 2,048 octets with the line end, above which RETR is an error.
    longest_line = 2046

    def fetch(
        self,
        account: Account,
        home: Path,  # noqa: ARG002 - it remembers nothing
        *,
        delete: bool = False,
    ) -> list[bytes]:
        """See the base class; deletes each message as it was fetched."""
        try:
            client = self._connect(account)
        except (poplib.error_proto, OSError) as error:
            raise ClientFailed(str(error)) from error
        try:
            client.user(account.user)
            client.pass_(account.password)
            fetched = []
            for line in client.list()[1]:
                number = int(line.split()[0])
                fetched.append(b"".join(each + b"\r\n" for each in client.retr(number)[1]))
                if delete:
                    client.dele(number)
            client.quit()
        except (poplib.error_proto, OSError) as error:
            raise ClientFailed(str(error)) from error
        finally:
            client.close()
        return fetched

    def _connect(self, account: Account) -> poplib.POP3:
        context = ssl.create_default_context(cafile=str(account.ca))
        if account.tls == "implicit":
            return poplib.POP3_SSL(account.host, account.port, timeout=PATIENCE, context=context)
        client = poplib.POP3(account.host, account.port, timeout=PATIENCE)
        if account.tls == "stls":
            try:
                client.stls(context)
            except BaseException:
                # The handshake has closed the socket already, which poplib does not expect.
                with contextlib.suppress(OSError):
                    client.close()
                raise
        return client


CLIENTS: dict[str, Client] = {
    "curl": Curl(),
    "fetchmail": Fetchmail(),
    "mpop": Mpop(),
    "poplib": Poplib(),
}


def _run(command: Sequence[str], home: Path, good: Sequence[int] = (0,)) -> bytes:
    """Run a program to its end and give its standard output.

    It sees nothing of the environment but the path: no proxy, no configuration of the user's.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        command,
        check=False,
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )
    if done.returncode not in good:
        said = done.stderr.decode(errors="backslashreplace").strip()
        raise ClientFailed(f"{command[0]} ended with status {done.returncode}: {said}")
    return done.stdout


def _write_secret(file: Path, *lines: str) -> None:
    """Write a configuration that only its owner may read, as the clients demand."""
    file.touch(mode=0o600)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _delivered(outbox: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(outbox.iterdir())]
