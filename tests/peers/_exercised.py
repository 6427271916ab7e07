"""How real clients are sent through all scenarios: their command lines, and what they may do."""

from __future__ import annotations

import platform
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import version

#: What every command line says, in this order.
_ACCOUNT = ("{host}", "{port}", "{user}", "{password}", "{ca}")

#: Seconds that a client waits for an answer; scenarios with delays stay well below.
_PATIENCE = "3"

_SCRIPTS = "tests/peers/exercised"


@dataclass(frozen=True, kw_only=True)
class Exercised:
    """A client.

    Attributes:
        command: Its command line, with places.
        says: The command that tells its version; empty if it is of Python.
        mail: Where it leaves the mail.
        allowed: What it may do to messages.
    """

    command: tuple[str, ...]
    says: tuple[str, ...] = ()
    mail: str = "folder"
    allowed: tuple[str, ...] = ()

    def options(self, name: str) -> list[str]:
        """The options of ``pop3kit exercise`` for it.

        Args:
            name: What it is called.
        """
        allowed = [word for liberty in self.allowed for word in ("--allow", liberty)]
        told = ["--name", name, "--client-version", self._version(name)]
        return [*told, "--mail", self.mail, *allowed, "--timeout", "20"]

    def _version(self, name: str) -> str:
        if not self.says:
            return version("pop3kit") if name == "pop3kit" else platform.python_version()
        said = subprocess.run(self.says, capture_output=True, text=True, check=True).stdout
        found = re.search(r"[0-9]+(\.[0-9]+)+", said)
        assert found, said
        return found[0]


EXERCISED = {
    "curl": Exercised(
        command=("sh", f"{_SCRIPTS}/curl.sh", "{tls}", *_ACCOUNT, "{home}", "{out}", _PATIENCE),
        says=("curl", "--version"),
    ),
    "fetchmail": Exercised(
        command=(
            "sh",
            f"{_SCRIPTS}/fetchmail.sh",
            "{tls}",
            *_ACCOUNT,
            "{home}",
            "{out}",
            _PATIENCE,
        ),
        says=("fetchmail", "--version"),
        allowed=("line-ends",),
    ),
    "mpop": Exercised(
        command=(
            "mpop",
            "--host={host}",
            "--port={port}",
            "--user={user}",
            "--passwordeval=echo {password}",
            "--auth=user",
            "{none:--tls=off}",
            "{tls:--tls=on}",
            "{stls:--tls-starttls=on}",
            "{implicit:--tls-starttls=off}",
            "{tls:--tls-trust-file={ca}}",
            "--uidls-file={home}/uidls",
            "--keep=on",
            "--only-new=off",
            "--received-header=off",
            f"--timeout={_PATIENCE}",
            "--delivery=maildir,{out}",
        ),
        says=("mpop", "--version"),
        mail="maildir",
        allowed=("line-ends",),
    ),
    "poplib": Exercised(
        command=(
            "python",
            f"{_SCRIPTS}/fetch_by_poplib.py",
            "{tls}",
            *_ACCOUNT,
            "{out}",
            _PATIENCE,
        ),
        allowed=("line-ends",),
    ),
    "pop3kit": Exercised(
        command=(
            "env",
            "POP3KIT_PASSWORD={password}",
            "pop3kit",
            "fetch",
            "--output={out}",
            "{tls:--cafile={ca}}",
            "{stls:--stls}",
            f"--timeout={_PATIENCE}",
            "{scheme}://{user}@{host}:{port}",
        ),
    ),
}
