"""Servers that serve an mbox file to users of the system: Debian's Mailutils and popa3d.

Each session is a process of its own at the end of a TCP connection, as inetd would start it, so no
daemon runs and no port is taken. The process has a private view of the few files that name users
and passwords (a mount namespace, which takes root); those of the host are never written.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from ._clients import TLSMode

#: Seconds that a session may take to end once its client is gone.
PATIENCE = 20.0

USER = "alice"
PASSWORD = "secret"

#: What stands in the shadow file for it, by crypt(3) with SHA-512.
_SHADOW = (
    "$6$pop3kit$HnOWb/kxHSPYAgbPRIL3R3/VtdVyQEhCE2BVatECwvpDH0AwUbZxBCfY26eJ1gm."
    "da3KB2gMKUIssJoJ8RkYA1"
)

#: Out of the way of users that there are.
_UID = 22_001
_DAEMON_UID = 22_093

#: ``nodelay``: a wrong password is refused at once, rather than after two seconds.
_PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"

#: What a session does first, in a view of the files that is its own: users, passwords, mail.
_ENTER = """\
top=$0
for name in passwd group shadow; do mount --bind "$top/$name" "/etc/$name"; done
mount --bind "$top/pam.d" /etc/pam.d
mount --bind "$top/spool" /var/mail
mount --bind "$top/lib" /var/lib
exec "$@"
"""

_MAILUTILS = """\
mode inetd;
apop-database-file "{top}/apop";
apop-database-safety none;
auth {{ authentication "system:pam"; authorization "system"; }};
mailbox {{ mail-spool "{top}/spool"; }};
logging {{ syslog no; }};
tls-mode {mode};
tls {{
  ssl-certificate-file "{top}/server.pem";
  ssl-key-file "{top}/server.key";
  ssl-ca-file "{top}/ca.pem";
}};
"""


#: What stands before each message in an mbox file.
SEPARATOR = b"From sender@example.test Mon Jan  2 10:00:00 2023\r\n"

#: Mailutils' names for TLS by STLS, and from the first octet.
_MODES = ("ondemand", "connection")


class Program(NamedTuple):
    """A server that can be asked for.

    Attributes:
        name: Its name here, which is that of the scenario that plays it.
        file: The name of the program.
        package: The Debian package.
        arguments: What it is called with; ``{top}`` is the folder of its files, ``{mode}`` its
            name for the mode of TLS.
        service: Its name to PAM.
        digests: A program that writes the passwords for APOP; empty if it has none.
        version: What it answers to ``--version``, where others have other words; empty if it is
            not asked.
    """

    name: str
    file: str
    package: str
    arguments: tuple[str, ...]
    service: str
    digests: str = ""
    version: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether it is the version whose words the scenario has."""
        if not self.version or self.path is None:
            return True
        told = subprocess.run(
            [self.path, "--version"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )
        return self.version.encode() in told.stdout

    @property
    def path(self) -> str | None:
        """Where it is installed; the path of an ordinary user may not lead there."""
        places = os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"
        return shutil.which(self.file, path=os.pathsep.join(places))


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "mailutils",
            "pop3d",
            "mailutils-pop3d",
            ("--no-site-config", "--config-file", "{top}/{mode}.conf"),
            "mailutils",
            "popauth",
            "(GNU Mailutils) 3.15",
        ),
        Program("popa3d", "popa3d", "popa3d", (), "popa3d"),
    )
}


