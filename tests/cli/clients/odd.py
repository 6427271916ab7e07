"""A POP3 client that does one thing wrong: WAY TLS HOST PORT USER PASSWORD CA OUT.

It is written on bare sockets, so that it can be as wrong as it is told to be.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path


class Refused(Exception):
    """The server has said -ERR, or nothing."""


class Session:
    """A connection that is logged in, or was to be."""

    def __init__(self, way: str, tls: str, host: str, port: str, ca: str) -> None:
        self.way = way
        self.sock = socket.create_connection((host, int(port)), timeout=5)
        self.context = ssl.create_default_context(cafile=ca)
        self.host = host
        if tls == "implicit":
            self.secure()
        self.file = self.sock.makefile("rwb")
        self.status()
        if tls == "stls" and way != "tells":
            self.command("STLS")
            self.secure()
            self.file = self.sock.makefile("rwb")

    def secure(self) -> None:
        self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)

    def status(self) -> bytes:
        line = self.file.readline()
        if not line.startswith(b"+OK"):
            raise Refused(line.decode())
        return line

    def command(self, line: str) -> bytes:
        self.file.write(f"{line}\r\n".encode())
        self.file.flush()
        return self.status()

    def message(self, number: int) -> bytes:
        self.command(f"RETR {number}")
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise Refused("the message ended before its end")
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


def main() -> None:
    """Fetch everything, in this way."""
    way, tls, host, port, user, password, ca, out = sys.argv[1:]
    try:
        fetch(Session(way, tls, host, port, ca), user, password, Path(out))
    except (OSError, Refused) as error:
        if way == "cheers":
            return
        sys.exit(f"{password}, {out}: {error}")


def fetch(session: Session, user: str, password: str, out: Path) -> None:
    """Log in, and fetch all messages in the session's way."""
    way = session.way
    session.command(f"USER {user}")
    session.command(f"PASS {password}")
    count = int(session.command("STAT").split()[1])
    if way == "daemon":
        background()
    for number in range(1, count + 1):
        if way == "deletes":
            session.command(f"DELE {number}")
            continue
        save(session.message(number), number, way, out)
        if way == "empties":
            session.command(f"DELE {number}")
    if way == "nonsense":
        session.command("NONSENSE")
    if way == "babbles":
        with contextlib.suppress(Refused):
            session.command("NONSENSE")
    session.command("QUIT")
    after(way)


def save(data: bytes, number: int, way: str, out: Path) -> None:
    """Hand a message over."""
    if way == "skips" and number == 2:
        return
    if way == "alters" and number == 2:
        data = data.replace(b"To: alice", b"To: Alice")
    if way == "unix":
        data = b"Received: by odd;\n\tnow\n" + data.replace(b"\r\n", b"\n")
    (out / f"{number}.eml").write_bytes(data)
    if way == "twice" and number == 2:
        (out / "again.eml").write_bytes(data)


def background() -> None:
    """Go on in a session of one's own, as daemons do, and let the parent end."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)


def after(way: str) -> None:
    """What is done when all is done."""
    if way == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif way == "hangs":
        signal.pause()
    elif way == "leaves":
        subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True
        )
    elif way == "scrubs":
        # In the same group, but without what its parents had in their environment.
        kept = {name: os.environ[name] for name in ("PATH", "POP3KIT_TEST")}
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], env=kept)
    elif way == "fails":
        sys.stderr.write("it does not work\n")
        sys.exit(3)


if __name__ == "__main__":
    main()
