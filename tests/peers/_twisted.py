"""A private Twisted: its POP3 server in a process of its own, with users as they are wanted."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from ._clients import TLSMode

#: Seconds that it may take to come up, to answer, and to go.
PATIENCE = 20.0

PASSWORD = "secret"


class Twisted:
    """Twisted's POP3 server; a context manager.

    Attributes:
        ca: The file with the certificate of its authority.
    """

    def __init__(self) -> None:
        self._top = Path(tempfile.mkdtemp(prefix="twisted-"))
        self._mail = self._top / "mail"
        self._ports: list[int] = []
        self._users = 0
        self._messages = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.ca = self._top / "ca.pem"

    def __enter__(self) -> Self:
        try:
            self._mail.mkdir()
            self._launch(self._certificate())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def user(self, messages: Iterable[bytes]) -> str:
        """The name of a new user with mail.

        Args:
            messages: The mail, as it is to lie on the disk.
        """
        self._users += 1
        name = f"user{self._users}"
        for folder in ("tmp", "new", "cur"):
            (self._mail / name / folder).mkdir(parents=True)
        self.deliver(name, messages)
        return name

    def deliver(self, user: str, messages: Iterable[bytes]) -> None:
        """Put mail into a maildrop, also while a session has it open.

        Args:
            user: The name of the maildrop.
            messages: The mail, as it is to lie on the disk.
        """
        for octets in messages:
            name = f"{1_700_000_000 + next(self._messages)}.seed"
            (self._mail / user / "new" / name).write_bytes(octets)

    def connect(self, tls: TLSMode) -> socket.socket:
        """A connection to the port where TLS begins at once, or to the other."""
        return socket.create_connection(("127.0.0.1", self.port(tls)), PATIENCE)

    def port(self, tls: TLSMode) -> int:
        """The port where TLS begins at once, or the other."""
        return self._ports[tls == "implicit"]

    def _certificate(self) -> Path:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        pem = self._top / "server.pem"
        certificate = authority.issue_cert("localhost", "127.0.0.1", common_name="localhost")
        certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
        return pem

    def _launch(self, pem: Path) -> None:
        program = Path(__file__).with_name("_twisted_server.py")
        complaints = self._top / "stderr"
        with complaints.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, str(program), str(self._mail), PASSWORD, str(pem)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert self._process.stdout is not None
        # It says its ports when it listens, or ends, which ends what it says.
        self._ports = list(map(int, self._process.stdout.readline().split()))
        if not self._ports:
            raise RuntimeError(f"Twisted does not come up:\n{complaints.read_text('utf-8')}")

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # It ends with its input.
            try:
                process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        shutil.rmtree(self._top)


def is_installed() -> bool:
    """Whether there is a Twisted that can do TLS."""
    return all(map(importlib.util.find_spec, ("twisted", "OpenSSL", "service_identity")))