class MboxServer:
    """One of these servers, with one user and his mail; a context manager.

    Args:
        program: Which one.
        messages: The mail.

    Attributes:
        ca: The file with the certificate of its authority.
    """

    def __init__(self, program: Program, messages: Iterable[bytes]) -> None:
        self._program = program
        self._messages = list(messages)
        # Not pytest's folder, which nobody else may enter.
        self._top = Path(tempfile.mkdtemp(prefix=f"{program.name}-"))
        self._sessions: list[subprocess.Popen[bytes]] = []
        self.ca = self._top / "ca.pem"

    def __enter__(self) -> Self:
        try:
            self._write()
        except BaseException:
            shutil.rmtree(self._top)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._sessions:
            try:
                session.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                session.kill()
                session.wait()
        shutil.rmtree(self._top)

    def connect(self, tls: TLSMode = "none") -> socket.socket:
        """A new session; it ends when its connection does.

        Args:
            tls: Whether TLS begins at once; how a client gets there is its own affair.
        """
        ours, theirs = _connection()
        with theirs:
            try:
                self.serve(theirs, tls)
            except BaseException:
                ours.close()
                raise
        return ours

    def serve(self, connection: socket.socket, tls: TLSMode) -> None:
        """A new session at the other end of a connection, which is left to it.

        Args:
            connection: Our end; the session has it, too, and the caller may close it.
            tls: Whether TLS begins at once.
        """
        # They write in small pieces, each of which would wait for the one before to be noticed.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sessions.append(self._start(connection, _MODES[tls == "implicit"]))

    def deliver(self, messages: Iterable[bytes]) -> None:
        """Put mail into the user's mbox file, also while a session has it open.

        Args:
            messages: The mail, as it is delivered.
        """
        box = self._top / "spool" / USER
        with box.open("ab") as file:
            file.writelines(map(_in_mbox, messages))
        os.chown(box, _UID, _UID)

    def _start(self, connection: socket.socket, mode: str) -> subprocess.Popen[bytes]:
        program = str(self._program.path)
        arguments = [part.format(top=self._top, mode=mode) for part in self._program.arguments]
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _ENTER]
        with (self._top / "stderr").open("ab") as stderr:
            return subprocess.Popen(
                [*apart, str(self._top), program, *arguments],
                env={"PATH": os.defpath, "LANG": "C"},
                cwd=self._top,
                stdin=connection.fileno(),
                stdout=connection.fileno(),
                stderr=stderr,
                start_new_session=True,
            )

    def _write(self) -> None:
        self._top.chmod(0o755)
        for name in ("spool", "pam.d", "lib", "lib/popa3d"):
            (self._top / name).mkdir()
        (self._top / "spool").chmod(0o1777)
        self._write_users()
        (self._top / "pam.d" / self._program.service).write_text(_PAM, encoding="utf-8")
        for mode in _MODES:
            text = _MAILUTILS.format(top=self._top, mode=mode)
            (self._top / f"{mode}.conf").write_text(text, encoding="utf-8")
        if self._program.digests:
            self._write_digests()
        self._write_certificate()
        self.deliver(self._messages)

    def _write_digests(self) -> None:
        """What APOP is checked against, by the program that comes with the server."""
        who = ["--user", USER, "--password", PASSWORD]
        subprocess.run(
            [self._program.digests, "--file", str(self._top / "apop"), "--add", *who],
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        )

    def _write_certificate(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        certificate = authority.issue_cert("localhost", "127.0.0.1", common_name="localhost")
        certificate.private_key_pem.write_to_path(str(self._top / "server.key"))
        (self._top / "server.key").chmod(0o600)
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(self._top / "server.pem"), append=True)

    def _write_users(self) -> None:
        """The host's users, and ours."""
        users = {USER: _UID, "popa3d": _DAEMON_UID}
        home = "/nonexistent:/bin/sh"
        lines = "".join(f"{name}:x:{uid}:{uid}::{home}\n" for name, uid in users.items())
        groups = "".join(f"{name}:x:{uid}:\n" for name, uid in users.items())
        secret = f"{USER}:{_SHADOW}:19000:0:99999:7:::\n"
        for name, more in (("passwd", lines), ("group", groups), ("shadow", secret)):
            known = Path("/etc", name).read_text("utf-8") if name != "shadow" else ""
            mine = re.sub(rf"^({'|'.join(users)}):.*\n", "", known, flags=re.MULTILINE)
            (self._top / name).write_text(mine + more, encoding="utf-8")


def _connection() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection: a server may ask its socket who is there."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        ours = socket.create_connection(door.getsockname(), PATIENCE)
        try:
            theirs, _ = door.accept()
        except BaseException:
            ours.close()
            raise
    return ours, theirs


def _in_mbox(message: bytes) -> bytes:
    """A message as what delivers mail writes it into an mbox file."""
    whole = SEPARATOR + quoted(message.removesuffix(b"\n").removesuffix(b"\r") + b"\r\n\r\n")
    return whole.replace(b"\r\n", b"\n")


def quoted(message: bytes) -> bytes:
    """A message without lines that look like the first line of one in an mbox file."""
    return re.sub(rb"^(>*From )", rb">\1", message, flags=re.MULTILINE)


def has_namespaces() -> bool:
    """Whether a process may have a view of the files that is its own: not without being root."""
    program = shutil.which("unshare", path=os.defpath)
    if program is None or os.geteuid() != 0:
        return False
    tried = subprocess.run(
        [program, "--mount", "true"],
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
    )
    return tried.returncode == 0
