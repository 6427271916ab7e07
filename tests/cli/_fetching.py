"""For the tests of ``pop3kit fetch``: the maildrop's URL, and what has come of it."""

from __future__ import annotations

import mailbox
import re
import shlex
import sys
from typing import TYPE_CHECKING

from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

_HEAD = "pop3: 1\nname: odd\nsummary: odd\n"


def odd(text: str) -> MockServer:
    """A server that plays a scenario of these lines."""
    return MockServer(loads(_HEAD + text))


def url(server: MockServer, scheme: str = "pop3") -> str:
    """The URL of the first user's maildrop."""
    return f"{scheme}://{server.credentials.user}@localhost:{server.port}"


def ca(server: MockServer, tmp_path: Path) -> Path:
    """A file with the certificate of the server's authority."""
    file = tmp_path / "ca.pem"
    file.write_bytes(server.ca_pem)
    return file


def printing(text: str) -> str:
    """A command line that prints a line."""
    return shlex.join([sys.executable, "-c", f"print({text!r})"])


def mail(out: Path) -> list[bytes]:
    """The messages in the folder, by name; there must be nothing else in it."""
    files = sorted(out.iterdir())
    assert [file.suffix for file in files] == [".eml"] * len(files)
    return [file.read_bytes() for file in files]


def in_maildir(path: Path) -> list[bytes]:
    """The messages of a Maildir, in the order of their delivery; ``tmp`` must be empty."""
    assert list((path / "tmp").iterdir()) == []
    box = mailbox.Maildir(path, create=False)
    return [box.get_bytes(key) for key in sorted(box.keys(), key=_delivery)]


def _delivery(key: str) -> list[int]:
    """The numbers in a name, which grow from one delivery of a process to the next."""
    return [int(number) for number in re.findall(r"\d+", key)]


def in_mbox(path: Path) -> list[bytes]:
    """The messages of an mbox, as the standard library reads it, unquoted as mboxrd says."""
    box = mailbox.mbox(path, create=False)
    try:
        return [re.sub(rb"(?m)^>(>*From )", rb"\1", box.get_bytes(key)) for key in box.keys()]  # noqa: SIM118
    finally:
        box.close()


#: How to read what each kind of destination holds, by its option.
READERS: dict[str, Callable[[Path], list[bytes]]] = {
    "--output": mail,
    "--maildir": in_maildir,
    "--mbox": in_mbox,
}


def one_line(result: Result) -> str:
    """What the command said on standard error, which must be one line."""
    lines: list[str] = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]
